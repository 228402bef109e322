"""People: who is who and what each got, who is on duty in the next two weeks, and names that mean nobody; with twins.

Never asks a portal, never fetches a calendar, and never changes the rules: it gives the line to paste into them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from http import HTTPStatus
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort

from relay.rules import Person, Rules
from relay.rules.calendar import Window
from relay.rules.oncall import OnDuty, Schedule, shifts
from relay.rules.pasting import line
from relay.store import accounts, daily, listing
from relay.store.accounts import Stranger
from relay.store.database import Transaction
from relay.store.search import Filter, MessageRow
from relay.web.pages import openapi
from relay.web.pages import outbox as outbox_page
from relay.web.pages.openapi import MAYBE_MOMENT, MOMENT, NUMBER, TEXT, in_path, many, maybe, operation, thing
from relay.web.pages.shell import Site, reply

WEEK = 7 * 86_400.0  # seconds, in which a name that means nobody was seen
AHEAD = timedelta(days=14)
LAST = 10  # messages of a person that are shown
WIDTH = 700  # of the picture of a schedule, in units of its view box
TONES = 6  # ways to fill a shift


def routes(site: Site) -> Blueprint:
    """``GET /people`` and ``/people/<name>``, ``/api/v1/people``, ``…/<name>``, ``/api/v1/oncall``, ``…/unmapped``."""
    page = Blueprint("people", __name__)

    @page.get("/people")
    def show() -> Response:
        rules = site.rules
        with site.house.database.read() as tx:
            got, strangers, now = daily.people(tx), accounts.strangers(tx, since=tx.now - WEEK), tx.now
        return site.render(
            "people.html",
            people=[described(person, site) for person in rules.people.values()],
            got=got,
            states=listing.WORST_FIRST,
            rosters=[roster(each, rules, now) for each in rules.oncall.values()],
            strangers=[(each, line(each.source, each.name, rules)) for each in strangers],
        )

    @page.get("/people/<name>")
    def show_one(name: str) -> Response:
        person, rules = _person(site, name), site.rules
        with site.house.database.read() as tx:
            got, last, now = daily.people(tx).get(name, {}), _last(tx, name), tx.now
        rosters = [roster(each, rules, now) for each in rules.oncall.values()]
        return site.render(
            "person.html",
            each=described(person, site),
            got=got,
            states=listing.WORST_FIRST,
            last=last,
            duties=[(each, _of_person(each, name)) for each in rosters if _of_person(each, name)],
        )

    @page.get("/api/v1/people")
    def read() -> Response:
        with site.house.database.read() as tx:
            got = daily.people(tx)
        people = [described(person, site) for person in site.rules.people.values()]
        return reply({"people": [_told(each, got.get(each.person.name, {})) for each in people]})

    @page.get("/api/v1/people/<name>")
    def read_one(name: str) -> Response:
        person = _person(site, name)
        with site.house.database.read() as tx:
            got, last = daily.people(tx).get(name, {}), _last(tx, name)
        return reply(_told(described(person, site), got) | {"messages": [outbox_page.told(each) for each in last]})

    @page.get("/api/v1/oncall")
    def duty() -> Response:
        rules = site.rules
        with site.house.database.read() as tx:
            now = tx.now
        return reply({"schedules": [_roster_told(roster(each, rules, now)) for each in rules.oncall.values()]})

    @page.get("/api/v1/unmapped")
    def nobody() -> Response:
        with site.house.database.read() as tx:
            strangers = accounts.strangers(tx, since=tx.now - WEEK)
        rules = site.rules
        return reply({"unmapped": [_stranger_told(each, rules) for each in strangers]})

    return page


# ── Who is who ────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Described:
    """A person as shown. ``looked_up``: the id is not in the file, it was found by e-mail. ``quiet`` are hours, and
    ``quiet_days`` says that they are not the same on every day."""

    person: Person
    looked_up: bool
    quiet: tuple[str, ...]
    quiet_days: bool


def described(person: Person, site: Site) -> Described:
    in_file = site.house.rules_file.current.people.get(person.name)
    return Described(
        person=person,
        looked_up=person.id is not None and (in_file is None or in_file.id is None),
        quiet=tuple(hours(window) for window in person.quiet),
        quiet_days=any(window.weekdays or window.days or window.months or window.dates for window in person.quiet),
    )


def hours(window: Window) -> str:
    """``22:00–08:00``, or «0:00–24:00» where a window has no hours of its own."""
    spans = window.hours or ((0, 1440),)
    return ", ".join(f"{_clock(first)}–{_clock(last)}" for first, last in spans)


def _clock(minutes: int) -> str:
    """Minutes beyond the day's are those of the next; 24:00 is the day's own end."""
    within = minutes if minutes == 1440 else minutes % 1440
    return f"{within // 60:02}:{within % 60:02}"


def _person(site: Site, name: str) -> Person:
    return site.rules.people.get(name) or abort(HTTPStatus.NOT_FOUND)


def _last(tx: Transaction, name: str) -> Sequence[MessageRow]:
    return listing.messages(tx, Filter(person=name, limit=LAST)).rows


# ── Who is on duty ────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Duty:
    """One shift, or a gap, within the time that is shown: by the schedule's clock, and where it stands in the
    picture."""

    names: tuple[str, ...]
    since: datetime
    until: datetime
    why: str
    strangers: tuple[str, ...]
    x: float
    width: float
    tone: int | None  # None: nobody is on duty
    now: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """The time that a picture shows: from midnight by the schedule's clock."""

    first: datetime
    now: datetime
    zone: ZoneInfo

    @property
    def end(self) -> datetime:
        return self.first + AHEAD

    def x(self, moment: datetime) -> float:
        return round((moment - self.first) / AHEAD * WIDTH, 1)

    @property
    def midnights(self) -> tuple[tuple[float, datetime], ...]:
        """Each with its place in the picture; days on which the clocks change are longer or shorter."""
        begins = self.first.astimezone(self.zone).date()
        days = (begins + timedelta(days=day) for day in range(AHEAD.days))
        found = (datetime.combine(day, time.min, self.zone) for day in days)
        return tuple((self.x(at.astimezone(UTC)), at) for at in found)


@dataclass(frozen=True, slots=True)
class Roster:
    """A schedule's next two weeks."""

    schedule: Schedule
    duties: tuple[Duty, ...]
    frame: Frame


def roster(schedule: Schedule, rules: Rules, now: float) -> Roster:
    """Pure.

    Args:
        now: Unix seconds.
    """
    moment = datetime.fromtimestamp(now, UTC)
    midnight = datetime.combine(moment.astimezone(schedule.zone).date(), time.min, schedule.zone)
    frame = Frame(first=midnight.astimezone(UTC), now=moment, zone=schedule.zone)
    found = shifts(schedule, moment, frame.end, rules.directory, rules.feeds.get(schedule.name))
    names = dict.fromkeys(person.name for each in found for person in each.persons)
    tones = {name: place % TONES for place, name in enumerate(names)}
    return Roster(schedule=schedule, duties=tuple(_duty(each, frame, tones) for each in found), frame=frame)


def _duty(each: OnDuty, frame: Frame, tones: Mapping[str, int]) -> Duty:
    since, until = max(each.since or frame.first, frame.first), min(each.until or frame.end, frame.end)
    return Duty(
        names=tuple(person.name for person in each.persons),
        since=since.astimezone(frame.zone),
        until=until.astimezone(frame.zone),
        why=each.why,
        strangers=each.strangers,
        x=frame.x(since),
        width=round(frame.x(until) - frame.x(since), 1),
        tone=tones[each.persons[0].name] if each.persons else None,
        now=since <= frame.now < until,
    )


def _of_person(each: Roster, name: str) -> list[Duty]:
    return [duty for duty in each.duties if name in duty.names]


# ── For scripts ───────────────────────────────────────────────────────────────────────────────────────────────


def _told(each: Described, got: Mapping[str, int]) -> dict[str, Any]:
    person = each.person
    return {
        "name": person.name,
        "id": person.id,
        "ids": dict(person.ids),
        "id_from": None if person.id is None else "portal" if each.looked_up else "file",
        "email": list(person.email),
        "logins": {kind: list(names) for kind, names in person.logins.items()},
        "locale": person.locale,
        "timezone": person.timezone,
        "quiet": list(each.quiet),
        "last_week": dict(got),
    }


def _roster_told(each: Roster) -> dict[str, Any]:
    return {
        "schedule": each.schedule.name,
        "timezone": each.schedule.zone.key,
        "shifts": [
            {"persons": list(duty.names), "since": duty.since.isoformat(), "until": duty.until.isoformat()}
            | {"why": duty.why, "strangers": list(duty.strangers)}
            for duty in each.duties
        ],
    }


def _stranger_told(each: Stranger, rules: Rules) -> dict[str, Any]:
    last = datetime.fromtimestamp(each.last_at, UTC).isoformat(timespec="seconds")
    paste = line(each.source, each.name, rules)
    return {"source": each.source, "name": each.name, "count": each.count, "last_at": last, "paste": paste}


COUNTS = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}}
TEXTS = many(TEXT)
PERSON = thing(
    name=TEXT,
    id=maybe(NUMBER),
    ids={**COUNTS, "description": "Of somebody with an id of his own on each portal"},
    id_from={"enum": ["file", "portal", None]},
    email=TEXTS,
    logins={"type": "object", "additionalProperties": TEXTS},
    locale=TEXT,
    timezone=TEXT,
    quiet=TEXTS,
    last_week={**COUNTS, "description": "What became of his messages of seven days (UTC), by state"},
)
SHIFT = thing(persons=TEXTS, since=MOMENT, until=MOMENT, why=TEXT, strangers=TEXTS)
STRANGER = thing(source=TEXT, name=TEXT, count=NUMBER, last_at=MAYBE_MOMENT, paste=TEXT)
WITH_MESSAGES = PERSON | {"properties": PERSON["properties"] | {"messages": many(outbox_page.MESSAGE)}}
OPERATIONS: openapi.Operations = {
    "/api/v1/people": {"get": operation("The people of the rules, and what each got", thing(people=many(PERSON)))},
    "/api/v1/people/{name}": {
        "get": operation(
            "One of them, with the last ten messages",
            WITH_MESSAGES,
            parameters=(in_path("name", TEXT),),
            refusals=("404",),
        )
    },
    "/api/v1/oncall": {
        "get": operation(
            "Who is on duty in the next fourteen days",
            thing(schedules=many(thing(schedule=TEXT, timezone=TEXT, shifts=many(SHIFT)))),
        )
    },
    "/api/v1/unmapped": {
        "get": operation("Names of the last seven days that mean nobody", thing(unmapped=many(STRANGER)))
    },
}
