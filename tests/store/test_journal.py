"""The first wall keeps every delivery once, in order, byte for byte."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from relay.model import Outcome
from relay.store import journal
from relay.store.database import Database
from relay.tracing import Origin
from tests.conftest import Clock, only_sqlite
from tests.store.build import arrival


def append(database: Database, *arrivals: journal.Arrival) -> list[journal.Receipt]:
    with database.write() as tx:
        return journal.append(tx, arrivals)


def undecided(database: Database) -> list[journal.Entry]:
    with database.read() as tx:
        return journal.undecided(tx, 100)


def test_what_goes_in_comes_out_byte_for_byte(database: Database) -> None:
    body = bytes(range(256)) * 100
    append(database, arrival(body=body, headers={"x-github-event": "push", "x-name": "Иван"}))

    (entry,) = undecided(database)
    assert entry.request.body == body
    assert entry.request.headers == {"x-github-event": "push", "x-name": "Иван"}
    assert entry.request.path == "/in/github"


def test_a_delivery_posted_again_gets_its_first_number_and_is_journalled_once(database: Database) -> None:
    (first,) = append(database, arrival())
    (again,) = append(database, arrival(body=b"something else"))

    assert again == journal.Receipt(first.id, duplicate=True)
    assert len(undecided(database)) == 1


def test_the_same_delivery_twice_in_one_commit_is_one_event(database: Database) -> None:
    first, again = append(database, arrival(), arrival())

    assert (again.id, again.duplicate) == (first.id, True)


def test_two_sources_may_use_the_same_delivery_id(database: Database) -> None:
    first, second = append(database, arrival(source="a"), arrival(source="b"))

    assert not first.duplicate
    assert not second.duplicate


@pytest.mark.parametrize(("later", "duplicate"), [(299.0, True), (300.0, False), (301.0, False)])
def test_a_windowed_key_is_a_duplicate_only_within_its_window(
    database: Database, clock: Clock, later: float, duplicate: bool
) -> None:
    append(database, arrival(window=300.0))
    clock.forward(later)

    (again,) = append(database, arrival(window=300.0))
    assert again.duplicate is duplicate


@pytest.mark.parametrize(("days", "seconds", "duplicate"), [(4, 0, True), (400, -1, True), (400, 0, False)])
def test_a_sender_s_own_number_is_known_for_four_hundred_days(
    database: Database, clock: Clock, days: int, seconds: int, duplicate: bool
) -> None:
    append(database, arrival(window=None))
    clock.forward(days * 86_400 + seconds)

    (again,) = append(database, arrival(window=None))
    assert again.duplicate is duplicate


def test_a_window_begins_anew_with_each_accepted_repeat(database: Database, clock: Clock) -> None:
    append(database, arrival(window=300.0))
    clock.forward(301)
    append(database, arrival(window=300.0))
    clock.forward(200)

    (retry,) = append(database, arrival(window=300.0))
    assert retry.duplicate


def test_an_entry_is_settled_once(database: Database) -> None:
    (receipt,) = append(database, arrival())

    with database.write() as tx:
        assert journal.settle(tx, {receipt.id: ("addressed", "")})
        assert not journal.settle(tx, {receipt.id: ("no_rule", "")})
    assert undecided(database) == []
    with database.read() as tx:
        entry = journal.get(tx, receipt.id)
    assert entry is not None
    assert entry.outcome == "addressed"


def test_entries_wait_in_the_order_of_their_numbers(database: Database) -> None:
    receipts = append(database, *(arrival(delivery=f"d-{n}") for n in range(5)))

    assert [entry.id for entry in undecided(database)] == [receipt.id for receipt in receipts]


def test_no_more_is_read_together_than_the_memory_should_hold_and_the_one_with_which_it_is_too_much(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(database, *(arrival(delivery=f"d-{n}", body=random.Random(n).randbytes(1000)) for n in range(5)))
    with database.read() as tx:
        first, second, *_ = tx.connection.exec_driver_sql("SELECT length(body) FROM event ORDER BY id").scalars()

    for most, count in ((1, 1), (first + second - 1, 2), (first + second, 3), (10_000, 5)):
        monkeypatch.setattr(journal, "MOST_BYTES", most)
        assert len(undecided(database)) == count


@only_sqlite
def test_a_body_that_repeats_itself_takes_little_room(database: Database) -> None:
    append(database, arrival(body=b'{"a": 1}' * 1000))

    with database.read() as tx:
        assert tx.connection.exec_driver_sql("SELECT length(body) FROM event").scalar_one() < 200


def test_what_could_not_be_read_is_settled_as_such(database: Database) -> None:
    first, second = append(database, arrival(), arrival(delivery="d-2"))
    with database.write() as tx:
        journal.settle(tx, {first.id: ("unreadable", "no JSON"), second.id: ("muted", "")})
        entries = journal.entries(tx, [second.id, first.id, 99])

    assert [(each.state, each.outcome, each.note) for each in entries] == [
        ("unreadable", "unreadable", "no JSON"),
        ("decided", "muted", ""),
    ]
    with database.read() as tx:
        assert journal.get(tx, 99) is None


def test_the_trace_of_an_entry_begins_with_its_headers_when_it_was_received(database: Database, clock: Clock) -> None:
    append(database, arrival(delivery="d-1"))
    clock.forward(5)
    append(database, *(arrival(delivery=f"d-{n}", headers={"traceparent": f"00-{n}"}) for n in (2, 3)))

    with database.read() as tx:
        (found,) = journal.origins(tx, [2, 2, 99])
    assert found == Origin(event=2, received_at=clock.now, headers={"traceparent": "00-2"})


@only_sqlite
def test_an_entry_says_since_when_its_payload_is_gone(database: Database) -> None:
    append(database, arrival())

    (entry,) = undecided(database)
    assert entry.pruned == ""
    gone = replace(entry, pruned_at=1_795_000_000.0)
    assert gone.pruned == "the payload was pruned on 2026-11-18, as retention: in the rules says"


def test_the_newest_are_listed_first_and_by_source(database: Database) -> None:
    append(database, *(arrival(source=source, delivery=f"d-{n}") for n, source in enumerate("abab")))

    with database.read() as tx:
        assert [entry.source for entry in journal.latest(tx, limit=3)] == ["b", "a", "b"]
        (older,) = journal.latest(tx, limit=10, source="a", before=3)
    assert older.id == 1


def test_unmapped_names_are_counted(database: Database) -> None:
    with database.write() as tx:
        journal.count_unmapped(tx, "github", ["anna"])
        journal.count_unmapped(tx, "github", ["anna", "boris"])
        rows = tx.connection.exec_driver_sql("SELECT name, count FROM unmapped ORDER BY name").all()

    assert [tuple(row) for row in rows] == [("anna", 2), ("boris", 1)]


def test_a_delivery_s_key_may_be_longer_than_an_index_takes(database: Database) -> None:
    key = "".join(chr(0x430 + n * n % 977) for n in range(4000))
    first, again, other = append(database, arrival(delivery=key), arrival(delivery=key), arrival(delivery=key + "\x00"))

    assert (again.id, again.duplicate) == (first.id, True)
    assert not other.duplicate


def test_what_no_database_can_hold_as_text_is_replaced(database: Database) -> None:
    append(database, arrival(title="a\x00b\ud800", headers={"x-name": "a\x00b"}))
    with database.write() as tx:
        journal.count_unmapped(tx, "github", ["a\x00", "a\ufffd"])

    (entry,) = undecided(database)
    assert entry.title == "a\ufffdb\ufffd"
    assert entry.request.headers == {"x-name": "a\x00b"}  # JSON escapes it


def test_many_arrivals_keep_their_order_and_their_own_bytes(database: Database) -> None:
    receipts = append(database, *(arrival(delivery=f"d-{n % 50}", body=b"%d" % n) for n in range(64)))

    assert [receipt.duplicate for receipt in receipts] == [False] * 50 + [True] * 14
    assert [receipt.id for receipt in receipts[50:]] == [receipt.id for receipt in receipts[:14]]
    assert [(entry.id, entry.request.body) for entry in undecided(database)] == [
        (receipts[n].id, b"%d" % n) for n in range(50)
    ]


def test_entries_are_settled_once_each_with_its_own_outcome_and_note(database: Database, clock: Clock) -> None:
    with database.write() as tx:
        first, second, third = (each.id for each in journal.append(tx, [arrival(delivery=name) for name in "abc"]))
        assert journal.settle(tx, {first: ("addressed", "")}) == {first}
        came: dict[int, tuple[Outcome, str]] = {
            first: ("no_rule", "too late"),
            second: ("addressed", "a note"),
            third: ("unreadable", "why"),
        }
        assert journal.settle(tx, came) == {second, third}
        assert journal.settle(tx, {}) == set()

    with database.read() as tx:
        found = journal.entries(tx, [first, second, third])
        assert journal.undecided(tx, 10) == []
    assert [(each.state, each.outcome, each.note) for each in found] == [
        ("decided", "addressed", ""),
        ("decided", "addressed", "a note"),
        ("unreadable", "unreadable", "why"),
    ]
