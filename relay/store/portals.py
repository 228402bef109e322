"""What the relay knows of each portal: how full its bucket is, our share of it, and whether it is in trouble.

Never reckons the bucket: the arithmetic is the portal's language and lives there.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, select, update

from relay.model import PortalTrouble
from relay.store.database import Transaction, insert_into
from relay.store.prepared import Prepared
from relay.store.tables import portal


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalState:
    """One portal's row. Times are Unix seconds; ``level`` is the bucket's as it was at ``level_at``.

    ``share`` is the part of the bucket that was left to us by the refusal at ``share_at``; 1 and 0: there was none.
    """

    name: str
    level: float
    level_at: float
    share: float
    share_at: float
    batch_cap: int
    not_before: float
    failures: int
    trouble: str
    code: str
    why: str
    since: float


# Built once, as every call costs them.
_THIS = Prepared(select(portal).where(portal.c.name == bindparam("which")))
_LOCKED = Prepared(select(portal).where(portal.c.name == bindparam("which")).with_for_update())
_FILL = Prepared(
    update(portal).where(portal.c.name == bindparam("which")).values(level=bindparam("to"), level_at=bindparam("at"))
)


def get(tx: Transaction, name: str) -> PortalState:
    """The portal's row, made when it is asked for the first time; it is locked until the transaction ends."""
    row = _LOCKED.first(tx, which=name)
    if row is None:
        tx.connection.execute(insert_into(tx, portal).values(name=name).on_conflict_do_nothing())
        row = _LOCKED.first(tx, which=name)
    return PortalState(**row._asdict())


def look(tx: Transaction, name: str) -> PortalState | None:
    """The portal's row as it stands, without a lock; ``None`` before it is asked for the first time."""
    row = _THIS.first(tx, which=name)
    return None if row is None else PortalState(**row._asdict())


def everything(tx: Transaction) -> list[PortalState]:
    rows = tx.connection.execute(select(portal).order_by(portal.c.name))
    return [PortalState(**row) for row in rows.mappings()]


def ask_now(tx: Transaction, name: str) -> None:
    """Somebody may have mended what was wrong: do not wait out the rest of the time."""
    tx.connection.execute(
        update(portal).where(portal.c.name == name, portal.c.trouble.in_(["closed", "expired"])).values(not_before=0.0)
    )


def fill(tx: Transaction, name: str, level: float) -> None:
    """Write the bucket's level as of now."""
    _FILL(tx, which=name, to=level, at=tx.now)


def take_share(tx: Transaction, name: str, share: float) -> None:
    """Write which part of the bucket we take as of now."""
    tx.connection.execute(update(portal).where(portal.c.name == name).values(share=share, share_at=tx.now))


def shape_batches(tx: Transaction, name: str, cap: int) -> None:
    """Remember how many messages the next batch may hold at the most."""
    tx.connection.execute(update(portal).where(portal.c.name == name).values(batch_cap=cap))


def in_trouble(tx: Transaction, state: PortalState, trouble: PortalTrouble, not_before: float) -> None:
    """Write down why the portal's messages wait, and until when; ``since`` stays that of the first failure."""
    tx.connection.execute(
        update(portal)
        .where(portal.c.name == state.name)
        .values(
            failures=portal.c.failures + 1,
            not_before=not_before,
            trouble=trouble.kind,
            code=trouble.code,
            why=trouble.why,
            since=state.since if state.trouble else tx.now,
        )
    )


def recovered(tx: Transaction, name: str) -> None:
    """The portal works again."""
    tx.connection.execute(
        update(portal)
        .where(portal.c.name == name)
        .values(failures=0, not_before=0.0, trouble="", code="", why="", since=0.0)
    )
