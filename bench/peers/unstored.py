"""`relay web`, whose journal forgets at once: each request is verified, read and answered, and nothing is written.

Never for use: it is what the relay's own figure is divided by, to see what storing costs.

    python -m bench.peers.unstored
"""

from __future__ import annotations

from itertools import count

from relay import house, settings
from relay.store.journal import Arrival, Receipt
from relay.web import server

_build = house.build


def _forgetful(chosen: settings.Settings, env: dict[str, str]) -> house.House:
    built, numbers = _build(chosen, env), count(1)

    def forget(arrival: Arrival) -> Receipt:
        return Receipt(next(numbers), duplicate=False, kind=arrival.kind)

    built.__dict__["journal"] = forget  # where the cached property would keep its own
    return built


if __name__ == "__main__":
    house.build = _forgetful
    server.serve(settings.read(house.environment()))
