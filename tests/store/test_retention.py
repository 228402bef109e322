"""What has served its time goes, in small steps; what is not finished stays, however old."""

from __future__ import annotations

import os
import sqlite3
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from relay import upkeep
from relay.model import Note
from relay.rules.retention import DAY, Retention
from relay.settings import Secret
from relay.store import counters, deliveries, journal, leases, notes, outbox, retention, space
from relay.store.database import Database
from relay.store.tables import attempt, delivery, event, message, metadata, unmapped
from relay.upkeep import Taken
from tests.conftest import Clock, only_postgresql, only_sqlite
from tests.store.build import arrival, end, put, take
from tests.store.build import message as a_message

KEPT = Retention(payloads=10 * DAY, events=30 * DAY, messages=20 * DAY)


def go_on(_seconds: float) -> bool:
    return False


class Years:
    """A relay that has been running for some time."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock
        self._deliveries = 0

    def event(self, *messages: Any, state: str = "decided", **words: Any) -> int:
        """An event with its messages; returns its number."""
        self._deliveries += 1
        with self.database.write() as tx:
            (receipt,) = journal.append(tx, [arrival(delivery=f"d-{self._deliveries}", body=b"[1]", **words)])
            if state == "decided":
                journal.settle(tx, {receipt.id: ("addressed", "")})
            outbox.enqueue(tx, receipt.id, messages)
        return receipt.id

    def told(self, **words: Any) -> int:
        """An event whose message has been delivered."""
        number = self.event(a_message(key=f"key {self._deliveries}", tag=f"tag {self._deliveries}"), **words)
        for parcel in take(self.database):
            end(self.database, parcel)
        return number

    def pass_days(self, days: float) -> None:
        self.clock.forward(days * DAY)

    def prune(self, kept: Retention = KEPT) -> dict[str, int]:
        until = upkeep.bounds(self.database, kept)
        said = upkeep.count(self.database, until)
        taken = upkeep.prune(self.database, until, holder="me", pause=go_on)
        assert {name: n for name, n in said.items() if n} == {name: n for name, n in taken.items() if n}
        return {name: count for name, count in taken.items() if count}

    def prune_what_it_can(self) -> dict[str, int]:
        return dict(upkeep.prune(self.database, upkeep.bounds(self.database, KEPT), holder="me", pause=go_on))

    def count(self, table: Any) -> int:
        with self.database.read() as tx:
            return int(tx.connection.execute(select(func.count()).select_from(table)).scalar_one())

    def entry(self, number: int) -> journal.Entry | None:
        with self.database.read() as tx:
            return journal.get(tx, number)


@pytest.fixture
def years(database: Database, clock: Clock) -> Years:
    return Years(database, clock)


def test_nothing_goes_before_its_time(years: Years) -> None:
    years.told()
    years.told()
    years.pass_days(9.9)

    assert set(years.prune()) <= {"streams"}


def test_each_kind_goes_when_its_time_has_come(years: Years) -> None:
    number = years.told()
    years.told()
    years.pass_days(10)
    assert years.prune() == {"payloads": 2, "streams": 2}

    entry = years.entry(number)
    assert entry is not None
    assert entry.request.body == b""
    assert entry.request.headers == {}
    assert "was pruned on" in entry.pruned

    years.pass_days(10)
    assert years.prune() == {"messages": 2, "attempts": 2}
    years.pass_days(10)
    assert years.prune() == {"events": 1, "deliveries": 2}
    assert (years.entry(number), years.count(event), years.count(message), years.count(attempt)) == (None, 1, 0, 0)


@only_sqlite
def test_the_time_counts_from_the_end_and_not_from_the_beginning(years: Years) -> None:
    number = years.event(a_message())
    years.pass_days(100)
    (parcel,) = take(years.database)
    end(years.database, parcel)
    years.pass_days(9)

    assert years.prune().get("messages", 0) == 0
    with years.database.read() as tx:
        assert outbox.get(tx, parcel.id) is not None
    assert years.entry(number) is not None


@pytest.mark.parametrize("state", ["queued", "sending", "held"])
def test_an_event_whose_message_is_not_finished_keeps_it_and_its_payload(years: Years, state: str) -> None:
    number = years.event(a_message())
    if state != "queued":
        (parcel,) = take(years.database)
    if state == "held":
        end(years.database, parcel, state="held", verdict="unknown")
    years.event()
    years.pass_days(1000)
    years.prune()

    entry = years.entry(number)
    assert entry is not None
    assert entry.request.body == b"[1]"
    with years.database.read() as tx:
        assert outbox.counts(tx) == {state: 1}


@only_sqlite
def test_an_event_that_waits_for_its_decision_stays_whole(years: Years) -> None:
    number = years.event(state="new")
    years.told()
    years.pass_days(1000)
    years.prune()

    entry = years.entry(number)
    assert entry is not None
    assert (entry.state, entry.request.body) == ("new", b"[1]")


@only_sqlite
def test_an_event_outlives_its_time_with_its_messages(years: Years) -> None:
    number = years.told()
    years.told()
    years.pass_days(40)
    years.prune(Retention(payloads=DAY, events=4 * DAY, messages=90 * DAY))

    assert years.entry(number) is not None


@only_sqlite
def test_a_group_that_gathers_keeps_the_events_that_it_will_tell(years: Years) -> None:
    number = years.told()
    years.told()
    with years.database.write() as tx:
        value = {"members": {"a": {"event": number, "nth": 0, "at": 0}}, "changed": True}
        notes.write(tx, {"group:0123": Note(value, due=tx.now + 1000 * DAY)})
    years.pass_days(100)
    years.prune()

    entry = years.entry(number)
    assert entry is not None
    assert entry.request.body == b"[1]"


def test_the_newest_event_of_a_source_stays_so_that_missed_deliveries_are_looked_for(years: Years) -> None:
    years.told(source="github")
    last = years.told(source="github")
    years.told(source="other")
    years.pass_days(1000)
    years.prune()

    with years.database.read() as tx:
        assert deliveries.first_at(tx, "github") is not None
    assert years.entry(last) is not None


@only_sqlite
def test_a_delivery_is_known_for_four_days_whatever_is_said(years: Years) -> None:
    years.told()
    years.told()
    years.pass_days(3.9)
    until = upkeep.ended_before(years.database, years.clock.now)
    upkeep.prune(years.database, until, holder="me", pause=go_on)

    with years.database.write() as tx:
        (again,) = journal.append(tx, [arrival(delivery="d-1")])
    assert again.duplicate
    with years.database.read() as tx:
        assert deliveries.known(tx, "github", ["d-1", "d-3"]) == {"d-1"}


@only_sqlite
def test_a_window_that_is_over_leaves_nothing(years: Years) -> None:
    years.told(window=300.0)
    years.told(window=7 * DAY)
    years.pass_days(6)
    assert years.prune()["deliveries"] == 1
    years.pass_days(2)
    assert years.prune()["deliveries"] == 1


def test_a_stream_that_is_made_anew_goes_on_as_if_it_had_never_gone(years: Years) -> None:
    put(years.database, a_message(text="one"))
    (first,) = take(years.database)
    end(years.database, first)
    assert years.prune() == {"streams": 1}
    put(years.database, a_message(text="two"))
    assert years.prune() == {}

    assert [parcel.message.text for parcel in take(years.database)] == ["two"]


@pytest.mark.parametrize("why", ["busy", "resting"])
def test_a_stream_that_is_busy_or_rests_stays(years: Years, why: str) -> None:
    put(years.database, a_message())
    (parcel,) = take(years.database)
    if why == "resting":
        end(years.database, parcel, state="queued", verdict="later", not_before=years.clock.now + 60)

    assert years.prune() == {}


@only_sqlite
def test_the_tries_of_a_message_that_waits_for_years_do_not_grow_for_years(years: Years) -> None:
    put(years.database, a_message())
    for _ in range(60):
        (parcel,) = take(years.database)
        end(years.database, parcel, state="queued", verdict="later", counted=False)
        years.pass_days(1)
    years.prune()

    assert years.count(attempt) == 19
    assert years.count(message) == 1


@only_sqlite
def test_names_that_nobody_has_are_forgotten_with_the_events(years: Years) -> None:
    with years.database.write() as tx:
        journal.count_unmapped(tx, "github", ["old"])
    years.pass_days(29)
    with years.database.write() as tx:
        journal.count_unmapped(tx, "github", ["new"])
    years.pass_days(2)

    assert years.prune() == {"unmapped names": 1}
    assert years.count(unmapped) == 1


def test_more_than_one_window_is_walked_through(years: Years, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "WINDOW", 3)
    for _ in range(10):
        years.told(window=300.0)
    kept = years.event(a_message())
    years.pass_days(1000)
    taken = years.prune()

    assert (taken["events"], taken["payloads"], taken["deliveries"]) == (10, 10, 11)
    assert years.entry(kept) is not None


@only_sqlite
def test_a_moment_of_a_clock_that_was_fast_does_not_stop_it(years: Years, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "WINDOW", 2)
    years.pass_days(5000)
    years.told()
    years.pass_days(-5000)
    for _ in range(4):
        years.told()
    years.pass_days(100)
    years.prune()

    assert years.count(event) == 2  # the one of the future, and the newest


@only_sqlite
def test_by_hand_everything_goes_that_ended_before_a_moment(years: Years) -> None:
    years.told()
    years.told()
    years.pass_days(1)
    moment = years.clock.now
    years.pass_days(1)
    years.told()
    upkeep.prune(years.database, upkeep.ended_before(years.database, moment), holder="me", pause=go_on)

    assert (years.count(event), years.count(message)) == (1, 1)


# ── With others at work ──────────────────────────────────────────────────────────────────────────────────────────


@only_sqlite
def test_others_write_between_two_steps_and_each_step_is_small(years: Years) -> None:
    for _ in range(upkeep.CHUNK * 2 + 1):
        years.event()
    years.pass_days(1000)
    left = [years.count(event)]

    def pause(_seconds: float) -> bool:
        years.event()  # the door, in a transaction of its own
        with years.database.read() as tx:
            old = select(func.count()).select_from(event).where(event.c.received_at < tx.now - DAY)
            left.append(int(tx.connection.execute(old).scalar_one()))
        return False

    until = upkeep.bounds(years.database, KEPT)
    upkeep.prune(years.database, until, holder="me", pause=pause)

    assert left[-1] == 0
    assert max(before - after for before, after in pairwise(left)) <= upkeep.CHUNK


def test_while_one_worker_prunes_another_does_not(years: Years) -> None:
    years.told()
    years.told()
    years.pass_days(1000)
    with years.database.write() as tx:
        assert leases.hold(tx, upkeep.LEASE, "another", upkeep.LEASE_SECONDS)

    until = upkeep.bounds(years.database, KEPT)
    with pytest.raises(Taken):
        upkeep.prune(years.database, until, holder="me", pause=go_on)
    upkeep.keep_up(years.database, KEPT, holder="me", pause=go_on)
    assert years.count(event) == 2


@only_sqlite
def test_the_lease_is_given_back(years: Years) -> None:
    years.told()
    years.pass_days(1000)
    years.prune()

    with years.database.read() as tx:
        assert leases.living(tx) == []


@only_sqlite
def test_looking_in_vain_writes_nothing(years: Years, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each commit wakes the router and the courier."""
    years.event(a_message())

    def write() -> Any:
        pytest.fail("it writes")

    monkeypatch.setattr(years.database, "write", write)
    upkeep.keep_up(years.database, KEPT, holder="me", pause=go_on)


@only_sqlite
def test_told_to_stop_it_stops_after_the_step_that_it_is_at(years: Years) -> None:
    for _ in range(upkeep.CHUNK * 3):
        years.event()
    years.pass_days(1000)
    until = upkeep.bounds(years.database, KEPT)
    taken = upkeep.prune(years.database, until, holder="me", pause=lambda _: True)

    assert sum(taken.values()) == upkeep.CHUNK
    with years.database.read() as tx:
        assert leases.living(tx) == []


def test_a_dead_message_that_is_queued_again_meanwhile_is_not_taken(years: Years) -> None:
    years.event(a_message())
    (parcel,) = take(years.database)
    end(years.database, parcel, state="dead", verdict="dead")
    years.pass_days(1000)
    kind = next(each for each in retention.KINDS if each.name == "messages")
    until = upkeep.bounds(years.database, KEPT)
    with years.database.read() as tx:
        found = kind.find(tx, until, None)
    with years.database.write() as tx:
        assert outbox.retry(tx, parcel.id)
    with years.database.write() as tx:
        assert kind.take(tx, until, found.keys) == 0

    assert years.count(message) == 1


@pytest.mark.parametrize(("took", "left"), [(0.0, upkeep.SHORTEST), (0.05, 0.2), (0.3, 1.2), (3600.0, upkeep.LONGEST)])
def test_most_of_the_time_is_left_to_others(took: float, left: float) -> None:
    assert upkeep.breather(took) == pytest.approx(left)


# ── Space ────────────────────────────────────────────────────────────────────────────────────────────────────────


@only_sqlite
def test_what_was_pruned_is_given_back_to_the_disk(
    years: Years, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(space, "SPARE", 10)
    with years.database.write() as tx:
        large = [arrival(delivery=str(number), body=os.urandom(10_000)) for number in range(300)]
        for receipt in journal.append(tx, large):
            journal.settle(tx, {receipt.id: ("no_rule", "")})
    file = tmp_path / "relay.db"
    years.database.checkpoint()
    before = file.stat().st_size
    years.pass_days(1000)
    upkeep.keep_up(years.database, KEPT, holder="me", pause=go_on)

    assert before > 3_000_000
    assert file.stat().st_size < before / 10
    assert (tmp_path / "relay.db-wal").stat().st_size == 0
    assert space.give_back(years.database, go_on) == 0


def test_a_file_of_before_keeps_its_size_and_no_harm_is_done(tmp_path: Path) -> None:
    raw = sqlite3.connect(tmp_path / "old.db")
    raw.execute("PRAGMA journal_mode=WAL")
    raw.execute("CREATE TABLE something (x)")
    raw.commit()
    raw.close()
    database = Database(Secret(f"sqlite:///{tmp_path}/old.db"))
    database.upgrade()

    assert space.give_back(database, go_on) == 0
    database.close()


# ── Everything has an end ────────────────────────────────────────────────────────────────────────────────────────

# What keeps each table from growing for ever. A new table is a line here, or this test asks why there is none.
BOUND = {
    "event": "pruned",
    "message": "pruned",
    "attempt": "pruned",
    "delivery": "pruned",
    "stream": "pruned",
    "unmapped": "pruned",
    "feed": "pruned",
    "note": "each has a time at which it is forgotten (rules/ripening.py)",
    "turn": "two rows for each recipient that there ever was",
    "portal": "a row for each name of the rules",
    "lease": "a row for each name of the rules",
    "token": "a row for each name of the rules",
    "finding": "a row for each name of the rules",
    "account": "a row for each e-mail of the rules",
    "counter": "a row for each rule (200 at most), source, portal and verdict, by 16",
    "daily": "a month of days (daily.py)",
    "health": "a day (health.py)",
    "reload": "the last fifty (reloads.py)",
    "guess": "forgotten after minutes (visitors.py)",
    "entrance": "forgotten when it is past (visitors.py)",
    "session_key": "one row",
}


def test_every_table_has_something_that_keeps_it_from_growing_for_ever() -> None:
    assert set(metadata.tables) == set(BOUND)


def test_a_hundred_rules_are_counted_in_a_bounded_number_of_rows() -> None:
    assert counters.MOST_RULES <= 200
    assert counters.SLOTS <= 16


@only_postgresql
def test_deliveries_that_a_door_gives_to_new_events_at_this_moment_are_not_waited_for(years: Years) -> None:
    """Two that lock several rows, each in an order of its own, would wait for each other."""
    for _ in range(3):
        years.told()
    years.pass_days(500)
    with years.database.write() as door:
        door.connection.execute(update(delivery).where(delivery.c.event_id == 2).values(event_id=3))

        assert years.prune_what_it_can()["deliveries"] == 2
    assert years.count(delivery) == 1
