"""What the rules keep back lives in the database: exact after a restart, and one router at a time deals with it."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from relay import router
from relay.model import Note
from relay.rules import Rules, silences
from relay.rules.ripening import ripen
from relay.store import journal, leases, notes, outbox
from relay.store.database import Database
from relay.store.outbox import Record
from tests.conftest import Clock
from tests.rules.books import book
from tests.store.build import arrival

LEASE: dict[str, Any] = {"holder": "me", "lease_seconds": 10.0}
GROUPED = "group: {by: [payload.service], wait: 30s, interval: 5m}"


def rules(noise: str) -> Rules:
    return book(f"""
    rules:
      - {{name: deploys, to: olga, {noise}}}
    """)


class Door:
    """Deploys that come in, and a router that is another one each time: nothing is remembered but on disk."""

    def __init__(self, database: Database, clock: Clock, noise: str) -> None:
        self.database, self.clock, self.noise = database, clock, noise
        self.count = 0

    def comes(self, service: str, status: str = "failed") -> str:
        self.count += 1
        body = json.dumps({"service": service, "status": status, "title": f"{service} {status}", "n": self.count})
        with self.database.write() as tx:
            journal.append(tx, [arrival(source="deploys", body=body.encode(), delivery=str(self.count))])
        (plan,) = router.turn(self.database, rules(self.noise), **LEASE)
        return plan.outcome

    def passes(self, seconds: float) -> list[str]:
        """The texts of what is put in the outbox while the time passes."""
        before = {record.id for record in self.outbox()}
        self.clock.forward(seconds)
        router.ripen_due(self.database, rules(self.noise), **LEASE)
        return [record.message.text for record in self.outbox() if record.id not in before]

    def outbox(self) -> list[Record]:
        with self.database.read() as tx:
            return outbox.latest(tx, limit=100)

    def notes(self) -> dict[str, Any]:
        with self.database.read() as tx:
            return notes.under(tx, "group:") | notes.under(tx, "throttle:") | notes.under(tx, "repeat:")


def test_a_group_gathers_over_restarts_and_is_told_when_its_time_has_come(database: Database, clock: Clock) -> None:
    door = Door(database, clock, GROUPED)
    assert door.comes("shop") == "grouped"
    assert door.comes("shop") == "grouped"
    assert door.comes("bank") == "grouped"

    assert door.passes(29) == []
    told = door.passes(1)
    assert sorted(text.split(":")[0] for text in told) == ["• 1 event", "• 2 events"]


def test_the_event_of_a_groups_message_is_the_newest_of_the_group(database: Database, clock: Clock) -> None:
    door = Door(database, clock, GROUPED)
    door.comes("shop")
    door.comes("shop")
    door.passes(30)

    (record,) = door.outbox()
    assert record.event_id == 2


def test_it_is_known_when_the_next_note_is_due(database: Database, clock: Clock) -> None:
    assert router.until_ripe(database) == math.inf
    Door(database, clock, GROUPED).comes("shop")
    clock.forward(10)

    assert router.until_ripe(database) == 20


def test_a_router_without_the_lease_tells_nothing(database: Database, clock: Clock) -> None:
    door = Door(database, clock, GROUPED)
    door.comes("shop")
    clock.forward(29.5)
    with database.write() as tx:
        leases.release(tx, router.LEASE, "me")
        assert leases.hold(tx, router.LEASE, "somebody else", 10.0)
    clock.forward(1)

    assert router.ripen_due(database, rules(GROUPED), holder="me", lease_seconds=10.0) == ()
    assert door.outbox() == []


def test_what_is_gathered_of_a_source_that_is_no_more_is_dropped_without_a_fault(
    database: Database, clock: Clock
) -> None:
    door = Door(database, clock, GROUPED)
    door.comes("shop")
    clock.forward(30)
    with database.write() as tx:
        tx.connection.exec_driver_sql("UPDATE event SET source = 'gone'")

    (ripened,) = router.ripen_due(database, rules(GROUPED), **LEASE)
    assert (ripened.messages, ripened.why) == ((), "")


def test_a_note_that_cannot_be_dealt_with_is_tried_again_and_does_not_stop_the_others(
    database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = Door(database, clock, GROUPED)
    door.comes("shop")
    door.comes("bank")
    real, bad = ripen, min(door.notes())

    def breaks(name: str, *rest: Any) -> Any:
        if name == bad:
            raise RuntimeError
        return real(name, *rest)

    monkeypatch.setattr(router, "ripen", breaks)
    assert len(door.passes(30)) == 1
    monkeypatch.setattr(router, "ripen", real)
    assert len(door.passes(router.TRY_AGAIN)) == 1


def test_a_digest_closes_a_throttle_also_after_a_restart(database: Database, clock: Clock) -> None:
    door = Door(database, clock, "throttle: {max: 1, per: 10m}")
    assert [door.comes("shop") for _ in range(3)] == ["addressed", "throttled", "throttled"]

    (digest,) = door.passes(600)
    assert "2 more events" in digest
    assert door.notes() == {}


def test_a_repeat_is_forgotten_when_its_time_is_over(database: Database, clock: Clock) -> None:
    door = Door(database, clock, "repeat: 1h")
    door.comes("shop")
    assert len(door.notes()) == 1
    door.passes(3600)

    assert door.notes() == {}


def silence(database: Database, clock: Clock, **when: Any) -> str:
    new = silences.written(when=when, starts=clock.now, until=clock.now + 3600, who="olga", why="works")
    with database.write() as tx:
        return notes.add(tx, silences.PREFIX, new)


def test_a_silence_keeps_back_counts_and_ends_on_disk(database: Database, clock: Clock) -> None:
    name = silence(database, clock, **{"payload.service": "shop"})
    door = Door(database, clock, "when: {}")
    assert [door.comes("shop"), door.comes("shop"), door.comes("bank")] == ["silenced", "silenced", "addressed"]

    with database.read() as tx:
        found = notes.get(tx, name)
    assert found is not None
    assert found.value["count"] == 2
    assert len(door.outbox()) == 2, "one of the bank, and one that tells of the silence"
    (over,) = door.passes(3600)
    assert "2 notifications were kept back" in over
    assert door.comes("shop") == "addressed"


def test_a_silence_ended_by_hand_is_over_at_the_next_turn(database: Database, clock: Clock) -> None:
    name = silence(database, clock, **{"payload.service": "shop"})
    door = Door(database, clock, "when: {}")
    door.comes("shop")
    with database.write() as tx:
        notes.write(tx, {"ending:1": Note({"name": name}, due=clock.now)})
    (over,) = door.passes(0)

    assert "1 notification was kept back" in over
    assert door.comes("shop") == "addressed"


def test_silences_are_numbered_one_after_another(database: Database, clock: Clock) -> None:
    assert [silence(database, clock), silence(database, clock)] == ["silence:1", "silence:2"]
