"""The judge of the chaos sees each way in which a promise can be broken, and excuses no repeat without a cause."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from relay.sandbox import Portal
from relay.sandbox.gate import Key as WayIn
from relay.sandbox.portal import Call
from tests.conftest import Clock
from tests.line.audit import STOPPED, Findings, Key, UnknownEnd, audit

PERSON = 17
PATIENCE = 3.0
Act = Callable[["Stand"], None]


class Stand:
    """A portal whose clock stands, and a sender that says what was acknowledged."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.portal = Portal(clock=self.clock, sleep=self.clock.forward, rate="unlimited")
        self.key = Key(0, "key", tagged=True)

    def send(self, number: int, *, tag: str = "key", after: float = 1.0) -> None:
        self.clock.forward(after)
        params: dict[str, Any] = {"TO": PERSON, "MESSAGE": f"key {number}", "TAG": tag}
        self.portal.answer(Call(WayIn(token=self.portal.token), "im.notify.personal.add", params))

    def judged(self, ends: Mapping[str, Sequence[UnknownEnd]]) -> Findings:
        return audit([self.portal], [self.key], person=PERSON, ends=ends, patience=PATIENCE, rate=1, burst=2)


def everything(stand: Stand) -> None:
    stand.key.acknowledged = 3
    for number in (1, 2, 3):
        stand.send(number)


def nothing_of_the_last(stand: Stand) -> None:
    stand.key.acknowledged = 3
    stand.send(2)


def a_gap(stand: Stand) -> None:
    stand.key = Key(0, "key", tagged=False, acknowledged=3)
    stand.send(1)
    stand.send(3)


def the_second_first(stand: Stand) -> None:
    stand.key.acknowledged = 3
    for number in (2, 1, 3):
        stand.send(number)


def the_last_twice(stand: Stand) -> None:
    everything(stand)
    stand.send(3)


def an_old_state_last(stand: Stand) -> None:
    everything(stand)
    stand.portal.fail("close", when="after")
    stand.send(2)


def two_beside_each_other(stand: Stand) -> None:
    stand.key.acknowledged = 2
    stand.send(1, tag="one")
    stand.send(2, tag="another")


def four_at_once(stand: Stand) -> None:
    stand.key.acknowledged = 4
    for number in (1, 2, 3, 4):
        stand.send(number, after=0.0)


LOST, ORDER, REPEATS, STOPS, TWICE, NEWEST, PACE = range(7)


@pytest.mark.parametrize(
    ("act", "broken"),
    [
        (everything, set()),
        (nothing_of_the_last, {LOST, NEWEST}),
        (a_gap, {LOST}),
        (the_second_first, {ORDER}),
        (the_last_twice, {REPEATS}),
        (an_old_state_last, {REPEATS, NEWEST}),
        (two_beside_each_other, {TWICE}),
        (four_at_once, {PACE}),
    ],
)
def test_each_promise_can_be_broken(act: Act, broken: set[int]) -> None:
    stand = Stand()
    act(stand)
    promises = stand.judged({}).promises(lanes=4)
    assert {number for number, (_, _, held) in enumerate(promises) if not held} == broken, promises


@pytest.mark.parametrize(
    ("fault", "unknown_after", "excused"),
    [
        ({"kind": "reset", "when": "after"}, None, True),
        ({"kind": "slow", "seconds": PATIENCE}, None, True),
        ({"kind": "slow", "seconds": PATIENCE - 1}, None, False),
        (None, None, False),
        (None, 0.5, True),  # the relay did not know between the two
        (None, 1.5, False),  # and here after both
    ],
)
def test_a_repeat_is_excused_by_a_fault_or_by_an_unknown_end_between_the_two(
    fault: dict[str, Any] | None, unknown_after: float | None, excused: bool
) -> None:
    stand = Stand()
    stand.key.acknowledged = 1
    if fault:
        stand.portal.fail(**fault)
    stand.send(1)
    ends = {} if unknown_after is None else {"key 1": [UnknownEnd(stand.clock() + unknown_after, STOPPED)]}
    stand.send(1)
    assert (stand.judged(ends).without_cause == []) is excused


def test_a_stop_is_no_excuse_for_more_calls_than_were_in_flight() -> None:
    stand = Stand()
    stand.key = Key(0, "key", tagged=False, acknowledged=3)
    for number in (1, 2, 3):
        stand.send(number)
    ends = {f"key {number}": [UnknownEnd(stand.clock() + 0.5, STOPPED)] for number in (1, 2, 3)}
    for number in (1, 2, 3):
        stand.send(number)
    found = stand.judged(ends)
    assert found.without_cause == []
    assert [found.promises(lanes=lanes)[STOPS][2] for lanes in (2, 3)] == [False, True]
