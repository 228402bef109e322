"""A copy of SQLite's file, made while the relay runs: one state of everything, on disk when it is told to be.

Never overwrites a file, and never leaves half of one under the name that was asked for. PostgreSQL has `pg_dump`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from relay.errors import RelayError
from relay.store import sqlite
from relay.store.database import Database


class NotBackedUp(RelayError):
    """No backup was made; the sentence says why."""


def backup(database: Database, to: Path) -> int:
    """Copy the database into a new file, for nobody else to read; returns its size in bytes.

    Raises:
        NotBackedUp: there is a file already, it cannot be written, or the database is not SQLite's.
        StoreUnavailable: the database cannot be read.
    """
    if not database.is_sqlite:
        raise NotBackedUp(
            f"PostgreSQL makes its own backups while the relay runs: pg_dump --format=custom --file={to.name} DATABASE,"
            " with the DATABASE_URL of the relay; pg_restore brings it back"
        )
    if not Path(database.name).stat().st_size:
        raise NotBackedUp(f"there is nothing in {database.name}")
    try:
        with _new(to) as part:
            _copy(database, part)
            size = part.stat().st_size
            _to_disk(part)
            part.replace(to)
        _to_disk(to.absolute().parent)
    except OSError as fault:
        raise NotBackedUp(f"{to} cannot be written: {fault.strerror}") from None
    return size


@contextmanager
def _new(to: Path) -> Iterator[Path]:
    """A file beside the one that is asked for, whose name is taken meanwhile; both are gone if it fails."""
    part = to.with_name(f"{to.name}.part")
    try:
        os.close(os.open(to, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        raise NotBackedUp(f"{to} is there already; name a file that is not") from None
    try:
        part.unlink(missing_ok=True)  # of a backup that was killed
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        yield part
    except BaseException:
        to.unlink(missing_ok=True)
        raise
    finally:
        part.unlink(missing_ok=True)


def _copy(database: Database, part: Path) -> None:
    """By SQLite's online backup (sqlite.org/backup.html), in one step: writers go on, and it need not begin again."""
    module = sqlite.module()
    with database.driver() as source, closing(module.connect(str(part))) as target:
        try:
            source.backup(target)
            target.execute("PRAGMA journal_mode=DELETE").fetchall()  # one file, without a log beside it
            _must_be_whole(target)
        except module.OperationalError as fault:
            raise NotBackedUp(f"{part.parent} cannot take the backup: {fault}") from None


def _must_be_whole(target: Any) -> None:
    ((found, *_),) = target.execute("PRAGMA quick_check(1)").fetchall()
    if found != "ok":
        raise NotBackedUp(f"the copy is damaged, and so the database may be: run `relay db check` ({found})")


def _to_disk(path: Path) -> None:
    """A file's content, or the names in a folder, to the disk (fsync(2))."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
