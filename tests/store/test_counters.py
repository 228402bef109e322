"""Counts are exact: added with their cause, summed over processes, and bounded in how many series they make."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event

from relay.settings import Secret
from relay.store import counters, gauges, journal, outbox
from relay.store.counters import HistogramName, Sums, Tally
from relay.store.database import Database
from tests.conftest import Clock, only_postgresql
from tests.store.build import arrival, end, message, put, take


def push(outcome: str = "addressed", source: str = "github") -> Tally:
    tally = Tally()
    tally.count("relay_events_total", source=source, outcome=outcome)
    return tally


def add(database: Database, tally: Tally, *, in_slot: int | None = None) -> None:
    with database.write() as tx:
        counters.write(tx, tally, in_slot=in_slot)


def events(database: Database) -> dict[tuple[str, str], float]:
    with database.read() as tx:
        found = Sums(tx).counted("relay_events_total")
    return {(labels["source"], labels["outcome"]): value for labels, value in found}


def test_what_is_counted_twice_is_two(database: Database) -> None:
    add(database, push())
    add(database, push())
    add(database, push("nobody"))

    assert events(database) == {("github", "addressed"): 2, ("github", "nobody"): 1}


def test_slots_are_added_up(database: Database) -> None:
    add(database, push(), in_slot=3)
    add(database, push(), in_slot=4)

    assert events(database) == {("github", "addressed"): 2}
    with database.read() as tx:
        assert tx.connection.exec_driver_sql("SELECT count(*) FROM counter").scalar_one() == 2


def test_a_process_stays_in_its_slot() -> None:
    assert counters.slot() == counters.slot()
    assert 0 <= counters.slot() < counters.SLOTS


def test_counts_outlive_the_process(database: Database, database_url: Secret) -> None:
    add(database, push())
    database.close()

    opened = Database(database_url)
    add(opened, push())
    assert events(opened) == {("github", "addressed"): 2}
    opened.close()


def test_what_is_rolled_back_was_not_counted(database: Database) -> None:
    def fail() -> None:
        with database.write() as tx:
            counters.write(tx, push())
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    assert events(database) == {}


@only_postgresql  # to which each is a journey
def test_a_tally_is_one_statement_and_an_empty_one_is_none(database: Database) -> None:
    several = push()
    several.count("relay_requests_total", source="github", result="journalled")
    several.observe("relay_decision_seconds", 0.2)

    assert statements(database, lambda tx: counters.write(tx, several)) == [(1, False)]
    assert statements(database, lambda tx: counters.write(tx, push())) == [(1, False)]
    assert statements(database, lambda tx: counters.write(tx, Tally())) == []


def statements(database: Database, run: Callable[[Any], object]) -> list[tuple[int, bool]]:
    """One for each statement, and whether it was an executemany."""
    seen: list[tuple[int, bool]] = []

    def one(*_: object) -> None:
        seen.append((1, False))

    def many(*_: object) -> None:
        seen.append((1, True))

    with database.write() as tx:
        for name, remember in (("do_execute", one), ("do_executemany", many)):  # what reaches the driver
            event.listen(tx.connection.engine, name, remember)
        run(tx)
        for name, remember in (("do_execute", one), ("do_executemany", many)):
            event.remove(tx.connection.engine, name, remember)
    return seen


def test_many_at_once_lose_nothing_and_wait_for_each_other_in_one_order(database: Database) -> None:
    def work(backwards: bool) -> None:
        for _ in range(10):
            tally = Tally()
            for source in reversed("abc") if backwards else "abc":
                tally.count("relay_events_total", source=source, outcome="addressed")
            add(database, tally)

    threads = [threading.Thread(target=work, args=(bool(number % 2),)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert events(database) == {(source, "addressed"): 40 for source in "abc"}


def test_a_label_that_no_index_takes_is_cut(database: Database) -> None:
    add(database, push(source="ы\x00" * 5000))

    (((source, _), value),) = events(database).items()
    assert value == 1
    assert len(source.encode()) <= 500


# ── Histograms ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("seconds", "le"),
    [(0.0, "0.05"), (-3.0, "0.05"), (0.05, "0.05"), (0.051, "0.1"), (1800.0, "1800.0"), (1800.1, "+Inf")],
)
def test_a_bucket_holds_its_own_bound(database: Database, seconds: float, le: str) -> None:
    tally = Tally()
    tally.observe("relay_decision_seconds", seconds)
    add(database, tally)

    buckets, _ = histogram(database, "relay_decision_seconds")
    assert next(bound for bound, number in buckets if number) == le


def test_buckets_are_cumulative_and_the_sum_is_that_of_all(database: Database) -> None:
    for number, seconds in enumerate([0.2, 0.3, 40.0, 999_999.0]):
        tally = Tally()
        tally.observe("relay_delivery_seconds", seconds)
        add(database, tally, in_slot=number)

    buckets, total = histogram(database, "relay_delivery_seconds")
    numbers = dict(buckets)
    assert (numbers["0.25"], numbers["0.5"], numbers["30.0"], numbers["60.0"], numbers["+Inf"]) == (1, 2, 2, 3, 4)
    assert total == pytest.approx(0.2 + 0.3 + 40.0 + 999_999.0)


def test_a_histogram_without_observations_is_all_zeros(database: Database) -> None:
    buckets, total = histogram(database, "relay_delivery_seconds")

    assert {number for _, number in buckets} == {0}
    assert total == 0


def histogram(database: Database, name: HistogramName) -> tuple[list[tuple[str, float]], float]:
    with database.read() as tx:
        return Sums(tx).histogram(name)


# ── Rules ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_rules_beyond_the_most_are_others_and_the_first_stay_themselves(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counters, "MOST_RULES", 2)

    assert labels_of(database, "a", "a", "b") == {"a": "a", "b": "b"}
    assert labels_of(database, "c", "a") == {"a": "a", "c": "other"}
    assert labels_of(database, "b", "0") == {"b": "b", "0": "other"}


def test_a_rule_that_is_known_is_not_remembered_again(database: Database) -> None:
    labels_of(database, "a")

    tally = Tally()
    with database.write() as tx:
        counters.bounded(tx, tally, ["a"])
    assert tally.amounts == {}


def test_a_rule_with_a_name_that_is_too_long_is_known_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counters, "MOST_RULES", 1)
    name = "длинное " * 500

    assert labels_of(database, name) == labels_of(database, name) == {name: name}


def labels_of(database: Database, *rules: str) -> dict[str, str]:
    tally = Tally()
    with database.write() as tx:
        found = counters.bounded(tx, tally, rules)
        counters.write(tx, tally)
    return found


# ── How long something took or waits ──────────────────────────────────────────────────────────────────────────────


def test_a_message_is_as_old_as_its_event(database: Database, clock: Clock) -> None:
    number = journalled(database)
    clock.forward(5)
    with database.write() as tx:
        journal.settle(tx, {number: ("addressed", "")})
        (told,) = outbox.enqueue(tx, number, [message()])
    clock.forward(10)

    assert ages(database, told) == [15]


def test_what_was_kept_back_or_has_no_event_is_as_old_as_itself(database: Database, clock: Clock) -> None:
    number = journalled(database)
    with database.write() as tx:
        journal.settle(tx, {number: ("addressed", "")})
    clock.forward(3600)
    with database.write() as tx:
        (digest,) = outbox.enqueue(tx, number, [message(tag="digest")])
        (drill,) = outbox.enqueue(tx, None, [message(tag="drill")])
    clock.forward(10)

    assert ages(database, digest, drill) == [10, 10]


def test_quiet_hours_are_no_waiting(database: Database, clock: Clock) -> None:
    number = journalled(database)
    with database.write() as tx:
        journal.settle(tx, {number: ("addressed", "")})
        (held,) = outbox.enqueue(tx, number, [message(not_before=clock.now + 3600)])
    clock.forward(1800)
    assert waiting(database).lag == 0

    clock.forward(1810)
    assert ages(database, held) == [10]
    assert waiting(database).lag == 10


def test_the_oldest_that_may_be_sent_tells_the_lag_of_its_portal(database: Database, clock: Clock) -> None:
    put(database, message(tag="a"))
    clock.forward(60)
    put(database, message(tag="b"), message(tag="c", portal="other"))
    clock.forward(10)

    with database.read() as tx:
        assert {name: each.lag for name, each in gauges.outbox(tx).items()} == {"main": 70, "other": 10}


def test_messages_are_counted_by_state(database: Database) -> None:
    put(database, *(message(tag=tag) for tag in "abcd"))
    first, second, _third = take(database, limit=3)
    end(database, first, state="dead", verdict="dead")
    end(database, second, state="held", verdict="unknown")

    assert waiting(database).messages == {"queued": 1, "sending": 1, "held": 1, "dead": 1}


def test_the_journal_tells_how_much_waits_and_how_long(database: Database, clock: Clock) -> None:
    first = journalled(database, "1")
    clock.forward(20)
    journalled(database, "2")
    clock.forward(1)

    with database.write() as tx:
        assert gauges.journal(tx) == gauges.Journal(waiting=2, lag=21)
        journal.settle(tx, {first: ("nobody", "")})
        assert gauges.journal(tx) == gauges.Journal(waiting=1, lag=1)


def test_a_pile_is_counted_up_to_the_most(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gauges, "MOST", 2)
    put(database, *(message(tag=tag) for tag in "abc"))
    for number in "123":
        journalled(database, number)

    assert waiting(database).messages["queued"] == 2
    with database.read() as tx:
        assert gauges.journal(tx).waiting == 2


def test_nothing_waits_in_an_empty_store(database: Database) -> None:
    with database.read() as tx:
        assert gauges.journal(tx) == gauges.Journal(waiting=0, lag=0)
        assert gauges.outbox(tx) == {}


def waiting(database: Database) -> gauges.Outbox:
    with database.read() as tx:
        return gauges.outbox(tx)["main"]


def ages(database: Database, *messages: int) -> list[float]:
    with database.read() as tx:
        return counters.waited(tx, messages)


def journalled(database: Database, delivery: str = "d-1") -> int:
    with database.write() as tx:
        (receipt,) = journal.append(tx, [arrival(delivery=delivery)])
    return receipt.id
