"""How a value of a template reads: numbers short, lists with commas, nothing where there is nothing.

Never trusts a text that it is given.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

from jinja2 import Undefined

from relay.model import Alert, Event
from relay.render.bbcode import BB, Rich, Words, rich
from relay.render.reader import Reader

MAX_LISTED = 50


def read(value: object) -> Rich:  # noqa: PLR0911 (a table of types)
    """The text of any value that a template may print."""
    match value:
        case None | Undefined():
            return Rich(())
        case str():
            return rich(value)
        case bool():
            return Rich((BB("true" if value else "false"),))
        case int() | float():
            return Rich((BB(number(value)),))
        case Reader():
            return Rich((Words(value.name),))
        case Event():
            return Rich((Words(value.title or value.event),))
        case Alert():
            return Rich((Words(value.summary or value.name),))
        case Mapping():
            return Rich((Words(", ".join(_pairs(value))),))
        case list() | tuple() | set() | frozenset() | Iterator():
            return joined(value, ", ")
        case _:
            return Rich(())


def number(value: float) -> str:
    """A number as people write it: no more than four decimals, and no exponent that can be avoided."""
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        return str(value)
    if value == 0 or 0.001 <= abs(value) < 1e15:
        return f"{value:.4f}".rstrip("0").rstrip(".")
    return f"{value:.4g}"


def joined(values: Any, separator: str) -> Rich:
    """Plain values one after another; lists and objects among them are left out."""
    parts = [read(value) for value in itertools.islice(values, MAX_LISTED) if not _nested(value)]
    glue = rich(separator).pieces
    pieces = [piece for part in parts if part for piece in (*glue, *part.pieces)]
    return Rich(pieces[len(glue) :])


def _pairs(values: Mapping[Any, Any]) -> Iterator[str]:
    for name, value in itertools.islice(values.items(), MAX_LISTED):
        if not _nested(value):
            yield f"{read(name)}: {read(value)}" if value != name else f"{read(name)}"


def _nested(value: object) -> bool:
    return isinstance(value, Mapping | list | tuple | set | frozenset | Iterator)
