"""The shape of `oncall:`, and its reading: rotations, calendars and overrides as people write them → schedules.

Never reckons who is on duty: `relay.rules.oncall` does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Annotated, Any, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import Field, PlainValidator, WithJsonSchema

from relay.rules.calendar import MIDNIGHT, moment_of
from relay.rules.complaints import Complaints
from relay.rules.document import Path
from relay.rules.environment import has_reference
from relay.rules.oncall import Override, Rotation, Schedule
from relay.rules.people import DEFAULT_TIMEZONE, Directory
from relay.rules.pieces import validated
from relay.rules.recipients import Known, certain
from relay.rules.times import NAME, WEEKDAYS, YEARS, Zone, clock
from relay.schema import Part, SecretText

WEBCAL = "webcal://"  # how calendars offer themselves to be subscribed to; https is meant
_URL = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_HANDOFF = re.compile(r"(?:([a-z]+)\s+)?([0-9:]+)", re.IGNORECASE)
_ROTATION_ALONE = ("rotation", "handoff", "from")  # keys


class Handoff(NamedTuple):
    """At what time, and on which weekday (Monday is 0; ``None``: daily)."""

    weekday: int | None
    at: time


def _handoff(value: object) -> Handoff:
    found = _HANDOFF.fullmatch(str(value).strip())
    word, minutes = (found[1], clock(found[2])) if found else (None, None)
    weekday = next((at for at, name in enumerate(WEEKDAYS) if word and word.casefold() in (name, name[:3])), None)
    if minutes is None or minutes == MIDNIGHT or (word and weekday is None):
        raise ValueError('is no time of a handoff: write "Mon 10:00", or "10:00" for daily')
    return Handoff(weekday, time(minutes // 60, minutes % 60))


def _day(value: object) -> date:
    try:
        found = date.fromisoformat(str(value))
    except ValueError:
        found = None
    if found is None or found.year not in YEARS:
        raise ValueError("is no day: write one such as 2026-11-23")
    return found


def _wall(value: object) -> datetime:
    """A wall clock's time: it gets its zone from the schedule."""
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        found = None
    if found is None or found.tzinfo is not None or found.year not in YEARS:
        raise ValueError("is no time: write one such as 2026-12-31 10:00, by the clock of the schedule's timezone")
    return found


_TEXT = WithJsonSchema({"type": "string"})
_PERSONS = WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})
Wall = Annotated[datetime, PlainValidator(_wall), _TEXT]
Persons = Annotated[Any, _PERSONS]  # read by hand, as `to:` is


class OverridePart(Part):
    """Somebody else than the rotation or calendar says."""

    person: Persons = Field(..., description="a person, team/x, or a list")
    since: Wall = Field(..., alias="from", description="2026-12-31 10:00")
    until: Wall = Field(..., description="2027-01-02 10:00, not included")


class SchedulePart(Part):
    """Who is on call: by rotation, or by a calendar (`ical`)."""

    timezone: Zone = Field(DEFAULT_TIMEZONE, description="whose clock counts, such as Europe/Moscow")
    handoff: Annotated[Handoff, PlainValidator(_handoff), _TEXT] | None = Field(
        None, description='"Mon 10:00" weekly, "10:00" daily'
    )
    rotation: list[Persons] | None = Field(
        None, min_length=1, description="persons in turn; team/x or a list is one turn of several"
    )
    begins: Annotated[date, PlainValidator(_day), _TEXT] | None = Field(
        None, alias="from", description="the day on which the first of the rotation takes over"
    )
    ical: SecretText | None = Field(None, description="a calendar: its https address, or a file beside the rules")
    overrides: list[OverridePart] = Field([], description="the last one that holds wins")


def section(
    data: Mapping[str, Any], raw: Any, among: Directory, complaints: Complaints
) -> Mapping[str, Schedule | None]:
    """The schedules by name; ``None`` for one that cannot be used."""
    return {name: _schedule(name, spec, raw[name], among, complaints) for name, spec in data.items()}


def _schedule(name: str, data: Any, raw: Any, among: Directory, complaints: Complaints) -> Schedule | None:
    path: Path = ("oncall", name)
    if not NAME.fullmatch(name):
        complaints.key(path, "a schedule's name is made of letters, digits, dots, dashes and underscores")
    part = validated(SchedulePart, data, path, complaints)
    if part is None:
        return None
    zone = ZoneInfo(part.timezone)
    if part.ical is not None:
        _check_calendar(part.ical.reveal(), data, raw, path, complaints)
    return Schedule(
        name=name,
        zone=zone,
        rotation=None if "ical" in data else _rotation(part, data, path, among, complaints),
        ical=part.ical,
        overrides=tuple(
            _override(each, (*path, "overrides", index), zone, among, complaints)
            for index, each in enumerate(part.overrides)
        ),
    )


def _check_calendar(place: str, data: Mapping[str, Any], raw: Any, path: Path, complaints: Complaints) -> None:
    for key in _ROTATION_ALONE:
        if key in data:
            complaints.key((*path, key), "stands beside ical: the calendar says who is on call and when")
    scheme = _URL.match(place)
    if scheme and scheme[1].casefold() not in ("https", "webcal"):
        complaints.error((*path, "ical"), "must be an https address, or a file beside the rules")
    if scheme and isinstance(raw, dict) and isinstance(raw.get("ical"), str) and not has_reference(raw["ical"]):
        complaints.warning(
            (*path, "ical"),
            "whoever has this address can read the calendar: take it from the environment, as ${NAME}",
            "clear-secret",
        )


def _rotation(
    part: SchedulePart, data: Mapping[str, Any], path: Path, among: Directory, complaints: Complaints
) -> Rotation | None:
    missing = [key for key in _ROTATION_ALONE if key not in data]
    if len(missing) == len(_ROTATION_ALONE):
        complaints.error(path, "says nobody: give rotation, handoff and from, or ical")
    elif missing:
        complaints.error((*path, missing[0]), f"is missing: a rotation needs {', '.join(_ROTATION_ALONE)}")
    if part.rotation is None or part.handoff is None or part.begins is None:
        return None
    weekday, at = part.handoff
    if weekday is not None and part.begins.weekday() != weekday:
        day, wanted = WEEKDAYS[part.begins.weekday()].capitalize(), WEEKDAYS[weekday].capitalize()
        complaints.error((*path, "from"), f"is a {day}, and the handoff is on {wanted}: give the first day of a turn")
    members = [
        _members(each, (*path, "rotation", index), among, complaints) for index, each in enumerate(part.rotation)
    ]
    return Rotation(members=tuple(members), begins=part.begins, at=at, days=1 if weekday is None else 7)


def _override(part: OverridePart, path: Path, zone: ZoneInfo, among: Directory, complaints: Complaints) -> Override:
    if part.until <= part.since:
        complaints.error((*path, "until"), "ends before it begins")
    return Override(
        persons=_members(part.person, (*path, "person"), among, complaints),
        since=moment_of(part.since, zone),
        until=moment_of(part.until, zone),
    )


def _members(spec: Any, path: Path, among: Directory, complaints: Complaints) -> tuple[str, ...]:
    """The names of a turn's persons, each once."""
    found: dict[str, None] = {}
    if spec == []:
        complaints.error(path, "is nobody: name at least one person")
    for index, part in enumerate(spec if isinstance(spec, list) else [spec]):
        here = (*path, index) if isinstance(spec, list) else path
        one = certain(part, among=among, path=here, complain=complaints.error)
        found |= {person.name: None for person in (one.persons if isinstance(one, Known) else ())}
    return tuple(found)
