"""The command `relay events replay`: journalled events decided once more, and told in one of three strengths.

Sends nothing itself: what is to be sent is queued, and the worker sends it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import click

from relay.cli import context, selection
from relay.cli.context import NoSuchEvent
from relay.model import Message
from relay.render.bbcode import one_line
from relay.replay import Again, Queued, decide, queue, queue_for_test, somebody
from relay.rules.explain import explain
from relay.store import journal, search
from relay.store.database import Database
from relay.store.search import EVENT_STATES, Filter

Deed = Callable[[Again], list[Queued]]  # what is done with an event that was decided


@click.command()
@click.argument("numbers", type=int, nargs=-1)
@selection.selecting(EVENT_STATES, limit=None)
@click.option("--dry-run", is_flag=True, help="Only say what would be decided now.")
@click.option("--to", default="", metavar="PERSON", help="Send it all to this person alone, as a test.")
@click.option("--rules", "path", type=click.Path(path_type=Path), help="Decide by another rules file.")
@selection.as_json
@selection.yes
def replay(
    *, numbers: tuple[int, ...], what: Filter, dry_run: bool, to: str, path: Path | None, as_json: bool, yes: bool
) -> None:
    """Decide events once more by the rules of now: those of these NUMBERS, or a selection.

    With --dry-run nothing is sent. With --to PERSON every message goes to that person, marked as a repeat, and replaces
    nothing that is real. Without either the messages are sent again under their own tags, so that each replaces what
    its recipient was told before; whoever has been told of a later state is left alone.
    """
    selection.one_way(numbers, what)
    if dry_run and to:
        raise click.UsageError("--dry-run sends nothing, and --to does: give one of them")
    rules = context.live(context.configured(path)[1])
    reader = somebody(rules, to) if to else None
    now = datetime.now(UTC)  # one for all, so that what is asked about is what is sent
    with context.store() as database:
        chosen = numbers or _selected(database, what)

        def decided() -> Iterator[Again]:
            for number in chosen:  # one after another: a selection may be larger than the memory
                yield decide(_entry(database, number), rules, now, for_real=not dry_run and reader is None)

        deed: Deed = _nothing
        if not dry_run:
            deed = partial(queue_for_test, database, person=reader) if reader else partial(queue, database)
            count = sum(len(again.messages) for again in decided())
            if count > 1:
                selection.agree(count, f"messages of {len(chosen):,} events would be sent", yes=yes)
        done = [_told(again, deed(again), explained=dry_run, quiet=as_json) for again in decided()]
    if as_json:
        context.print_json(done)
    sys.exit(1 if any(each["why_not"] for each in done) else 0)


def _selected(database: Database, what: Filter) -> list[int]:
    """The numbers of a selection, the oldest first: of two states of a thing the newer is told last."""
    with database.read() as tx:
        return sorted(search.event_numbers(tx, what))


def _entry(database: Database, number: int) -> journal.Entry:
    with database.read() as tx:
        found = journal.get(tx, number)
    if found is None:
        raise NoSuchEvent(f"the journal has no event {number}; `relay events list` shows those it has")
    return found


def _nothing(again: Again) -> list[Queued]:
    return [Queued(message=message) for message in again.messages]


# ── Told ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _told(again: Again, done: list[Queued], *, explained: bool, quiet: bool) -> dict[str, Any]:
    """Print what became of an event, unless it is to be quiet, and return it for JSON."""
    for line in () if quiet else _explained(again) if explained else _lines(again, done):
        click.echo(line, err=bool(again.why_not))
    return {
        "event": again.entry.id,
        "why_not": again.why_not,
        "outcomes": [decision.outcome for decision in again.decisions],
        "messages": [_brief(each) for each in done],
    }


def _explained(again: Again) -> Iterator[str]:
    entry = again.entry
    yield f"event {entry.id} ({entry.source}, {one_line(entry.kind)}): {one_line(entry.title)}"
    if again.why_not:
        yield f"Not decided: {again.why_not}"
    yield from (f"{explain(decision)}\n" for decision in again.decisions)


def _lines(again: Again, done: list[Queued]) -> Iterator[str]:
    number = again.entry.id
    if again.why_not:
        yield f"event {number}: not decided: {again.why_not}"
    elif not done:
        outcomes = ", ".join(dict.fromkeys(decision.outcome for decision in again.decisions))
        yield f"event {number}: nothing is queued ({outcomes}); `relay explain {number}` says why"
    for each in done:
        to = f"{one_line(each.message.person)}, by {one_line(each.message.rule)}"
        if each.newer is not None:
            yield f"event {number}: not sent to {to}: message {each.newer} tells a later state"
        else:
            yield f"event {number}: queued message {each.number} to {to}"


def _brief(each: Queued) -> dict[str, Any]:
    message: Message = each.message
    return {
        "message": each.number,
        "newer": each.newer,
        "portal": message.portal,
        "person": message.person,
        "user_id": message.user_id,
        "rule": message.rule,
        "tag": message.tag,
        "text": message.text,
    }
