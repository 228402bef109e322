"""Streams: one recipient's messages under one tag, of which only the first may be claimed. They keep the order.

Never changes a message. Whoever does holds the stream's row first, from before a number is drawn until the commit: on
PostgreSQL the order of numbers is else not the order of commits, and a head could be reckoned from what is no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Float, Update, bindparam, case, func, select, update
from sqlalchemy.sql.dml import ReturningInsert

from relay.model import Message
from relay.store import text
from relay.store.database import Transaction, chunks, insert_of
from relay.store.prepared import Prepared, among
from relay.store.tables import QUEUED, message, stream

Name = tuple[str, str]  # of a stream: its portal, and the recipient and tag in it


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stream stands among the others; ``busy`` while its first message is being sent."""

    rank: int
    turn: int
    busy: bool


def within(each: Message) -> str:
    """A message's stream within its portal: its recipient, and its tag or else what it is about."""
    return text.key(f"{each.user_id}:{each.tag or each.key}")


def name(each: Message) -> Name:
    return each.portal, within(each)


def lock(tx: Transaction, messages: Iterable[Message]) -> dict[Name, Place]:
    """Make the streams of these messages, or lock them, until the commit.

    In the order of their names, so that no two transactions wait for each other. One that enqueues or settles more than
    once calls it for all of its messages first.

    Returns:
        Those in which a message is queued or being sent: asked by itself, it would cost each event a statement more.
    """
    found: dict[Name, Place] = {}
    for some in chunks(sorted({name(each) for each in messages})):
        rows = [{"portal": portal, "stream": within} for portal, within in some]
        for row in _LOCK.each(tx, rows):
            if row.head is not None:
                found[row.portal, row.stream] = Place(row.rank, row.turn, row.busy != 0)
    return found


@Prepared
def _LOCK(dialect: str) -> ReturningInsert[Any]:
    row = insert_of(dialect, stream)
    return row.on_conflict_do_update(
        index_elements=[stream.c.portal, stream.c.stream], set_={"stream": row.excluded.stream}
    ).returning(stream.c.portal, stream.c.stream, stream.c.head, stream.c.rank, stream.c.turn, stream.c.busy)


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


@cache
def _advancing(*, rest: bool, free: bool) -> Prepared:
    until: ColumnElement[float] = bindparam("until", type_=Float) if rest else stream.c.retry_at
    due_at = case((until < NOT_BEFORE, NOT_BEFORE), else_=until)

    def build(dialect: str) -> Update:
        point = update(stream).where(
            stream.c.portal == bindparam("in_portal"), among(dialect, "names", stream.c.stream)
        )
        point = point.values(head=FIRST.scalar_subquery(), rank=RANK, turn=TURN, retry_at=until, due_at=due_at)
        return point.values(busy=0) if free else point

    return Prepared(build)


def advance(tx: Transaction, names: Iterable[Name], *, retry_at: float | None = None, free: bool = False) -> None:
    """Point streams, which are locked, at their first queued message, if there is one.

    Args:
        retry_at: the time before which they rest after a failure, Unix seconds; ``None`` leaves it as it is.
        free: nothing of theirs is being sent any more.
    """
    point = _advancing(rest=retry_at is not None, free=free)
    until = {} if retry_at is None else {"until": retry_at}
    for portal, some in by_portal(names):
        point(tx, in_portal=portal, names=some, **until)
