"""Many requests, one commit: callers that come at the same moment share a transaction and its fsync.

Never answers before the commit: a call returns when what it gave is on disk, or raises when it is not.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

from relay.errors import StoreUnavailable

MOST = 64  # arrivals in one transaction; a commit of 64 still takes milliseconds

Given = TypeVar("Given")
Got = TypeVar("Got")


class GroupCommit(Generic[Given, Got]):
    """Call it from any number of threads; ``commit`` runs in one of them at a time.

    Whoever finds nobody committing leads: he commits what waits, his own and the others'. Those who come meanwhile
    wait for their turn to lead and mostly find, when it comes, that it has been done for them. There is no thread to
    start or stop.

    Args:
        commit: takes the waiting values, in order, and returns as many results once they are on disk.
    """

    def __init__(self, commit: Callable[[Sequence[Given]], Sequence[Got]]) -> None:
        self._commit = commit
        self._leading = threading.Lock()
        self._waiting: list[tuple[Given, Future[Got]]] = []
        self._guard = threading.Lock()  # of the list

    def __call__(self, given: Given) -> Got:
        mine: Future[Got] = Future()
        with self._guard:
            self._waiting.append((given, mine))
        while not mine.done():
            with self._leading:
                if not mine.done():
                    self._lead()
        return mine.result()

    def _lead(self) -> None:
        with self._guard:
            group, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        try:
            self._settle(group)
        except StoreUnavailable as fault:  # it has waited for the database long enough for all of them
            for _, future in group:
                future.set_exception(fault)
        except Exception as fault:
            if len(group) == 1:
                group[0][1].set_exception(fault)
                return
            for one in group:  # one that cannot be written must not refuse the others
                self._alone(one)

    def _alone(self, one: tuple[Given, Future[Got]]) -> None:
        try:
            self._settle([one])
        except Exception as fault:
            one[1].set_exception(fault)

    def _settle(self, group: Sequence[tuple[Given, Future[Got]]]) -> None:
        results = self._commit([given for given, _ in group])
        for (_, future), result in zip(group, results, strict=True):
            future.set_result(result)
