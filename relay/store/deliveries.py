"""What the journal knows of deliveries: which of a list have come, and since when a source delivers here.

Never reads an event and never writes.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from relay.store import text
from relay.store.database import Transaction
from relay.store.tables import delivery, event

AT_ONCE = 500  # keys in one statement


def known(tx: Transaction, source: str, keys: Iterable[str]) -> set[str]:
    """Those of the sender's own keys that were delivered to a source."""
    by_key = {text.key(each): each for each in keys}
    sought, found = list(by_key), set[str]()
    for at in range(0, len(sought), AT_ONCE):
        some = sought[at : at + AT_ONCE]
        rows = select(delivery.c.key).where(delivery.c.source == source, delivery.c.key.in_(some))
        found |= {by_key[key] for key in tx.connection.execute(rows).scalars()}
    return found


def first_at(tx: Transaction, source: str) -> float | None:
    """When a source's first event that is still in the journal came (Unix seconds)."""
    row = select(event.c.received_at).where(event.c.source == source).order_by(event.c.id).limit(1)
    moment: float | None = tx.connection.execute(row).scalar_one_or_none()
    return moment
