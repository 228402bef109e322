"""What one rendering may spend: a count of steps in place of a clock, which a pure room has not.

Never knows what is being rendered; it remembers only where, for the operator's note.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

MAX_STEPS = 20_000  # one step is one turn of a loop or one printed value: a second's work at the very worst
MAX_TEXT = 100_000  # characters that one operation in a template may make
MAX_ITEMS = 10_000  # items that one operation may make


class TooMuch(Exception):
    """The template asks for more than a message can hold."""


@dataclass
class Meter:
    """``place`` is where in the template the work is: `blocks.2.link.name`."""

    steps: int = MAX_STEPS
    place: str = "text"

    def spend(self, steps: int = 1) -> None:
        """Count.

        Raises:
            TooMuch: nothing is left.
        """
        self.steps -= steps
        if self.steps < 0:
            raise TooMuch

    def count(self, items: Iterable[Any]) -> Iterator[Any]:
        """``items``, each of which costs a step."""
        for item in items:
            self.spend()
            yield item
