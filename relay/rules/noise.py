"""Which of the messages decided on are kept back: silenced, inhibited, repeated, throttled, or gathered into a group.

Never decides whom an event concerns, and never forgets by itself: all that it knows of earlier events are notes of the
memory (memory.py), and every change of one is handed out with the decision.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from relay.model import Event, Message, Note
from relay.rules.complaints import Complain
from relay.rules.conditions import Condition, Vocabulary
from relay.rules.document import Path
from relay.rules.memory import Memory, named
from relay.rules.silences import Silence, clock, notice
from relay.rules.words import Seen, UnknownWord, text_of

Reason = Literal["silenced", "inhibited", "repeated", "throttled", "grouped"]

UNFINISHED = ("firing", "open")
FINISHED = ("resolved", "closed")

LONGEST_FIRE = 86_400.0  # seconds; a cause that nobody has spoken of for a day inhibits no more
LONGEST_SHIFT = 30 * 86_400.0  # seconds for which it is remembered who was told while on duty
MOST_KEPT = 500  # events that a group or a digest remembers; beyond, they are only counted


@dataclass(frozen=True, slots=True)
class Field:
    """A word of the event, by which events are told apart."""

    name: str
    look: Callable[[Event], Seen]

    def value(self, event: Event) -> str:
        return ", ".join(text_of(value) or "" for value in self.look(event).values)


def fields(names: Sequence[str], vocabulary: Vocabulary, path: Path, complain: Complain) -> tuple[Field, ...]:
    """The words of `by:` or `equal:`."""
    found = []
    for index, name in enumerate(names):
        try:
            found.append(Field(name, vocabulary.word(name).look))
        except UnknownWord as error:
            complain((*path, index) if len(names) > 1 else path, str(error))
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """`group:` of a rule: one notification for all events alike in ``by``. Times are seconds, as Alertmanager's."""

    by: tuple[Field, ...]
    wait: float  # before a group is told for the first time
    interval: float  # before it is told again, when something has changed
    most: int  # events that its notification lists


@dataclass(frozen=True, slots=True)
class Throttling:
    """`throttle:` of a rule: so many messages to one person in so many seconds; the rest in one digest after them."""

    most: int
    per: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Inhibition:
    """While an event for which ``source`` holds is unfinished, those of ``target`` with equal fields are not told."""

    name: str
    source: Condition
    target: Condition
    equal: tuple[Field, ...]

    def place(self, event: Event) -> str:
        return named("inhibit", self.name, *(each.value(event) for each in self.equal))


@dataclass(frozen=True, slots=True)
class Kept:
    """A message was kept back. ``why`` is a part of a sentence; ``notice`` is what the person is told instead."""

    reason: Reason
    why: str
    notice: Event | None = None


@dataclass(slots=True)
class Gate:
    """What stands between a message and the outbox, for one event. It writes into ``memory``, which is its own."""

    event: Event
    memory: Memory
    now: float  # Unix seconds
    inhibitions: Sequence[Inhibition] = ()
    silence: Silence | None = field(default=None, init=False)
    inhibition: Inhibition | None = field(default=None, init=False)

    def observe(self) -> None:
        """Remember what the event means for others, and find out once for all recipients what is against telling it."""
        for each in self.inhibitions:
            self._cause(each)
        self.inhibition = next((each for each in self.inhibitions if self._inhibits(each)), None)
        self.silence = next((each for each in self.memory.silences if self._silences(each)), None)

    @property
    def key(self) -> str:
        return self.event.key or self.event.title

    def _cause(self, each: Inhibition) -> None:
        """A cause begins where ``source`` holds; it ends with its event, of which ``source`` need not hold any more."""
        begins = self.event.state in UNFINISHED and each.source.holds(self.event)
        ends = self.event.state in FINISHED
        if not (begins or ends):
            return
        place = each.place(self.event)
        note = self.memory.get(place)
        if note is None and ends:
            return
        was = {"causes": {}, "kept": []} if note is None else note.value
        causes = {key: until for key, until in was["causes"].items() if until > self.now and key != self.key}
        if begins:
            causes[self.key] = self.now + LONGEST_FIRE
        if causes:
            longest = dict(sorted(causes.items(), key=lambda each: each[1])[-MOST_KEPT:])
            self.memory.put(place, Note({**was, "causes": longest}, due=max(longest.values())))
        else:
            self.memory.forget(place)

    def _inhibits(self, each: Inhibition) -> bool:
        if not each.target.holds(self.event) or each.source.holds(self.event):
            return False
        place = each.place(self.event)
        note = self.memory.get(place)
        if note is None or not any(until > self.now for until in note.value["causes"].values()):
            return False
        return self._keeps(place, note)

    def _silences(self, each: Silence) -> bool:
        note = self.memory.get(each.name)
        return note is not None and each.silences(self.event, self.now) and self._keeps(each.name, note)

    def _keeps(self, name: str, note: Note) -> bool:
        """Whether it is kept back. The end of what was told before is told: else that would stand there for ever."""
        kept: list[str] = note.value["kept"]
        if self.event.state in FINISHED:
            if self.key not in kept:
                return False
            kept = [key for key in kept if key != self.key]
        elif self.event.state in UNFINISHED and self.key not in kept:
            kept = [*kept, self.key][-MOST_KEPT:]
        self.memory.put(name, Note({**note.value, "kept": kept}, note.due))
        return True

    def relieved(self, rule: str, on_duty: Iterable[str]) -> tuple[str, ...]:
        """Remember who is told of an unfinished event; of a finished one, who was and is not on duty any more."""
        if not self.event.key:
            return ()
        name, now_on = named("told", rule, self.event.key), tuple(on_duty)
        note = self.memory.get(name)
        told: tuple[str, ...] = () if note is None else tuple(note.value["persons"])
        if self.event.state in UNFINISHED:
            persons = list(dict.fromkeys((*told, *now_on)))
            self.memory.put(name, Note({"persons": persons}, due=self.now + LONGEST_SHIFT))
        elif self.event.state in FINISHED and note is not None:
            self.memory.forget(name)
            return tuple(each for each in told if each not in now_on)
        return ()

    def kept(
        self, message: Message, *, group: Grouping | None, throttle: Throttling | None, repeat: float | None
    ) -> Kept | None:
        """Why the message is not for the outbox now; ``None`` if it is. What follows is what its rule says of noise."""
        if self.memory.lets_through:
            return None
        if message.delete:
            self.over(message)
        if self.silence is not None:
            first = self.silence.count(message, self.memory, self.now)
            return Kept("silenced", self.silence.says, self._notice(self.silence) if first else None)
        if self.inhibition is not None:
            return Kept("inhibited", f"inhibited by {self.inhibition.name}")
        if group is not None:
            return self._gathered(message, group)
        kept = None if repeat is None or message.delete else self._repeated(message, repeat)
        # The end of something is told, however much there was: it only replaces what stands there.
        if kept is None and throttle is not None and self.event.state not in FINISHED:
            kept = self._throttled(message, throttle)
        return kept

    def over(self, message: Message) -> None:
        """What the message tells of has ended without words: should it begin anew, that is told in whatever words."""
        name = named("repeat", message.rule, message.portal, message.user_id, message.key)
        if self.memory.get(name) is not None:
            self.memory.forget(name)

    def _notice(self, silence: Silence) -> Event | None:
        note = self.memory.get(silence.name)
        return None if note is None else notice(note.value, silence.number, over=False, count=0)

    def _gathered(self, message: Message, group: Grouping) -> Kept:
        by = [each.value(self.event) for each in group.by]
        name = named("group", message.rule, message.portal, message.user_id, *by)
        note = self.memory.get(name)
        was: Mapping[str, Any] = {"members": {}, "told_at": None, "changed": False, "more": 0}
        value = {**_whose(message), **(was if note is None else note.value)}
        self._join(value)
        due = note.due if note is not None else None
        if due is None or (value["told_at"] is not None and value["changed"]):
            due = _next(value["told_at"], group, self.now)
        self.memory.put(name, Note(value, due))
        return Kept("grouped", f"gathered till {clock(due)}")

    def _join(self, group: dict[str, Any]) -> None:
        """Take the event in. What has no end is a member for itself; beyond MOST_KEPT they are only counted."""
        state = self.event.state
        lasting = state in UNFINISHED or state in FINISHED
        key = self.event.key if self.event.key and lasting else f"#{self.event.id}.{self.event.nth}"
        members, known = group["members"], group["members"].get(key)
        if known is None and state in FINISHED and group["more"]:
            group["more"] -= 1  # the end of one that was only counted
        elif known is None and len(members) >= MOST_KEPT:
            group |= {"more": group["more"] + 1, "changed": True}
            return
        told = known["told"] if known else ""
        group["members"] = {**members, key: {**_reference(self.event), "state": state, "told": told, "at": self.now}}
        # A firing alert is only repeated; whatever else comes again (a pull request is pushed to) is news.
        group["changed"] = group["changed"] or state != told or state != "firing"

    def _repeated(self, message: Message, repeat: float) -> Kept | None:
        name = named("repeat", message.rule, message.portal, message.user_id, message.key)
        words = hashlib.sha256(message.text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        note = self.memory.get(name)
        if note is not None and note.value["words"] == words and self.now < note.value["until"]:
            return Kept("repeated", f"told already in the same words, not again before {clock(note.value['until'])}")
        until = self.now + repeat
        self.memory.put(name, Note({"words": words, "until": until}, due=until))
        return None

    def _throttled(self, message: Message, throttle: Throttling) -> Kept | None:
        name = named("throttle", message.rule, message.portal, message.user_id)
        note = self.memory.get(name)
        if note is None or note.due is None or (note.due <= self.now and not note.value["members"]):
            note = Note({**_whose(message), "count": 0, "members": [], "more": 0}, due=self.now + throttle.per)
        value = note.value
        if value["count"] < throttle.most:
            self.memory.put(name, Note({**value, "count": value["count"] + 1}, note.due))
            return None
        if len(value["members"]) < MOST_KEPT:
            value = {**value, "members": [*value["members"], _reference(self.event)]}
        else:
            value = {**value, "more": value["more"] + 1}
        self.memory.put(name, Note(value, note.due))
        return Kept("throttled", f"more than {throttle.most}; the rest comes together at {clock(note.due or 0)}")


def _next(told_at: float | None, group: Grouping, now: float) -> float:
    """When a group is told: after its wait, and then at whole intervals from then, as Alertmanager's timer ticks."""
    if told_at is None:
        return now + group.wait
    return told_at + group.interval * max(1, math.ceil((now - told_at) / group.interval))


def _whose(message: Message) -> dict[str, Any]:
    return {
        "rule": message.rule,
        "portal": message.portal,
        "user_id": message.user_id,
        "person": message.person,
        "fallback": list(message.fallback),
    }


def _reference(event: Event) -> dict[str, Any]:
    return {"event": event.id, "nth": event.nth}
