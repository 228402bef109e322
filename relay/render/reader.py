"""Who reads a message: the name, the language and the time zone that its words are chosen by.

Knows nothing of rules or of the portal.
"""

from __future__ import annotations

import datetime
import functools
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

Locale = Literal["en", "ru"]


@dataclass(frozen=True)
class Reader:
    """Who reads it. An unknown time zone is read as UTC: the rules refuse it long before."""

    name: str = ""
    locale: Locale = "en"
    timezone: str = "UTC"


@functools.lru_cache(maxsize=1024)
def zone(name: str) -> datetime.tzinfo:
    """The zone of that IANA name; UTC where there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, not a key at all, a folder of the zone database
        return datetime.UTC


_MONTHS = {
    "en": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
    "ru": "янв фев мар апр мая июн июл авг сен окт ноя дек",
}


def short_time(text: str, reader: Reader) -> str:
    """An RFC 3339 time as the reader's clock showed it, such as `23 Nov 10:15`; ``""`` where there is none.

    Go writes year 1 for «no time» (Alertmanager's endsAt of a firing alert). A time without offset is UTC.
    """
    try:
        moment = datetime.datetime.fromisoformat(text)
        if moment.year == 1:
            return ""
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=datetime.UTC)
        moment = moment.astimezone(zone(reader.timezone))
    except (ValueError, OverflowError):
        return ""
    return f"{moment.day} {_MONTHS[reader.locale].split()[moment.month - 1]} {moment:%H:%M}"
