"""Whether the database is whole: its file, its tables, and rows that contradict each other.

Never changes anything unless it is told to mend; and what it mends loses no message: at worst one is sent once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, tuple_, update

from relay.errors import BadDatabase
from relay.store import leases, streams
from relay.store.database import Database, Transaction, insert_into
from relay.store.tables import QUEUED, attempt, event, lease, message, stream

MOST = 5  # examples of each contradiction

OTHER, UPGRADE = "the tables are not those of this version", "run `relay db upgrade`"
NEWER = "ask with that version of the relay"
RESTORE = "stop the relay and put the last backup in its place (`relay db backup` makes one)"
MEND = "stop the relay and run `relay db check --mend`: no message is lost, one may be sent once more"
REPORT = "this should not be possible: please report it, and put the last backup in its place if you miss something"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, with the names of some rows, and what to do."""

    what: str
    advice: str


def check(database: Database) -> list[Fault]:
    """Everything that is wrong; the relay may run meanwhile.

    Raises:
        StoreUnavailable: the database is away or locked.
    """
    try:
        if not database.is_current():
            newer = database.is_current(or_newer=True)
            return [Fault("the tables are those of a newer version", NEWER) if newer else Fault(OTHER, UPGRADE)]
        with database.read() as tx:
            return [*_of_the_file(tx), *_of_the_rows(tx)]
    except BadDatabase as fault:
        return [Fault(str(fault), RESTORE)]


def _of_the_file(tx: Transaction) -> Iterator[Fault]:
    """SQLite's own opinion (sqlite.org/pragma.html, integrity_check); PostgreSQL watches over its pages by itself."""
    if tx.connection.dialect.name != "sqlite":
        return
    for (found,) in tx.connection.exec_driver_sql(f"PRAGMA integrity_check({MOST})"):
        if found != "ok":
            yield Fault(f"the file is damaged: {found}", RESTORE)


# ── Rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────

_ITS_STREAM = and_(stream.c.portal == message.c.portal, stream.c.stream == message.c.stream)
_NAMES = (stream.c.portal, stream.c.stream)


def _wrong_head() -> Select[Any]:
    """Streams that nobody sends, and that do not begin with their first queued message: they would stand still."""
    return select(*_NAMES).where(stream.c.busy == 0, stream.c.head.is_distinct_from(streams.FIRST.scalar_subquery()))


def _busy_for_nothing() -> Select[Any]:
    sent = exists().where(_ITS_STREAM, message.c.state == "sending", message.c.epoch == stream.c.busy)
    return select(*_NAMES).where(stream.c.busy != 0, ~sent)


def _without_stream() -> Select[Any]:
    its = exists().where(_ITS_STREAM)
    return select(message.c.id).where(message.c.state == "queued", QUEUED, ~its)


def _sent_in_no_stream() -> Select[Any]:
    its = exists().where(_ITS_STREAM, stream.c.busy == message.c.epoch)
    return select(message.c.id).where(message.c.state == "sending", ~its)


def _of_an_epoch_to_come() -> Select[Any]:
    """Claimed under a lease that was never given: whoever holds the portal next would not put it back."""
    name = "portal:" + message.c.portal
    given = exists().where(lease.c.name == name, lease.c.epoch >= message.c.epoch)
    return select(message.c.id).where(message.c.state == "sending", ~given)


def _of_no_event() -> Select[Any]:
    its = exists().where(event.c.id == message.c.event_id)
    return select(message.c.id).where(message.c.event_id.is_not(None), ~its)


def _of_no_message() -> Select[Any]:
    return select(attempt.c.id).where(~exists().where(message.c.id == attempt.c.message_id))


def _ended_at_no_time() -> Select[Any]:
    ended: ColumnElement[bool] = message.c.state.not_in(["queued", "sending"])
    return select(message.c.id).where(ended, message.c.settled_at.is_(None))


def _decided_at_no_time() -> Select[Any]:
    return select(event.c.id).where(or_(event.c.state != "new", event.c.outcome != ""), event.c.decided_at.is_(None))


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Rows that there should be none of."""

    what: str
    rows: Callable[[], Select[Any]]
    advice: str


CONTRADICTIONS: tuple[Contradiction, ...] = (
    Contradiction("streams do not begin with their first message", _wrong_head, MEND),
    Contradiction("streams wait for a message that nobody sends", _busy_for_nothing, MEND),
    Contradiction("queued messages have no stream", _without_stream, MEND),
    Contradiction("messages are being sent in no stream", _sent_in_no_stream, MEND),
    Contradiction("messages were claimed under a lease that nobody had", _of_an_epoch_to_come, MEND),
    Contradiction("messages tell of events that are not there", _of_no_event, REPORT),
    Contradiction("tries are of messages that are not there", _of_no_message, REPORT),
    Contradiction("messages have ended at no time", _ended_at_no_time, REPORT),
    Contradiction("events were decided at no time", _decided_at_no_time, REPORT),
)


def _of_the_rows(tx: Transaction) -> Iterator[Fault]:
    for each in CONTRADICTIONS:
        rows = each.rows()
        count = tx.connection.execute(select(func.count()).select_from(rows.subquery())).scalar_one()
        if count:
            some = [" ".join(map(str, row)) for row in tx.connection.execute(rows.limit(MOST))]
            yield Fault(f"{count:,} {each.what}: {', '.join(some)}{', …' if count > MOST else ''}", each.advice)


# ── Mended ───────────────────────────────────────────────────────────────────────────────────────────────────────


def mend(tx: Transaction) -> int:
    """Put the streams right, in one transaction; returns how many. Nobody may be at work: see `leases.living`."""
    names = {tuple(row) for rows in (_wrong_head(), _busy_for_nothing()) for row in tx.connection.execute(rows)}
    lost = [row.id for rows in (_sent_in_no_stream(), _of_an_epoch_to_come()) for row in tx.connection.execute(rows)]
    alone = [row.id for row in tx.connection.execute(_without_stream())]
    theirs = select(message.c.portal, message.c.stream).where(message.c.id.in_([*lost, *alone])).distinct()
    names |= {tuple(row) for row in tx.connection.execute(theirs)}
    again = update(message).where(message.c.state == "sending")
    tx.connection.execute(again.where(message.c.id.in_(lost)).values(state="queued", settled_at=None))
    ordered = sorted(names)
    _make(tx, ordered)
    tx.connection.execute(
        again.where(tuple_(message.c.portal, message.c.stream).in_(ordered)).values(state="queued", settled_at=None)
    )
    streams.advance(tx, ordered, free=True)
    tx.news = True
    return len(ordered)


def _make(tx: Transaction, names: Sequence[Any]) -> None:
    if names:
        rows = [{"portal": portal, "stream": within} for portal, within in names]
        tx.connection.execute(insert_into(tx, stream).on_conflict_do_nothing(), rows)


def at_work(database: Database) -> list[str]:
    """The leases that somebody holds: it is not the time to mend."""
    with database.read() as tx:
        return leases.living(tx)
