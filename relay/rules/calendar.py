"""Hours, days and dates of a place on earth: is a moment inside a window, and when does that end.

Never asks a clock, and never reads the rules file: `relay.rules.times` does.

Three rules hold wherever clocks are changed:

* a time that the clock skips (02:30 where 02:00 is followed by 03:00) is the moment of the jump;
* a stretch of hours begins when the clock shows its beginning for the first time, and ends when it shows its end for
  the last time: a night is one stretch, and nobody is woken between the two 02:30 of one night;
* hours that pass midnight belong to the day on which they begin: `weekdays: fri`, `hours: "22:00-08:00"` ends on
  Saturday morning.
"""

from __future__ import annotations

from bisect import bisect_left
from calendar import monthrange
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from relay.rules.people import Person

DAY = timedelta(days=1)
MIDNIGHT = 24 * 60  # minutes
HORIZON = timedelta(days=400)  # no farther than this is it asked when something ends

# All weekdays of all days of all months come by within 28 years, if none of them is a century (Gregorian calendar).
_EVERY_DAY = (date(2001, 1, 1), date(2028, 12, 31))

Span = tuple[int, int]  # both ends included
Stretch = tuple[datetime, datetime]  # in UTC; the end is not included


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Moments of one kind: all that is said must hold, and what is empty says nothing.

    ``weekdays`` count from Monday, 0. ``days`` of the month count from 1, or from its end: -1 is the last. ``hours``
    are minutes since midnight, beyond 1440 on the next day. ``zone`` is ``None`` till it is said whose clock counts.
    """

    weekdays: frozenset[int] = frozenset()
    hours: tuple[Span, ...] = ()
    days: tuple[Span, ...] = ()
    months: frozenset[int] = frozenset()
    dates: tuple[tuple[date, date], ...] = ()
    zone: ZoneInfo | None = None

    def on(self, zone: ZoneInfo) -> Window:
        """The same window by this zone's clock, if it has none of its own."""
        return self if self.zone else replace(self, zone=zone)

    def takes(self, day: date) -> bool:
        """May the window begin on this day?"""
        return (
            (not self.weekdays or day.weekday() in self.weekdays)
            and (not self.months or day.month in self.months)
            and (not self.dates or any(first <= day <= last for first, last in self.dates))
            and (not self.days or any(_in_month(span, day) for span in self.days))
        )

    def can_hold(self) -> bool:
        """Is there any day on which the window begins?"""
        ranges = self.dates or (_EVERY_DAY,)
        return any(self.takes(day) for first, last in ranges for day in _days(first, min(last, _later(first, 28))))

    def end(self, moment: datetime) -> datetime | None:
        """When the window that holds ``moment`` ends, or ``None`` where none does."""
        zone = self.zone or UTC_ZONE
        today = moment.astimezone(zone).date()
        near = (stretch for day in (today - DAY, today) if self.takes(day) for stretch in self._stretches(day, zone))
        return max((end for start, end in near if start <= moment < end), default=None)

    def _stretches(self, day: date, zone: ZoneInfo) -> Iterator[Stretch]:
        """The hours of one day; of a window without hours, the whole days that follow each other."""
        for first, last in self.hours:
            yield _at(day, first, zone), _at(day, last, zone, again=True)
        if not self.hours:
            after = day + DAY
            while self.takes(after) and after - day < HORIZON:
                after += DAY
            yield _at(day, 0, zone), _at(after, 0, zone, again=True)


UTC_ZONE = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Times:
    """A named time of the rules: any of its windows."""

    name: str
    windows: tuple[Window, ...]

    @property
    def zone(self) -> ZoneInfo:
        """The zone to tell its end in."""
        return next((window.zone for window in self.windows if window.zone), UTC_ZONE)

    def until(self, moment: datetime) -> datetime | None:
        return until(self.windows, moment)


def until(windows: Iterable[Window], moment: datetime) -> datetime | None:
    """When the last of the windows that hold without a gap from ``moment`` on ends, in UTC; ``None`` outside of all.

    What never ends is told as the moment 400 days ahead.
    """
    end, windows = None, tuple(windows)
    here = moment
    while (later := max(filter(None, (window.end(here) for window in windows)), default=None)) is not None:
        here = end = min(later, moment.astimezone(UTC) + HORIZON)
        if end < later:
            break
    return end


def muted(mute: Iterable[Times], active: Sequence[Times], now: datetime) -> str:
    """Why nobody is to be told now; ``""`` where nothing speaks against it.

    Nobody is told inside of ``mute``, nor outside of ``active`` if there is any.
    """
    for times in mute:
        end = times.until(now)
        if end is not None:
            return f"muted by {times.name}{_told(end, times.zone, now)}"
    if active and not any(times.until(now) for times in active):
        return f"muted outside {' and '.join(times.name for times in active)}"
    return ""


def _told(end: datetime, zone: ZoneInfo, now: datetime) -> str:
    """`` until Mon 00:00 Europe/Moscow``: with its date if it is a week away, and nothing if it never ends."""
    if end - now >= HORIZON:
        return ""
    wall = end.astimezone(zone)
    return f" until {wall:%a %H:%M} {zone.key}" if end - now < 6 * DAY else f" until {wall:%Y-%m-%d %H:%M} {zone.key}"


def quiet_until(person: Person, now: datetime) -> datetime | None:
    """When the person's quiet hours end, if ``now`` is in them; in UTC."""
    return until(person.quiet, now)


# ── A wall clock's time → the moment ─────────────────────────────────────────────────────────────────────────────


def moment_of(wall: datetime, zone: ZoneInfo, *, again: bool = False) -> datetime:
    """The moment, in UTC, at which the clocks of a zone show ``wall`` (which has no zone of its own).

    Of a time that is shown twice it is the first, or the second if it is asked for ``again``; a time that the clock
    skips is the moment of the jump.
    """
    early, late = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if early <= late:
        return late if again else early
    # PEP 495: in a gap fold=0 reckons by the offset before the jump and fold=1 by the one after it, so that the jump is
    # between the two moments, which stand in the wrong order.
    after = early.astimezone(zone).utcoffset()
    seconds = range(int((early - late).total_seconds()) + 1)
    jumped = bisect_left(
        seconds, True, key=lambda s: (late + timedelta(seconds=s)).astimezone(zone).utcoffset() == after
    )
    return late + timedelta(seconds=jumped)


def _at(day: date, minutes: int, zone: ZoneInfo, *, again: bool = False) -> datetime:
    days, minutes = divmod(minutes, MIDNIGHT)
    return moment_of(datetime.combine(day + days * DAY, time(minutes // 60, minutes % 60)), zone, again=again)


# ── Days ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _in_month(span: Span, day: date) -> bool:
    """Days beyond the month's last are not there: 29-31 in February of a leap year is the 29th."""
    length = monthrange(day.year, day.month)[1]
    first, last = (length + 1 + each if each < 0 else each for each in span)
    return first <= day.day <= last


def _days(first: date, last: date) -> Iterator[date]:
    return (date.fromordinal(each) for each in range(first.toordinal(), last.toordinal() + 1))


def _later(day: date, years: int) -> date:
    return date(day.year + years, 12, 31)
