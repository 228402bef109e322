"""Where a word of an event stands in a request: the small language of places in `rules.yaml`, and how they are found.

Never guesses: what is not written as a place is the word itself. A place is one of

* ``payload.a.0.b`` – in the body, by keys and list positions; a step ``*`` is every element of a list or object;
* ``header.X-Name`` – a header that holds no credential;
* ``Deploy {{ payload.id }} of {{ payload.service }}`` – text with places in it; nothing where all of them are empty;
* a list of these – the first that is not empty.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import PlainSerializer, PlainValidator, TypeAdapter, ValidationError, WithJsonSchema

from relay.errors import NotUnderstood
from relay.model import Request
from relay.sources import fields
from relay.sources.proof import HeaderName

SECRET_HEADERS = ("authorization", "proxy-authorization", "cookie")
EVERY = "*"
MOST = 20  # places in one list or text

_HEADER = TypeAdapter[str](HeaderName)
_INSIDE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a word of the event is found. ``written`` is how the rules file says it."""

    written: str
    kind: Literal["payload", "header", "literal", "text", "first"] = "literal"
    steps: tuple[str, ...] = ()
    parts: tuple[Place, ...] = ()


def place(written: object) -> Place:
    """Read a place.

    Raises:
        ValueError: it looks like a path and is none.
    """
    if isinstance(written, Place):
        return written
    if isinstance(written, list | tuple):
        return _first(written)
    if not isinstance(written, str):
        raise ValueError("must be text: payload.some.key, header.X-Name, or the word itself")
    if "{{" in written or "}}" in written:
        return _text(written)
    kind, dot, path = written.partition(".")
    if kind == "payload":
        steps = tuple(path.split("."))
        if not dot or not all(steps):
            raise ValueError("payload. goes on with a key and, after dots, further keys or list positions")
        return Place(written, "payload", steps)
    if kind == "header":
        return Place(written, "header", (_header_name(path),))
    return Place(written)


def _header_name(name: str) -> str:
    try:
        lower = _HEADER.validate_python(name).lower()
    except ValidationError:
        raise ValueError("header. goes on with the name of a header, such as header.X-Request-Id") from None
    if lower in SECRET_HEADERS:
        raise ValueError("this header holds a credential, which no event may carry")
    return lower


def _text(written: str) -> Place:
    """Text with places in double braces: every second piece is one."""
    pieces = _INSIDE.split(written)
    parts = tuple(_inside(piece) if nth % 2 else Place(piece) for nth, piece in enumerate(pieces))
    if any("{{" in piece or "}}" in piece for piece in pieces):
        raise ValueError("has double braces that do not pair: {{ payload.some.key }}")
    if len(parts) > 2 * MOST:
        raise ValueError(f"has more than {MOST} places in it")
    return Place(written, "text", parts=parts)


def _inside(written: str) -> Place:
    found = place(written.strip())
    if found.kind not in ("payload", "header") or re.search(r"[|()\s]", written.strip()):
        raise ValueError(
            "between double braces stands payload.some.key or header.X-Name and no more: filters are for templates:"
        )
    return found


def _first(written: list[object] | tuple[object, ...]) -> Place:
    parts = tuple(place(each) for each in written)
    if not parts or len(parts) > MOST:
        raise ValueError(f"must be a list of one to {MOST} places, of which the first that is not empty is taken")
    if any(part.kind == "first" for part in parts):
        raise ValueError("is a list in a list: write one list, in the order of preference")
    return Place(" or ".join(part.written for part in parts), "first", parts=parts)


def payload_place(written: object) -> Place:
    """Read the place of an object in the body.

    Raises:
        ValueError: it is another place, or none.
    """
    found = place(written)
    if found.kind != "payload" or EVERY in found.steps:
        raise ValueError("must be the place of an object in the body, such as payload.labels")
    return found


_TEXT = {"type": "string"}


def _written(found: Place) -> str | list[str]:
    return [part.written for part in found.parts] if found.kind == "first" else found.written


_WRITTEN = PlainSerializer(_written, return_type=str | list[str])
Word = Annotated[
    Place,
    PlainValidator(place),
    _WRITTEN,
    WithJsonSchema({"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1, "maxItems": MOST}]}),
]
PayloadPlace = Annotated[Place, PlainValidator(payload_place), _WRITTEN, WithJsonSchema(_TEXT)]
NOWHERE = Place("")


# ── What stands there ─────────────────────────────────────────────────────────────────────────────────────────


def text(where: Place, data: Any, request: Request) -> str:
    """The word at a place; several values are joined by commas; ``""`` where the way to it ends early.

    Raises:
        NotUnderstood: what stands there is an object or a list; its place is named.
    """
    if not where.written:  # as most of a source's places are
        return ""
    if where.kind == "text":
        words = [text(part, data, request) for part in where.parts]
        return "".join(words) if any(words[1::2]) else ""
    if where.kind == "first":
        return next(filter(None, (text(part, data, request) for part in where.parts)), "")
    return ", ".join(filter(None, [word_of(where, value) for value in _values(where, data, request)]))


def texts(where: Place, data: Any, request: Request) -> tuple[str, ...]:
    """Several words: a list, or one text in which commas divide them.

    Raises:
        NotUnderstood: what stands there cannot be words; its place is named.
    """
    if not where.written:
        return ()
    if where.kind == "first":
        return next(filter(None, (texts(part, data, request) for part in where.parts)), ())
    values = [text(where, data, request)] if where.kind == "text" else _values(where, data, request)
    parts = [part for value in values for part in _divided(where, value)]
    return tuple(dict.fromkeys(part for part in (part.strip() for part in parts) if part))


def mapping(where: Place, data: Any, request: Request) -> dict[str, str]:
    """The texts, numbers and booleans of the object at a place; what is nested deeper is left out.

    Raises:
        NotUnderstood: something else stands there.
    """
    found = next(iter(_values(where, data, request)), None)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise NotUnderstood(f"{where.written} is not an object")
    flat = {name: value for name, value in found.items() if not isinstance(value, dict | list)}
    return {fields.clean(name): word_of(where, value) for name, value in flat.items()}


def word_of(where: Place, value: Any) -> str:
    """A value as text, numbers and booleans as JSON writes them."""
    if value is None:
        return ""
    if isinstance(value, str):
        return fields.clean(value)
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise NotUnderstood(f"{where.written} is not text, a number, or true or false")


def _divided(where: Place, value: Any) -> list[str]:
    if isinstance(value, list):
        return [word_of(where, each) for each in value]
    return word_of(where, value).split(",")


def _values(where: Place, data: Any, request: Request) -> Sequence[Any]:
    """The values at a place in the body or a header; of a way that ends early, none."""
    if where.kind == "literal":
        return (where.written,)
    if where.kind == "header":
        given = request.headers.get(where.steps[0])
        return () if given is None else (given,)
    found = [data]
    for step in where.steps:
        if step == EVERY:
            found = [child for value in found for child in _all(value)]
        else:
            found = [child for value in found if (child := _step(value, step)) is not None]
    return found


def _all(data: Any) -> Iterable[Any]:
    return data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()


def _step(data: Any, step: str) -> Any:
    if isinstance(data, dict):
        return data.get(step)
    if isinstance(data, list) and step.isascii() and step.isdigit() and len(step) < 10:
        return data[int(step)] if int(step) < len(data) else None
    return None
