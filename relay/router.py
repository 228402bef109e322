"""Corridor two, first half: what is journalled is decided and put in the outbox, in the order in which it came.

Never sends anything, and never loses an event to a rule: what cannot be decided stays in the journal with the reason,
and does not stop what comes after it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from relay import failpoint
from relay.errors import Refused, StoreUnavailable
from relay.model import Event, Message
from relay.rules import Decision, Memory, Rules, decide
from relay.sources import SENDERS
from relay.store import journal, leases, outbox, streams
from relay.store.database import Database
from relay.store.journal import Entry, Outcome

LEASE = "router"  # one at a time, so that events of one key are decided in their order
MOST = 100  # entries in one turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to become of one journalled entry."""

    entry: Entry
    outcome: Outcome
    messages: tuple[Message, ...] = ()
    unmapped: tuple[str, ...] = ()
    note: str = ""


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
    plans = _in_time(entries, rules, now, seconds=lease_seconds / 3)
    failpoint.here("router: decided, not written")
    try:
        return _write(database, plans, epoch=lease[0])
    except StoreUnavailable:
        raise
    except Exception:  # one entry that cannot be written must not stop those behind it
        return [done for one in plans for done in _write_alone(database, one, epoch=lease[0])]


def _in_time(entries: Sequence[Entry], rules: Rules, now: datetime, *, seconds: float) -> list[Plan]:
    """Decide entries for so long, one at the least: who decides beyond his lease decides for nothing."""
    started, plans, memory = time.monotonic(), [], Memory()
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
        outcome="addressed" if messages else decisions[0].outcome,
        messages=messages,
        unmapped=tuple(dict.fromkeys(name for decision in decisions for name in decision.unmapped)),
        note="; ".join(dict.fromkeys(message.note for message in messages if message.note)),
    )


def _failed(entry: Entry, fault: Exception) -> Plan:
    """The fault's own text may hold a stranger's words, and is not kept."""
    return Plan(entry=entry, outcome="unreadable", note=f"the relay failed on it: {type(fault).__name__}")


def understand(entry: Entry, rules: Rules) -> tuple[Event, ...]:
    """The events of a journalled entry, numbered.

    Raises:
        Refused: the rules do not know the source any more, or read it differently now.
    """
    options = rules.sources.get(entry.source)
    if options is None:
        raise Refused("the rules have no source of this name any more")
    reading = SENDERS[options.type].read(entry.source, options, entry.request)
    return tuple(replace(event, id=entry.id) for event in reading.events)
