"""The command `relay diff`: what new rules would have told differently of the events in the journal.

Never sends or writes anything, and reads the journal a few events at a time, however long it is.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import click

from relay import house, router
from relay.cli import context
from relay.render.filters import plural
from relay.rules.words import shown
from relay.schema import seconds
from relay.store import journal
from relay.store.database import Database
from relay.store.journal import Entry
from relay.trial import Comparison, Course, Difference
from relay.trial.comparing import WAYS, Name

AT_ONCE = 20  # events; GitHub's may be 25 MB each, and are some 20 KB


def span(_ctx: click.Context, _param: click.Parameter, value: str | None) -> float | None:
    """«7d», «1h30m» → seconds."""
    try:
        return None if value is None else seconds(value)
    except ValueError:
        raise click.BadParameter("is no span of time: write one such as 7d, 12h or 1h30m") from None


@click.command()
@click.argument("new", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--old", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="instead of the rules in use")
@click.option("--since", callback=span, metavar="SPAN", help="events of this span of time until now  [default: 7d]")
@click.option("--last", type=click.IntRange(min=1), help="this many of the newest events instead")
@click.option("--examples", default=3, show_default=True, type=click.IntRange(0, 100), help="numbers of events to name")
@click.option("--json", "as_json", is_flag=True)
def diff(  # noqa: PLR0917 - click passes them by name
    new: Path, old: Path | None, since: float | None, last: int | None, examples: int, as_json: bool
) -> None:
    """Decide the journal by the rules in use and by NEW: who would be told more, less or otherwise.

    Exit code 0: nothing differs; 1: something does.
    """
    if since is not None and last is not None:
        raise click.UsageError("--since and --last both say which events: use one of them")
    both = (context.live(context.configured(old)[1]), context.live(house.read_rules(new, house.environment())))
    with context.store() as database:
        courses = [Course(rules, partial(router.recorded, database, rules)) for rules in both]
        comparison = Comparison(*courses, examples=examples)
        begin, end = (
            newest(database, last)
            if last
            else lately(database, time.time() - (seconds("7d") if since is None else since))
        )
        for entry in entries(database, begin, end):
            comparison.take(entry)
            show(entry.id - begin + 1, end - begin + 1)
        comparison.end()
    if as_json:
        context.print_json(as_data(comparison, begin, end))
    else:
        click.echo("\n".join(lines(comparison)))
    sys.exit(1 if comparison.differs else 0)


# ── Which events ─────────────────────────────────────────────────────────────────────────────────────────────


def newest(database: Database, count: int) -> tuple[int, int]:
    """The numbers of the first and the last of so many of the newest events; (1, 0) where there is none."""
    end = first = None
    while count > 0:
        found = below(database, first, min(count, AT_ONCE))
        if not found:
            break
        end, first, count = end or found[0].id, found[-1].id, count - len(found)
    return first or 1, end or 0


def lately(database: Database, since: float) -> tuple[int, int]:
    """The same for the events received since a moment (Unix seconds). Numbers grow with time, so halving finds it."""
    top = below(database, None, 1)
    if not top or top[0].received_at < since:
        return 1, 0
    begin, end = 0, top[0].id  # the event `end` is in the span, and all up to `begin` are not
    while end - begin > 1:
        middle = (begin + end) // 2
        found = below(database, middle + 1, 1)
        if found and found[0].received_at >= since:
            end = found[0].id
        else:
            begin = middle
    return end, top[0].id


def entries(database: Database, begin: int, end: int) -> Iterator[Entry]:
    """The events of these numbers, oldest first; each few in a transaction of their own."""
    for low in range(begin, end + 1, AT_ONCE):
        with database.read() as tx:
            found = journal.entries(tx, range(low, min(low + AT_ONCE, end + 1)))
        yield from found


def below(database: Database, number: int | None, limit: int) -> list[Entry]:
    with database.read() as tx:
        return journal.latest(tx, limit=limit, before=number)


# ── What is printed ──────────────────────────────────────────────────────────────────────────────────────────


def show(done: int, total: int) -> None:
    """A line that counts, on a terminal alone."""
    if sys.stderr.isatty() and (done % AT_ONCE == 0 or done == total):
        click.echo(f"\r{done:>12,} of {total:,}", nl=done == total, err=True)


def lines(comparison: Comparison) -> Iterator[str]:
    count = comparison.events
    if not comparison.differs:
        yield f"Nothing differs in {count:,} {plural(count, 'event', 'events')}."
    else:
        yield f"Of {count:,} {plural(count, 'event', 'events')}:"
    for name, difference in comparison.differences():
        yield f"  {named(name)}: {', '.join(counted(difference))}"
    for side, word in ((comparison.old, "old"), (comparison.new, "new")):
        if side.unreadable:
            yield f"  the {word} rules cannot read {side.unreadable:,}: their source is gone, or of another type"


def named(name: Name) -> str:
    person, rule = name
    return f"{shown(person)}, by {shown(rule)}"


def counted(difference: Difference) -> Iterator[str]:
    for way in WAYS:
        if difference.counts[way]:
            what = f" in {', '.join(sorted(difference.aspects))}" if way == "changed" else ""
            examples = ", ".join(map(str, difference.examples[way]))
            yield f"{difference.counts[way]:,} {way}{what}{f' (such as {examples})' if examples else ''}"


def as_data(comparison: Comparison, begin: int, end: int) -> dict[str, Any]:
    return {
        "events": comparison.events,
        "first": begin if comparison.events else None,
        "last": end if comparison.events else None,
        "differs": comparison.differs,
        "unreadable": {"old": comparison.old.unreadable, "new": comparison.new.unreadable},
        "differences": [
            {
                "person": person,
                "rule": rule,
                **{way: difference.counts[way] for way in WAYS},
                "aspects": dict(sorted(difference.aspects.items())),
                "examples": difference.examples,
            }
            for (person, rule), difference in comparison.differences()
        ],
    }
