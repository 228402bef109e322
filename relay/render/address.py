"""The addresses that a reader may click: http and https only, in characters that no BB-code can be made of.

Never fetches anything.
"""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit, urlunsplit

MAX_ADDRESS = 2000  # longer ones are refused by browsers and front-end servers here and there

# RFC 3986 §2.2 and §2.3, without brackets, quotes and backslash: those would end a BB-code tag. Present %-codes stay.
_SAFE = "/?:@!$&()*+,;=~-._%"
# The portal decodes entities after it has drawn links (im.notify pipeline), so that `&#93;` would become a bracket
# inside the address; and in a batch it replaces `$result…` and its kin by earlier answers (batch, Bitrix24 REST docs).
_ENTITY = re.compile(r"&(?=#|[a-z]\w*;)", re.IGNORECASE)
_REFERENCE = re.compile(r"\$(?=result|next|total|time|error|$)", re.IGNORECASE)
# A line of 54 dashes begins a quotation (im.notify pipeline), and a dash says the same by its code (RFC 3986 §2.3).
_RULE = re.compile(r"-{5}(?=-)")
# What the portal makes a link of by itself, also within an address (im.notify pipeline); the codes say the same.
_BARE = re.compile(r"\b(www(?=\.)|(?:mailto|news|ftp|aim|file|tel|callto|skype|viber)(?=:))(.)", re.IGNORECASE)
_NOT_PRINTED = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


def clean_address(value: str) -> str:
    """An address that is safe inside BB-code and blocks, or ``""`` where it is none.

    User names and passwords are taken out: they would be shown to everybody, or dress one host up as another.
    """
    value = _NOT_PRINTED.sub("", value.strip())
    try:
        parts = urlsplit(value)
        host, port = parts.hostname or "", parts.port
        if not host.isascii():
            host = host.encode("idna").decode()
    except ValueError:  # a port that is no number, half a bracket, a host that IDNA refuses
        return ""
    if parts.scheme not in ("http", "https") or not re.fullmatch(r"(?!.*-{54})[a-z0-9._-]+", host):
        return ""
    address = urlunsplit(
        (
            parts.scheme,
            f"{host}:{port}" if port is not None else host,
            *(_dull(quote(part, safe=_SAFE)) for part in (parts.path, parts.query, parts.fragment)),
        )
    )
    address = _REFERENCE.sub("%24", _ENTITY.sub("%26", address))
    return address if len(address) <= MAX_ADDRESS else ""


def clean_step(value: str) -> str:
    """A piece of an address whose beginning the template gives: `[url=https://ci/{{ event.branch }}]`."""
    return _dull(quote(_NOT_PRINTED.sub("", value), safe="/:@!*,~"))


def _dull(part: str) -> str:
    """A part of an address in which the portal finds nothing more to draw."""
    return _BARE.sub(lambda found: f"{found[1]}%{ord(found[2]):02X}", _RULE.sub("----%2D", part))


def host_of(address: str) -> str:
    """The host of a cleaned address."""
    return urlsplit(address).hostname or ""
