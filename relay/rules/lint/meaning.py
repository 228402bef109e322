"""What a `when:` says, taken apart so that two of them can be compared: atoms, and the groups any and none.

Never matches by itself: whether a value meets a comparison is asked of the comparison that the rules match by.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from relay.model import Event
from relay.rules.comparisons import compile_comparison
from relay.rules.conditions import Vocabulary
from relay.rules.document import Path
from relay.rules.matchers import Matcher, parse
from relay.rules.words import Seen, UnknownWord, Word, text_of, written

Test = tuple[str, str]  # an operator and its operand, as JSON
Tests = frozenset[Test]  # all of them of one element

MOST_ALTERNATIVES = 256  # that operators with lists of patterns are multiplied out to

_LISTED = ("glob", "regex", "contains")  # operators that take a list of which any may hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Atom:
    """One word and what is asked of it.

    It holds where the word has one of ``texts``, or meets all of one of ``tests``. ``holds`` is ``None`` for what is
    not understood here: it can only be recognised when it is said again (``said``).
    """

    word: str
    path: Path
    said: str
    texts: tuple[str, ...] = ()
    tests: tuple[Tests, ...] = ()
    holds: Callable[[Seen], bool] | None = None
    look: Callable[[Event], Seen] | None = None
    single: bool = False  # an event has exactly one value for the word
    grows: bool = False  # a further value never makes it fail


@dataclass(frozen=True, slots=True)
class Group:
    """`any` or `none`, whose branches are conditions themselves."""

    said: str
    branches: tuple[Meaning, ...]


@dataclass(frozen=True, slots=True)
class Meaning:
    """A condition: all atoms hold, a branch of each group in ``anys``, and no branch of those in ``nones``."""

    atoms: tuple[Atom, ...] = ()
    anys: tuple[Group, ...] = ()
    nones: tuple[Group, ...] = ()
    by_word: Mapping[str, tuple[Atom, ...]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        words: dict[str, list[Atom]] = {}
        for atom in self.atoms:
            words.setdefault(atom.word, []).append(atom)
        object.__setattr__(self, "by_word", {word: tuple(atoms) for word, atoms in words.items()})

    def __and__(self, other: Meaning) -> Meaning:
        if not self.atoms and not self.anys and not self.nones:
            return other
        return Meaning(self.atoms + other.atoms, self.anys + other.anys, self.nones + other.nones)


def read(spec: Any, vocabulary: Vocabulary, path: Path) -> Meaning:
    """The meaning of a `when:` that has been loaded without an error."""
    meaning = Meaning()
    for word, value in spec.items() if isinstance(spec, dict) else ():
        meaning &= _one(word, value, vocabulary, (*path, word))
    return meaning


def _one(word: str, spec: Any, vocabulary: Vocabulary, path: Path) -> Meaning:
    if word == "match":
        return Meaning(tuple(_matchers(spec, vocabulary, path)))
    if word not in ("all", "any", "none"):
        return Meaning((_atom(word, spec, vocabulary, path),))
    branches = tuple(read(each, vocabulary, (*path, index)) for index, each in enumerate(spec))
    if word == "all":
        return Meaning(
            tuple(atom for branch in branches for atom in branch.atoms),
            tuple(group for branch in branches for group in branch.anys),
            tuple(group for branch in branches for group in branch.nones),
        )
    group = (Group(_said(spec), branches),)
    return Meaning(anys=group) if word == "any" else Meaning(nones=group)


def _said(spec: Any) -> str:
    return json.dumps(spec, sort_keys=True, ensure_ascii=False, default=str)


# ── Atoms ────────────────────────────────────────────────────────────────────────────────────────────────────


def _atom(name: str, spec: Any, vocabulary: Vocabulary, path: Path) -> Atom:
    said = _said(spec)
    try:
        word = vocabulary.word(name)
    except UnknownWord:  # not a word of events: another kind of condition
        return Atom(word=name, path=path, said=said, tests=(frozenset({("is", said)}),))
    texts, tests = _alternatives(spec)
    return Atom(
        word=name,
        path=path,
        said=said,
        texts=texts,
        tests=tests,
        holds=_compiled_when_asked(spec, word),
        look=word.look,
        single=word.kind in ("text", "number", "flag") or name.startswith("labels."),
        grows=_grows(spec),
    )


def _compiled_when_asked(spec: Any, word: Word) -> Callable[[Seen], bool]:
    """The comparison that the rules match by. Few of many are ever asked, and patterns are slow to compile."""

    compiled: list[Callable[[Seen], bool]] = []

    def holds(seen: Seen) -> bool:
        if not compiled:
            compiled.append(compile_comparison(spec, word, (), _loaded_already).holds)
        return compiled[0](seen)

    return holds


def _loaded_already(_path: Path, _sentence: str) -> None:
    """The file has been loaded without an error: nothing is left to complain of."""


def _alternatives(spec: Any) -> tuple[tuple[str, ...], tuple[Tests, ...]]:
    if isinstance(spec, list):
        parts = [_alternatives(each) for each in spec]
        return tuple(text for texts, _ in parts for text in texts), tuple(test for _, tests in parts for test in tests)
    if isinstance(spec, dict):
        return (), tuple(_multiplied(spec))
    return tuple(dict.fromkeys(text for text in (written(spec), text_of(spec)) if text is not None)), ()


def _multiplied(spec: Mapping[str, Any]) -> Iterator[Tests]:
    """`{glob: [a, b], gt: 1}` is `{glob: a, gt: 1}` or `{glob: b, gt: 1}`."""
    choices = [
        [(operator, _said(each)) for each in operand]
        if operator in _LISTED and isinstance(operand, list)
        else [(operator, _said(operand))]
        for operator, operand in spec.items()
    ]
    count = 1
    for choice in choices:
        count *= len(choice)
    if count > MOST_ALTERNATIVES:
        yield frozenset({("is", _said(spec))})
        return
    yield from map(frozenset, itertools.product(*choices))


def _grows(spec: Any) -> bool:
    if isinstance(spec, list):
        return all(map(_grows, spec))
    return not isinstance(spec, dict) or not ("not" in spec or spec.get("exists") is False)


# ── Alertmanager's matchers are other words for the same ─────────────────────────────────────────────────────


def _matchers(spec: Any, vocabulary: Vocabulary, path: Path) -> Iterator[Atom]:
    texts = [((*path, index), each) for index, each in enumerate(spec)] if isinstance(spec, list) else [(path, spec)]
    for here, text in texts:
        for matcher in parse(text):
            yield _atom(f"labels.{matcher.label}", _as_spec(matcher), vocabulary, here)


def _as_spec(matcher: Matcher) -> Any:
    pattern: Any = {"regex": matcher.value} if matcher.value else ""  # an empty pattern takes only what is empty
    return {
        "=": matcher.value,
        "!=": {"not": matcher.value},
        "=~": pattern,
        "!~": {"not": pattern},
    }[matcher.operator]


# ── Values ───────────────────────────────────────────────────────────────────────────────────────────────────


def sights(text: str) -> Iterator[Seen]:
    """Whatever a word may show that reads ``text``: the text, the number or flag, and nothing for ``""``."""
    yield Seen((text,), True)
    if text == "":
        yield Seen(("",), False)
        yield Seen((None,), True)
    elif text in ("true", "false"):
        yield Seen((text == "true",), True)
    elif text.removeprefix("-").isdecimal() and text.isascii() and len(text) < 300:
        yield Seen((int(text),), True)
        yield Seen((float(text),), True)
    else:
        try:
            yield Seen((float(text),), True)
        except ValueError:
            return
