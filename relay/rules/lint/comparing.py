"""Does one condition follow from another, and can a condition hold at all? Only what is certain is answered with yes.

Never guesses: where it cannot tell, it says no, so that no rule is called unreachable that some event might reach.
"""

from __future__ import annotations

from collections.abc import Sequence

from relay.rules.lint.meaning import Atom, Group, Meaning, sights


def follows(wanted: Meaning, given: Meaning) -> bool:
    """Whenever ``given`` holds, does ``wanted``?"""
    return (
        all(any(implies(have, atom) for have in given.by_word.get(atom.word, ())) for atom in wanted.atoms)
        and all(_some_branch_follows(group, given) for group in wanted.anys)
        and all(_no_branch_can_hold(group, given) for group in wanted.nones)
    )


def _some_branch_follows(group: Group, given: Meaning) -> bool:
    return _is_said(group, given.anys) or any(follows(branch, given) for branch in group.branches)


def _no_branch_can_hold(group: Group, given: Meaning) -> bool:
    if _is_said(group, given.nones):
        return True
    return all(contradiction(Meaning(given.atoms) & branch) is not None for branch in group.branches)


def _is_said(group: Group, among: Sequence[Group]) -> bool:
    return any(group.said == other.said for other in among)


def implies(given: Atom, wanted: Atom) -> bool:
    """Of two atoms about one word: does ``wanted`` hold whenever ``given`` does?"""
    if given.said == wanted.said:
        return True
    if not given.texts and not given.tests:
        return False
    return all(_holds_for(text, wanted) for text in given.texts) and all(
        any(tests <= more for tests in wanted.tests) for more in given.tests
    )


def _holds_for(text: str, wanted: Atom) -> bool:
    """Does it hold for every event in which (also) this text is seen?"""
    if wanted.holds is None or not (wanted.single or wanted.grows):
        return False
    return all(wanted.holds(seen) for seen in sights(text))


def contradiction(meaning: Meaning) -> str | None:
    """The word about which a condition contradicts itself; ``None`` when it may hold."""
    for word, atoms in meaning.by_word.items():
        if len(atoms) > 1 and _exclude_each_other(atoms):
            return word
    here = Meaning(meaning.atoms)
    for group in meaning.anys:
        found = [contradiction(here & branch) for branch in group.branches]
        if found and all(word is not None for word in found):
            return found[0]
    for group in meaning.nones:
        for branch in group.branches:
            if follows(branch, here):
                return next(iter(branch.by_word), "none")
    return None


def _exclude_each_other(atoms: Sequence[Atom]) -> bool:
    """Of a word with one value: each value that one atom takes is refused by another."""
    listing = [atom for atom in atoms if atom.single and atom.texts and not atom.tests]
    if not listing:
        return False
    fewest = min(listing, key=lambda atom: len(atom.texts))
    return all(_is_refused(text, atoms) for text in fewest.texts)


def _is_refused(text: str, atoms: Sequence[Atom]) -> bool:
    return any(atom.holds is not None and not any(map(atom.holds, sights(text))) for atom in atoms)
