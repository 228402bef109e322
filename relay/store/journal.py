"""The first wall: every request that was believed and understood, written down before it is answered.

Never reads a body: what it says is for the sources, what it leads to for the rules.
"""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Insert, Integer, bindparam, func, insert, select, update

from relay.model import Outcome, Request
from relay.store import text
from relay.store.database import Transaction, alone, insert_into, insert_of
from relay.store.prepared import Prepared, among
from relay.store.tables import NEW, delivery, event, unmapped
from relay.tracing import Origin

MOST_BYTES = 2_000_000  # compressed, of entries read together; JSON unfolds to some ten times as much
FOR_EVER = 400 * 86_400.0  # seconds; senders that number their deliveries redeliver within days (GitHub: 3)

APPENDING = 7245502  # the advisory lock under which numbers are drawn

Name = tuple[str, str]  # of a delivery: its source, and the sender's own key


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A request on its way into the journal. ``headers`` are those worth keeping: no credentials."""

    source: str
    method: str
    headers: Mapping[str, str]
    body: bytes
    delivery: str
    window: float | None  # seconds
    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """The journal's number of a request, and whether it had been delivered before."""

    id: int
    duplicate: bool
    kind: str = field(default="", compare=False)  # the arrival's, for the log
    at: float = field(default=0.0, compare=False)  # when it was written, Unix seconds; its arrival's if it is new


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A journalled request. ``request.path`` is ``/in/<source>``."""

    id: int
    source: str
    received_at: float
    request: Request
    kind: str
    title: str
    state: str
    outcome: str
    note: str
    pruned_at: float | None = None  # Unix seconds; there are no headers and no body any more

    @property
    def pruned(self) -> str:
        """Since when the payload is there no more, as a sentence; empty while it is."""
        if self.pruned_at is None:
            return ""
        day = datetime.fromtimestamp(self.pruned_at, UTC)
        return f"the payload was pruned on {day:%Y-%m-%d}, as retention: in the rules says"


# Statements that every event costs are built once: building one takes longer than carrying it out.
_LIVING = Prepared(
    lambda dialect: select(delivery.c.source, delivery.c.key, delivery.c.event_id).where(
        among(dialect, "names", delivery.c.source, delivery.c.key), delivery.c.expires_at > bindparam("now")
    )
)
_INSERT = Prepared(insert(event).returning(event.c.id, sort_by_parameter_order=True))
_SIZES = Prepared(
    select(event.c.id, func.length(event.c.body).label("size"))
    .where(NEW)
    .order_by(event.c.id)
    .limit(bindparam("most", type_=Integer))
)
_THESE = Prepared(
    lambda dialect: select(event).where(among(dialect, "numbers", event.c.id)).order_by(event.c.id),
)
# Of a turn's hundred entries nearly all become the same: one statement, and not one for each.
_SETTLE = Prepared(
    lambda dialect: (
        update(event)
        .where(among(dialect, "numbers", event.c.id), event.c.state == "new")
        .values(
            state=bindparam("becomes"),
            outcome=bindparam("came"),
            note=bindparam("noted"),
            decided_at=bindparam("decided"),
        )
        .returning(event.c.id)
    )
)


@Prepared
def _REMEMBER(dialect: str) -> Insert:
    """A delivery's number; one that has expired is given to another event."""
    row = insert_of(dialect, delivery)
    return row.on_conflict_do_update(
        index_elements=[delivery.c.source, delivery.c.key],
        set_={"event_id": row.excluded.event_id, "expires_at": row.excluded.expires_at},
    )


def append(tx: Transaction, arrivals: Iterable[Arrival]) -> list[Receipt]:
    """Write arrivals down, in their order; one that was delivered before gets its first number again.

    One transaction at a time, over all doors: so the order of numbers, in which the router decides, is the order of
    commits, and of two doors with one delivery the second finds what the first has written.
    """
    named = [((each.source, text.key(each.delivery)), each, _row(each, tx.now)) for each in arrivals]
    alone(tx.connection, APPENDING)
    known = _living(tx, [name for name, *_ in named])
    fresh: dict[Name, tuple[Arrival, dict[str, Any]]] = {}
    for name, arrival, row in named:
        if name not in known:
            fresh.setdefault(name, (arrival, row))
    if fresh:
        known |= _insert(tx, fresh)
        tx.news = True
    return [
        Receipt(known[name], duplicate=fresh.pop(name, None) is None, kind=arrival.kind, at=tx.now)
        for name, arrival, _ in named
    ]


def _row(arrival: Arrival, now: float) -> dict[str, Any]:
    return {
        "source": arrival.source,
        "received_at": now,
        "method": arrival.method,
        "headers": json.dumps(dict(arrival.headers)),
        "body": zlib.compress(arrival.body, 1),
        "kind": arrival.kind,
        "title": arrival.title,
    }


def _living(tx: Transaction, names: Sequence[Name]) -> dict[Name, int]:
    """The numbers of those deliveries that are known and not expired."""
    return {(row.source, row.key): row.event_id for row in _LIVING(tx, names=list(names), now=tx.now)}


def _insert(tx: Transaction, fresh: Mapping[Name, tuple[Arrival, dict[str, Any]]]) -> dict[Name, int]:
    """Write new events down, and remember their deliveries."""
    rows = [row for _, row in fresh.values()]
    numbers = {name: row.id for name, row in zip(fresh, _INSERT.each(tx, rows), strict=True)}
    rows = [
        {"source": name[0], "key": name[1], "event_id": numbers[name], "expires_at": _until(arrival, tx.now)}
        for name, (arrival, _) in fresh.items()
    ]
    _REMEMBER.each(tx, rows)
    return numbers


def _until(arrival: Arrival, now: float) -> float:
    return now + (FOR_EVER if arrival.window is None else arrival.window)


def undecided(tx: Transaction, limit: int) -> list[Entry]:
    """The oldest entries that the router has not decided yet, in the order of their numbers: up to ``limit``, and no
    more than the memory should hold at once."""
    numbers, total = [], 0
    for row in _SIZES(tx, most=limit):
        numbers.append(row.id)
        total += row.size
        if total > MOST_BYTES:
            break
    return entries(tx, numbers) if numbers else []


def settle(tx: Transaction, became: Mapping[int, tuple[Outcome, str]]) -> set[int]:
    """Write down what became of entries: of each by its number the outcome, and a note.

    Returns:
        The numbers of those that nobody had settled before.
    """
    alike: dict[tuple[Outcome, str], list[int]] = defaultdict(list)
    for number, fate in became.items():
        alike[fate].append(number)
    settled: set[int] = set()
    for (outcome, note), numbers in alike.items():
        becomes = "unreadable" if outcome == "unreadable" else "decided"
        rows = _SETTLE(tx, numbers=numbers, becomes=becomes, came=outcome, noted=note, decided=tx.now)
        settled.update(row.id for row in rows)
    return settled


def get(tx: Transaction, number: int) -> Entry | None:
    row = tx.connection.execute(select(event).where(event.c.id == number)).first()
    return None if row is None else _entry(row)


def entries(tx: Transaction, numbers: Iterable[int]) -> list[Entry]:
    """Those entries that there are, in the order of their numbers."""
    return [_entry(row) for row in _THESE(tx, numbers=sorted(numbers))]


def origins(tx: Transaction, numbers: Iterable[int]) -> list[Origin]:
    """Where the traces of entries begin; without their bodies."""
    rows = select(event.c.id, event.c.received_at, event.c.headers).where(event.c.id.in_(sorted(set(numbers))))
    return [
        Origin(event=row.id, received_at=row.received_at, headers=json.loads(row.headers))
        for row in tx.connection.execute(rows)
    ]


def latest(tx: Transaction, *, limit: int, source: str = "", before: int | None = None) -> list[Entry]:
    """The newest entries, newest first; ``before`` continues below a number."""
    rows = select(event).order_by(event.c.id.desc()).limit(limit)
    if source:
        rows = rows.where(event.c.source == source)
    if before is not None:
        rows = rows.where(event.c.id < before)
    return [_entry(row) for row in tx.connection.execute(rows)]


def count_unmapped(tx: Transaction, source: str, names: Sequence[str]) -> None:
    """Count names that events gave and that belong to nobody, for the report of unmapped logins."""
    for name in sorted({text.key(each) for each in names}):  # in one order, as every transaction locks
        seen = insert_into(tx, unmapped).values(source=source, name=name, count=1, last_at=tx.now)
        tx.connection.execute(
            seen.on_conflict_do_update(
                index_elements=[unmapped.c.source, unmapped.c.name],
                set_={"count": unmapped.c.count + 1, "last_at": tx.now},
            )
        )


def _entry(row: Any) -> Entry:
    request = Request(
        method=row.method,
        path=f"/in/{row.source}",
        headers=json.loads(row.headers),
        body=zlib.decompress(row.body),
    )
    words = ("id", "source", "received_at", "kind", "title", "state", "outcome", "note", "pruned_at")
    return Entry(request=request, **{word: getattr(row, word) for word in words})
