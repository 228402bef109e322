"""Several processes on one PostgreSQL: what one has begun and not committed never misleads another.

Each step is held where it matters by an open transaction, and the next begins when the server says that it waits.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from relay.settings import Secret
from relay.store import journal, leases, outbox, portals, streams
from relay.store.database import Database, Transaction
from relay.store.outbox import Settlement
from tests.conftest import Clock, only_postgresql
from tests.store.build import arrival, end, message, put, take, until, waiting

pytestmark = only_postgresql


class Other:
    """Another process: deeds in a transaction of its own, in a thread, which may have to wait for ours."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pool = ThreadPoolExecutor(8)

    def does(self, deed: Callable[[Transaction], Any]) -> Future[Any]:
        def run() -> Any:
            with self._database.write() as tx:
                return deed(tx)

        return self._pool.submit(run)

    def close(self) -> None:
        self._pool.shutdown()
        self._database.close()


@pytest.fixture
def other(database_url: Secret, clock: Clock) -> Iterator[Other]:
    made = Other(Database(database_url, clock=clock))
    yield made
    made.close()


@contextmanager
def until_it_waits(database: Database) -> Iterator[Transaction]:
    """A transaction that is committed when somebody waits for it."""
    with database.write() as tx:
        yield tx
        with database.write() as look:
            until(lambda: waiting(look) > 0)


def queued(tx: Transaction, *messages: Any) -> list[int]:
    return outbox.enqueue(tx, None, messages)


def done(parcel: Any, **words: Any) -> Settlement:
    return Settlement(**{"parcel": parcel, "state": "delivered", "verdict": "delivered"} | words)


def state(database: Database, number: int) -> str:
    with database.read() as tx:
        record = outbox.get(tx, number)
    assert record is not None
    return record.state


# ── Claims ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_of_two_that_claim_at_once_the_second_waits_and_takes_the_rest(database: Database, other: Other) -> None:
    numbers = put(database, *(message(user_id=user) for user in range(1, 7)))
    with until_it_waits(database) as tx:
        mine = outbox.claim(tx, "main", 1, 3)
        late = other.does(lambda theirs: outbox.claim(theirs, "main", 1, 50))

    assert [parcel.id for parcel in mine + late.result(10)] == numbers


def test_a_stream_that_is_being_written_to_is_left_for_the_next_claim(database: Database, other: Other) -> None:
    first, second = put(database, message(user_id=1, tag=""), message(user_id=2))
    with database.write() as tx:
        queued(tx, message(user_id=1, tag=""))
        claimed = other.does(lambda theirs: outbox.claim(theirs, "main", 1, 50)).result(10)

    assert [parcel.id for parcel in claimed] == [second]
    assert [parcel.id for parcel in take(database)] == [first]


# ── Order of numbers, order of commits ────────────────────────────────────────────────────────────────────────


def test_within_a_stream_who_commits_first_has_the_smaller_number(database: Database, other: Other) -> None:
    with until_it_waits(database) as tx:
        (firing,) = queued(tx, message(text="firing", tag=""))
        late = other.does(lambda theirs: queued(theirs, message(text="resolved", tag="")))
        assert take(database) == []

    (resolved,) = late.result(10)
    assert firing < resolved
    (parcel,) = take(database)
    assert parcel.message.text == "firing"


def test_a_newer_state_that_waited_for_the_older_one_supersedes_it(database: Database, other: Other) -> None:
    with until_it_waits(database) as tx:
        (firing,) = queued(tx, message(text="firing"))
        late = other.does(lambda theirs: queued(theirs, message(text="resolved")))

    resolved = late.result(10)
    assert [parcel.id for parcel in take(database)] == resolved
    assert state(database, firing) == "superseded"


def test_the_router_never_sees_an_event_before_one_with_a_smaller_number(database: Database, other: Other) -> None:
    with until_it_waits(database) as tx:
        (first,) = journal.append(tx, [arrival(delivery="firing")])
        late = other.does(lambda theirs: journal.append(theirs, [arrival(delivery="resolved")]))
        with database.read() as router:
            assert journal.undecided(router, 10) == []

    (second,) = late.result(10)
    assert first.id < second.id
    with database.read() as router:
        assert [entry.id for entry in journal.undecided(router, 10)] == [first.id, second.id]


def test_the_same_delivery_at_two_doors_at_once_is_one_event(database: Database, other: Other) -> None:
    with until_it_waits(database) as tx:
        (first,) = journal.append(tx, [arrival()])
        late = other.does(lambda theirs: journal.append(theirs, [arrival()]))

    assert late.result(10) == [journal.Receipt(first.id, duplicate=True)]


def test_a_delivery_whose_first_door_failed_is_taken_by_the_second(database: Database, other: Other) -> None:
    late: list[Future[Any]] = []

    def fail_before_the_commit() -> None:
        with database.write() as tx:
            journal.append(tx, [arrival()])
            late.append(other.does(lambda theirs: journal.append(theirs, [arrival()])))
            with database.write() as look:
                until(lambda: waiting(look) > 0)
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        fail_before_the_commit()
    (receipt,) = late[0].result(10)
    assert not receipt.duplicate


# ── Settling against everything else ──────────────────────────────────────────────────────────────────────────


def test_a_message_that_comes_while_the_one_before_is_settled_is_not_forgotten(
    database: Database, other: Other
) -> None:
    put(database, message(tag=""))
    (parcel,) = take(database)
    with until_it_waits(database) as tx:
        (newer,) = queued(tx, message(tag=""))
        settled = other.does(lambda theirs: outbox.settle(theirs, "main", 1, done(parcel)))

    assert settled.result(10)
    assert [each.id for each in take(database)] == [newer]


def test_a_message_that_comes_before_the_settlement_is_committed_is_not_forgotten(
    database: Database, other: Other
) -> None:
    put(database, message(tag=""))
    (parcel,) = take(database)
    with until_it_waits(database) as tx:
        assert outbox.settle(tx, "main", 1, done(parcel))
        late = other.does(lambda theirs: queued(theirs, message(tag="")))

    newer = late.result(10)
    assert [each.id for each in take(database)] == newer


def test_a_state_that_fails_while_a_newer_one_is_written_gives_way_to_it(database: Database, other: Other) -> None:
    (old,) = put(database, message(text="firing"))
    (parcel,) = take(database)
    with until_it_waits(database) as tx:
        (newer,) = queued(tx, message(text="resolved"))
        again = done(parcel, state="queued", verdict="later")
        settled = other.does(lambda theirs: outbox.settle(theirs, "main", 1, again))

    assert settled.result(10)
    assert state(database, old) == "superseded"
    assert [each.id for each in take(database)] == [newer]


def test_what_a_successor_takes_over_while_it_is_settled_is_settled(database: Database, other: Other) -> None:
    (number,) = put(database, message())
    (parcel,) = take(database, epoch=1)
    with until_it_waits(database) as tx:
        assert outbox.settle(tx, "main", 1, done(parcel))
        taken_over = other.does(lambda theirs: outbox.take_over(theirs, "main", 2))

    assert taken_over.result(10) == 0
    assert state(database, number) == "delivered"


def test_what_is_settled_while_a_successor_takes_it_over_is_not_settled(database: Database, other: Other) -> None:
    (number,) = put(database, message())
    (parcel,) = take(database, epoch=1)
    with until_it_waits(database) as tx:
        assert outbox.take_over(tx, "main", 2) == 1
        settled = other.does(lambda theirs: outbox.settle(theirs, "main", 1, done(parcel)))

    assert not settled.result(10)
    assert state(database, number) == "queued"


def test_a_message_dropped_by_hand_at_the_moment_of_its_claim_is_not_sent(database: Database, other: Other) -> None:
    first, second = put(database, message(tag=""), message(tag=""))
    with database.write() as tx:
        assert outbox.drop(tx, first)
        assert other.does(lambda theirs: outbox.claim(theirs, "main", 1, 50)).result(10) == []

    assert [parcel.id for parcel in take(database)] == [second]


def test_a_message_claimed_at_the_moment_of_its_drop_is_not_dropped(database: Database, other: Other) -> None:
    (number,) = put(database, message(tag=""))
    with until_it_waits(database) as tx:
        (parcel,) = outbox.claim(tx, "main", 1, 50)
        dropped = other.does(lambda theirs: outbox.drop(theirs, number))

    assert not dropped.result(10)
    assert end(database, parcel)


def test_an_old_state_retried_by_hand_while_a_newer_one_is_written_is_not_sent(
    database: Database, other: Other
) -> None:
    (old,) = put(database, message(text="firing"))
    (parcel,) = take(database)
    end(database, parcel, state="dead", verdict="dead")
    with until_it_waits(database) as tx:
        queued(tx, message(text="resolved"))
        retried = other.does(lambda theirs: outbox.retry(theirs, old))

    assert not retried.result(10)


# ── Deadlocks ─────────────────────────────────────────────────────────────────────────────────────────────────


DEEDS: dict[str, Callable[[Transaction, Any], object]] = {
    "enqueue": lambda tx, parcel: queued(tx, message()),
    "settle": lambda tx, parcel: outbox.settle(tx, "main", 1, done(parcel)),
    "take over": lambda tx, parcel: outbox.take_over(tx, "main", 2),
    "retry": lambda tx, parcel: outbox.retry(tx, parcel.id),
    "drop": lambda tx, parcel: outbox.drop(tx, parcel.id),
}


@pytest.mark.parametrize("deed", DEEDS)
def test_whoever_waits_for_a_stream_keeps_none_of_its_messages_meanwhile(
    database: Database, other: Other, deed: str
) -> None:
    put(database, message())
    (parcel,) = take(database)
    if deed in ("retry", "drop"):
        end(database, parcel, state="dead", verdict="dead")
    with until_it_waits(database) as tx:
        streams.lock(tx, [message()])
        waits = other.does(lambda theirs: DEEDS[deed](theirs, parcel))
        with database.write() as look:
            until(lambda: waiting(look) > 0)
        assert tx.connection.exec_driver_sql("SELECT 1 FROM message FOR UPDATE NOWAIT").all() == [(1,)]

    waits.result(10)


def test_transactions_over_the_same_streams_in_any_order_never_wait_for_each_other(
    database: Database, other: Other
) -> None:
    """A router that enqueues, couriers that claim, settle with fallbacks and take over, and a hand that retries."""
    users = range(1, 21)
    gate = threading.Barrier(4)

    def enqueue(turn: int) -> None:
        with database.write() as tx:
            queued(tx, *(message(user_id=user) for user in sorted(users, key=lambda user: user * (turn + 3) % 23)))

    def carry(epoch: int) -> None:
        parcels = take(database, epoch=epoch, limit=12)
        with database.write() as tx:
            refused = [
                done(each, state="dead", instead=message(user_id=21 - each.message.user_id, tag=""))
                for each in reversed(parcels)
            ]
            outbox.settle_all(tx, "main", epoch, refused)

    def take_over(turn: int) -> None:
        take(database, epoch=turn + 1, limit=5)
        with database.write() as tx:
            outbox.take_over(tx, "main", turn + 2)

    def repeat(deed: Callable[[int], None]) -> None:
        for turn in range(15):
            gate.wait(30)
            deed(turn)

    with ThreadPoolExecutor(4) as pool:
        threads = [pool.submit(repeat, deed) for deed in (enqueue, enqueue, lambda turn: carry(turn + 1), take_over)]
        for thread in threads:
            thread.result(60)  # a deadlock would be raised here


def test_who_takes_over_what_several_have_left_locks_its_streams_in_their_order(
    database: Database, other: Other
) -> None:
    for epoch, user in ((1, 18), (2, 17)):
        put(database, message(user_id=user))
        take(database, epoch=epoch)
    with database.write() as tx:
        streams.lock(tx, [message(user_id=17)])
        late = other.does(lambda theirs: outbox.take_over(theirs, "main", 3))
        with database.write() as look:
            until(lambda: waiting(look) > 0)
        streams.lock(tx, [message(user_id=18)])  # a deadlock would be raised here

    assert late.result(10) == 2


def test_who_writes_what_several_events_say_locks_its_streams_in_their_order(database: Database, other: Other) -> None:
    put(database, message(user_id=17), message(user_id=18))
    with database.write() as tx:
        one, two = (got.id for got in journal.append(tx, [arrival(delivery="d-1"), arrival(delivery="d-2")]))
    letters = [(one, message(user_id=18)), (two, message(user_id=18)), (two, message(user_id=17))]
    with database.write() as tx:
        streams.lock(tx, [message(user_id=17)])
        late = other.does(lambda theirs: outbox.enqueue_all(theirs, letters))
        with database.write() as look:
            until(lambda: waiting(look) > 0)
        streams.lock(tx, [message(user_id=18)])  # a deadlock would be raised here

    assert len(late.result(10)) == 3


# ── Leases ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_of_two_that_ask_for_a_lease_at_once_one_gets_it(database: Database, other: Other) -> None:
    with until_it_waits(database) as tx:
        assert leases.hold(tx, "router", "a", 10) == (1, True)
        asked = other.does(lambda theirs: leases.hold(theirs, "router", "b", 10))

    assert asked.result(10) is None


def test_a_late_writer_waits_for_his_successor_and_then_writes_nothing(
    database: Database, other: Other, clock: Clock
) -> None:
    with database.write() as tx:
        leases.hold(tx, "router", "a", 10)
    clock.forward(11)
    with until_it_waits(database) as tx:
        assert leases.hold(tx, "router", "b", 10) == (2, True)
        still = other.does(lambda theirs: leases.holds(theirs, "router", 1))

    assert still.result(10) is False


def test_two_that_open_a_new_portal_at_once_find_one_row(database: Database, other: Other) -> None:
    with until_it_waits(database) as tx:
        portals.get(tx, "main")
        theirs = other.does(lambda tx: portals.get(tx, "main"))

    assert theirs.result(10).level == 0
