"""`follow`: what is new in the journal or the outbox, as it comes, until Ctrl-C.

Never asks in a busy loop: it sleeps until the database says that something was committed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Protocol, TypeVar

import click

from relay.store.database import Database, Transaction
from relay.store.search import Filter

FLOOR = 1.0  # seconds after which it is looked all the same: PostgreSQL tells of what was left for others, and no more
BEHIND = 100  # numbers: on PostgreSQL one that was drawn earlier may be committed later


class Numbered(Protocol):
    @property
    def id(self) -> int: ...


Row = TypeVar("Row", bound=Numbered)


def follow(
    database: Database,
    what: Filter,
    *,
    find: Callable[[Transaction, Filter], list[Row]],
    newest: Callable[[Transaction], int],
) -> Iterator[Row]:
    """What comes from now on, each once; ``what.limit`` is after how many it ends.

    With ``what.states`` a row is told when it first is in one of them, without when it appears.
    """
    seen: set[int] = set()
    left = what.limit
    with database.watch() as changed:
        with database.read() as tx:
            start = newest(tx)
        while left is None or left > 0:
            with database.read() as tx:
                rows = find(tx, replace(what, after=start, limit=None))
            fresh = [row for row in rows if row.id not in seen][:left]
            yield from fresh
            seen |= {row.id for row in fresh}
            left = None if left is None else left - len(fresh)
            if seen and not what.states:
                start = max(start, max(seen) - BEHIND)
                seen = {number for number in seen if number > start}
            if left != 0:
                changed(FLOOR)


def print_line(value: Any) -> None:
    """One JSON object on one line, for whoever reads what is still coming."""
    click.echo(json.dumps(value, ensure_ascii=False))
