"""The database: opened, migrated, and handed out a transaction at a time.

Knows no table. SQLite is opened so that a commit is on disk when it returns (WAL, synchronous=FULL) and writers
stand in line (BEGIN IMMEDIATE).
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, OperationalError

from relay.errors import RelayError, StoreUnavailable
from relay.settings import Secret

# Releases before this one can corrupt a WAL database when two connections write and checkpoint at the same moment
# (sqlite.org/wal.html#walresetbug).
SQLITE_WITHOUT_THE_BUG = (3, 51, 3)
BUSY_SECONDS = 30


class BadDatabase(RelayError):
    """The database cannot be used; the sentence says why and what to do."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """A connection inside one transaction, and the moment at which it runs (Unix seconds)."""

    connection: Connection
    now: float


class Database:
    """SQLite or PostgreSQL behind one face.

    ``clock`` is for tests. Without it a transaction's moment is the database's: leases of several machines need one
    clock, and with SQLite the database's clock is this machine's.
    """

    def __init__(self, url: Secret, *, clock: Callable[[], float] | None = None) -> None:
        self._engine = _open(url)
        self._clock = clock

    @property
    def is_sqlite(self) -> bool:
        return self._engine.dialect.name == "sqlite"

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """A transaction that is on disk when the block ends without an exception.

        Raises:
            StoreUnavailable: the database is locked, full, read-only or away.
        """
        with _explained(), self._engine.begin() as connection:
            yield Transaction(connection, self._now(connection))

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A transaction that changes nothing and, on SQLite, keeps no writer waiting."""
        with _explained(), self._engine.connect() as bare:
            connection = bare.execution_options(relay_reads=True)
            with connection.begin():
                yield Transaction(connection, self._now(connection))

    @contextmanager
    def watch(self) -> Iterator[Callable[[], int] | None]:
        """Yield a cheap question «has anything been committed?», or ``None`` where the database has none.

        SQLite's ``PRAGMA data_version`` counts the commits of other connections as one connection sees them, so the
        connection stays open for as long as the question is asked.
        """
        if not self.is_sqlite:
            yield None
            return
        raw = self._engine.raw_connection()
        try:
            cursor = raw.cursor()

            def version() -> int:
                return int(cursor.execute("PRAGMA data_version").fetchone()[0])

            yield version
        finally:
            raw.close()

    def upgrade(self) -> None:
        """Create or migrate the tables. Safe to run twice, also at the same moment."""
        with _explained(), self._engine.begin() as connection:
            if not self.is_sqlite:  # SQLite's BEGIN IMMEDIATE already lets one in at a time
                connection.execute(text("SELECT pg_advisory_xact_lock(7245501)"))
            config = _migrations()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def is_current(self) -> bool:
        """Are the tables those of this version of the program?"""
        with _explained(), self._engine.connect() as connection:
            found = MigrationContext.configure(connection).get_current_revision()
        return found == ScriptDirectory.from_config(_migrations()).get_current_head()

    def close(self) -> None:
        self._engine.dispose()

    def _now(self, connection: Connection) -> float:
        if self._clock is not None:
            return self._clock()
        if self.is_sqlite:
            return time.time()
        return float(connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())


def _migrations() -> Config:
    config = Config()
    config.set_main_option("script_location", "relay.store:migrations")
    return config


def _open(url: Secret) -> Engine:
    try:
        parsed = make_url(url.reveal())
    except ArgumentError:
        raise BadDatabase(
            "DATABASE_URL cannot be read; use sqlite:///path/to/relay.db or postgresql://user:password@host/name"
        ) from None
    if parsed.drivername in ("postgres", "postgresql"):
        return create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
    if parsed.drivername != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise BadDatabase(f"DATABASE_URL names {parsed.drivername}; use a SQLite file or PostgreSQL")
    Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, module=_sqlite(), pool_size=40, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _sqlite() -> ModuleType:
    """The system's SQLite, or the newer one from the pysqlite3 package where the system's has the WAL bug."""
    if sqlite3.sqlite_version_info < SQLITE_WITHOUT_THE_BUG:
        try:
            import pysqlite3  # noqa: PLC0415 - not there on every platform
        except ImportError:
            return sqlite3
        return cast(ModuleType, pysqlite3)
    return sqlite3


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # so that the driver does not begin transactions of its own; _begin_sqlite does
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    reads = connection.get_execution_options().get("relay_reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


@contextmanager
def _explained() -> Iterator[None]:
    """Turn the driver's complaints into the one error that a sender or an operator can act upon.

    The driver's text may name the host but, with PostgreSQL, also repeat values: only its first words are kept for
    SQLite, whose messages are fixed sentences («database or disk is full»).
    """
    try:
        yield
    except OperationalError as fault:
        reason = str(fault.orig) if type(fault.orig).__module__ in ("sqlite3", "pysqlite3.dbapi2") else ""
        raise StoreUnavailable(f"the database cannot be used just now: {reason or 'no connection'}") from None
