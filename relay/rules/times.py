"""The shape of `times:` and `quiet:`: hours, weekdays, days, months and dates as people write them → windows.

Never reckons with them: `relay.rules.calendar` does. Whatever Alertmanager's time_intervals can say can be said here
(Alertmanager docs, configuration, «time_interval»): its years are dates of four digits, its location a timezone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, WithJsonSchema

from relay.rules.calendar import MIDNIGHT, Span, Times, Window
from relay.rules.complaints import Complain, Complaints
from relay.rules.document import Path
from relay.rules.pieces import validated
from relay.rules.sentences import did_you_mean
from relay.schema import Part

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)

NAME = re.compile(r"[\w.-]{1,64}")

_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|(24):(00)")
_HOURS = re.compile(r"([0-9:]+)\s*[-–]\s*([0-9:]+)")
_DAYS = re.compile(r"(-?[0-9]{1,2})(?:\s*(?:-|–|\.\.)\s*(-?[0-9]{1,2}))?")
_RANGE = re.compile(r"([a-z0-9]+)(?:\s*(?:-|–|\.\.)\s*([a-z0-9]+))?", re.IGNORECASE)
YEARS = range(1900, 2200)  # beyond lie typing errors, and the ends of what can be reckoned

_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2}))?(?:-([0-9]{2}))?")


def zone_name(name: str) -> str:
    """A time zone's name, if there is one of it."""
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # not found; a directory of zones; a path that leads out of them
        raise ValueError("is no time zone: write one such as Europe/Moscow") from None
    return name


def clock(text: str) -> int | None:
    """Minutes since midnight of "HH:MM"; 24:00 is the day's end."""
    found = _CLOCK.fullmatch(text)
    return 60 * int(found[1] or found[3]) + int(found[2] or found[4]) if found else None


def _hours(text: str) -> Span:
    found = _HOURS.fullmatch(text)
    first, last = (clock(found[1]), clock(found[2])) if found else (None, None)
    if first is None or last is None or first == MIDNIGHT:
        raise ValueError('is no span of hours: write it such as "22:00-08:00", quoted')
    if first == last:
        raise ValueError("begins and ends at the same time: leave the hours out for whole days")
    return first, last if last > first else last + MIDNIGHT


def _days(text: str) -> Span:
    found = _DAYS.fullmatch(text)
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not (1 <= abs(first) <= 31 and 1 <= abs(last) <= 31):
        raise ValueError("is no day of a month: write 15, 1-7, or from the end -1 or -7..-1")
    if (first > last and (first > 0) == (last > 0)) or (first < 0 < last):
        raise ValueError("ends before it begins: write two of them, such as [25..-1, 1-5]")
    return first, last


def _dates(text: str) -> tuple[date, date]:
    """A day, a month, a year, or from the first of two such to the last day of the other."""
    begins, _, ends = text.partition("..")
    try:
        first, last = _first_and_last(begins.strip())[0], _first_and_last((ends or begins).strip())[1]
    except ValueError:
        raise ValueError('is no date: write 2026-05-09, 2026-05, 2026 or "2026-01-01..2026-01-08"') from None
    if first > last:
        raise ValueError("ends before it begins")
    return first, last


def _first_and_last(text: str) -> tuple[date, date]:
    """The first and last day of a day, month or year.

    Raises:
        ValueError: it is none of them.
    """
    found = _DATE.fullmatch(text)
    if not found:
        raise ValueError(text)
    year, month, day = int(found[1]), int(found[2] or 1), int(found[3] or 1)
    if year not in YEARS:
        raise ValueError(text)
    first = date(year, month, day)
    if found[3]:
        return first, first
    after = date(year + 1, 1, 1) if not found[2] or month == 12 else date(year, month + 1, 1)
    return first, after - timedelta(days=1)


def _round(names: tuple[str, ...], what: str) -> Callable[[str], tuple[int, ...]]:
    """A reader of one or a range of names that come round again: fri-mon, nov-feb."""

    def number(word: str) -> int | None:
        if word.isdigit() and names is MONTHS:
            return int(word) - 1 if 1 <= int(word) <= 12 else None
        word = word.casefold()
        return next((at for at, name in enumerate(names) if word in (name, name[:3])), None)

    def read(text: str) -> tuple[int, ...]:
        found = _RANGE.fullmatch(text)
        first, last = (number(found[1]), number(found[2] or found[1])) if found else (None, None)
        if first is None or last is None:
            example = f"{names[0][:3]} or {names[0][:3]}-{names[4][:3]}"
            raise ValueError(f"is no {what}: write {example}")
        return tuple((first + step) % len(names) for step in range((last - first) % len(names) + 1))

    return read


def _listed(value: object) -> object:
    return value if isinstance(value, list) else [value]


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("must be text: quote it")
    return str(value).strip()


def _each(read: Callable[[str], object]) -> PlainValidator:
    return PlainValidator(lambda value: read(_text(value)))


_TEXT = {"type": ["string", "integer"]}
_ONE_OR_MANY = WithJsonSchema({"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]})
_MANY = (BeforeValidator(_listed), Field(min_length=1), _ONE_OR_MANY)

Zone = Annotated[str, AfterValidator(zone_name)]
_Numbers = tuple[int, ...]
Weekdays = Annotated[tuple[Annotated[_Numbers, _each(_round(WEEKDAYS, "weekday"))], ...], *_MANY]
Months = Annotated[tuple[Annotated[_Numbers, _each(_round(MONTHS, "month"))], ...], *_MANY]
Hours = Annotated[tuple[Annotated[Span, _each(_hours)], ...], *_MANY]
Days = Annotated[tuple[Annotated[Span, _each(_days)], ...], *_MANY]
Dates = Annotated[tuple[Annotated[tuple[date, date], _each(_dates)], ...], *_MANY]


class TimePart(Part):
    """A time that comes again: all that is said must hold."""

    weekdays: Weekdays = Field(
        (), description="mon-fri, or a list; hours past midnight belong to the day they begin on"
    )
    hours: Hours = Field((), description='"22:00-08:00", or a list; the end is not included')
    days: Days = Field((), description="of the month: 1-7, -1 for the last, or a list")
    months: Months = Field((), description="jan-mar, 12, or a list")
    dates: Dates = Field((), description='2026-05-09, 2026-05, 2026, "2026-01-01..2026-01-08", or a list')
    timezone: Zone | None = Field(None, description="such as Europe/Moscow; UTC without it")

    def window(self) -> Window:
        return Window(
            weekdays=frozenset(_all(self.weekdays)),
            hours=() if (0, MIDNIGHT) in self.hours else self.hours,
            days=self.days,
            months=frozenset(number + 1 for number in _all(self.months)),
            dates=self.dates,
            zone=ZoneInfo(self.timezone) if self.timezone else None,
        )


def hours_window(text: str) -> Window | None:
    """The window of `quiet: "22:00-08:00"`; ``None`` for what is no span of hours, such as a name.

    Raises:
        ValueError: it is meant as one and cannot be.
    """
    return Window(hours=(_hours(text),)) if _HOURS.fullmatch(text) else None


def _all(parts: Iterable[Iterable[int]]) -> Iterable[int]:
    return (each for part in parts for each in part)


# ── Reading `times:`, and the keys that name one of them ─────────────────────────────────────────────────────────


def section(data: Mapping[str, Any], complaints: Complaints) -> Mapping[str, Times]:
    """The named times, each a mapping or a list of mappings, any of which will do."""
    return {name: _times(name, spec, complaints) for name, spec in data.items()}


def _times(name: str, spec: Any, complaints: Complaints) -> Times:
    path: Path = ("times", name)
    if not NAME.fullmatch(name):
        complaints.key(path, "a time's name is made of letters, digits, dots, dashes and underscores")
    if spec == []:
        complaints.error(path, "needs at least one time")
    listed = isinstance(spec, list)
    parts = enumerate(spec) if listed else [(0, spec)]
    windows = (_window(part, (*path, index) if listed else path, complaints) for index, part in parts)
    return Times(name, tuple(window for window in windows if window is not None))


def _window(data: Any, path: Path, complaints: Complaints) -> Window | None:
    part = validated(TimePart, data, path, complaints)
    if part is None:
        return None
    if not set(data) - {"timezone"}:
        complaints.error(path, "says no time: give weekdays, hours, days, months or dates")
    window = part.window()
    if not window.can_hold():
        complaints.warning(path, "never holds: there is no day that is all of this", "dead-time")
    return window


def named(spec: Any, times: Mapping[str, Times], path: Path, complain: Complain) -> tuple[Times, ...]:
    """Read `mute:` or `active:`: the name of a time, or a list of them."""
    found = []
    for here, name in _parts(spec, path):
        if name in times:
            found.append(times[name])
        else:
            complain(here, f"no time is called {name}{did_you_mean(name, times)}")
    return tuple(found)


def quiet(spec: Any, zone: ZoneInfo, times: Mapping[str, Times], path: Path, complain: Complain) -> tuple[Window, ...]:
    """Read `quiet:`: hours, a name under `times:`, or a list of them; by this zone's clock where they name no other."""
    found: list[Window] = []
    for here, part in _parts(spec, path):
        try:
            if not isinstance(part, str):
                raise ValueError('must be hours such as "22:00-08:00", or a name under times:')
            hours = hours_window(part)
        except ValueError as fault:
            complain(here, str(fault))
            continue
        if hours is None and part not in times:
            complain(here, f'is neither hours such as "22:00-08:00" nor a name under times:{did_you_mean(part, times)}')
        found += [hours] if hours else times[part].windows if part in times else []
    return tuple(window.on(zone) for window in found)


def _parts(spec: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(spec, list):
        yield from (((*path, index), part) for index, part in enumerate(spec))
    else:
        yield path, spec
