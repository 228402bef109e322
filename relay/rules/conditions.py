"""`when:` compiled once to closures: asked of an event, a condition answers with the first thing that failed.

Never raises for any event, and never changes one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from relay.model import Event
from relay.rules.comparisons import Comparison, compile_comparison
from relay.rules.complaints import Complain
from relay.rules.document import Path
from relay.rules.matchers import BadMatcher, Matcher, parse
from relay.rules.regex import BadPattern, anchored
from relay.rules.words import UnknownWord, Word, find, shown, shown_values


@dataclass(frozen=True, slots=True)
class Failed:
    """The condition that failed. ``seen`` is what the event held, cut to 80 characters; ``""`` is nothing."""

    field: str
    expected: str
    seen: str


@dataclass(frozen=True, slots=True)
class Condition:
    """``check`` answers ``None`` when it holds; ``says`` is the condition in words."""

    says: str
    check: Callable[[Event], Failed | None]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the rules file itself defines and a condition may name."""

    sources: tuple[str, ...]
    types: tuple[str, ...]

    def word(self, field: str) -> Word:
        return find(field, sources=self.sources, types=self.types)


def compile_when(spec: Any, vocabulary: Vocabulary, path: Path, complain: Complain) -> Condition:
    """Compile a mapping of conditions, all of which must hold; an empty one always does."""
    if not isinstance(spec, dict):
        complain(path, "must be a mapping of conditions, such as {source: github, event: push}")
        return _all([])
    return _all([_one(field, value, vocabulary, (*path, field), complain) for field, value in spec.items()])


def _one(field: str, spec: Any, vocabulary: Vocabulary, path: Path, complain: Complain) -> Condition:
    if field == "match":
        return _all(list(_matchers(spec, vocabulary, path, complain)))
    if field in _GROUPS:
        return _GROUPS[field](_parts(spec, vocabulary, path, complain))
    try:
        word = vocabulary.word(field)
    except UnknownWord as error:
        complain(path, str(error))
        return _all([])
    return _field(word, compile_comparison(spec, word, path, complain))


def _field(word: Word, comparison: Comparison) -> Condition:
    def check(event: Event) -> Failed | None:
        seen = word.look(event)
        return None if comparison.holds(seen) else Failed(word.name, comparison.expected, shown_values(seen))

    return Condition(f"{word.name}: {comparison.expected}", check)


# ── Groups ───────────────────────────────────────────────────────────────────────────────────────────────────


def _parts(spec: Any, vocabulary: Vocabulary, path: Path, complain: Complain) -> list[Condition]:
    if not isinstance(spec, list) or not spec:
        complain(path, "must be a list of conditions, such as [{event: push}, {event: release}]")
        return []
    return [compile_when(each, vocabulary, (*path, index), complain) for index, each in enumerate(spec)]


def _all(parts: list[Condition]) -> Condition:
    if len(parts) == 1:
        return parts[0]
    checks = [part.check for part in parts]

    def check(event: Event) -> Failed | None:
        for each in checks:
            if failed := each(event):
                return failed
        return None

    return Condition(_joined(parts, " and "), check)


def _any(parts: list[Condition]) -> Condition:
    says = _joined(parts, " or ")

    def check(event: Event) -> Failed | None:
        seen = []
        for part in parts:
            failed = part.check(event)
            if failed is None:
                return None
            seen.append(f"{failed.field}: {failed.seen or '(nothing)'}")
        return Failed("any", says, shown(", ".join(seen)))

    return Condition(says, check)


def _none(parts: list[Condition]) -> Condition:
    says = f"none of ({_joined(parts, ' or ')})"

    def check(event: Event) -> Failed | None:
        for part in parts:
            if part.check(event) is None:
                return Failed("none", says, shown(f"{part.says} holds"))
        return None

    return Condition(says, check)


def _joined(parts: Iterable[Condition], word: str) -> str:
    return shown(word.join(part.says for part in parts))


_GROUPS: Mapping[str, Callable[[list[Condition]], Condition]] = {"all": _all, "any": _any, "none": _none}

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
    wanted = matcher.operator in ("=", "=~")
    test = anchored(matcher.value) if matcher.operator in ("=~", "!~") else _equal_to(matcher.value)
    return _field(
        word,
        Comparison(
            f"{matcher.operator} {shown(matcher.value)}",
            lambda seen: any(test(str(value)) for value in seen.values) is wanted,
        ),
    )


def _equal_to(expected: str) -> Callable[[str], bool]:
    return lambda text: text == expected
