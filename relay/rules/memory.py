"""What earlier events left behind, as far as the decision of the next one asks: named notes, some with a time.

Never reads a disk: whoever owns the notes hands in how one is looked up, and writes down what has changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from relay.model import Note

if TYPE_CHECKING:
    from relay.rules.silences import Silence


Changes = Mapping[str, Note | None]  # by name; None: forgotten


def _blank(name: str) -> Note | None:  # noqa: ARG001
    return None


@dataclass(slots=True)
class Memory:
    """The notes as they stand after the changes kept so far, and the silences there are.

    ``look`` finds a note that has not changed. ``lets_through``: nothing is to be kept back, because somebody has asked
    for it by hand.
    """

    look: Callable[[str], Note | None] = _blank
    silences: tuple[Silence, ...] = ()
    lets_through: bool = False
    changes: dict[str, Note | None] = field(default_factory=dict)

    def get(self, name: str) -> Note | None:
        if name not in self.changes:
            return self.look(name)
        return self.changes[name]

    def put(self, name: str, note: Note) -> None:
        self.changes[name] = note

    def forget(self, name: str) -> None:
        self.changes[name] = None

    def keep(self, changes: Changes) -> None:
        """Remember what a decision changed, for the decisions after it."""
        self.changes.update(changes)

    def apart(self) -> Memory:
        """The same memory with changes of its own: what is put there does not show here."""
        return Memory(look=self.get, silences=self.silences, lets_through=self.lets_through)


def named(kind: str, *parts: str | int) -> str:
    """The name of a note: short, and alike only for the same parts."""
    joined = "\x1f".join(str(part).replace("\x1f", " ") for part in parts)
    return f"{kind}:{hashlib.sha256(joined.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def copied(value: Any) -> Any:
    """A JSON value anew."""
    if isinstance(value, Mapping):
        return {key: copied(each) for key, each in value.items()}
    return [copied(each) for each in value] if isinstance(value, list) else value
