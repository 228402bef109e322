"""An installation moves from one engine to the other and works on there, or stays as it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from relay.cli.copy import copy
from relay.settings import Secret
from relay.store import copy as room
from relay.store import findings, journal, leases, outbox, portals
from relay.store.copy import NotCopied
from relay.store.database import Database
from relay.store.tables import metadata
from tests.conftest import Cluster, secret
from tests.store.build import arrival, end, message, put, take


@pytest.fixture
def other_empty(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Secret]:
    """An address on the engine that ``database`` is not of."""
    if engine == "postgresql":
        yield Secret(f"sqlite:///{tmp_path}/other.db")
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    url = cluster.server.create()
    yield secret(url)
    cluster.server.drop(url)


@pytest.fixture
def there(other_empty: Secret) -> Iterator[Database]:
    opened = Database(other_empty)
    yield opened
    opened.close()


@pytest.fixture
def lived_in(database: Database) -> Database:
    """A database with something in each state: journalled, decided, sent, waiting, blocked, being sent."""
    with database.write() as tx:
        first, *_ = journal.append(tx, [arrival(delivery=f"d-{n}", body=bytes(range(256))) for n in range(450)])
        journal.settle(tx, {first.id: ("addressed", "ы")})
        journal.count_unmapped(tx, "github", ["anna"])
        outbox.enqueue(tx, first.id, [message(user_id=1, urgent=True, attach={"BLOCKS": []}), message(user_id=2)])
        portals.get(tx, "main")
        findings.remember(tx, "main", "webhook", replaces_by_tag=True)
        leases.hold(tx, "portal:main", "a worker", 10)
        leases.release(tx, "portal:main", "a worker")
        leases.hold(tx, "portal:main", "another", 10)
        leases.release(tx, "portal:main", "another")
    sent, _being_sent = take(database, epoch=2)
    end(database, sent, epoch=2, notification_id=7)
    put(database, message(user_id=3), message(user_id=3))
    return database


def run(database_url: Secret, to: Secret, *options: str) -> Result:
    return CliRunner().invoke(copy, [database_url.reveal(), to.reveal(), *options], help_option_names=["-h", "--help"])


def contents(database: Database) -> dict[str, list[tuple[object, ...]]]:
    with database.read() as tx:
        return {
            table.name: [tuple(row) for row in tx.connection.execute(select(table).order_by(*table.primary_key))]
            for table in metadata.sorted_tables
        }


def test_everything_comes_over(lived_in: Database, database_url: Secret, there: Database, other_empty: Secret) -> None:
    result = run(database_url, other_empty)

    assert result.exception is None
    assert contents(there) == contents(lived_in)
    assert "event               450 of 450\n" in result.stderr
    assert f"rows to {there.name}. Set DATABASE_URL" in result.stdout


def test_the_relay_works_on_where_it_was(
    lived_in: Database, database_url: Secret, there: Database, other_empty: Secret
) -> None:
    run(database_url, other_empty)

    with there.write() as tx:
        held = leases.hold(tx, "portal:main", "the new one", 10)
        assert held == (3, True)
        assert outbox.take_over(tx, "main", 3) == 1
    assert [parcel.message.user_id for parcel in take(there, epoch=3)] == [2, 3]
    with there.write() as tx:
        again, fresh = journal.append(tx, [arrival(delivery="d-7"), arrival(delivery="new")])
    newest = max(row[0] for row in contents(lived_in)["event"])  # type: ignore[type-var]
    assert again.duplicate
    assert fresh.id > newest  # type: ignore[operator]


def test_a_database_with_something_in_it_is_not_written_to(
    lived_in: Database, database_url: Secret, there: Database, other_empty: Secret
) -> None:
    there.upgrade()
    put(there, message())
    before = contents(there)
    result = run(database_url, other_empty)

    assert isinstance(result.exception, NotCopied)
    assert "is not empty" in str(result.exception)
    assert contents(there) == before


def test_nothing_is_copied_under_the_hands_of_a_worker(
    lived_in: Database, database_url: Secret, there: Database, other_empty: Secret
) -> None:
    with closing(Database(database_url)) as worker, worker.write() as tx:
        leases.hold(tx, "router", "a worker", 60)
    refused = run(database_url, other_empty)

    assert isinstance(refused.exception, NotCopied)
    assert "(router): stop the relay, or use --force" in str(refused.exception)
    assert run(database_url, other_empty, "--force").exception is None
    with there.read() as tx:
        assert leases.living(tx) == []


def test_a_source_that_changed_meanwhile_is_told_and_nothing_stays(
    lived_in: Database, there: Database, other_empty: Secret
) -> None:
    there.upgrade()

    def tell(table: str, done: int, total: int) -> None:
        if table == "event" and done == total:
            with lived_in.write() as tx:
                journal.append(tx, [arrival(delivery="meanwhile")])

    with pytest.raises(NotCopied, match=r"has changed meanwhile \(delivery, event\)"):
        room.copy(lived_in, there, anyway=False, tell=tell)
    assert not any(contents(there).values())


def nothing(path: Path) -> None:
    """As where the name is mistyped."""


def tables_of_another_version(path: Path) -> None:
    with closing(sqlite3.connect(path)) as file:
        file.execute("CREATE TABLE event (id)")


@pytest.mark.parametrize(
    ("make", "sentence"),
    [(nothing, "there is nothing in .*old.db"), (tables_of_another_version, "run `relay db upgrade` there")],
)
def test_a_source_that_is_none_is_refused(make: Callable[[Path], None], sentence: str, tmp_path: Path) -> None:
    make(tmp_path / "old.db")
    result = run(Secret(f"sqlite:///{tmp_path}/old.db"), Secret(f"sqlite:///{tmp_path}/target.db"))

    with pytest.raises(NotCopied, match=sentence):
        raise result.exception or AssertionError(result.output)
