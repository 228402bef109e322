"""The bucket, judged by a portal that counts for itself."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.bitrix.options import Plan
from relay.bitrix.pace import (
    LEAST_SHARE,
    LONGEST_WAIT,
    PLANS,
    WHOLE_AFTER,
    Pace,
    backoff,
    batch_size,
    from_plan,
    share,
    share_after_refusal,
)

NOW = 1_795_000_000.0
PACES = st.builds(Pace, rate=st.integers(1, 20).map(float), burst=st.integers(1, 300))


class CountingPortal:
    """Bitrix24 REST docs, limits: each request +1, the counter falls by ``rate`` a second, above ``burst`` the
    next is refused. ``steps``: it falls at the turn of each second and not in between. ``fills``: so do the refused."""

    def __init__(self, rate: float, burst: int, *, steps: bool, fills: bool = True) -> None:
        self.rate, self.burst, self.steps, self.fills = rate, burst, steps, fills
        self.count, self.at = 0.0, 0.0

    def takes(self, at: float) -> bool:
        at = max(self.at, math.floor(at) if self.steps else at)
        self.count = max(0.0, self.count - self.rate * (at - self.at))
        self.at = at
        refused = self.count > self.burst
        self.count += 1 if self.fills or not refused else 0
        return not refused


@given(
    pace=PACES.filter(lambda pace: pace.rate <= pace.burst / 4),
    pauses=st.lists(st.floats(0, 30), max_size=60),
    steps=st.booleans(),
    phase=st.floats(0, 1),
)
def test_whoever_keeps_to_the_pace_is_never_refused(pace: Pace, pauses: list[float], steps: bool, phase: float) -> None:
    portal = CountingPortal(pace.rate, pace.burst, steps=steps)
    now, level, level_at = NOW + phase, 0.0, NOW
    for pause in pauses:
        now += max(pause, pace.wait(level, level_at, now))
        for _ in range(pace.room(level, level_at, now)):
            level, level_at = pace.level(level, level_at, now) + 1, now
            assert portal.takes(now - NOW)


@given(pace=PACES, busy=st.integers(1, 500))
def test_in_no_window_more_than_burst_and_rate_times_time_is_sent(pace: Pace, busy: int) -> None:
    now, level, level_at = NOW, 0.0, NOW
    for sent in range(busy):
        now += pace.wait(level, level_at, now)
        level, level_at = pace.level(level, level_at, now) + 1, now

        assert sent + 1 <= pace.burst + pace.rate * (now - NOW) + 1e-3


@given(pace=PACES, level=st.floats(0, 1000), elapsed=st.floats(-1e6, 1e6))
def test_after_the_wait_there_is_room(pace: Pace, level: float, elapsed: float) -> None:
    now = NOW + elapsed
    later = now + pace.wait(level, NOW, now)

    assert elapsed < 0 or pace.room(level, NOW, later) >= 1


@given(pace=PACES, level=st.floats(0, 1000), elapsed=st.floats(0, 1e6))
def test_a_level_never_falls_below_empty(pace: Pace, level: float, elapsed: float) -> None:
    assert 0 <= pace.level(level, NOW, NOW + elapsed) <= level


def test_a_clock_that_goes_back_leaks_nothing() -> None:
    assert Pace(2, 50).level(10, NOW, NOW - 3600) == 10


@pytest.mark.parametrize(("plan", "room"), [("standard", 49), ("enterprise", 246)])
def test_a_fresh_bucket_lets_less_through_than_the_portal_would(plan: str, room: int) -> None:
    assert from_plan(plan).room(0, NOW, NOW) == room


@pytest.mark.parametrize(
    ("rate", "burst", "ceiling"),
    [(2, 50, 49), (0.5, 50, 49), (2.5, 50, 48), (12, 50, 39), (13, 50, 38), (14, 50, 38), (50, 50, 38), (9, 3, 2)],
)
def test_what_a_portal_may_be_late_by_is_left_free_but_no_more_than_a_quarter(
    rate: float, burst: int, ceiling: int
) -> None:
    assert Pace(rate, burst).ceiling == ceiling


def test_the_rate_is_the_portals() -> None:
    pace = from_plan("standard")

    assert pace.wait(49, NOW, NOW) == pytest.approx(0.5)
    assert pace.room(49, NOW, NOW + 10) == 20


@given(pace=PACES, above=st.floats(-3, 3))
def test_nobody_waits_while_there_is_room(pace: Pace, above: float) -> None:
    level = max(0.0, pace.ceiling + above)

    assert (pace.wait(level, NOW, NOW) == 0) == (pace.room(level, NOW, NOW) >= 1)


def test_after_a_refusal_one_waits_longer_than_for_a_full_bucket() -> None:
    pace = from_plan("standard")

    assert pace.room(pace.full, NOW, NOW) == 0
    assert pace.wait(pace.full, NOW, NOW) == pytest.approx(1.5)


def test_a_portal_without_limit_has_room_for_everything() -> None:
    pace = from_plan("unlimited")

    assert pace.wait(1e6, NOW, NOW) == 0
    assert pace.room(1e6, NOW, NOW) > 1e6


def test_own_numbers_are_the_portals_too() -> None:
    assert from_plan(Plan(rate=3, burst=20)) == Pace(3, 20)
    assert from_plan(Plan(rate=1, burst=1)).room(0, NOW, NOW) == 1
    assert PLANS["standard"] == Pace(2, 50)


@pytest.mark.parametrize(("attempts", "seconds"), [(0, 1), (1, 1), (2, 2), (3, 4), (10, 512), (11, 900), (5000, 900)])
def test_backing_off_doubles_up_to_a_quarter_of_an_hour(attempts: int, seconds: float) -> None:
    assert backoff(attempts, jitter=0) == seconds


@given(attempts=st.integers(0, 10_000), jitter=st.floats(0, 1))
def test_jitter_takes_off_at_most_a_half(attempts: int, jitter: float) -> None:
    full = backoff(attempts, jitter=0)

    assert full / 2 <= backoff(attempts, jitter=jitter) <= full <= LONGEST_WAIT
    assert backoff(attempts, jitter=1) == full / 2


@pytest.mark.parametrize(
    ("backlog", "room", "cap", "size"),
    [(0, 49, 50, 0), (1, 49, 50, 1), (49, 49, 50, 1), (50, 49, 50, 50), (500, 3, 50, 50), (7, 3, 50, 7), (7, 3, 2, 2)],
)
def test_batches_are_made_only_when_requests_are_short(backlog: int, room: int, cap: int, size: int) -> None:
    assert batch_size(backlog, room, cap) == size


# ── Our share ─────────────────────────────────────────────────────────────────────────────────────────────────────

SHARES = st.floats(0, 1)
TIMES = st.floats(0, 1e7)


@given(pace=PACES, of_it=st.floats(LEAST_SHARE, 1))
def test_a_part_is_never_more_than_the_whole_and_never_nothing(pace: Pace, of_it: float) -> None:
    part = pace.part(of_it)

    assert 0 < part.rate <= pace.rate
    assert 1 <= part.burst <= pace.burst
    assert part.room(0, NOW, NOW) >= 1


@given(stored=SHARES, first=TIMES, more=TIMES)
def test_a_share_grows_with_time_and_stays_within_its_bounds(stored: float, first: float, more: float) -> None:
    earlier, later = share(stored, NOW, NOW + first), share(stored, NOW, NOW + first + more)

    assert LEAST_SHARE <= earlier <= later <= 1
    assert share(stored, NOW, NOW + WHOLE_AFTER) == 1


@given(stored=SHARES, elapsed=TIMES)
def test_a_refusal_halves_the_share_but_leaves_something(stored: float, elapsed: float) -> None:
    now = NOW + elapsed
    left = share_after_refusal(stored, NOW, now)

    assert left == max(LEAST_SHARE, share(stored, NOW, now) / 2)


def test_half_of_the_share_is_regained_in_five_minutes_and_not_before() -> None:
    assert share(0.5, NOW, NOW + 300) == 1
    assert share(0.5, NOW, NOW + 299.9) < 1


def test_whoever_is_driven_back_on_the_standard_plan_still_asks_every_eight_seconds() -> None:
    assert 1 / PLANS["standard"].part(LEAST_SHARE).rate == 8


def test_a_clock_that_goes_back_gives_no_share_back() -> None:
    assert share(0.5, NOW, NOW - 3600) == 0.5


def test_whoever_was_never_refused_has_the_whole() -> None:
    assert share(1.0, 0.0, NOW) == 1
    assert PLANS["standard"].part(1.0) == PLANS["standard"]


def test_half_of_no_limit_is_half_of_the_largest_that_bitrix24_sets() -> None:
    assert PLANS["unlimited"].part(0.5) == Pace(rate=2.5, burst=125)
    assert PLANS["unlimited"].part(1.0) == PLANS["unlimited"]


@dataclass
class Relay:
    """One who has always something to send, and keeps to his part of the bucket. Times are seconds from the start."""

    pace: Pace
    level: float = 0.0
    level_at: float = 0.0
    share: float = 1.0
    share_at: float = 0.0
    not_before: float = 0.0
    failures: int = 0
    sent: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)

    def share_now(self, now: float) -> float:
        return share(self.share, self.share_at, now)

    def due(self, now: float) -> float:
        wait = self.pace.part(self.share_now(now)).wait(self.level, self.level_at, now)
        return max(now + wait, self.not_before, now + 0.01)  # a hundred calls a second: faster is no network

    def ask(self, portal: CountingPortal, now: float, *, arrives: float) -> None:
        part = self.pace.part(self.share_now(now))
        self.level, self.level_at = part.level(self.level, self.level_at, now) + 1, now
        if portal.takes(arrives):
            self.sent.append(now)
            self.failures = 0
            return
        self.refused.append(now)
        self.failures += 1
        self.not_before = now + min(60.0, backoff(self.failures, jitter=0.5))
        self.share, self.share_at = share_after_refusal(self.share, self.share_at, now), now
        self.level = self.pace.part(self.share).full


def compete(portal: CountingPortal, *relays: Relay, seconds: float, others: float = 0.0, until: float = 1e9) -> None:
    """Let relays ask a portal, and somebody else who asks about ``others`` times a second, come what may, ``until``."""
    dice = random.Random(7)
    other_at = 0.25 if others else 1e9
    now = 0.0
    while now < seconds:
        due, relay = min(((relay.due(now), number) for number, relay in enumerate(relays)))
        now = min(due, other_at)
        if now == other_at:
            portal.takes(now)
            other_at = now + dice.uniform(0.5, 1.5) / others if now < until else 1e9
        else:
            relays[relay].ask(portal, now, arrives=now + dice.uniform(0.02, 0.1))


PORTALS = pytest.mark.parametrize(("steps", "fills"), [(False, False), (False, True), (True, True), (True, False)])


def between(times: list[float], start: float, end: float) -> list[float]:
    return [moment for moment in times if start <= moment < end]


@PORTALS
@pytest.mark.parametrize("plan", ["standard", "enterprise"])
def test_beside_one_who_takes_half_of_the_rate_refusals_are_rare_and_the_other_half_is_ours(
    plan: str, steps: bool, fills: bool
) -> None:
    pace, relay = PLANS[plan], Relay(PLANS[plan])
    portal = CountingPortal(pace.rate, pace.burst, steps=steps, fills=fills)
    compete(portal, relay, seconds=3600, others=pace.rate / 2)

    learnt, first, end = between(relay.refused, 0, 600), 600.0, 3600.0
    assert len(learnt) <= 6
    assert len(between(relay.refused, first, end)) <= (end - first) / 150  # from a third back to two thirds: 200 s
    assert len(between(relay.sent, first, end)) == pytest.approx((end - first) * pace.rate / 2, rel=0.05)


@PORTALS
def test_once_we_are_alone_the_whole_rate_is_back_within_ten_minutes(steps: bool, fills: bool) -> None:
    relay = Relay(PLANS["standard"])
    compete(CountingPortal(2, 50, steps=steps, fills=fills), relay, seconds=3600, others=1, until=1800)

    alone = 1800 + WHOLE_AFTER
    assert between(relay.refused, 1801, 3600) == []
    assert relay.share_now(alone) == 1
    assert len(between(relay.sent, alone, 3600)) == pytest.approx(2 * (3600 - alone), abs=2)


@PORTALS
def test_two_relays_on_one_address_come_to_equal_shares(steps: bool, fills: bool) -> None:
    first, second = Relay(PLANS["standard"]), Relay(PLANS["standard"], share=0.1, share_at=0.0)
    compete(CountingPortal(2, 50, steps=steps, fills=fills), first, second, seconds=3 * 3600)

    counted = [len(between(one.sent, 3600, 3 * 3600)) for one in (first, second)]
    assert sum(counted) > 0.9 * 2 * 7200
    assert min(counted) > 0.35 * sum(counted)
    assert sum(len(between(one.refused, 3600, 3 * 3600)) for one in (first, second)) < 7200 / 60


def test_beside_one_who_takes_everything_something_is_ours() -> None:
    relay = Relay(PLANS["standard"])
    compete(CountingPortal(2, 50, steps=False, fills=False), relay, seconds=3600, others=2.7)

    assert len(between(relay.sent, 600, 3600)) > 50


def test_a_server_of_ones_own_that_has_a_limit_after_all_refuses_once_in_five_minutes() -> None:
    relay = Relay(PLANS["unlimited"])
    compete(CountingPortal(10, 20, steps=False, fills=False), relay, seconds=3600)

    assert len(relay.refused) <= 3600 / 300 + 1
    assert len(relay.sent) > 2.5 * 3600
