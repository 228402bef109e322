"""Conditions in CEL (`if:`): compiled by the library, and asked of an event. The only module that knows the library.

Never raises for any event, and never runs what might take long (expression.py says how that is known).

CEL: https://github.com/google/cel-spec, as in Kubernetes, Envoy and Tekton. An event's words are its variables, by the
same names; a word without a value is "", null or empty.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, TypeAlias

# ruff: noqa: E402
# The library imports its own command line too, with prompt_toolkit, rich and pygments: ten megabytes of each process.
sys.modules.setdefault("cel.cli", ModuleType("cel.cli"))
import cel

from relay.model import Event
from relay.rules.expression import MAX_LENGTH, Outline, Size, Use, cost, outline
from relay.rules.regex import BadPattern, anchored
from relay.rules.words import WORDS, shown, text_of

PAYLOAD = "payload"
KNOWN = (*WORDS, PAYLOAD)

# Both in steps of about 0.1 µs (expression.py): no expression takes longer than some 0.2 s, whatever comes.
MAX_STEPS = 2_000_000
MAX_SIZE = 100_000  # of one word of an event: a payload of some megabytes
MAX_DEPTH = 100
SIGNS = 32  # of a text that are copied in one step

_ERROR = re.compile(r"ERROR: <input>:(\d+):(\d+): (?:Syntax error: )?([^\n]*)")
_EXPECTING = re.compile(r" expecting (\{.*\}|<EOF>)$")
_NO_OVERLOAD = "Undefined variable or function"  # names are known to be right: it is the kind of a value that is not
_SHOWN = 4  # values that explain why an expression does not hold

_ANY_EVENT = Event(source="", type="", event="", id=1, number=1, draft=False)


@dataclass(frozen=True, slots=True)
class Misspelt:
    """One fault of an expression. ``line`` and ``column`` count from 1, in its own text."""

    line: int
    column: int
    message: str


class BadExpression(Exception):
    """The expression cannot be used."""

    def __init__(self, faults: Iterable[Misspelt]) -> None:
        super().__init__()
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression. ``says`` is its text on one line."""

    says: str
    program: cel.Program
    outline: Outline


@dataclass(frozen=True, slots=True)
class Facts:
    """One event as the library takes it, converted once for all expressions. ``values`` holds the words again."""

    context: cel.Context
    values: Mapping[str, Any]
    sizes: dict[tuple[str, ...], Size] = field(default_factory=dict)  # those that were asked for

    def size(self, use: Use) -> Size:
        path = (use.name, *use.steps)
        if path not in self.sizes:
            self.sizes[path] = _size(_at(self.values, path))
        found = self.sizes[path]
        return found if use.whole else found._replace(elements=found.longest)


class Expressions:
    """The expressions of one rules file. They share what an event is converted to, which takes longer than asking."""

    def __init__(self) -> None:
        self._wanted: dict[str, Wanted] = {}
        self._patterns: dict[str, Callable[[str], bool]] = {}
        self._last: tuple[Event, Facts] | None = None

    def compile(self, text: str) -> Expression:
        """Compile one expression.

        Raises:
            BadExpression: with all its faults.
        """
        if len(text) > MAX_LENGTH:
            raise BadExpression([Misspelt(1, 1, f"is longer than {MAX_LENGTH:,} characters: say it in several rules")])
        program = _compiled(text)
        found = outline(text, KNOWN)
        faults = [_misspelt(text, fault.at, fault.message) for fault in found.faults]
        faults += [fault for literal in found.patterns if (fault := self._learn(text, literal.text, literal.at))]
        if faults:
            raise BadExpression(faults)
        for use in found.named:
            _want(self._wanted, (use.name, *use.steps))
        self._last = None
        expression = Expression(shown(" ".join(text.split())), program, found)
        self._try(expression)
        return expression

    def holds(self, expression: Expression, event: Event) -> bool:
        """What cannot be said does not hold: a key that is not there, a text compared with a number."""
        return _answer(expression, self._facts(event)) is True

    def why_not(self, expression: Expression, event: Event) -> str:
        """Why it does not hold: in words, fit for a terminal."""
        facts = self._facts(event)
        answer = _answer(expression, facts)
        if answer is False:
            return shown(", where ".join(filter(None, ("false", _seen(expression, facts)))))
        return shown(_reason(answer))

    def _facts(self, event: Event) -> Facts:
        """All rules are asked of one event in a row, so that one is all that has to be remembered."""
        last = self._last
        if last is None or last[0] is not event:
            last = (event, self._converted(event))
            self._last = last
        return last[1]

    def _converted(self, event: Event) -> Facts:
        values = {}
        for word, wanted in self._wanted.items():
            try:
                values[word] = _Copy().of(getattr(event, word), wanted)
            except _TooLarge:
                continue
        return Facts(cel.Context(values, {"matches": self._matches}), values)

    def _matches(self, text: object, pattern: object) -> bool | None:
        """CEL's `matches`: anywhere in the text, by the engine of all our patterns. The library's own compiles the
        pattern anew for each text. ``None``, where there is no text, is neither true nor false.
        """
        test = self._patterns.get(pattern) if isinstance(pattern, str) else None
        return test(text) if test is not None and isinstance(text, str) else None

    def _learn(self, text: str, literal: str, at: int) -> Misspelt | None:
        pattern = _compiled(literal).execute()
        try:
            anchored(pattern)  # alone first: brackets that only match with those around it are none
            self._patterns[pattern] = anchored(f".*(?:{pattern}).*")
        except BadPattern as fault:
            return _misspelt(text, at, f"is not a pattern that can be matched (RE2 syntax): {fault}")
        except (TypeError, AttributeError):
            return _misspelt(text, at, "is not a pattern: it must be text")
        return None

    def _try(self, expression: Expression) -> None:
        """Refuse what can be seen to be neither true nor false: `if: number`."""
        answer = _answer(expression, self._converted(_ANY_EVENT))
        if not isinstance(answer, bool | BaseException | None):  # it may well be no event for the expression
            raise BadExpression([Misspelt(1, 1, f"gives {_kind(answer)}: a condition is true or false")])


# ── Compiling ────────────────────────────────────────────────────────────────────────────────────────────────


def _compiled(text: str) -> cel.Program:
    try:
        return cel.compile(text)
    except (KeyboardInterrupt, SystemExit):
        raise
    except UnicodeEncodeError as fault:
        raise BadExpression([_misspelt(text, fault.start, "has a sign that is no character")]) from None
    except ValueError as fault:
        found = [Misspelt(int(line), int(column), _syntax(said)) for line, column, said in _ERROR.findall(str(fault))]
        raise BadExpression(found[:1] or [Misspelt(1, 1, "is not CEL")]) from None
    except BaseException:  # as in _answer
        raise BadExpression([Misspelt(1, 1, "is not CEL that can be understood")]) from None


def _syntax(said: str) -> str:
    """The library's sentence, without what it lists that could stand there, and without what does: it may be secret."""
    if "<EOF>" in _EXPECTING.sub("", said):
        return "is not CEL: it ends too early"
    if "'" in said:
        return "is not CEL: what stands here cannot stand here"
    return f"is not CEL: {said}"


def _misspelt(text: str, at: int, message: str) -> Misspelt:
    before = text[:at]
    return Misspelt(before.count("\n") + 1, at - before.rfind("\n"), message)


# ── Asking ───────────────────────────────────────────────────────────────────────────────────────────────────


class _NotAsked(Exception):
    pass


def _answer(expression: Expression, facts: Facts) -> object:
    """The value; or the exception that stands for it."""
    missing = expression.outline.words.difference(facts.values)
    if missing:
        return _NotAsked(f"{min(missing)} is too large")
    if cost(expression.outline, facts.size) > MAX_STEPS:
        return _NotAsked("with so much in the event it might take long")
    try:
        return expression.program.execute(facts.context)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as fault:  # a panic of the library is no Exception (PyO3, PanicException)
        return fault


def _reason(answer: object) -> str:
    """Why an answer is neither true nor false."""
    if isinstance(answer, _NotAsked):
        return f"not asked: {answer}"
    if isinstance(answer, KeyError):
        return f"not known: there is no {answer.args[0]} (has(…) asks first)"
    if isinstance(answer, IndexError):
        return "not known: the list is shorter"
    if isinstance(answer, TypeError) or _NO_OVERLOAD in str(answer):
        return "not known: values of different kinds, or null"
    if isinstance(answer, BaseException):
        return f"not known: {answer}"
    return f"{_kind(answer)}, neither true nor false"


def _kind(answer: object) -> str:
    names = {str: "a text", int: "a number", float: "a number", list: "a list", dict: "a mapping", type(None): "null"}
    return names.get(type(answer), "a value")


def _seen(expression: Expression, facts: Facts) -> str:
    """What the event holds in the places that the expression names: `number is 3, labels.env is dev`."""
    found = {str(use): _value(use, facts) for use in expression.outline.body.uses if use.name in facts.values}
    return ", ".join(f"{name} is {value}" for name, value in [*found.items()][:_SHOWN])


def _value(use: Use, facts: Facts) -> str:
    value = _at(facts.values, (use.name, *use.steps))
    if isinstance(value, list | dict):
        return f"{len(value)} values"
    return text_of(value) or "nothing"


def _at(values: Any, path: Iterable[str]) -> Any:
    for step in path:
        values = values.get(step) if isinstance(values, dict) else None
    return values


# ── Converting ───────────────────────────────────────────────────────────────────────────────────────────────


Wanted: TypeAlias = "dict[str, Wanted] | None"  # of a mapping, these keys; None: all of it


def _want(wanted: dict[str, Wanted], path: Sequence[str]) -> None:
    """Add a path to what is wanted; what is wanted whole stays so."""
    *above, last = path
    for step in above:
        inside = wanted.setdefault(step, {})
        if inside is None:
            return
        wanted = inside
    wanted[last] = None


class _TooLarge(Exception):
    pass


class _Copy:
    """A value as plain data that the library takes: no lone surrogates, no integer beyond 64 bits. Of a large payload
    only what some expression names: the library copies what it is handed again and again.
    """

    def __init__(self) -> None:
        self.left = MAX_SIZE

    def of(self, value: Any, wanted: Wanted, depth: int = 0) -> Any:
        self.left -= 1
        if self.left < 0 or depth > MAX_DEPTH:
            raise _TooLarge
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            if wanted is not None:
                return {key: self.of(value[key], inner, depth + 1) for key, inner in wanted.items() if key in value}
            return {self.text(str(key)): self.of(inner, None, depth + 1) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.of(inner, None, depth + 1) for inner in value]
        return _number(value) if isinstance(value, int) and not isinstance(value, bool) else value

    def text(self, value: str) -> str:
        self.left -= len(value) // SIGNS
        return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")


def _number(value: int) -> int | float:
    if -(2**63) <= value < 2**63:
        return value
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _size(value: Any) -> Size:
    """A stack of what is still to be looked at: functions that call themselves are slow in deep data."""
    steps = longest = 0
    waiting = [value]
    while waiting:
        each = waiting.pop()
        steps += 1 + (len(each) // SIGNS if isinstance(each, str) else 0)
        if isinstance(each, list | dict):
            longest = max(longest, len(each) if each is not value else 0)
            waiting += each
            waiting += each.values() if isinstance(each, dict) else ()
    return Size(len(value) if isinstance(value, list | dict) else 1, longest, steps)
