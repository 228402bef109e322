"""The database is opened safely, migrated twice without harm, and its faults are explained without secrets."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import URL, make_url
from sqlalchemy.exc import OperationalError

from relay.errors import BadDatabase, StoreUnavailable
from relay.settings import Secret
from relay.store import database as room
from relay.store import journal, leases, outbox, sqlite
from relay.store.database import Database, Transaction, chunks
from relay.store.sqlite import Busy
from relay.store.tables import metadata
from tests.conftest import Clock, Cluster, only_postgresql, only_sqlite, secret
from tests.store.build import arrival, end, message, put, take, until, waiting


@only_sqlite
def test_a_commit_is_on_disk_when_it_returns(database: Database) -> None:
    with database.read() as tx:
        assert tx.connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert tx.connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2


@only_postgresql
@pytest.mark.parametrize(("set_to", "is_then"), [("off", "on"), ("local", "local"), ("remote_apply", "remote_apply")])
def test_a_commit_is_on_disk_when_it_returns_however_the_server_is_set(
    database: Database, database_url: Secret, set_to: str, is_then: str
) -> None:
    with database.write() as tx:
        name = make_url(database_url.reveal()).database
        tx.connection.exec_driver_sql(f"ALTER DATABASE {name} SET synchronous_commit = {set_to}")
    database.close()

    with database.write() as tx:
        assert tx.connection.exec_driver_sql("SHOW synchronous_commit").scalar_one() == is_then


@only_postgresql
def test_one_that_hangs_in_a_transaction_does_not_keep_its_locks_for_ever(database: Database) -> None:
    with database.write() as tx:
        for limit in ("idle_in_transaction_session_timeout", "lock_timeout"):
            assert tx.connection.exec_driver_sql(f"SHOW {limit}").scalar_one() == "30s"


def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    def fail() -> None:
        with database.write() as tx:
            leases.hold(tx, "router", "a", 10)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.write() as tx:
        assert leases.hold(tx, "router", "b", 10) == (1, True)


def test_an_sqlite_with_the_wal_bug_is_not_used_where_a_newer_one_is_installed() -> None:
    pytest.importorskip("pysqlite3")

    assert sqlite.module().sqlite_version_info >= sqlite.WITHOUT_THE_BUG


def test_migrating_twice_changes_nothing(database: Database) -> None:
    database.upgrade()

    assert database.is_current()


def test_a_new_file_is_not_current(tmp_path: Path) -> None:
    fresh = Database(Secret(f"sqlite:///{tmp_path}/new.db"))

    assert not fresh.is_current()
    fresh.close()


def test_tables_of_a_newer_version_are_left_alone_and_who_runs_already_goes_on(database: Database) -> None:
    with database.write() as tx:
        tx.connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(BadDatabase, match=r"of a newer version of the relay \(9999, .*start that version"):
        database.upgrade()
    assert not database.is_current()
    assert database.is_current(or_newer=True)


@pytest.mark.parametrize("revision", ["0a1b2c3d4e5f", "abcdef123456", "zzzz"])
def test_tables_of_another_program_are_left_alone(revision: str, database: Database) -> None:
    with database.write() as tx:
        tx.connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")

    with pytest.raises(BadDatabase, match="of another program; give the relay one of its own"):
        database.upgrade()
    assert not database.is_current(or_newer=True)


@only_postgresql
def test_of_two_that_migrate_at_once_one_waits_for_the_other(empty: Secret) -> None:
    first, second = Database(empty), Database(empty)
    with ThreadPoolExecutor(1) as pool:
        with first.write() as tx:
            room.alone(tx.connection, room.MIGRATING)
            waits = pool.submit(second.upgrade)
            until(lambda: waiting(tx, "advisory") == 1)
            assert not second.is_current()
        waits.result()

    first.upgrade()
    assert second.is_current()
    first.close()
    second.close()


def test_a_server_without_utf_8_is_refused(cluster: Cluster) -> None:
    url = cluster.server.create(encoding="SQL_ASCII")
    database = Database(secret(url))

    with pytest.raises(BadDatabase, match="keeps text as SQL_ASCII; create it with ENCODING 'UTF8'"):
        database.upgrade()
    database.close()
    cluster.server.drop(url)


@pytest.mark.parametrize("right", ["CREATE", "ALL"])
def test_a_user_that_may_not_make_tables_is_told_so(cluster: Cluster, right: str) -> None:
    url = cluster.server.create()
    owner = Database(secret(url))
    role = f"relay_test_{os.getpid()}_reader"
    with owner.write() as tx:
        tx.connection.exec_driver_sql(f"REVOKE {right} ON SCHEMA public FROM public")
        tx.connection.exec_driver_sql(f"CREATE ROLE {role} LOGIN PASSWORD 'hunter2'")
    reader = Database(secret(url.set(username=role, password="hunter2")))

    with pytest.raises(BadDatabase, match=r"does not allow it: .*; grant it to its user"):
        reader.upgrade()
    reader.close()
    with owner.write() as tx:
        tx.connection.exec_driver_sql(f"DROP ROLE {role}")
    owner.close()
    cluster.server.drop(url)


def test_the_migrations_make_exactly_the_tables_that_the_program_uses(database: Database) -> None:
    with database.read() as tx:
        differences = compare_metadata(MigrationContext.configure(tx.connection), metadata)

    assert differences == []


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://root:hunter2@host/db", "DATABASE_URL names mysql"),
        ("postgresql+psycopg2://root:hunter2@host/db", r"DATABASE_URL names postgresql\+psycopg2"),
        ("sqlite://", "DATABASE_URL names sqlite"),
        ("hunter2", "DATABASE_URL cannot be read"),
    ],
)
def test_an_unusable_address_is_refused_without_its_password(url: str, sentence: str) -> None:
    with pytest.raises(BadDatabase, match=sentence) as caught:
        Database(Secret(url))

    assert "hunter2" not in str(caught.value)


def test_a_locked_database_is_unavailable_and_not_a_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    database = Database(Secret(f"sqlite:///{tmp_path}/relay.db"))
    database.upgrade()
    # The same library: POSIX locks hold between processes, so that two SQLites in one process do not see each other's.
    other = sqlite.module().connect(str(tmp_path / "relay.db"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreUnavailable, match="locked"), database.write():
        pass
    other.close()
    database.close()


@only_sqlite
def test_whoever_does_not_want_to_wait_is_refused_at_once_and_has_patience_the_next_time(database: Database) -> None:
    def write_at_once() -> None:
        with database.write(wait=False):
            pass

    with ThreadPoolExecutor(1) as beside, database.write(), pytest.raises(Busy):
        beside.submit(write_at_once).result(sqlite.BUSY_SECONDS / 2)
    with database.read() as one, database.read() as other:  # on both connections
        for tx in (one, other):
            assert tx.connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one() == sqlite.BUSY_SECONDS * 1000
    with database.write(wait=False) as tx:
        assert tx.now


def test_readers_do_not_wait_for_a_writer(database: Database) -> None:
    with database.write(), database.read() as tx:
        assert tx.connection.exec_driver_sql("SELECT 1").scalar_one() == 1


REFUSED: list[tuple[Callable[[URL], URL], str]] = [  # how the address is wrong, and what is said of it
    (lambda url: url.set(username="needs_password", password="hunter2"), "password authentication failed"),
    (lambda url: url.set(database="nowhere"), 'database "nowhere" does not exist'),
]


@only_postgresql
@pytest.mark.parametrize(("wrong", "sentence"), REFUSED, ids=["password", "database"])
def test_a_refused_connection_is_explained_without_its_password(
    database_url: Secret, wrong: Callable[[URL], URL], sentence: str
) -> None:
    url = wrong(make_url(database_url.reveal()))
    database = Database(secret(url))

    with pytest.raises(StoreUnavailable, match=f"«{url.database}» on .* cannot be used .*{sentence}") as caught:
        database.upgrade()
    assert "hunter2" not in str(caught.value)
    database.close()


def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    with socket.socket() as taken:  # bound and not listening: connections are refused
        taken.bind(("127.0.0.1", 0))
        database = Database(Secret(f"postgres://relay:hunter2@127.0.0.1:{taken.getsockname()[1]}/shop"))

        with pytest.raises(StoreUnavailable, match=r"«shop» on 127\.0\.0\.1 .*refused") as caught, database.read():
            pass
    assert "hunter2" not in str(caught.value)
    database.close()


def test_a_password_in_the_driver_s_words_is_blotted_out() -> None:
    database = Database(Secret("postgresql://relay:hunter2@host/shop"))
    fault = OperationalError("", {}, Exception("connection failed: server said hunter2"))

    assert database._reason(fault) == "server said ***"


@only_postgresql
def test_a_connection_lost_in_the_middle_is_unavailability_and_the_next_one_works(database: Database) -> None:
    def be_cut_off() -> None:
        with database.write() as tx:
            own = tx.connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            with database.write() as other:
                other.connection.exec_driver_sql(f"SELECT pg_terminate_backend({own})")
            leases.hold(tx, "router", "a", 10)

    with pytest.raises(StoreUnavailable):
        be_cut_off()
    with database.write() as tx:
        assert leases.hold(tx, "router", "a", 10) == (1, True)


@only_postgresql
def test_a_connection_lost_while_it_rested_is_not_noticed(database: Database) -> None:
    with database.write() as tx, database.write() as other:
        own = tx.connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        other_own = other.connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    with database.write() as tx:
        mine = tx.connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        resting = own if mine == other_own else other_own
        tx.connection.exec_driver_sql(f"SELECT pg_terminate_backend({resting})")
        with database.write() as next_one:
            assert leases.hold(next_one, "router", "a", 10) == (1, True)


@only_postgresql
def test_a_standby_that_only_reads_is_unavailable(database: Database) -> None:
    with pytest.raises(StoreUnavailable, match="read-only transaction"), database.read() as tx:
        leases.hold(tx, "router", "a", 10)


@only_postgresql
def test_a_lease_runs_by_the_clock_of_the_database(database_url: Secret) -> None:
    database = Database(database_url)
    with database.write() as tx:
        of_the_server = tx.connection.exec_driver_sql("SELECT extract(epoch FROM clock_timestamp())").scalar_one()
        assert 0 <= float(of_the_server) - tx.now < 5
    database.close()


def test_watching_tells_that_somebody_else_has_left_work(database: Database) -> None:
    with database.watch() as changed:
        changed(0.0)
        assert not changed(0.05)
        put(database, message())
        assert changed(10)
        assert not changed(0.05)


@only_postgresql
@pytest.mark.parametrize("what", ["append", "release", "retry", "drop"])
def test_whatever_leaves_work_for_others_wakes_them(database: Database, what: str) -> None:
    (number,) = put(database, message())
    (parcel,) = take(database)
    end(database, parcel, state="dead", verdict="dead")
    deeds: dict[str, Callable[[Transaction], object]] = {
        "append": lambda tx: journal.append(tx, [arrival()]),
        "release": lambda tx: leases.release(tx, "router", "a"),
        "retry": lambda tx: outbox.retry(tx, number),
        "drop": lambda tx: outbox.drop(tx, number),
    }
    with database.watch() as changed:
        changed(0.0)
        with database.write() as tx:
            deeds[what](tx)
        assert changed(10)


@only_postgresql
def test_what_is_everybody_s_own_work_wakes_nobody(database: Database) -> None:
    put(database, message())
    with database.watch() as changed:
        changed(0.0)
        (parcel,) = take(database)
        end(database, parcel)
        with database.write() as tx:
            leases.hold(tx, "router", "a", 10)
        assert not changed(0.2)


@only_postgresql
def test_a_watch_that_lost_its_connection_listens_again(database: Database) -> None:
    with database.watch() as changed:
        changed(0.0)
        with database.write() as tx:
            tx.connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND query LIKE 'LISTEN%%'"
            )
        until(lambda: changed(0.05))  # connected anew: something may have been missed
        put(database, message())
        assert changed(10)


def test_watching_a_server_that_is_not_there_waits_and_does_not_fail() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        database = Database(Secret(f"postgresql://relay@127.0.0.1:{taken.getsockname()[1]}/shop"))
        with database.watch() as changed:
            assert not changed(0.01)
    database.close()


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


def test_long_lists_are_asked_for_some_at_a_time() -> None:
    assert [len(some) for some in chunks(range(2500))] == [1000, 1000, 500]
    assert list(chunks([])) == []
