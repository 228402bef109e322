"""The bucket's arithmetic, on a clock that is a number."""

from __future__ import annotations

import pytest

from relay.sandbox import Portal
from relay.sandbox.bucket import ENTERPRISE, STANDARD, Bucket, Rate
from tests.conftest import Clock
from tests.sandbox.build import line, reply, send


@pytest.mark.parametrize("rate", [STANDARD, ENTERPRISE, Rate(3, 0.5)])
def test_as_many_as_the_threshold_pass_at_once_and_then_one_a_leak(rate: Rate) -> None:
    bucket = Bucket(rate)

    assert [bucket.admit("a", 0.0) for _ in range(int(rate.threshold) + 1)] == [True] * int(rate.threshold) + [False]
    assert not bucket.admit("a", 0.9 / rate.leak)
    assert bucket.admit("a", 1 / rate.leak)
    assert not bucket.admit("a", 1 / rate.leak)


def test_the_steady_rate_never_fills_it() -> None:
    bucket = Bucket(STANDARD)

    assert all(bucket.admit("a", second / 2) for second in range(7200))


def test_each_address_has_its_own() -> None:
    bucket = Bucket(Rate(1, 1))

    assert [bucket.admit(source, 0.0) for source in ("a", "b", "a")] == [True, True, False]


@pytest.mark.parametrize(("refused_fills", "passes"), [(False, True), (True, False)])
def test_refused_requests_fill_it_only_if_switched_so(refused_fills: bool, passes: bool) -> None:
    bucket = Bucket(Rate(1, 1), refused_fills=refused_fills)
    for _ in range(5):
        bucket.admit("a", 0.0)

    assert bucket.admit("a", 1.0) is passes


def test_in_steps_it_leaks_at_whole_seconds() -> None:
    bucket = Bucket(Rate(2, 2), leak_each_second=True)

    assert [bucket.admit("a", now) for now in (0.1, 0.2, 0.9, 1.0, 1.0, 1.5)] == [True, True, False, True, True, False]


def test_a_clock_set_back_does_not_empty_or_fill_it() -> None:
    bucket = Bucket(Rate(1, 1))
    bucket.admit("a", 100.0)

    assert not bucket.admit("a", 50.0)


def test_the_portal_refuses_with_503_and_counts_it(clock: Clock) -> None:
    portal = Portal(rate=(2, 1), clock=clock)

    answers = [reply(portal, "profile").status for _ in range(3)]

    assert answers == [200, 200, 503]
    assert reply(portal, "profile").body == '{"error":"QUERY_LIMIT_EXCEEDED","error_description":"Too many requests"}'
    assert (portal.counters["refused"], portal.counters["requests"], portal.counters["commands"]) == (2, 4, 2)
    clock.forward(1)
    assert reply(portal, "profile").status == 200


def test_a_batch_of_fifty_is_one_drop(clock: Clock) -> None:
    portal = Portal(rate=(2, 0), clock=clock)
    cmd = {f"n{n}": line("profile") for n in range(50)}

    assert [reply(portal, "batch", cmd=cmd).status for _ in range(3)] == [200, 200, 503]
    assert portal.counters["commands"] == 100


def test_the_bucket_stands_before_every_other_check(clock: Clock) -> None:
    portal = Portal(rate=(0, 0), clock=clock, closed=True)

    assert reply(portal, "no.such.method").status == 503


def test_unlimited_is_unlimited(portal: Portal) -> None:
    assert all(send(portal) for _ in range(300))
