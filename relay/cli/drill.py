"""The command `relay drill`: one marked event by the real road, each step timed, and where it is stuck if it is.

Never goes past a step that an event goes through, and never waits longer than it was told.
"""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import click
import requests

from relay import drill as room
from relay.cli import context
from relay.cli.events import post, signed
from relay.drill import Drill
from relay.errors import RelayError
from relay.render.bbcode import one_line
from relay.replay import somebody
from relay.rules import Rules
from relay.store import outbox, search
from relay.store.database import Database, Transaction
from relay.store.search import MessageRow
from relay.store.watching import Watch

LOOK_EVERY = 0.25  # seconds; PostgreSQL does not tell of what was settled


class Stuck(RelayError):
    """It did not arrive: the sentence says at which step, and what to do."""


@dataclass(slots=True)
class Report:
    """What is told of a drill while it is under way, and at its end as JSON."""

    name: str
    quiet: bool
    steps: list[dict[str, object]] = field(default_factory=list)

    def begin(self, says: str) -> None:
        if not self.quiet:
            click.echo(f"{self.name}, {says}:")

    def step(self, step: str, seconds: float, says: str) -> None:
        ms = round(max(0.0, seconds) * 1000, 1)
        self.steps.append({"step": step, "ms": ms, "says": says})
        if not self.quiet:
            click.echo(f"  {step:<9} {ms:>9.1f} ms  {says}")


@click.command()
@click.option("--person", default="", help="Straight to this person, past the door and the rules.")
@click.option("--source", default="", help="Through this source; else the first whose drill reaches somebody.")
@click.option("--url", default="", help="The relay's address; by default the one of HOST and PORT.")
@click.option("--timeout", type=click.FloatRange(0.1, 3600), default=30.0, show_default=True, help="Seconds in all.")
@click.option("--rules", "path", type=click.Path(path_type=Path), help="Take sources and people from this rules file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def drill(*, person: str, source: str, url: str, timeout: float, path: Path | None, as_json: bool) -> None:
    """Send one event, marked as a drill, by the real road, and time each step.

    It is posted to the running relay as its sender would post it, decided by the rules, and sent to whomever they name:
    those people see that it is a test. Exit code 1 if it did not arrive everywhere it should; the last line says where
    it is stuck and what to do.
    """
    if person and (source or url):
        raise click.UsageError("--person goes past the door: leave --source and --url out")
    chosen, rules = context.configured(path)
    rules = context.live(rules)
    report = Report(f"drill {secrets.token_hex(3)}", quiet=as_json)
    stuck = ""
    with context.store() as database, _looking(database, timeout) as until:
        try:
            if person:
                _straight(database, rules, person, report, until)
            else:
                made = _made(rules, source, report)
                number = _post(made, url or f"http://{chosen.host}:{chosen.port}", rules, report)
                _follow_event(database, number, report, until)
        except Stuck as fault:
            stuck = str(fault)
    if as_json:
        context.print_json({"drill": report.name, "arrived": not stuck, "stuck": stuck, "steps": report.steps})
    elif not stuck:
        click.echo("It has arrived.")
    if stuck:
        click.echo(stuck, err=True)
        sys.exit(1)


# ── The two ways ──────────────────────────────────────────────────────────────────────────────────────────────

Until = Callable[[Callable[[Transaction], bool]], bool]  # waits until it is true; False: the time is up


@contextmanager
def _looking(database: Database, timeout: float) -> Iterator[Until]:
    """A way to wait for what the store will show, until the time for all of it is up."""
    deadline = time.monotonic() + timeout

    def until(true: Callable[[Transaction], bool]) -> bool:
        while True:
            with database.read() as tx:
                if true(tx):
                    return True
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            changed(min(LOOK_EVERY, left))

    changed: Watch
    with database.watch() as changed:
        yield until


def _made(rules: Rules, source: str, report: Report) -> Drill:
    """A drill by the door, the router and the courier; it is said whom it is for."""
    now = datetime.now(UTC)
    if source:
        made = room.through(source, rules, name=report.name, now=now)
    else:
        made = room.through_any(rules, name=report.name, now=now)
    told = ", ".join(dict.fromkeys(one_line(each.person) for each in made.messages)) or "nobody, by the rules"
    report.begin(f"through the source {made.source}, for {told}")
    return made


def _straight(database: Database, rules: Rules, person: str, report: Report, until: Until) -> None:
    """By the courier alone, to one person."""
    message = room.straight_to(somebody(rules, person), rules, name=report.name)
    report.begin(f"straight to {one_line(message.person)}")
    started = time.monotonic()
    with database.write() as tx:
        (number,) = outbox.enqueue(tx, None, [message])
    report.step("queued", time.monotonic() - started, f"message {number}")

    def rows(tx: Transaction) -> Sequence[MessageRow]:
        row = search.one_message(tx, number)
        return [row] if row else []

    until(lambda tx: all(row.state not in room.OPEN for row in rows(tx)))
    _tell_messages(database, rows, report)


# ── The steps ─────────────────────────────────────────────────────────────────────────────────────────────────


def _post(made: Drill, base: str, rules: Rules, report: Report) -> int:
    """Accepted: the door has answered, and the event is on disk. Returns its number."""
    request = signed(made.source, made.request, rules)
    started = time.monotonic()
    try:
        answer = post(base, request)
    except RelayError as fault:
        raise Stuck(f"Stuck at «accepted»: {fault} Start `relay serve`, or name its address with --url.") from None
    seconds = time.monotonic() - started
    number = _number(answer)
    if number is None:
        raise Stuck(
            f"Stuck at «accepted»: {base} answered {answer.status_code} {one_line(answer.text)[:200]}; "
            "does the relay there run with these rules and secrets?"
        )
    report.step("accepted", seconds, f"event {number}, at {base}{request.path}")
    return number


def _number(answer: requests.Response) -> int | None:
    """The event's number in the door's answer; ``None`` if it has not taken it."""
    try:
        told = answer.json()
    except ValueError:
        return None
    number = told.get("event") if isinstance(told, dict) and answer.ok else None
    return number if isinstance(number, int) else None


def _follow_event(database: Database, number: int, report: Report, until: Until) -> None:
    """Decided, and then sent: as the rows of the event and its messages tell."""

    def rows(tx: Transaction) -> Sequence[MessageRow]:
        return search.of_event(tx, number)

    def is_decided(tx: Transaction) -> bool:
        row = search.one_event(tx, number)
        return row is not None and row.state != "new"

    def is_over(tx: Transaction) -> bool:
        row = search.one_event(tx, number)
        return row is not None and room.is_over(row, rows(tx))

    decided = until(is_decided)
    with database.read() as tx:
        event = search.one_event(tx, number)
        if event is None:
            raise Stuck(f"Stuck at «accepted»: event {number} is in another database: is DATABASE_URL the relay's?")
        if not decided:
            raise Stuck(f"Stuck at «decided»: {room.why_undecided(tx)}")
    report.step("decided", (event.decided_at or event.received_at) - event.received_at, event.outcome)
    until(is_over)
    _tell_messages(database, rows, report, outcome=event.outcome)


def _tell_messages(
    database: Database, rows: Callable[[Transaction], Sequence[MessageRow]], report: Report, *, outcome: str = ""
) -> None:
    """Answered: what the portal said of each message.

    Raises:
        Stuck: one of them has not arrived, or there is none.
    """
    lost = []
    with database.read() as tx:
        there = rows(tx)
        for row in there:
            to = f"message {row.id} to {one_line(row.person)}"
            if row.state in room.OPEN:
                lost.append(f"Stuck at «answered»: {to} is {row.state}: {one_line(room.why_unsent(tx, row))}")
                continue
            says = f"notification {row.notification_id}" if row.state == "delivered" else f"{row.state}: {row.why}"
            report.step("answered", (row.settled_at or row.created_at) - row.created_at, f"{to}: {one_line(says)}")
            if row.state != "delivered":
                lost.append(f"Not delivered: {to} is {one_line(says)}.")
    if not there:
        lost.append(f"Stuck at «decided»: {room.why_nobody(outcome)}")
    if lost:
        raise Stuck("\n".join(lost))
