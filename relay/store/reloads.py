"""The rules file's history: when it was read anew or refused, with the first complaint. The last fifty are kept.

Never keeps a word of the file but that complaint, and its webhook addresses are masked by whoever gives it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from sqlalchemy import delete, insert, select

from relay.store.database import Transaction, alone
from relay.store.tables import reload

KEPT = 50
NOTING = 7245503  # the advisory lock under which the newest is compared with another

Outcome = Literal["taken", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One reading of the rules file. ``digest`` is the SHA-256 of the file and of those that it includes, in hex, and
    ``""`` if it could not be read; ``rules`` and ``warnings`` are numbers, 0 where it was refused."""

    outcome: Outcome
    digest: str
    complaint: str = ""
    rules: int = 0
    warnings: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reload(Reading):
    """A reading as it was noted; ``at`` is Unix seconds."""

    at: float


def note(tx: Transaction, reading: Reading) -> bool:
    """Note a reading, unless it is the newest noted already: each process of the relay reads the file for itself.

    Returns:
        Whether it was noted.
    """
    alone(tx.connection, NOTING)
    newest = tx.connection.execute(select(reload.c.outcome, reload.c.digest).order_by(reload.c.id.desc()).limit(1))
    if newest.one_or_none() == (reading.outcome, reading.digest):
        return False
    tx.connection.execute(insert(reload).values(at=tx.now, **asdict(reading)))
    old = select(reload.c.id).order_by(reload.c.id.desc()).offset(KEPT)
    tx.connection.execute(delete(reload).where(reload.c.id.in_(old)))
    return True


def latest(tx: Transaction) -> Sequence[Reload]:
    """The last readings, the newest first."""
    rows = tx.connection.execute(select(reload).order_by(reload.c.id.desc()).limit(KEPT)).mappings()
    return [Reload(**{name: value for name, value in row.items() if name != "id"}) for row in rows]
