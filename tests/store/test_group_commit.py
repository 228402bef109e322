"""Callers that come together share a commit, and each gets his own answer, or his own refusal."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

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

    assert GroupCommit(ledger)(7) == -7
    assert ledger.groups == [[7]]


def test_those_who_come_during_a_commit_share_the_next_one() -> None:
    ledger = Ledger()
    commit = GroupCommit(ledger)
    ledger.gate.clear()
    with ThreadPoolExecutor(20) as pool:
        first = pool.submit(commit, 0)
        assert ledger.entered.wait(10)
        others = [pool.submit(commit, number) for number in range(100, 110)]
        while len(commit._waiting) < 10:
            pass
        ledger.gate.set()

        assert [future.result() for future in [first, *others]] == [0, *(-number for number in range(100, 110))]
    assert [len(group) for group in ledger.groups] == [1, 10]


def test_every_one_of_many_callers_gets_his_own_result() -> None:
    ledger = Ledger()
    commit = GroupCommit(ledger)
    with ThreadPoolExecutor(32) as pool:
        results = list(pool.map(commit, range(1000, 3000)))

    assert results == [-number for number in range(1000, 3000)]
    assert max(len(group) for group in ledger.groups) <= MOST


def test_one_that_cannot_be_written_does_not_refuse_the_others() -> None:
    ledger = Ledger()
    commit = GroupCommit(ledger)
    ledger.gate.clear()
    with ThreadPoolExecutor(20) as pool:
        blocker = pool.submit(commit, 0)
        assert ledger.entered.wait(10)
        futures = {number: pool.submit(commit, number) for number in (12, 13, 14)}
        while len(commit._waiting) < 3:
            pass
        ledger.gate.set()

        assert blocker.result() == 0
        assert futures[12].result() == -12
        assert futures[14].result() == -14
        with pytest.raises(OSError, match="thirteen"):
            futures[13].result()
