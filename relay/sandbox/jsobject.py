"""The lenient reader of JavaScript objects that the portal keeps for ATTACH sent as text.

Never evaluates anything. It takes JSON, and besides bare keys, single quotes and trailing commas.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from relay.sandbox.php import MAX_DEPTH, TooDeep, Value, canonical

_TOKEN = re.compile(
    r"""\s*(?:(?P<sign>[\[\]{},:])|(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
    r"""|(?P<number>-?\d+(?:\.\d+)?(?![\w.]))|(?P<word>\w+))""",
    re.S,
)
_WORDS: dict[str, Value] = {"true": True, "false": False, "null": None}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_END = ("", "")


class NotAnObject(ValueError):
    """The text is neither JSON nor a JavaScript object."""


def read(text: str) -> Value:
    """Read a JavaScript value.

    Raises:
        NotAnObject: it cannot be read.
    """
    try:
        return canonical(json.loads(text))
    except (ValueError, RecursionError):
        pass
    tokens = _tokens(text)
    try:
        value = canonical(_value(next(tokens, _END), tokens, 0))
    except TooDeep:
        raise NotAnObject from None
    if next(tokens, _END) != _END:
        raise NotAnObject
    return value


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    position, end = 0, len(text.rstrip())
    while position < end:
        token = _TOKEN.match(text, position, end)
        if token is None or token.lastgroup is None:
            raise NotAnObject
        yield token.lastgroup, token[token.lastgroup]
        position = token.end()


def _value(token: tuple[str, str], tokens: Iterator[tuple[str, str]], depth: int) -> Value:
    kind, written = token
    if depth > MAX_DEPTH:
        raise NotAnObject
    if token in {("sign", "{"), ("sign", "[")}:
        return _array(tokens, depth, keyed=written == "{")
    if kind == "text":
        return _unquoted(written)
    if kind == "number":
        return float(written) if "." in written else int(written)
    if kind == "word" and written.lower() in _WORDS:
        return _WORDS[written.lower()]
    raise NotAnObject


def _array(tokens: Iterator[tuple[str, str]], depth: int, *, keyed: bool) -> Value:
    closing = ("sign", "}" if keyed else "]")
    found: dict[str, Value] = {}
    token = next(tokens, _END)
    while token != closing:
        name = str(len(found))
        if keyed:
            name = _unquoted(token[1]) if token[0] == "text" else token[1]
            if token[0] in {"", "sign"} or next(tokens, _END) != ("sign", ":"):
                raise NotAnObject
            token = next(tokens, _END)
        found[name] = _value(token, tokens, depth + 1)
        token = next(tokens, _END)
        if token == ("sign", ","):
            token = next(tokens, _END)
        elif token != closing:
            raise NotAnObject
    return canonical(found)


def _unquoted(written: str) -> str:
    def unescaped(escape: re.Match[str]) -> str:
        return chr(int(escape[1], 16)) if escape[1] else _ESCAPES.get(escape[2], escape[2])

    return re.sub(r"\\(?:u([0-9a-fA-F]{4})|(.))", unescaped, written[1:-1], flags=re.S)
