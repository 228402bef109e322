"""A CEL expression read for what it names and for what it may cost, before it is ever run.

Never evaluates anything, and knows no CEL library: cel.py runs what has passed here.

Costs have to be known beforehand, because nothing can stop the library once it runs: it holds Python's global lock,
so that not even a lease could be renewed. And it copies: `payload.commits` every commit, `filter` and `map` all that
they have kept so far, for every element (a thousand commits: 1.6 s). The bound found here is of steps, each about the
time of copying one value, and holds for any event of the same sizes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from relay.rules.sentences import did_you_mean

MAX_LENGTH = 1000

# CEL, Language Definition, «List of Standard Definitions» and «Macros»; what the library has of them.
_FUNCTIONS = """has size contains startsWith endsWith matches string int uint double bytes timestamp duration type dyn
getFullYear getMonth getDate getDayOfMonth getDayOfWeek getDayOfYear getHours getMinutes getSeconds getMilliseconds"""
FUNCTIONS = frozenset(_FUNCTIONS.split())
LOOPS = frozenset(("all", "exists", "exists_one", "existsOne", "filter", "map"))
_BUILDING = frozenset(("filter", "map"))
_TYPES = frozenset(("bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"))
_LITERALS = frozenset(("true", "false", "null"))

# CEL, Language Definition, «Syntax»: the lexical part.
_TOKEN = re.compile(
    r"""(?P<skip>\s+|//[^\n]*)
    |(?P<text>[bB]?(?:[rR](?:\"{3}.*?\"{3}|'{3}.*?'{3}|"[^"\n\r]*"|'[^'\n\r]*')
        |\"{3}(?:\\.|[^\\])*?\"{3}|'{3}(?:\\.|[^\\])*?'{3}|"(?:\\.|[^"\\\n\r])*"|'(?:\\.|[^'\\\n\r])*'))
    |(?P<number>0[xX][0-9a-fA-F]+[uU]?|(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?[uU]?)
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*|`[^`\n]*`)
    |(?P<sign>[=!<>]=|&&|\|\||.)""",
    re.VERBOSE | re.DOTALL,
)


_PLAIN = re.compile(r"""(["'])([^"'\\]*)\1""")  # a text that is what stands between its quotes


class Token(NamedTuple):
    kind: str  # text, number, name, sign; "" at the end
    text: str
    at: int  # counts from 0 in the expression


class Fault(NamedTuple):
    at: int
    message: str


@dataclass(frozen=True, slots=True)
class Use:
    """A place that names something: `payload.commits` in `payload.commits[0].id`, where ``whole`` is false."""

    name: str
    steps: tuple[str, ...]
    at: int
    whole: bool

    def __str__(self) -> str:
        return ".".join((self.name, *self.steps))


@dataclass(slots=True, eq=False)
class Body:
    """The expression, or what a loop in it asks of each element. ``calls`` are those of functions."""

    uses: list[Use] = field(default_factory=list)
    loops: list[Loop] = field(default_factory=list)
    calls: int = 0
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Loop:
    """`over.exists(variable, body)`. ``over`` is a number where so many values are written out."""

    over: Use | int
    variable: str
    builds: bool
    body: Body


@dataclass(frozen=True, slots=True)
class Outline:
    """What an expression names. ``patterns`` are the literals, as written, that `matches` takes."""

    body: Body
    named: tuple[Use, ...]  # what is the event's, wherever it stands
    patterns: tuple[Token, ...]
    sums: int  # how many + there are: each copies what stands on its sides
    faults: tuple[Fault, ...]

    @property
    def words(self) -> frozenset[str]:
        return frozenset(use.name for use in self.named)


# ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────


def outline(text: str, words: Iterable[str]) -> Outline:
    """Read an expression that the library has found to be well formed. ``words`` are those of an event."""
    return _Reader(text, frozenset(words)).read()


class _Computed:
    """What the next dot or bracket speaks of is computed here, and might be of any size."""


_Subject = Use | int | type[_Computed]  # what the next dot or bracket speaks of; a number: so many values written out


class _Reader:
    def __init__(self, text: str, words: frozenset[str]) -> None:
        found = (Token(match.lastgroup or "", match[0], match.start()) for match in _TOKEN.finditer(text))
        self.tokens = [*(token for token in found if token.kind != "skip"), Token("", "", len(text))]
        self.position = 0
        self.known = words
        self.bound: list[str] = []
        self.named: list[Use] = []
        self.patterns: list[Token] = []
        self.faults: list[Fault] = []

    def read(self) -> Outline:
        body = Body()
        self.walk(body, "")
        sums = sum(token.text == "+" for token in self.tokens)
        return Outline(body, tuple(self.named), tuple(self.patterns), sums, tuple(self.faults))

    def ahead(self, offset: int = 0) -> Token:
        return self.tokens[min(self.position + offset, len(self.tokens) - 1)]

    def next(self) -> Token:
        token = self.ahead()
        self.position += 1
        return token

    def takes(self, *signs: str) -> bool:
        return all(self.ahead(offset).text == sign for offset, sign in enumerate(signs))

    def walk(self, body: Body, end: str) -> int:
        """Read up to ``end``, and over it. Returns how many commas stood between."""
        commas = 0
        speaks_of: _Subject | None = None
        while (token := self.next()).kind and not (token.kind == "sign" and token.text == end):
            body.tokens += 1
            if token.kind == "sign" and token.text in ".[({":
                speaks_of = self.bracket(token, speaks_of, body)
            elif token.kind == "name" and token.text not in _LITERALS and token.text != "in":
                speaks_of = self.name(token, body)
            else:
                commas += token.text == ","
                speaks_of = None if token.kind == "sign" or token.text == "in" else _Computed
        return commas

    def bracket(self, token: Token, speaks_of: _Subject | None, body: Body) -> _Subject | None:
        """A step or call behind a dot, an index, a list written out, or a part in brackets."""
        if token.text in ".{" and (token.text == ".") is (speaks_of is None):
            self.faults.append(Fault(token.at, "is not CEL: what stands here cannot stand here"))
        if token.text == ".":
            name = self.next()
            body.tokens += 1
            if self.takes("("):
                return self.call(name, speaks_of, body)
            return speaks_of
        if token.text == "[" and speaks_of is None:
            return self.written_out(body)
        self.walk(body, {"[": "]", "(": ")", "{": "}"}[token.text])
        return speaks_of if token.text == "[" else _Computed

    def written_out(self, body: Body) -> int | type[_Computed]:
        before, found = self.position, (len(body.uses), len(body.loops), body.calls)
        self.walk(body, "]")
        is_plain = found == (len(body.uses), len(body.loops), body.calls)
        return self.position - before if is_plain else _Computed

    def name(self, token: Token, body: Body) -> Use | type[_Computed]:
        if self.takes("("):
            self.call(token, None, body)
            return _Computed
        steps = []
        while (step := self.step()) is not None:
            steps.append(step)
        use = Use(token.text, tuple(steps), token.at, whole=not self.takes("["))
        body.uses.append(use)
        if token.text not in self.bound:
            self.check(use)
        return use

    def step(self) -> str | None:
        """`.name`, or `["name"]`; not a call."""
        if self.takes(".") and self.ahead(2).text != "(":
            self.next()
            return self.next().text.strip("`")
        if self.takes("[") and self.ahead(1).kind == "text" and self.ahead(2).text == "]":
            literal = _PLAIN.fullmatch(self.ahead(1).text)
            if literal:
                self.position += 3
                return literal[2]
        return None

    def check(self, use: Use) -> None:
        if use.name in self.known:
            self.named.append(use)
        elif use.name not in _TYPES:
            known = did_you_mean(use.name, self.known)
            self.faults.append(Fault(use.at, f"unknown word {use.name}{known}"))

    def call(self, name: Token, speaks_of: _Subject | None, body: Body) -> _Subject:
        """A call; its `(` is next. A loop that filters leaves what it runs over to speak of."""
        if name.text in LOOPS and speaks_of is not None and self.ahead(1).kind == "name" and self.ahead(2).text == ",":
            return self.loop(name, speaks_of, body)
        self.next()
        body.calls += 1
        if name.text not in FUNCTIONS:
            hint = did_you_mean(name.text, FUNCTIONS | LOOPS)
            self.faults.append(Fault(name.at, f"unknown function {name.text}{hint}"))
        self.walk(body, ")")
        if name.text == "matches":
            self.pattern(name)
        return _Computed

    def pattern(self, name: Token) -> None:
        literal = self.tokens[self.position - 2]
        if literal.kind == "text" and self.tokens[self.position - 3].text in ("(", ","):
            self.patterns.append(literal)
        else:
            self.faults.append(Fault(name.at, 'matches takes its pattern written out: title.matches("^fix")'))

    def loop(self, name: Token, over: _Subject, body: Body) -> _Subject:
        self.next()
        variable = self.next().text
        self.next()
        inner = Body()
        self.bound.append(variable)
        commas = self.walk(inner, ")")
        self.bound.pop()
        if commas > (name.text == "map"):
            self.faults.append(Fault(name.at, f"{name.text} takes a name and a condition, nothing more"))
        if not isinstance(over, Use | int):
            self.faults.append(
                Fault(name.at, f"{name.text} runs over a list of the event, or over values that are written out")
            )
            over = 0
        body.loops.append(Loop(over, variable, name.text in _BUILDING, inner))
        return over if name.text == "filter" else _Computed


# ── Costs ────────────────────────────────────────────────────────────────────────────────────────────────────


class Size(NamedTuple):
    """``elements`` stand in it, and in nothing inside it more than ``longest``; it takes ``steps`` to copy it whole."""

    elements: int
    longest: int
    steps: int


@dataclass(frozen=True, slots=True)
class _Element:
    """What a loop's variable stands for. To name it once in each run of the loop takes ``total`` steps altogether;
    ``again`` is how often it is named in one run, in loops within the loop.
    """

    total: int
    longest: int
    again: int = 1

    @property
    def asked(self) -> int:
        return self.total * self.again


CALL = 60  # one of `matches` goes through Python: 5 to 10 µs


def cost(expression: Outline, size: Callable[[Use], Size]) -> int:
    """A bound on the steps that the expression takes. ``size`` is asked of what is named in the event."""
    return _cost(expression.body, 1, {}, size) * (1 + expression.sums)


def _cost(body: Body, times: int, bound: Mapping[str, _Element], size: Callable[[Use], Size]) -> int:
    """The steps of ``body`` when it runs so many times."""
    steps = times * (body.tokens + CALL * body.calls)
    for use in body.uses:
        element = bound.get(use.name)
        steps += element.asked if element else times * size(use).steps
    return steps + sum(_loop_cost(loop, times, bound, size) for loop in body.loops)


def _loop_cost(loop: Loop, times: int, bound: Mapping[str, _Element], size: Callable[[Use], Size]) -> int:
    if isinstance(loop.over, int):
        sized = Size(loop.over, loop.over, loop.over)
        total, runs = times * sized.steps, times * sized.elements
    elif element := bound.get(loop.over.name):
        sized = Size(element.longest, element.longest, element.total)
        total = runs = element.asked  # each run is over what is in one element, and all are in all
    else:
        sized = size(loop.over)
        total, runs = times * sized.steps, times * sized.elements
    around = {name: replace(element, again=element.again * sized.elements) for name, element in bound.items()}
    inner = {**around, loop.variable: _Element(total, sized.longest)}
    steps = total + _cost(loop.body, runs, inner, size)
    return steps * (1 + sized.elements) if loop.builds else steps
