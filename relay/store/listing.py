"""Pages of the journal and of the outbox as a browser asks for them: fifty rows, whatever is sought among a million.

Never looks further than `LOOKED` rows at a time. An index leads to those of a source, of a person, and to all that did
not arrive; what no index leads to (a kind, a text, a rule) is sought among so many of the newest, and the page says
where it stopped, so that the search is continued from there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar, get_args

from sqlalchemy import (
    Column,
    ColumnElement,
    Select,
    Subquery,
    Table,
    TextClause,
    and_,
    exists,
    false,
    func,
    not_,
    or_,
    select,
    union_all,
)

from relay.model import Outcome
from relay.store import outbox, search
from relay.store.database import Transaction
from relay.store.search import EventRow, Filter, MessageRow
from relay.store.tables import NEW, OPEN, event, message

PAGE = 50
GLANCE = 500  # rows that are looked at first: what is frequent is found among them
LOOKED = 10_000  # rows that are looked at for one page

# Of several messages, the one that most wants to be looked at speaks for its event.
WORST_FIRST: tuple[outbox.State, ...] = (
    "dead",
    "held",
    "sending",
    "queued",
    "muted",
    "delivered",
    "superseded",
    "dropped",
)
NOT_ARRIVED = WORST_FIRST[:4]  # few, and an index has them: OPEN
OUTCOMES: tuple[str, ...] = get_args(Outcome)
VERDICTS: tuple[str, ...] = tuple(dict.fromkeys((*WORST_FIRST, *OUTCOMES, "new")))

HIGHEST = 2**63 - 1  # what a number's column holds


class Numbered(Protocol):
    @property
    def id(self) -> int: ...


Row = TypeVar("Row", bound=Numbered)


@dataclass(frozen=True, slots=True)
class Line:
    """An event, the one word for what became of it, and its messages counted by their state."""

    event: EventRow
    verdict: str  # one of VERDICTS
    messages: Mapping[str, int] = field(default_factory=dict)

    @property
    def id(self) -> int:
        return self.event.id


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """What was found, the newest first.

    ``further`` is the number to go on from, below it, or above it if the page was asked for ``after`` a number;
    ``None``: there is no more. ``stopped``: the page is not full because the look ended there, not the rows.
    """

    rows: Sequence[Row]
    further: int | None = None
    stopped: bool = False


# ── The journal ───────────────────────────────────────────────────────────────────────────────────────────────────


def journal(tx: Transaction, what: Filter, verdict: str = "") -> Page[Line]:
    """One page of events, each with its verdict.

    Args:
        what: whatever is sought, but for its ``states``: the verdict says more. A limit of ``None`` is `PAGE`.
        verdict: one of `VERDICTS`; ``""``: any.
    """
    query = select(*search.EVENT_COLUMNS).where(*_of_an_event(what, verdict))
    found = _look(tx, query, event, _leaders_to_events(what, verdict), what)
    rows = [EventRow(**row) for row in found.rows]
    told = counted(tx, [row.id for row in rows])
    return _page([Line(row, verdict_of(row, told.get(row.id, {})), told.get(row.id, {})) for row in rows], found, what)


def counted(tx: Transaction, events: Sequence[int]) -> dict[int, dict[str, int]]:
    """The messages of some events by their state, in one question; without the events that have none."""
    rows = select(message.c.event_id, message.c.state, func.count().label("number")).where(
        message.c.event_id.in_(events)
    )
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for row in tx.connection.execute(rows.group_by(message.c.event_id, message.c.state)) if events else ():
        found[row.event_id][row.state] = row.number
    return dict(found)


def verdict_of(row: EventRow, messages: Mapping[str, int]) -> str:
    """The worst that became of its messages; without any, why there is none."""
    return next((state for state in WORST_FIRST if state in messages), row.outcome or row.state)


def _of_an_event(what: Filter, verdict: str) -> Iterator[ColumnElement[bool]]:
    yield from search.equal((event.c.source, what.source))
    yield from search.of_kind(what.kind)
    its = list(search.equal((message.c.person, what.person), (message.c.rule, what.rule)))
    if its:
        yield _has(*its)
    if what.text:
        yield search.contains(event.c.title, what.text)
    if verdict:
        yield or_(false(), *_come_to(verdict))


def _come_to(verdict: str) -> Iterator[ColumnElement[bool]]:
    """As `verdict_of` says it. «muted» and «dropped» are said of a message, and of a decision as well."""
    if verdict in WORST_FIRST:
        worse = WORST_FIRST[: WORST_FIRST.index(verdict)]
        yield and_(_has(message.c.state == verdict), not_(_has(message.c.state.in_(worse))))
    if verdict in OUTCOMES:
        yield and_(event.c.outcome == verdict, not_(_has()))
    if verdict == "new":
        yield event.c.state == "new"


def _has(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """OFFSET keeps PostgreSQL from turning it round, and gathering all such messages of all events first: an EXISTS
    that has one is asked row by row (PostgreSQL, simplify_EXISTS_query)."""
    return exists(select(message.c.id).where(message.c.event_id == event.c.id, *conditions).offset(0))


# ── The outbox ────────────────────────────────────────────────────────────────────────────────────────────────────


def messages(tx: Transaction, what: Filter) -> Page[MessageRow]:
    """One page of messages. A limit of ``None`` is `PAGE`."""
    query = select(*search.MESSAGE_COLUMNS).select_from(search.WITH_EVENT).where(*search.of_messages(what))
    found = _look(tx, query, message, _leaders_to_messages(what), what)
    return _page([MessageRow(**row) for row in found.rows], found, what)


def standing(tx: Transaction) -> dict[str, dict[str, int]]:
    """By portal and state, the messages that have not arrived; counting stops at `LOOKED` of one state."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for state in NOT_ARRIVED:
        some = select(message.c.portal).where(OPEN, message.c.state == state).limit(LOOKED).subquery()
        rows = select(some.c.portal, func.count().label("number")).group_by(some.c.portal)
        for row in tx.connection.execute(rows):
            found[row.portal][state] = row.number
    return dict(found)


# ── Where to look ─────────────────────────────────────────────────────────────────────────────────────────────────

# A column of an index that holds the rows' numbers in their order, and the conditions under which it does.
Leader = tuple[Column[Any], list[ColumnElement[bool] | TextClause]]


def _leaders_to_events(what: Filter, verdict: str) -> list[Leader]:
    """The rarest first: what did not arrive, then a person's, then a source's."""
    of_an_event = message.c.event_id.is_not(None)
    if verdict in NOT_ARRIVED:
        return [(message.c.event_id, [OPEN, message.c.state == verdict, of_an_event])]
    if verdict == "new":
        return [(event.c.id, [NEW])]
    if what.person:
        return [(message.c.event_id, [message.c.person == what.person, of_an_event])]
    return [(event.c.id, list(search.equal((event.c.source, what.source))))]


def _leaders_to_messages(what: Filter) -> list[Leader]:
    rare = set(what.states) <= set(NOT_ARRIVED)
    if what.states and (rare or not what.person):
        return [(message.c.id, [message.c.state == state]) for state in what.states]
    return [(message.c.id, list(search.equal((message.c.person, what.person))))]


Bounds = tuple[int, int]  # numbers between these two, and neither of them


def _bounds(tx: Transaction, table: Table, what: Filter) -> Bounds:
    """Between the numbers that were asked for, and those of the times that were: numbers grow with time. Where a clock
    was set back they did not, and rows of just before or after may be missing."""
    moment, number = search.MOMENT[table], table.c.id
    low, high = what.after or 0, HIGHEST if what.before is None else what.before
    if what.since is not None:
        first = select(number).where(moment >= what.since).order_by(moment, number).limit(1)
        low = max(low, _one(tx, first, otherwise=HIGHEST) - 1)
    if what.until is not None:
        last = select(number).where(moment < what.until).order_by(moment.desc(), number.desc()).limit(1)
        high = min(high, _one(tx, last, otherwise=0) + 1)
    return low, high


def _one(tx: Transaction, query: Select[Any], *, otherwise: int) -> int:
    found: int | None = tx.connection.execute(query).scalar_one_or_none()
    return otherwise if found is None else found


# ── The look ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Found:
    """Rows in the order that was asked for, one more than the limit if there are more; and the number at which the look
    ended, unless it came to the end."""

    rows: Sequence[Any]
    edge: int | None


def _look(tx: Transaction, query: Select[Any], table: Table, leaders: Sequence[Leader], what: Filter) -> _Found:
    """Look at a few rows, and at more of them if too few are what is sought."""
    number, limit, bounds = table.c.id, (what.limit or PAGE) + 1, _bounds(tx, table, what)
    query = query.where(*search.in_time(table, what)).limit(limit)
    in_a_row = leaders == [(number, [])]
    for size in (GLANCE, LOOKED if in_a_row else LOOKED // 2):  # rows that lie apart are a page of the disk each
        numbers = _numbers(leaders, bounds, size, upwards=what.after is not None)
        edge = tx.connection.execute(select(numbers.c.n).offset(size - 1).limit(1)).scalar_one_or_none()
        among = query.where(_among(number, leaders, bounds, numbers, edge, upwards=what.after is not None))
        rows = tx.connection.execute(among.order_by(number if what.after is not None else number.desc()))
        found = _Found(rows.mappings().all(), edge)
        if len(found.rows) == limit or edge is None:
            break
    return found


def _numbers(leaders: Sequence[Leader], bounds: Bounds, size: int, *, upwards: bool) -> Subquery:
    """The first ``size`` numbers within the bounds, from above, or from below ``upwards``."""
    some = []
    for column, conditions in leaders:
        inside = select(column.label("n")).where(*conditions, column > bounds[0], column < bounds[1])
        some.append(select(inside.order_by(column if upwards else column.desc()).limit(size).subquery().c.n))
    together = union_all(*some).subquery()
    return select(together.c.n).order_by(together.c.n if upwards else together.c.n.desc()).limit(size).subquery()


def _among(
    number: Column[Any],
    leaders: Sequence[Leader],
    bounds: Bounds,
    numbers: Subquery,
    edge: int | None,
    *,
    upwards: bool,
) -> ColumnElement[bool]:
    """The rows of these numbers: of one index of their own table, those up to the edge, in the index's order."""
    column, conditions = leaders[0]
    if len(leaders) > 1 or column is not number:
        return number.in_(select(numbers.c.n))
    low, high = bounds
    if edge is not None:
        low, high = (low, edge + 1) if upwards else (edge - 1, high)
    return and_(*conditions, number > low, number < high)


def _page(rows: list[Row], found: _Found, what: Filter) -> Page[Row]:
    limit = what.limit or PAGE
    full, shown = len(rows) > limit, rows[:limit]
    further = shown[-1].id if full else found.edge
    return Page(shown[::-1] if what.after is not None else shown, further, stopped=not full and found.edge is not None)
