"""The commands about messages: list them, show one with its tries, send dead ones again, give some up."""

from __future__ import annotations

import sys
from typing import Any

import click

from relay.cli import context
from relay.store import outbox, portals
from relay.store.outbox import Record

STATES = ("queued", "sending", "delivered", "muted", "dead", "held", "superseded", "dropped")


@click.group()
def messages() -> None:
    """The outbox: what waits, what arrived, and what did not."""


@messages.command("list")
@click.option("--state", "states", multiple=True, type=click.Choice(STATES), help="may be repeated")
@click.option("--limit", default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def list_(states: tuple[str, ...], limit: int, as_json: bool) -> None:
    """The newest messages, newest first."""
    with context.store() as database, database.read() as tx:
        records = outbox.latest(tx, limit=limit, states=states)
        troubled = [state for state in portals.everything(tx) if state.trouble]
    for state in troubled:
        since = context.when(state.since)
        click.echo(f"The portal «{state.name}» has been in trouble since {since}: {state.why}", err=True)
    if as_json:
        context.print_json([_brief(record) for record in records])
        return
    for record in records:
        click.echo(
            f"{record.id:>6}  {context.when(record.created_at)}  {record.state:<10} {record.message.person:<14} "
            f"{record.message.rule[:24]:<24} {record.why[:60]}"
        )


@messages.command()
@click.argument("number", type=int)
def show(number: int) -> None:
    """One message as JSON: what is sent, each try, and why it is where it is."""
    with context.store() as database, database.read() as tx:
        record = outbox.get(tx, number)
        tries = outbox.attempts(tx, number)
    if record is None:
        click.echo(f"the outbox has no message {number}", err=True)
        sys.exit(1)
    context.print_json(
        _brief(record)
        | {"text": record.message.text, "attach": record.message.attach, "note": record.message.note}
        | {"tries": [{"at": context.when(one.at), "verdict": one.verdict, "why": one.why} for one in tries]}
    )


@messages.command()
@click.argument("numbers", type=int, nargs=-1, required=True)
def retry(numbers: tuple[int, ...]) -> None:
    """Send dead or held messages again."""
    _each(
        numbers,
        outbox.retry,
        "queued again",
        "not sent again: it is neither dead nor held, or a newer one has its place",
    )


@messages.command()
@click.argument("numbers", type=int, nargs=-1, required=True)
def drop(numbers: tuple[int, ...]) -> None:
    """Give waiting, dead or held messages up for good."""
    _each(numbers, outbox.drop, "dropped", "not dropped: it is being sent, or has an end already")


def _each(numbers: tuple[int, ...], change: Any, done: str, refused: str) -> None:
    failed = False
    with context.store() as database:
        for number in numbers:
            with database.write() as tx:
                changed = change(tx, number)
            click.echo(f"{number}: {done if changed else refused}", err=not changed)
            failed = failed or not changed
    sys.exit(1 if failed else 0)


def _brief(record: Record) -> dict[str, Any]:
    message = record.message
    return {
        "id": record.id,
        "event": record.event_id,
        "state": record.state,
        "portal": message.portal,
        "person": message.person,
        "user_id": message.user_id,
        "rule": message.rule,
        "tag": message.tag,
        "urgent": message.urgent,
        "attempts": record.attempts,
        "created_at": context.when(record.created_at),
        "settled_at": context.when(record.settled_at) if record.settled_at else None,
        "notification_id": record.notification_id,
        "superseded_by": record.superseded_by,
        "code": record.code,
        "why": record.why,
    }
