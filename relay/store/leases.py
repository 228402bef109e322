"""Leases with fencing: one holder at a time, and an epoch that grows with each new one.

Never asks who is alive: a holder that stays silent past its time has lost the lease, and what it writes
afterwards under its old epoch changes nothing.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, not_, or_, select, update

from relay.store.database import Transaction, insert_into
from relay.store.tables import lease


def hold(tx: Transaction, name: str, holder: str, seconds: float) -> tuple[int, bool] | None:
    """Take or keep a lease.

    Returns:
        The epoch, and whether the lease is new to this holder (work of an earlier epoch is then his to take over);
        ``None`` while somebody else holds it.
    """
    tx.connection.execute(insert_into(tx, lease).values(name=name).on_conflict_do_nothing())
    kept = tx.connection.execute(
        update(lease)
        .where(lease.c.name == name, lease.c.holder == holder)
        .values(until=tx.now + seconds)
        .returning(lease.c.epoch)
    ).scalar_one_or_none()
    if kept is not None:
        return kept, False
    taken = tx.connection.execute(
        update(lease)
        .where(lease.c.name == name, _nobody_s(tx, seconds))
        .values(holder=holder, until=tx.now + seconds, epoch=lease.c.epoch + 1)
        .returning(lease.c.epoch)
    ).scalar_one_or_none()
    return None if taken is None else (taken, True)


def is_free(tx: Transaction, name: str, seconds: float) -> bool:
    """Could anybody take this lease now, for so long?"""
    held = select(lease.c.name).where(lease.c.name == name, not_(_nobody_s(tx, seconds)))
    return tx.connection.execute(held).first() is None


def _nobody_s(tx: Transaction, seconds: float) -> ColumnElement[bool]:
    """A lease that has ended, was given back, or ends later than any lease does: then the clock was fast."""
    return or_(lease.c.until <= tx.now, lease.c.holder == "", lease.c.until > tx.now + 2 * seconds)


def holds(tx: Transaction, name: str, epoch: int) -> bool:
    """Is this epoch still the newest? Asked inside the writing transaction, so that a late writer writes nothing."""
    row = select(lease.c.epoch).where(lease.c.name == name).with_for_update()
    return tx.connection.execute(row).scalar_one_or_none() == epoch


def release(tx: Transaction, name: str, holder: str) -> None:
    """Give a lease back, so that the next holder need not wait for its end."""
    tx.news = True
    tx.connection.execute(
        update(lease).where(lease.c.name == name, lease.c.holder == holder).values(holder="", until=0.0)
    )


def living(tx: Transaction) -> list[str]:
    """The names of the leases that somebody holds."""
    held = select(lease.c.name).where(lease.c.holder != "", lease.c.until > tx.now).order_by(lease.c.name)
    return list(tx.connection.execute(held).scalars())
