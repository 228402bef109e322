"""What each rule answered and what became of each person's messages, counted by the day, for the pages.

Never counts by itself: who decides and who settles add what they did, in the transaction in which they do it. A day is
one of UTC; thirty are kept.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import delete, func, select
from sqlalchemy.sql.dml import ReturningInsert

from relay.store import text
from relay.store.database import Transaction, chunks, insert_of
from relay.store.prepared import Prepared
from relay.store.tables import daily

DAY = 86_400
KEPT = 30  # days, today among them

What = Literal["rule", "person"]
Counted = Iterable[tuple[str, str]]  # names, each with a verdict: an outcome, or a message's state


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """One rule's decisions: of each of the days that were asked for, the oldest first, and by their outcome."""

    days: Sequence[int]
    outcomes: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.days)


def today(now: float) -> int:
    """The number of the day since 1970-01-01, UTC."""
    return int(now // DAY)


def add(tx: Transaction, what: What, counted: Counted) -> None:
    """Add to today's counts; nothing at all for none. The first of a day forgets the days that are past.

    Two that add at one moment lock in the same order.
    """
    day = today(tx.now)
    rows = [
        {"day": day, "what": what, "name": name, "verdict": verdict, "count": count}
        for (name, verdict), count in sorted(Counter((text.key(name), verdict) for name, verdict in counted).items())
    ]
    for some in chunks(rows):
        after = {(row.name, row.verdict): row.number for row in _ADD.each(tx, some)}
        if any(after[row["name"], row["verdict"]] == row["count"] for row in some):  # a new row, as each day brings
            tx.connection.execute(delete(daily).where(daily.c.day <= day - KEPT))


@Prepared
def _ADD(dialect: str) -> ReturningInsert[Any]:
    """Built once, and one statement: see counters.py."""
    row = insert_of(dialect, daily)
    row = row.on_conflict_do_update(
        index_elements=[daily.c.day, daily.c.what, daily.c.name, daily.c.verdict],
        set_={"count": daily.c.count + row.excluded.count},
    )
    return row.returning(daily.c.name, daily.c.verdict, daily.c.count.label("number"))


def rules(tx: Transaction, *, days: int = KEPT) -> dict[str, Hits]:
    """Each rule that decided something in the last so many days, today among them."""
    per_day: dict[str, list[int]] = defaultdict(lambda: [0] * days)
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    first = today(tx.now) - days + 1
    rows = select(daily.c.day, daily.c.name, daily.c.verdict, daily.c.count.label("number")).where(
        daily.c.what == "rule", daily.c.day >= first, daily.c.day < first + days
    )
    for row in tx.connection.execute(rows):
        per_day[row.name][row.day - first] += row.number
        outcomes[row.name][row.verdict] += row.number
    return {name: Hits(days=tuple(per_day[name]), outcomes=dict(outcomes[name])) for name in sorted(per_day)}


def people(tx: Transaction, *, days: int = 7) -> dict[str, dict[str, int]]:
    """What became of each person's messages in the last so many days, today among them, by state."""
    rows = (
        select(daily.c.name, daily.c.verdict, func.sum(daily.c.count).label("number"))
        .where(daily.c.what == "person", daily.c.day > today(tx.now) - days)
        .group_by(daily.c.name, daily.c.verdict)
        .order_by(daily.c.name, daily.c.verdict)
    )
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for row in tx.connection.execute(rows):
        found[row.name][row.verdict] = int(row.number)
    return dict(found)
