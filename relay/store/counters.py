"""What the relay counts for `/metrics`, kept in the database: added in the transaction that does what is counted.

Never counts in memory: doors and workers are several processes, each of them may be asked for the sums, and a count
that is rolled back with its cause is exact. The rows of a series are split over slots, one for each process as far as
they reach, so that processes do not wait for each other's row; they are added up when they are read.
"""

from __future__ import annotations

import json
import math
import os
import socket
import zlib
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import case, func, select
from sqlalchemy.sql.dml import ReturningInsert

from relay.store import text
from relay.store.database import Transaction, insert_of
from relay.store.prepared import Prepared, among
from relay.store.tables import counter, event, message

SLOTS = 16
MOST_RULES = 200  # names of rules that are counted by themselves; Prometheus keeps a series for each of them
OTHER = "other"  # the label of all the rules that came later

CounterName = Literal[
    "relay_requests_total",
    "relay_commits_saved_total",
    "relay_events_total",
    "relay_messages_total",
    "relay_calls_total",
    "relay_reloads_total",
]
HistogramName = Literal["relay_decision_seconds", "relay_delivery_seconds"]

# Upper bounds, in seconds. What is above the last of them is in +Inf.
BUCKETS: Mapping[HistogramName, tuple[float, ...]] = {
    "relay_decision_seconds": (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0),
    "relay_delivery_seconds": (0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 21600.0, 86400.0),
}
INFINITY = "+Inf"

RULE = "rule"  # the series under which names of rules are remembered; its value means nothing
PROBE = "probe"  # a series that means nothing at all
SUM = "_sum"

Labels = Mapping[str, str]


class Tally:
    """What one transaction counts, to be written by `write` as the last thing that it does."""

    def __init__(self) -> None:
        self.amounts: dict[tuple[str, str], float] = defaultdict(float)  # by the series' name and its labels as JSON

    def count(self, name: CounterName, times: int = 1, /, **labels: str) -> None:
        """One more of it, or several."""
        self._add(name, labels, float(times))

    def observe(self, name: HistogramName, seconds: float) -> None:
        """It took so long; a clock that was set back makes it 0 seconds."""
        seconds = max(0.0, seconds)
        self._add(name, {"le": _bucket(BUCKETS[name], seconds)}, 1.0)
        self._add(name + SUM, {}, seconds)

    def probe(self) -> None:
        """Something to write for its own sake: is the store written to again? Told to nobody."""
        self._add(PROBE, {}, 1.0)

    def remember_rule(self, name: str) -> None:
        self._add(RULE, {"rule": name}, 1.0)

    def _add(self, name: str, labels: Labels, amount: float) -> None:
        self.amounts[name, _as_json(tuple(labels.items()))] += amount


@lru_cache(maxsize=1000)  # a batch of fifty counts 150 times, mostly the same
def _as_json(labels: tuple[tuple[str, str], ...]) -> str:
    cut = {label: text.key(value) for label, value in labels}
    return json.dumps(cut, sort_keys=True, ensure_ascii=False)


def _bucket(bounds: Sequence[float], seconds: float) -> str:
    """The lowest bound that is not below the value: a bucket holds its own bound (Prometheus docs, Histograms)."""
    place = bisect_left(bounds, seconds)
    return str(bounds[place]) if place < len(bounds) else INFINITY


def slot() -> int:
    """This process's, from 0 to `SLOTS` - 1."""
    return zlib.crc32(f"{socket.gethostname()}:{os.getpid()}".encode()) % SLOTS


def write(tx: Transaction, tally: Tally, *, in_slot: int | None = None) -> None:
    """Add a tally up, in one statement; nothing at all for an empty one. Counters are locked last, in their order."""
    if not tally.amounts:
        return
    here = slot() if in_slot is None else in_slot
    rows = [
        {"name": name, "labels": labels, "slot": here, "value": amount}
        for (name, labels), amount in sorted(tally.amounts.items())
    ]
    _ADD.each(tx, rows)


@Prepared
def _ADD(dialect: str) -> ReturningInsert[Any]:
    """Built once, as every event costs it. With RETURNING many rows go in one statement (SQLAlchemy docs, Insert Many
    Values) and not in an executemany, after which PostgreSQL would not notice that we hang (see database.py)."""
    row = insert_of(dialect, counter)
    row = row.on_conflict_do_update(
        index_elements=[counter.c.name, counter.c.labels, counter.c.slot],
        set_={"value": counter.c.value + row.excluded.value},
    )
    return row.returning(counter.c.name)


# Built once, as every call costs them.
_KNOWN_RULES = Prepared(select(counter.c.labels).where(counter.c.name == RULE).distinct())
_SINCE = case((message.c.created_at == event.c.decided_at, event.c.received_at), else_=message.c.created_at)
_WAITED = Prepared(
    lambda dialect: (
        select(_SINCE.label("since"), message.c.not_before)
        .select_from(message.outerjoin(event, event.c.id == message.c.event_id))
        .where(among(dialect, "numbers", message.c.id))
    )
)


def bounded(tx: Transaction, tally: Tally, rules: Iterable[str]) -> dict[str, str]:
    """The label of each rule: its name, or `OTHER` once there are `MOST_RULES`. New names are put into the tally.

    Two transactions that meet their first rule at one moment may both take the last place: a few more are no harm.
    """
    asked = set(rules)
    if not asked:
        return {}
    known = {json.loads(labels)["rule"] for (labels,) in _KNOWN_RULES(tx)}
    for name in sorted(asked):
        if text.key(name) not in known and len(known) < MOST_RULES:
            known.add(text.key(name))
            tally.remember_rule(name)
    return {name: name if text.key(name) in known else OTHER for name in asked}


def waited(tx: Transaction, messages: Sequence[int]) -> list[float]:
    """How long ago what messages tell of was received, in seconds.

    What was kept back on purpose counts from its end: a group, a digest or a replay from when the message was made,
    which is then not the moment of the decision; quiet hours from when they were over.
    """
    if not messages:
        return []
    return [tx.now - max(row.since, row.not_before) for row in _WAITED(tx, numbers=list(messages))]


# ── Asked ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class Sums:
    """All series as they stand, added up over the slots."""

    def __init__(self, tx: Transaction) -> None:
        self._found: dict[str, list[tuple[dict[str, str], float]]] = defaultdict(list)
        rows = select(counter.c.name, counter.c.labels, func.sum(counter.c.value).label("value"))
        rows = rows.group_by(counter.c.name, counter.c.labels).order_by(counter.c.name, counter.c.labels)
        for row in tx.connection.execute(rows):
            self._found[row.name].append((json.loads(row.labels), row.value))

    def counted(self, name: CounterName) -> list[tuple[dict[str, str], float]]:
        """Each series of a counter: its labels and its value."""
        return self._found.get(name, [])

    def histogram(self, name: HistogramName) -> tuple[list[tuple[str, float]], float]:
        """The buckets of a histogram, cumulative and up to +Inf, and the sum of what was observed (seconds)."""
        inside = {labels["le"]: value for labels, value in self._found.get(name, [])}
        buckets, total = [], 0.0
        for bound in [*map(str, BUCKETS[name]), INFINITY]:
            total += inside.get(bound, 0.0)
            buckets.append((bound, total))
        return buckets, math.fsum(value for _, value in self._found.get(name + SUM, []))
