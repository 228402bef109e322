"""Recipients take turns: nobody waits for another's flood, and the urgent of one do not push back the rest of all."""

from __future__ import annotations

import pytest

from relay.model import Message
from relay.store import outbox
from relay.store.database import Database
from tests.conftest import Clock
from tests.store.build import end, message, put, take


def flood(user: int, count: int, *, urgent: bool = False, name: str = "flood") -> list[Message]:
    return [message(user_id=user, tag=f"{name} {number}", urgent=urgent) for number in range(count)]


def order(database: Database, *, at_a_time: int = 1, most: int = 1000) -> list[int]:
    """Whose message is sent when, until nothing is left."""
    seen: list[int] = []
    while len(seen) < most and (parcels := take(database, limit=at_a_time)):
        for parcel in parcels:
            seen.append(parcel.message.user_id)
            end(database, parcel)
    return seen


def test_a_single_message_does_not_wait_for_the_flood_of_another(database: Database) -> None:
    put(database, *flood(17, 100))
    put(database, message(user_id=18))

    assert 18 in order(database, most=2)


def test_a_flood_that_comes_one_by_one_is_a_flood_as_well(database: Database) -> None:
    for one in flood(17, 20):
        put(database, one)
    put(database, message(user_id=18))

    assert 18 in order(database, most=2)


def test_two_floods_share_the_portal_whoever_came_first(database: Database) -> None:
    put(database, *flood(17, 40))
    put(database, *flood(18, 40))

    seen = order(database)
    assert all(abs(seen[:n].count(17) - seen[:n].count(18)) <= 1 for n in range(1, 81))


def test_who_comes_while_another_is_served_stands_beside_him_and_not_before_him(database: Database) -> None:
    put(database, *flood(17, 20))
    order(database, most=10)
    put(database, *flood(18, 20))

    seen = order(database, most=10)
    assert seen.count(18) in (5, 6), "he has not been owed the turns of the time before he came"


def test_whoever_was_served_much_before_is_not_made_to_wait_for_it_later(database: Database) -> None:
    put(database, *flood(17, 30))
    order(database)
    put(database, *flood(17, 10, name="again"), *flood(18, 10))

    assert order(database, most=10).count(17) == 5


def test_a_flood_of_urgent_ones_is_shared_like_any_other_and_goes_first(database: Database) -> None:
    put(database, message(user_id=19), *flood(17, 10, urgent=True))
    put(database, message(user_id=18, urgent=True))

    seen = order(database)
    assert 18 in seen[:2]
    assert seen[-1] == 19


def test_the_turns_of_the_urgent_push_nobody_back_among_the_others(database: Database) -> None:
    put(database, *flood(17, 50, urgent=True))
    order(database)
    put(database, *flood(17, 10))
    put(database, message(user_id=18))

    assert 18 in order(database, most=2)


def test_a_state_that_changes_again_and_again_keeps_its_place_in_the_line(database: Database) -> None:
    put(database, message(user_id=17, tag="flapping"))
    put(database, *flood(18, 50))
    for number in range(30):
        put(database, message(user_id=17, tag="flapping", text=f"state {number}"))

    assert 17 in order(database, most=2)


@pytest.mark.parametrize("at_a_time", [1, 7, 50])
def test_every_message_is_sent_in_the_end(database: Database, at_a_time: int) -> None:
    put(database, *flood(17, 60), *flood(18, 30, urgent=True), *flood(19, 5))

    assert sorted(order(database, at_a_time=at_a_time)) == [17] * 60 + [18] * 30 + [19] * 5


# ── Quiet hours ───────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_held_for_quiet_hours_is_sent_when_they_end_and_not_before(database: Database, clock: Clock) -> None:
    (number,) = put(database, message(not_before=clock.now + 3600))

    assert take(database) == []
    clock.forward(3600)
    assert [parcel.id for parcel in take(database)] == [number]


def test_in_the_morning_only_the_newest_state_is_told(database: Database, clock: Clock) -> None:
    morning = clock.now + 3600
    *_, newest = put(database, *(message(text=text, not_before=morning) for text in ("firing", "worse", "resolved")))

    clock.forward(3600)
    assert [parcel.id for parcel in take(database)] == [newest]


def test_an_urgent_state_passes_the_quiet_hours_and_what_was_held_before_it(database: Database, clock: Clock) -> None:
    morning = clock.now + 3600
    _, urgent = put(database, message(not_before=morning), message(urgent=True))

    assert [parcel.id for parcel in take(database)] == [urgent]


def test_what_has_no_tag_is_let_go_with_the_urgent_one_behind_it_in_its_order(database: Database, clock: Clock) -> None:
    morning = clock.now + 3600
    held, urgent = put(database, message(tag="", not_before=morning), message(tag="", urgent=True))

    (first,) = take(database)
    assert first.id == held
    end(database, first)
    assert [parcel.id for parcel in take(database)] == [urgent]


def test_a_failure_in_quiet_hours_does_not_shorten_them(database: Database, clock: Clock) -> None:
    put(database, message(tag=""))
    (parcel,) = take(database)
    put(database, message(tag="", not_before=clock.now + 3600))
    end(database, parcel, state="delivered")

    assert take(database) == []
    clock.forward(3600)
    assert len(take(database)) == 1


def test_by_hand_a_held_one_is_sent_at_once(database: Database, clock: Clock) -> None:
    (number,) = put(database, message(tag="", not_before=clock.now + 3600))
    clock.forward(3600)
    (parcel,) = take(database)
    end(database, parcel, state="held", verdict="unknown")
    with database.write() as tx:
        assert outbox.retry(tx, number)

    assert [parcel.id for parcel in take(database)] == [number]
