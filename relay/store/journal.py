"""The first wall: every request that was believed and understood, written down before it is answered.

Never reads a body: what it says is for the sources, what it leads to for the rules.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from relay.model import Request
from relay.store.database import Transaction
from relay.store.tables import delivery, event, unmapped

FOR_EVER = 400 * 86_400.0  # seconds; senders that number their deliveries redeliver within days (GitHub: 3)

Outcome = Literal["addressed", "nobody", "no_rule", "dropped", "own_act", "skipped", "unreadable"]


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


def append(tx: Transaction, arrivals: Iterable[Arrival]) -> list[Receipt]:
    """Write arrivals down, in their order; one that was delivered before gets its first number again."""
    return [_append(tx, arrival) for arrival in arrivals]


def _append(tx: Transaction, arrival: Arrival) -> Receipt:
    number = tx.connection.execute(
        insert(event).returning(event.c.id),
        {
            "source": arrival.source,
            "received_at": tx.now,
            "method": arrival.method,
            "headers": json.dumps(dict(arrival.headers)),
            "body": zlib.compress(arrival.body, 1),
            "kind": arrival.kind,
            "title": arrival.title,
        },
    ).scalar_one()
    if _first_time(tx, arrival, number):
        return Receipt(number, duplicate=False)
    # Rare, so that the ordinary case costs two statements and not three.
    tx.connection.execute(delete(event).where(event.c.id == number))
    known = select(delivery.c.event_id).where(delivery.c.source == arrival.source, delivery.c.key == arrival.delivery)
    return Receipt(tx.connection.execute(known).scalar_one(), duplicate=True)


def _first_time(tx: Transaction, arrival: Arrival, number: int) -> bool:
    """Claim the delivery's key for this number; an expired claim is taken over, a living one is not."""
    dialect = sqlite if tx.connection.dialect.name == "sqlite" else postgresql
    claim = dialect.insert(delivery).values(
        source=arrival.source,
        key=arrival.delivery,
        event_id=number,
        expires_at=tx.now + (FOR_EVER if arrival.window is None else arrival.window),
    )
    claim = claim.on_conflict_do_update(
        index_elements=[delivery.c.source, delivery.c.key],
        set_={"event_id": claim.excluded.event_id, "expires_at": claim.excluded.expires_at},
        where=delivery.c.expires_at <= tx.now,
    )
    return tx.connection.execute(claim.returning(delivery.c.event_id)).first() is not None


def undecided(tx: Transaction, limit: int) -> list[Entry]:
    """The oldest entries that the router has not decided yet, in the order of their numbers."""
    rows = select(event).where(event.c.state == "new").order_by(event.c.id).limit(limit)
    return [_entry(row) for row in tx.connection.execute(rows).mappings()]


def settle(tx: Transaction, number: int, outcome: Outcome, note: str = "") -> bool:
    """Write down what became of an entry; ``False`` if somebody has done so already."""
    done = tx.connection.execute(
        update(event)
        .where(event.c.id == number, event.c.state == "new")
        .values(
            state="unreadable" if outcome == "unreadable" else "decided",
            outcome=outcome,
            note=note,
            decided_at=tx.now,
        )
    )
    return done.rowcount == 1


def get(tx: Transaction, number: int) -> Entry | None:
    row = tx.connection.execute(select(event).where(event.c.id == number)).mappings().first()
    return None if row is None else _entry(row)


def latest(tx: Transaction, *, limit: int, source: str = "", before: int | None = None) -> list[Entry]:
    """The newest entries, newest first; ``before`` continues below a number."""
    rows = select(event).order_by(event.c.id.desc()).limit(limit)
    if source:
        rows = rows.where(event.c.source == source)
    if before is not None:
        rows = rows.where(event.c.id < before)
    return [_entry(row) for row in tx.connection.execute(rows).mappings()]


def count_unmapped(tx: Transaction, source: str, names: Sequence[str]) -> None:
    """Count names that events gave and that belong to nobody, for the report of unmapped logins."""
    dialect = sqlite if tx.connection.dialect.name == "sqlite" else postgresql
    for name in names:
        seen = dialect.insert(unmapped).values(source=source, name=name, count=1, last_at=tx.now)
        tx.connection.execute(
            seen.on_conflict_do_update(
                index_elements=[unmapped.c.source, unmapped.c.name],
                set_={"count": unmapped.c.count + 1, "last_at": tx.now},
            )
        )


def _entry(row: Any) -> Entry:
    request = Request(
        method=row["method"],
        path=f"/in/{row['source']}",
        headers=json.loads(row["headers"]),
        body=zlib.decompress(row["body"]),
    )
    words = ("id", "source", "received_at", "kind", "title", "state", "outcome", "note")
    return Entry(request=request, **{word: row[word] for word in words})
