"""The database: opened, migrated, and handed out a transaction at a time.

Knows no table. A commit is on disk when it returns: SQLite is opened with WAL and synchronous=FULL, and its writers
stand in line (BEGIN IMMEDIATE); PostgreSQL runs READ COMMITTED under row locks, with synchronous commits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, func, inspect, make_url, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects import sqlite as dialect_of_sqlite
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DBAPIError,
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from relay.errors import BadDatabase, StoreUnavailable
from relay.settings import Secret
from relay.store import sqlite
from relay.store.bell import Bell
from relay.store.watching import CHANNEL, Counter, Listener, Watch

MIGRATIONS = Path(__file__).parent / "migrations" / "versions"
OLDEST_POSTGRESQL = (13,)
MIGRATING = 7245501  # the advisory lock under which tables are changed
NOT_PERMITTED = ("42501", "3F000")  # insufficient_privilege, and no schema in sight (PostgreSQL docs, appendix A)
CONNECT_POSTGRESQL = {
    "application_name": "relay",
    "client_encoding": "utf8",
    "connect_timeout": 10,
    # A server that vanished without a word, or gave us up while we were cut off, is noticed within ten seconds. While a
    # question is on its way keepalives do not help: Linux repeats it for a quarter of an hour (tcp_retries2, tcp(7)).
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 10_000,  # milliseconds
    # Each statement is planned for its own values. Prepared ones would now and then be planned for none, could not use
    # the partial indexes then, and do not pass PgBouncer.
    "prepare_threshold": None,
}
# The server, too, is to notice soon that a machine of ours has vanished, for it keeps what that one had locked, by
# default for two hours (tcp_keepalive_time, tcp(7)). The limits below do not help there: psycopg ends an executemany
# with a Sync and a Flush, and PostgreSQL reckons a session idle only from a Sync on that nothing follows.
KEEPALIVES_OF_THE_SERVER = """\
SELECT set_config('tcp_keepalives_idle', '5', false), set_config('tcp_keepalives_interval', '5', false),
    set_config('tcp_keepalives_count', '2', false), set_config('tcp_user_timeout', '10000', false)"""
ONE_STATE = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
# One question at the beginning of each transaction. A process that hangs in the middle of one must not keep the others
# from its locks, nobody waits for a lock for ever, and a commit that returns is on disk however the server is set.
BEGIN_POSTGRESQL = text(
    "SELECT extract(epoch FROM clock_timestamp()),"
    " set_config('idle_in_transaction_session_timeout', '30s', true),"
    " set_config('lock_timeout', '30s', true),"
    " CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', true) END"
)


Item = TypeVar("Item")


@dataclass(slots=True)
class Transaction:
    """A connection inside one transaction, and the moment at which it runs (Unix seconds).

    ``news`` is set by whoever leaves work for others: they are woken when it is committed.
    """

    connection: Connection
    now: float
    news: bool = False

    @property
    def on_sqlite(self) -> bool:
        return self.connection.dialect.name == "sqlite"


class Database:
    """SQLite or PostgreSQL behind one face.

    ``clock`` is for tests. Without it a transaction's moment is the database's: leases of several machines need one
    clock, and with SQLite the database's clock is this machine's.

    A transaction locks in one order, so that no two wait for each other: leases, streams by their names, turns, the
    portal, the counters.
    """

    def __init__(self, url: Secret, *, clock: Callable[[], float] | None = None) -> None:
        self._url = _parse(url)
        self._engine = _open(self._url)
        self._bell = Bell(Path(str(self._url.database)).absolute()) if self.is_sqlite else None
        self._clock = clock

    @property
    def is_sqlite(self) -> bool:
        return self._engine.dialect.name == "sqlite"

    @property
    def name(self) -> str:
        """The database for a person to read: SQLite's file, or PostgreSQL's name and host. Never a password."""
        if self.is_sqlite:
            return str(self._url.database)
        host = self._url.host or self._url.query.get("host") or "this machine"
        return f"«{self._url.database or self._url.username}» on {host}"

    @contextmanager
    def write(self, *, durable: bool = True, wait: bool = True) -> Iterator[Transaction]:
        """A transaction that is on disk when the block ends without an exception.

        Args:
            durable: False for what a power cut may undo, as long as it undoes the whole of it. SQLite then does not
                wait for the disk; the next durable commit takes it along (sqlite.org/pragma.html#pragma_synchronous).
            wait: False to be refused at once where SQLite's other writers would have to be waited for.

        Raises:
            StoreUnavailable: the database is locked, full, read-only or away.
            Busy: there are other writers, and they were not to be waited for.
        """
        with self._explained(), self._writing(durable=durable, wait=wait) as connection:
            tx = Transaction(connection, self._begin(connection))
            yield tx
            if tx.news and not self.is_sqlite:
                connection.exec_driver_sql(f"NOTIFY {CHANNEL}")
        if tx.news and self._bell is not None:
            self._bell.ring()

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A transaction that changes nothing, keeps no writer waiting, and sees one state of everything."""
        begun = sqlite.transaction(self._engine, "BEGIN") if self.is_sqlite else self._one_state()
        with self._explained(), begun as connection:
            yield Transaction(connection, self._begin(connection))

    @contextmanager
    def watch(self) -> Iterator[Watch]:
        """Yield a cheap way to wait for what others commit; on PostgreSQL, for what they leave for us (``news``)."""
        with self._explained():
            watch = Listener(self._engine) if self._bell is None else Counter(self._engine, self._bell)
        try:
            yield watch
        finally:
            watch.close()

    def upgrade(self) -> None:
        """Create or migrate the tables. Safe to run twice, also at the same moment.

        Raises:
            BadDatabase: the server is too old or has no UTF-8, its user may not create tables, or they are
                of a newer version or of another program.
        """
        with self._explained(), self._writing() as connection:
            if not self.is_sqlite:
                self._check_server(connection)
            alone(connection, MIGRATING)
            found, ours = _revision(connection), newest_revision()
            if found and not _is_newer(found, ours) and found not in _revisions():
                raise BadDatabase(f"{self.name} has the tables of another program; give the relay one of its own")
            if _is_newer(found, ours):
                raise BadDatabase(
                    f"{self.name} has the tables of a newer version of the relay ({found}, and {ours} is our last):"
                    " start that version, or put the backup from before it in their place"
                )
            if found != ours:
                migrate(connection)

    def is_current(self, *, or_newer: bool = False) -> bool:
        """Are the tables those of this version of the program?

        Args:
            or_newer: or of one that was started beside us since: it only adds to them, and who runs goes on.
        """
        with self.read() as tx:  # readiness is asked every few seconds, and must not wait for a writer
            found, ours = _revision(tx.connection), newest_revision()
        return found == ours or (or_newer and _is_newer(found, ours))

    def checkpoint(self) -> None:
        """Bring SQLite's file up to date and empty its log, unless somebody reads or writes at this moment."""
        with self.driver() as connection:
            connection.execute("PRAGMA busy_timeout=0")
            try:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            finally:
                connection.execute(f"PRAGMA busy_timeout={sqlite.BUSY_SECONDS * 1000}")

    @contextmanager
    def driver(self) -> Iterator[Any]:
        """SQLite's own connection, in no transaction, for what is no SQL: a backup, a checkpoint.

        Raises:
            StoreUnavailable: the file cannot be used.
        """
        with self._explained():
            pooled = self._engine.raw_connection()
            try:
                yield pooled.driver_connection
            except self._engine.dialect.loaded_dbapi.Error as fault:
                raise StoreUnavailable(f"{self._unavailable}: {fault}") from None
            finally:
                pooled.close()

    def close(self) -> None:
        self._engine.dispose()

    def _writing(self, *, durable: bool = True, wait: bool = True) -> AbstractContextManager[Connection]:
        if not self.is_sqlite:
            return self._engine.begin()
        return sqlite.transaction(self._engine, "BEGIN IMMEDIATE", durable=durable, wait=wait)

    @contextmanager
    def _one_state(self) -> Iterator[Connection]:
        """A transaction of PostgreSQL's that sees one state of everything."""
        with self._engine.connect() as bare, bare.execution_options(**ONE_STATE).begin():
            yield bare

    def _begin(self, connection: Connection) -> float:
        """Set the transaction's limits, and tell its moment."""
        now = time.time() if self.is_sqlite else float(connection.execute(BEGIN_POSTGRESQL).scalar_one())
        return self._clock() if self._clock is not None else now

    def _check_server(self, connection: Connection) -> None:
        version = connection.dialect.server_version_info or ()
        if version < OLDEST_POSTGRESQL:
            raise BadDatabase(f"{self.name} is PostgreSQL {version[0]}; it must be {OLDEST_POSTGRESQL[0]} or newer")
        encoding = connection.execute(select(func.current_setting("server_encoding"))).scalar_one()
        if encoding != "UTF8":
            raise BadDatabase(f"{self.name} keeps text as {encoding}; create it with ENCODING 'UTF8'")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn the driver's complaints into errors that a sender or an operator can act upon."""
        try:
            yield
        except (OperationalError, InterfaceError, InternalError) as fault:
            raise StoreUnavailable(f"{self._unavailable}: {self._reason(fault)}") from None
        except PoolTimeout:
            raise StoreUnavailable(f"{self._unavailable}: all of our connections to it are in use") from None
        except ProgrammingError as fault:
            if getattr(fault.orig, "sqlstate", None) not in NOT_PERMITTED:
                raise
            raise BadDatabase(f"{self.name} does not allow it: {self._reason(fault)}; grant it to its user") from None
        except DatabaseError as fault:
            if not self.is_sqlite or type(fault) is not DatabaseError:
                raise
            raise BadDatabase(f"{self.name} cannot be read as a database: {self._reason(fault)}") from None

    @property
    def _unavailable(self) -> str:
        return f"the database {self.name} cannot be used just now"

    def _reason(self, fault: DBAPIError) -> str:
        """The driver's words, as far as they are its own: what follows its first sentence may repeat values.

        A refused connection has no fields, only a text that names the address first and the reason last.
        """
        primary = getattr(getattr(fault.orig, "diag", None), "message_primary", None)
        first = next(iter(str(primary or fault.orig).splitlines()), "no connection")
        reason = first.rpartition(" failed: ")[2].removeprefix("FATAL:").strip()
        password = str(self._url.password or "")
        return reason.replace(password, "***") if password else reason


def alone(connection: Connection, lock: int) -> None:
    """Let one transaction with this lock in at a time, until its commit. SQLite's BEGIN IMMEDIATE already does."""
    if connection.dialect.name != "sqlite":
        connection.execute(select(func.pg_advisory_xact_lock(lock)))


def chunks(items: Sequence[Item], size: int = 1000) -> Iterator[Sequence[Item]]:
    """Items some at a time: PostgreSQL takes 65,535 values in one statement, and an old SQLite 32,766."""
    return (items[start : start + size] for start in range(0, len(items), size))


def insert_into(tx: Transaction, table: Table) -> dialect_of_sqlite.Insert | postgresql.Insert:
    """An INSERT that can say what to do ON CONFLICT: both engines can, each in a class of its own."""
    return insert_of(tx.connection.dialect.name, table)


def insert_of(dialect: str, table: Table) -> dialect_of_sqlite.Insert | postgresql.Insert:
    """The same, for a statement that is built once and kept."""
    return dialect_of_sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


def newest_revision() -> str:
    """The number of the last migration."""
    return max(_revisions())


def _revisions() -> set[str]:
    """The numbers of all migrations, with which their files' names begin."""
    return {path.name.partition("_")[0] for path in MIGRATIONS.glob("[0-9]*.py")}


def _is_newer(found: str, ours: str) -> bool:
    """Another program's revisions, if it keeps them in a table of this name, are no such numbers."""
    return len(found) == len(ours) and found.isdecimal() and found > ours


def _revision(connection: Connection) -> str:
    """The number of the last migration that a database has had; empty for none."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one_or_none() or "")


def migrate(connection: Connection) -> None:
    """Bring the tables up to date. Alembic is loaded only here: it is a tenth of a process's memory."""
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", "relay.store:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _parse(url: Secret) -> URL:
    try:
        parsed = make_url(url.reveal())
    except ArgumentError:
        raise BadDatabase(
            "DATABASE_URL cannot be read; use sqlite:///path/to/relay.db or postgresql://user:password@host/name"
        ) from None
    if parsed.drivername in ("postgres", "postgresql", "postgresql+psycopg"):
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise BadDatabase(f"DATABASE_URL names {parsed.drivername}; use a SQLite file or PostgreSQL")
    return parsed


def _open(url: URL) -> Engine:
    if url.drivername == "sqlite":
        return sqlite.engine(url)
    engine = create_engine(
        url, connect_args=CONNECT_POSTGRESQL, pool_pre_ping=True, pool_size=5, max_overflow=10, hide_parameters=True
    )
    event.listen(engine, "connect", _prepare_postgresql)
    return engine


def _prepare_postgresql(connection: Any, _record: object) -> None:
    connection.execute(KEEPALIVES_OF_THE_SERVER)
    connection.commit()
