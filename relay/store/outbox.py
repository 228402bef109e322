"""The second wall: messages on their way, claimed a head of line at a time and settled under the claimant's epoch.

Never decides whether a message is sent, retried or given up: it writes down what the courier ruled.

Only the first message of a stream may be claimed, and a stream that is being sent is busy, so that nothing overtakes.
Every change of a message names the state that it leaves, and is made with the stream locked.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, Literal

from sqlalchemy import Integer, Select, bindparam, func, insert, literal_column, select, update

from relay.model import Message, Parcel
from relay.store import streams, turns
from relay.store.database import Transaction, chunks
from relay.store.prepared import Prepared, among
from relay.store.tables import QUEUED, RESTING, WAITING, attempt, message, stream

Letter = tuple[int | None, Message]  # a message, with the number of the event that it tells of
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


# Statements that every message costs are built once: building one takes longer than carrying it out.
_HERE = stream.c.portal == bindparam("in_portal")
_MOST = bindparam("most", type_=Integer)
_INSERT = Prepared(insert(message).returning(message.c.id, sort_by_parameter_order=True))
_SUPERSEDE = Prepared(
    update(message)
    .where(
        message.c.portal == bindparam("in_portal"),
        message.c.stream == bindparam("in_stream"),
        message.c.id < bindparam("newest"),
        QUEUED,
    )
    .values(state="superseded", superseded_by=bindparam("newest"), settled_at=bindparam("at"))
)
_WAKE = Prepared(
    lambda dialect: (
        update(message)
        .where(message.c.portal == bindparam("in_portal"), among(dialect, "names", message.c.stream), RESTING)
        .values(not_before=0.0)
    )
)
_BACKLOG = Prepared(
    select(func.count()).select_from(
        select(stream.c.head).where(_HERE, WAITING, stream.c.due_at <= bindparam("now")).limit(_MOST).subquery()
    )
)
_SENDING = Prepared(
    select(message.c.id).where(message.c.portal == bindparam("in_portal"), message.c.state == "sending").limit(1)
)
_NEXT_DUE = Prepared(select(func.min(stream.c.due_at)).where(_HERE, WAITING))
_HEADS = Prepared(
    select(stream.c.stream, stream.c.head, stream.c.rank, stream.c.turn)
    .where(_HERE, WAITING, stream.c.due_at + literal_column("0") <= bindparam("now"))
    .order_by(stream.c.rank, stream.c.turn, stream.c.head)
    .limit(_MOST)
    .with_for_update(skip_locked=True)
)
_NO_SORTING = select(func.set_config("enable_sort", "off", True))
_OCCUPY = Prepared(
    lambda dialect: (
        update(stream).where(_HERE, among(dialect, "names", stream.c.stream)).values(busy=bindparam("under"))
    )
)
_SEND = Prepared(
    lambda dialect: (
        update(message)
        .where(among(dialect, "numbers", message.c.id), message.c.state == "queued")
        .values(state="sending", epoch=bindparam("under"))
        .returning(message)
    )
)
_SENT_UNDER = message.c.state == "sending", message.c.epoch == bindparam("under")
_OURS = Prepared(
    lambda dialect: select(message.c.id, message.c.event_id).where(
        among(dialect, "numbers", message.c.id), *_SENT_UNDER
    )
)
_END = Prepared(
    update(message)
    .where(message.c.id == bindparam("number"), *_SENT_UNDER)
    .values(state=bindparam("becomes"), attempts=message.c.attempts + bindparam("counts"))
)
_TRY = Prepared(insert(attempt))


# ── Into the outbox ───────────────────────────────────────────────────────────────────────────────────────────


def enqueue(tx: Transaction, event_id: int | None, messages: Iterable[Message]) -> list[int]:
    """Put messages in their streams, in order. An unsent message under the same tag is superseded: it would show
    an older state."""
    return enqueue_all(tx, [(event_id, each) for each in messages])


def enqueue_all(tx: Transaction, letters: Sequence[Letter]) -> list[int]:
    """The same for messages of several events: as if each event's were enqueued by themselves, one after the other."""
    parts = list(_apart(letters))
    if len(parts) > 1:  # all at once, in one order
        streams.lock(tx, [each for _, each in letters])
    return [number for some in parts for number in _enqueue(tx, some)]


def _apart(letters: Sequence[Letter]) -> Iterator[Sequence[Letter]]:
    """Letters in their order, as many together as may be. No stream has there what two events say: the later one is to
    find the earlier one's in the place that it takes."""
    start, event_of = 0, dict[streams.Name, int | None]()
    for place, (event, each) in enumerate(letters):
        if event_of.setdefault(streams.name(each), event) != event:
            yield letters[start:place]
            start, event_of = place, {streams.name(each): event}
    if letters:
        yield letters[start:]


def _enqueue(tx: Transaction, letters: Sequence[Letter]) -> list[int]:
    """A turn of the router's is written in these few statements, and not in as many for each event: while they run,
    no door can write."""
    messages = [each for _, each in letters]
    names = [streams.name(each) for each in messages]
    several = Counter(names)
    occupied = streams.lock(tx, messages)
    drawn = turns.draw(tx, messages, occupied)
    rows = [_row(each, event, tx.now) | {"turn": turn} for (event, each), turn in zip(letters, drawn, strict=True)]
    numbers = [row.id for row in _INSERT.each(tx, rows)]
    behind = {name for name, number in several.items() if number > 1 or name in occupied}  # others are before theirs
    newest = {name: number for name, each, number in zip(names, messages, numbers, strict=True) if each.tag}
    _supersede(tx, {name: number for name, number in newest.items() if name in behind})
    _wake(tx, [name for name, each in zip(names, messages, strict=True) if not each.not_before and name in behind])
    streams.advance(tx, several)
    tx.news = True
    return numbers


def _row(each: Message, event_id: int | None, now: float) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "portal": each.portal,
        "stream": streams.within(each),
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
        "not_before": each.not_before,
        "created_at": now,
    }


def _supersede(tx: Transaction, newest: Mapping[streams.Name, int]) -> None:
    """End what is queued before the newest message of each stream."""
    if newest:
        rows = [
            {"in_portal": portal, "in_stream": name, "newest": number, "at": tx.now}
            for (portal, name), number in newest.items()
        ]
        _SUPERSEDE.each(tx, rows)


def _wake(tx: Transaction, names: Iterable[streams.Name]) -> None:
    """Let go what was held for quiet hours before messages that may not wait: nothing overtakes in its stream."""
    for portal, some in streams.by_portal(names):
        _WAKE(tx, in_portal=portal, names=some)


# ── Out of the outbox ─────────────────────────────────────────────────────────────────────────────────────────


def backlog(tx: Transaction, portal: str, *, most: int) -> int:
    """How many streams wait to be sent now; counting stops at ``most``."""
    return int(_BACKLOG.value(tx, in_portal=portal, now=tx.now, most=most))


def waiting_for(tx: Transaction) -> list[str]:
    """The portals for which messages wait."""
    names = select(stream.c.portal).where(stream.c.head.is_not(None)).distinct().order_by(stream.c.portal)
    return list(tx.connection.execute(names).scalars())


def anything_sending(tx: Transaction, portal: str) -> bool:
    """Is a message being sent, or left by somebody who was sending it?"""
    return _SENDING.first(tx, in_portal=portal) is not None


def next_due(tx: Transaction, portal: str) -> float | None:
    """When the first stream that waits will be due (Unix seconds); ``None`` if none waits."""
    first: float | None = _NEXT_DUE.value(tx, in_portal=portal)
    return first


def _rest_longer(tx: Transaction, portal: str, seconds: float) -> Select[Any]:
    """Streams that wait longer than so for another try; quiet hours, which may be longer, do not count."""
    latest = tx.now + seconds
    return select(stream.c.stream).where(
        stream.c.portal == portal, WAITING, stream.c.due_at > latest, stream.c.retry_at > latest
    )


def rests_longer(tx: Transaction, portal: str, seconds: float) -> bool:
    """Does a stream wait longer than so for another try?"""
    return tx.connection.execute(_rest_longer(tx, portal, seconds).limit(1)).first() is not None


def rest_no_longer(tx: Transaction, portal: str, seconds: float) -> None:
    """Try again now what waits longer than so for another try."""
    names = sorted(tx.connection.execute(_rest_longer(tx, portal, seconds)).scalars())
    for some in chunks(names):
        again = _rest_longer(tx, portal, seconds).where(stream.c.stream.in_(some)).order_by(stream.c.stream)
        ours = list(tx.connection.execute(again.with_for_update()).scalars())
        streams.advance(tx, [(portal, each) for each in ours], retry_at=0.0)
    tx.news = True


def claim(tx: Transaction, portal: str, epoch: int, limit: int) -> list[Parcel]:
    """Claim the heads of up to ``limit`` streams: the urgent first, then by turns between recipients."""
    _in_order_of_the_index(tx)
    claimed = _HEADS(tx, in_portal=portal, now=tx.now, most=limit)
    if not claimed:
        return []
    numbers = [row.head for row in claimed]
    turns.served(tx, portal, {row.rank: row.turn for row in claimed})  # the last of each rank is the latest
    names = [row.stream for row in claimed]
    _OCCUPY(tx, in_portal=portal, names=names, under=epoch)
    found = {row.id: _parcel(row) for row in _SEND(tx, numbers=numbers, under=epoch)}
    return [found[number] for number in numbers]


def _in_order_of_the_index(tx: Transaction) -> None:
    """Keep PostgreSQL from sorting a hundred thousand streams to find fifty, as it would before it has counted them.

    SQLite is told the same by the time that is reckoned with: it is then no reason to choose the index by time.
    """
    if tx.connection.dialect.name != "sqlite":
        tx.connection.execute(_NO_SORTING)


def settle_all(tx: Transaction, portal: str, epoch: int, settlements: Sequence[Settlement]) -> list[Settlement]:
    """Write down what became of the parcels of a call.

    Returns:
        What was written. A parcel that is no longer this epoch's is left alone: the lease was lost meanwhile.
    """
    others = [each.instead for each in settlements if each.instead is not None]
    streams.lock(tx, [each.parcel.message for each in settlements] + others)
    numbers = [each.parcel.id for each in settlements]
    event_of = {row.id: row.event_id for row in _OURS(tx, numbers=numbers, under=epoch)}
    written = [each for each in settlements if each.parcel.id in event_of]
    if written:
        _end(tx, epoch, written, _newer(tx, portal, written))
        for not_before, some in groupby(sorted(written, key=_not_before), key=_not_before):
            streams.advance(tx, [streams.name(each.parcel.message) for each in some], free=True, retry_at=not_before)
    for each in written:
        if each.instead is not None:
            enqueue(tx, event_of[each.parcel.id], [each.instead])
    return written


def settle(tx: Transaction, portal: str, epoch: int, settlement: Settlement) -> bool:
    """As ``settle_all``, for one; ``False`` if nothing was written."""
    return bool(settle_all(tx, portal, epoch, [settlement]))


def _not_before(settlement: Settlement) -> float:
    return settlement.not_before


def _newer(tx: Transaction, portal: str, settlements: Sequence[Settlement]) -> dict[str, int]:
    """The newest queued message in the streams of those that would be queued again, where it shows a newer state."""
    again = [each.parcel.message for each in settlements if each.state == "queued"]
    names = [streams.within(each) for each in again if each.tag]
    if not names:
        return {}
    newest = (
        select(message.c.stream, func.max(message.c.id).label("newest"))
        .where(message.c.portal == portal, message.c.stream.in_(names), QUEUED)
        .group_by(message.c.stream)
    )
    return {row.stream: row.newest for row in tx.connection.execute(newest)}


def _end(tx: Transaction, epoch: int, settlements: Sequence[Settlement], newer: Mapping[str, int]) -> None:
    """Write each settlement, and the try for whoever asks why; what has a newer state behind it is superseded."""
    rows, tries = [], []
    for each in settlements:
        instead = newer.get(streams.within(each.parcel.message)) if each.state == "queued" else None
        state = "superseded" if instead else each.state
        rows.append(
            {
                "number": each.parcel.id,
                "under": epoch,
                "becomes": state,
                "counts": 1 if each.counted else 0,
                "failing_since": each.parcel.failing_since or (tx.now if each.counted else None),
                "plain": each.parcel.plain or each.plain,
                "settled_at": None if state == "queued" else tx.now,
                "notification_id": each.notification_id,
                "superseded_by": instead,
                "code": each.code,
                "why": each.why,
            }
        )
        one = {"message_id": each.parcel.id, "at": tx.now, "verdict": each.verdict, "code": each.code, "why": each.why}
        tries.append(one)
    _END.each(tx, rows)
    _TRY.each(tx, tries)


def take_over(tx: Transaction, portal: str, epoch: int) -> int:
    """Put back what holders of earlier epochs were sending: they are gone, and nobody knows whether it was done.

    Returns:
        How many messages were put back. They will be sent once more: at least once is the promise.
    """
    sending = select(message).where(message.c.portal == portal, message.c.state == "sending", message.c.epoch < epoch)
    lost = [(row.epoch, _parcel(row)) for row in _rows(tx, sending.order_by(message.c.epoch))]
    streams.lock(tx, [parcel.message for _, parcel in lost])
    why = "the worker stopped while sending it"
    return sum(
        len(
            settle_all(
                tx,
                portal,
                of,
                [Settlement(parcel=parcel, state="queued", verdict="unknown", why=why) for _, parcel in theirs],
            )
        )
        for of, theirs in groupby(lost, key=itemgetter(0))
    )


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
    return [Attempt(at=row.at, verdict=row.verdict, code=row.code, why=row.why) for row in _rows(tx, rows)]


def retry(tx: Transaction, number: int) -> bool:
    """Queue a dead or held message again, at once; ``False`` if it is neither, or a newer one has its place."""
    record = get(tx, number)
    if record is None:
        return False
    portal, name = streams.name(record.message)
    streams.lock(tx, [record.message])
    if record.message.tag and _has_newer(tx, portal, name, number):
        return False
    queued = tx.connection.execute(
        update(message)
        .where(message.c.id == number, message.c.state.in_(["dead", "held"]))
        .values(state="queued", settled_at=None, created_at=tx.now, failing_since=None, not_before=0.0)
    )
    if queued.rowcount == 1:
        streams.advance(tx, [(portal, name)], retry_at=0.0)
        tx.news = True
    return queued.rowcount == 1


def drop(tx: Transaction, number: int) -> bool:
    """Give a message up for good; ``False`` if it is being sent or has an end already."""
    record = get(tx, number)
    if record is None:
        return False
    streams.lock(tx, [record.message])
    dropped = tx.connection.execute(
        update(message)
        .where(message.c.id == number, message.c.state.in_(["queued", "dead", "held"]))
        .values(state="dropped", settled_at=tx.now)
    )
    if dropped.rowcount == 1:
        streams.advance(tx, [streams.name(record.message)])
        tx.news = True
    return dropped.rowcount == 1


def counts(tx: Transaction) -> dict[str, int]:
    """How many messages there are in each state."""
    rows = select(message.c.state, func.count().label("number")).group_by(message.c.state)
    return {row.state: row.number for row in tx.connection.execute(rows)}


def _has_newer(tx: Transaction, portal: str, name: str, number: int) -> bool:
    newer = select(message.c.id).where(
        message.c.portal == portal, message.c.stream == name, message.c.id > number, message.c.state != "dropped"
    )
    return tx.connection.execute(newer.limit(1)).first() is not None


def _rows(tx: Transaction, query: Select[Any]) -> list[Any]:
    return list(tx.connection.execute(query))


def _message(row: Any) -> Message:
    return Message(
        portal=row.portal,
        user_id=row.user_id,
        person=row.person,
        rule=row.rule,
        key=row.key,
        tag=row.tag,
        text=row.text,
        attach=None if row.attach is None else json.loads(row.attach),
        via=row.via,
        urgent=row.urgent,
        fallback=tuple(json.loads(row.fallback)),
        delete=row.deletes,
        note=row.note,
        not_before=row.not_before,
    )


def _parcel(row: Any) -> Parcel:
    return Parcel(
        id=row.id,
        message=_message(row),
        attempts=row.attempts,
        plain=row.plain,
        created_at=row.created_at,
        failing_since=row.failing_since,
        event=row.event_id,
    )


def _record(row: Any) -> Record:
    return Record(
        id=row.id,
        event_id=row.event_id,
        message=_message(row),
        state=row.state,
        attempts=row.attempts,
        created_at=row.created_at,
        settled_at=row.settled_at,
        notification_id=row.notification_id,
        superseded_by=row.superseded_by,
        code=row.code,
        why=row.why,
    )
