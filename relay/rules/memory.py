"""What earlier events left behind, as far as the decision of the next one asks: named notes, some with a time.

Never reads a disk: whoever owns the notes hands in how one is looked up, and writes down what has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Note:
    """One thing remembered: a JSON object, and the Unix time at which something must become of it, if any."""

    value: Mapping[str, Any]
    due: float | None = None


Changes = Mapping[str, Note | None]  # by name; None: forgotten


def _blank(name: str) -> Note | None:  # noqa: ARG001
    return None


@dataclass(slots=True)
class Memory:
    """The notes as they stand after the changes kept so far. ``look`` finds one that has not changed."""

    look: Callable[[str], Note | None] = _blank
    changes: dict[str, Note | None] = field(default_factory=dict)

    def get(self, name: str) -> Note | None:
        if name not in self.changes:
            return self.look(name)
        return self.changes[name]

    def keep(self, changes: Changes) -> None:
        """Remember what a decision changed, for the decisions after it."""
        self.changes.update(changes)
