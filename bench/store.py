"""How long a claim and a settlement take when very much is queued: the figures of the README.

    python -m bench.store                                          # SQLite, and a PostgreSQL started for it
    RELAY_TEST_PG_URL=postgresql://… python -m bench.store         # SQLite, and that PostgreSQL

Each figure is a whole transaction, its commit on disk included, of a batch of 50 messages and of one alone. It measures
on the machine it runs on, beside whatever else that does; the portal's own answer to a batch takes seconds.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from relay.settings import Secret
from relay.store import outbox
from relay.store.database import Database
from relay.store.outbox import Settlement
from relay.store.tables import message, stream
from tests import postgres

MANY = 100_000
ROUNDS = 40
CHUNK = 10_000


def spread(number: int) -> int:
    """Every message to a recipient of its own."""
    return number


def shared(number: int) -> int:
    """A hundred messages to each of a thousand recipients."""
    return number % 1000


def behind_one(number: int) -> int:
    """All but a few behind the first recipient, whose stream is blocked."""
    return number if number >= MANY else 0


LOADS: dict[str, tuple[Callable[[int], int], int, Callable[[int], bool]]] = {
    "100,000 in as many streams": (spread, MANY, lambda _: False),
    "100,000 in 1,000 streams": (shared, MANY, lambda _: False),
    "100,000 behind one blocked stream": (behind_one, MANY + 5000, lambda user: user == 0),
    "100,000 streams, 95,000 of them backing off": (spread, MANY, lambda user: user % 20 != 0),
}


def main() -> None:
    columns = ("of 50: claim", "settle", "of 1: claim", "settle")
    print(f"{'ms, median / 95 %':<55} " + " ".join(f"{column:>14}" for column in columns))
    for engine in (sqlite, postgresql):
        for name, (user_of, number, blocked) in LOADS.items():
            with engine() as database:
                fill(database, number, user_of, blocked)
                figures = measure(database, 50) + measure(database, 1)
            print(f"{engine.__name__:<8.8} {name:<46} " + " ".join(f"{figure:>14}" for figure in figures))
            sys.stdout.flush()


def measure(database: Database, size: int) -> list[str]:
    claims, settlements = [], []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        with database.write() as tx:
            parcels = outbox.claim(tx, "main", 1, size)
        claimed = time.perf_counter()
        assert len(parcels) == size
        with database.write() as tx:
            done = [Settlement(parcel=each, state="delivered", verdict="delivered") for each in parcels]
            assert len(outbox.settle_all(tx, "main", 1, done)) == size
        claims.append(claimed - began)
        settlements.append(time.perf_counter() - claimed)
    return [f"{1000 * middle(each):.1f} / {1000 * sorted(each)[-3]:.1f}" for each in (claims, settlements)]


def middle(seconds: list[float]) -> float:
    return sorted(seconds)[len(seconds) // 2]


def fill(database: Database, number: int, user_of: Callable[[int], int], blocked: Callable[[int], bool]) -> None:
    """Queue messages by the thousand: one by one, as the router does, it would take minutes."""
    words: dict[str, Any] = {
        "portal": "main",
        "person": "p",
        "rule": "r",
        "key": "k",
        "tag": "",
        "text": "hello " * 20,
        "via": "personal",
    }
    words |= {"urgent": False, "deletes": False, "fallback": "[]", "note": "", "plain": False, "created_at": 0.0}
    heads: dict[int, int] = {}
    with database.write() as tx:
        for first in range(0, number, CHUNK):
            rows = [
                words | {"id": each + 1, "user_id": user_of(each), "stream": f"{user_of(each)}:k"}
                for each in range(first, min(number, first + CHUNK))
            ]
            for row in rows:
                heads.setdefault(row["user_id"], row["id"])
            tx.connection.execute(insert(message), rows)
        tx.connection.execute(
            insert(stream),
            [
                {
                    "portal": "main",
                    "stream": f"{user}:k",
                    "head": head,
                    "due_at": tx.now + 3600 if blocked(user) else 0.0,
                }
                for user, head in heads.items()
            ],
        )


@contextmanager
def sqlite() -> Iterator[Database]:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Secret(f"sqlite:///{Path(folder)}/relay.db"))
        database.upgrade()
        yield database
        database.close()


@contextmanager
def postgresql() -> Iterator[Database]:
    with postgres.server(durable=True) as server:
        url = server.create()
        database = Database(Secret(url.render_as_string(hide_password=False)))
        database.upgrade()
        yield database
        database.close()
        server.drop(url)


if __name__ == "__main__":
    main()
