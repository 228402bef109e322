"""Alertmanager's matchers over labels (`severity=~"crit.*"`), read as `amtool` reads them.

Never looks at an event: it gives the label's name, the operator and the value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple, cast

Operator = Literal["=", "!=", "=~", "!~"]

# Alertmanager docs, Configuration, «<matcher>»: a label name, an operator, a value quoted or not.
_MATCHER = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|!=|!~|=)\s*(.*?)\s*", re.DOTALL)
_ESCAPES: Mapping[str, str] = {"n": "\n", '"': '"', "\\": "\\"}


class Matcher(NamedTuple):
    label: str
    operator: Operator
    value: str


class BadMatcher(Exception):
    """The text is not a matcher; it says what is expected."""


def parse(text: str) -> tuple[Matcher, ...]:
    """Read one matcher, or several with commas between them, with or without braces around them.

    Raises:
        BadMatcher: with the remedy.
    """
    inside = text.strip()
    if inside.startswith("{") != inside.endswith("}"):
        raise BadMatcher("has a brace on one side only")
    if inside.startswith("{"):
        inside = inside[1:-1]
    matchers = tuple(_matcher(part) for part in _split(inside))
    if not matchers:
        raise BadMatcher('is empty: write a matcher such as severity="critical"')
    return matchers


def _split(text: str) -> Iterator[str]:
    """At commas outside quotes; a last comma may stand before nothing."""
    part, quoted, escaped = "", False, False
    for sign in text:
        if sign == "," and not quoted:
            yield part
            part = ""
            continue
        quoted ^= sign == '"' and not escaped
        escaped = sign == "\\" and not escaped
        part += sign
    if part.strip():
        yield part


def _matcher(text: str) -> Matcher:
    match = _MATCHER.fullmatch(text)
    if match is None:
        raise BadMatcher('is not a matcher: write a label, one of = != =~ !~, and a value, such as severity="critical"')
    return Matcher(match[1], cast(Operator, match[2]), _value(match[3]))


def _value(raw: str) -> str:
    """Unquote. A backslash before another sign than n, " and \\ stands for itself, as in `\\d`."""
    quoted = raw.startswith('"')
    body = raw[1:] if quoted else raw
    value, closed, position = "", not quoted, 0
    while position < len(body):
        sign, following = body[position], body[position + 1 : position + 2]
        if sign == "\\" and following:
            value += _ESCAPES.get(following, sign + following)
            position += 2
            continue
        if sign == '"':
            if not quoted or position < len(body) - 1:
                raise BadMatcher('has a double quote inside its value: write \\"')
            closed = True
        else:
            value += sign
        position += 1
    if not closed:
        raise BadMatcher("has no closing quote")
    return value
