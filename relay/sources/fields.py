"""Digging in a stranger's JSON: missing and null are empty, another type than expected is refused by its path.

Knows no sender, and never quotes what it found.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from relay.errors import NotUnderstood

# Real payloads of all senders stay under 20 levels. Far below Python's own recursion limit, so that no later
# reader of the payload (a template, a condition, the page) has to guard itself.
MAX_DEPTH = 100
PLAIN = re.compile(r"[\w./* -]{1,80}")  # a key that a complaint names


def parse(body: bytes) -> Any:
    """Read a JSON body (RFC 8259): UTF-8, an optional byte-order mark, no NaN or Infinity.

    Raises:
        NotUnderstood: it is not that, or is nested deeper than ``MAX_DEPTH``.
    """
    try:
        data = _DECODER.decode(body.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise NotUnderstood("the body is not valid UTF-8") from None
    except RecursionError:
        raise NotUnderstood(f"the JSON is nested deeper than {MAX_DEPTH} levels") from None
    except ValueError:
        raise NotUnderstood("the body is not valid JSON") from None
    if _deeper_than(data, MAX_DEPTH):
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


# Made once: `json.loads` with hooks makes one for each body.
_DECODER = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite)

_NESTING = frozenset((dict, list))


def _deeper_than(data: Any, limit: int) -> bool:
    """Whether objects and lists stand inside each other in more than ``limit`` levels.

    Asked of every body: to count the brackets in the text first would save nothing, for they are more than a hundred in
    every event of GitHub's, most of them in addresses (``{/sha}``).
    """
    level: list[Any] = [[data]]
    for _ in range(limit + 1):
        level = [
            value
            for parent in level
            for value in (parent.values() if type(parent) is dict else parent)
            if type(value) in _NESTING
        ]
        if not level:
            return False
    return True


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
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif value is None:
            return None
        elif isinstance(value, list) and isinstance(step, int):
            value = value[step] if step < len(value) else None
        else:
            _refuse_way(data, path)
    return value


def _refuse_way(data: Any, path: tuple[str | int, ...]) -> NoReturn:
    """Go the way again and count: :func:`dig` does not, as it is called some fifty times for each event."""
    depth = 0
    while isinstance(dig(data, *path[:depth]), list if isinstance(path[depth], int) else dict):
        depth += 1
    refuse(path[:depth], "a list" if isinstance(path[depth], int) else "an object")


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
    return {
        clean(name): clean(value) if isinstance(value, str) else text(data, *path, name)
        for name, value in mapping(data, *path).items()
    }


def each_text(data: Any, names: Iterable[str], *path: str | int) -> list[str]:
    """The texts of these names in the object at ``path``, each as :func:`text` gives it; the way there is gone once."""
    found = mapping(data, *path)
    return [
        clean(value) if isinstance(value := found.get(name, ""), str) else text(data, *path, name) for name in names
    ]


def clean(value: str) -> str:
    """Take out what no store and no person can use: NUL, and halves of surrogate pairs (RFC 8259 §8.2)."""
    if "\0" in value:
        value = value.replace("\0", "")
    return value if value.isascii() else value.encode("utf-8", "ignore").decode()


def refuse(path: tuple[str | int, ...], expected: str) -> NoReturn:
    """Say what was expected where, in the path's own words; what was found instead is not repeated."""
    where = ".".join(map(_told, path)) or "the body"
    raise NotUnderstood(f"{where} is not {expected}")


def _told(step: str | int) -> str:
    """A step of a path; a key that is no plain name is a stranger's text, and may be half a surrogate pair."""
    return str(step) if isinstance(step, int) or PLAIN.fullmatch(step) else "(a key)"
