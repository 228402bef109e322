"""How each portal was during the last day: a sample every ten seconds while it is called, read as a few points.

Never writes by itself: whoever settles a call adds a sample to the transaction in which he does so, and forgets those
that are older than a day. While nothing is sent there are no samples: then there is nothing to tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, case, delete, func, select

from relay.store.database import Transaction, insert_into
from relay.store.prepared import Prepared
from relay.store.tables import QUEUED, health, lease, message

EVERY = 10.0  # seconds from one sample to the next
KEPT = 86_400  # seconds
MOST = 10_000  # waiting messages that are counted for a sample
POINTS = 144  # of a picture: ten minutes each


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A portal at one moment, or at its worst in the time from ``at`` to the next point.

    ``at`` is Unix seconds. ``level`` is requests in the bucket, ``share`` the part of the bucket that is ours,
    ``waiting`` how many messages wait (up to `MOST`), ``lag`` for how long the oldest of them has (seconds).
    """

    at: int
    level: float
    share: float
    waiting: int
    lag: float
    trouble: str


# Built once, as every call costs it.
_NEWEST = Prepared(select(func.max(health.c.at)).where(health.c.portal == bindparam("of")))


def is_due(tx: Transaction, portal: str) -> bool:
    """Is the newest sample ten seconds old? A clock that was set back makes it so too."""
    newest = _NEWEST.value(tx, of=portal)
    return newest is None or not 0 <= tx.now - newest < EVERY


def keep(tx: Transaction, portal: str, *, level: float, share: float, trouble: str) -> None:
    """Add a sample as of now, with what waits, and forget those of yesterday."""
    number, lag = waiting(tx, portal)
    values = {"level": level, "share": share, "waiting": number, "lag": lag, "trouble": trouble}
    sample = insert_into(tx, health).values(portal=portal, at=int(tx.now), **values)
    tx.connection.execute(sample.on_conflict_do_update(index_elements=["portal", "at"], set_=values))
    old = (health.c.at <= tx.now - KEPT) | (health.c.at > tx.now)
    tx.connection.execute(delete(health).where(health.c.portal == portal, old))


def waiting(tx: Transaction, portal: str) -> tuple[int, float]:
    """How many messages wait for a portal, and how long the oldest that may be sent has: see gauges.py."""
    some = (
        select(message.c.created_at, message.c.not_before)
        .where(message.c.portal == portal, QUEUED)
        .order_by(message.c.id)
        .limit(MOST)
        .subquery()
    )
    since = case((some.c.not_before > some.c.created_at, some.c.not_before), else_=some.c.created_at)
    may_go = case((some.c.not_before <= tx.now, since))
    row = tx.connection.execute(select(func.count().label("number"), func.min(may_go).label("since"))).one()
    return row.number, 0.0 if row.since is None else max(0.0, tx.now - row.since)


def points(tx: Transaction, portal: str, *, most: int = POINTS) -> Sequence[Sample]:
    """The last day in up to so many points, the oldest first; each tells the worst of its time.

    A time without a sample has no point: nothing was sent.
    """
    point = (health.c.at - health.c.at % (KEPT // most)).label("point")
    rows = (
        select(
            point,
            func.max(health.c.level).label("level"),
            func.min(health.c.share).label("share"),
            func.max(health.c.waiting).label("waiting"),
            func.max(health.c.lag).label("lag"),
            func.max(health.c.trouble).label("trouble"),  # of none and one, the one
        )
        .where(health.c.portal == portal, health.c.at > tx.now - KEPT, health.c.at <= tx.now)
        .group_by(point)
        .order_by(point)
    )
    found = [
        Sample(at=row.point, level=row.level, share=row.share, waiting=row.waiting, lag=row.lag, trouble=row.trouble)
        for row in tx.connection.execute(rows)
    ]
    return found[-most:]


@dataclass(frozen=True, slots=True)
class Holder:
    """Who delivers to a portal: a process, as its host, its number and a word of its own; and until when (Unix
    seconds), unless he keeps the lease."""

    name: str
    until: float


def holder(tx: Transaction, of: str) -> Holder | None:
    """Who holds a lease; ``None``: nobody, as while there is nothing to send."""
    row = tx.connection.execute(select(lease.c.holder, lease.c.until).where(lease.c.name == of)).one_or_none()
    return None if row is None or not row.holder or row.until <= tx.now else Holder(row.holder, row.until)
