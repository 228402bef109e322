"""The commands about messages: list them, show one with its tries, send dead ones again, give some up."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Any

import click

from relay.cli import context, selection
from relay.cli.following import follow as following
from relay.cli.following import print_line
from relay.render.bbcode import one_line
from relay.store import outbox, portals, search
from relay.store.database import Database, Transaction
from relay.store.outbox import Record
from relay.store.search import MESSAGE_STATES, Filter, MessageRow

RETRIABLE = ("dead", "held")
DROPPABLE = ("queued", "dead", "held")


@click.group()
def messages() -> None:
    """The outbox: what waits, what arrived, and what did not."""


@messages.command("list")
@selection.selecting(MESSAGE_STATES, limit=20, paged=True)
@selection.as_json
def list_(what: Filter, as_json: bool) -> None:
    """The newest messages, newest first; whatever did not arrive with its whole reason."""
    with context.store() as database, database.read() as tx:
        rows = search.messages(tx, what)
        troubled = [state for state in portals.everything(tx) if state.trouble]
    for state in troubled:
        since = context.when(state.since)
        click.echo(f"The portal «{state.name}» has been in trouble since {since}: {state.why}", err=True)
    if as_json:
        context.print_json([_brief(row) for row in rows])
        return
    for row in rows:
        _print(row)


@messages.command()
@selection.selecting(MESSAGE_STATES, limit=None)
@selection.as_json
def follow(what: Filter, as_json: bool) -> None:
    """New messages as they are queued, until Ctrl-C; with --state, as they come into it. --limit ends after so many."""
    with context.store() as database, suppress(KeyboardInterrupt):
        for row in following(database, what, find=search.messages, newest=search.newest_message):
            print_line(_brief(row)) if as_json else _print(row)


@messages.command()
@click.argument("number", type=int)
def show(number: int) -> None:
    """One message as JSON: what is sent, each try, and why it is where it is."""
    with context.store() as database, database.read() as tx:
        record = outbox.get(tx, number)
        tries = outbox.attempts(tx, number)
    if record is None:
        click.echo(f"the outbox has no message {number}; `relay messages list` shows those it has", err=True)
        sys.exit(1)
    context.print_json(
        _whole(record)
        | {"tries": [{"at": context.when(one.at), "verdict": one.verdict, "why": one.why} for one in tries]}
    )


@messages.command()
@click.argument("numbers", type=int, nargs=-1)
@selection.selecting(RETRIABLE, limit=None)
@selection.yes
def retry(numbers: tuple[int, ...], what: Filter, yes: bool) -> None:
    """Send dead or held messages again: those of these NUMBERS, or a selection, which is counted and asked about."""
    _change(
        numbers,
        what,
        outbox.retry,
        yes=yes,
        states=RETRIABLE,
        would="would be sent again",
        done="queued again",
        refused="not sent again: it is neither dead nor held, or a newer one has its place",
    )


@messages.command()
@click.argument("numbers", type=int, nargs=-1)
@selection.selecting(DROPPABLE, limit=None)
@selection.yes
def drop(numbers: tuple[int, ...], what: Filter, yes: bool) -> None:
    """Give waiting, dead or held messages up for good: those of these NUMBERS, or a selection."""
    _change(
        numbers,
        what,
        outbox.drop,
        yes=yes,
        states=DROPPABLE,
        would="would be given up for good",
        done="dropped",
        refused="not dropped: it is being sent, or has an end already",
    )


def _change(
    numbers: Sequence[int],
    what: Filter,
    change: Callable[[Transaction, int], bool],
    *,
    yes: bool,
    states: tuple[str, ...],
    would: str,
    done: str,
    refused: str,
) -> None:
    """Change messages one by one. Exit code 1 if one that was named was not; of a selection some may have moved on."""
    selection.one_way(numbers, what)
    with context.store() as database:
        chosen = numbers or _selected(database, replace(what, states=what.states or states))
        if not numbers:
            selection.agree(len(chosen), f"messages {would}", yes=yes)
        left = 0
        for number in chosen:
            with database.write() as tx:
                changed = change(tx, number)
            click.echo(f"{number}: {done if changed else refused}", err=not changed)
            left += not changed
    sys.exit(1 if left and numbers else 0)


def _selected(database: Database, what: Filter) -> list[int]:
    """The numbers of a selection, the oldest first: in this order they were to be sent."""
    with database.read() as tx:
        return sorted(search.message_numbers(tx, what))


# ── In words and in JSON ──────────────────────────────────────────────────────────────────────────────────────


def _print(row: MessageRow) -> None:
    """A line, and the whole reason below it where there is one."""
    click.echo(
        f"{row.id:>6}  {context.when(row.created_at)}  {row.state:<10} {one_line(row.person)[:14]:<14} "
        f"{one_line(row.rule)[:24]:<24} {one_line(row.title)[:60]}".rstrip()
    )
    if row.why:
        click.echo(f"{'':>8}{': '.join(filter(None, (one_line(row.code), one_line(row.why))))}")


def _brief(row: MessageRow) -> dict[str, Any]:
    return _timed(asdict(row) | {"event": row.event_id}, without=("event_id",))


def _whole(record: Record) -> dict[str, Any]:
    words = asdict(record.message) | asdict(record) | {"event": record.event_id}
    return _timed(words, without=("event_id", "message", "fallback"))


def _timed(words: dict[str, Any], *, without: Sequence[str]) -> dict[str, Any]:
    """With times to be read, and without these words."""
    for name in ("created_at", "settled_at"):
        words[name] = context.when(words[name]) if words[name] else None
    return {name: value for name, value in words.items() if name not in without}
