"""How much waits in the journal and in the outbox, and for how long, counted when it is asked.

Never counts without an end: a pile of a million is told as `MOST`, and looking at it costs the same each time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from sqlalchemy import case, func, select

from relay.store.database import Transaction
from relay.store.tables import NEW, QUEUED, event, message

MOST = 100_000  # events, or messages of one state, that are counted

State = Literal["queued", "sending", "held", "dead"]
STATES: tuple[State, ...] = get_args(State)


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """What the router has not decided yet. ``lag`` is the age of the oldest, in seconds; 0: there is none."""

    waiting: int
    lag: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbox:
    """One portal's messages by state. ``lag`` is how long the oldest that may be sent has waited, in seconds."""

    messages: Mapping[State, int] = field(default_factory=dict)
    lag: float = 0.0


def journal(tx: Transaction) -> Journal:
    oldest = select(event.c.id, event.c.received_at).where(NEW).order_by(event.c.id).limit(MOST).subquery()
    row = tx.connection.execute(select(func.count().label("waiting"), func.min(oldest.c.received_at).label("since")))
    found = row.one()
    return Journal(waiting=found.waiting, lag=_age(tx, found.since))


def outbox(tx: Transaction) -> dict[str, Outbox]:
    """Each portal that has messages in one of `STATES`."""
    counted = {state: _count(tx, state) for state in STATES}
    lags = _lags(tx) if counted["queued"] else {}
    return {
        portal: Outbox(
            messages={state: counted[state].get(portal, 0) for state in STATES}, lag=_age(tx, lags.get(portal))
        )
        for portal in sorted({portal for found in counted.values() for portal in found})
    }


def _count(tx: Transaction, state: State) -> dict[str, int]:
    some = select(message.c.portal).where(message.c.state == state).limit(MOST).subquery()
    rows = tx.connection.execute(select(some.c.portal, func.count().label("number")).group_by(some.c.portal))
    return {row.portal: row.number for row in rows}


def _lags(tx: Transaction) -> dict[str, float]:
    """Since when the oldest queued message of each portal might have been sent (Unix seconds), but for its failures.

    Quiet hours are no lag: what is held for them waits from their end.
    """
    oldest = (
        select(message.c.portal, message.c.created_at, message.c.not_before)
        .where(QUEUED)
        .order_by(message.c.id)
        .limit(MOST)
        .subquery()
    )
    since = case((oldest.c.not_before > oldest.c.created_at, oldest.c.not_before), else_=oldest.c.created_at)
    rows = select(oldest.c.portal, func.min(since).label("since")).where(oldest.c.not_before <= tx.now)
    return {row.portal: row.since for row in tx.connection.execute(rows.group_by(oldest.c.portal))}


def _age(tx: Transaction, since: float | None) -> float:
    return 0.0 if since is None else max(0.0, tx.now - since)
