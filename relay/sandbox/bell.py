"""Everybody's notification centre: what is shown to whom, what a newer one replaced, what was read.

Never decides who may write to whom. Not thread-safe: the portal holds its lock round it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from relay.sandbox.attach import Block

USER, SYSTEM = 2, 4
TAG_LIMIT = 255  # the database column; the prefix "MP|12345|" is part of it


@dataclass(slots=True)
class Notification:
    """One line of somebody's list. ``text`` is what is stored; ``text.on_read`` makes what a client sees of it."""

    id: int
    recipient: int
    author: int
    created: float
    type: int
    text: str
    mail_text: str = ""
    tag: str = ""
    sub_tag: str = ""
    attach: Block | None = None
    read: bool = False
    earlier_authors: list[int] = field(default_factory=list)
    replaced: int = 0
    """How many older ones it took the place of, one after another."""


class Bell:
    """The lists of all recipients; ids grow and are never used again."""

    def __init__(self) -> None:
        self._all: dict[int, Notification] = {}
        self._lists: dict[int, dict[int, Notification]] = {}
        self._by_tag: dict[str, dict[int, Notification]] = {}
        self._next = 1
        self.counts: Counter[str] = Counter()

    def ring(self, new: Notification) -> int:
        """Store ``new`` under the next id; then the older ones of its tag in the same list go. Its id."""
        new.id, self._next = self._next, self._next + 1
        older = [old for old in self._by_tag.get(new.tag, {}).values() if new.tag and old.recipient == new.recipient]
        self._store(new)
        for old in older:
            new.replaced += old.replaced + 1
            new.earlier_authors += [author for author in (*old.earlier_authors, old.author) if author != new.author]
            self._remove(old)
        self.counts["stored"] += 1
        self.counts["replaced"] += len(older)
        return new.id

    def of(self, recipient: int) -> list[Notification]:
        """The list of ``recipient``, newest first."""
        return list(reversed(self._lists.get(recipient, {}).values()))

    def recipients(self) -> list[int]:
        """Who has anything in his list."""
        return sorted(number for number, held in self._lists.items() if held)

    def delete(self, found: Iterable[Notification]) -> bool:
        """Delete; False = there was nothing to."""
        gone = list(found)
        for notification in gone:
            self._remove(notification)
        self.counts["deleted"] += len(gone)
        return bool(gone)

    def own(self, recipient: int, numbers: Iterable[int]) -> list[Notification]:
        """Those of ``numbers`` that stand in the list of ``recipient``."""
        held = self._lists.get(recipient, {})
        return [held[number] for number in numbers if number in held]

    def tagged(self, tag: str) -> list[Notification]:
        """All recipients' notifications with this stored tag."""
        return list(self._by_tag.get(tag, {}).values())

    def sub_tagged(self, sub_tag: str) -> list[Notification]:
        """All recipients' notifications with this stored second tag."""
        return [notification for notification in self._all.values() if sub_tag and notification.sub_tag == sub_tag]

    def mark(self, recipient: int, *, read: bool, which: Callable[[Notification], bool]) -> None:
        """Mark those in one's own list read or unread."""
        for notification in self._lists.get(recipient, {}).values():
            if which(notification):
                notification.read = read

    def _store(self, new: Notification) -> None:
        self._all[new.id] = new
        self._lists.setdefault(new.recipient, {})[new.id] = new
        if new.tag:
            self._by_tag.setdefault(new.tag, {})[new.id] = new

    def _remove(self, old: Notification) -> None:
        del self._all[old.id]
        del self._lists[old.recipient][old.id]
        if old.tag:
            del self._by_tag[old.tag][old.id]
