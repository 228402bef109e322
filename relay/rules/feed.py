"""The shifts of an on-call calendar, as far as they have been read; and whom a shift means.

Never reads iCalendar: `relay.rules.ical` makes shifts out of it, once for each change, and they are kept as JSON.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from relay.errors import RelayError
from relay.rules.people import PORTAL_ID, Directory, Person

_WORD = re.compile(r"[\w.+-]+(?:[@/][\w.-]+)?")
NAMELESS = "(a shift without a name)"
MOST_BYTES = 1_000_000  # of a calendar


class BadFeed(RelayError):
    """The calendar cannot be used."""


@dataclass(frozen=True, slots=True, order=True)
class Shift:
    """One event of a calendar: from ``start`` till before ``end``, both in UTC."""

    start: datetime
    end: datetime
    summary: str = ""
    attendees: tuple[str, ...] = ()  # e-mail addresses, as a rule


@dataclass(frozen=True)
class Feed:
    """The shifts between two moments, in their order. ``notes`` say what in the calendar could not be used."""

    since: datetime
    until: datetime
    shifts: tuple[Shift, ...] = ()
    notes: tuple[str, ...] = ()

    @cached_property
    def edges(self) -> tuple[datetime, ...]:
        """The moments at which anything changes, in their order."""
        inside = {edge for shift in self.shifts for edge in (shift.start, shift.end) if self.since < edge < self.until}
        return (self.since, *sorted(inside), self.until)

    def at(self, moment: datetime) -> tuple[Shift, ...]:
        """The shifts that hold at a moment."""
        moment = moment.astimezone(UTC)  # moments of one zone compare ten times as fast
        return tuple(shift for shift in self.shifts if shift.start <= moment < shift.end)


def meant_by(shift: Shift, among: Directory) -> tuple[tuple[Person, ...], tuple[str, ...]]:
    """Whom a shift means, and its names that mean nobody known.

    Its attendees, if any of them is known; else whomever its summary names: as a whole, or in any of its words, by
    name, login, e-mail or team.
    """
    found = {name: _meant(name, among) for name in shift.attendees}
    if any(found.values()):
        return _each_once(found.values()), tuple(name for name, persons in found.items() if not persons)
    persons = _meant(shift.summary, among) or _each_once(_meant(word, among) for word in _WORD.findall(shift.summary))
    return persons, () if persons else shift.attendees or (shift.summary or NAMELESS,)


def _meant(text: str, among: Directory) -> tuple[Person, ...]:
    """A number in a calendar is a year or a level of support, never a portal's id."""
    text = text.strip(" .")
    return () if not text or PORTAL_ID.fullmatch(text) else among.of_value(text, "")


def _each_once(many: Any) -> tuple[Person, ...]:
    return tuple({person.name: person for persons in many for person in persons}.values())


# ── As JSON ──────────────────────────────────────────────────────────────────────────────────────────────────────


def to_json(feed: Feed) -> str:
    shifts = [[each.start.timestamp(), each.end.timestamp(), each.summary, each.attendees] for each in feed.shifts]
    told = {"since": feed.since.timestamp(), "until": feed.until.timestamp(), "shifts": shifts, "notes": feed.notes}
    return json.dumps(told, ensure_ascii=False)


def from_json(text: str) -> Feed:
    """What :func:`to_json` wrote.

    Raises:
        ValueError, KeyError, TypeError: it is something else.
    """
    told = json.loads(text)
    return Feed(
        since=_moment(told["since"]),
        until=_moment(told["until"]),
        shifts=tuple(
            Shift(_moment(start), _moment(end), str(summary), tuple(map(str, attendees)))
            for start, end, summary, attendees in told["shifts"]
        ),
        notes=tuple(map(str, told["notes"])),
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
