"""SQLite by its own driver: the module, the file, and where a transaction begins and ends.

Never says a word of SQL about a table. A transaction begins and ends here at the driver's; SQLAlchemy's connection is
lent with it to whoever wants it, and what is done for every event goes without (`prepared.py`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from sqlalchemy import URL, Connection, Dialect, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

from relay.errors import BadDatabase, StoreUnavailable

# Releases before this one can corrupt a WAL database when two connections write and checkpoint at the same moment
# (sqlite.org/wal.html#walresetbug).
WITHOUT_THE_BUG = (3, 51, 3)
BUSY_SECONDS = 8  # to wait for other writers; GitHub waits ten for our answer


class Busy(StoreUnavailable):
    """Another writer is at work, and it was asked not to wait."""


def module() -> ModuleType:
    """The system's SQLite, or the newer one from the pysqlite3 package where the system's has the WAL bug."""
    if sqlite3.sqlite_version_info < WITHOUT_THE_BUG:
        try:
            import pysqlite3  # noqa: PLC0415 - not there on every platform
        except ImportError:
            return sqlite3
        return cast(ModuleType, pysqlite3)
    return sqlite3


def engine(url: URL) -> Engine:
    """An engine on a file, which is made if there is none.

    Raises:
        BadDatabase: it cannot be made.
    """
    _make_file(Path(str(url.database)))
    opened = create_engine(
        url,
        module=module(),
        pool_size=40,
        pool_use_lifo=True,  # each connection keeps what it has read, up to two megabytes: the few that are hot do
        connect_args={"timeout": BUSY_SECONDS},
        hide_parameters=True,
    )
    event.listen(opened, "connect", _prepare)
    return opened


@contextmanager
def transaction(opened: Engine, begin: str, *, durable: bool = True, wait: bool = True) -> Iterator[Connection]:
    """A transaction, committed when the block ends without an exception.

    Args:
        begin: the statement that begins it: BEGIN, or BEGIN IMMEDIATE to stand in line with other writers.
        durable: False to leave the disk for the next durable commit to wait for.
        wait: False to be refused at once where other writers would have to be waited for.

    Raises:
        Busy: there are other writers, and they were not to be waited for.
        sqlalchemy.exc.DBAPIError: what SQLite complains of.
    """
    with opened.connect() as connection:
        driver: Any = connection.connection.driver_connection
        try:
            _synchronize(connection, driver, "FULL" if durable else "NORMAL")
            driver.execute(begin) if wait else _begin_at_once(driver, begin, opened.dialect)
            yield connection
            driver.commit()
        except BaseException as fault:
            driver.rollback()
            if isinstance(fault, opened.dialect.loaded_dbapi.Error):
                raise complaint(fault, opened.dialect) from fault
            raise


def complaint(fault: Any, dialect: Dialect, sql: str = "") -> BaseException:
    """What the driver complains of, as SQLAlchemy tells of it elsewhere."""
    of = dialect.loaded_dbapi.Error
    told: BaseException = DBAPIError.instance(sql, None, fault, of, dialect=dialect)
    return told


def _synchronize(connection: Connection, driver: Any, level: str) -> None:
    if connection.info.get("synchronous", "FULL") != level:
        driver.execute(f"PRAGMA synchronous={level}")
        connection.info["synchronous"] = level


def _begin_at_once(driver: Any, begin: str, dialect: Dialect) -> None:
    driver.execute("PRAGMA busy_timeout=0")
    try:
        driver.execute(begin)
    except dialect.loaded_dbapi.OperationalError:
        raise Busy("another writer is at work") from None
    finally:
        driver.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")


def _make_file(path: Path) -> None:
    """The file, readable by nobody else: it may hold an application's tokens, and what senders posted."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError as fault:
        raise BadDatabase(f"DATABASE_URL names {path}, which cannot be made: {fault.strerror}") from None


def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # so that the driver does not begin transactions of its own
    if not connection.execute("PRAGMA page_count").fetchone()[0]:  # later it would change nothing, and wait for writers
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
