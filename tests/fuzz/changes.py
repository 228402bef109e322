"""Small changes to bytes, to JSON values and to text, each drawn at random: what the fuzzers here are made of.

Never draws from anything but what it is given, so that a seed and a number make the same change again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from random import Random
from typing import Any

from tests.sources.hostile import WORDS
from tests.sources.posts import WRONG_TYPES, swapped

Path = tuple[str | int, ...]

# What stands where a sender or a portal puts something else. JSON has no NaN and no Infinity (RFC 8259 §6), Python's
# writer has; half a surrogate pair is JSON, and no text (RFC 8259 §8.2).
ODD: tuple[Any, ...] = (
    *WRONG_TYPES,
    *WORDS,
    math.nan,
    -math.inf,
    1e308,
    -0.0,
    2**31,
    2**63,
    -(2**63) - 1,
    "9999-99-99T99:99:99Z",
    "0001-01-01T00:00:00Z",
    "2026-11-23T09:00:00+99:99",
    "https://[::1",
    "javascript:alert(1)",
    "https://a.example/" + "x" * 3000,
    "İ" * 300,
    "\u202e\u0000\u2028",
    "<b>&amp;</b>${IFS}{{7*7}}{% for %}",
    "'; DROP TABLE event; --",
    "-1",
    "1e999",
    {"": ""},
    {"$ref": "#"},
    {"__proto__": {"a": 1}},
)
# As large as may be sent often; what is larger still comes seldom.
LARGE: tuple[Any, ...] = (
    "б" * 50_000,
    ["x"] * 5_000,
    {f"key {number}": number for number in range(3_000)},
    json.loads("[" * 400 + "]" * 400),
    10**4_000,
)
TOO_DEEP = b"[" * 100_000
BAD_BYTES = (
    b"\x00",
    b"\xff",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"\r\n",
    b"\\",
    b'"',
    b"{",
    b"]",
    b"NaN",
    b"%00",
)


def drawn(seed: int, number: int) -> Random:
    """The draws of one try."""
    return Random(f"{seed}/{number}")


def bytes_changed(draw: Random, raw: bytes) -> bytes:
    """A few bytes flipped, left out, doubled, or put in."""
    changed = bytearray(raw)
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(changed) + 1)
        match draw.randrange(5):
            case 0 if changed:
                changed[at % len(changed)] ^= 1 << draw.randrange(8)
            case 1:
                del changed[at : at + draw.randint(1, 40)]
            case 2:
                changed[at:at] = changed[at : at + draw.randint(1, 40)]
            case 3:
                changed[at:at] = draw.randbytes(draw.randint(1, 8))
            case _:
                changed[at:at] = draw.choice(BAD_BYTES)
    return bytes(changed)


def values_changed(draw: Random, values: Any, paths: Sequence[Path]) -> Any:
    """JSON values with some of them replaced, left out, doubled, wrapped, or put where others stood.

    ``paths`` are those of ``values`` before any change (`tests.sources.posts.places`): to enumerate them anew costs
    more than a miss.
    """
    for _ in range(1 if draw.random() < 0.5 else draw.randint(2, 5)):
        path = paths[draw.randrange(len(paths))]
        try:
            values = _changed_at(draw, values, path, paths)
        except (LookupError, TypeError):  # an earlier change has taken the place away
            continue
    return values


def _changed_at(draw: Random, values: Any, path: Path, paths: Sequence[Path]) -> Any:
    here = at(values, path)
    match draw.randrange(8):
        case 0 | 1 | 2:
            return swapped(values, path, draw.choice(ODD))
        case 3 if draw.random() < 0.2:
            return swapped(values, path, draw.choice(LARGE))
        case 4 if path:
            return without(values, path)
        case 5:
            return swapped(values, path, [here, here] if draw.random() < 0.5 else {"a": here})
        case 6:
            return swapped(values, path, at(values, paths[draw.randrange(len(paths))]))
        case _ if isinstance(here, str) and here:
            return swapped(values, path, text_changed(draw, here))
        case _ if isinstance(here, dict):
            return swapped(values, path, {**here, draw.choice(WORDS[:-2]): draw.choice(ODD)})
        case _:
            return swapped(values, path, draw.choice(ODD))


def text_changed(draw: Random, text: str) -> str:
    """Some signs of a text left out, doubled, or others put in."""
    at_ = draw.randrange(len(text) + 1)
    end = at_ + draw.randint(0, 5)
    put = draw.choice(
        ("", text[at_:end] * 2, "\x00", "\n", "\u2028", "\ud83d", "🐛", "İ", "[b]", "/", "#", "@", "%s", "${A}")
    )
    return text[:at_] + put + text[end:]


def at(values: Any, path: Path) -> Any:
    for step in path:
        values = values[step]
    return values


def without(values: Any, path: Path) -> Any:
    """The values without the one at ``path``, which is not the whole."""
    parent, last = at(values, path[:-1]), path[-1]
    if isinstance(parent, dict):
        return swapped(values, path[:-1], {key: value for key, value in parent.items() if key != last})
    return swapped(values, path[:-1], [value for index, value in enumerate(parent) if index != last])
