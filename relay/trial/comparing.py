"""Old rules against new rules, event by event: for each person and rule what would come more, less, or otherwise.

Never keeps an event: what stays of each is a count and its number, as an example.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, get_args

from relay.errors import Refused
from relay.store.journal import Entry
from relay.trial.course import Course, Told

Way = Literal["more", "fewer", "changed"]
WAYS: tuple[Way, ...] = get_args(Way)
Name = tuple[str, str]  # a person and a rule

# What makes a message another one to its reader. Which of the rule's people stand by if it is refused does not.
_ASPECTS = ("text", "attach", "tag", "urgent", "via", "delete", "portal", "user_id")
_SAID = {"attach": "blocks", "delete": "deletion", "user_id": "id"}  # as rules and tests call it


@dataclass(slots=True)
class Difference:
    """What differs for one person and rule: how often, in what, and in which events, the first few of them."""

    counts: Counter[Way] = field(default_factory=Counter)
    aspects: Counter[str] = field(default_factory=Counter)  # of the changed ones
    examples: dict[Way, list[int]] = field(default_factory=lambda: {way: [] for way in WAYS})


@dataclass(slots=True)
class Side:
    """One of the two: its rules on their way, and how many events they could not read."""

    course: Course
    unreadable: int = 0

    def take(self, entry: Entry, now: datetime) -> tuple[Sequence[Told], bool]:
        """What is told by the moment of an entry, of it and of those before it; and whether it could be read."""
        ripe = self.course.pass_time(now)
        try:
            _, told = self.course.take(entry, now)
        except Refused:
            self.unreadable += 1
            return ripe, False
        return [*ripe, *told], True


class Comparison:
    """Takes events in the order of their numbers. It grows with persons and rules, not with events."""

    def __init__(self, old: Course, new: Course, *, examples: int) -> None:
        self.old, self.new = Side(old), Side(new)
        self.events = 0
        self.apart = 0  # events that only one of them could read
        self._examples = examples
        self._found: dict[Name, Difference] = {}

    def take(self, entry: Entry) -> None:
        """Decide an event by both, at the moment at which it came."""
        now = datetime.fromtimestamp(entry.received_at, UTC)
        self.events += 1
        old, was_read = self.old.take(entry, now)
        new, is_read = self.new.take(entry, now)
        self.apart += was_read is not is_read
        self._compare(old, new)

    def end(self) -> None:
        """No event comes any more: what is still to be told on either side is told."""
        self._compare(self.old.course.pass_time(None), self.new.course.pass_time(None))

    @property
    def differs(self) -> bool:
        return bool(self._found) or self.apart > 0

    def differences(self) -> Iterator[tuple[Name, Difference]]:
        """By person, then by rule."""
        yield from sorted(self._found.items(), key=lambda item: item[0])

    def _compare(self, old: Sequence[Told], new: Sequence[Told]) -> None:
        before, after = _by_place(old), _by_place(new)
        for place in sorted({*before, *after}):
            number = place[2]
            for way, aspects in _changes(before.get(place, []), after.get(place, [])):
                difference = self._found.setdefault((place[0], place[1]), Difference())
                difference.counts[way] += 1
                difference.aspects.update(aspects)
                examples = difference.examples[way]
                if len(examples) < self._examples and number not in examples:
                    examples.append(number)


def _by_place(told: Sequence[Told]) -> Mapping[tuple[str, str, int], list[Told]]:
    """By person, rule and event."""
    found: dict[tuple[str, str, int], list[Told]] = {}
    for each in told:
        found.setdefault((each.message.person, each.message.rule, each.event or 0), []).append(each)
    return found


def _changes(old: Sequence[Told], new: Sequence[Told]) -> Iterator[tuple[Way, Sequence[str]]]:
    """One message against another in their order; those that are the same on both sides are set aside first."""
    left, right = _without_same(old, new)
    for before, after in zip(left, right, strict=False):
        yield "changed", _aspects(before, after)
    yield from (("fewer", ()) for _ in left[len(right) :])
    yield from (("more", ()) for _ in right[len(left) :])


def _without_same(old: Sequence[Told], new: Sequence[Told]) -> tuple[list[Told], list[Told]]:
    right = list(new)
    left = []
    for before in old:
        same = next((index for index, after in enumerate(right) if not _aspects(before, after)), None)
        if same is None:
            left.append(before)
        else:
            del right[same]
    return left, right


def _aspects(before: Told, after: Told) -> list[str]:
    found = [
        _SAID.get(name, name) for name in _ASPECTS if getattr(before.message, name) != getattr(after.message, name)
    ]
    return found + (["time"] if before.at != after.at else [])
