"""The real courier beside somebody who takes half of the portal's rate from the same address, judged by the portal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from relay import courier
from relay.bitrix import address, pace
from relay.bitrix.client import Client
from relay.courier import Destination, Load
from relay.sandbox import Portal, Server, serve
from relay.sandbox.gate import Key
from relay.sandbox.params import Params
from relay.sandbox.portal import Call
from relay.store import portals
from relay.store.database import Database
from tests.conftest import Clock, only_sqlite
from tests.store.build import message, put

PACE = pace.Pace(rate=0.5, burst=12)  # a quarter of the standard plan's, so that an hour is a few hundred calls


@dataclass
class Street:
    """A portal with two who ask it from one address, in a time that is a number."""

    portal: Portal
    database: Database
    to: Destination
    clock: Clock
    sent: int = 0
    refused: int = 0

    def live(self, seconds: float, *, other: float) -> None:
        """Let time pass, with the outbox never empty, and another who asks ``other`` times a second."""
        end = self.clock.now + seconds
        other_at = self.clock.now if other else end
        while self.clock.now < end:
            claimed = self.claim()
            if isinstance(claimed, Load):
                self.carry(claimed)
                continue
            self.clock.now = min(other_at, self.clock.now + claimed.seconds)
            if self.clock.now == other_at < end:
                self.portal.answer(Call(Key(token="sandbox-token"), "profile", Params({})))
                other_at += 1 / other

    def claim(self) -> Load | courier.Wait:
        return courier.claim(self.database, self.to, holder="me", lease_seconds=1000)

    def carry(self, load: Load) -> None:
        came = courier.deliver(self.to, load, now=self.clock.now)
        courier.settle(self.database, self.to, load, came, jitter=0.5)
        self.sent += came.trouble is None
        self.refused += came.trouble is not None


@pytest.fixture
def server(clock: Clock) -> Iterator[Server]:
    with serve(Portal(clock=clock, rate=(PACE.burst, PACE.rate))) as running:
        yield running


@pytest.fixture
def street(server: Server, database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Street]:
    client = Client(address.parse(server.url, "sandbox-token"))
    to = Destination(name="main", pace=PACE, client=client, replaces_by_tag=True)
    put(database, *(message(user_id=17, key=str(number), tag=str(number)) for number in range(1000)))
    monkeypatch.setattr(courier, "BATCH", 1)  # a message in each call: it is calls that are counted here
    with database.write() as tx:
        portals.get(tx, "main")
        portals.shape_batches(tx, "main", 1)
    yield Street(server.portal, database, to, clock)
    client.close()


@only_sqlite
def test_alone_the_courier_is_never_refused_and_has_the_whole_rate(street: Street) -> None:
    street.live(100, other=0)

    assert street.refused == 0
    assert street.sent == pytest.approx(PACE.ceiling + 100 * PACE.rate, abs=1)


@only_sqlite
def test_beside_another_refusals_are_rare_and_what_is_left_is_used(street: Street) -> None:
    street.live(300, other=PACE.rate / 2)
    street.sent = street.refused = 0
    street.live(600, other=PACE.rate / 2)

    assert street.refused <= 600 / 150
    assert street.sent == pytest.approx(600 * PACE.rate / 2, rel=0.1)


@only_sqlite
def test_once_the_other_is_gone_the_whole_rate_is_back_and_no_refusal_comes_any_more(street: Street) -> None:
    street.live(150, other=PACE.rate / 2)
    street.live(pace.WHOLE_AFTER * 3 / 4, other=0)
    street.sent = street.refused = 0
    street.live(100, other=0)

    assert street.refused == 0
    assert street.sent == pytest.approx(100 * PACE.rate, abs=1)
