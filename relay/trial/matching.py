"""Which message is which expectation: a pairing in any order, complete or as complete as can be.

Never says that something is well: it says what is left over on either side.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from relay.model import Message
from relay.render import plain
from relay.rules.words import shown
from relay.trial.case import Expected
from relay.trial.course import Told
from relay.trial.moment import written


@dataclass(frozen=True, slots=True)
class Pairing:
    """``of_expected[i]`` is the index of the message that expectation ``i`` found, or ``None``; ``surplus`` are the
    indexes of the messages that nothing expected."""

    of_expected: tuple[int | None, ...]
    surplus: tuple[int, ...]

    @property
    def is_complete(self) -> bool:
        return None not in self.of_expected and not self.surplus


def pair(expected: Sequence[Expected], told: Sequence[Told]) -> Pairing:
    """Pair as many as possible: a vague expectation leaves a message to a strict one (Kuhn's augmenting paths)."""
    fits = [[index for index, one in enumerate(told) if not any(amiss(each, one))] for each in expected]
    taken: dict[int, int] = {}  # message → expectation

    def find(expectation: int, tried: set[int]) -> bool:
        for index in fits[expectation]:
            if index not in tried:
                tried.add(index)
                if index not in taken or find(taken[index], tried):
                    taken[index] = expectation
                    return True
        return False

    for expectation in range(len(expected)):
        find(expectation, set())
    found = {expectation: index for index, expectation in taken.items()}
    return Pairing(
        tuple(found.get(expectation) for expectation in range(len(expected))),
        tuple(index for index in range(len(told)) if index not in taken),
    )


def nearest(expected: Expected, told: Sequence[Told], among: Sequence[int]) -> int | None:
    """Of the messages to this person, the one that lacks least."""
    his = [index for index in among if told[index].message.person == expected.person]
    return min(his, key=lambda index: len([*amiss(expected, told[index])]), default=None)


def amiss(expected: Expected, told: Told) -> Iterator[str]:
    """Everything in which a message is not what is expected, in words."""
    message = told.message
    for name in ("person", "rule", "tag", "urgent", "via"):
        wanted, found = getattr(expected, name), getattr(message, name)
        if wanted is not None and wanted != found:
            yield f"{name} is {_said(found)}, not {_said(wanted)}"
    if expected.delete is not message.delete:
        yield "it takes a notification away" if message.delete else "it takes no notification away"
    if expected.at is not None and told.at < expected.at:
        yield f"it comes at {written(told.at)}, before {written(expected.at)}"
    text = plain(message.text)
    if expected.text is not None and expected.text.strip() != text.strip():
        yield f"text is {_said(text)}"
    yield from (f"text has no {_said(part)}" for part in expected.contains if part not in text)
    blocks = "\n".join(texts_of(message))
    yield from (f"the blocks have no {_said(part)}" for part in expected.blocks if part not in blocks)


def texts_of(message: Message) -> Iterator[str]:
    """Every text in a message's blocks as a reader sees it, and every address."""
    waiting: list[Any] = [message.attach]
    while waiting:
        value = waiting.pop(0)
        if isinstance(value, dict):
            waiting[:0] = value.values()
        elif isinstance(value, list | tuple):
            waiting[:0] = value
        elif isinstance(value, str):
            yield plain(value)


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"«{shown(str(value))}»" if value != "" else "empty"
