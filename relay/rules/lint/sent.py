"""Conditions that wait for what no sender sends: events, actions, and words that are always empty there.

Never judges a rule that hears a sender of which not everything is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from relay.rules.document import Path
from relay.rules.lint.findings import Findings
from relay.rules.lint.meaning import Atom, Meaning, sights
from relay.rules.lint.senders import WORDS, Repertoire, repertoire
from relay.rules.lint.tree import Node
from relay.rules.sentences import did_you_mean
from relay.rules.words import NOTHING, written
from relay.sources.options import SourceOptions


class Senders:
    """The sources of a file, and what each may send."""

    def __init__(self, sources: Mapping[str, SourceOptions]) -> None:
        self._sources = {name: (options.type, repertoire(options)) for name, options in sources.items()}

    def heard(self, meaning: Meaning) -> tuple[str, ...]:
        """The sources whose events may meet the condition."""
        return tuple(
            name
            for name, (kind, _) in self._sources.items()
            if _may_be(name, meaning, "source") and _may_be(kind, meaning, "type")
        )

    def check(self, node: Node, findings: Findings) -> bool:
        """Find what is wrong with one rule's own condition; ``False`` if no source is left whose events it hears."""
        heard = self.heard(node.whole)
        repertoires = [self._sources[name][1] for name in heard]
        kinds = " and ".join(sorted({self._sources[name][0] for name in heard}))
        for atom in node.own.atoms if heard else ():
            if atom.word == "event":
                _check_events(atom, node, repertoires, kinds, findings)
            elif atom.word == "action":
                _check_actions(atom, node, repertoires, kinds, findings)
            elif _word(atom) in WORDS:
                _check_word(atom, node, repertoires, kinds, findings)
        return bool(heard)


def _may_be(value: str, meaning: Meaning, word: str) -> bool:
    return all(atom.holds is None or any(map(atom.holds, sights(value))) for atom in meaning.by_word.get(word, ()))


def _check_events(atom: Atom, node: Node, heard: Sequence[Repertoire], kinds: str, findings: Findings) -> None:
    known = [each.events for each in heard if each.events is not None]
    if len(known) < len(heard):
        return
    names = sorted({name for events in known for name in events})
    for path, text in _texts(atom, node.data):
        if text not in names:
            hint = did_you_mean(text, names)
            findings.add("never-sent", path, f"{kinds} never sends an event {text or 'without a name'}{hint}")
    if not atom.texts and not any(_holds(atom, name) for name in names):
        findings.add("never-sent", atom.path, f"{kinds} never sends such an event")


def _check_actions(atom: Atom, node: Node, heard: Sequence[Repertoire], kinds: str, findings: Findings) -> None:
    actions: set[str] = set()
    names: set[str] = set()
    for each in heard:
        for name in _events(each, node.whole):
            told = each.actions(name)
            if told is None:
                return
            actions |= told
            names.add(name)
        if each.events is None:
            return
    if not names:  # which has been told already
        return
    of_what = " and ".join(sorted(names)) if len(names) < 4 else kinds
    if actions == {""}:
        if not _holds(atom, ""):
            findings.add("never-sent", atom.path, f"{of_what} has no action: take this condition out")
        return
    for path, text in _texts(atom, node.data):
        if text not in actions:
            hint = did_you_mean(text, actions - {""})
            findings.add("never-sent", path, f"{of_what} is never sent with the action {text or '(none)'}{hint}")
    if not atom.texts and not any(_holds(atom, action) for action in actions):
        findings.add("never-sent", atom.path, f"{of_what} is never sent with such an action")


def _check_word(atom: Atom, node: Node, heard: Sequence[Repertoire], kinds: str, findings: Findings) -> None:
    """A word that is always empty is asked for something."""
    if atom.holds is None or atom.holds(NOTHING):
        return
    word, names = _word(atom), set[str]()
    for each in heard:
        for name in _events(each, node.whole) if each.events is not None else [""]:
            if word in each.fills(name):
                return
            names.add(name)
    of_what = " and ".join(sorted(names)) if 0 < len(names) < 4 and "" not in names else "an event"
    findings.add("never-sent", atom.path, f"{kinds}: {of_what} never has {word}, so this cannot hold")


def _events(each: Repertoire, meaning: Meaning) -> Iterator[str]:
    for name in each.events or ():
        if all(_holds(atom, name) for atom in meaning.by_word.get("event", ())):
            yield name


def _holds(atom: Atom, text: str) -> bool:
    if atom.texts and not atom.tests:  # most conditions: this is asked for each of GitHub's events
        return text in atom.texts
    return atom.holds is None or any(map(atom.holds, sights(text)))


def _word(atom: Atom) -> str:
    return atom.word.partition(".")[0]


def _texts(atom: Atom, data: Mapping[str, Any]) -> Iterable[tuple[Path, str]]:
    """The texts of an atom, each at its place."""
    spec: Any = data
    for step in atom.path[_depth(atom.path) :]:
        spec = spec[step]
    if isinstance(spec, list):
        return [
            ((*atom.path, index), written(each) or "")
            for index, each in enumerate(spec)
            if not isinstance(each, dict | list)
        ]
    return [(atom.path, text) for text in atom.texts]


def _depth(path: Path) -> int:
    """Where in the path of a condition the path inside its rule begins: at the last `when`."""
    return max(index for index, step in enumerate(path) if step == "when")
