"""One set of rules while events come to it one after another: it remembers, and time passes in between.

Never reads a clock: an event brings its own moment. Tests and diff come through here, and from here through the
functions of the live path: `router.decisions_on` for an event, `ripen` for what earlier events left to be done.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from relay import router
from relay.model import Event, Message
from relay.rules import Decision, Memory, Rules
from relay.rules.ripening import EventsOf, Reference, ripen
from relay.store.journal import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A message, the moment before which it does not come, and the number of the newest event that it tells of."""

    message: Message
    at: datetime
    event: int | None


@dataclass(slots=True)
class Course:
    """``rules`` on the way through events in the order of their time.

    ``events_of`` finds the earlier events that a ripe note refers to; without it the course keeps all it has seen.
    """

    rules: Rules
    events_of: EventsOf | None = None
    _memory: Memory = field(default_factory=Memory, init=False)
    _timers: list[tuple[float, str]] = field(default_factory=list, init=False)  # a heap of (due, the note's name)
    _seen: dict[tuple[int | None, int], Event] = field(default_factory=dict, init=False)

    def take(self, entry: Entry, now: datetime) -> tuple[Sequence[Decision], Sequence[Told]]:
        """Decide one entry: a decision for each of its events, and what is told of them at once.

        Raises:
            Refused: the rules do not know the source, or it cannot read the request.
        """
        own = self._memory.apart()
        decisions = router.decisions_on(entry, self.rules, own, now)
        self._memory.keep(own.changes)
        if self.events_of is None:
            self._seen |= {(event.id, event.nth): event for event in router.understand(entry, self.rules)}
        self._remind(own.changes)
        told = [_told(message, now, entry.id) for decision in decisions for message in decision.messages]
        return decisions, told

    def pass_time(self, until: datetime | None) -> Sequence[Told]:
        """Fire, each at its own moment, the timers that are due by ``until``; ``None``: all there are, however late."""
        told: list[Told] = []
        while self._timers and (until is None or self._timers[0][0] <= until.timestamp()):
            due, name = heapq.heappop(self._timers)
            note = self._memory.get(name)
            if note is None or note.due != due:
                continue  # the note has another time by now, or is forgotten
            now = datetime.fromtimestamp(due, UTC)
            ripe = ripen(name, self.rules, self._memory, self.events_of or self._recorded, now)
            told += [_told(each.message, now, each.event) for each in ripe]
            self._remind([name])
        return told

    def _remind(self, names: Iterable[str]) -> None:
        """Set the timers of notes that have changed. What is forgotten takes no room."""
        for name in names:
            note = self._memory.get(name)
            if note is None:
                self._memory.changes.pop(name, None)
            elif note.due is not None:
                heapq.heappush(self._timers, (note.due, name))

    def _recorded(self, references: Sequence[Reference]) -> Sequence[Event]:
        places = [(each["event"], each["nth"]) for each in references]
        return [self._seen[place] for place in places if place in self._seen]


def _told(message: Message, now: datetime, event: int | None) -> Told:
    """At once, or when the recipient's quiet hours are over."""
    return Told(message=message, at=max(now, datetime.fromtimestamp(message.not_before, UTC)), event=event)
