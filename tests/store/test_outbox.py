"""The second wall: order within a stream, the newest state only, and no word from a worker who lost his lease."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from operator import itemgetter
from typing import Any

import pytest
from sqlalchemy import event

from relay.rules.people import MAX_ID
from relay.store import journal, outbox
from relay.store.database import Database, Transaction
from tests.conftest import Clock, only_postgresql
from tests.store.build import arrival, end, message, put, take


def state(database: Database, number: int) -> str:
    with database.read() as tx:
        record = outbox.get(tx, number)
    assert record is not None
    return record.state


def test_a_parcel_is_the_message_that_was_put_in(database: Database) -> None:
    whole = message(attach={"BLOCKS": [{"MESSAGE": "ы"}]}, urgent=True, fallback=(18, 19), via="system", note="n")
    (number,) = put(database, whole)

    (parcel,) = take(database)
    assert parcel.id == number
    assert parcel.message == whole


def test_a_claimed_message_is_claimed_once(database: Database) -> None:
    put(database, message())

    assert len(take(database)) == 1
    assert take(database) == []


def test_an_unsent_older_state_is_superseded_by_a_newer_one(database: Database) -> None:
    old, new = put(database, message(text="firing"), message(text="resolved"))

    assert state(database, old) == "superseded"
    assert [parcel.id for parcel in take(database)] == [new]


def test_messages_without_a_tag_are_all_sent_in_their_order(database: Database) -> None:
    numbers = put(database, message(tag=""), message(tag=""), message(tag=""))

    seen = []
    for _ in numbers:
        (parcel,) = take(database)
        seen.append(parcel.id)
        end(database, parcel)
    assert seen == numbers


def test_nothing_overtakes_within_a_stream(database: Database) -> None:
    first, second = put(database, message(tag=""), message(tag=""))

    (parcel,) = take(database)
    assert parcel.id == first
    assert take(database) == []
    end(database, parcel)
    assert [parcel.id for parcel in take(database)] == [second]


def test_a_failed_message_holds_back_only_its_own_stream(database: Database, clock: Clock) -> None:
    mine, other = put(database, message(), message(user_id=18))
    parcels = take(database)
    end(database, parcels[0], state="queued", verdict="later", not_before=clock.now + 60)
    end(database, parcels[1])
    (newer,) = put(database, message(user_id=18))

    assert [parcel.id for parcel in take(database)] == [newer]
    clock.forward(61)
    assert [parcel.id for parcel in take(database)] == [mine]
    assert state(database, other) == "delivered"


def test_a_message_that_fails_while_a_newer_state_waits_gives_way_to_it(database: Database) -> None:
    (old,) = put(database, message(text="firing"))
    (parcel,) = take(database)
    (new,) = put(database, message(text="resolved"))
    end(database, parcel, state="queued", verdict="later")

    assert state(database, old) == "superseded"
    assert [parcel.id for parcel in take(database)] == [new]


def test_of_those_behind_one_that_is_being_sent_only_the_newest_is_left(database: Database) -> None:
    put(database, message(text="firing"))
    (parcel,) = take(database)
    (older,) = put(database, message(text="still firing"))
    (newest,) = put(database, message(text="resolved"))

    assert state(database, older) == "superseded"
    end(database, parcel)
    assert [each.id for each in take(database)] == [newest]


def test_the_urgent_go_first_then_the_oldest(database: Database) -> None:
    numbers = put(database, message(user_id=1), message(user_id=2), message(user_id=3, urgent=True))

    assert [parcel.id for parcel in take(database, limit=2)] == [numbers[2], numbers[0]]


def test_a_worker_whose_lease_was_taken_over_writes_nothing(database: Database) -> None:
    (number,) = put(database, message())
    (late,) = take(database, epoch=1)
    with database.write() as tx:
        assert outbox.take_over(tx, "main", 2) == 1
    (parcel,) = take(database, epoch=2)

    assert parcel.id == number
    assert end(database, late, epoch=1, state="dead", verdict="dead") is False
    assert state(database, number) == "sending"
    assert end(database, parcel, epoch=2) is True
    assert state(database, number) == "delivered"


def test_taking_over_leaves_ones_own_work_alone(database: Database) -> None:
    put(database, message())
    take(database, epoch=2)

    with database.write() as tx:
        assert outbox.take_over(tx, "main", 2) == 0


def test_what_is_settled_is_not_settled_again(database: Database) -> None:
    (number,) = put(database, message())
    (parcel,) = take(database)

    assert end(database, parcel) is True
    assert end(database, parcel, state="dead", verdict="dead") is False
    assert state(database, number) == "delivered"


def test_a_message_may_be_sent_to_somebody_else_instead(database: Database) -> None:
    (number,) = put(database, message())
    (parcel,) = take(database)
    end(database, parcel, state="dead", verdict="refused", instead=message(user_id=18))

    (other,) = take(database)
    assert other.message.user_id == 18
    assert state(database, number) == "dead"


@pytest.mark.parametrize("ended", ["dead", "held"])
def test_a_dead_or_held_message_is_sent_again_by_hand(database: Database, ended: outbox.State) -> None:
    (number,) = put(database, message())
    (parcel,) = take(database)
    end(database, parcel, state=ended, verdict="dead")

    with database.write() as tx:
        assert outbox.retry(tx, number)
    assert [parcel.id for parcel in take(database)] == [number]


def test_an_old_state_is_not_sent_again_after_a_newer_one(database: Database) -> None:
    (old,) = put(database, message(text="firing"))
    (parcel,) = take(database)
    end(database, parcel, state="dead", verdict="dead")
    put(database, message(text="resolved"))

    with database.write() as tx:
        assert not outbox.retry(tx, old)


@pytest.mark.parametrize("ended", ["delivered", "muted"])
def test_what_has_arrived_is_neither_retried_nor_dropped(database: Database, ended: outbox.State) -> None:
    (number,) = put(database, message())
    (parcel,) = take(database)
    end(database, parcel, state=ended, verdict=ended)

    with database.write() as tx:
        assert not outbox.retry(tx, number)
        assert not outbox.drop(tx, number)


def test_a_dropped_message_lets_the_next_one_go(database: Database) -> None:
    first, second = put(database, message(tag=""), message(tag=""))

    with database.write() as tx:
        assert outbox.drop(tx, first)
    assert [parcel.id for parcel in take(database)] == [second]


def test_each_try_is_kept_with_its_reason(database: Database, clock: Clock) -> None:
    (number,) = put(database, message())
    (parcel,) = take(database)
    end(database, parcel, state="queued", verdict="later", code="INTERNAL_SERVER_ERROR", why="the portal failed")
    clock.forward(5)
    (parcel,) = take(database)
    end(database, parcel, notification_id=98012)

    with database.read() as tx:
        tries = outbox.attempts(tx, number)
        record = outbox.get(tx, number)
    assert [(each.verdict, each.code) for each in tries] == [("later", "INTERNAL_SERVER_ERROR"), ("delivered", "")]
    assert record is not None
    assert (record.attempts, record.notification_id) == (2, 98012)


def test_the_portals_failures_do_not_count_against_a_message(database: Database) -> None:
    (number,) = put(database, message())
    (parcel,) = take(database)
    end(database, parcel, state="queued", verdict="later", counted=False)

    with database.read() as tx:
        record = outbox.get(tx, number)
    assert record is not None
    assert record.attempts == 0


def test_a_message_fails_since_its_own_first_failure_and_not_since_the_portals(
    database: Database, clock: Clock
) -> None:
    began = clock.now
    put(database, message())
    found = []
    for counted in (False, True, True, False):
        (parcel,) = take(database)
        found.append(parcel.failing_since)
        end(database, parcel, state="queued", verdict="later", counted=counted)
        clock.forward(60)
    (parcel,) = take(database)
    found.append(parcel.failing_since)

    assert found == [None, None, *[began + 60] * 3]


def test_the_backlog_counts_streams_that_could_be_sent_now(database: Database, clock: Clock) -> None:
    put(database, *(message(user_id=user) for user in range(1, 8)), message(tag="", key="x"), message(tag="", key="x"))
    (parcel, *_) = take(database, limit=1)
    end(database, parcel, state="queued", verdict="later", not_before=clock.now + 60)

    with database.read() as tx:
        assert outbox.backlog(tx, "main", most=50) == 7
        assert outbox.backlog(tx, "main", most=3) == 3
        assert outbox.backlog(tx, "other", most=50) == 0


def test_it_is_known_when_the_next_message_is_due(database: Database, clock: Clock) -> None:
    with database.read() as tx:
        assert outbox.next_due(tx, "main") is None
    put(database, message())
    (parcel,) = take(database)
    end(database, parcel, state="queued", verdict="later", not_before=clock.now + 60)

    with database.read() as tx:
        assert outbox.next_due(tx, "main") == clock.now + 60


def test_a_claim_is_served_in_order_by_the_index_of_waiting_streams(database: Database) -> None:
    put(database, *(message(user_id=user) for user in range(1, 1001)))

    assert sorts(plan_of(database, lambda tx: outbox.claim(tx, "main", 1, 50), "FROM stream")) is False


@only_postgresql
def test_a_claim_is_served_so_also_before_postgresql_has_counted_what_a_storm_brought(database: Database) -> None:
    put(database, message())
    with database.write() as tx:
        many = "SELECT 'main', 'm' || n, 9 + n FROM generate_series(1, 50000) n"
        tx.connection.exec_driver_sql(f"INSERT INTO stream (portal, stream, head) {many}")

    assert sorts(plan_of(database, lambda tx: outbox.claim(tx, "main", 1, 1), "FROM stream")) is False


def sorts(plan: str) -> bool:
    assert "stream_waiting" in plan
    return "sort" in plan.lower() or "temp b-tree" in plan.lower()


@pytest.mark.parametrize("ask", [outbox.next_due, lambda tx, portal: outbox.backlog(tx, portal, most=1)])
def test_whether_anything_is_due_is_answered_by_an_index(
    database: Database, ask: Callable[[Transaction, str], object]
) -> None:
    put(database, *(message(user_id=user) for user in range(1, 1001)))

    assert "stream_due" in plan_of(database, lambda tx: ask(tx, "main"), "FROM stream")


def plan_of(database: Database, run: Callable[[Transaction], object], words: str) -> str:
    """How the engine means to carry out the statement with these words that ``run`` executes."""
    seen: list[tuple[str, Any]] = []

    def remember(_c: object, _cursor: object, statement: str, values: Any, _context: object, _many: bool) -> None:
        if words in statement:
            seen.append((statement, values))

    with database.write() as tx:
        driver: Any = tx.connection.connection.driver_connection
        if database.is_sqlite:
            driver.set_trace_callback(lambda statement: remember(None, None, statement, (), None, False))
        event.listen(tx.connection, "before_cursor_execute", remember)
        run(tx)
        event.remove(tx.connection, "before_cursor_execute", remember)
        if database.is_sqlite:
            driver.set_trace_callback(None)
        statement, values = seen[0]
        explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
        return "\n".join(str(row[-1]) for row in tx.connection.exec_driver_sql(explain + statement, values))


def test_a_tag_longer_than_an_index_takes_is_a_stream_all_the_same(database: Database) -> None:
    long = "".join(chr(0x430 + n * n % 977) for n in range(4000))
    first, second, other = put(database, message(tag=long), message(tag=long), message(tag=long + "x"))

    assert [parcel.id for parcel in take(database)] == [second, other]
    assert state(database, first) == "superseded"


def test_what_no_database_can_hold_as_text_is_replaced(database: Database) -> None:
    put(database, message(text="a\x00b\ud800c", tag="t\x00", attach={"MESSAGE": "\udfff"}))

    (parcel,) = take(database)
    assert parcel.message.text == "a\ufffdb\ufffdc"
    assert parcel.message.attach == {"MESSAGE": "\ufffd"}
    assert end(database, parcel, why="\x00")


def test_a_portal_id_may_be_as_large_as_the_rules_allow(database: Database) -> None:
    put(database, message(user_id=MAX_ID, fallback=(MAX_ID,)))

    (parcel,) = take(database)
    assert (parcel.message.user_id, parcel.message.fallback) == (MAX_ID, (MAX_ID,))
    assert end(database, parcel, notification_id=MAX_ID)


def test_what_a_late_worker_and_his_successor_sent_is_told_apart_in_one_batch(database: Database) -> None:
    put(database, message(user_id=1), message(user_id=2))
    late = take(database, epoch=1)
    with database.write() as tx:
        assert outbox.take_over(tx, "main", 2) == 2
    (taken,) = take(database, epoch=2, limit=1)

    with database.write() as tx:
        settlements = [outbox.Settlement(parcel=each, state="delivered", verdict="delivered") for each in late]
        assert outbox.settle_all(tx, "main", 1, settlements) == []
    assert state(database, taken.id) == "sending"


def test_a_batch_is_settled_each_by_its_own_verdict(database: Database, clock: Clock) -> None:
    numbers = put(database, *(message(user_id=user) for user in range(1, 5)))
    one, two, three, four = take(database)
    (newer,) = put(database, message(user_id=3, text="newer"))
    with database.write() as tx:
        written = outbox.settle_all(
            tx,
            "main",
            1,
            [
                outbox.Settlement(parcel=one, state="delivered", verdict="delivered", notification_id=7),
                outbox.Settlement(parcel=two, state="queued", verdict="later", not_before=clock.now + 60, plain=True),
                outbox.Settlement(parcel=three, state="queued", verdict="later", not_before=clock.now + 60),
                outbox.Settlement(parcel=four, state="dead", verdict="refused", instead=message(user_id=5)),
            ],
        )
        records = [outbox.get(tx, number) for number in numbers]

    assert len(written) == 4
    assert [each and (each.state, each.notification_id, each.superseded_by) for each in records] == [
        ("delivered", 7, None),
        ("queued", None, None),
        ("superseded", None, newer),
        ("dead", None, None),
    ]
    assert [parcel.message.user_id for parcel in take(database)] == [5]
    clock.forward(60)
    assert [(each.message.user_id, each.plain) for each in take(database)] == [(2, True), (3, False)]


def test_what_is_tried_again_keeps_its_blocks_till_a_settlement_takes_them_off(database: Database) -> None:
    put(database, message(attach={"BLOCKS": []}))
    seen = []
    for words in ({}, {"plain": True}, {}, {}):
        (parcel,) = take(database)
        seen.append(parcel.plain)
        end(database, parcel, state="queued", verdict="later", **words)

    assert seen == [False, False, True, True]


def test_a_retry_that_is_refused_leaves_the_back_off_of_the_stream(database: Database, clock: Clock) -> None:
    (number,) = put(database, message(tag=""))
    (parcel,) = take(database)
    end(database, parcel, state="queued", verdict="later", not_before=clock.now + 60)

    with database.write() as tx:
        assert not outbox.retry(tx, number)
    assert take(database) == []


# Letters of three events: of which, whom for, under which tag, urgent. Some stand in the streams of an earlier event.
TOGETHER: list[list[tuple[int, int, str, bool]]] = [
    [(0, 17, "a", False), (1, 18, "a", False), (2, 19, "b", True)],
    [(0, 17, "a", False), (1, 17, "a", False), (1, 18, "a", False), (2, 17, "a", False)],
    [(0, 17, "a", False), (0, 17, "a", False), (1, 18, "a", False), (2, 17, "a", True)],
    [(0, 17, "", False), (1, 17, "", False), (1, 18, "a", True), (2, 18, "a", False), (2, 17, "", True)],
]


@pytest.mark.parametrize("letters", TOGETHER)
@pytest.mark.parametrize("before", [[], ["a"]])
def test_messages_of_several_events_are_enqueued_together_as_they_are_one_event_after_the_other(
    database: Database, letters: list[tuple[int, int, str, bool]], before: list[str]
) -> None:
    with database.write() as tx:
        events = [each.id for each in journal.append(tx, [arrival(delivery=f"d-{number}") for number in range(3)])]

    def enqueued(portal: str, *, together: bool) -> tuple[object, ...]:
        made = [
            (events[event], message(portal=portal, user_id=user, tag=tag, urgent=urgent, text=f"{place}"))
            for place, (event, user, tag, urgent) in enumerate(letters)
        ]
        parts = [made] if together else [list(some) for _, some in groupby(made, key=itemgetter(0))]
        with database.write() as tx:
            old = outbox.enqueue(tx, None, [message(portal=portal, tag=tag) for tag in before])
            numbers = [*old, *(number for part in parts for number in outbox.enqueue_all(tx, part))]
            records = [record for number in numbers if (record := outbox.get(tx, number))]
            parcels = outbox.claim(tx, portal, 1, 50)
        first = min(numbers)
        states = [(each.state, each.superseded_by and each.superseded_by - first, each.event_id) for each in records]
        return states, [each.message.text for each in parcels]

    assert enqueued("together", together=True) == enqueued("apart", together=False)


@only_postgresql  # to which each is a journey
def test_a_turn_of_the_router_is_enqueued_in_as_many_statements_as_one_event(database: Database) -> None:
    def statements(count: int, portal: str) -> int:
        seen: list[str] = []
        with database.write() as tx:
            receipts = journal.append(tx, [arrival(delivery=f"{portal}-{number}") for number in range(count)])
            event.listen(tx.connection, "before_cursor_execute", lambda *words: seen.append(words[2]))
            letters = [(each.id, message(portal=portal, tag=f"{each.id}")) for each in receipts]
            outbox.enqueue_all(tx, letters)
        return len(seen)

    assert statements(50, "many") == statements(1, "one")
