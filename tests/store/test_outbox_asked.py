"""What is asked of the outbox: whether anything is under way, waits or rests, for whom, and what became of it."""

from __future__ import annotations

from typing import Any

import pytest

from relay.store import journal, outbox
from relay.store.database import Database
from relay.store.outbox import Settlement
from tests.conftest import Clock, only_sqlite
from tests.store.build import arrival, end, message, put, take


def test_it_is_known_whether_anything_is_being_sent_to_a_portal(database: Database) -> None:
    def sending(portal: str = "main") -> bool:
        with database.read() as tx:
            return outbox.anything_sending(tx, portal)

    put(database, message(), message(user_id=18))
    assert not sending()
    one, other = take(database)
    assert sending()
    assert not sending("second")
    end(database, one)
    assert sending()
    end(database, other, state="queued", verdict="later")
    assert not sending()


def test_what_is_due_at_this_very_moment_is_in_the_backlog(database: Database, clock: Clock) -> None:
    put(database, message(not_before=clock.now + 60))
    clock.forward(60)

    with database.read() as tx:
        assert outbox.backlog(tx, "main", most=50) == 1


def test_the_portals_for_which_messages_wait_are_named_each_once(database: Database) -> None:
    put(database, *(message(portal=name, user_id=user) for name in ("second", "main", "done") for user in (17, 18)))
    with database.write() as tx:
        for parcel in outbox.claim(tx, "done", 1, 50):
            outbox.settle(tx, "done", 1, Settlement(parcel=parcel, state="delivered", verdict="delivered"))

    with database.read() as tx:
        assert outbox.waiting_for(tx) == ["main", "second"]


@pytest.mark.parametrize(("rest", "longer"), [(60, False), (61, True)])
def test_what_rests_longer_than_anything_does_is_tried_again_at_once(
    database: Database, clock: Clock, rest: int, longer: bool
) -> None:
    quiet, failed = put(database, message(user_id=18, not_before=clock.now + 3600), message())
    (parcel,) = take(database)
    end(database, parcel, state="queued", verdict="later", not_before=clock.now + rest)

    with database.read() as tx:
        assert outbox.rests_longer(tx, "main", 60) is longer
        assert not outbox.rests_longer(tx, "second", 60)
    with database.write() as tx:
        outbox.rest_no_longer(tx, "main", 60)
        assert not outbox.rests_longer(tx, "main", 60)
    assert [each.id for each in take(database)] == ([failed] if longer else []), "quiet hours are no rest"
    clock.forward(3600)
    assert quiet in [each.id for each in take(database)]


def test_a_message_held_for_the_night_does_not_wake_another_that_is(database: Database, clock: Clock) -> None:
    morning = clock.now + 3600
    for _ in range(2):
        put(database, message(tag="", not_before=morning), message(tag="", not_before=morning))

    assert take(database) == []


def test_the_newest_messages_are_told_first_of_some_states_or_of_one_event(database: Database) -> None:
    with database.write() as tx:
        one, other = journal.append(tx, [arrival(delivery="d-1"), arrival(delivery="d-2")])
        first = outbox.enqueue(tx, one.id, [message(user_id=user) for user in (17, 18, 19)])
        second = outbox.enqueue(tx, other.id, [message(user_id=20)])
    (parcel,) = take(database, limit=1)
    end(database, parcel, state="dead", verdict="dead")
    numbers = [*first, *second]

    def told(**words: Any) -> list[int]:
        with database.read() as tx:
            return [record.id for record in outbox.latest(tx, **{"limit": 50} | words)]

    assert told() == numbers[::-1]
    assert told(limit=2) == numbers[:-3:-1]
    assert told(states=["dead"]) == [parcel.id]
    assert told(states=["dead", "queued"]) == numbers[::-1]
    assert told(event_id=one.id) == first[::-1]
    assert told(event_id=other.id, states=["dead"]) == []
    with database.read() as tx:
        assert outbox.counts(tx) == {"queued": 3, "dead": 1}


@only_sqlite
def test_a_try_is_told_of_its_own_message(database: Database) -> None:
    one, other = put(database, message(), message(user_id=18))
    for parcel in take(database):
        end(database, parcel, state="dead", verdict="dead", code="ACCESS_DENIED", why=f"of {parcel.id}")

    with database.read() as tx:
        assert [each.why for each in outbox.attempts(tx, one)] == [f"of {one}"]
        assert [each.why for each in outbox.attempts(tx, other)] == [f"of {other}"]
        assert outbox.attempts(tx, 99) == []
        assert outbox.get(tx, 99) is None


@only_sqlite
def test_by_hand_nothing_can_be_done_to_a_message_that_there_is_not(database: Database) -> None:
    with database.write() as tx:
        assert not outbox.retry(tx, 99)
        assert not outbox.drop(tx, 99)
