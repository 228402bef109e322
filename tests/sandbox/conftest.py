"""A portal without a limit, on a clock that stands; the same on a socket."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from relay.sandbox import Portal, Server, serve
from tests.conftest import Clock


@pytest.fixture
def portal(clock: Clock) -> Portal:
    return Portal(rate="unlimited", clock=clock)


@pytest.fixture
def server() -> Iterator[Server]:
    with serve(Portal(rate="unlimited"), control=True) as running:
        yield running
