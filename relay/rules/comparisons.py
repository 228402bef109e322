"""What stands to the right of a field in `when:` → a test of what an event holds there.

Never compares by type: values compare as JSON writes them, so a label "500" equals 500.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from relay.rules.complaints import Complain
from relay.rules.document import Path
from relay.rules.regex import BadPattern, anchored, glob
from relay.rules.sentences import did_you_mean
from relay.rules.words import Seen, Word, shown, text_of, written

Test = Callable[[Any], bool]  # of one value

_SIGNS = re.compile(r"[*?\[\\]")  # of a glob, those that do not mean themselves
_NUMBER = re.compile(r"-?[0-9]{1,300}(\.[0-9]{1,300})?([eE][-+]?[0-9]{1,2})?")


class Comparison(Protocol):
    """``expected`` says it in words; ``holds`` is asked of what was seen.

    ``texts``: it holds exactly where one of these texts is seen; ``None`` where it asks anything else. Rules are
    looked up by them (index.py).
    """

    @property
    def expected(self) -> str: ...

    @property
    def texts(self) -> frozenset[str] | None: ...

    def holds(self, seen: Seen, /) -> bool: ...


@dataclass(frozen=True, slots=True)
class Equality:
    """Whether one of ``texts`` is seen. Of a list's elements, one is enough."""

    expected: str
    texts: frozenset[str]

    def holds(self, seen: Seen, /) -> bool:
        return not self.texts.isdisjoint(map(text_of, seen.values))


@dataclass(frozen=True, slots=True)
class Operation:
    """Whatever operators ask."""

    expected: str
    holds: Callable[[Seen], bool]
    texts: None = None


NEVER = Operation("", lambda _: False)  # stands in for one that has been complained of


def compile_comparison(spec: Any, word: Word, path: Path, complain: Complain) -> Comparison:
    """Compile a scalar (equal), a list (any of) or a mapping of operators (all of)."""
    if isinstance(spec, list):
        return _any_of(spec, word, path, complain)
    if isinstance(spec, dict):
        return _all_of(spec, word, path, complain)
    return _equals(spec, word, path, complain)


def _equals(spec: Any, word: Word, path: Path, complain: Complain) -> Comparison:
    _check_kind(spec, word, path, complain)
    texts = frozenset(text for text in (written(spec), text_of(spec)) if text is not None)
    return Equality(shown(written(spec) or "empty"), texts)


def _check_kind(spec: Any, word: Word, path: Path, complain: Complain) -> None:
    text = written(spec) or ""
    if word.kind == "flag" and text not in ("true", "false"):
        complain(path, f"{word.name} is true or false, nothing else")
    elif word.kind == "number" and text and not _NUMBER.fullmatch(text):
        complain(path, f"{word.name} is a number")
    elif word.choices and text not in word.choices:
        complain(path, f"no {word.name} is called {text}{did_you_mean(text, word.choices)}")


def _any_of(specs: list[Any], word: Word, path: Path, complain: Complain) -> Comparison:
    if not specs:
        complain(path, "is an empty list: no value is in it")
        return NEVER
    parts = [compile_comparison(spec, word, (*path, index), complain) for index, spec in enumerate(specs)]
    expected = shown(" or ".join(part.expected for part in parts))
    texts = [part.texts for part in parts if part.texts is not None]
    if len(texts) == len(parts):
        return Equality(expected, frozenset().union(*texts))
    return Operation(expected, lambda seen: any(part.holds(seen) for part in parts))


def _all_of(spec: dict[str, Any], word: Word, path: Path, complain: Complain) -> Comparison:
    """Several operators speak of one element: {gte: 1, lt: 5} is a range. `not` and `exists` speak of the whole."""
    if not spec:
        complain(path, "is empty: give a value, a list, or an operator such as {not: …}")
        return NEVER
    tests: list[Test] = []
    wholes: list[Comparison] = []
    expected: list[str] = []
    for name, operand in spec.items():
        here = (*path, name)
        if name in _WHOLE:
            wholes.append(_WHOLE[name](operand, word, here, complain))
            expected.append(wholes[-1].expected)
        elif name in _ELEMENT:
            sign, compiler = _ELEMENT[name]
            tests.append(compiler(operand, here, complain))
            expected.append(f"{sign} {_operand(operand)}")
        else:
            complain(here, f"unknown operator {name}{did_you_mean(name, (*_WHOLE, *_ELEMENT))}")

    def holds(seen: Seen) -> bool:
        some = not tests or any(all(test(value) for test in tests) for value in seen.values)
        return some and all(whole.holds(seen) for whole in wholes)

    return Operation(shown(" and ".join(expected)), holds)


def _operand(operand: Any) -> str:
    return " or ".join(written(each) or "" for each in operand) if isinstance(operand, list) else written(operand) or ""


# ── Operators of the whole field ─────────────────────────────────────────────────────────────────────────────


def _not(operand: Any, word: Word, path: Path, complain: Complain) -> Comparison:
    inner = compile_comparison(operand, word, path, complain)
    return Operation(f"not {inner.expected}", lambda seen: not inner.holds(seen))


def _exists(operand: Any, _word: Word, path: Path, complain: Complain) -> Comparison:
    if not isinstance(operand, bool):
        complain(path, "must be true or false")
    return Operation("present" if operand else "absent", lambda seen: seen.exists is operand)


_WHOLE: Mapping[str, Callable[[Any, Word, Path, Complain], Comparison]] = {"not": _not, "exists": _exists}

# ── Operators of one element ─────────────────────────────────────────────────────────────────────────────────


def _patterns(make: Callable[[str], Callable[[str], bool]]) -> Callable[[Any, Path, Complain], Test]:
    """An operator that takes one pattern, or a list of which any may hold."""

    def compiler(operand: Any, path: Path, complain: Complain) -> Test:
        tests: list[Callable[[str], bool]] = []
        for each, here in _each_pattern(operand, path):
            if not isinstance(each, str) or not each:
                complain(here, "must be text: quote it" if each != "" else "is empty: it would say nothing")
                continue
            try:
                tests.append(make(each))
            except BadPattern as error:
                complain(here, f"is not a pattern that can be matched (RE2 syntax): {error}")
        return lambda value: (text := text_of(value)) is not None and any(test(text) for test in tests)

    return compiler


def _each_pattern(operand: Any, path: Path) -> list[tuple[Any, Path]]:
    if not isinstance(operand, list):
        return [(operand, path)]
    return [(each, (*path, index)) for index, each in enumerate(operand)] or [("", path)]


def _like(pattern: str) -> Callable[[str], bool]:
    """A glob. What begins otherwise is turned away before RE2 is asked, which takes longer."""
    beginning, test = _SIGNS.split(pattern, maxsplit=1)[0], glob(pattern)
    return lambda text: text.startswith(beginning) and test(text)


def _containing(part: str) -> Callable[[str], bool]:
    return lambda text: part in text


def _numeric(compare: Callable[[float, float], bool]) -> Callable[[Any, Path, Complain], Test]:
    def compiler(operand: Any, path: Path, complain: Complain) -> Test:
        limit = number_of(operand)
        if limit is None:
            complain(path, "must be a number")
            return lambda _: False
        return lambda value: (number := number_of(value)) is not None and compare(number, limit)

    return compiler


def number_of(value: Any) -> int | float | None:
    """A number, or a text that JSON would call one; a flag is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return None if isinstance(value, float) and math.isnan(value) else value
    return float(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else None


_ELEMENT: Mapping[str, tuple[str, Callable[[Any, Path, Complain], Test]]] = {
    "glob": ("like", _patterns(_like)),
    "regex": ("matching", _patterns(anchored)),
    "contains": ("containing", _patterns(_containing)),
    "gt": (">", _numeric(lambda value, limit: value > limit)),
    "gte": (">=", _numeric(lambda value, limit: value >= limit)),
    "lt": ("<", _numeric(lambda value, limit: value < limit)),
    "lte": ("<=", _numeric(lambda value, limit: value <= limit)),
}
