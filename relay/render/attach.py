"""The blocks below a text: compiled from their schema, rendered into the portal's ATTACH, cut by whole blocks.

Never goes over the portal's limit, and never leaves half a block.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from relay.render import colour
from relay.render.address import clean_address
from relay.render.bbcode import Context
from relay.render.blocks import Block, Reading
from relay.render.check import Kind
from relay.render.jinja import Expression, Text, Variables, compile_expression, compile_text, kind_of_items
from relay.render.meter import TooMuch
from relay.render.writer import write
from relay.schema import Part

# The portal takes less than 60 000 characters; its older documentation said 30 KB (ATTACH, Bitrix24 REST docs).
MAX_ATTACH = 24_000
MAX_MESSAGE = 6_000  # characters of one MESSAGE block
MAX_VALUE = 1_000  # and of any other value
_RESERVE = 2_500  # for the colour, the description, and the line that tells how many were left out

Place = tuple[str | int, ...]
Complain = Callable[[Place, str], None]
_MORE = {"en": "+{} more", "ru": "ещё {}"}


@dataclass(frozen=True)
class Item:
    """One object inside a block: its fields, each with how it is read and whether the object can do without it."""

    fields: tuple[tuple[str, Reading, bool, Text], ...]
    each: Expression | None = None

    def render(self, variables: Variables) -> dict[str, Any] | None:
        """The object in the portal's keys; ``None`` where a value that it needs came out empty."""
        found: dict[str, Any] = {}
        for name, reading, required, text in self.fields:
            value = _read(reading, text, variables)
            if value is None and required:
                return None
            if value is not None:
                found[name.upper()] = value
        return found


@dataclass(frozen=True)
class CompiledBlock:
    """A block: a bare text, one object, or a list of them."""

    key: str
    each: Expression | None
    message: Text | None = None
    items: tuple[Item, ...] = ()
    listed: bool = False  # is it always a list, even of one?

    def render(self, variables: Variables) -> Any:
        """What stands under the block's key, or ``None`` where nothing is left of it."""
        if self.message is not None:
            return self.message.write(variables, Context.ATTACH, limit=MAX_MESSAGE) or None
        found = [value for item, scope in self._repeated(variables) if (value := item.render(scope)) is not None]
        if not self.listed:
            return found[0] if found else None
        return found or None

    def _repeated(self, variables: Variables) -> Iterator[tuple[Item, Variables]]:
        for item in self.items:
            for scope in repeated(item.each, variables):
                yield item, scope


def repeated(each: Expression | None, variables: Variables) -> Iterator[Variables]:
    """The variables once, or once for each item of the expression."""
    if each is None:
        yield variables
        return
    for item in variables.meter.count(each.items(variables)):
        yield variables.having(item)


def _read(reading: Reading, text: Text, variables: Variables) -> Any:
    """The portal's value, or ``None`` for none."""
    if reading is Reading.WORDS:
        return text.write(variables, Context.ATTACH, limit=MAX_VALUE).replace("\n", " ") or None
    words = text.words(variables, limit=10_000).strip()
    match reading:
        case Reading.ADDRESS:
            return clean_address(words) or None
        case Reading.NUMBER:
            return int(words) if words.isascii() and words.isdigit() and len(words) < 16 else None
        case Reading.COLOUR:
            return colour.attach_colour(words).get("COLOR")
        case Reading.CHOICE:
            return words.upper() or None
        case _:
            return words or None


# ── Compiling ─────────────────────────────────────────────────────────────────────────────────────────────────


def compile_block(block: Block, place: Place, names: Mapping[str, Kind], complain: Complain) -> CompiledBlock:
    """Compile one block of a template; each fault is a complaint with its path."""
    each, names = _each(block.each, place, names, complain)
    key, value = next(iter(block.given().items()))
    place = (*place, key)
    if isinstance(value, str):
        return CompiledBlock(key, each, message=_text(value, place, names, complain))
    listed = isinstance(value, list)
    places = [((*place, index), part) for index, part in enumerate(value)] if listed else [(place, value)]
    items = tuple(_item(part, at, names, complain) for at, part in places)
    return CompiledBlock(key, each, items=items, listed=listed)


def _item(part: Part, place: Place, names: Mapping[str, Kind], complain: Complain) -> Item:
    each, names = _each(getattr(part, "each", ""), place, names, complain)
    fields = []
    for name, field in type(part).model_fields.items():
        reading = next((mark for mark in field.metadata if isinstance(mark, Reading)), None)
        source = str(getattr(part, name))
        if reading is None or not (source or field.is_required()):
            continue
        if reading is Reading.COLOUR and "{" not in source and not colour.attach_colour(source).get("COLOR"):
            complain((*place, name), f"is no colour; write #rrggbb or one of {', '.join(colour.NAMES)}")
        fields.append((name, reading, field.is_required(), _text(source, (*place, name), names, complain)))
    return Item(tuple(fields), each)


def _text(source: str, place: Place, names: Mapping[str, Kind], complain: Complain) -> Text:
    return compile_text(source, ".".join(map(str, place)), names, lambda sentence: complain(place, sentence))


def _each(
    source: str, place: Place, names: Mapping[str, Kind], complain: Complain
) -> tuple[Expression | None, Mapping[str, Kind]]:
    if not source:
        return None, names
    place = (*place, "each")
    label = ".".join(map(str, place))
    each = compile_expression(source, label, names, lambda sentence: complain(place, sentence))
    return each, {**names, "item": kind_of_items(source, names)}


# ── Building ──────────────────────────────────────────────────────────────────────────────────────────────────


def build(blocks: Sequence[CompiledBlock], variables: Variables) -> tuple[list[dict[str, Any]], int]:
    """The rendered blocks that fit, and how many things did not.

    When something does not fit, what stands behind it is left out too: blocks keep their order and their sense.
    """
    fitting: list[dict[str, Any]] = []
    room, left_out = MAX_ATTACH - _RESERVE, 0
    for block in blocks:
        scopes = repeated(block.each, variables)
        for scope in scopes:
            value = block.render(scope)
            if value is None:
                continue
            rows = value if isinstance(value, list) else [value]
            kept = [] if left_out else _fitting(rows, room - len(block.key) - 8)
            if kept:
                fitting.append({block.key.upper(): kept if block.listed else kept[0]})
                room -= size(fitting[-1])
            if len(kept) < len(rows) and block.key != "delimiter":
                left_out += len(rows) - len(kept) + (_rest(scopes) if block.each else 0)
    return fitting, left_out


def _fitting(rows: Sequence[Any], room: int) -> list[Any]:
    """As many of the rows, from the first, as there is room for."""
    sizes = itertools.accumulate(size(row) + 1 for row in rows)
    return [row for row, used in zip(rows, sizes, strict=False) if used <= room]


def _rest(scopes: Iterator[Variables]) -> int:
    """How many repetitions are still to come; they are counted, not rendered."""
    try:
        return sum(1 for _ in scopes)
    except TooMuch:
        return 0


def more(left_out: int, variables: Variables) -> dict[str, str]:
    """The block that tells how many things were left out, leading to where they are."""
    text, address = _MORE[variables.person.locale].format(left_out), clean_address(variables.event.url)
    markup = f"[url={address}]{text}[/url]" if address else text
    return {"MESSAGE": write([markup], Context.ATTACH, limit=_RESERVE)}


def size(value: Any) -> int:
    """Length in characters as the portal counts it: JSON with `/` as `\\/` and nothing else escaped beyond need."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return len(text) + text.count("/")
