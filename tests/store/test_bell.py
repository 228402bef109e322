"""The bell beside a SQLite file: it wakes other processes, and its absence stops nobody."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from relay.settings import Secret
from relay.store import journal, leases, outbox, watching
from relay.store.bell import Bell, Ear
from relay.store.database import Database, Transaction
from tests.conftest import only_sqlite
from tests.store.build import arrival, end, message, put, take

RING = "import sys, pathlib; from relay.store.bell import Bell; Bell(pathlib.Path(sys.argv[1])).ring()"
LISTEN_AND_DIE = """\
import os, pathlib, sys
from relay.store.bell import Bell
assert Bell(pathlib.Path(sys.argv[1])).hang().hears
os._exit(9)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "relay.db"


@contextmanager
def ear_of(file: Path) -> Iterator[Ear]:
    with closing(Bell(file).hang()) as ear:
        yield ear


def run(program: str, file: Path) -> int:
    return subprocess.run([sys.executable, "-c", program, str(file)], check=False, timeout=60).returncode


def test_who_waits_is_woken_by_another_process_and_once_for_many_rings(file: Path) -> None:
    with ear_of(file) as ear:
        for _ in range(2):
            assert run(RING, file) == 0
        assert ear.wait(60)
        assert not ear.wait(0)


def test_everybody_who_waits_hears(file: Path) -> None:
    with ear_of(file) as one, ear_of(file) as other:
        Bell(file).ring()
        assert (one.wait(60), other.wait(60)) == (True, True)


def test_who_rings_the_bell_by_which_he_listens_wakes_all_but_himself(file: Path) -> None:
    bell = Bell(file)
    with closing(bell.hang()) as own, ear_of(file) as other:
        bell.ring()
        assert (own.wait(0), other.wait(60)) == (False, True)


def test_who_does_not_look_never_makes_the_one_who_rings_wait(file: Path) -> None:
    with ear_of(file) as ear:
        for _ in range(5000):  # more than any socket keeps
            Bell(file).ring()
        assert ear.wait(0)


def test_nothing_is_left_of_those_who_are_gone(file: Path) -> None:
    folder = file.with_name("relay.db-bell")
    assert run(LISTEN_AND_DIE, file) == 9
    with ear_of(file):
        assert len(list(folder.iterdir())) == 2
    Bell(file).ring()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("place", ["nowhere/relay.db", "x" * 120 + "/relay.db"])
def test_where_no_bell_can_be_hung_nobody_hears_and_nothing_breaks(tmp_path: Path, place: str) -> None:
    if place.startswith("x"):
        (tmp_path / place).parent.mkdir()
    with ear_of(tmp_path / place) as ear:
        Bell(tmp_path / place).ring()
        assert not ear.hears
        assert not ear.wait(0)


@only_sqlite
@pytest.mark.parametrize("what", ["append", "release", "retry", "drop", "enqueue"])
def test_whatever_leaves_work_for_others_rings(database: Database, what: str) -> None:
    (number,) = put(database, message())
    (parcel,) = take(database)
    end(database, parcel, state="dead", verdict="dead")
    deeds: dict[str, Callable[[Transaction], object]] = {
        "append": lambda tx: journal.append(tx, [arrival()]),
        "release": lambda tx: leases.release(tx, "router", "a"),
        "retry": lambda tx: outbox.retry(tx, number),
        "drop": lambda tx: outbox.drop(tx, number),
        "enqueue": lambda tx: outbox.enqueue(tx, None, [message(tag="other")]),
    }
    with ear_of(Path(database.name)) as ear:
        with database.write() as tx:
            leases.hold(tx, "router", "a", 10)
        assert not ear.wait(0)
        with database.write() as tx:
            deeds[what](tx)
            assert not ear.wait(0)  # nothing is to be found before the commit
        assert ear.wait(60)


def test_without_a_bell_the_counter_is_looked_at_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("socket.AF_UNIX")
    database = Database(Secret(f"sqlite:///{tmp_path}/relay.db"))
    database.upgrade()
    with database.watch() as changed:
        put(database, message())
        assert changed(60)
        assert isinstance(changed, watching.Counter)
        assert changed._every == watching.LOOK_DEAF
    database.close()
