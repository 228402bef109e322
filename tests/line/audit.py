"""The promise, held against what the stand-in portals saw: nothing lost, overtaken, repeated without cause, too fast.

Asks the relay only which ends of calls it never learnt: what was acknowledged comes from the sender, what arrived from
the portals. A message's text is its key, a space, and its number within the key; numbers begin with 1.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from sqlalchemy import select

from relay.sandbox import Portal
from relay.sandbox.record import RequestEntry
from relay.store import tables
from relay.store.database import Database

ADD = "im.notify.personal.add"
UNKNOWN_END = ("reset", "close", "html", "garbage", "empty")  # faults that leave a sender in the dark; and "slow"
STOPPED = "the worker stopped while sending it"  # what the relay writes down when it takes a message over


@dataclass(slots=True)
class Key:
    """One subject at one portal. Its events are numbered, and the next is posted when the last was acknowledged."""

    portal: int
    name: str
    tagged: bool
    acknowledged: int = 0


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message that the portal stored, and the call that brought it."""

    number: int
    call: RequestEntry


@dataclass(frozen=True, slots=True)
class UnknownEnd:
    """What the relay wrote down when it did not know whether a message had arrived (Unix seconds)."""

    at: float
    why: str

    @property
    def cause(self) -> str:
        return "a worker's stop" if self.why == STOPPED else "an answer too late"


@dataclass(slots=True)
class Findings:
    """What came out. ``repeats`` are arrivals of a message after its first, by the cause of the one before."""

    acknowledged: int = 0
    arrived: int = 0
    keys: int = 0
    calls: int = 0
    lost: list[str] = field(default_factory=list)
    overtaken: list[str] = field(default_factory=list)
    seen_twice: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    repeats: Counter[str] = field(default_factory=Counter)
    without_cause: list[str] = field(default_factory=list)
    calls_per_stop: int = 0  # the most that one worker's stop repeated at one portal
    refused: int = 0  # by the bucket, and not by a fault of ours
    excess: float = 0.0  # of calls over burst + rate·t, at the worst portal in its worst window

    def promises(self, *, lanes: int) -> list[tuple[str, str, bool]]:
        """Each promise, what was found, and whether it holds. ``lanes``: calls in flight to one portal at once."""
        causes = ", ".join(f"{number} after {cause}" for cause, number in sorted(self.repeats.items())) or "no repeats"
        return [
            ("nothing acknowledged is lost", f"{_some(self.lost)} of {self.acknowledged} lost", not self.lost),
            ("order holds per key", f"{_some(self.overtaken)} of {self.keys} keys overtaken", not self.overtaken),
            (
                "a repeat has a cause: an end nobody learnt, or a worker that stopped",
                f"{_some(self.without_cause)} without one; {causes}, of {self.arrived} arrivals",
                not self.without_cause,
            ),
            (
                f"a worker's stop repeats no more than the {lanes} calls in flight to a portal",
                f"{self.calls_per_stop} at the most",
                self.calls_per_stop <= lanes,
            ),
            ("where tags replace nothing is seen twice", f"{_some(self.seen_twice)} seen twice", not self.seen_twice),
            ("where tags replace the newest is seen", f"{_some(self.stale)} show an older state", not self.stale),
            (
                "at most one call over burst + rate·t",
                f"{self.excess:.2f} over; {self.refused} of {self.calls} calls refused for the rate",
                self.excess <= 1 and not self.refused,
            ),
        ]


def audit(
    portals: Sequence[Portal],
    keys: Iterable[Key],
    *,
    person: int,
    ends: Mapping[str, Sequence[UnknownEnd]],
    patience: float,
    rate: float,
    burst: float,
) -> Findings:
    """Hold everything that arrived against what was acknowledged.

    Args:
        portals: the stand-ins; a key's ``portal`` is its number among them.
        keys: what was acknowledged.
        person: whose notifications they are.
        ends: what `unknown_ends` says.
        patience: seconds that the relay waits for an answer.
        rate, burst: what each portal allows.
    """
    found = Findings()
    by_portal: dict[int, list[Key]] = defaultdict(list)
    for key in keys:
        by_portal[key.portal].append(key)
    for number, portal in enumerate(portals):
        arrivals = arrived(portal)
        calls = portal.calls()
        blamed: dict[UnknownEnd, set[int]] = defaultdict(set)
        for key in by_portal[number]:
            mine = arrivals.get(key.name, [])
            _count(found, key, mine)
            for first, then in repeats(mine):
                text = f"{key.name} {first.number}"
                end = next((each for each in ends.get(text, ()) if first.call.time <= each.at <= then.call.time), None)
                if ended_unknown(first.call, patience):
                    found.repeats[f"«{first.call.fault}»"] += 1
                elif end is not None:
                    found.repeats[end.cause] += 1
                    blamed[end].add(first.call.number)
                else:
                    found.without_cause.append(f"{text}, in calls {first.call.number} and {then.call.number}")
        _look(found, portal, by_portal[number], person)
        found.calls += len(calls)
        found.calls_per_stop = max([found.calls_per_stop, *map(len, blamed.values())])
        found.refused += sum(call.error == "QUERY_LIMIT_EXCEEDED" and not call.fault for call in calls)
        found.excess = max(found.excess, excess([call.time for call in calls], rate=rate, burst=burst))
    return found


def unknown_ends(database: Database) -> Mapping[str, Sequence[UnknownEnd]]:
    """For each message, by its text, which ends of calls the relay never learnt."""
    ends: dict[str, list[UnknownEnd]] = defaultdict(list)
    tries = select(tables.message.c.text, tables.attempt.c.at, tables.attempt.c.why)
    tries = tries.join_from(tables.attempt, tables.message).where(tables.attempt.c.verdict == "unknown")
    with database.read() as tx:
        for row in tx.connection.execute(tries):
            ends[row.text].append(UnknownEnd(row.at, row.why))
    return ends


def arrived(portal: Portal) -> Mapping[str, list[Arrival]]:
    """What a portal has stored, key by key, in its order."""
    stored = [
        (command.time, str(command.params["MESSAGE"]), call)
        for call in portal.calls()
        for command in call.commands
        if command.method == ADD and command.result
    ]
    by_key: dict[str, list[Arrival]] = defaultdict(list)
    for _, text, call in sorted(stored, key=lambda each: each[0]):
        name, _, number = text.partition(" ")
        by_key[name].append(Arrival(int(number), call))
    return by_key


def missing(key: Key, arrivals: Sequence[Arrival]) -> list[str]:
    """What was acknowledged and did not arrive; under a tag the newest is enough, as it replaces the others."""
    numbers = {each.number for each in arrivals}
    wanted = [key.acknowledged] if key.tagged else range(1, key.acknowledged + 1)
    return [f"{key.name} {number}" for number in wanted if number and number not in numbers]


def repeats(arrivals: Sequence[Arrival]) -> list[tuple[Arrival, Arrival]]:
    """The arrivals that were followed by another of the same message, and that other one."""
    same: dict[int, list[Arrival]] = defaultdict(list)
    for each in arrivals:
        same[each.number].append(each)
    return [pair for group in same.values() for pair in pairwise(group)]


def ended_unknown(call: RequestEntry, patience: float) -> bool:
    """Was the relay left without a clear answer to this call?"""
    return call.fault in UNKNOWN_END or (call.fault == "slow" and call.seconds >= patience)


def excess(times: Iterable[float], *, rate: float, burst: float) -> float:
    """By how many calls the worst window exceeds ``burst + rate * its length``."""
    level, last, worst = 0.0, 0.0, 0.0
    for moment in sorted(times):
        level = max(0.0, level - rate * (moment - last)) + 1
        last, worst = moment, max(worst, level - burst)
    return worst


def _count(found: Findings, key: Key, arrivals: Sequence[Arrival]) -> None:
    found.keys += 1
    found.acknowledged += key.acknowledged
    found.arrived += len(arrivals)
    found.lost += missing(key, arrivals)
    order = list(dict.fromkeys(each.number for each in arrivals))
    if order != sorted(order):
        found.overtaken.append(f"{key.name}: {order}")


def _look(found: Findings, portal: Portal, keys: Sequence[Key], person: int) -> None:
    """What the person sees in the end."""
    seen: dict[str, list[int]] = defaultdict(list)
    for note in portal.notifications(person):
        name, _, number = note.text.partition(" ")
        seen[name].append(int(number))
    for key in (key for key in keys if key.tagged):
        found.seen_twice += [key.name] if len(seen[key.name]) > 1 else []
        found.stale += [key.name] if key.acknowledged and max(seen[key.name], default=0) < key.acknowledged else []


def _some(what: Sequence[str]) -> str:
    """How many, and the first three."""
    return f"{len(what)} ({'; '.join(what[:3])})" if what else "0"
