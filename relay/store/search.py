"""The questions that people ask of the journal and the outbox: which events and messages are there, the newest first.

Never changes anything, and never reads a body, a text or blocks: a list is made of what it shows, however large the
rest may be. Paging goes on below a number (keyset), never over rows that are counted and thrown away.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from sqlalchemy import Column, ColumnElement, Select, Table, and_, false, func, literal_column, or_, select

from relay.model import Message, Outcome
from relay.store import outbox, streams
from relay.store.database import Transaction
from relay.store.tables import event, message

EventState = Literal["new", "decided", "unreadable"]

OUTCOMES: tuple[str, ...] = get_args(Outcome)  # «unreadable» is a state and its outcome
EVENT_STATES: tuple[str, ...] = ("new", "decided", *OUTCOMES)
MESSAGE_STATES: tuple[str, ...] = get_args(outbox.State)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What is looked for. All that is given must hold; what is left out asks nothing.

    ``person`` and ``rule`` are a message's, and of events mean those that led to such a message; ``source`` and
    ``kind`` are an event's, and of messages mean those that such an event led to.
    """

    source: str = ""
    kind: str = ""
    person: str = ""
    rule: str = ""
    states: tuple[str, ...] = ()  # one of EVENT_STATES (states and outcomes), or of MESSAGE_STATES
    portal: str = ""  # of messages alone: the one that they go to
    text: str = ""  # in an event's title, or in a message's text; in either case of letters
    since: float | None = None  # Unix seconds: received, or put in the outbox, at this moment or later
    until: float | None = None  # and before this one
    before: int | None = None  # numbers below this one: the next page
    after: int | None = None  # numbers above this one, and then the oldest first: what has come since
    limit: int | None = 20  # None: all of them


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """A journalled event as a list shows it. Times are Unix seconds."""

    id: int
    source: str
    received_at: float
    kind: str
    title: str
    state: EventState
    outcome: str
    note: str
    decided_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRow:
    """A message as a list shows it, with the words of its event, which are ``""`` where it has none."""

    id: int
    event_id: int | None
    source: str
    kind: str
    title: str
    portal: str
    person: str
    user_id: int
    rule: str
    tag: str
    urgent: bool
    state: outbox.State
    attempts: int
    created_at: float
    settled_at: float | None
    notification_id: int | None
    superseded_by: int | None
    code: str
    why: str


_OF_ITS_EVENT = ("source", "kind", "title")
EVENT_COLUMNS = tuple(event.c[field.name] for field in fields(EventRow))
MESSAGE_COLUMNS = tuple(
    func.coalesce(event.c[name], "").label(name) if name in _OF_ITS_EVENT else message.c[name]
    for name in (field.name for field in fields(MessageRow))
)
WITH_EVENT = message.outerjoin(event, event.c.id == message.c.event_id)


# ── Lists ─────────────────────────────────────────────────────────────────────────────────────────────────────


def events(tx: Transaction, what: Filter) -> list[EventRow]:
    """One page of events."""
    rows = _page(tx, select(*EVENT_COLUMNS), event, _of_events(what), what)
    return [EventRow(**row) for row in rows]


def messages(tx: Transaction, what: Filter) -> list[MessageRow]:
    """One page of messages."""
    query = select(*MESSAGE_COLUMNS).select_from(WITH_EVENT)
    rows = _page(tx, query, message, of_messages(what), what)
    return [MessageRow(**row) for row in rows]


def event_numbers(tx: Transaction, what: Filter) -> list[int]:
    """The numbers alone, for whoever does something to each."""
    return [row["id"] for row in _page(tx, select(event.c.id), event, _of_events(what), what)]


def message_numbers(tx: Transaction, what: Filter) -> list[int]:
    """As ``event_numbers``, of messages."""
    query = select(message.c.id).select_from(WITH_EVENT)
    return [row["id"] for row in _page(tx, query, message, of_messages(what), what)]


def newest_event(tx: Transaction) -> int:
    """The highest number in the journal; 0 while it is empty."""
    return _newest(tx, event)


def newest_message(tx: Transaction) -> int:
    return _newest(tx, message)


def _newest(tx: Transaction, table: Table) -> int:
    number: int = tx.connection.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one()
    return number


# ── One message and those around it ───────────────────────────────────────────────────────────────────────────


def of_event(tx: Transaction, number: int) -> list[MessageRow]:
    """The messages that an event has led to, the oldest first."""
    query = select(*MESSAGE_COLUMNS).select_from(WITH_EVENT).where(message.c.event_id == number)
    return [MessageRow(**row) for row in tx.connection.execute(query.order_by(message.c.id)).mappings()]


def one_message(tx: Transaction, number: int) -> MessageRow | None:
    query = select(*MESSAGE_COLUMNS).select_from(WITH_EVENT).where(message.c.id == number)
    row = tx.connection.execute(query).mappings().first()
    return None if row is None else MessageRow(**row)


def one_event(tx: Transaction, number: int) -> EventRow | None:
    row = tx.connection.execute(select(*EVENT_COLUMNS).where(event.c.id == number)).mappings().first()
    return None if row is None else EventRow(**row)


def newer_state(tx: Transaction, each: Message, event_id: int) -> int | None:
    """The message by which its recipient was told, under the same tag, of an event after this one; ``None`` if by none.

    One that somebody dropped does not count: it was never told.
    """
    if not each.tag:
        return None
    newer = select(message.c.id).where(
        message.c.portal == each.portal,
        message.c.stream == streams.within(each),
        message.c.event_id > event_id,
        message.c.state != "dropped",
    )
    return tx.connection.execute(newer.order_by(message.c.id.desc()).limit(1)).scalar_one_or_none()


# ── The conditions ────────────────────────────────────────────────────────────────────────────────────────────


def _of_events(what: Filter) -> Iterator[ColumnElement[bool]]:
    yield from equal((event.c.source, what.source))
    yield from of_kind(what.kind)
    its_messages = [*equal((message.c.person, what.person), (message.c.rule, what.rule))]
    if its_messages:
        yield event.c.id.in_(select(message.c.event_id).where(*its_messages))
    if what.states:
        states = _in(event.c.state, what.states, ("new", "decided"))
        yield or_(false(), *states, *_in(event.c.outcome, what.states, OUTCOMES))
    if what.text:
        yield contains(event.c.title, what.text)


def of_messages(what: Filter) -> Iterator[ColumnElement[bool]]:
    yield from equal((message.c.person, what.person), (message.c.rule, what.rule), (message.c.portal, what.portal))
    yield from equal((event.c.source, what.source))
    yield from of_kind(what.kind)
    if what.states:
        yield message.c.state.in_(what.states)
    if what.text:
        yield contains(message.c.text, what.text)


def equal(*wanted: tuple[Column[Any], str]) -> Iterator[ColumnElement[bool]]:
    """A condition for each column of which something is wanted."""
    return (column == value for column, value in wanted if value)


def _in(column: Column[Any], wanted: Sequence[str], known: Sequence[str]) -> Iterator[ColumnElement[bool]]:
    """One of those wanted that this column can hold; nothing if there are none: an index serves what is asked alone."""
    its = [value for value in wanted if value in known]
    if its:
        yield column.in_(its)


def of_kind(kind: str) -> Iterator[ColumnElement[bool]]:
    """``pull_request`` finds ``pull_request.opened`` as well."""
    if kind:
        yield or_(event.c.kind == kind, event.c.kind.startswith(f"{kind}.", autoescape=True))


def contains(column: Column[Any], text: str) -> ColumnElement[bool]:
    """Does the column hold this text, in either case of letters?

    SQLite knows the cases of ASCII letters alone, and PostgreSQL those of its locale, which may be none (C): the usual
    spellings of a word are asked for one by one, so that «диск» finds «Диск» and «ДИСК» on both.
    """
    spellings = dict.fromkeys((text, text.lower(), text.upper(), text.capitalize(), text.title()))
    return or_(*(column.icontains(spelling, autoescape=True) for spelling in spellings))


# ── A page ────────────────────────────────────────────────────────────────────────────────────────────────────


MOMENT = {event: event.c.received_at, message: message.c.created_at}


def _page(
    tx: Transaction, query: Select[Any], table: Table, conditions: Iterator[ColumnElement[bool]], what: Filter
) -> Sequence[Any]:
    number = table.c.id
    query = query.where(*conditions, *_in_time(tx, table, what))
    if what.before is not None:
        query = query.where(number < what.before)
    if what.after is not None:
        query = query.where(number > what.after)
    order = number.desc() if what.after is None else number
    return tx.connection.execute(query.order_by(order).limit(what.limit)).mappings().all()


def in_time(table: Table, what: Filter) -> list[ColumnElement[bool]]:
    """Between the two moments of a filter."""
    moment = MOMENT[table]
    return [
        *([moment >= what.since] if what.since is not None else []),
        *([moment < what.until] if what.until is not None else []),
    ]


def _in_time(tx: Transaction, table: Table, what: Filter) -> Iterator[ColumnElement[bool]]:
    """Between two moments, and, so that nobody walks over all that is newer, between the numbers of then.

    The sum keeps a planner from walking the numbers themselves until one is of that time: it may be the last one.
    """
    limits = in_time(table, what)
    if not limits:
        return
    number = table.c.id + literal_column("0")
    first, last = tx.connection.execute(select(func.min(number), func.max(number)).where(*limits)).one()
    yield false() if first is None else and_(table.c.id >= first, table.c.id <= last, *limits)
