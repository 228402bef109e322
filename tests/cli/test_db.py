"""`relay db`: what has served its time goes, backups are whole, and what is wrong is said with what to do."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update

from relay import router
from relay.rules.retention import DAY
from relay.settings import Secret
from relay.store import backup, integrity, leases, outbox
from relay.store.database import Database, Transaction
from relay.store.integrity import CONTRADICTIONS
from relay.store.tables import event, message, stream
from tests.cli.conftest import Desk
from tests.conftest import only_postgresql, only_sqlite
from tests.store.build import end, put, take
from tests.store.build import message as a_message

# ── Prune ────────────────────────────────────────────────────────────────────────────────────────────────────────


def grown_old(desk: Desk, days: float) -> None:
    """Everything so far happened so long ago."""
    with desk.database.write() as tx:
        for table, *moments in ((event, "received_at", "decided_at"), (message, "created_at", "settled_at")):
            shifted = {name: table.c[name] - days * DAY for name in moments}
            tx.connection.execute(update(table).values(shifted))


def deliver(desk: Desk) -> None:
    for parcel in take(desk.database):
        end(desk.database, parcel)


def test_prune_says_first_and_then_does(desk: Desk) -> None:
    old = desk.happen()
    desk.happen(service="another")
    deliver(desk)
    grown_old(desk, 15)

    dry = desk.run("db", "prune", "--dry-run")
    assert dry.output == "Would be pruned: 2 payloads, 2 streams.\n"
    assert desk.json("events", "show", str(old))["body"] != ""
    done = desk.run("db", "prune")
    assert done.output == "Pruned: 2 payloads, 2 streams.\n"
    assert desk.run("db", "prune").output == "Pruned: nothing.\n"


def test_who_asks_for_a_payload_that_was_pruned_is_told_so(desk: Desk) -> None:
    old = str(desk.happen())
    deliver(desk)
    grown_old(desk, 15)
    desk.run("db", "prune")

    shown = desk.json("events", "show", old)
    assert shown["body"] == ""
    assert shown["payload"].startswith("the payload was pruned on 20")
    assert shown["title"] == "live"
    for words in (
        ["events", "replay", old, "--dry-run"],
        ["events", "replay", old],
        ["explain", old],
        ["fixture", "save", old],
    ):
        done = desk.run(*words)
        assert done.exit_code == 1
        assert "the payload was pruned on 20" in done.output
        assert "Traceback" not in done.output


def test_what_the_rules_say_is_what_is_kept(desk: Desk) -> None:
    desk.happen()
    deliver(desk)
    grown_old(desk, 15)
    rules = Path(os.environ["RELAY_RULES"])
    rules.write_text(rules.read_text() + "retention: {payloads: 30d}\n")

    assert desk.run("db", "prune").output == "Pruned: 1 streams.\n"


def test_by_hand_it_is_asked_about_first(desk: Desk) -> None:
    desk.happen()
    desk.happen(service="another")
    deliver(desk)
    grown_old(desk, 2)

    no = desk.run("db", "prune", "--before", "1d", answer="n\n")
    assert no.exit_code == 1
    assert "2 messages, 2 payloads, 1 events" in no.output
    assert desk.run("db", "prune", "--before", "1d", "--yes").exit_code == 0
    assert len(desk.json("events", "list", "--json")) == 1


@only_sqlite
def test_a_time_that_is_none_is_told_how_to_write_one(desk: Desk) -> None:
    done = desk.run("db", "prune", "--before", "yesterday")

    assert done.exit_code == 2
    assert "7d (ago)" in done.output


@only_sqlite
def test_prune_gives_way_to_a_worker_that_prunes(desk: Desk) -> None:
    desk.happen()
    deliver(desk)
    with desk.database.write() as tx:
        leases.hold(tx, "upkeep", "a worker", 60)
    done = desk.run("db", "prune")

    assert done.exit_code == 1
    assert "somebody prunes at this moment" in done.output


# ── Backup ───────────────────────────────────────────────────────────────────────────────────────────────────────


@only_sqlite
def test_a_backup_is_the_database_and_nobody_elses_to_read(desk: Desk, tmp_path: Path) -> None:
    number = desk.happen()
    done = desk.run("db", "backup", str(tmp_path / "copy.db"))

    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in tmp_path.glob("copy*")) == ["copy.db"]
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
    copy = Database(Secret(f"sqlite:///{tmp_path}/copy.db"))
    assert integrity.check(copy) == []
    with copy.read() as tx:
        assert [record.event_id for record in outbox.latest(tx, limit=9)] == [number]
    copy.close()


@only_sqlite
def test_a_backup_is_made_while_others_write(desk: Desk, tmp_path: Path) -> None:
    put(desk.database, *(a_message(key=str(number), tag=str(number)) for number in range(2000)))
    over = threading.Event()
    written: list[Any] = []

    def write() -> None:
        while not over.is_set():
            written.append(put(desk.database, a_message(key=f"new {len(written)}", tag="")))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            backup.backup(desk.database, tmp_path / f"{number}.db")
    finally:
        over.set()
        writer.join()
    assert written
    for number in range(3):
        copy = Database(Secret(f"sqlite:///{tmp_path}/{number}.db"))
        assert integrity.check(copy) == []
        copy.close()


@only_sqlite
@pytest.mark.parametrize("there", ["a file", "another backup's half"])
def test_a_backup_overwrites_nothing(desk: Desk, tmp_path: Path, there: str) -> None:
    file = tmp_path / ("copy.db" if there == "a file" else "copy.db.part")
    file.write_text("precious")
    done = desk.run("db", "backup", str(tmp_path / "copy.db"))

    if there == "a file":
        assert done.exit_code == 1
        assert "is there already" in done.output
        assert file.read_text() == "precious"
    else:
        assert done.exit_code == 0
        assert not file.exists()


@only_sqlite
def test_a_backup_that_cannot_be_written_leaves_nothing(desk: Desk, tmp_path: Path) -> None:
    assert "cannot be written" in desk.run("db", "backup", str(tmp_path / "nowhere" / "copy.db")).output


@only_sqlite
def test_a_damaged_copy_is_no_backup(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(_target: object) -> None:
        raise backup.NotBackedUp("the copy is damaged")

    monkeypatch.setattr(backup, "_must_be_whole", damaged)
    done = desk.run("db", "backup", str(tmp_path / "copy.db"))

    assert done.exit_code == 1
    assert list(tmp_path.glob("copy*")) == []


@only_postgresql
def test_of_postgresql_it_is_said_how(desk: Desk, tmp_path: Path) -> None:
    done = desk.run("db", "backup", str(tmp_path / "copy.dump"))

    assert done.exit_code == 1
    assert "pg_dump --format=custom --file=copy.dump" in done.output
    assert len(done.output.splitlines()) == 1


# ── Check ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_relay_that_has_worked_is_whole(desk: Desk) -> None:
    desk.happen()
    desk.happen(service="another", person="olga")
    put(desk.database, a_message(tag="a"), a_message(tag="b"), a_message(tag=""), a_message(tag=""))
    first, second, *_ = take(desk.database, limit=3)
    with desk.database.write() as tx:
        leases.hold(tx, "portal:main", "a worker", 10)
    end(desk.database, first)
    end(desk.database, second, state="held", verdict="unknown")
    desk.take_in()

    done = desk.run("db", "check")
    assert done.output.startswith("OK: ")
    assert done.exit_code == 0


def stale_head(tx: Transaction) -> None:
    tx.connection.execute(update(stream).values(head=None))


def busy_for_nothing(tx: Transaction) -> None:
    tx.connection.execute(update(stream).values(busy=7))


def no_stream(tx: Transaction) -> None:
    tx.connection.execute(delete(stream))


def sent_by_nobody(tx: Transaction) -> None:
    tx.connection.execute(update(message).values(state="sending", epoch=3))
    tx.connection.execute(update(stream).values(head=None))


def no_time(tx: Transaction) -> None:
    tx.connection.execute(update(message).values(state="delivered"))
    tx.connection.execute(update(stream).values(head=None))


def no_decision(tx: Transaction) -> None:
    tx.connection.execute(update(event).values(decided_at=None))


MENDED = (stale_head, busy_for_nothing, no_stream, sent_by_nobody)


@pytest.mark.parametrize("break_it", [*MENDED, no_time, no_decision])
def test_rows_that_contradict_each_other_are_found(desk: Desk, break_it: Callable[[Transaction], None]) -> None:
    desk.happen()
    with desk.database.write() as tx:
        break_it(tx)

    done = desk.run("db", "check")
    assert done.exit_code == 1
    assert done.output.startswith("✗ 1 ")
    assert " → " in done.output


@pytest.mark.parametrize("break_it", MENDED)
def test_what_stands_still_is_mended_and_nothing_is_lost(desk: Desk, break_it: Callable[[Transaction], None]) -> None:
    desk.happen()
    with desk.database.write() as tx:
        break_it(tx)
        leases.release(tx, router.LEASE, "desk")

    done = desk.run("db", "check", "--mend")
    assert done.exit_code == 0, done.output
    assert [parcel.message.person for parcel in take(desk.database)] == ["ivan"]


@only_sqlite
def test_nothing_is_mended_while_somebody_works(desk: Desk) -> None:
    with desk.database.write() as tx:
        leases.hold(tx, "portal:main", "a worker", 60)
    done = desk.run("db", "check", "--mend")

    assert done.exit_code == 1
    assert "stop the relay first" in done.output


@only_sqlite
def test_tries_and_events_that_hang_in_the_air_are_found(desk: Desk, tmp_path: Path) -> None:
    number = desk.happen()
    raw = sqlite3.connect(tmp_path / "relay.db")  # which watches over no foreign keys
    raw.execute("DELETE FROM event WHERE id = ?", [number])
    raw.execute("INSERT INTO attempt (message_id, at, verdict, code, why) VALUES (99, 0, 'later', '', '')")
    raw.commit()
    raw.close()

    said = desk.run("db", "check").output
    assert "tell of events that are not there" in said
    assert "of messages that are not there" in said


@only_sqlite
@pytest.mark.parametrize("where", [0, 40_000])
def test_a_damaged_file_is_told_with_what_to_do(desk: Desk, tmp_path: Path, where: int) -> None:
    for number in range(50):
        desk.take_in(service=str(number))
    desk.database.checkpoint()
    desk.database.close()
    with (tmp_path / "relay.db").open("r+b") as file:
        file.seek(where)
        file.write(b"\x55" * 20_000)

    done = desk.run("db", "check")
    assert done.exit_code == 1
    assert "put the last backup in its place" in done.output
    assert "Traceback" not in done.output


@only_sqlite
def test_tables_of_another_version_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, desk: Desk) -> None:
    with desk.database.write() as tx:
        tx.connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")

    said = desk.run("db", "check").output
    assert "relay db upgrade" in said


@only_sqlite
def test_where_there_is_nothing_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, desk: Desk) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/none.db")
    done = desk.run("db", "check")

    assert done.exit_code == 1
    assert "there is nothing in" in done.output


def test_each_contradiction_says_what_to_do() -> None:
    assert all(each.advice for each in CONTRADICTIONS)
    assert len({each.what for each in CONTRADICTIONS}) == len(CONTRADICTIONS)
