"""Corridor two, first half: what is journalled is decided and put in the outbox, in the order in which it came.

Never sends anything, and never loses an event to a rule: what cannot be decided stays in the journal with the reason,
and does not stop what comes after it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from relay import failpoint
from relay.errors import Refused, StoreUnavailable
from relay.model import Event, Message, Note, Outcome, Request
from relay.rules import Decision, Memory, Rules, decide, silences
from relay.rules.ripening import Reference, Ripe, ripen
from relay.sources import SENDERS
from relay.store import counters, daily, journal, leases, notes, outbox
from relay.store.database import Database, Transaction
from relay.store.journal import Entry

LEASE = "router"  # one at a time, so that events of one key are decided in their order
MOST = 100  # entries, or notes, in one turn
TRY_AGAIN = 600.0  # seconds, with a note on which we failed


Keep = Callable[[], None]  # the lease, if it is time


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to become of one journalled entry."""

    entry: Entry
    outcome: Outcome
    messages: tuple[Message, ...] = ()
    unmapped: tuple[str, ...] = ()
    note: str = ""
    changes: Mapping[str, Note | None] = field(default_factory=dict)  # of what the rules remember
    rules: tuple[str, ...] = ()  # the names of those that answered
    seconds: float = 0.0  # that deciding took
    lag: float = 0.0  # seconds from its arrival until then


@dataclass(frozen=True, slots=True)
class Ripened:
    """One note whose time had come, and what was put in the outbox for it; ``why`` says what went wrong."""

    name: str
    messages: tuple[Ripe, ...]
    changes: Mapping[str, Note | None] = field(default_factory=dict)
    why: str = ""


def recall(database: Database, rules: Rules) -> Memory:
    """What the rules remember, as it is written down now."""
    with database.read() as tx:
        return _recall(tx, database, rules)


def _recall(tx: Transaction, database: Database, rules: Rules) -> Memory:
    def look(name: str) -> Note | None:
        with database.read() as later:
            return notes.get(later, name)

    return Memory(look=look, silences=silences.read(notes.under(tx, silences.PREFIX), rules.vocabulary))


def recall_silences(database: Database, rules: Rules) -> Memory:
    """The silences alone, to decide an old event once more: what else is remembered by now, it may have left behind.

    It is read at once, and does not want the database any more.
    """
    with database.read() as tx:
        found = notes.under(tx, silences.PREFIX)
    return Memory(look=found.get, silences=silences.read(found, rules.vocabulary))


def turn(database: Database, rules: Rules, *, holder: str, lease_seconds: float) -> Sequence[Plan]:
    """Decide what waits in the journal, oldest first.

    Returns:
        What was decided and written down; empty when there was nothing to do or another router is at work.
    """
    with database.read() as tx:
        epoch = leases.kept(tx, LEASE, holder, lease_seconds)
        entries, now = journal.undecided(tx, MOST if epoch else 1), tx.now
        memory = _recall(tx, database, rules) if entries and epoch else None
    if entries and epoch is None:
        with database.write() as tx:
            lease = leases.hold(tx, LEASE, holder, lease_seconds)
            entries, now = journal.undecided(tx, MOST) if lease else [], tx.now
            epoch = lease[0] if lease else None
    if not entries or epoch is None:
        return ()
    memory = memory or recall(database, rules)
    moment = datetime.fromtimestamp(now, UTC)
    keep = _keeping(database, holder=holder, lease_seconds=lease_seconds)
    plans = _in_time(entries, rules, memory, moment, keep=keep, seconds=lease_seconds / 3)
    failpoint.here("router: decided, not written")
    try:
        return _write(database, plans, epoch=epoch)
    except StoreUnavailable:
        raise
    except Exception:  # one entry that cannot be written must not stop those behind it
        return [done for one in plans for done in _write_alone(database, one, epoch=epoch)]


def _keeping(database: Database, *, holder: str, lease_seconds: float) -> Keep:
    """Keeps the lease whenever a third of it has passed: one request may hold thousands of events."""
    kept = time.monotonic()

    def keep() -> None:
        nonlocal kept
        if time.monotonic() - kept > lease_seconds / 3:
            kept = time.monotonic()
            with database.write() as tx:
                leases.hold(tx, LEASE, holder, lease_seconds)

    return keep


def _in_time(
    entries: Sequence[Entry], rules: Rules, memory: Memory, now: datetime, *, keep: Keep, seconds: float
) -> list[Plan]:
    """Decide entries for so long, one at the least, while the lease is kept."""
    started, plans = time.monotonic(), []
    for entry in entries:
        began = time.monotonic()
        decided = plan(entry, rules, memory, now, keep)
        lag = max(0.0, now.timestamp() - entry.received_at)
        plans.append(replace(decided, seconds=time.monotonic() - began, lag=lag))
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
        settled = journal.settle(tx, {each.entry.id: (each.outcome, each.note) for each in plans})
        ours = [each for each in plans if each.entry.id in settled]
        outbox.enqueue_all(tx, [(each.entry.id, message) for each in ours for message in each.messages])
        for each in ours:
            journal.count_unmapped(tx, each.entry.source, each.unmapped)
        notes.write(tx, {name: note for each in ours for name, note in each.changes.items()})
        daily.add(tx, "rule", [(rule, each.outcome) for each in ours for rule in each.rules])
        _count(tx, ours)
        failpoint.here("router: written, not committed")
    failpoint.here("router: in the outbox")
    return plans


def _count(tx: Transaction, plans: Sequence[Plan]) -> None:
    tally = counters.Tally()
    for each in plans:
        tally.count("relay_events_total", source=each.entry.source, outcome=each.outcome)
        tally.observe("relay_decision_seconds", tx.now - each.entry.received_at)
    counters.write(tx, tally)


def _never() -> None:
    """Nobody else decides this entry."""


def decisions_on(entry: Entry, rules: Rules, memory: Memory, now: datetime, keep: Keep = _never) -> list[Decision]:
    """Decide each event of an entry; ``memory`` keeps what they leave behind, and the decisions do not.

    ``keep`` is called between events.

    Raises:
        Refused: as for `understand`.
    """
    found = []
    for event in understand(entry, rules):
        decision = decide(event, rules, memory, now)
        memory.keep(decision.changes)
        found.append(replace(decision, changes={}))
        keep()
    return found


def plan(entry: Entry, rules: Rules, memory: Memory, now: datetime, keep: Keep = _never) -> Plan:
    """Decide one entry."""
    own = memory.apart()
    try:
        decisions = decisions_on(entry, rules, own, now, keep)
    except Refused as fault:
        # The source was taken out of the rules, or its type was changed, after the event was journalled.
        return Plan(entry=entry, outcome="unreadable", note=str(fault))
    except Exception as fault:  # a fault of ours is told of this event, and does not stop the next
        return _failed(entry, fault)
    memory.keep(own.changes)
    messages = tuple(message for decision in decisions for message in decision.messages)
    return Plan(
        entry=entry,
        outcome=next((each.outcome for each in decisions if each.outcome == "addressed"), decisions[0].outcome),
        messages=messages,
        changes=own.changes,
        rules=tuple(dict.fromkeys(rule.name for each in decisions for rule in each.route.answers)),
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
        Refused: the rules do not know the source any more, or read it differently now; or the payload is there no more.
    """
    if entry.pruned:
        raise Refused(entry.pruned)
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
    keep = _keeping(database, holder=holder, lease_seconds=lease_seconds)
    memory, ripened = recall(database, rules), []
    for name in names:
        ripened.append(_ripen(database, name, rules, memory, now))
        keep()
    try:
        return _write_ripe(database, ripened, epoch=lease[0])
    except StoreUnavailable:
        raise
    except Exception:  # one that cannot be written must not stop the others
        return [done for each in ripened for done in _write_ripe_alone(database, each, now, epoch=lease[0])]


def _write_ripe(database: Database, ripened: Sequence[Ripened], *, epoch: int) -> Sequence[Ripened]:
    with database.write() as tx:
        if not leases.holds(tx, LEASE, epoch):
            return ()
        outbox.enqueue_all(tx, [(ripe.event, ripe.message) for each in ripened for ripe in each.messages])
        notes.write(tx, {name: note for each in ripened for name, note in each.changes.items()})
    return ripened


def _write_ripe_alone(database: Database, one: Ripened, now: datetime, *, epoch: int) -> Sequence[Ripened]:
    try:
        return _write_ripe(database, [one], epoch=epoch)
    except StoreUnavailable:
        raise
    except Exception as fault:  # as above
        with database.read() as tx:
            note = notes.get(tx, one.name)
        return _write_ripe(database, [_put_off(one.name, note, now, why=type(fault).__name__)], epoch=epoch)


def until_ripe(database: Database) -> float:
    """Seconds until the time of the next note comes; infinite if none waits."""
    with database.read() as tx:
        due = notes.next_due(tx)
        return math.inf if due is None else max(0.0, due - tx.now)


def _ripen(database: Database, name: str, rules: Rules, memory: Memory, now: datetime) -> Ripened:
    def events_of(references: Sequence[Reference]) -> Sequence[Event]:
        return recorded(database, rules, references)

    own = memory.apart()  # so that a fault half-way leaves the note as it is
    try:
        ripe = ripen(name, rules, own, events_of, now)
    except StoreUnavailable:
        raise
    except Exception as fault:  # one note must not stop those behind it
        return _put_off(name, memory.get(name), now, why=type(fault).__name__)
    memory.keep(own.changes)
    return Ripened(name, ripe, own.changes)


def _put_off(name: str, note: Note | None, now: datetime, *, why: str) -> Ripened:
    """We failed on it; it is tried again, and told each time."""
    changes = {} if note is None else {name: replace(note, due=now.timestamp() + TRY_AGAIN)}
    return Ripened(name, (), changes, why=why)


def recorded(database: Database, rules: Rules, references: Sequence[Reference]) -> list[Event]:
    """The events referred to, in their order, as the journal has them; without those that it has no more."""
    places = [(each["event"], each["nth"]) for each in references if each["event"] is not None]
    wanted = set(places)
    found: dict[tuple[int, int], Event] = {}
    for number in sorted({number for number, _ in places}):  # one after another: each may be megabytes
        with database.read() as tx:
            entry = journal.get(tx, number)
        events = () if entry is None else readable(entry, rules)
        found |= {(number, event.nth): event for event in events if (number, event.nth) in wanted}
    return [found[place] for place in places if place in found]
