"""Which addresses a person may be led to.

Never looks an address up, and never mends one: an address is shown as it came, or not at all.
"""

from __future__ import annotations

from urllib.parse import urlsplit


def link(address: str) -> str:
    """``address`` if it is http or https, names a host, and holds no blank or control character; else ``""``."""
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return ""
    shown = address.isprintable() and " " not in address
    return address if shown and host and parts.scheme in ("http", "https") else ""


def first_link(*addresses: str) -> str:
    """The first of ``addresses`` that :func:`link` lets through, or ``""``."""
    return next(filter(None, map(link, addresses)), "")
