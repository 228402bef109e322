"""How fast the portal may be asked, and how long to wait: its leaky bucket as it counts it, and our share of that.

Never reads a clock and never waits: every time is an argument, in Unix seconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from relay.bitrix.options import Plan

FIRST_WAIT = 1.0
LONGEST_WAIT = 15 * 60.0
LEAST_SHARE = 1 / 16  # at the standard plan a request in eight seconds: nobody drives us away altogether
WHOLE_AFTER = 600.0  # seconds in which a share grows from nothing to the whole: half is regained in five minutes
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

    def part(self, share: float) -> Pace:
        """A bucket of our own within the portal's: ``share`` of its burst and of its rate, more than 0 and at most 1.

        Several on one address whose parts add up to one bucket or less are never refused.
        """
        if share >= 1:
            return self
        whole = PLANS["enterprise"] if self == PLANS["unlimited"] else self
        return Pace(rate=whole.rate * share, burst=max(1, math.floor(whole.burst * share)))


# Bitrix24 REST docs, limits: Enterprise leaks 5 a second over a threshold of 250, all other plans 2 over 50.
PLANS = {
    "standard": Pace(rate=2, burst=50),
    "enterprise": Pace(rate=5, burst=250),
    # A self-hosted portal's own server sets the limit. Once it refuses, there is one, and of infinity there is no half:
    # we go on from half of the largest limit that Bitrix24 itself sets, and know none again when we are back at it.
    "unlimited": Pace(rate=1_000_000, burst=1_000_000_000),
}


def from_plan(plan: str | Plan) -> Pace:
    """The pace of ``plan:`` in the rules file: a name in `PLANS`, or its own numbers."""
    return Pace(plan.rate, plan.burst) if isinstance(plan, Plan) else PLANS[plan]


# ── Our share ─────────────────────────────────────────────────────────────────────────────────────────────────────
#
# The portal counts by source address (Bitrix24 REST docs, limits): whatever else asks from ours drinks from the same
# bucket, and a refusal is all that we hear of it. So our share is halved by a refusal and grows back by the clock, as
# TCP shares a line (RFC 5681 §3.1): several that do so come to equal shares. It is stored with the time at which it
# was so; whoever is alone on his address is never refused, and keeps the whole.


def share(stored_share: float, stored_at: float, now: float) -> float:
    """Our share now, from `LEAST_SHARE` to 1: it grows from nothing to the whole in `WHOLE_AFTER` seconds."""
    return min(1.0, max(LEAST_SHARE, stored_share) + max(0.0, now - stored_at) / WHOLE_AFTER)


def share_after_refusal(stored_share: float, stored_at: float, now: float) -> float:
    """What a refusal leaves of our share."""
    return max(LEAST_SHARE, share(stored_share, stored_at, now) / 2)


# ── Failures and batches ──────────────────────────────────────────────────────────────────────────────────────────


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
