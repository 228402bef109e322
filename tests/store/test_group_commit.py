"""Callers that come together share a commit, and each gets his own answer, or his own refusal."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from relay.errors import StoreUnavailable
from relay.store.group_commit import MOST, GroupCommit


class Ledger:
    """A commit that can be held up, and that remembers its groups."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()

    def __call__(self, given: Sequence[int]) -> list[int]:
        self.entered.set()
        assert self.gate.wait(10)
        if 13 in given:
            raise OSError("thirteen cannot be written")
        self.groups.append(list(given))
        return [-number for number in given]


def test_one_caller_commits_alone() -> None:
    ledger = Ledger()

    assert GroupCommit(ledger)(7).result() == -7
    assert ledger.groups == [[7]]


def test_those_who_come_during_a_commit_share_the_next_one() -> None:
    ledger = Ledger()
    commit = GroupCommit(ledger)
    ledger.gate.clear()
    first = commit(0)
    assert ledger.entered.wait(10)
    others = [commit(number) for number in range(100, 110)]
    ledger.gate.set()

    assert [future.result(10) for future in [first, *others]] == [0, *(-number for number in range(100, 110))]
    assert [len(group) for group in ledger.groups] == [1, 10]


def test_every_one_of_many_callers_gets_his_own_result() -> None:
    ledger = Ledger()
    commit = GroupCommit(ledger)
    with ThreadPoolExecutor(32) as pool:
        results = [future.result(10) for future in pool.map(commit, range(1000, 3000))]

    assert results == [-number for number in range(1000, 3000)]
    assert max(len(group) for group in ledger.groups) <= MOST


def test_one_that_cannot_be_written_does_not_refuse_the_others() -> None:
    ledger = Ledger()
    commit = GroupCommit(ledger)
    ledger.gate.clear()
    blocker = commit(0)
    assert ledger.entered.wait(10)
    futures = {number: commit(number) for number in (12, 13, 14)}
    ledger.gate.set()

    assert blocker.result(10) == 0
    assert futures[12].result(10) == -12
    assert futures[14].result(10) == -14
    with pytest.raises(OSError, match="thirteen"):
        futures[13].result(10)


# ── Between the rounds of a loop ──────────────────────────────────────────────────────────────────────────────


class Loop:
    """Callbacks that wait for their turn, and are told of from any thread."""

    def __init__(self) -> None:
        self.waiting: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.is_closed = False

    def soon(self, callback: Callable[[], None]) -> None:
        if self.is_closed:
            raise RuntimeError("Event loop is closed")
        self.waiting.put(callback)

    def turn(self) -> None:
        """The next callback, waited for."""
        self.waiting.get(timeout=10)()


class Pen(Ledger):
    """What begins: it writes, and what it returns may be held up and brings it to the disk."""

    def __init__(self) -> None:
        super().__init__()
        self.tried: list[list[int]] = []
        self.faults: list[Exception] = []  # of the next beginnings
        self.late_faults: list[Exception] = []  # of the next endings
        self.threads: list[tuple[int, int]] = []  # in which each began and ended

    def begin(self, given: Sequence[int]) -> tuple[list[int], Callable[[], None]]:
        self.tried.append(list(given))
        if self.faults:
            raise self.faults.pop()
        began = threading.get_ident()

        def finish() -> None:
            self.entered.set()
            assert self.gate.wait(10)
            if self.late_faults:
                raise self.late_faults.pop()
            self.groups.append(list(given))
            self.threads.append((began, threading.get_ident()))

        return [-number for number in given], finish


AT_WORK = StoreUnavailable("another writer is at work")


def between(loop: Loop, pen: Pen, patient: Ledger) -> GroupCommit[int, int]:
    journal = GroupCommit(patient, begin=pen.begin)
    journal.begin_between(loop.soon)
    return journal


def test_in_a_loop_those_of_one_round_share_a_commit_and_are_answered_in_the_loop() -> None:
    loop, pen, patient = Loop(), Pen(), Ledger()
    journal, kept_in = between(loop, pen, patient), []
    first = [journal(number) for number in (1, 2, 3)]
    first[0].add_done_callback(lambda _: kept_in.append(threading.get_ident()))

    loop.turn()
    assert pen.entered.wait(10)
    assert not any(future.done() for future in first)
    loop.turn()
    assert [future.result(0) for future in first] == [-1, -2, -3]
    assert (pen.groups, patient.groups) == ([[1, 2, 3]], [])
    ((began, ended),) = pen.threads
    assert (began, kept_in) == (threading.get_ident(), [began])
    assert ended != began


def test_while_the_disk_is_waited_for_the_loop_gathers_the_next_group() -> None:
    loop, pen = Loop(), Pen()
    journal = between(loop, pen, Ledger())
    pen.gate.clear()
    first = journal(1)
    loop.turn()
    assert pen.entered.wait(10)
    others = [journal(number) for number in (2, 3)]
    assert loop.waiting.empty()
    pen.gate.set()
    loop.turn()
    assert first.result(0) == -1

    loop.turn()
    loop.turn()
    assert [future.result(0) for future in others] == [-2, -3]
    assert pen.groups == [[1], [2, 3]]


def test_what_the_loop_would_have_to_wait_for_is_done_by_the_thread_in_its_order() -> None:
    loop, pen, patient = Loop(), Pen(), Ledger()
    journal = between(loop, pen, patient)
    pen.faults = [AT_WORK]
    patient.gate.clear()
    futures = [journal(number) for number in (1, 2)]
    loop.turn()
    assert patient.entered.wait(10)
    futures += [journal(number) for number in (3, 4)]
    patient.gate.set()

    assert [future.result(10) for future in futures] == [-1, -2, -3, -4]
    assert patient.groups == [[1, 2], [3, 4]]


def test_what_does_not_come_to_the_disk_is_done_again_by_the_thread_before_what_came_later() -> None:
    loop, pen, patient = Loop(), Pen(), Ledger()
    journal = between(loop, pen, patient)
    pen.late_faults = [AT_WORK]
    pen.gate.clear()
    futures = [journal(number) for number in (1, 2)]
    loop.turn()
    assert pen.entered.wait(10)
    futures += [journal(number) for number in (3, 4)]
    pen.gate.set()

    assert [future.result(10) for future in futures] == [-1, -2, -3, -4]
    assert (pen.groups, patient.groups) == ([], [[1, 2, 3, 4]])


def test_after_the_thread_has_helped_out_the_loop_begins_again() -> None:
    loop, pen, patient = Loop(), Pen(), Ledger()
    journal = between(loop, pen, patient)
    pen.faults = [AT_WORK]
    first = journal(1)
    loop.turn()
    assert first.result(10) == -1
    while journal._at_work:
        pass
    second = journal(2)
    loop.turn()
    loop.turn()

    assert second.result(0) == -2
    assert (patient.groups, pen.tried, pen.groups) == ([[1]], [[1], [2]], [[2]])


def test_what_comes_after_the_loop_is_closed_is_committed_by_the_thread() -> None:
    loop, patient = Loop(), Ledger()
    journal = between(loop, Pen(), patient)
    loop.is_closed = True

    assert journal(1).result(10) == -1
    assert patient.groups == [[1]]


def test_what_is_on_disk_when_the_loop_is_closed_is_answered_all_the_same_and_what_follows_as_well() -> None:
    loop, pen, patient = Loop(), Pen(), Ledger()
    journal = between(loop, pen, patient)
    pen.gate.clear()
    first = journal(1)
    loop.turn()
    assert pen.entered.wait(10)
    second = journal(2)
    loop.is_closed = True
    pen.gate.set()

    assert (first.result(10), second.result(10)) == (-1, -2)
    assert (pen.groups, patient.groups) == ([[1]], [[2]])
