"""PHP's ways with values, as the portal has them: casts, truth, arrays that are lists and maps at once, its JSON.

Never knows what a request means.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TypeAlias

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"

# PHP reads forms 64 levels deep (php.ini, max_input_nesting_level) and JSON 512; one limit is enough here.
MAX_DEPTH = 64


class TooDeep(ValueError):
    """The value is nested deeper than ``MAX_DEPTH``."""


def canonical(value: object, depth: int = 0) -> Value:
    """The one form of a PHP array: a map whose keys are 0..n-1 in order is a list, an empty map is ``[]``.

    Raises:
        TooDeep: there are more than ``MAX_DEPTH`` levels.
        TypeError: it holds something that JSON does not know.
    """
    if depth > MAX_DEPTH:
        raise TooDeep
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [canonical(item, depth + 1) for item in value]
    if isinstance(value, Mapping):
        keys = [str(key) for key in value]
        inside = [canonical(item, depth + 1) for item in value.values()]
        return inside if keys == [str(n) for n in range(len(keys))] else dict(zip(keys, inside, strict=True))
    raise TypeError(type(value).__name__)


def items(value: Value) -> list[tuple[str, Value]]:
    """The pairs of an array, whichever form it has; nothing for a scalar."""
    if isinstance(value, list):
        return [(str(position), item) for position, item in enumerate(value)]
    return list(value.items()) if isinstance(value, dict) else []


def integer(value: Value) -> int:
    """The ``(int)`` cast: leading digits of a text, 0 where there are none."""
    if isinstance(value, str):
        number = re.match(r"[ \t\n\r\v\f]*([+-]?\d{1,18})", value)
        return int(number[1]) if number else 0
    if isinstance(value, float):
        return int(value) if abs(value) < 2**63 else 0
    return int(bool(value)) if isinstance(value, list | dict) else int(value or 0)


def truthy(value: Value) -> bool:
    """PHP's truth: the text "0" is false, the text "false" is true."""
    return value != "0" and bool(value)


def text(value: Value) -> str:
    """The ``(string)`` cast."""
    if isinstance(value, list | dict):
        return "Array"
    return "" if value is None or value is False else "1" if value is True else str(value)


def string(value: Value) -> str:
    """A text as it stands, and "" for everything that is not one."""
    return value if isinstance(value, str) else ""


# JSON_HEX_TAG, _AMP, _APOS and _QUOT: these stand escaped inside strings; "/" is always written "\/".
_ESCAPED = {"<": "\\u003C", ">": "\\u003E", "&": "\\u0026", "'": "\\u0027", "/": "\\/"}


def encode(value: object) -> str:
    """JSON as the portal writes it: list-or-map arrays, UTF-8 as it is, ``< > & ' "`` and ``/`` escaped."""
    plain = json.dumps(canonical(value), ensure_ascii=False, separators=(",", ":"))
    quoted = re.sub(r"\\(.)", lambda pair: "\\u0022" if pair[1] == '"' else pair[0], plain)
    return re.sub(r"[<>&'/]", lambda sign: _ESCAPED[sign[0]], quoted)
