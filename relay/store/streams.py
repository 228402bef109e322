"""Streams: one recipient's messages under one tag, of which only the first may be claimed. They keep the order.

Never changes a message. Whoever does holds the stream's row first, from before a number is drawn until the commit: on
PostgreSQL the order of numbers is else not the order of commits, and a head could be reckoned from what is no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, case, func, literal, select, update

from relay.model import Message
from relay.store import text
from relay.store.database import Transaction, chunks, insert_into
from relay.store.tables import QUEUED, message, stream

Name = tuple[str, str]  # of a stream: its portal, and the recipient and tag in it


def within(each: Message) -> str:
    """A message's stream within its portal: its recipient, and its tag or else what it is about."""
    return text.key(f"{each.user_id}:{each.tag or each.key}")


def name(each: Message) -> Name:
    return each.portal, within(each)


def lock(tx: Transaction, messages: Iterable[Message]) -> None:
    """Make the streams of these messages, or lock them, until the commit.

    In the order of their names, so that no two transactions wait for each other. One that enqueues or settles more than
    once calls it for all of its messages first.
    """
    names = sorted({name(each) for each in messages})
    if not names:
        return
    row = insert_into(tx, stream)
    row = row.on_conflict_do_update(
        index_elements=[stream.c.portal, stream.c.stream], set_={"stream": row.excluded.stream}
    )
    tx.connection.execute(row, [{"portal": portal, "stream": within} for portal, within in names])


def by_portal(names: Iterable[Name]) -> Iterator[tuple[str, Sequence[str]]]:
    """The names of streams within their portals, some at a time."""
    for portal, its in groupby(sorted(set(names)), key=itemgetter(0)):
        for some in chunks([within for _, within in its]):
            yield portal, some


FIRST = (
    select(message.c.id)
    .where(message.c.portal == stream.c.portal, message.c.stream == stream.c.stream, QUEUED)
    .order_by(message.c.id)
    .limit(1)
    .correlate(stream)
)


def _of_first(value: ColumnElement[Any], otherwise: float) -> ColumnElement[Any]:
    return func.coalesce(FIRST.with_only_columns(value).scalar_subquery(), otherwise)


RANK = _of_first(case((message.c.urgent, 0), else_=1), 1)
TURN = _of_first(message.c.turn, 0)
NOT_BEFORE = _of_first(message.c.not_before, 0.0)


def advance(tx: Transaction, names: Iterable[Name], *, retry_at: float | None = None, **also: object) -> None:
    """Point streams, which are locked, at their first queued message, if there is one.

    Args:
        retry_at: the time before which they rest after a failure, Unix seconds; ``None`` leaves it as it is.
    """
    rest = stream.c.retry_at if retry_at is None else literal(retry_at)
    due_at = case((rest < NOT_BEFORE, NOT_BEFORE), else_=rest)
    for portal, some in by_portal(names):
        tx.connection.execute(
            update(stream)
            .where(stream.c.portal == portal, stream.c.stream.in_(some))
            .values(head=FIRST.scalar_subquery(), rank=RANK, turn=TURN, retry_at=rest, due_at=due_at, **also)
        )
