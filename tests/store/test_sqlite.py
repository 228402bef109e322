"""SQLite is the release that has no fault, its file nobody else's, and what it complains of tells no values."""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from sqlalchemy import URL, insert
from sqlalchemy.exc import IntegrityError

from relay.errors import BadDatabase
from relay.store import sqlite
from relay.store.database import Database
from relay.store.tables import event
from tests.conftest import only_sqlite

NEWER = ModuleType("pysqlite3")
INCREMENTAL = 2  # as SQLite numbers them (sqlite.org/pragma.html#pragma_auto_vacuum)
NORMAL, FULL = 1, 2  # (sqlite.org/pragma.html#pragma_synchronous)


def url(path: Path) -> URL:
    return URL.create("sqlite", database=str(path))


@pytest.fixture
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.parametrize(
    ("release", "installed", "taken"),
    [
        ((3, 40, 1), NEWER, NEWER),
        ((3, 51, 2), NEWER, NEWER),
        ((3, 51, 2), None, sqlite3),
        ((3, 51, 3), NEWER, sqlite3),
        ((3, 52, 0), NEWER, sqlite3),
    ],
)
def test_a_release_with_the_wal_bug_is_taken_only_where_there_is_no_other(
    release: tuple[int, int, int], installed: ModuleType | None, taken: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", release)
    monkeypatch.setitem(sys.modules, "pysqlite3", installed)  # None: whoever imports it finds nothing

    assert sqlite.module() is taken


def test_a_new_file_and_its_folder_are_made_and_nobody_else_may_read_it(tmp_path: Path, usual_umask: None) -> None:
    path = tmp_path / "a" / "new" / "relay.db"

    with sqlite.engine(url(path)).connect() as connection:
        connection.exec_driver_sql("CREATE TABLE anything (at_all)")  # so that there is a journal beside the file
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.with_name("relay.db-wal").stat().st_mode) == 0o600


def test_a_new_file_can_give_space_back_and_an_old_one_is_left_as_it_is(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "old.db") as old:
        old.execute("CREATE TABLE anything (at_all)")
    old.close()

    assert {name: _gives_back(tmp_path / name) for name in ("new.db", "old.db")} == {"new.db": INCREMENTAL, "old.db": 0}


def _gives_back(path: Path) -> int:
    with sqlite.engine(url(path)).connect() as connection:
        return int(connection.exec_driver_sql("PRAGMA auto_vacuum").scalar_one())


def test_a_file_that_cannot_be_made_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(BadDatabase, match=r"DATABASE_URL names .*relay\.db, which cannot be made: "):
        sqlite.engine(url(tmp_path / "file" / "relay.db"))


@only_sqlite
def test_after_a_commit_that_left_the_disk_to_others_the_next_one_waits_for_it(database: Database) -> None:
    found = []
    for durable in (True, False, False, True):
        with database.write(durable=durable) as tx:
            found.append(tx.connection.exec_driver_sql("PRAGMA synchronous").scalar_one())

    assert found == [FULL, NORMAL, NORMAL, FULL]


@only_sqlite
def test_what_sqlalchemy_complains_of_tells_no_values(database: Database) -> None:
    with pytest.raises(IntegrityError) as told, database.write() as tx:
        tx.connection.execute(insert(event), {"source": "github", "title": "a secret of somebody's"})

    assert "a secret" not in str(told.value)
