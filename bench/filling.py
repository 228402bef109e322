"""A database with as many events as are asked for, and 1.2 messages for each, as two months of a busy relay leave them.

Never goes through the router: a million decisions would take an hour. Everything is drawn from one seed.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Table

from relay.store.database import Database, Transaction
from relay.store.tables import daily, event, health, message, portal, stream, unmapped

CHUNK = 5_000
DAYS = 60
BODY = 900  # bytes, compressed: an alert's are some 600, a push's some thousands
RARE = 997  # one event of so many has the rare kind; one message of so many is dead
QUEUED = 200  # of the newest messages wait

SOURCES = (["github"] * 60) + (["alertmanager"] * 30) + (["grafana"] * 9) + ["deploys"]
KINDS = ("push", "pull_request.opened", "pull_request.closed", "workflow_run.completed", "issue_comment.created")
PEOPLE = [f"person-{number}" for number in range(60)]
QUIET_ONE = "nina"  # gets seven messages in all
RULES = [f"rule {number}" for number in range(40)]
OUTCOMES = (["addressed"] * 16) + ["no_rule", "no_rule", "silenced", "own_act"]
ADDRESSED = 16
WORDS = ("deploy", "build", "disk", "latency", "broken", "merge", "release", "диск", "ошибка", "сборка", "api", "web")


def fill(database: Database, number: int) -> None:
    """Write the events, their messages, and what the relay counts and samples beside them."""
    dice = random.Random(7)
    now = time.time()
    bodies = [dice.randbytes(BODY) for _ in range(16)]
    per_day: Counter[tuple[int, str, str, str]] = Counter()
    messages = 0
    _without_indexes(database)
    for first in range(1, number + 1, CHUNK):
        events = [_event(dice, each, number, now, bodies) for each in range(first, min(number, first + CHUNK - 1) + 1)]
        sent = list(_messages(dice, events, number, messages, per_day))
        messages += len(sent)
        with database.write() as tx:
            _write(tx, event, events)
            _write(tx, message, sent)
    with database.write() as tx:
        _rest(tx, dice, now, per_day)
    _with_indexes(database)


def _event(dice: random.Random, number: int, of: int, now: float, bodies: list[bytes]) -> dict[str, Any]:
    at = now - DAYS * 86_400 * (1 - number / of)
    return {
        "id": number,
        "source": dice.choice(SOURCES),
        "received_at": at,
        "method": "POST",
        "headers": '{"content-type": "application/json", "user-agent": "a sender of some kind/1.0"}',
        "body": dice.choice(bodies),
        "kind": "release.published" if number % RARE == 0 else dice.choice(KINDS),
        "title": " ".join(dice.choices(WORDS, k=5)) + f" #{number}",
        "state": "decided",
        "outcome": dice.choice(OUTCOMES),
        "note": "",
        "decided_at": at + 0.2,
    }


def _messages(
    dice: random.Random, events: list[dict[str, Any]], of: int, before: int, per_day: Counter[tuple[int, str, str, str]]
) -> Iterator[dict[str, Any]]:
    """One or two for each event that was addressed: 1.2 for each event of all."""
    number = before
    for each in events:
        day = int(each["received_at"] // 86_400)
        rule = dice.choice(RULES)
        per_day[day, "rule", rule, each["outcome"]] += 1
        for _ in range(dice.choice((1, 2)) if each["outcome"] == "addressed" else 0):
            number += 1
            person = QUIET_ONE if each["id"] % (of // 8 + 1) == 1 else PEOPLE[int(dice.random() ** 2 * len(PEOPLE))]
            state = _state(dice, number, each["id"] > of - QUEUED)
            per_day[day, "person", person, state] += 1
            yield _message(each, number, person, rule, state)


def _state(dice: random.Random, number: int, newest: bool) -> str:
    if number % RARE == 0:
        return "dead" if dice.random() < 0.7 else "held"
    if newest:
        return "queued"
    return "muted" if dice.random() < 0.02 else "delivered"


def _message(each: dict[str, Any], number: int, person: str, rule: str, state: str) -> dict[str, Any]:
    failed = state in ("dead", "held")
    return {
        "id": number,
        "event_id": each["id"],
        "portal": "main",
        "stream": f"{person}:{number}",
        "user_id": 17,
        "person": person,
        "rule": rule,
        "key": f"acme/app#{number}",
        "tag": "",
        "text": f"[b]acme/app[/b] {each['title']}: it wants to be looked at by somebody who knows",
        "attach": None,
        "via": "personal",
        "urgent": False,
        "deletes": False,
        "fallback": "[]",
        "note": "",
        "state": state,
        "attempts": 1,
        "plain": False,
        "created_at": each["decided_at"],
        "settled_at": None if state == "queued" else each["decided_at"] + 1,
        "notification_id": number if state == "delivered" else None,
        "code": "REFUSED" if failed else "",
        "why": "the portal takes nothing for this recipient" if failed else "",
    }


def _rest(tx: Transaction, dice: random.Random, now: float, per_day: Counter[tuple[int, str, str, str]]) -> None:
    days = [
        {"day": day, "what": what, "name": name, "verdict": verdict, "count": count}
        for (day, what, name, verdict), count in per_day.items()
        if day > now // 86_400 - 30
    ]
    _write(tx, daily, days)
    samples = [
        {"portal": "main", "at": int(now) - 10 * each, "level": dice.random() * 50, "share": 1.0, "waiting": each % 90}
        | {"lag": dice.random() * 9, "trouble": ""}
        for each in range(8_640)
    ]
    _write(tx, health, samples)
    _write(tx, portal, [{"name": "main", "level": 20.0, "level_at": now}])
    _write(tx, stream, [{"portal": "main", "stream": f"waits:{each}", "head": each} for each in range(1, QUEUED)])
    names = [{"source": "github", "name": f"login-{each}", "count": each + 1, "last_at": now} for each in range(300)]
    _write(tx, unmapped, names)


def _write(tx: Transaction, table: Table, rows: list[dict[str, Any]]) -> None:
    """By the driver itself, and on PostgreSQL by COPY: some ten times as fast (PostgreSQL docs, «Populating»)."""
    if not rows:
        return
    columns = list(rows[0])
    values = [[row[column] for column in columns] for row in rows]
    driver: Any = tx.connection.connection.driver_connection
    if tx.connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(columns))
        driver.executemany(f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks})", values)
        return
    with driver.cursor().copy(f"COPY {table.name} ({', '.join(columns)}) FROM STDIN") as into:
        for each in values:
            into.write_row(each)


def _without_indexes(database: Database) -> None:
    with database.write() as tx:
        for index in (*event.indexes, *message.indexes):
            index.drop(tx.connection)


def _with_indexes(database: Database) -> None:
    """PostgreSQL also counts what it has, as it would by itself within minutes (autovacuum); SQLite never does."""
    with database.write() as tx:
        for index in (*event.indexes, *message.indexes):
            index.create(tx.connection)
        if not database.is_sqlite:
            tx.connection.exec_driver_sql("ANALYZE")
