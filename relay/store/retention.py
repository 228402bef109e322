"""What has served its time: found by looking, and taken away a few rows at a time.

Never takes what is not finished: an event without a decision, a message that waits or is held, and the event that it
tells of. What was found is asked once more as it is taken, its row locked: it may have been brought back meanwhile.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, delete, not_, select, tuple_, update

from relay.store.database import Transaction
from relay.store.journal import FOR_EVER
from relay.store.tables import WITH_PAYLOAD, attempt, delivery, event, feed, message, note, stream, unmapped

WINDOW = 500  # rows that are looked at in one reading

EMPTY = zlib.compress(b"")
ENDED = ("delivered", "muted", "dead", "superseded", "dropped")  # a message's states that are left by hand alone
LONGEST_WINDOW = 8 * 86_400.0  # seconds; senders that do not number their deliveries are told apart for seven days
KNOWN_FOR = 4 * 86_400.0  # seconds; whatever else is said, a sender that repeats within its three days is recognized

Key = Any  # of a row: a number, a name, or a tuple


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What ended before these moments (Unix seconds) has served its time. ``referred`` are events that notes need."""

    payloads: float
    events: float
    messages: float
    referred: Collection[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Found:
    """Rows to be taken, and where to look next; ``after`` is ``None`` at the end."""

    keys: Sequence[Key]
    after: Key | None


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of thing that grows: how to find what is to go, from a key on, and how to take it away."""

    name: str
    find: Callable[[Transaction, Bounds, Key | None], Found]
    take: Callable[[Transaction, Bounds, Sequence[Key]], int]


def referring(tx: Transaction) -> Iterator[str]:
    """The values (JSON) of the notes that refer to events: groups and digests that gather."""
    for prefix in ("group:", "throttle:"):
        after = prefix
        while True:
            rows = select(note.c.name, note.c.value).where(note.c.name > after, note.c.name < prefix[:-1] + ";")
            found = tx.connection.execute(rows.order_by(note.c.name).limit(WINDOW)).all()
            yield from (row.value for row in found)
            if len(found) < WINDOW:
                break
            after = found[-1].name


# ── Looking ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _walk(
    tx: Transaction, number: ColumnElement[int], ripe: ColumnElement[bool], early: ColumnElement[bool], after: Key
) -> Found:
    """Look at the next rows by their numbers; the end is where none is early enough any more.

    Numbers are nearly in the order of time: a clock that was set back, or a message that was sent anew, must not stop
    it.
    """
    asked = select(number.label("key"), ripe.label("ripe"), early.label("early"))
    rows = tx.connection.execute(asked.where(number > (after or 0)).order_by(number).limit(WINDOW)).all()
    goes_on = len(rows) == WINDOW and any(row.early for row in rows)
    return Found([row.key for row in rows if row.ripe], rows[-1].key if goes_on else None)


def _walk_names(
    tx: Transaction, names: Sequence[ColumnElement[Any]], ripe: ColumnElement[bool], after: Key | None
) -> Found:
    """Look at the next rows of a table that has no order of time."""
    asked = select(*names, ripe.label("ripe")).order_by(*names).limit(WINDOW)
    if after is not None:
        asked = asked.where(tuple_(*names) > tuple(after))
    rows = [tuple(row) for row in tx.connection.execute(asked)]
    return Found([row[:-1] for row in rows if row[-1]], rows[-1][:-1] if len(rows) == WINDOW else None)


def _locked(tx: Transaction, table: Table, rows: Select[Any]) -> list[Any]:
    """Those rows that nobody else is changing, for us alone (PostgreSQL; with SQLite we write alone anyway)."""
    return list(tx.connection.execute(rows.with_for_update(skip_locked=True, of=table)))


# ── Messages, and the tries at sending them ──────────────────────────────────────────────────────────────────────


def _message_ripe(bounds: Bounds) -> ColumnElement[bool]:
    return and_(message.c.state.in_(ENDED), message.c.settled_at <= bounds.messages)


def _find_attempts(tx: Transaction, bounds: Bounds, after: Key | None) -> Found:
    """Also those of messages that still wait: for a portal that is closed for years there is one every few minutes."""
    old = attempt.c.at <= bounds.messages
    return _walk(tx, attempt.c.id, old, old, after)


def _take_attempts(tx: Transaction, _bounds: Bounds, keys: Sequence[Key]) -> int:
    return tx.connection.execute(delete(attempt).where(attempt.c.id.in_(keys))).rowcount


def _find_messages(tx: Transaction, bounds: Bounds, after: Key | None) -> Found:
    return _walk(tx, message.c.id, _message_ripe(bounds), message.c.created_at <= bounds.messages, after)


def _take_messages(tx: Transaction, bounds: Bounds, keys: Sequence[Key]) -> int:
    rows = _locked(tx, message, select(message.c.id).where(message.c.id.in_(keys), _message_ripe(bounds)))
    numbers = [row.id for row in rows]
    tx.connection.execute(delete(attempt).where(attempt.c.message_id.in_(numbers)))
    return tx.connection.execute(delete(message).where(message.c.id.in_(numbers))).rowcount


# ── Events ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _leads_to(*what: ColumnElement[bool]) -> ColumnElement[bool]:
    return select(message.c.id).where(message.c.event_id == event.c.id, *what).exists()


def _payload_ripe(bounds: Bounds) -> ColumnElement[bool]:
    unfinished = _leads_to(message.c.state.not_in(ENDED))
    return and_(event.c.state != "new", event.c.decided_at <= bounds.payloads, WITH_PAYLOAD, not_(unfinished))


def _find_payloads(tx: Transaction, bounds: Bounds, after: Key | None) -> Found:
    early = event.c.received_at <= bounds.payloads
    rows = (
        select(event.c.id.label("key"), _payload_ripe(bounds).label("ripe"), early.label("early"))
        .where(WITH_PAYLOAD, event.c.id > (after or 0))
        .order_by(event.c.id)
        .limit(WINDOW)
    )
    found = tx.connection.execute(rows).all()
    goes_on = len(found) == WINDOW and any(row.early for row in found)
    return Found(_unreferred(found, bounds), found[-1].key if goes_on else None)


def _take_payloads(tx: Transaction, bounds: Bounds, keys: Sequence[Key]) -> int:
    ripe = and_(event.c.id.in_(keys), _payload_ripe(bounds))
    emptied = update(event).where(ripe).values(body=EMPTY, headers="{}", pruned_at=tx.now)
    return tx.connection.execute(emptied).rowcount


def _event_ripe(bounds: Bounds, leads_to: ColumnElement[bool]) -> ColumnElement[bool]:
    """The newest event of a source stays: since the first one that is known, GitHub is asked for missed deliveries."""
    later = event.alias()
    newer = select(later.c.id).where(later.c.source == event.c.source, later.c.id > event.c.id).exists()
    return and_(event.c.state != "new", event.c.decided_at <= bounds.events, not_(leads_to), newer)


def _find_events(tx: Transaction, bounds: Bounds, after: Key | None) -> Found:
    """Those, too, that go as soon as their messages have gone, which are taken before them."""
    ripe = _event_ripe(bounds, _leads_to(not_(_message_ripe(bounds))))
    found = _walk(tx, event.c.id, ripe, event.c.received_at <= bounds.events, after)
    return Found([key for key in found.keys if key not in bounds.referred], found.after)


def _take_events(tx: Transaction, bounds: Bounds, keys: Sequence[Key]) -> int:
    ripe = and_(event.c.id.in_(keys), _event_ripe(bounds, _leads_to()))
    numbers = [row.id for row in _locked(tx, event, select(event.c.id).where(ripe))]
    return tx.connection.execute(delete(event).where(event.c.id.in_(numbers))).rowcount


def _unreferred(rows: Sequence[Any], bounds: Bounds) -> list[int]:
    return [row.key for row in rows if row.ripe and row.key not in bounds.referred]


# ── Deliveries ───────────────────────────────────────────────────────────────────────────────────────────────────

_DELIVERY = (delivery.c.expires_at, delivery.c.source, delivery.c.key)


def _expired(tx: Transaction, _bounds: Bounds) -> tuple[float, float]:
    return 0.0, tx.now


def _of_old_events(tx: Transaction, bounds: Bounds) -> tuple[float, float]:
    """When those expire that were kept for ever, and came before the events that are kept.

    Beyond `LONGEST_WINDOW` from now there are no others, and a delivery's row does not say when it came.
    """
    return tx.now + LONGEST_WINDOW, min(bounds.events, tx.now - KNOWN_FOR) + FOR_EVER


def _deliveries(between: Callable[[Transaction, Bounds], tuple[float, float]]) -> Kind:
    def ripe(tx: Transaction, bounds: Bounds) -> ColumnElement[bool]:
        first, last = between(tx, bounds)
        return and_(delivery.c.expires_at > first, delivery.c.expires_at <= last)

    def find(tx: Transaction, bounds: Bounds, after: Key | None) -> Found:
        rows = select(*_DELIVERY).where(ripe(tx, bounds)).order_by(*_DELIVERY).limit(WINDOW)
        if after is not None:
            rows = rows.where(delivery.c.expires_at >= after[0], tuple_(*_DELIVERY) > tuple(after))
        keys = [tuple(row) for row in tx.connection.execute(rows)]
        return Found(keys, keys[-1] if len(keys) == WINDOW else None)

    def take(tx: Transaction, bounds: Bounds, keys: Sequence[Key]) -> int:
        place = (delivery.c.source, delivery.c.key)
        rows = select(*place).where(tuple_(*place).in_([key[1:] for key in keys]), ripe(tx, bounds))
        ours = [tuple(row) for row in _locked(tx, delivery, rows)]  # a door that gives some to new events has the rest
        return tx.connection.execute(delete(delivery).where(tuple_(*place).in_(ours))).rowcount

    return Kind("deliveries", find, take)


# ── What has no moment of its own, or no number ──────────────────────────────────────────────────────────────────


def _named(
    name: str,
    table: Table,
    names: Sequence[ColumnElement[Any]],
    ripe: Callable[[Transaction, Bounds], ColumnElement[bool]],
) -> Kind:
    """A kind of row that is known by its names alone."""

    def find(tx: Transaction, bounds: Bounds, after: Key | None) -> Found:
        return _walk_names(tx, names, ripe(tx, bounds), after)

    def take(tx: Transaction, bounds: Bounds, keys: Sequence[Key]) -> int:
        rows = select(*names).where(tuple_(*names).in_(keys), ripe(tx, bounds))
        ours = [tuple(row) for row in _locked(tx, table, rows)]
        return tx.connection.execute(delete(table).where(tuple_(*names).in_(ours))).rowcount

    return Kind(name, find, take)


def _stream_idle(tx: Transaction, _bounds: Bounds) -> ColumnElement[bool]:
    """Nothing waits in it and nobody sends: it says nothing, and is made again by whoever needs it."""
    return and_(stream.c.head.is_(None), stream.c.busy == 0, stream.c.retry_at <= tx.now)


def _unmapped_old(_tx: Transaction, bounds: Bounds) -> ColumnElement[bool]:
    return unmapped.c.last_at <= bounds.events


def _feed_forgotten(_tx: Transaction, bounds: Bounds) -> ColumnElement[bool]:
    """Of a schedule that the rules have no more: nobody has asked for its calendar for so long."""
    return feed.c.asked_at <= bounds.events


# In the order in which they are taken: whatever refers to another goes before it.
KINDS: tuple[Kind, ...] = (
    Kind("attempts", _find_attempts, _take_attempts),
    Kind("messages", _find_messages, _take_messages),
    Kind("payloads", _find_payloads, _take_payloads),
    Kind("events", _find_events, _take_events),
    _deliveries(_expired),
    _deliveries(_of_old_events),
    _named("streams", stream, (stream.c.portal, stream.c.stream), _stream_idle),
    _named("unmapped names", unmapped, (unmapped.c.source, unmapped.c.name), _unmapped_old),
    _named("calendars", feed, (feed.c.schedule,), _feed_forgotten),
)
