"""Which of many conditions can hold for an event at all, found without asking each: an index over their equalities.

Never says that a condition holds: it leaves out only such as cannot, and those that are left have to be asked.

Ten thousand rules mostly differ by one thing, such as the repository. Looking the event's own repository up in a dict
leaves one of them to be asked. Which word that is differs from file to file, so it is measured when the rules are
loaded: for each list of rules the word that leaves the fewest, and for those that are left the next one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import groupby

from relay.model import Event
from relay.rules.conditions import Need
from relay.rules.words import Seen, text_of

Positions = tuple[int, ...]  # in a list of conditions, from the first to the last

WORTH = 3  # conditions that a look-up must save: it takes about as long as asking two
# A condition that lists several values stands in several buckets, and within each of them again in several. What
# lists of lists would multiply to is kept to so many times the values that are written in the file.
COPIES = 8


@dataclass(frozen=True, slots=True)
class Shelf:
    """The conditions that need something of one word, by the texts they need there."""

    look: Callable[[Event], Seen]
    buckets: Mapping[str | None, Index | Positions]


@dataclass(frozen=True, slots=True)
class Index:
    """Each condition stands on one shelf, or among the ``others``, which are asked of every event."""

    shelves: tuple[Shelf, ...]
    others: Positions

    def candidates(self, event: Event) -> Iterable[int]:
        """The positions of the conditions that may hold for the event, in their order."""
        runs: list[Positions] = [self.others] if self.others else []
        self._collect(event, runs)
        if len(runs) == 1:
            return runs[0]
        return [position for position, _ in groupby(merge(*runs))]

    def _collect(self, event: Event, runs: list[Positions]) -> None:
        for shelf in self.shelves:
            values = shelf.look(event).values
            for text in {*map(text_of, values)} if len(values) > 1 else map(text_of, values):
                bucket = shelf.buckets.get(text, ())
                if isinstance(bucket, Index):
                    bucket._collect(event, runs)
                    bucket = bucket.others
                if bucket:
                    runs.append(bucket)


def indexed(needs: Sequence[Mapping[str, Need]]) -> Index:
    """Index conditions by their needs (:class:`~relay.rules.conditions.Condition`), given in their order."""
    room = COPIES * sum(len(need.texts) for each in needs for need in each.values())
    return _index(tuple(range(len(needs))), needs, frozenset(), room) if needs else NOTHING


NOTHING = Index((), ())


def _index(positions: Positions, needs: Sequence[Mapping[str, Need]], used: frozenset[str], room: float) -> Index:
    shelves = []
    for word in _words(positions, needs, used):
        buckets = _buckets(positions, word, needs)
        on_it = {position for bucket in buckets.values() for position in bucket}
        copies = sum(map(len, buckets.values()))
        if len(on_it) - max(map(len, buckets.values()), default=0) < WORTH or copies > room:
            continue
        finer = {
            text: _index(bucket, needs, used | {word}, room / copies * len(bucket)) if len(bucket) > WORTH else bucket
            for text, bucket in buckets.items()
        }
        shelves.append(Shelf(needs[min(on_it)][word].look, finer))
        positions = tuple(position for position in positions if position not in on_it)
    return Index(tuple(shelves), positions)


def _words(positions: Positions, needs: Sequence[Mapping[str, Need]], used: frozenset[str]) -> list[str]:
    """The words that conditions need something of, first those that leave the fewest, whatever an event holds there."""
    texts: dict[str, Counter[str]] = {}
    on_it = Counter[str]()
    for position in positions:
        for word, need in needs[position].items():
            if word not in used:
                on_it[word] += 1
                texts.setdefault(word, Counter()).update(need.texts)
    saved = {word: number - max(texts[word].values(), default=0) for word, number in on_it.items()}
    return sorted(saved, key=lambda word: (-saved[word], texts[word].total()))


def _buckets(positions: Positions, word: str, needs: Sequence[Mapping[str, Need]]) -> Mapping[str | None, Positions]:
    found: dict[str | None, list[int]] = {}
    for position in positions:
        need = needs[position].get(word)
        for text in need.texts if need else ():
            found.setdefault(text, []).append(position)
    return {text: tuple(each) for text, each in found.items()}
