"""Moments as senders write them, made RFC 3339, which is how an event says them.

Never takes the zone of a time for granted: a time without one is no moment.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

_UNIX = re.compile(r"[0-9]{1,10}(?:\.[0-9]{1,9})?|[0-9]{12,13}")
_MILLISECONDS = 12  # digits; as seconds it would be the year 5138 at least


def rfc3339(text: str) -> str:
    """``text`` if it is a time with its zone (RFC 3339), else ``""``."""
    try:
        moment = datetime.fromisoformat(text)
        usable = moment.tzinfo is not None and moment.astimezone(UTC).year > 1  # the year 1: Go's zero time
    except (ValueError, OverflowError):
        return ""
    return text if usable else ""


def moment(text: str) -> str:
    """The same for Unix seconds and milliseconds too: ``1795417478`` is ``2026-11-23T07:04:38+00:00``."""
    return unix(text) or rfc3339(text)


def unix(text: str) -> str:
    """Unix seconds, or milliseconds where there are so many digits, as RFC 3339; ``""`` for anything else."""
    if not text.isascii() or not _UNIX.fullmatch(text):
        return ""
    seconds = float(text) / (1000 if "." not in text and len(text) >= _MILLISECONDS else 1)
    return datetime.fromtimestamp(seconds, UTC).isoformat()
