"""`relay web`, whose journal forgets at once: each request is verified, read and answered, and nothing is written.

Never for use: it is what the relay's own figure is divided by, to see what storing costs.

    python -m bench.peers.unstored
"""

from __future__ import annotations

from concurrent.futures import Future
from itertools import count

from relay import house, log, settings
from relay.store.group_commit import GroupCommit, Soon
from relay.store.journal import Arrival, Receipt
from relay.web import server


class Forgetful(GroupCommit[Arrival, Receipt]):
    """A journal that says that it has written, of all that came in a round of the loop at once.

    To answer each by itself would cost more, as the processor then has both in its caches by turns.
    """

    def __init__(self) -> None:
        super().__init__(lambda _: ())
        self._numbers = count(1)
        self._came: list[tuple[Arrival, Future[Receipt]]] = []

    def __call__(self, given: Arrival) -> Future[Receipt]:
        self._came.append((given, Future()))
        if len(self._came) == 1 and self._soon:
            self._soon(self._forget)
        return self._came[-1][1]

    def begin_between(self, soon: Soon) -> None:
        self._soon = soon

    def _forget(self) -> None:
        came, self._came = self._came, []
        for each, written in came:
            written.set_result(Receipt(next(self._numbers), duplicate=False, kind=each.kind))


def _forgetful(built: house.House) -> house.House:
    built.__dict__["journal"] = Forgetful()  # where the cached property would keep its own
    return built


if __name__ == "__main__":
    env = house.environment()
    chosen = settings.read(env)
    log.setup(chosen.log)
    server.serve(_forgetful(house.build(chosen, env)))
