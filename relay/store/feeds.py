"""The last good copy of each on-call calendar, for the time in which the calendar cannot be had.

Never fetches or reads a calendar: what is kept here are its shifts, as JSON.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select, update

from relay.store.database import Transaction, insert_into
from relay.store.tables import feed


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A schedule's row. Times are Unix seconds, 0 for never; ``why`` is empty while the calendar can be had."""

    schedule: str
    origin: str
    digest: str
    shifts: str
    read_at: float
    asked_at: float
    failing_since: float
    why: str


def claim(tx: Transaction, schedule: str, origin: str, *, every: float) -> Copy | None:
    """Take it upon oneself to ask for a calendar: ``None`` where somebody did so in the last ``every`` seconds.

    Of another origin nothing that is kept is of use any more.
    """
    blank = {"origin": origin, "digest": "", "shifts": "", "read_at": 0.0, "failing_since": 0.0, "why": ""}
    tx.connection.execute(insert_into(tx, feed).values(schedule=schedule, **blank).on_conflict_do_nothing())
    mine = feed.c.schedule == schedule
    tx.connection.execute(update(feed).where(mine, feed.c.origin != origin).values(**blank, asked_at=0.0))
    due = or_(feed.c.asked_at <= tx.now - every, feed.c.asked_at > tx.now)  # or a clock was set back
    claimed = tx.connection.execute(update(feed).where(mine, due).values(asked_at=tx.now))
    if claimed.rowcount == 0:
        return None
    return Copy(**tx.connection.execute(select(feed).where(mine)).mappings().one())


def keep(tx: Transaction, copy: Copy, *, digest: str, shifts: str) -> None:
    """The calendar was had: these are its shifts."""
    values = {"digest": digest, "shifts": shifts, "read_at": tx.now, "failing_since": 0.0, "why": ""}
    tx.connection.execute(update(feed).where(_is(copy)).values(values))


def works(tx: Transaction, copy: Copy) -> None:
    """The calendar was had, and nothing in it has changed."""
    tx.connection.execute(update(feed).where(_is(copy)).values(failing_since=0.0, why=""))


def fails(tx: Transaction, copy: Copy, why: str) -> None:
    """The calendar could not be had: the copy stays."""
    since = copy.failing_since or tx.now
    tx.connection.execute(update(feed).where(_is(copy)).values(failing_since=since, why=why))


def everything(tx: Transaction) -> list[Copy]:
    """Every copy, also those of schedules that the rules have no more."""
    return [Copy(**row) for row in tx.connection.execute(select(feed).order_by(feed.c.schedule)).mappings()]


def _is(copy: Copy) -> ColumnElement[bool]:
    return (feed.c.schedule == copy.schedule) & (feed.c.origin == copy.origin)
