"""Many requests, one commit: what comes at the same moment shares a transaction and its fsync.

Never answers before the commit: a future is kept when what was given is on disk, or broken when it is not.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Generic, TypeVar

from relay.errors import StoreUnavailable

MOST = 64  # arrivals in one transaction; a commit of 64 still takes milliseconds

Given = TypeVar("Given")
Got = TypeVar("Got")
Commit = Callable[[Sequence[Given]], Sequence[Got]]


class GroupCommit(Generic[Given, Got]):
    """Call it from any number of threads: it takes note, and nobody who calls it waits.

    A thread of its own commits what waits, and what has come meanwhile, until nothing does. A server with an event loop
    had better do it there, between two rounds of requests (`commit_between`).

    Args:
        commit: takes the waiting values, in order, and returns as many results once they are on disk.
        eager: the same, but fails at once where ``commit`` would wait for others.
    """

    def __init__(self, commit: Commit[Given, Got], *, eager: Commit[Given, Got] | None = None) -> None:
        self._commit = commit
        self._eager = eager
        self._thread = ThreadPoolExecutor(1, "journal")  # started when it is first needed
        self._begin: Callable[[], object] = self._begin_aside
        self._waiting: list[tuple[Given, Future[Got]]] = []
        self._at_work = False
        self._guard = threading.Lock()  # of the two above

    def commit_between(self, soon: Callable[[Callable[[], None]], object]) -> None:
        """Commit in the loop in which ``soon``, called from any thread, runs a callback, as far as nobody must wait.

        A commit is a millisecond of work. A thread beside the loop's takes several: at each step of SQLite's the two
        hand the interpreter's lock to and fro. What an event costs: `python -m bench.accept`.
        """
        if self._eager is None:
            return
        work = partial(self._work_here, self._eager)

        def begin() -> None:
            try:
                soon(work)
            except RuntimeError:  # the loop is closed, and somebody still had something to give
                self._begin_aside()

        self._begin = begin

    def __call__(self, given: Given) -> Future[Got]:
        mine: Future[Got] = Future()
        with self._guard:
            self._waiting.append((given, mine))
            idle, self._at_work = not self._at_work, True
        if idle:
            self._begin()
        return mine

    def _begin_aside(self) -> None:
        self._thread.submit(self._work)

    def _work(self) -> None:
        while group := self._next():
            self._settle(group)

    def _work_here(self, eager: Commit[Given, Got]) -> None:
        """One group; the thread, which has patience, takes over what cannot be done at once."""
        if not (group := self._next()):
            return
        try:
            results = eager([given for given, _ in group])
        except Exception:  # whatever it is, the thread will meet it
            with self._guard:
                self._waiting = [*group, *self._waiting]
            self._begin_aside()
        else:
            _keep(group, results)
            self._begin()  # after the requests that came meanwhile

    def _next(self) -> Sequence[tuple[Given, Future[Got]]]:
        with self._guard:
            group, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            self._at_work = bool(group)
        return group

    def _settle(self, group: Sequence[tuple[Given, Future[Got]]]) -> None:
        try:
            results = self._commit([given for given, _ in group])
        except Exception as fault:
            if len(group) == 1 or isinstance(fault, StoreUnavailable):  # it has waited for the database long enough
                for _, future in group:
                    future.set_exception(fault)
            else:
                for one in group:  # one that cannot be written must not refuse the others
                    self._settle([one])
        else:
            _keep(group, results)


def _keep(group: Sequence[tuple[Given, Future[Got]]], results: Sequence[Got]) -> None:
    for (_, future), result in zip(group, results, strict=True):
        future.set_result(result)
