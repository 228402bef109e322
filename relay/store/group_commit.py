"""Many requests, one commit: what comes at the same moment shares a transaction and its fsync.

Never answers before the commit: a future is kept when what was given is on disk, or broken when it is not.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

from relay.errors import StoreUnavailable

MOST = 64  # arrivals in one transaction; a commit of 64 still takes milliseconds

Given = TypeVar("Given")
Got = TypeVar("Got")
Commit = Callable[[Sequence[Given]], Sequence[Got]]
Begin = Callable[[Sequence[Given]], tuple[Sequence[Got], Callable[[], object]]]
Soon = Callable[[Callable[[], None]], object]
Group = Sequence[tuple[Given, Future[Got]]]


class GroupCommit(Generic[Given, Got]):
    """Call it from any number of threads: it takes note, and nobody who calls it waits.

    A thread of its own commits what waits, and what has come meanwhile, until nothing does. A server with an event loop
    had better begin there, between two rounds of requests (`begin_between`), and leave to the thread what waits for the
    disk.

    Args:
        commit: takes the waiting values, in order, and returns as many results once they are on disk.
        begin: takes them as well, but fails at once where ``commit`` would wait for others; returns the results, and
            what brings them to the disk. That is called in another thread.
    """

    def __init__(self, commit: Commit[Given, Got], *, begin: Begin[Given, Got] | None = None) -> None:
        self._commit = commit
        self._begin = begin
        self._soon: Soon | None = None
        self._thread = ThreadPoolExecutor(1, "journal")  # started when it is first needed
        self._waiting: list[tuple[Given, Future[Got]]] = []
        self._at_work = False
        self._guard = threading.Lock()  # of the two above

    def begin_between(self, soon: Soon) -> None:
        """Begin in the loop in which ``soon``, called from any thread, runs a callback, as far as nobody must wait.

        To write is a millisecond of work. A thread beside the loop's takes several: at each step of SQLite's the two
        hand the interpreter's lock to and fro. The disk takes as long again, and the loop goes on meanwhile. What an
        event costs: `python -m bench.accept`.
        """
        if self._begin is not None:
            self._soon = soon

    def __call__(self, given: Given) -> Future[Got]:
        mine: Future[Got] = Future()
        with self._guard:
            self._waiting.append((given, mine))
            idle, self._at_work = not self._at_work, True
        if idle:
            self._go_on()
        return mine

    def _go_on(self) -> None:
        """With what waits, after the requests that came meanwhile."""
        try:
            self._soon(self._work_here) if self._soon else self._thread.submit(self._work)
        except RuntimeError:  # the loop is closed, and somebody still had something to give
            self._thread.submit(self._work)

    def _work(self) -> None:
        while group := self._next():
            self._settle(group)

    def _work_here(self) -> None:
        """One group; the thread, which has patience, takes over what cannot be done at once."""
        if not self._begin or not (group := self._next()):
            return
        try:
            results, finish = self._begin([given for given, _ in group])
        except Exception:  # whatever it is, the thread will meet it
            self._put_back(group)
            self._thread.submit(self._work)
        else:
            self._thread.submit(self._finish, group, results, finish)

    def _finish(self, group: Group[Given, Got], results: Sequence[Got], finish: Callable[[], object]) -> None:
        try:
            finish()
        except Exception:  # as above
            self._put_back(group)
            self._work()
        else:
            self._answer(group, results)

    def _answer(self, group: Group[Given, Got], results: Sequence[Got]) -> None:
        """Keep the futures of a group in the loop, which one signal wakes for all of them, and go on."""

        def keep() -> None:
            _keep(group, results)
            self._go_on()

        try:
            self._soon(keep) if self._soon else keep()
        except RuntimeError:  # as above
            keep()

    def _put_back(self, group: Group[Given, Got]) -> None:
        with self._guard:
            self._waiting = [*group, *self._waiting]

    def _next(self) -> Group[Given, Got]:
        with self._guard:
            group, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            self._at_work = bool(group)
        return group

    def _settle(self, group: Group[Given, Got]) -> None:
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


def _keep(group: Group[Given, Got], results: Sequence[Got]) -> None:
    for (_, future), result in zip(group, results, strict=True):
        future.set_result(result)
