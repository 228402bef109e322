"""Small iCalendar texts for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from relay.rules import ical
from relay.rules.feed import Feed

SINCE, UNTIL = datetime(2026, 11, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
WEEK = "DTSTART:20261102T100000Z\nDTEND:20261109T100000Z\n"


def calendar(*events: str, head: str = "") -> str:
    """A calendar of events, each the lines between BEGIN and END."""
    numbered = (f"BEGIN:VEVENT\nUID:{number}\n{lines.strip()}\nEND:VEVENT" for number, lines in enumerate(events))
    body = "\n".join(filter(None, (head.strip(), *numbered)))
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//\n{body}\nEND:VCALENDAR\n".replace("\n", "\r\n")


def read(text: str, zone: str = "UTC") -> Feed:
    return ical.read(text, SINCE, UNTIL, ZoneInfo(zone))


def starts(feed: Feed) -> list[str]:
    return [f"{shift.start:%m-%d %H:%M}" for shift in feed.shifts]
