"""ATTACH as the portal keeps it: what it accepts, what it silently drops, what it changes.

Never tells which block it dropped, as the portal does not. Bitrix24 REST docs, "How to use attachments"; the limits
and the drops are those of the portal's own code.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable
from typing import TypeAlias

from relay.sandbox import jsobject
from relay.sandbox.php import Value, canonical, integer, items, text, truthy
from relay.sandbox.refusals import Refusal

LIMIT = 60_000
COLOR_TOKENS = ("primary", "secondary", "alert", "base")

Block: TypeAlias = dict[str, Value]

_PALETTE = ("#29619b", "#aac337", "#e8a441", "#df532d", "#8474c8", "#4ba5c3")


def normalise(given: Value, *, now: float) -> Block | None:
    """The attachment as stored: ``{"ID", "COLOR_TOKEN", "BLOCKS", …}``; None = there is none.

    Raises:
        Refusal: ``ATTACH_ERROR`` or ``ATTACH_OVERSIZE``.
    """
    if not truthy(given):
        return None
    tree = _read(given)
    full = isinstance(tree, dict) and "BLOCKS" in tree
    fields = tree if full and isinstance(tree, dict) else {}
    kept = [block for _, raw in items(fields["BLOCKS"] if full else tree) if (block := _block(raw))]
    if not kept:
        raise Refusal("ATTACH_ERROR")
    attach = {"ID": int(now), **_look(fields), "BLOCKS": canonical(kept)}
    if size(attach) >= LIMIT:
        raise Refusal("ATTACH_OVERSIZE")
    return attach


def size(attach: Block) -> int:
    """Its length in characters, as the portal counts: compact JSON, non-ASCII as it is, ``/`` as two."""
    return len(json.dumps(attach, ensure_ascii=False, separators=(",", ":")).replace("/", "\\/"))


def _read(given: Value) -> Value:
    if not isinstance(given, str):
        return _unescaped(given)
    try:
        return _unescaped(jsobject.read(given))
    except jsobject.NotAnObject:
        raise Refusal("ATTACH_ERROR") from None


_ESCAPE = re.compile(r'\\([nt"\\])')
_MEANT = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}


def _unescaped(value: Value) -> Value:
    """Backslash and letter become the real sign even where JSON was read already: ``C:\\new`` breaks."""
    if isinstance(value, str):
        return _ESCAPE.sub(lambda escape: _MEANT[escape[1]], value)
    if isinstance(value, list):
        return [_unescaped(item) for item in value]
    return {key: _unescaped(item) for key, item in value.items()} if isinstance(value, dict) else value


# --- what stands round the blocks


def _look(fields: Block) -> Block:
    token = text(fields.get("COLOR_TOKEN"))
    look: Block = {"COLOR_TOKEN": token if token in COLOR_TOKENS else "base"}
    if colour := _bar_colour(text(fields.get("COLOR"))):
        look["COLOR"] = colour
    if description := text(fields.get("DESCRIPTION")):
        look["DESCRIPTION"] = description
    return look


def _bar_colour(given: str) -> str:
    if given in {"", "CHAT"}:
        return ""
    if given == "TRANSPARENT":
        return "transparent"
    # The portal takes a colour at random for what it does not understand; this one stays the same for the same word.
    return _hex(given) or _PALETTE[zlib.crc32(given.encode()) % len(_PALETTE)]


def _hex(given: str) -> str:
    return given if re.fullmatch(r"#(?:[0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})", given) else ""


# --- blocks: each reader answers what is kept of one, or None for a block that is dropped


def _block(raw: Value) -> Block | None:
    """The first known key in the portal's order decides; the others are not looked at."""
    if not isinstance(raw, dict):
        return None
    for kind, reader in _READERS.items():
        if raw.get(kind) is not None:
            kept = reader(raw[kind])
            return None if kept is None else {kind: kept}
    return None


def _message(raw: Value) -> Value:
    if isinstance(raw, dict):
        words = text(raw.get("TEXT"))
        return _described(words) if words and raw.get("AS_DESCRIPTION") == "Y" else words or None
    return None if isinstance(raw, list) else text(raw) or None


def _described(words: str) -> Block:
    return {"TEXT": words, "AS_DESCRIPTION": "Y"}


def _listed(one: Callable[[Block], Block | None]) -> Callable[[Value], Value]:
    """A reader for a block that is one object or a list of them."""

    def read(raw: Value) -> Value:
        many = raw if isinstance(raw, list) else [raw]
        kept = [found for item in many if isinstance(item, dict) and (found := one(item))]
        return canonical(kept) if kept else None

    return read


def _link(raw: Block) -> Block | None:
    found = _picked(raw, texts=("DESC", "HTML"), links=("LINK", "PREVIEW"), numbers=("WIDTH", "HEIGHT"))
    name = re.sub(r"[\r\n]+", " ", text(raw.get("NAME")))
    for key in ("USER_ID", "CHAT_ID", "NETWORK_ID"):
        if "LINK" not in found and name and truthy(raw.get(key)):
            found[key] = raw[key]
    if not any(key in found for key in ("LINK", "USER_ID", "CHAT_ID", "NETWORK_ID")):
        return None
    if "HTML" in found:
        found.pop("DESC", None)
    return {**found, **({"NAME": name} if name else {})}


def _rich_link(raw: Block) -> Block | None:
    found = _link(raw)
    if found is None:
        return None
    sizes = raw.get("PREVIEW_SIZE")
    if isinstance(sizes, dict):
        found["PREVIEW_SIZE"] = canonical({key: integer(sizes.get(key)) for key in ("WIDTH", "HEIGHT")})
    return {**found, **_picked(raw, links=("EXTRA_IMAGE",))}


def _image(raw: Block) -> Block | None:
    found = _picked(raw, texts=("NAME",), links=("LINK", "PREVIEW"), numbers=("WIDTH", "HEIGHT"))
    return found if "LINK" in found else None


def _file(raw: Block) -> Block | None:
    found = _picked(raw, texts=("NAME",), links=("LINK",), numbers=("SIZE",))
    return found if "LINK" in found else None


def _user(raw: Block) -> Block | None:
    if not text(raw.get("NAME")):
        return None
    kind = text(raw.get("AVATAR_TYPE"))
    return {
        **_picked(
            raw, texts=("NAME", "NETWORK_ID"), links=("AVATAR", "LINK"), numbers=("USER_ID", "CHAT_ID", "BOT_ID")
        ),
        "AVATAR_TYPE": kind if kind in {"USER", "CHAT", "BOT"} else "USER",
    }


_DISPLAYS = {"BLOCK": "BLOCK", "LINE": "LINE", "ROW": "ROW", "TABLE": "TABLE", "COLUMN": "ROW", "CARD": "LINE"}


def _grid_item(raw: Block) -> Block | None:
    display = _DISPLAYS.get(text(raw.get("DISPLAY")), "BLOCK")
    found = _picked(
        raw,
        texts=("NAME", "VALUE"),
        links=("LINK",),
        numbers=("WIDTH", "HEIGHT", "USER_ID", "CHAT_ID"),
        colour=True,
    )
    if display != "LINE" and "NAME" not in found and "VALUE" not in found:
        return None
    return {"DISPLAY": display, **found}


def _delimiter(raw: Value) -> Value:
    given = raw if isinstance(raw, dict) else {}
    colour = _hex(text(given.get("COLOR")))
    return {"SIZE": integer(given.get("SIZE")) or 200, **({"COLOR": colour} if colour else {})}


def _picked(
    raw: Block,
    *,
    texts: tuple[str, ...] = (),
    links: tuple[str, ...] = (),
    numbers: tuple[str, ...] = (),
    colour: bool = False,
) -> Block:
    """The fields that are there and pass: non-empty texts, links of an allowed form, positive numbers, hex colours."""
    found: Block = {key: text(raw[key]) for key in texts if text(raw.get(key))}
    found |= {key: text(raw[key]) for key in links if re.match(r"https?://|/", text(raw.get(key)))}
    found |= {key: integer(raw[key]) for key in numbers if integer(raw.get(key)) > 0}
    if colour and (shade := _hex(text(raw.get("COLOR")))):
        found["COLOR"] = shade
    if colour and (token := text(raw.get("COLOR_TOKEN"))) in COLOR_TOKENS:
        found["COLOR_TOKEN"] = token
    return found


_READERS: dict[str, Callable[[Value], Value]] = {
    "USER": _listed(_user),
    "LINK": _listed(_link),
    "RICH_LINK": _listed(_rich_link),
    "MESSAGE": _message,
    "GRID": _listed(_grid_item),
    "IMAGE": _listed(_image),
    "FILE": _listed(_file),
    "DELIMITER": _delimiter,
}
