"""What `relay doctor` has measured of a portal, for the courier to go by.

Never measures: it remembers what was found, and by which way in, for another way in may be treated otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Boolean, Column, Float, String, Table, bindparam, select

from relay.store.database import Transaction, insert_into
from relay.store.prepared import Prepared
from relay.store.tables import metadata

# One row for each portal that has been examined.
finding = Table(
    "finding",
    metadata,
    Column("portal", String, primary_key=True),
    Column("way_in", String, nullable=False),  # webhook, app or token, and the host
    Column("replaces_by_tag", Boolean, nullable=False),
    Column("at", Float, nullable=False),
)

# Built once, as every call costs it.
_MEASURED = Prepared(
    select(finding.c.replaces_by_tag, finding.c.at).where(
        finding.c.portal == bindparam("of"), finding.c.way_in == bindparam("by")
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Does a newer notification replace an older one of its tag? ``at`` is Unix seconds."""

    replaces_by_tag: bool
    at: float


def get(tx: Transaction, portal: str, way_in: str) -> Measured | None:
    """What was measured by this way in; ``None`` if nothing was."""
    row = _MEASURED.first(tx, of=portal, by=way_in)
    return None if row is None else Measured(replaces_by_tag=row.replaces_by_tag, at=row.at)


def remember(tx: Transaction, portal: str, way_in: str, *, replaces_by_tag: bool) -> None:
    values = {"way_in": way_in, "replaces_by_tag": replaces_by_tag, "at": tx.now}
    tx.connection.execute(
        insert_into(tx, finding)
        .values(portal=portal, **values)
        .on_conflict_do_update(index_elements=["portal"], set_=values)
    )
