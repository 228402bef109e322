"""Small builders of what goes into the store."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from relay.model import Message, Parcel
from relay.store.database import Database, Transaction
from relay.store.journal import Arrival
from relay.store.outbox import Settlement, claim, enqueue, settle


def arrival(**words: Any) -> Arrival:
    plain: dict[str, Any] = {
        "source": "github",
        "method": "POST",
        "headers": {"x-github-event": "push"},
        "body": b"{}",
        "delivery": "d-1",
        "window": None,
        "kind": "push",
        "title": "a push",
    }
    return Arrival(**plain | words)


def message(**words: Any) -> Message:
    plain: dict[str, Any] = {
        "portal": "main",
        "user_id": 17,
        "person": "ivan",
        "rule": "pushes",
        "key": "acme/app#1",
        "tag": "acme/app#1",
        "text": "hello",
    }
    return Message(**plain | words)


def put(database: Database, *messages: Message) -> list[int]:
    with database.write() as tx:
        return enqueue(tx, None, messages)


def take(database: Database, *, epoch: int = 1, limit: int = 50) -> list[Parcel]:
    with database.write() as tx:
        return claim(tx, "main", epoch, limit)


def end(database: Database, parcel: Parcel, *, epoch: int = 1, **words: Any) -> bool:
    plain: dict[str, Any] = {"parcel": parcel, "state": "delivered", "verdict": "delivered"}
    with database.write() as tx:
        return settle(tx, "main", epoch, Settlement(**plain | words))


def until(true: Callable[[], bool], *, patience: float = 20.0) -> None:
    """Wait for something that must become true, and say so if it does not."""
    deadline = time.monotonic() + patience
    while not true():
        assert time.monotonic() < deadline, "it did not become true in time"
        time.sleep(0.002)


def waiting(tx: Transaction, kind: str = "") -> int:
    """How many of PostgreSQL's sessions in this database stand before a lock that another one holds."""
    statement = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        f" AND wait_event LIKE '{kind}%%'"
    )
    tx.connection.exec_driver_sql("SELECT pg_stat_clear_snapshot()")
    return int(tx.connection.exec_driver_sql(statement).scalar_one())
