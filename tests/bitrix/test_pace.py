"""The bucket, judged by a portal that counts for itself."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.bitrix.options import Plan
from relay.bitrix.pace import LONGEST_WAIT, PLANS, Pace, backoff, batch_size, from_plan

NOW = 1_795_000_000.0
PACES = st.builds(Pace, rate=st.integers(1, 20).map(float), burst=st.integers(1, 300))


class CountingPortal:
    """Bitrix24 REST docs, limits: each request +1, the counter falls by ``rate`` a second, above ``burst`` the
    next is refused. ``steps``: it falls at the turn of each second and not in between."""

    def __init__(self, rate: float, burst: int, *, steps: bool) -> None:
        self.rate, self.burst, self.steps = rate, burst, steps
        self.count, self.at = 0.0, 0.0

    def takes(self, at: float) -> bool:
        at = math.floor(at) if self.steps else at
        self.count = max(0.0, self.count - self.rate * (at - self.at))
        self.at = at
        refused = self.count > self.burst
        self.count += 1
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


def test_the_rate_is_the_portals() -> None:
    pace = from_plan("standard")

    assert pace.wait(49, NOW, NOW) == pytest.approx(0.5)
    assert pace.room(49, NOW, NOW + 10) == 20


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


@pytest.mark.parametrize(
    ("backlog", "room", "cap", "size"),
    [(0, 49, 50, 0), (1, 49, 50, 1), (49, 49, 50, 1), (50, 49, 50, 50), (500, 3, 50, 50), (7, 3, 50, 7), (7, 3, 2, 2)],
)
def test_batches_are_made_only_when_requests_are_short(backlog: int, room: int, cap: int, size: int) -> None:
    assert batch_size(backlog, room, cap) == size
