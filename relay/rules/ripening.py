"""What becomes of a note whose time has come: a group is told, a digest closed, a silence ended, the rest forgotten.

Never asks what time it is or what is due: it is handed a note's name, and the events that the note only refers to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from relay.model import Event, Message, Note, State
from relay.rules.memory import Memory, copied
from relay.rules.noise import FINISHED, UNFINISHED
from relay.rules.people import Person
from relay.rules.rulebook import BY_ITSELF, Rule, Rules, Telling
from relay.rules.silences import KEPT, PREFIX, notice
from relay.rules.wording import worded
from relay.sources.alerts import weight

LISTED = 20  # events in a digest
UNTOUCHED = 7 * 86_400.0  # seconds after which a group in which nothing happens is forgotten: nobody will end it
NAMES = 3  # in a title

Reference = Mapping[str, Any]  # to an event: {"event": the journal's number, "nth": of the events of that request}
EventsOf = Callable[[Sequence[Reference]], Sequence[Event]]  # those that there still are, in the order asked for


@dataclass(frozen=True, slots=True)
class Ripe:
    """A message whose time has come, and the number of the newest event that it tells of."""

    message: Message
    event: int | None


def ripen(name: str, rules: Rules, memory: Memory, events_of: EventsOf, now: datetime) -> tuple[Ripe, ...]:
    """Deal with one note, if it is due. What changes is put into ``memory``; by half, if a fault comes between."""
    note = memory.get(name)
    if note is None or note.due is None or note.due > now.timestamp():
        return ()
    return _Ripening(name, copied(note.value), rules, memory, events_of, now).ripe()


@dataclass(frozen=True, slots=True)
class _Ripening:
    """One note that is due; ``value`` is a copy of its value, to be changed."""

    name: str
    value: dict[str, Any]
    rules: Rules
    memory: Memory
    events_of: EventsOf
    now: datetime

    def ripe(self) -> tuple[Ripe, ...]:
        match self.name.partition(":")[0]:
            case "group":
                return self.group()
            case "throttle":
                return self.digest()
            case "silence" if not self.value["over"]:
                return self.silence("expired" if self.moment >= self.value["until"] else "unused")
            case "ending":
                return self.ending()
        self.memory.forget(self.name)
        return ()

    @property
    def moment(self) -> float:
        return self.now.timestamp()

    def rule(self) -> Rule | None:
        """The note's rule, unless the rules are others now."""
        return next((rule for rule in self.rules.every() if rule.name == self.value["rule"]), None)

    def to(
        self, whom: Mapping[str, Any], event: Event, listed: Sequence[Event], telling: Telling, *, delete: bool = False
    ) -> tuple[Ripe, ...]:
        """A message in a note's name, to the person whom ``whom`` describes."""
        person = self.rules.people.get(whom["person"]) or Person(name=whom["person"])
        message = worded(
            event,
            whom.get("rule", event.type),
            replace(telling, portal=whom["portal"]),
            replace(person, id=whom["user_id"]),
            self.now,
            events=listed,
            fallback=whom.get("fallback", ()),
            delete=delete,
        )
        return (Ripe(message, event.id),)

    # ── Groups ────────────────────────────────────────────────────────────────────────────────────────────────

    def group(self) -> tuple[Ripe, ...]:
        rule, members = self.rule(), self.value["members"]
        group = rule.telling.group if rule else None
        told = self.value["told_at"] is not None
        if not self.value["changed"] or not (told or self.goes_on()):
            return self.rest()
        ripe = self.told(rule.telling if rule and group else BY_ITSELF, group.most if group else LISTED)
        going_on = {key: each | {"told": each["state"]} for key, each in members.items() if not _finished(each)}
        if group is not None and (going_on or self.value["more"]):
            value = self.value | {"members": going_on, "changed": False, "told_at": self.moment}
            self.memory.put(self.name, Note(value, due=self.moment + group.interval))
        else:  # all is over, or the rules are others now and nobody will gather it
            self.memory.forget(self.name)
        return ripe

    def goes_on(self) -> bool:
        return self.value["more"] > 0 or not all(map(_finished, self.value["members"].values()))

    def rest(self) -> tuple[Ripe, ...]:
        """Nothing new to tell. What has no end (a comment, a push) is done with; the rest waits for its end."""
        members = {key: each for key, each in self.value["members"].items() if each["state"] in UNFINISHED}
        touched = max((each["at"] for each in members.values()), default=self.value["told_at"] or 0.0)
        if (members or self.value["more"]) and self.moment < touched + UNTOUCHED:
            self.memory.put(self.name, Note(self.value | {"members": members}, due=touched + UNTOUCHED))
        else:
            self.memory.forget(self.name)
        return ()

    def told(self, telling: Telling, most: int) -> tuple[Ripe, ...]:
        """The group in words; only those events are read again that it lists."""
        references = _newest_first(self.value["members"].values())
        events = self.events_of(references[:most])
        if not events:
            return ()
        one = together(events, "group", key=self.name, beyond=len(references) - len(events) + self.value["more"])
        states = [each["state"] for each in references] + ["firing"] * (self.value["more"] > 0)
        over = sum(map(_finished, references))
        one = replace(one, state=_state(states), conclusion=str(over or ""))
        if not self.goes_on() and telling.on_resolve == "skip":
            return ()
        delete = not self.goes_on() and telling.on_resolve == "delete"
        return self.to(self.value, one, events, replace(telling, tag=None), delete=delete)

    # ── Digests ───────────────────────────────────────────────────────────────────────────────────────────────

    def digest(self) -> tuple[Ripe, ...]:
        self.memory.forget(self.name)
        references = list(reversed(self.value["members"]))
        rule, events = self.rule(), self.events_of(references[:LISTED])
        if not events:
            return ()
        beyond = len(references) - len(events) + self.value["more"]
        one = together(events, "digest", key=f"{self.name}:{int(self.moment)}", beyond=beyond)
        telling = rule.telling if rule else BY_ITSELF
        return self.to(self.value, one, events, replace(telling, template=None, tag=None))

    # ── Silences ──────────────────────────────────────────────────────────────────────────────────────────────

    def ending(self) -> tuple[Ripe, ...]:
        """Somebody has ended a silence by hand."""
        self.memory.forget(self.name)
        name = self.value["name"]
        silence = self.memory.get(name)
        if silence is None or silence.value["over"]:
            return ()
        return replace(self, name=name, value=copied(silence.value)).silence("ended")

    def silence(self, why: str) -> tuple[Ripe, ...]:
        """It is over: those whom it silenced are told so, and how much there was."""
        self.value["over"] = why
        self.memory.put(self.name, Note(self.value, due=self.moment + KEPT))
        number = self.name.removeprefix(PREFIX)
        return tuple(
            ripe
            for each in self.value["persons"].values()
            for ripe in self.to(each, notice(self.value, number, over=True, count=each["count"]), (), BY_ITSELF)
        )


def _finished(member: Mapping[str, Any]) -> bool:
    return member["state"] in FINISHED


def _newest_first(members: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """What still goes on before what is over, the newest first."""
    return sorted(sorted(members, key=lambda each: -each["at"]), key=_finished)


# ── One event that stands for many ────────────────────────────────────────────────────────────────────────────


def together(events: Sequence[Event], kind: str, *, key: str, beyond: int) -> Event:
    """Events as one: what they have in common, the worst of their severities, and the state of them all.

    ``number`` is how many they are; ``truncated`` how many of those are not among ``events``. Of a group, whose
    members may be many more, ``conclusion`` is how many of them have ended.
    """
    names = list(dict.fromkeys(event.title for event in events if event.title))
    return Event(
        source=_common(events, "source"),
        type="group",
        event=kind,
        id=max((event.id for event in events if event.id is not None), default=None),
        key=key,
        state=_state([event.state for event in events]),
        severity=max((event.severity for event in events if event.state not in FINISHED), key=weight, default=""),
        title=", ".join(names[:NAMES] + ([f"+{len(names) - NAMES}"] if len(names) > NAMES else [])),
        url=_common(events, "url"),
        repo=_common(events, "repo"),
        branch=_common(events, "branch"),
        labels=dict(sorted(set.intersection(*(set(event.labels.items()) for event in events)))),
        started_at=min((event.started_at for event in events if event.started_at), default=""),
        alerts=tuple(alert for event in events for alert in event.alerts),
        number=len(events) + beyond,
        truncated=beyond,
    )


def _common(events: Sequence[Event], word: str) -> str:
    values = {getattr(event, word) for event in events}
    return str(values.pop()) if len(values) == 1 else ""


def _state(states: Sequence[State]) -> State:
    order: tuple[State, ...] = ("firing", "open", "info", "closed", "resolved")
    return next(state for state in order if state in states)
