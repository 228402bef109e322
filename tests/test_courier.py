"""What becomes of a parcel: the table of verdicts, row by row, and the portal's trouble that is nobody's fault."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from relay import courier
from relay.bitrix import address, pace
from relay.bitrix.application import RENEWED
from relay.bitrix.client import Client
from relay.courier import Destination, Load, Wait
from relay.model import (
    Answer,
    Dead,
    Delivered,
    Later,
    Muted,
    Parcel,
    PortalTrouble,
    Refused,
    Unknown,
    Verdict,
    WithoutBlocks,
)
from relay.store import findings, outbox, portals
from relay.store.database import Database
from tests.conftest import Clock
from tests.store.build import message, put

NOW = 1_795_000_000.0


def destination(*, replaces: bool) -> Destination:
    at = address.parse("https://portal.bitrix24.ru", "token")
    return Destination(name="main", pace=pace.PLANS["standard"], client=Client(at), replaces_by_tag=replaces)


@pytest.fixture
def to() -> Iterator[Destination]:
    made = destination(replaces=True)
    yield made
    made.client.close()


def parcel(
    *, attempts: int = 0, plain: bool = False, created_at: float = NOW, failing_since: float | None = None, **words: Any
) -> Parcel:
    return Parcel(
        id=1,
        message=message(**words),
        attempts=attempts,
        plain=plain,
        created_at=created_at,
        failing_since=failing_since,
    )


BLOCKS: dict[str, Any] = {"attach": {"BLOCKS": [{"MESSAGE": "x"}]}}

# What came → what becomes of the parcel: its state, whether it counts against it.
TABLE: list[tuple[str, Parcel, Verdict | PortalTrouble, bool, str, bool]] = [
    ("delivered", parcel(), Delivered(7), True, "delivered", True),
    ("muted by the recipient", parcel(), Muted(), True, "muted", True),
    ("refused", parcel(), Refused("no such person"), True, "dead", True),
    ("busy", parcel(), Later("ERROR_CORE", "a fault"), True, "queued", True),
    ("busy for three days", parcel(failing_since=NOW - 73 * 3600), Later("ERROR_CORE", "a fault"), True, "dead", True),
    ("blocks refused", parcel(**BLOCKS), WithoutBlocks("ATTACH_ERROR", "w"), True, "queued", True),
    ("refused without blocks", parcel(plain=True, **BLOCKS), WithoutBlocks("MESSAGE_EMPTY", "w"), True, "dead", True),
    ("blocks refused that are not there", parcel(), WithoutBlocks("MESSAGE_EMPTY", "w"), True, "dead", True),
    ("wrong for ever", parcel(), Dead("ERROR_ARGUMENT", "w"), True, "dead", True),
    ("unknown, and a repeat replaces itself", parcel(), Unknown("w"), True, "queued", True),
    ("unknown, without a tag", parcel(tag=""), Unknown("w"), True, "held", True),
    ("unknown, by a webhook", parcel(), Unknown("w"), False, "held", True),
    ("unknown but urgent, by a webhook", parcel(urgent=True), Unknown("w"), False, "queued", True),
    ("unknown deletion", parcel(delete=True), Unknown("w"), False, "queued", True),
    ("the portal is down", parcel(), PortalTrouble("down", "HTTP_502", "w"), True, "queued", False),
    ("too many requests", parcel(), PortalTrouble("rate", "QUERY_LIMIT_EXCEEDED", "w"), True, "queued", False),
    ("credentials are wrong", parcel(), PortalTrouble("closed", "INVALID_CREDENTIALS", "w"), False, "queued", False),
    ("the token has run out", parcel(), PortalTrouble("expired", "expired_token", "w"), True, "queued", False),
    ("closed for four days", parcel(created_at=NOW - 96 * 3600), PortalTrouble("down", "", "w"), True, "queued", False),
]


@pytest.mark.parametrize(("one", "came", "replaces", "state", "counted"), [row[1:] for row in TABLE], ids=lambda _: "")
def test_a_verdict_s_consequence(
    one: Parcel, came: Verdict | PortalTrouble, replaces: bool, state: str, counted: bool
) -> None:
    settlement = courier.rule(one, came, to=destination(replaces=replaces), now=NOW, jitter=0.0)

    assert (settlement.state, settlement.counted) == (state, counted)


@pytest.mark.parametrize(("attempts", "seconds"), [(0, 1), (1, 2), (2, 4), (9, 512), (10, 900), (50, 900)])
def test_a_message_waits_longer_after_each_failure(to: Destination, attempts: int, seconds: int) -> None:
    settlement = courier.rule(parcel(attempts=attempts), Later("X", "w"), to=to, now=NOW, jitter=0.0)

    assert settlement.not_before == NOW + seconds


def test_a_time_that_the_portal_gives_is_kept(to: Destination) -> None:
    settlement = courier.rule(parcel(), Later("OPERATION_TIME_LIMIT", "w", NOW + 600), to=to, now=NOW, jitter=0.0)

    assert settlement.not_before == NOW + 600


def test_the_second_time_goes_without_blocks(to: Destination) -> None:
    settlement = courier.rule(parcel(**BLOCKS), WithoutBlocks("ATTACH_ERROR", "w"), to=to, now=NOW, jitter=0.0)

    assert settlement.plain


def test_fallbacks_are_tried_in_their_order(to: Destination) -> None:
    settlement = courier.rule(parcel(fallback=(18, 19)), Refused("gone"), to=to, now=NOW, jitter=0.0)

    assert settlement.instead is not None
    assert (settlement.instead.user_id, settlement.instead.fallback) == (18, (19,))
    assert settlement.instead.text == "hello"


def claim(database: Database, to: Destination, *, holder: str = "me") -> Load | Wait:
    return courier.claim(database, to, holder=holder, lease_seconds=10)


def load(database: Database, to: Destination) -> Load:
    claimed = claim(database, to)
    assert isinstance(claimed, Load)
    return claimed


def settle(database: Database, to: Destination, one: Load, came: Answer) -> list[outbox.Settlement]:
    return courier.settle(database, to, one, came, jitter=0.0)


def trouble(database: Database) -> portals.PortalState:
    with database.write() as tx:
        return portals.get(tx, "main")


def test_with_nothing_to_send_no_token_is_spent(database: Database, to: Destination) -> None:
    assert isinstance(claim(database, to), Wait)
    assert trouble(database).level == 0


def test_a_call_spends_a_token_before_it_is_made(database: Database, to: Destination) -> None:
    put(database, message())
    load(database, to)

    assert trouble(database).level == 1


def test_a_full_bucket_makes_the_next_call_wait(database: Database, to: Destination, clock: Clock) -> None:
    put(database, *(message(user_id=user) for user in range(1, 60)), message(user_id=99))
    with database.write() as tx:
        portals.get(tx, "main")
        portals.fill(tx, "main", to.pace.full)

    waited = claim(database, to)
    assert isinstance(waited, Wait)
    clock.forward(waited.seconds)
    assert isinstance(claim(database, to), Load)


def test_while_there_is_room_each_message_goes_alone_and_a_backlog_in_batches(
    database: Database, to: Destination
) -> None:
    put(database, message(user_id=1), message(user_id=2))
    assert len(load(database, to).parcels) == 1
    put(database, *(message(user_id=user) for user in range(3, 203)))
    assert len(load(database, to).parcels) == 50


def test_without_a_limit_what_finds_the_lanes_taken_goes_in_a_batch(database: Database, to: Destination) -> None:
    put(database, *(message(user_id=user) for user in range(1, courier.LANES + 1)))
    assert len(load(database, unlimited(to)).parcels) == 1
    put(database, *(message(user_id=user) for user in range(20, 29)))
    assert len(load(database, unlimited(to)).parcels) == 9 + courier.LANES - 1


def test_a_claim_tells_when_there_is_something_for_the_next(database: Database, to: Destination, clock: Clock) -> None:
    put(database, message(user_id=1), message(user_id=2), message(user_id=3, not_before=clock.now + 7))

    assert load(database, to).then == 0
    assert load(database, to).then == 7
    clock.forward(7)
    assert load(database, to).then == courier.NOTHING_WAITS


def test_who_is_sure_claims_without_a_look_at_first(database: Database, to: Destination) -> None:
    def sure() -> Load | Wait:
        return courier.claim(database, to, holder="me", lease_seconds=10, surely=True)

    put(database, message())
    assert isinstance(sure(), Load)
    waited = sure()
    assert isinstance(waited, Wait)
    assert waited.seconds < 1, "he was wrong, and looks again soon"


def test_two_workers_never_deliver_to_one_portal(database: Database, to: Destination, clock: Clock) -> None:
    put(database, message(user_id=1), message(user_id=2))
    load(database, to)

    assert isinstance(claim(database, to, holder="another"), Wait)
    clock.forward(11)
    assert isinstance(claim(database, to, holder="another"), Load)


def test_an_answer_that_comes_after_the_lease_is_lost_changes_nothing(
    database: Database, to: Destination, clock: Clock
) -> None:
    put(database, message())
    late = load(database, to)
    clock.forward(11)
    assert isinstance(claim(database, to, holder="another"), Load)

    assert settle(database, to, late, Answer(verdicts=(Delivered(1),))) == []


def test_a_portal_in_trouble_is_asked_again_later_and_with_one_message(
    database: Database, to: Destination, clock: Clock
) -> None:
    put(database, *(message(user_id=user) for user in range(1, 101)))
    first = load(database, to)
    settle(database, to, first, Answer(trouble=PortalTrouble("closed", "INVALID_CREDENTIALS", "the secret is wrong")))

    state = trouble(database)
    assert (state.trouble, state.code, state.failures) == ("closed", "INVALID_CREDENTIALS", 1)
    waited = claim(database, to)
    assert isinstance(waited, Wait)
    assert waited.seconds > 0
    clock.forward(waited.seconds)
    assert len(load(database, to).parcels) == 1


def test_a_portal_that_works_again_is_in_no_trouble_any_more(database: Database, to: Destination, clock: Clock) -> None:
    put(database, message(user_id=1), message(user_id=2))
    settle(database, to, load(database, to), Answer(trouble=PortalTrouble("down", "HTTP_502", "w")))
    clock.forward(60)
    settle(database, to, load(database, to), Answer(verdicts=(Delivered(1),)))

    assert trouble(database).trouble == ""


def test_it_is_known_since_when_a_portal_is_in_trouble(database: Database, to: Destination, clock: Clock) -> None:
    put(database, message())
    began = clock.now
    for _ in range(3):
        settle(database, to, load(database, to), Answer(trouble=PortalTrouble("down", "HTTP_502", "w")))
        clock.forward(100)

    assert (trouble(database).since, trouble(database).failures) == (began, 3)


TOO_MANY = Answer(trouble=PortalTrouble("rate", "QUERY_LIMIT_EXCEEDED", "w"))
PAGE_503 = Answer(trouble=PortalTrouble("down", "HTTP_503", "w", sent=True))


def unlimited(to: Destination) -> Destination:
    return replace(to, pace=pace.PLANS["unlimited"])


def test_a_refusal_for_the_rate_halves_our_share_and_finds_it_used_up(
    database: Database, to: Destination, clock: Clock
) -> None:
    put(database, message())
    settle(database, to, load(database, to), TOO_MANY)

    state = trouble(database)
    assert (state.share, state.share_at) == (0.5, clock.now)
    assert courier.pace_now(to, state, clock.now) == pace.Pace(rate=1, burst=25)
    assert courier.pace_now(to, state, clock.now).room(state.level, state.level_at, clock.now) == 0


def test_calls_that_were_under_way_together_are_refused_once(database: Database, to: Destination, clock: Clock) -> None:
    put(database, *(message(user_id=user) for user in range(1, 9)))
    together = [load(database, to) for _ in range(4)]
    clock.forward(0.1)
    for one in together:
        settle(database, to, one, TOO_MANY)
        clock.forward(0.1)

    assert (trouble(database).share, trouble(database).failures) == (0.5, 1)


def test_the_next_refusal_counts_again(database: Database, to: Destination, clock: Clock) -> None:
    put(database, message(user_id=1), message(user_id=2))
    for _ in range(2):
        settle(database, to, load(database, to), TOO_MANY)
        clock.forward(10)

    assert trouble(database).share == pytest.approx(0.25, abs=0.01)
    assert trouble(database).failures == 2


def test_the_share_grows_back_by_the_clock_alone(database: Database, to: Destination, clock: Clock) -> None:
    put(database, message())
    settle(database, to, load(database, to), TOO_MANY)
    clock.forward(10)
    settle(database, to, load(database, to), Answer(verdicts=(Delivered(1),)))
    assert courier.pace_now(to, trouble(database), clock.now).rate == pytest.approx(1, abs=0.05)

    clock.forward(pace.WHOLE_AFTER / 2)
    assert courier.pace_now(to, trouble(database), clock.now) == to.pace


def test_a_fast_clock_that_is_set_right_does_not_hold_the_share_down(
    database: Database, to: Destination, clock: Clock
) -> None:
    put(database, message(user_id=1), message(user_id=2))
    settle(database, to, load(database, to), TOO_MANY)
    clock.forward(-30 * 86_400)

    claim(database, to)
    clock.forward(pace.WHOLE_AFTER)
    assert courier.pace_now(to, trouble(database), clock.now) == to.pace


def test_after_a_refusal_for_the_rate_the_next_request_carries_a_whole_batch(
    database: Database, to: Destination, clock: Clock
) -> None:
    put(database, *(message(user_id=user) for user in range(1, 201)))
    settle(database, to, load(database, to), TOO_MANY)

    waited = claim(database, to)
    assert isinstance(waited, Wait)
    clock.forward(waited.seconds)
    assert len(load(database, to).parcels) == 50


@pytest.mark.parametrize(
    "came",
    [
        PortalTrouble("rate", "OPERATION_TIME_LIMIT", "w", NOW + 600),  # a method's time, and not the rate
        PortalTrouble("down", "HTTP_503", "w", sent=True),  # the cloud says it in JSON if it means the rate
        PortalTrouble("down", "HTTP_502", "w", sent=True),
    ],
    ids=lambda came: came.code,
)
def test_other_troubles_leave_the_share_as_it_is(database: Database, to: Destination, came: PortalTrouble) -> None:
    put(database, message())
    settle(database, to, load(database, to), Answer(trouble=came))

    assert (trouble(database).share, trouble(database).trouble) == (1.0, came.kind)


@pytest.mark.parametrize("came", [TOO_MANY, PAGE_503], ids=["429", "503"])
def test_a_portal_without_a_known_limit_gets_one_by_refusing(
    database: Database, to: Destination, clock: Clock, came: Answer
) -> None:
    put(database, message(user_id=1), message(user_id=2))
    settle(database, unlimited(to), load(database, unlimited(to)), came)
    assert courier.pace_now(unlimited(to), trouble(database), clock.now) == pace.Pace(rate=2.5, burst=125)

    clock.forward(pace.WHOLE_AFTER / 2)
    assert courier.pace_now(unlimited(to), trouble(database), clock.now) == pace.PLANS["unlimited"]


def test_a_server_that_stays_away_is_taken_for_one_that_refuses_only_once(
    database: Database, to: Destination, clock: Clock
) -> None:
    put(database, message())
    for _ in range(4):
        settle(database, unlimited(to), load(database, unlimited(to)), PAGE_503)
        clock.forward(30)

    assert trouble(database).share == 0.5


def test_batches_shrink_when_nobody_knows_what_became_of_one_and_grow_again(
    database: Database, to: Destination, clock: Clock
) -> None:
    put(database, *(message(user_id=user) for user in range(1, 301)))
    lost = load(database, to)
    assert len(lost.parcels) == 50
    unknown = tuple(Unknown("no answer") for _ in lost.parcels)
    settle(database, to, lost, Answer(verdicts=unknown, trouble=PortalTrouble("down", "", "no answer", sent=True)))
    assert trouble(database).batch_cap == 25

    clock.forward(100)
    settle(database, to, load(database, to), Answer(verdicts=(Delivered(1),)))
    assert trouble(database).batch_cap == 50


def test_new_tokens_make_nobody_wait_and_count_against_no_message(
    database: Database, to: Destination, clock: Clock
) -> None:
    put(database, message())
    renewed = Answer(trouble=PortalTrouble("expired", RENEWED, "there is a new token"))

    (settled,) = settle(database, to, load(database, to), renewed)

    assert (settled.state, settled.counted) == ("queued", False)
    assert trouble(database).not_before <= clock.now
    assert load(database, to)


def test_what_was_measured_of_tags_counts_and_not_what_is_assumed(database: Database, to: Destination) -> None:
    measured_by = replace(to, way_in="webhook portal.bitrix24.ru", replaces_by_tag=False)
    put(database, message())
    with database.write() as tx:
        findings.remember(tx, "main", measured_by.way_in, replaces_by_tag=True)

    claimed = load(database, measured_by)
    (settled,) = settle(database, measured_by, claimed, Answer(verdicts=(Unknown("no answer"),)))

    assert settled.state == "queued"
    assert courier.client_id(measured_by, claimed)
    assert not courier.client_id(to, claimed)  # an application's tags are its own


def test_what_was_measured_by_another_way_in_does_not_count(database: Database, to: Destination) -> None:
    put(database, message())
    with database.write() as tx:
        findings.remember(tx, "main", "webhook elsewhere.bitrix24.ru", replaces_by_tag=False)

    assert load(database, to).replaces_by_tag is None
