"""How the portal is told: parcels in, one REST call out, as plain values.

Never sends, and never holds a secret: a call may be printed whole, the client adds the token where it sends.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from relay.model import Parcel

BATCH = 50  # commands in one `batch`: Bitrix24 REST docs, batch
TEXT_LIMIT = 20_000  # characters of MESSAGE; the portal cuts what is longer: Bitrix24 REST docs, im.notify.personal.add
TAG_LIMIT = 246  # the portal stores 255 characters, nine of them its own prefix: im module, notifyAdd

PERSONAL, SYSTEM, DELETE = "im.notify.personal.add", "im.notify.system.add", "im.notify.delete"
_BY_CHANNEL = {"personal": PERSONAL, "system": SYSTEM}

# In a batch the portal replaces `$result[…]` and its kin in the decoded values of every parameter by earlier
# results, so URL-encoding is no protection (rest module, batch). A U+200B after the dollar is.
_REFERENCE = re.compile(r"\$(?=result|next|total|time|error)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Call:
    """One request to the portal. ``payload`` is its JSON body, without credentials; ``parcels`` in their order."""

    method: str
    payload: dict[str, Any]
    parcels: tuple[Parcel, ...]


def build(parcels: Sequence[Parcel], *, client_id: str = "") -> Call:
    """One parcel as a call of its own; several as one `batch`, in their order, each independent of the others.

    ``client_id`` goes with every tag: by it a webhook's tags may be kept (Bitrix24 REST docs, im.notify.personal.add).

    Raises:
        ValueError: there are none, or more than `BATCH`.
    """
    if not 1 <= len(parcels) <= BATCH:
        raise ValueError(f"a call takes 1 to {BATCH} parcels, not {len(parcels)}")
    if len(parcels) == 1:
        method, parameters = _command(parcels[0], client_id)
        return Call(method, parameters, tuple(parcels))
    names = command_names(len(parcels))
    commands = {name: _as_text(parcel, client_id) for name, parcel in zip(names, parcels, strict=True)}
    return Call("batch", {"halt": 0, "cmd": commands}, tuple(parcels))


def method_of(parcels: Sequence[Parcel]) -> str:
    """The REST method by which these are sent: the one's own, or ``batch``."""
    if len(parcels) > 1:
        return "batch"
    return DELETE if parcels[0].message.delete else _BY_CHANNEL[parcels[0].message.via]


def command_names(count: int) -> list[str]:
    """``n0``, ``n1``, …: a letter first, for PHP turns a map with the keys 0, 1, … into a list, and with one
    command failed the positions in that list are lost."""
    return [f"n{number}" for number in range(count)]


def has_blocks(parcel: Parcel) -> bool:
    """Would this parcel be sent with ATTACH?"""
    return bool(parcel.message.attach) and not parcel.plain and not parcel.message.delete


def _command(parcel: Parcel, client_id: str) -> tuple[str, dict[str, Any]]:
    message = parcel.message
    whose = {"CLIENT_ID": client_id} if client_id else {}
    if message.delete:
        return DELETE, {"TAG": _tag(message.tag), **whose}
    parameters: dict[str, Any] = {"USER_ID": message.user_id, "MESSAGE": _cut(_repaired(message.text))}
    if message.tag.strip():
        parameters |= {"TAG": _tag(message.tag), **whose}
    if has_blocks(parcel):
        parameters["ATTACH"] = _plain(message.attach)
    return _BY_CHANNEL[message.via], parameters


def _tag(tag: str) -> str:
    """The tag as the portal can keep it: the same for the same tag, alone or in a batch, sent or deleted."""
    tag = _unreferenced(_repaired(tag))
    if len(tag) <= TAG_LIMIT:
        return tag
    digest = hashlib.sha256(tag.encode()).hexdigest()[:32]
    return f"{tag[: TAG_LIMIT - 33]}~{digest}"


def _cut(text: str) -> str:
    """A last guard: who words messages cuts them better, between words and tags."""
    return text if len(text) <= TEXT_LIMIT else f"{text[: TEXT_LIMIT - 1]}…"


def _repaired(text: str) -> str:
    """Without lone surrogates (JSON's ``"\\ud800"`` makes them): PHP drops a whole body that holds one."""
    return text.encode("utf-8", "replace").decode()


def _unreferenced(text: str) -> str:
    return _REFERENCE.sub("$\u200b", text)


def _plain(value: object) -> Any:
    """``value`` as JSON can say it; a date or a decimal that YAML made becomes its text."""
    match value:
        case Mapping():
            return {_repaired(str(key)): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case None | bool() | int():
            return value
        case float() if math.isfinite(value):
            return value
        case _:
            return _repaired(str(value))


# ── Batch: a command is `method?query` ────────────────────────────────────────────────────────────────────────
#
# Nesting is written in PHP's brackets (Bitrix24 REST docs, batch), not as JSON inside the query: the method then
# gets the same nested array as from a call of its own, while a JSON string would go through a second, lenient
# parser that undoes backslashes once more (im module, CIMMessageParamAttach). Values are encoded once, for the
# request around them is JSON.


def _as_text(parcel: Parcel, client_id: str) -> str:
    method, parameters = _command(parcel, client_id)
    if "MESSAGE" in parameters:
        parameters["MESSAGE"] = _cut(_unreferenced(parameters["MESSAGE"]))
    return f"{method}?" + "&".join(f"{quote(name, safe='')}={quote(text, safe='')}" for name, text in _flat(parameters))


def _flat(parameters: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in parameters.items():
        yield from _brackets(name, value)


def _brackets(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """``ATTACH[BLOCKS][0][MESSAGE]`` and its text, as PHP's http_build_query writes it: null is left out.

    So is what is empty, for brackets cannot say it; except a delimiter's, whose ``{}`` means its usual size.
    """
    match value:
        case {"DELIMITER": dict() as delimiter} if not delimiter:
            yield from _brackets(name, {**value, "DELIMITER": {"SIZE": 200}})
        case dict():
            for key, item in value.items():
                yield from _brackets(f"{name}[{key}]", item)
        case list():
            kept = (item for item in value if item not in (None, {}, []))
            for number, item in enumerate(kept):
                yield from _brackets(f"{name}[{number}]", item)
        case None:
            return
        case bool():
            yield name, str(int(value))
        case _:
            yield name, _unreferenced(str(value))
