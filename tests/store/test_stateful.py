"""Whatever happens to the outbox, in whatever order: nothing is lost, nothing overtakes, nobody late is heard.

Hypothesis plays senders, workers that crash and come back late, the clock and an operator's hand against a store, and
looks at all of it after each step.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete, select

from relay.model import Parcel
from relay.store import outbox, streams
from relay.store.database import Database
from relay.store.outbox import Settlement
from relay.store.tables import attempt, message, stream
from tests.conftest import Clock
from tests.store.build import message as words
from tests.store.build import put, take

STEPS = settings(
    max_examples=20,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],  # a step is a transaction on disk
)
OPEN = {"queued", "sending"}
ENDED = {"delivered", "muted", "dead", "held", "superseded", "dropped"}
OUTCOMES: list[dict[str, Any]] = [
    {"state": "delivered", "verdict": "delivered", "notification_id": 7},
    {"state": "muted", "verdict": "muted"},
    {"state": "dead", "verdict": "dead"},
    {"state": "held", "verdict": "unknown"},
    {"state": "queued", "verdict": "later"},
    {"state": "queued", "verdict": "later", "counted": False},
    {"state": "queued", "verdict": "plain", "plain": True},
    {"state": "dead", "verdict": "refused", "instead": "somebody else"},
]
USERS = st.integers(1, 3)


class Outbox(RuleBasedStateMachine):
    """One portal's outbox, its workers one after another, each under an epoch of his own."""

    numbers: Bundle[int] = Bundle("numbers")
    held: Bundle[tuple[int, Parcel]] = Bundle("held")  # parcels in the hands of workers, also of those who are gone

    database: Database
    clock: Clock

    def __init__(self) -> None:
        super().__init__()
        self.epoch = 1
        self.all: set[int] = set()
        self.by_hand: set[int] = set()
        self.sent: dict[str, int] = defaultdict(int)  # the newest message of a stream that was ever claimed
        with self.database.write() as tx:
            for table in (attempt, message, stream):
                tx.connection.execute(delete(table))

    # ── What happens ──────────────────────────────────────────────────────────────────────────────────────────

    @rule(
        target=numbers,
        users=st.lists(USERS, min_size=1, max_size=3),
        tagged=st.booleans(),
        urgent=st.booleans(),
        rest=st.sampled_from([0, 0, 60]),
    )
    def enqueue(self, users: list[int], tagged: bool, urgent: bool, rest: int) -> Any:
        says = {"tag": "state" if tagged else "", "key": "event", "urgent": urgent}
        till = self.clock.now + rest if rest and not urgent else 0.0
        numbers = put(self.database, *(words(user_id=user, not_before=till, **says) for user in users))
        assert numbers == sorted(numbers)
        self.all |= set(numbers)
        return multiple(*numbers)

    @rule(target=held, limit=st.integers(1, 3))
    def claim(self, limit: int) -> Any:
        heads = self.first_queued()
        parcels = take(self.database, epoch=self.epoch, limit=limit)
        for parcel in parcels:
            name = streams.within(parcel.message)
            assert parcel.id == heads[name]
            assert parcel.message.not_before <= self.clock.now
            assert parcel.id >= self.sent[name] or parcel.id in self.by_hand
            self.sent[name] = max(self.sent[name], parcel.id)
        assert len(parcels) == limit or not self.claimable()
        return multiple(*((self.epoch, parcel) for parcel in parcels))

    @rule(holding=consumes(held), outcome=st.sampled_from(OUTCOMES), seconds=st.sampled_from([0, 60]))
    def settle(self, holding: tuple[int, Parcel], outcome: dict[str, Any], seconds: int) -> None:
        epoch, parcel = holding
        outcome = dict(outcome)
        if outcome["state"] == "queued":
            outcome["not_before"] = self.clock.now + seconds
        if "instead" in outcome:
            outcome["instead"] = words(user_id=parcel.message.user_id % 3 + 1, tag=parcel.message.tag, key="event")
        before = self.rows()
        with self.database.write() as tx:
            written = outbox.settle(tx, "main", epoch, Settlement(parcel=parcel, **outcome))
        assert written == (epoch == self.epoch)
        if written:
            self.all |= set(self.rows())  # the one instead
        else:
            assert self.rows() == before

    @rule()
    def crash(self) -> None:
        """The holder is gone, with whatever he held; the next one takes over."""
        sending = [row.id for row in self.rows().values() if row.state == "sending"]
        self.epoch += 1
        with self.database.write() as tx:
            assert outbox.take_over(tx, "main", self.epoch) == len(sending)

    @rule(seconds=st.sampled_from([1, 30, 100]))
    def time_passes(self, seconds: int) -> None:
        self.clock.forward(seconds)

    @rule(number=numbers)
    def retry(self, number: int) -> None:
        was = self.rows()[number]
        newer = any(
            row.stream == was.stream and row.id > number and row.state != "dropped" for row in self.rows().values()
        )
        with self.database.write() as tx:
            done = outbox.retry(tx, number)
        assert done == (was.state in {"dead", "held"} and not (was.tag and newer))
        if done:
            self.by_hand.add(number)

    @rule(number=numbers)
    def drop(self, number: int) -> None:
        was = self.rows()[number]
        with self.database.write() as tx:
            done = outbox.drop(tx, number)
        assert done == (was.state in {"queued", "dead", "held"})

    # ── What always holds ─────────────────────────────────────────────────────────────────────────────────────

    @invariant()
    def nothing_is_lost(self) -> None:
        rows = self.rows()
        assert set(rows) == self.all
        for row in rows.values():
            assert row.state in OPEN | ENDED
            assert (row.settled_at is None) == (row.state in OPEN)

    @invariant()
    def each_stream_points_at_its_first_message_and_is_busy_while_one_is_sent(self) -> None:
        heads = self.first_queued()
        sending: dict[str, list[int]] = defaultdict(list)
        for row in self.rows().values():
            if row.state == "sending":
                sending[row.stream].append(row.epoch)
        for row in self.streams():
            assert ([row.busy] if row.busy else []) == sending[row.stream]
            if not row.busy:  # else it is pointed anew when that one is settled
                assert row.head == heads.get(row.stream)
                assert row.rank == (0 if row.head and self.rows()[row.head].urgent else 1)
        assert set(heads) <= {row.stream for row in self.streams()}

    @invariant()
    def only_a_newer_state_of_the_same_tag_supersedes(self) -> None:
        rows = self.rows()
        queued: dict[str, int] = defaultdict(int)
        for row in rows.values():
            if row.state == "superseded":
                assert row.tag
                assert row.superseded_by > row.id
                assert rows[row.superseded_by].stream == row.stream
            else:
                assert row.superseded_by is None
            queued[row.stream] += bool(row.tag and row.state == "queued")
        assert all(count <= 1 for count in queued.values())

    def teardown(self) -> None:
        """In the end everything that is queued can be sent."""
        self.crash()
        self.clock.forward(1000)
        while parcels := take(self.database, epoch=self.epoch):
            with self.database.write() as tx:
                done = [Settlement(parcel=each, state="delivered", verdict="delivered") for each in parcels]
                assert outbox.settle_all(tx, "main", self.epoch, done) == done
        assert {row.state for row in self.rows().values()} <= ENDED

    # ── What is there ─────────────────────────────────────────────────────────────────────────────────────────

    def rows(self) -> dict[int, Any]:
        with self.database.read() as tx:
            return {row.id: row for row in tx.connection.execute(select(message).order_by(message.c.id))}

    def streams(self) -> list[Any]:
        with self.database.read() as tx:
            return list(tx.connection.execute(select(stream)))

    def first_queued(self) -> dict[str, int]:
        first: dict[str, int] = {}
        for row in self.rows().values():
            if row.state == "queued":
                first.setdefault(row.stream, row.id)
        return first

    def claimable(self) -> bool:
        with self.database.read() as tx:
            return outbox.backlog(tx, "main", most=1) > 0


def test_whatever_happens_nothing_is_lost_and_nothing_overtakes(database: Database, clock: Clock) -> None:
    here = type("OutboxHere", (Outbox,), {"database": database, "clock": clock})
    run_state_machine_as_test(here, settings=STEPS)
