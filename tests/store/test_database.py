"""The database is opened safely, migrated twice without harm, and its faults are explained without secrets."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from relay.errors import StoreUnavailable
from relay.settings import Secret
from relay.store import database as room
from relay.store import leases
from relay.store.database import BadDatabase, Database
from relay.store.tables import metadata
from tests.conftest import Clock


def test_a_commit_is_on_disk_when_it_returns(database: Database) -> None:
    with database.read() as tx:
        assert tx.connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert tx.connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2


def test_an_sqlite_with_the_wal_bug_is_not_used_where_a_newer_one_is_installed() -> None:
    pytest.importorskip("pysqlite3")

    assert room._sqlite().sqlite_version_info >= room.SQLITE_WITHOUT_THE_BUG


def test_migrating_twice_changes_nothing(database: Database) -> None:
    database.upgrade()

    assert database.is_current()


def test_a_new_file_is_not_current(tmp_path: Path) -> None:
    fresh = Database(Secret(f"sqlite:///{tmp_path}/new.db"))

    assert not fresh.is_current()
    fresh.close()


def test_the_migrations_make_exactly_the_tables_that_the_program_uses(database: Database) -> None:
    with database.read() as tx:
        differences = compare_metadata(MigrationContext.configure(tx.connection), metadata)

    assert differences == []


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://root:hunter2@host/db", "DATABASE_URL names mysql"),
        ("sqlite://", "DATABASE_URL names sqlite"),
        ("hunter2", "DATABASE_URL cannot be read"),
    ],
)
def test_an_unusable_address_is_refused_without_its_password(url: str, sentence: str) -> None:
    with pytest.raises(BadDatabase, match=sentence) as caught:
        Database(Secret(url))

    assert "hunter2" not in str(caught.value)


def test_a_locked_database_is_unavailable_and_not_a_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "BUSY_SECONDS", 0.05)
    database = Database(Secret(f"sqlite:///{tmp_path}/relay.db"))
    database.upgrade()
    # The same library: POSIX locks hold between processes, so that two SQLites in one process do not see each other's.
    other = room._sqlite().connect(str(tmp_path / "relay.db"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreUnavailable, match="locked"), database.write():
        pass
    other.close()
    database.close()


def test_readers_do_not_wait_for_a_writer(database: Database) -> None:
    with database.write(), database.read() as tx:
        assert tx.connection.exec_driver_sql("SELECT 1").scalar_one() == 1


def test_watching_tells_that_somebody_else_has_committed(database: Database) -> None:
    with database.watch() as version:
        assert version is not None
        before = version()
        assert version() == before
        with database.write() as tx:
            leases.hold(tx, "router", "me", 10)
        assert version() != before


def test_a_lease_has_one_holder_and_its_epoch_grows(database: Database, clock: Clock) -> None:
    with database.write() as tx:
        assert leases.hold(tx, "router", "a", 10) == (1, True)
        assert leases.hold(tx, "router", "b", 10) is None
        assert leases.hold(tx, "router", "a", 10) == (1, False)
    clock.forward(11)
    with database.write() as tx:
        assert leases.hold(tx, "router", "b", 10) == (2, True)
        assert leases.hold(tx, "router", "a", 10) is None
        assert not leases.holds(tx, "router", 1)
        assert leases.holds(tx, "router", 2)


def test_a_lease_given_back_is_free_at_once(database: Database) -> None:
    with database.write() as tx:
        leases.hold(tx, "router", "a", 10)
        leases.release(tx, "router", "b")
        assert leases.hold(tx, "router", "b", 10) is None
        leases.release(tx, "router", "a")
        assert leases.hold(tx, "router", "b", 10) == (2, True)
