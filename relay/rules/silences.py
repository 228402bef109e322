"""Silences: events that nobody is told of for a time, by whose hand and why. They end by themselves.

Never kept in the rules file: they are made in the night and gone in the morning, and stand among the notes of the
memory, where they count what they keep back and from whom.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from relay.model import Event, Message, Note
from relay.rules.conditions import Condition, Vocabulary, compile_when
from relay.rules.memory import Memory, copied

PREFIX = "silence:"
IDLE = 7 * 86_400.0  # seconds in which nothing matched, after which a silence is over: whatever it was for is mended
KEPT = 30 * 86_400.0  # seconds for which a silence that is over can still be read


def clock(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """One silence, its condition compiled. Times are Unix seconds."""

    number: str
    condition: Condition
    starts: float
    until: float
    who: str
    why: str

    @property
    def name(self) -> str:
        return PREFIX + self.number

    @property
    def says(self) -> str:
        return f"silence {self.number} until {clock(self.until)}, by {self.who}: {self.why}"

    def silences(self, event: Event, now: float) -> bool:
        return self.starts <= now < self.until and self.condition.holds(event)

    def count(self, message: Message, memory: Memory, now: float) -> bool:
        """Note that a message was kept back, and from whom. ``True`` if it is the first from him."""
        note = memory.get(self.name)
        if note is None:
            return False
        value = copied(note.value)
        person = value["persons"].setdefault(f"{message.portal}/{message.user_id}", _nothing_yet(message))
        person["count"] += 1
        value["count"] += 1
        value["last_at"] = now
        memory.put(self.name, Note(value, due=min(value["until"], now + value["idle"])))
        return bool(person["count"] == 1)


def _nothing_yet(message: Message) -> dict[str, Any]:
    return {"portal": message.portal, "user_id": message.user_id, "person": message.person, "count": 0}


def notice(value: Mapping[str, Any], number: str, *, over: bool, count: int) -> Event:
    """What those whom a silence silences are told: that it is there, or that it is over."""
    return Event(
        source="relay",
        type="silence",
        event="silence",
        action="over" if over else "begins",
        key=PREFIX + number,
        state="resolved" if over else "info",
        title=value["why"],
        actor=value["who"],
        started_at=datetime.fromtimestamp(value["until"], UTC).isoformat(),
        number=count,
        conclusion=value["over"],
    )


def written(*, when: Mapping[str, Any], starts: float, until: float, idle: float = IDLE, who: str, why: str) -> Note:
    """A new silence as a note. Times are Unix seconds, ``idle`` is seconds."""
    value = {
        "when": dict(when),
        "starts": starts,
        "until": until,
        "idle": idle,
        "who": who,
        "why": why,
        "count": 0,
        "last_at": starts,
        "persons": {},
        "kept": [],  # keys of events that have not ended
        "over": "",
    }
    return Note(value, due=min(until, starts + idle))


def read(notes: Mapping[str, Note], vocabulary: Vocabulary) -> tuple[Silence, ...]:
    """The silences among notes that are not over. One whose condition the rules do not understand any more is left out:
    it is better to be told too much."""
    return tuple(
        Silence(
            number=name.removeprefix(PREFIX),
            condition=condition,
            **{word: note.value[word] for word in ("starts", "until", "who", "why")},
        )
        for name, note in sorted(notes.items())
        if not note.value["over"] and (condition := understood(note.value["when"], vocabulary)) is not None
    )


def understood(when: Any, vocabulary: Vocabulary) -> Condition | None:
    """The condition of a silence, compiled; ``None`` if there is a fault in it."""
    faults: list[str] = []
    condition = compile_when(when, vocabulary, ("when",), lambda _path, sentence: faults.append(sentence))
    return None if faults else condition
