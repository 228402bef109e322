"""An iCalendar feed's text (RFC 5545) → the shifts in it between two moments, recurring events unfolded.

Never reads the network. A hostile text may take long all the same: whoever reads a stranger's gives it a process with
limits of its own (`relay.feed_reading`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from math import prod
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events  # type: ignore[import-untyped]  # it has no stubs and no py.typed

from relay.rules.calendar import moment_of
from relay.rules.feed import MOST_BYTES, BadFeed, Feed, Shift

MOST_SHIFTS = 5_000
MOST_RECURRING = 500  # events
MOST_TIMES = 4  # of a day, for an event that comes again
MOST_ATTENDEES = 50
MOST_LETTERS = 200  # of a summary or an address

STEP = timedelta(days=7)  # what is unfolded at once

FREQUENCIES = frozenset({"DAILY", "WEEKLY", "MONTHLY", "YEARLY"})
NOT_PERSONS = frozenset({"ROOM", "RESOURCE"})  # CUTYPE, RFC 5545 §3.2.3


def read(text: str, since: datetime, until: datetime, zone: ZoneInfo) -> Feed:
    """Read a calendar's events between two moments.

    Args:
        text: the calendar; ``zone`` is for what it says without a zone, such as whole days.
        since, until: what is unfolded; both in UTC.

    Raises:
        BadFeed: it is no calendar, or holds more than one of shifts.
    """
    if len(text) > MOST_BYTES:
        raise BadFeed(f"is larger than {MOST_BYTES // 1_000_000} MB")
    notes: list[str] = []
    calendar = _parsed(text)
    calendar.subcomponents = list(_usable(calendar.subcomponents, notes))
    try:
        shifts = _unfolded(calendar, since, until, zone)
    except BadFeed:
        raise
    except Exception as fault:  # whatever a stranger's events make the library stumble over
        raise BadFeed(f"holds events that cannot be read ({type(fault).__name__})") from None
    return Feed(since=since, until=until, shifts=tuple(sorted(shifts)), notes=tuple(notes))


def _parsed(text: str) -> icalendar.Calendar:
    try:
        found = icalendar.Calendar.from_ical(text)
    except Exception:  # ValueError as a rule; what else a stranger's text leads to is no better
        found = None
    if not isinstance(found, icalendar.Calendar):
        raise BadFeed("is no iCalendar file")
    return found


def _usable(components: Iterable[Any], notes: list[str]) -> Iterator[Any]:
    """All but the events that come again in ways that no shift does; without alarms, which concern nobody here."""
    recurring = 0
    for component in components:
        if component.name == "VEVENT":
            component.subcomponents = []
            recurring += "RRULE" in component
            why = _unusable(component)
            if why:
                notes.append(f"{_text(component.get('SUMMARY')) or 'an event without a name'}: {why}, and is left out")
                continue
        yield component
    if recurring > MOST_RECURRING:
        raise BadFeed(f"has more than {MOST_RECURRING} events that come again")


def _unusable(event: Any) -> str:
    if "DTSTART" not in event:
        return "has no beginning"
    rules = event.get("RRULE", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        frequency = str(next(iter(rule.get("FREQ", [""])))).upper()
        if frequency not in FREQUENCIES:
            return "comes again more often than daily"
        if prod(max(1, len(rule.get(part, ()))) for part in ("BYHOUR", "BYMINUTE", "BYSECOND")) > MOST_TIMES:
            return f"comes again more than {MOST_TIMES} times a day"
    return ""


def _unfolded(calendar: icalendar.Calendar, since: datetime, until: datetime, zone: ZoneInfo) -> set[Shift]:
    """Piece by piece, so that a flood is noticed before it fills the memory; what reaches over two is found once."""
    query = recurring_ical_events.of(calendar, skip_bad_series=True)
    found: set[Shift] = set()
    here = since
    while here < until:
        found |= set(_shifts(query.between(here, min(here + STEP, until)), zone))
        here += STEP
        if len(found) > MOST_SHIFTS:
            raise BadFeed(f"has more than {MOST_SHIFTS} shifts in {(until - since).days} days")
    return found


def _shifts(events: Iterable[Any], zone: ZoneInfo) -> Iterator[Shift]:
    for event in events:
        if str(event.get("STATUS", "")).upper() == "CANCELLED":
            continue
        start, end = _moment(event.start, zone), _moment(event.end, zone)
        if start < end:
            yield Shift(start, end, _text(event.get("SUMMARY")), tuple(islice(_attendees(event), MOST_ATTENDEES)))


def _attendees(event: Any) -> Iterator[str]:
    """The addresses of those who come: no rooms, and nobody who has declined (PARTSTAT, RFC 5545 §3.2.12)."""
    attendees = event.get("ATTENDEE", [])
    for each in attendees if isinstance(attendees, list) else [attendees]:
        params = getattr(each, "params", {})
        kind, answer = (str(params.get(name, "")).upper() for name in ("CUTYPE", "PARTSTAT"))
        address = _text(each)
        if kind not in NOT_PERSONS and answer != "DECLINED" and address:
            yield address[7:] if address[:7].casefold() == "mailto:" else address


def _moment(value: date | datetime, zone: ZoneInfo) -> datetime:
    """A moment of its own zone, or a wall clock's time or a whole day by the schedule's."""
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)  # noqa: DTZ001 - a wall clock's, as moment_of wants
    return moment_of(value, zone) if value.tzinfo is None else value.astimezone(UTC)


def _text(value: object) -> str:
    """One line, cut: it is matched, stored and shown to the operator."""
    return "" if value is None else " ".join(str(value).split())[:MOST_LETTERS]
