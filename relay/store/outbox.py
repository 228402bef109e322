"""The second wall: messages on their way, claimed a head of line at a time and settled under the claimant's epoch.

Never decides whether a message is sent, retried or given up: it writes down what the courier ruled.

A *stream* is one recipient's messages under one tag. Only its first message may be claimed, and a stream that is
being sent is busy, so that nothing overtakes. Every change of a message names the state that it leaves.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Select, and_, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from relay.model import Message, Parcel
from relay.store.database import Transaction
from relay.store.tables import attempt, message, stream

State = Literal["queued", "sending", "delivered", "muted", "dead", "held", "superseded", "dropped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What becomes of a parcel after a call.

    ``state`` is ``queued`` when it is to be sent again, not before ``not_before`` (Unix seconds). ``counted`` says
    whether the try counts against the message. ``instead`` is a message to send in its place.
    """

    parcel: Parcel
    state: State
    verdict: str
    code: str = ""
    why: str = ""
    not_before: float = 0.0
    notification_id: int | None = None
    counted: bool = True
    plain: bool = False
    instead: Message | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A message as a person asks about it."""

    id: int
    event_id: int | None
    message: Message
    state: State
    attempts: int
    created_at: float
    settled_at: float | None
    notification_id: int | None
    superseded_by: int | None
    code: str
    why: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at sending a message."""

    at: float
    verdict: str
    code: str
    why: str


# ── Into the outbox ───────────────────────────────────────────────────────────────────────────────────────────


def enqueue(tx: Transaction, event_id: int | None, messages: Iterable[Message]) -> list[int]:
    """Put messages in their streams, in order. An unsent message under the same tag is superseded: it would show
    an older state."""
    return [_enqueue(tx, event_id, each) for each in messages]


def _enqueue(tx: Transaction, event_id: int | None, each: Message) -> int:
    name = stream_name(each)
    _lock(tx, each.portal, name)
    number: int = tx.connection.execute(
        insert(message).returning(message.c.id),
        {
            "event_id": event_id,
            "portal": each.portal,
            "stream": name,
            "user_id": each.user_id,
            "person": each.person,
            "rule": each.rule,
            "key": each.key,
            "tag": each.tag,
            "text": each.text,
            "attach": None if each.attach is None else json.dumps(each.attach, ensure_ascii=False),
            "via": each.via,
            "urgent": each.urgent,
            "deletes": each.delete,
            "fallback": json.dumps(each.fallback),
            "note": each.note,
            "plain": False,
            "created_at": tx.now,
        },
    ).scalar_one()
    if each.tag:
        tx.connection.execute(
            update(message)
            .where(_of(each.portal, name), message.c.state == "queued", message.c.id < number)
            .values(state="superseded", superseded_by=number, settled_at=tx.now)
        )
    _advance(tx, each.portal, name)
    return number


def stream_name(each: Message) -> str:
    """The stream of a message: its recipient, and its tag or else what it is about."""
    return f"{each.user_id}:{each.tag or each.key}"


def _lock(tx: Transaction, portal: str, name: str) -> None:
    """Make the stream's row, or lock it until the commit.

    On PostgreSQL the order of numbers is not the order of commits; the lock, taken before the number is drawn, makes it
    so within a stream.
    """
    dialect = sqlite if tx.connection.dialect.name == "sqlite" else postgresql
    row = dialect.insert(stream).values(portal=portal, stream=name)
    tx.connection.execute(
        row.on_conflict_do_update(index_elements=[stream.c.portal, stream.c.stream], set_={"stream": name})
    )


def _of(portal: str, name: str) -> Any:
    return and_(message.c.portal == portal, message.c.stream == name)


def _advance(tx: Transaction, portal: str, name: str, **also: object) -> None:
    """Point the stream at its first queued message, if there is one."""
    head = (
        select(message.c.id, message.c.urgent)
        .where(_of(portal, name), message.c.state == "queued")
        .order_by(message.c.id)
        .limit(1)
    )
    first = tx.connection.execute(head).first()
    tx.connection.execute(
        update(stream)
        .where(stream.c.portal == portal, stream.c.stream == name)
        .values(head=first.id if first else None, urgent=first.urgent if first else False, **also)
    )


# ── Out of the outbox ─────────────────────────────────────────────────────────────────────────────────────────


def _ready(tx: Transaction, portal: str) -> Any:
    return and_(stream.c.portal == portal, stream.c.head.is_not(None), stream.c.busy == 0, stream.c.due_at <= tx.now)


def backlog(tx: Transaction, portal: str, *, most: int) -> int:
    """How many streams wait to be sent now; counting stops at ``most``."""
    some = select(stream.c.head).where(_ready(tx, portal)).limit(most).subquery()
    return tx.connection.execute(select(func.count()).select_from(some)).scalar_one()


def anything_sending(tx: Transaction, portal: str) -> bool:
    """Is a message being sent, or left by somebody who was sending it?"""
    busy = select(message.c.id).where(message.c.portal == portal, message.c.state == "sending").limit(1)
    return tx.connection.execute(busy).first() is not None


def next_due(tx: Transaction, portal: str) -> float | None:
    """When the first stream that waits will be due (Unix seconds); ``None`` if none waits."""
    due = select(func.min(stream.c.due_at)).where(
        stream.c.portal == portal, stream.c.head.is_not(None), stream.c.busy == 0
    )
    first: float | None = tx.connection.execute(due).scalar_one()
    return first


def claim(tx: Transaction, portal: str, epoch: int, limit: int) -> list[Parcel]:
    """Claim the heads of up to ``limit`` streams, the urgent first, then the oldest."""
    heads = (
        select(stream.c.stream, stream.c.head)
        .where(_ready(tx, portal))
        .order_by(stream.c.urgent.desc(), stream.c.head)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    claimed = tx.connection.execute(heads).all()
    if not claimed:
        return []
    numbers = [row.head for row in claimed]
    tx.connection.execute(
        update(stream)
        .where(stream.c.portal == portal, stream.c.stream.in_([row.stream for row in claimed]))
        .values(busy=epoch)
    )
    tx.connection.execute(
        update(message)
        .where(message.c.id.in_(numbers), message.c.state == "queued")
        .values(state="sending", epoch=epoch)
    )
    found = {row["id"]: _parcel(row) for row in _rows(tx, select(message).where(message.c.id.in_(numbers)))}
    return [found[number] for number in numbers]


def settle(tx: Transaction, portal: str, epoch: int, settlement: Settlement) -> bool:
    """Write down what became of a parcel.

    Returns:
        ``False``, and nothing is written, if the parcel is no longer this epoch's: the lease was lost meanwhile.
    """
    parcel = settlement.parcel
    name = stream_name(parcel.message)
    state, newer = settlement.state, None
    if state == "queued" and parcel.message.tag:
        newer = _newest_queued(tx, portal, name)
        state = "superseded" if newer else "queued"
    settled = tx.connection.execute(
        update(message)
        .where(message.c.id == parcel.id, message.c.state == "sending", message.c.epoch == epoch)
        .values(
            state=state,
            attempts=message.c.attempts + (1 if settlement.counted else 0),
            plain=parcel.plain or settlement.plain,
            settled_at=None if state == "queued" else tx.now,
            notification_id=settlement.notification_id,
            superseded_by=newer,
            code=settlement.code,
            why=settlement.why,
        )
    )
    if settled.rowcount != 1:
        return False
    tx.connection.execute(
        insert(attempt),
        {
            "message_id": parcel.id,
            "at": tx.now,
            "verdict": settlement.verdict,
            "code": settlement.code,
            "why": settlement.why,
        },
    )
    _advance(tx, portal, name, busy=0, due_at=settlement.not_before)
    if settlement.instead is not None:
        _enqueue(tx, _event_of(tx, parcel.id), settlement.instead)
    return True


def take_over(tx: Transaction, portal: str, epoch: int) -> int:
    """Put back what holders of earlier epochs were sending: they are gone, and nobody knows whether it was done.

    Returns:
        How many messages were put back. They will be sent once more: at least once is the promise.
    """
    left = _rows(tx, select(message).where(message.c.portal == portal, message.c.state == "sending"))
    lost = [row for row in left if row["epoch"] < epoch]
    for row in lost:
        put_back = Settlement(
            parcel=_parcel(row), state="queued", verdict="unknown", why="the worker stopped while sending it"
        )
        settle(tx, portal, row["epoch"], put_back)
    return len(lost)


def _newest_queued(tx: Transaction, portal: str, name: str) -> int | None:
    newest = select(func.max(message.c.id)).where(_of(portal, name), message.c.state == "queued")
    number: int | None = tx.connection.execute(newest).scalar_one()
    return number


def _event_of(tx: Transaction, number: int) -> int | None:
    event: int | None = tx.connection.execute(select(message.c.event_id).where(message.c.id == number)).scalar_one()
    return event


# ── Asked and changed by hand ─────────────────────────────────────────────────────────────────────────────────


def latest(tx: Transaction, *, limit: int, states: Sequence[str] = (), event_id: int | None = None) -> list[Record]:
    """The newest messages, newest first, of some states or of one event."""
    query = select(message).order_by(message.c.id.desc()).limit(limit)
    if states:
        query = query.where(message.c.state.in_(states))
    if event_id is not None:
        query = query.where(message.c.event_id == event_id)
    return [_record(row) for row in _rows(tx, query)]


def get(tx: Transaction, number: int) -> Record | None:
    rows = _rows(tx, select(message).where(message.c.id == number))
    return _record(rows[0]) if rows else None


def attempts(tx: Transaction, number: int) -> list[Attempt]:
    """Each try at sending a message, the first one first."""
    rows = select(attempt).where(attempt.c.message_id == number).order_by(attempt.c.id)
    return [Attempt(at=row["at"], verdict=row["verdict"], code=row["code"], why=row["why"]) for row in _rows(tx, rows)]


def retry(tx: Transaction, number: int) -> bool:
    """Queue a dead or held message again, at once; ``False`` if it is neither, or a newer one has its place."""
    record = get(tx, number)
    if record is None:
        return False
    portal, name = record.message.portal, stream_name(record.message)
    _lock(tx, portal, name)
    if record.message.tag and _has_newer(tx, portal, name, number):
        return False
    queued = tx.connection.execute(
        update(message)
        .where(message.c.id == number, message.c.state.in_(["dead", "held"]))
        .values(state="queued", settled_at=None, created_at=tx.now)
    )
    _advance(tx, portal, name, due_at=0.0)
    return queued.rowcount == 1


def drop(tx: Transaction, number: int) -> bool:
    """Give a message up for good; ``False`` if it is being sent or has an end already."""
    record = get(tx, number)
    if record is None:
        return False
    dropped = tx.connection.execute(
        update(message)
        .where(message.c.id == number, message.c.state.in_(["queued", "dead", "held"]))
        .values(state="dropped", settled_at=tx.now)
    )
    _advance(tx, record.message.portal, stream_name(record.message))
    return dropped.rowcount == 1


def counts(tx: Transaction) -> dict[str, int]:
    """How many messages there are in each state."""
    rows = select(message.c.state, func.count().label("number")).group_by(message.c.state)
    return {row.state: row.number for row in tx.connection.execute(rows)}


def _has_newer(tx: Transaction, portal: str, name: str, number: int) -> bool:
    newer = select(message.c.id).where(_of(portal, name), message.c.id > number, message.c.state != "dropped")
    return tx.connection.execute(newer.limit(1)).first() is not None


def _rows(tx: Transaction, query: Select[Any]) -> list[Any]:
    return list(tx.connection.execute(query).mappings())


def _message(row: Any) -> Message:
    return Message(
        portal=row["portal"],
        user_id=row["user_id"],
        person=row["person"],
        rule=row["rule"],
        key=row["key"],
        tag=row["tag"],
        text=row["text"],
        attach=None if row["attach"] is None else json.loads(row["attach"]),
        via=row["via"],
        urgent=row["urgent"],
        fallback=tuple(json.loads(row["fallback"])),
        delete=row["deletes"],
        note=row["note"],
    )


def _parcel(row: Any) -> Parcel:
    return Parcel(
        id=row["id"],
        message=_message(row),
        attempts=row["attempts"],
        plain=row["plain"],
        created_at=row["created_at"],
    )


def _record(row: Any) -> Record:
    return Record(
        id=row["id"],
        event_id=row["event_id"],
        message=_message(row),
        state=row["state"],
        attempts=row["attempts"],
        created_at=row["created_at"],
        settled_at=row["settled_at"],
        notification_id=row["notification_id"],
        superseded_by=row["superseded_by"],
        code=row["code"],
        why=row["why"],
    )
