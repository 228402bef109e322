"""«2026-11-23 10:00 Europe/Moscow» → a moment: what `at:` says in a test.

Never takes a time without its zone: the test would mean another moment on another machine.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator

# When nothing else is said: a Monday at noon, the same on every machine and for ever.
USUAL = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}(?::\d{2})?) ?(Z|[+-]\d{2}:\d{2}|[A-Za-z][\w+/-]*)", re.ASCII)
_FORM = "must be a time with its zone, such as 2026-11-23 10:00 Europe/Moscow"


def moment(text: object) -> datetime:
    """Read a date, a time and a zone: `Z`, an offset such as `+03:00`, or a name such as `Europe/Moscow`.

    Raises:
        ValueError: it is not that; the sentence says what is expected.
    """
    match = _MOMENT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(_FORM)
    date, time, zone = match.groups()
    try:
        if zone == "Z" or zone[0] in "+-":
            return datetime.fromisoformat(f"{date}T{time}{zone}")
        return datetime.fromisoformat(f"{date}T{time}").replace(tzinfo=ZoneInfo(zone))
    except (KeyError, OSError, ValueError):  # no such day or hour; no such zone; a path that leads out of the zones
        raise ValueError(_FORM) from None


def written(at: datetime) -> str:
    """A moment for a person to read, in the zone in which it was given."""
    zone = at.tzinfo.key if isinstance(at.tzinfo, ZoneInfo) else at.tzname()
    return f"{at:%Y-%m-%d %H:%M:%S} {zone}"


Moment = Annotated[datetime, BeforeValidator(moment)]
