"""How fast the portal may be asked, and how long to wait: the leaky bucket as the portal counts it.

Never reads a clock and never waits: every time is an argument, in Unix seconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from relay.bitrix.options import Plan

FIRST_WAIT = 1.0
LONGEST_WAIT = 15 * 60.0
_ROUNDING = 1e-6  # seconds: a Unix time in a double is exact to 2e-7; a wait must not end a hair too early


@dataclass(frozen=True, slots=True)
class Pace:
    """A portal's limit in its own words: each request adds 1 to a counter that falls by ``rate`` a second, and
    beyond ``burst`` the next one is refused (Bitrix24 REST docs, limits).

    A level is that counter as we reckon it. It is stored with the time at which it was so.
    """

    rate: float
    burst: int

    @property
    def ceiling(self) -> int:
        """How high we let the counter go: below ``burst``, by what it may fall late if it falls once a second
        (``rate`` - 1) and never by less than one, as our clock runs ahead of the portal's by the way there."""
        return max(1, self.burst - max(1, min(math.ceil(self.rate) - 1, self.burst // 4)))

    @property
    def full(self) -> float:
        """The level after a refusal, or when nothing is known: over the top, by the portal's own account."""
        return self.burst + 1.0

    def level(self, stored_level: float, stored_at: float, now: float) -> float:
        """The level now. It never falls below 0, and a clock that goes back leaks nothing."""
        return max(0.0, stored_level - self.rate * max(0.0, now - stored_at))

    def room(self, stored_level: float, stored_at: float, now: float) -> int:
        """How many whole requests may be sent now."""
        level = self.level(stored_level, stored_at, now) - self.rate * _ROUNDING
        return max(0, math.floor(self.ceiling - level))

    def wait(self, stored_level: float, stored_at: float, now: float) -> float:
        """Seconds until one request may be sent; 0 if it may now."""
        if self.room(stored_level, stored_at, now) >= 1:
            return 0.0
        return (self.level(stored_level, stored_at, now) + 1 - self.ceiling) / self.rate


# Bitrix24 REST docs, limits: Enterprise leaks 5 a second over a threshold of 250, all other plans 2 over 50.
PLANS = {
    "standard": Pace(rate=2, burst=50),
    "enterprise": Pace(rate=5, burst=250),
    "unlimited": Pace(rate=1_000_000, burst=1_000_000_000),  # a self-hosted portal's own server sets the limit
}


def from_plan(plan: str | Plan) -> Pace:
    """The pace of ``plan:`` in the rules file: a name in `PLANS`, or its own numbers."""
    return Pace(plan.rate, plan.burst) if isinstance(plan, Plan) else PLANS[plan]


def backoff(attempts: int, *, jitter: float) -> float:
    """Seconds to wait after the ``attempts``-th failure: 1, 2, 4, … up to 15 minutes.

    ``jitter`` from 0 to 1 takes up to a half of it off, so that those who failed together do not return together.
    """
    doublings = min(max(attempts, 1) - 1, 10)
    return min(FIRST_WAIT * 2.0**doublings, LONGEST_WAIT) * (1 - jitter / 2)


def batch_size(backlog: int, room: int, cap: int) -> int:
    """How many messages the next request should carry.

    One, while there is a request for each: a call of its own answers for itself. Only because requests are
    short is it worth to put several messages at the mercy of one answer.
    """
    return min(backlog, 1) if backlog <= room else min(cap, backlog)
