"""Leases with fencing: one holder at a time, and an epoch that grows with each new one.

Never asks who is alive: a holder that stays silent past its time has lost the lease, and what it writes
afterwards under its old epoch changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, bindparam, not_, or_, select, update

from relay import log
from relay.store.database import Transaction, insert_into
from relay.store.prepared import Prepared
from relay.store.tables import lease

# Statements that every event costs are built once: building one takes longer than carrying it out.
_THIS = lease.c.name == bindparam("which")
_OURS = lease.c.holder == bindparam("who")
_KEEP = Prepared(update(lease).where(_THIS, _OURS).values(until=bindparam("till")).returning(lease.c.epoch))
_KEPT = Prepared(
    select(lease.c.epoch).where(_THIS, _OURS, lease.c.until.between(bindparam("least"), bindparam("most")))
)
_EPOCH = Prepared(select(lease.c.epoch).where(_THIS).with_for_update())
# One that has ended, was given back, or ends later than any lease does: then the clock was fast.
_NOBODY_S = or_(lease.c.until <= bindparam("now"), lease.c.holder == "", lease.c.until > bindparam("beyond"))
_HELD = Prepared(select(lease.c.name).where(_THIS, not_(_NOBODY_S)))
_TAKE = (
    update(lease)
    .where(_THIS, _NOBODY_S)
    .values(holder=bindparam("who"), until=bindparam("till"), epoch=lease.c.epoch + 1)
    .returning(lease.c.epoch)
)


def hold(tx: Transaction, name: str, holder: str, seconds: float) -> tuple[int, bool] | None:
    """Take or keep a lease.

    Returns:
        The epoch, and whether the lease is new to this holder (work of an earlier epoch is then his to take over);
        ``None`` while somebody else holds it.
    """
    until = tx.now + seconds
    ours: int | None = _KEEP.value(tx, which=name, who=holder, till=until)
    if ours is not None:
        return ours, False
    tx.connection.execute(insert_into(tx, lease).values(name=name).on_conflict_do_nothing())
    asked = {"which": name, "who": holder, "till": until, **_ends(tx, seconds)}
    taken: int | None = tx.connection.execute(_TAKE, asked).scalar_one_or_none()
    if taken is None:
        return None
    log.line("lease: taken", lease=name, holder=holder, epoch=taken)
    return taken, True


def kept(tx: Transaction, name: str, holder: str, seconds: float) -> int | None:
    """The epoch of a lease that this holder has and need not renew yet, as two thirds of its time are left.

    It writes nothing: what is done for every event must not cost a commit more.
    """
    least, most = tx.now + seconds * 2 / 3, tx.now + seconds
    epoch: int | None = _KEPT.value(tx, which=name, who=holder, least=least, most=most)
    return epoch


def is_free(tx: Transaction, name: str, seconds: float) -> bool:
    """Could anybody take this lease now, for so long?"""
    return _HELD.first(tx, which=name, **_ends(tx, seconds)) is None


def _ends(tx: Transaction, seconds: float) -> dict[str, float]:
    """Between when and when a lease of so many seconds ends that somebody holds."""
    return {"now": tx.now, "beyond": tx.now + 2 * seconds}


def holds(tx: Transaction, name: str, epoch: int) -> bool:
    """Is this epoch still the newest? Asked inside the writing transaction, so that a late writer writes nothing."""
    return bool(_EPOCH.value(tx, which=name) == epoch)


def release(tx: Transaction, name: str, holder: str) -> None:
    """Give a lease back, so that the next holder need not wait for its end."""
    tx.news = True
    given = tx.connection.execute(
        update(lease).where(lease.c.name == name, lease.c.holder == holder).values(holder="", until=0.0)
    )
    if given.rowcount:
        log.line("lease: given back", lease=name, holder=holder)


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease as it stands; the epoch is how many holders it has had."""

    name: str
    held: bool
    epoch: int


def everything(tx: Transaction) -> list[Lease]:
    """Every lease that was ever held, by name."""
    held = and_(lease.c.holder != "", lease.c.until > tx.now).label("held")
    rows = select(lease.c.name, held, lease.c.epoch).where(lease.c.epoch > 0).order_by(lease.c.name)
    return [Lease(row.name, bool(row.held), row.epoch) for row in tx.connection.execute(rows)]


def living(tx: Transaction) -> list[str]:
    """The names of the leases that somebody holds."""
    held = select(lease.c.name).where(lease.c.holder != "", lease.c.until > tx.now).order_by(lease.c.name)
    return list(tx.connection.execute(held).scalars())
