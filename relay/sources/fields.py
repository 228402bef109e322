"""Digging in a stranger's JSON: missing and null are empty, another type than expected is refused by its path.

Knows no sender, and never quotes what it found.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from relay.errors import NotUnderstood

# Real payloads of all senders stay under 20 levels. Far below Python's own recursion limit, so that no later
# reader of the payload (a template, a condition, the page) has to guard itself.
MAX_DEPTH = 100


def parse(body: bytes) -> Any:
    """Read a JSON body (RFC 8259): UTF-8, an optional byte-order mark, no NaN or Infinity.

    Raises:
        NotUnderstood: it is not that, or is nested deeper than ``MAX_DEPTH``.
    """
    try:
        data = json.loads(body.decode("utf-8-sig"), parse_constant=_no_constant, parse_float=_finite)
    except UnicodeDecodeError:
        raise NotUnderstood("the body is not valid UTF-8") from None
    except RecursionError:
        raise NotUnderstood(f"the JSON is nested deeper than {MAX_DEPTH} levels") from None
    except ValueError:
        raise NotUnderstood("the body is not valid JSON") from None
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and _deeper_than(data, MAX_DEPTH):
        raise NotUnderstood(f"the JSON is nested deeper than {MAX_DEPTH} levels")
    return data


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _finite(digits: str) -> float:
    """``1e999`` is JSON, but no number that could be written down again as JSON."""
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(digits)
    return value


def _deeper_than(data: Any, limit: int) -> bool:
    level = [data]
    for _ in range(limit):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return False
    return True


def _children(parent: Any) -> Iterator[Any]:
    values = parent.values() if isinstance(parent, dict) else parent if isinstance(parent, list) else ()
    return (value for value in values if isinstance(value, dict | list))


def document(data: Any) -> dict[str, Any]:
    """The whole body as an object.

    Raises:
        NotUnderstood: it is JSON, but not an object.
    """
    if not isinstance(data, dict):
        raise NotUnderstood("the body is JSON, but not an object")
    return data


def dig(data: Any, *path: str | int) -> Any:
    """The value at ``path``, or ``None`` where a step is missing or null.

    Raises:
        NotUnderstood: a step on the way is neither an object nor a list.
    """
    value = data
    for depth, step in enumerate(path):
        if value is None:
            return None
        if isinstance(step, int):
            if not isinstance(value, list):
                refuse(path[:depth], "a list")
            value = value[step] if step < len(value) else None
        else:
            if not isinstance(value, dict):
                refuse(path[:depth], "an object")
            value = value.get(step)
    return value


def text(data: Any, *path: str | int) -> str:
    """The text at ``path``; ``""`` where it is missing or null. NUL bytes are taken out: no store keeps them."""
    value = dig(data, *path)
    if value is None:
        return ""
    if not isinstance(value, str):
        refuse(path, "text")
    return clean(value)


def number(data: Any, *path: str | int) -> int | None:
    """The whole number at ``path``, or ``None`` where it is missing or null."""
    value = dig(data, *path)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        refuse(path, "a whole number")
    return value


def flag(data: Any, *path: str | int) -> bool:
    """The boolean at ``path``; ``False`` where it is missing or null."""
    value = dig(data, *path)
    if value is None:
        return False
    if not isinstance(value, bool):
        refuse(path, "true or false")
    return value


def mapping(data: Any, *path: str | int) -> dict[str, Any]:
    """The object at ``path``; empty where it is missing or null."""
    value = dig(data, *path)
    if value is None:
        return {}
    if not isinstance(value, dict):
        refuse(path, "an object")
    return value


def items(data: Any, *path: str | int) -> list[Any]:
    """The list at ``path``; empty where it is missing or null."""
    value = dig(data, *path)
    if value is None:
        return []
    if not isinstance(value, list):
        refuse(path, "a list")
    return value


def texts(data: Any, *path: str | int) -> Mapping[str, str]:
    """The object of texts at ``path`` (labels, annotations); empty where it is missing or null."""
    return {clean(name): text(data, *path, name) for name in mapping(data, *path)}


def clean(value: str) -> str:
    """Take out what no store and no person can use: NUL, and halves of surrogate pairs (RFC 8259 §8.2)."""
    if "\0" in value:
        value = value.replace("\0", "")
    return value if value.isascii() else value.encode("utf-8", "ignore").decode()


def refuse(path: tuple[str | int, ...], expected: str) -> NoReturn:
    """Say what was expected where, in the path's own words; what was found instead is not repeated."""
    where = ".".join(map(str, path)) or "the body"
    raise NotUnderstood(f"{where} is not {expected}")
