"""Upkeep: what has served its time is taken away, a few rows at a time, and the space given back.

Never keeps anybody waiting: each transaction takes milliseconds, and between two of them at least four times as long is
left to others. One worker does it at a time, and whoever comes later goes on where it was left.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from relay import log
from relay.rules.retention import Retention
from relay.store import leases, retention, space
from relay.store.database import Database, chunks
from relay.store.retention import Bounds, Kind

EVERY = 3_600.0  # seconds from one look to the next
AFTER_THE_START = 60.0  # seconds; there is more to do then
CHUNK = 50  # rows in one transaction
OTHERS = 4.0  # times as long as a transaction took are left to others after it
SHORTEST, LONGEST = 0.01, 2.0  # seconds of such a pause

LEASE = "upkeep"
LEASE_SECONDS = 60.0

Pause = Callable[[float], bool]  # waits so many seconds; True: the relay is to stop


class Taken(Exception):
    """Somebody else does it at this moment."""


class _Stopped(Exception):
    """The relay is to stop."""


def bounds(database: Database, kept: Retention) -> Bounds:
    """The moments before which things have served their time now."""
    with database.read() as tx:
        now, referred = tx.now, frozenset(_referred(retention.referring(tx)))
    return Bounds(
        payloads=now - kept.payloads, events=now - kept.events, messages=now - kept.messages, referred=referred
    )


def ended_before(database: Database, moment: float) -> Bounds:
    """The same moment for everything."""
    with database.read() as tx:
        referred = frozenset(_referred(retention.referring(tx)))
    return Bounds(payloads=moment, events=moment, messages=moment, referred=referred)


def _referred(values: Iterator[str]) -> Iterator[int]:
    """The events that notes refer to, each by ``{"event": number, "nth": …}`` (rules/ripening.py)."""
    for value in values:
        yield from _numbers(json.loads(value))


def _numbers(value: Any) -> Iterator[int]:
    if isinstance(value, Mapping):
        if isinstance(value.get("event"), int):
            yield value["event"]
        value = list(value.values())
    for each in value if isinstance(value, list) else ():
        yield from _numbers(each)


def keep_up(database: Database, kept: Retention, *, holder: str, pause: Pause) -> None:
    """Take away what has served its time, unless another worker does; tell how much it was.

    Raises:
        StoreUnavailable: the database is away.
    """
    try:
        taken = prune(database, bounds(database, kept), holder=holder, pause=pause)
    except Taken:
        return
    pages = space.give_back(database, pause)
    if any(taken.values()) or pages:
        log.line("upkeep: pruned", rows={name: count for name, count in taken.items() if count}, pages=pages)


def count(database: Database, until: Bounds) -> Mapping[str, int]:
    """How many of each kind `prune` would take."""
    found: Counter[str] = Counter()
    for kind in retention.KINDS:
        for keys in _found(database, kind, until):
            found[kind.name] += len(keys)
    return found


def prune(database: Database, until: Bounds, *, holder: str, pause: Pause) -> Mapping[str, int]:
    """Take it away; returns how many of each kind, also when it was told to stop before the end.

    Raises:
        Taken: somebody else does it.
        StoreUnavailable: the database is away.
    """
    work = _Pruning(database, until, holder, pause)
    try:
        for kind in retention.KINDS:
            work.take(kind)
    except _Stopped:
        pass
    finally:
        if work.held:
            with database.write() as tx:
                leases.release(tx, LEASE, holder)
    return work.taken


def _found(database: Database, kind: Kind, until: Bounds) -> Iterator[list[Any]]:
    after = None
    while True:
        with database.read() as tx:
            found = kind.find(tx, until, after)
        yield list(found.keys)
        if found.after is None:
            return
        after = found.after


@dataclass(slots=True)
class _Pruning:
    database: Database
    until: Bounds
    holder: str
    pause: Pause
    taken: Counter[str] = field(default_factory=Counter)
    held: bool = False

    def take(self, kind: Kind) -> None:
        for keys in _found(self.database, kind, self.until):
            for some in chunks(keys, CHUNK):
                self.take_some(kind, some)

    def take_some(self, kind: Kind, keys: Sequence[Any]) -> None:
        started = time.monotonic()
        with self.database.write() as tx:
            if leases.hold(tx, LEASE, self.holder, LEASE_SECONDS) is None:
                raise Taken
            self.held = True
            count = kind.take(tx, self.until, keys)
        self.taken[kind.name] += count
        if self.pause(breather(time.monotonic() - started)):
            raise _Stopped


def breather(took: float) -> float:
    """Seconds that are left to others after a transaction of so many. A clock may jump, and a machine sleep."""
    return min(LONGEST, max(SHORTEST, OTHERS * took))
