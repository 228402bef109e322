"""The command `relay oncall`: who is on duty now, and who is next.

Never fetches a calendar: it shows what `relay work` has read of it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import click

from relay import feeds
from relay.cli import context
from relay.errors import RelayError
from relay.rules import Rules
from relay.rules.oncall import OnDuty, Schedule, on_duty


@click.command()
@click.argument("name", default="")
@click.option(
    "--at", "at", default="", help="another time: 2026-12-31 12:00, by the schedule's clock unless it has a zone"
)
@click.option("--json", "as_json", is_flag=True)
def oncall(name: str, at: str, as_json: bool) -> None:
    """Who is on duty and who is next, by each schedule of the rules, or by the one called NAME."""
    rules = _with_calendars()
    if name and name not in rules.oncall:
        raise RelayError(f"the rules have no schedule {name}; they have: {', '.join(rules.oncall) or 'none'}")
    shown = [_described(schedule, rules, at) for each, schedule in rules.oncall.items() if name in ("", each)]
    if as_json:
        context.print_json(shown)
        return
    if not shown:
        click.echo("The rules have no oncall: section.")
    for one in shown:
        click.echo(_line(one["schedule"], one["now"]))
        if one["next"]:
            click.echo(_line("  next", one["next"]))


def _with_calendars() -> Rules:
    """The rules, with what the database has of their calendars."""
    settings, rules = context.configured()
    if not feeds.calendars(rules):
        return rules
    with context.store() as database:
        return feeds.Feeds(database, settings.rules.parent).put_in(rules)


def _described(schedule: Schedule, rules: Rules, at: str) -> dict[str, Any]:
    moment, feed = _moment(at, schedule.zone), rules.feeds.get(schedule.name)
    duty = on_duty(schedule, moment, rules.directory, feed)
    after = on_duty(schedule, duty.until, rules.directory, feed) if duty.until else None
    return {
        "schedule": schedule.name,
        "at": moment.astimezone(schedule.zone).isoformat(),
        "now": _duty(duty, schedule.zone),
        "next": _duty(after, schedule.zone) if after else None,
    }


def _moment(text: str, zone: ZoneInfo) -> datetime:
    if not text:
        return datetime.now(UTC)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise RelayError("--at is no time: write one such as 2026-12-31T12:00 or 2026-12-31T12:00+03:00") from None
    return found if found.tzinfo else found.replace(tzinfo=zone)


def _duty(duty: OnDuty, zone: ZoneInfo) -> dict[str, Any]:
    since, until = (each.astimezone(zone).isoformat() if each else None for each in (duty.since, duty.until))
    return {
        "persons": [person.name for person in duty.persons],
        "since": since,
        "until": until,
        "why": duty.why,
        "strangers": list(duty.strangers),
    }


def _line(name: str, duty: dict[str, Any]) -> str:
    persons = ", ".join(duty["persons"]) or "nobody"
    since, until = (each[:16].replace("T", " ") if each else "" for each in (duty["since"], duty["until"]))
    unknown = f"; nobody known by: {', '.join(duty['strangers'])}" if duty["strangers"] else ""
    return f"{name:<14} {persons:<20} {since or '…':<16} – {until or '…':<16} {duty['why']}{unknown}"
