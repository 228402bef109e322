"""Who is on duty: by rotation, by a calendar's shifts, and by the overrides written over either.

Never asks a clock and never fetches a calendar: both are handed in.

Handoffs are wall-clock times. One that the clock skips is at the moment of the jump; one that it shows twice is at the
first of the two; so every turn begins where the one before it ends, whatever the clocks do.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from relay.rules.calendar import DAY, moment_of
from relay.rules.feed import Feed, Shift, meant_by
from relay.rules.people import Directory, Person
from relay.settings import Secret

MOST_SHIFTS = 1_000  # of one question


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Persons who are on duty instead of whoever else would be. ``until`` is not included."""

    persons: tuple[str, ...]
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """Turns of one day or one week, each by wall clock from one handoff to the next.

    ``members`` are the persons' names, a tuple for each turn; the first of them takes over on the day ``begins``.
    """

    members: tuple[tuple[str, ...], ...]
    begins: date
    at: time
    days: int  # of one turn: 1 or 7

    def handoff(self, turn: int, zone: ZoneInfo) -> datetime:
        return moment_of(datetime.combine(self.begins + turn * self.days * DAY, self.at), zone)

    def turn(self, now: datetime, zone: ZoneInfo) -> int:
        """The number of the turn that ``now`` is in; negative before the first."""
        turn = (now.astimezone(zone).date() - self.begins) // (self.days * DAY)
        return turn if self.handoff(turn, zone) <= now else turn - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One entry of `oncall:`: its shifts are a rotation's, or those of the calendar at ``ical``, a URL or a file."""

    name: str
    zone: ZoneInfo
    rotation: Rotation | None = None
    ical: Secret | None = None
    overrides: tuple[Override, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDuty:
    """Who has the duty, from when and till when (in UTC; ``None``: no end is known), and why.

    ``strangers`` are the names in a calendar's shift that mean nobody known. Nobody has the duty where ``persons`` is
    empty; ``why`` then says what is missing.
    """

    persons: tuple[Person, ...]
    since: datetime | None
    until: datetime | None
    why: str
    strangers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """Every schedule at one moment: what a decision asks."""

    schedules: Mapping[str, Schedule]
    feeds: Mapping[str, Feed]
    among: Directory
    now: datetime

    def on_duty(self, name: str) -> OnDuty:
        """Who is on duty by a schedule of the rules."""
        return on_duty(self.schedules[name], self.now, self.among, self.feeds.get(name))


def on_duty(schedule: Schedule, now: datetime, among: Directory, feed: Feed | None = None) -> OnDuty:
    """Who is on duty at a moment: by the last written override that holds, or else by the rotation or calendar."""
    since: datetime | None = None
    until: datetime | None = None
    for layer in _layers(schedule, now, among, feed):
        since = max(filter(None, (since, layer.since)), default=None)
        until = min(filter(None, (until, layer.until)), default=None)
        if layer.found is not None:
            found = layer.found
            return OnDuty(persons=found.persons, since=since, until=until, why=layer.why, strangers=found.strangers)
    return OnDuty(persons=(), since=since, until=until, why=_gap(schedule, now, feed))


def shifts(
    schedule: Schedule, start: datetime, end: datetime, among: Directory, feed: Feed | None = None
) -> tuple[OnDuty, ...]:
    """Who is on duty from ``start`` to ``end``, gaps too, in their order; the first and last may reach beyond.

    No more than 1000 of them.
    """
    found: list[OnDuty] = []
    here: datetime | None = start
    while here is not None and here < end and len(found) < MOST_SHIFTS:
        found.append(on_duty(schedule, here, among, feed))
        here = found[-1].until
    return tuple(found)


# ── Layers: overrides above, the rotation or the calendar below ──────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Found:
    persons: tuple[Person, ...]
    strangers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Layer:
    """What one layer says of a moment: whom it names, if it holds, and between which moments nothing changes in it."""

    found: _Found | None
    since: datetime | None
    until: datetime | None
    why: str = ""


def _layers(schedule: Schedule, now: datetime, among: Directory, feed: Feed | None) -> Iterator[_Layer]:
    for override in reversed(schedule.overrides):
        yield _of_override(override, now, among)
    if schedule.rotation is not None:
        yield _of_rotation(schedule.rotation, now, schedule.zone, among)
    elif feed is not None:
        yield _of_feed(feed, now, among)


def _of_override(override: Override, now: datetime, among: Directory) -> _Layer:
    if now < override.since:
        return _Layer(None, None, override.since)
    if now >= override.until:
        return _Layer(None, override.until, None)
    return _Layer(_known(override.persons, among), override.since, override.until, "by override")


def _of_rotation(rotation: Rotation, now: datetime, zone: ZoneInfo, among: Directory) -> _Layer:
    turn = rotation.turn(now, zone)
    if turn < 0:
        return _Layer(None, None, rotation.handoff(0, zone))
    members = rotation.members[turn % len(rotation.members)]
    since, until = rotation.handoff(turn, zone), rotation.handoff(turn + 1, zone)
    return _Layer(_known(members, among), since, until, "by rotation")


def _of_feed(feed: Feed, now: datetime, among: Directory) -> _Layer:
    edges = feed.edges
    at = bisect_right(edges, now)
    since, until = (edges[at - 1] if at else None), (edges[at] if at < len(edges) else None)
    current = feed.at(now)
    if not current:
        return _Layer(None, since, until)
    return _Layer(_named_in(current, among), since, until, "by calendar")


def _known(names: Sequence[str], among: Directory) -> _Found:
    return _Found(tuple(among.called(name) for name in names))


def _named_in(current: Sequence[Shift], among: Directory) -> _Found:
    """Whom shifts at one time mean, all of them, each once."""
    persons: dict[str, Person] = {}
    strangers: dict[str, None] = {}
    for shift in current:
        known, unknown = meant_by(shift, among)
        persons |= {person.name: person for person in known}
        strangers |= dict.fromkeys(unknown)
    return _Found(tuple(persons.values()), tuple(strangers))


def _gap(schedule: Schedule, now: datetime, feed: Feed | None) -> str:
    if schedule.rotation is not None:
        return f"the rotation begins on {schedule.rotation.begins}"
    if feed is None:
        return "its calendar has not been read yet"
    if not feed.since <= now < feed.until:
        return f"its calendar has been read only from {feed.since:%Y-%m-%d} to {feed.until:%Y-%m-%d}"
    return "its calendar has no shift then"
