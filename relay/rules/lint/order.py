"""Rules that can never be asked, because of their place or because of what they ask.

Never a false alarm: what is reported is proved. Of many thousands of rules alike it may leave one out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from relay.rules.lint.comparing import contradiction, follows
from relay.rules.lint.meaning import Atom, Meaning
from relay.rules.lint.tree import Node
from relay.rules.rulebook import Rule

MOST_CANDIDATES = 100  # earlier rules that one rule is compared with


@dataclass(frozen=True, slots=True)
class Unreachable:
    """A rule that never answers. ``by`` takes all of its events before it, or ``word`` contradicts itself."""

    node: Node
    by: Rule | None = None
    word: str = ""


def unreachable(siblings: Sequence[Node]) -> Iterator[Unreachable]:
    """The rules of a list, and of the lists below them, that no event can reach. Of what is below one, nothing."""
    earlier = _Earlier(siblings)
    for node in siblings:
        if (word := contradiction(node.whole)) is not None:
            yield Unreachable(node, word=word)
            continue
        if (by := earlier.that_takes_all_of(node)) is not None:
            yield Unreachable(node, by=by.rule)
            continue
        if not node.rule.goes_on:
            earlier.add(node)
        yield from unreachable(node.finer)


def takes_everything(siblings: Sequence[Node]) -> Node | None:
    """The first rule that every event matches, so that the default is never asked."""
    return next((node for node in siblings if not (node.own.atoms or node.own.anys or node.own.nones)), None)


# ── Finding candidates ───────────────────────────────────────────────────────────────────────────────────────
#
# Comparing each rule with each would take hours for 10,000 rules. A rule can take all of another's events only if each
# of its atoms follows from one of the other's; so it is filed under the rarest of its atoms, and looked for by theirs.

Key = tuple[Hashable, ...]


@dataclass(slots=True)
class _Earlier:
    """The earlier siblings after which no other is asked."""

    siblings: Sequence[Node]
    common: Counter[Key] = field(init=False)
    filed: dict[Key, list[tuple[int, Node]]] = field(default_factory=dict)
    count: int = 0

    def __post_init__(self) -> None:
        self.common = Counter(key for node in self.siblings for atom in node.own.atoms for key in _keys(atom))

    def add(self, node: Node) -> None:
        self.count += 1
        for key in dict.fromkeys(self._rarest(node.own)):
            self.filed.setdefault(key, []).append((self.count, node))

    def _rarest(self, condition: Meaning) -> Sequence[Key]:
        """The keys of the atom that the fewest rules share; else those of the branches of an `any`, one of which has to
        follow. What has neither is filed under the key by which all look."""
        choices = [keys for atom in condition.atoms if (keys := _keys(atom))]
        if choices:
            keys = min(choices, key=lambda keys: max(self.common[key] for key in keys))
            return (*keys, *{(key[0], "pattern") for key in keys if key[1] != "="})
        if condition.anys:
            group = condition.anys[0]
            return (("any", group.said), *(key for branch in group.branches for key in self._rarest(branch)))
        return ((),)

    def that_takes_all_of(self, node: Node) -> Node | None:
        places: list[Key] = [place for atom in node.whole.atoms for place in _looked_up(atom)]
        places += [(), *(("any", group.said) for group in node.whole.anys)]
        candidates = [
            each for place in dict.fromkeys(places) for each in islice(self.filed.get(place, ()), MOST_CANDIDATES)
        ]
        found = [each for each in candidates if follows(each[1].own, node.whole)]
        return min(found, key=lambda each: each[0])[1] if found else None


def _keys(atom: Atom) -> Sequence[Key]:
    """Under what an atom is filed: each text, and one test of each alternative."""
    texts = [(atom.word, "=", text) for text in atom.texts]
    return [*texts, *((atom.word, *min(tests)) for tests in atom.tests if tests)]


def _looked_up(atom: Atom) -> Iterator[Key]:
    """Under what an atom that follows from this one may be filed: what each of its alternatives has to imply, so the
    first of them is enough."""
    if atom.texts:
        yield (atom.word, "=", atom.texts[0])
        yield (atom.word, "pattern")
    elif atom.tests:
        yield from ((atom.word, *test) for test in atom.tests[0])
