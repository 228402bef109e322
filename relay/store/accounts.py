"""Which user of a portal has which e-mail, as the portal itself said; and the names of events that mean nobody.

Never asks a portal, and never keeps an id that the portal has taken back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, delete, or_, select, update

from relay.store.database import Transaction, insert_into
from relay.store.tables import account, unmapped


def found(tx: Transaction, *, younger_than: float) -> dict[str, dict[str, int]]:
    """The ids by portal and e-mail that a portal has confirmed in the last ``younger_than`` seconds."""
    rows = tx.connection.execute(
        select(account.c.portal, account.c.email, account.c.user_id).where(account.c.seen_at > tx.now - younger_than)
    )
    ids: dict[str, dict[str, int]] = {}
    for portal, email, user_id in rows:
        ids.setdefault(portal, {})[email] = user_id
    return ids


def keep(tx: Transaction, portal: str, ids: Mapping[str, int]) -> None:
    """The portal has just said so."""
    for email, user_id in sorted(ids.items()):  # in one order, as every transaction locks
        values = {"user_id": user_id, "seen_at": tx.now, "asked_at": tx.now}
        tx.connection.execute(
            insert_into(tx, account)
            .values(portal=portal, email=email, **values)
            .on_conflict_do_update(index_elements=["portal", "email"], set_=values)
        )


def forget(tx: Transaction, portal: str, emails: Iterable[str]) -> None:
    """The portal knows no active person by these any more."""
    for email in sorted(emails):
        tx.connection.execute(delete(account).where(account.c.portal == portal, account.c.email == email))


def due(tx: Transaction, portal: str, *, every: float) -> bool:
    """Is there an e-mail about which nobody has asked in the last ``every`` seconds?"""
    return tx.connection.execute(select(account.c.email).where(_due(tx, portal, every)).limit(1)).first() is not None


def claim(tx: Transaction, portal: str, *, every: float) -> tuple[str, ...]:
    """Take it upon oneself to ask for those e-mails."""
    claimed = tx.connection.execute(
        update(account).where(_due(tx, portal, every)).values(asked_at=tx.now).returning(account.c.email)
    )
    return tuple(sorted(claimed.scalars()))


def _due(tx: Transaction, portal: str, every: float) -> ColumnElement[bool]:
    asked = account.c.asked_at
    return and_(account.c.portal == portal, or_(asked <= tx.now - every, asked > tx.now))  # or a clock was set back


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranger:
    """A name that events gave and that belongs to nobody; ``last_at`` is Unix seconds."""

    source: str
    name: str
    count: int
    last_at: float


def strangers(tx: Transaction, *, since: float) -> list[Stranger]:
    """Those seen since a moment, the most frequent first."""
    rows = tx.connection.execute(
        select(unmapped)
        .where(unmapped.c.last_at >= since)
        .order_by(unmapped.c.count.desc(), unmapped.c.last_at.desc(), unmapped.c.source, unmapped.c.name)
    )
    return [Stranger(**row) for row in rows.mappings()]
