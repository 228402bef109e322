"""SQLite's file made smaller, a little at a time, when much of it is empty; PostgreSQL does so by itself (autovacuum).

Never keeps writers waiting: a step moves a hundred pages. A file from before pages could be given back keeps its size,
and uses again what is empty in it; `relay db copy` makes a small one of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from relay.store.database import Database

PAGE = 4096  # bytes, as SQLite makes them (sqlite.org/pragma.html, page_size)
STEP = 100  # pages
SPARE = 1_000  # pages that stay empty: they are soon used again
LEFT_TO_OTHERS = 0.02  # seconds between two steps

Pause = Callable[[float], bool]  # waits so many seconds; True: stop


def give_back(database: Database, pause: Pause) -> int:
    """Give empty pages back to the disk; returns how many.

    Raises:
        StoreUnavailable: the file cannot be written.
    """
    if not database.is_sqlite or not _is_incremental(database):
        return 0
    first = before = empty(database)
    while before > SPARE:
        with database.write() as tx:
            raw: Any = tx.connection.connection.driver_connection  # it moves one page for each row that is asked for
            raw.execute(f"PRAGMA incremental_vacuum({min(STEP, before - SPARE)})").fetchall()
        left = empty(database)
        if left >= before or pause(LEFT_TO_OTHERS):
            before = left
            break
        before = left
    if first > before:
        database.checkpoint()  # only then does the file become smaller
    return first - before


def empty(database: Database) -> int:
    """How many pages of the file hold nothing."""
    with database.read() as tx:
        return int(tx.connection.exec_driver_sql("PRAGMA freelist_count").scalar_one())


def _is_incremental(database: Database) -> bool:
    with database.read() as tx:
        return bool(tx.connection.exec_driver_sql("PRAGMA auto_vacuum").scalar_one() == 2)
