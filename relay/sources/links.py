"""Which addresses a person may be led to.

Never looks an address up, and never mends one: an address is shown as it came, or not at all. Only where a source says
that people reach a host by another name does it stand under that name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field


def link(address: str) -> str:
    """``address`` if it is http or https, names a host, and holds no blank or control character; else ``""``."""
    if not address:
        return ""
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


# ── Addresses within, and those that people can open ──────────────────────────────────────────────────────────


def _bases(written: dict[str, str]) -> dict[str, str]:
    for base in (*written, *written.values()):
        if not link(base) or "?" in base or "#" in base:
            raise ValueError(
                "are the beginnings of addresses, such as {http://grafana:3000: https://grafana.example.com}"
            )
    return {inner.rstrip("/"): outer.rstrip("/") for inner, outer in written.items()}


Bases = Annotated[
    dict[str, str],
    AfterValidator(_bases),
    Field(description="the address that people can open, by the sender's own: {http://grafana:3000: https://…}"),
]


def rebased(address: str, bases: Mapping[str, str]) -> str:
    """``address`` with the longest of its beginnings in ``bases`` replaced; as it is where none is in there.

    A beginning ends where a part of an address does: ``http://a`` is none of ``http://abc/``.
    """
    fitting = [base for base in bases if address.startswith(base) and address[len(base) : len(base) + 1] in "/?#"]
    if not fitting:
        return address
    base = max(fitting, key=len)
    return bases[base] + address.removeprefix(base)
