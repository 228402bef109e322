"""`when:` compiled once: asked of an event, a condition says whether it holds, and else the first thing that failed.

Never raises for any event, and never changes one.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from relay.model import Event
from relay.rules.cel import BadExpression, Expression, Expressions
from relay.rules.comparisons import Comparison, Equality, Operation, compile_comparison
from relay.rules.complaints import Complain
from relay.rules.document import Path
from relay.rules.matchers import BadMatcher, Matcher, parse
from relay.rules.people import Directory
from relay.rules.regex import BadPattern, anchored
from relay.rules.words import Seen, UnknownWord, Word, find, find_who, shown, shown_values

_ALTERNATIVES = re.compile(r"[\w-]+(\|[\w-]+)*")  # a pattern that is a list of texts: no sign of it means anything else


@dataclass(frozen=True, slots=True)
class Failed:
    """The condition that failed. ``seen`` is what the event held, cut to 80 characters; ``""`` is nothing."""

    field: str
    expected: str
    seen: str


Within = Callable[[Path, int, int, str], None]  # complains of a line and column within a text of the file


class Need(NamedTuple):
    """One of ``texts`` must be among what ``look`` finds in an event, or the condition cannot hold."""

    look: Callable[[Event], Seen]
    texts: frozenset[str]


class Condition(ABC):
    """What is asked of an event."""

    __slots__ = ()

    @property
    @abstractmethod
    def says(self) -> str:
        """The condition in words, ``""`` for one that always holds."""

    @property
    @abstractmethod
    def needs(self) -> Mapping[str, Need]:
        """By the name of a word, what must be there for it to hold; there may be more to it than that."""

    @abstractmethod
    def holds(self, event: Event) -> bool: ...

    @abstractmethod
    def fault(self, event: Event) -> Failed:
        """The first thing that failed, for an event for which it does not hold."""

    def check(self, event: Event) -> Failed | None:
        return None if self.holds(event) else self.fault(event)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the rules file itself defines and a condition may name; and the words and equalities it has named."""

    sources: tuple[str, ...]
    types: tuple[str, ...]
    within: Within | None = None
    among: Directory | None = None
    expressions: Expressions = field(default_factory=Expressions, repr=False, compare=False)
    _words: dict[str, Word] = field(default_factory=dict, repr=False, compare=False)
    _known: dict[tuple[str, Comparison], Field] = field(default_factory=dict, repr=False, compare=False)

    def word(self, name: str) -> Word:
        """
        Raises:
            UnknownWord: there is none; the sentence names the nearest.
        """
        if name not in self._words:
            who = find_who(name, self.among) if self.among else None
            self._words[name] = who or find(name, sources=self.sources, types=self.types)
        return self._words[name]

    def about(self, word: Word, comparison: Comparison) -> Field:
        """The condition on one word. That `event` is `push` is said by many rules of a file, and kept once."""
        if comparison.texts is None:
            return Field(word, comparison)
        return self._known.setdefault((word.name, comparison), Field(word, comparison))


def compile_when(spec: Any, vocabulary: Vocabulary, path: Path, complain: Complain) -> Condition:
    """Compile a mapping of conditions, all of which must hold; an empty one always does."""
    if not isinstance(spec, dict):
        complain(path, "must be a mapping of conditions, such as {source: github, event: push}")
        return _all([])
    cheap_first = sorted(spec.items(), key=lambda item: item[0] == "if")
    return _all([_one(name, value, vocabulary, (*path, name), complain) for name, value in cheap_first])


def _one(name: str, spec: Any, vocabulary: Vocabulary, path: Path, complain: Complain) -> Condition:
    if name == "match":
        return _all(list(_matchers(spec, vocabulary, path, complain)))
    if name == "if":
        return _asked(spec, vocabulary, path, complain)
    if name in _GROUPS:
        return _GROUPS[name](tuple(_parts(spec, vocabulary, path, complain)))
    try:
        word = vocabulary.word(name)
    except UnknownWord as error:
        complain(path, str(error))
        return _all([])
    return vocabulary.about(word, compile_comparison(spec, word, path, complain))


@dataclass(frozen=True, slots=True)
class Field(Condition):
    """What one word holds."""

    word: Word
    comparison: Comparison

    @property
    def says(self) -> str:
        return f"{self.word.name}: {self.comparison.expected}"

    @property
    def needs(self) -> Mapping[str, Need]:
        texts = self.comparison.texts
        return {} if texts is None else {self.word.name: Need(self.word.look, texts)}

    def holds(self, event: Event) -> bool:
        return self.comparison.holds(self.word.look(event))

    def fault(self, event: Event) -> Failed:
        return Failed(self.word.name, self.comparison.expected, shown_values(self.word.look(event)))


# ── CEL ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Asked(Condition):
    """What an expression asks."""

    expression: Expression
    expressions: Expressions

    @property
    def says(self) -> str:
        return f"if {self.expression.says}"

    @property
    def needs(self) -> Mapping[str, Need]:
        return {}

    def holds(self, event: Event) -> bool:
        return self.expressions.holds(self.expression, event)

    def fault(self, event: Event) -> Failed:
        return Failed("if", self.expression.says, self.expressions.why_not(self.expression, event))


def _asked(spec: Any, vocabulary: Vocabulary, path: Path, complain: Complain) -> Condition:
    if not isinstance(spec, str):
        complain(path, "must be an expression in quotes, such as 'number > 5 && labels.env == \"prod\"'")
        return _all([])
    try:
        return Asked(vocabulary.expressions.compile(spec), vocabulary.expressions)
    except BadExpression as error:
        for fault in error.faults:
            if vocabulary.within:
                vocabulary.within(path, fault.line, fault.column, fault.message)
            else:
                complain(path, fault.message)
        return _all([])


# ── Groups ───────────────────────────────────────────────────────────────────────────────────────────────────


def _parts(spec: Any, vocabulary: Vocabulary, path: Path, complain: Complain) -> list[Condition]:
    if not isinstance(spec, list) or not spec:
        complain(path, "must be a list of conditions, such as [{event: push}, {event: release}]")
        return []
    return [compile_when(each, vocabulary, (*path, index), complain) for index, each in enumerate(spec)]


@dataclass(frozen=True, slots=True)
class All(Condition):
    parts: tuple[Condition, ...]

    @property
    def says(self) -> str:
        return _joined(self.parts, " and ")

    @property
    def needs(self) -> Mapping[str, Need]:
        """Those of every part; of two about one word the narrower (in a list, each may hold by another element)."""
        needs: dict[str, Need] = {}
        for part in self.parts:
            for name, need in part.needs.items():
                if name not in needs or len(need.texts) < len(needs[name].texts):
                    needs[name] = need
        return needs

    def holds(self, event: Event) -> bool:
        for part in self.parts:  # noqa: SIM110 - asked of rule after rule: all() of a generator takes twice the time
            if not part.holds(event):
                return False
        return True

    def fault(self, event: Event) -> Failed:
        return next(part.fault(event) for part in self.parts if not part.holds(event))


@dataclass(frozen=True, slots=True)
class AnyOf(Condition):
    parts: tuple[Condition, ...]

    @property
    def says(self) -> str:
        return _joined(self.parts, " or ")

    @property
    def needs(self) -> Mapping[str, Need]:
        """What all parts need, whichever of them it is that holds."""
        first, *others = [part.needs for part in self.parts] or [{}]
        return {
            name: Need(need.look, need.texts.union(*(other[name].texts for other in others)))
            for name, need in first.items()
            if all(name in other for other in others)
        }

    def holds(self, event: Event) -> bool:
        return any(part.holds(event) for part in self.parts)

    def fault(self, event: Event) -> Failed:
        failed = [part.fault(event) for part in self.parts]
        seen = ", ".join(f"{each.field}: {each.seen or '(nothing)'}" for each in failed)
        return Failed("any", self.says, shown(seen))


@dataclass(frozen=True, slots=True)
class NoneOf(Condition):
    parts: tuple[Condition, ...]

    @property
    def says(self) -> str:
        return f"none of ({_joined(self.parts, ' or ')})"

    @property
    def needs(self) -> Mapping[str, Need]:
        return {}

    def holds(self, event: Event) -> bool:
        return not any(part.holds(event) for part in self.parts)

    def fault(self, event: Event) -> Failed:
        holding = next(part.says for part in self.parts if part.holds(event))
        return Failed("none", self.says, shown(f"{holding} holds"))


def _all(parts: list[Condition]) -> Condition:
    return parts[0] if len(parts) == 1 else All(tuple(parts))


def _joined(parts: Iterable[Condition], word: str) -> str:
    return shown(word.join(part.says for part in parts))


_GROUPS: Mapping[str, Callable[[tuple[Condition, ...]], Condition]] = {"all": All, "any": AnyOf, "none": NoneOf}

# ── Alertmanager's matchers ──────────────────────────────────────────────────────────────────────────────────


def _matchers(spec: Any, vocabulary: Vocabulary, path: Path, complain: Complain) -> Iterable[Condition]:
    texts = [(spec, path)]
    if isinstance(spec, list):
        texts = [(each, (*path, index)) for index, each in enumerate(spec)]
    for text, here in texts or [("", path)]:
        if not isinstance(text, str):
            complain(here, "must be text: quote it")
            continue
        try:
            yield from [_matcher(matcher, vocabulary) for matcher in parse(text)]
        except BadMatcher as error:
            complain(here, str(error))
        except BadPattern as error:
            complain(here, f"is not a pattern that can be matched (RE2 syntax): {error}")


def _matcher(matcher: Matcher, vocabulary: Vocabulary) -> Condition:
    word = vocabulary.word(f"labels.{matcher.label}")
    expected = f"{matcher.operator} {shown(matcher.value)}"
    texts = _texts_of(matcher)
    if texts is not None:
        return vocabulary.about(word, Equality(expected, texts))
    wanted = matcher.operator == "=~"
    test = anchored(matcher.value) if wanted or matcher.operator == "!~" else _equal_to(matcher.value)
    return vocabulary.about(
        word, Operation(expected, lambda seen: any(test(str(value)) for value in seen.values) is wanted)
    )


def _texts_of(matcher: Matcher) -> frozenset[str] | None:
    """The texts that a matcher takes, where it lists them: `team="db"`, `team=~"db|web"`."""
    if matcher.operator == "=":
        return frozenset({matcher.value})
    if matcher.operator == "=~" and _ALTERNATIVES.fullmatch(matcher.value):
        return frozenset(matcher.value.split("|"))
    return None


def _equal_to(expected: str) -> Callable[[str], bool]:
    return lambda text: text == expected
