"""`relay web`, whose journal forgets at once: each request is verified, read and answered, and nothing is written.

Never for use: it is what the relay's own figure is divided by, to see what storing costs.

    python -m bench.peers.unstored
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from relay import house, log, settings
from relay.store.group_commit import GroupCommit
from relay.store.journal import Arrival, Receipt
from relay.web import server


def _forgetful(built: house.House) -> house.House:
    numbers = count(1)

    def forget(arrivals: Sequence[Arrival]) -> list[Receipt]:
        return [Receipt(next(numbers), duplicate=False, kind=each.kind) for each in arrivals]

    built.__dict__["journal"] = GroupCommit(forget, eager=forget)  # where the cached property would keep its own
    return built


if __name__ == "__main__":
    env = house.environment()
    chosen = settings.read(env)
    log.setup(chosen.log)
    server.serve(_forgetful(house.build(chosen, env)))
