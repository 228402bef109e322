"""One database copied into another, of either engine: every table, in chunks, all of it or nothing.

Never overwrites: the other must be empty. Leases come over free, with their epochs, so that whoever works there first
takes over what was being sent here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Table, func, insert, select

from relay.errors import RelayError
from relay.store import (
    findings,  # noqa: F401 - their tables are part of the metadata
    leases,
    tokens,  # noqa: F401
)
from relay.store.database import Database, Transaction
from relay.store.tables import lease, metadata

CHUNK = 200  # rows in memory at once; a journalled body may have megabytes

Tell = Callable[[str, int, int], None]  # of a table: its name, how many rows are copied, and how many there are


class NotCopied(RelayError):
    """Nothing was copied; the sentence says why."""


def copy(source: Database, target: Database, *, anyway: bool, tell: Tell) -> int:
    """Copy everything into a database that has its tables and nothing in them.

    Args:
        anyway: copy also while somebody holds a lease.

    Returns:
        How many rows were copied.

    Raises:
        NotCopied: it would not have been right, or the source has changed meanwhile.
    """
    _check(source)
    with target.write() as there:
        if any(_counts(there).values()):
            raise NotCopied(f"{target.name} is not empty; name a database that is")
        with source.read() as here:
            held = leases.living(here)
            if held and not anyway:
                raise NotCopied(f"somebody works on {source.name} ({', '.join(held)}): stop the relay, or use --force")
            for table, total in _counts(here).items():
                _copy(here, there, table, total, tell)
        copied = _counts(there)
        with source.read() as now:  # not the state that was copied, but what there is by now
            changed = [table.name for table, count in _counts(now).items() if count != copied[table]]
        if changed:
            raise NotCopied(
                f"{source.name} has changed meanwhile ({', '.join(changed)}): stop the relay and copy again"
            )
        _prepare(there)
    return sum(copied.values())


def _check(source: Database) -> None:
    if source.is_sqlite and not Path(source.name).stat().st_size:
        raise NotCopied(f"there is nothing in {source.name}")
    if not source.is_current():
        raise NotCopied(f"the tables of {source.name} are not those of this version: run `relay db upgrade` there")


def _counts(tx: Transaction) -> dict[Table, int]:
    """How many rows each table has, those first to which others refer."""
    return {
        table: tx.connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in metadata.sorted_tables
    }


def _copy(here: Transaction, there: Transaction, table: Table, total: int, tell: Tell) -> None:
    done = 0
    rows = select(table).order_by(*table.primary_key)
    for some in here.connection.execute(rows, execution_options={"yield_per": CHUNK}).mappings().partitions():
        there.connection.execute(insert(table), [_free(dict(row)) if table is lease else dict(row) for row in some])
        done += len(some)
        tell(table.name, done, total)


def _free(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"holder": "", "until": 0.0}


def _prepare(tx: Transaction) -> None:
    """Let PostgreSQL number on from where we are, and count what it has got: it plans by that."""
    if tx.connection.dialect.name == "sqlite":
        return
    for table in metadata.sorted_tables:
        number = table.autoincrement_column
        if number is not None:
            sequence = func.pg_get_serial_sequence(table.name, number.name)
            last = select(func.setval(sequence, func.max(number))).having(func.max(number).is_not(None))
            tx.connection.execute(last)
        tx.connection.exec_driver_sql(f"ANALYZE {table.name}")
