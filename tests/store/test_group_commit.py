"""Callers that come together share a commit, and each gets his own answer, or his own refusal."""

from __future__ import annotations

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
    """Callbacks that wait for their turn."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def soon(self, callback: Callable[[], None]) -> None:
        self.waiting.append(callback)

    def round(self) -> None:
        ready, self.waiting = self.waiting, []
        for callback in ready:
            callback()


def test_in_a_loop_those_of_one_round_share_a_commit_and_are_answered_in_it() -> None:
    eager, loop = Ledger(), Loop()
    journal = GroupCommit(Ledger(), eager=eager)
    journal.commit_between(loop.soon)
    first = [journal(number) for number in (1, 2, 3)]

    assert not any(future.done() for future in first)
    loop.round()
    assert [future.result(0) for future in first] == [-1, -2, -3]

    second = [journal(number) for number in (4, 5)]
    loop.round()
    assert [future.result(0) for future in second] == [-4, -5]
    assert eager.groups == [[1, 2, 3], [4, 5]]


def test_what_the_loop_would_have_to_wait_for_is_done_by_the_thread_in_its_order() -> None:
    loop, patient = Loop(), Ledger()

    def eager(given: Sequence[int]) -> list[int]:
        raise StoreUnavailable("another writer is at work")

    journal = GroupCommit(patient, eager=eager)
    journal.commit_between(loop.soon)
    patient.gate.clear()
    futures = [journal(number) for number in (1, 2)]
    loop.round()
    assert patient.entered.wait(10)
    futures += [journal(number) for number in (3, 4)]
    patient.gate.set()

    assert [future.result(10) for future in futures] == [-1, -2, -3, -4]
    assert patient.groups == [[1, 2], [3, 4]]


def test_after_the_thread_has_helped_out_the_loop_commits_again() -> None:
    loop, patient, tried = Loop(), Ledger(), []

    def eager(given: Sequence[int]) -> list[int]:
        tried.append(list(given))
        if len(tried) == 1:
            raise StoreUnavailable("another writer is at work")
        return [-number for number in given]

    journal = GroupCommit(patient, eager=eager)
    journal.commit_between(loop.soon)
    first = journal(1)
    loop.round()
    assert first.result(10) == -1
    while journal._at_work:
        pass
    second = journal(2)
    loop.round()

    assert second.result(0) == -2
    assert (patient.groups, tried) == ([[1]], [[1], [2]])


def test_what_comes_after_the_loop_is_closed_is_committed_by_the_thread() -> None:
    def soon(_callback: Callable[[], None]) -> None:
        raise RuntimeError("Event loop is closed")

    patient = Ledger()
    journal = GroupCommit(patient, eager=Ledger())
    journal.commit_between(soon)

    assert journal(1).result(10) == -1
    assert patient.groups == [[1]]
