"""Corridor two, first half: what is journalled is decided and put in the outbox, in the order in which it came.

Never sends anything, and never loses an event to a rule: what cannot be decided stays in the journal with the reason,
and does not stop what comes after it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from relay import failpoint
from relay.errors import Refused, StoreUnavailable
from relay.model import Event, Message, Note, Outcome, Request
from relay.rules import Decision, Memory, Rules, decide, silences
from relay.rules.ripening import Reference, Ripe, ripen
from relay.sources import SENDERS
from relay.store import journal, leases, notes, outbox, streams
from relay.store.database import Database
from relay.store.journal import Entry

LEASE = "router"  # one at a time, so that events of one key are decided in their order
MOST = 100  # entries, or notes, in one turn
TRY_AGAIN = 600.0  # seconds, with a note on which we failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to become of one journalled entry."""

    entry: Entry
    outcome: Outcome
    messages: tuple[Message, ...] = ()
    unmapped: tuple[str, ...] = ()
    note: str = ""
    changes: Mapping[str, Note | None] = field(default_factory=dict)  # of what the rules remember


@dataclass(frozen=True, slots=True)
class Ripened:
    """One note whose time had come, and what was put in the outbox for it; ``why`` says what went wrong."""

    name: str
    messages: tuple[Ripe, ...]
    why: str = ""


def recall(database: Database, rules: Rules) -> Memory:
    """What the rules remember, as it is written down now."""

    def look(name: str) -> Note | None:
        with database.read() as tx:
            return notes.get(tx, name)

    with database.read() as tx:
        found = notes.under(tx, silences.PREFIX)
    return Memory(look=look, silences=silences.read(found, rules.vocabulary))


def turn(database: Database, rules: Rules, *, holder: str, lease_seconds: float) -> Sequence[Plan]:
    """Decide what waits in the journal, oldest first.

    Returns:
        What was decided and written down; empty when there was nothing to do or another router is at work.
    """
    with database.read() as tx:
        if not journal.undecided(tx, 1):
            return ()
    with database.write() as tx:
        lease = leases.hold(tx, LEASE, holder, lease_seconds)
        entries = journal.undecided(tx, MOST) if lease else []
        now = datetime.fromtimestamp(tx.now, UTC)
    if lease is None or not entries:
        return ()
    plans = _in_time(entries, rules, recall(database, rules), now, seconds=lease_seconds / 3)
    failpoint.here("router: decided, not written")
    try:
        return _write(database, plans, epoch=lease[0])
    except StoreUnavailable:
        raise
    except Exception:  # one entry that cannot be written must not stop those behind it
        return [done for one in plans for done in _write_alone(database, one, epoch=lease[0])]


def _in_time(entries: Sequence[Entry], rules: Rules, memory: Memory, now: datetime, *, seconds: float) -> list[Plan]:
    """Decide entries for so long, one at the least: who decides beyond his lease decides for nothing."""
    started, plans = time.monotonic(), []
    for entry in entries:
        plans.append(plan(entry, rules, memory, now))
        if time.monotonic() - started > seconds:
            break
    return plans


def _write_alone(database: Database, one: Plan, *, epoch: int) -> Sequence[Plan]:
    try:
        return _write(database, [one], epoch=epoch)
    except StoreUnavailable:
        raise
    except Exception as fault:  # as above
        return _write(database, [_failed(one.entry, fault)], epoch=epoch)


def _write(database: Database, plans: Sequence[Plan], *, epoch: int) -> Sequence[Plan]:
    with database.write() as tx:
        if not leases.holds(tx, LEASE, epoch):
            return ()
        streams.lock(tx, [message for each in plans for message in each.messages])  # all at once, in one order
        for each in plans:
            if journal.settle(tx, each.entry.id, each.outcome, each.note):
                outbox.enqueue(tx, each.entry.id, each.messages)
                journal.count_unmapped(tx, each.entry.source, each.unmapped)
                notes.write(tx, each.changes)
        failpoint.here("router: written, not committed")
    failpoint.here("router: in the outbox")
    return plans


def decisions_on(entry: Entry, rules: Rules, memory: Memory, now: datetime) -> list[Decision]:
    """Decide each event of an entry; ``memory`` keeps what they leave behind.

    Raises:
        Refused: as for `understand`.
    """
    found = []
    for event in understand(entry, rules):
        found.append(decide(event, rules, memory, now))
        memory.keep(found[-1].changes)
    return found


def plan(entry: Entry, rules: Rules, memory: Memory, now: datetime) -> Plan:
    """Decide one entry: replay and the live path come through here."""
    try:
        decisions = decisions_on(entry, rules, memory, now)
    except Refused as fault:
        # The source was taken out of the rules, or its type was changed, after the event was journalled.
        return Plan(entry=entry, outcome="unreadable", note=str(fault))
    except Exception as fault:  # a fault of ours is told of this event, and does not stop the next
        return _failed(entry, fault)
    messages = tuple(message for decision in decisions for message in decision.messages)
    return Plan(
        entry=entry,
        outcome=next((each.outcome for each in decisions if each.outcome == "addressed"), decisions[0].outcome),
        messages=messages,
        changes={name: note for decision in decisions for name, note in decision.changes.items()},
        unmapped=tuple(dict.fromkeys(name for decision in decisions for name in decision.unmapped)),
        note="; ".join(dict.fromkeys(message.note for message in messages if message.note)),
    )


def _failed(entry: Entry, fault: Exception) -> Plan:
    """The fault's own text may hold a stranger's words, and is not kept."""
    return Plan(entry=entry, outcome="unreadable", note=f"the relay failed on it: {type(fault).__name__}")


def unjournalled(request: Request, *, received_at: float = 0.0) -> Entry:
    """A request as if it had been journalled, for trying rules on it; its path names the source: ``/in/<source>``."""
    return Entry(
        id=0,
        source=request.path.partition("?")[0].rpartition("/")[2],
        received_at=received_at,
        request=request,
        kind="",
        title="",
        state="new",
        outcome="",
        note="",
    )


def understand(entry: Entry, rules: Rules) -> tuple[Event, ...]:
    """The events of a journalled entry, numbered.

    Raises:
        Refused: the rules do not know the source any more, or read it differently now.
    """
    options = rules.sources.get(entry.source)
    if options is None:
        raise Refused("the rules have no source of this name any more")
    reading = SENDERS[options.type].read(entry.source, options, entry.request)
    return tuple(replace(event, id=entry.id, nth=nth) for nth, event in enumerate(reading.events))


def readable(entry: Entry, rules: Rules) -> tuple[Event, ...]:
    """As `understand`; no events where the rules do not know the source any more."""
    try:
        return understand(entry, rules)
    except Refused:
        return ()


# ── What was kept back, when its time has come ────────────────────────────────────────────────────────────────


def ripen_due(database: Database, rules: Rules, *, holder: str, lease_seconds: float) -> Sequence[Ripened]:
    """Tell the groups and digests whose time has come, end silences, and forget what is past.

    Returns:
        What was dealt with and written down; empty when there was nothing to do or another router is at work.
    """
    with database.read() as tx:
        if not notes.due(tx, most=1):
            return ()
    with database.write() as tx:
        lease = leases.hold(tx, LEASE, holder, lease_seconds)
        names = notes.due(tx, most=MOST) if lease else []
        now = datetime.fromtimestamp(tx.now, UTC)
    if lease is None or not names:
        return ()
    memory = recall(database, rules)
    ripened = [_ripen(database, name, rules, memory, now) for name in names]
    with database.write() as tx:
        if not leases.holds(tx, LEASE, lease[0]):
            return ()
        streams.lock(tx, [ripe.message for each in ripened for ripe in each.messages])
        for each in ripened:
            for ripe in each.messages:
                outbox.enqueue(tx, ripe.event, [ripe.message])
        notes.write(tx, memory.changes)
    return ripened


def until_ripe(database: Database) -> float:
    """Seconds until the time of the next note comes; infinite if none waits."""
    with database.read() as tx:
        due = notes.next_due(tx)
        return math.inf if due is None else max(0.0, due - tx.now)


def _ripen(database: Database, name: str, rules: Rules, memory: Memory, now: datetime) -> Ripened:
    def events_of(references: Sequence[Reference]) -> Sequence[Event]:
        return recorded(database, rules, references)

    try:
        return Ripened(name, ripen(name, rules, memory, events_of, now))
    except StoreUnavailable:
        raise
    except Exception as fault:  # one note must not stop those behind it; it is tried again, and told each time
        note = memory.get(name)
        if note is not None:
            memory.put(name, replace(note, due=now.timestamp() + TRY_AGAIN))
        return Ripened(name, (), why=type(fault).__name__)


def recorded(database: Database, rules: Rules, references: Sequence[Reference]) -> list[Event]:
    """The events referred to, in their order, as the journal has them; without those that it has no more."""
    with database.read() as tx:
        entries = journal.entries(tx, {each["event"] for each in references if each["event"] is not None})
    found: dict[tuple[int, int], Event] = {}
    for entry in entries:
        found |= {(entry.id, event.nth): event for event in readable(entry, rules)}
    places = [(each["event"], each["nth"]) for each in references]
    return [found[place] for place in places if place in found]
