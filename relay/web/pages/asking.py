"""What a page or a script asks for in its address, read into a filter; the same questions for both.

Never trusts a number or a time: what cannot be read is a complaint about that question.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from relay.errors import Refused
from relay.moment import HOW, moment
from relay.store.search import Filter
from relay.web.pages import openapi

HIGHEST = 2**53  # of the numbers that JavaScript and both databases can hold
LONGEST = 200  # signs of a question
LIMIT = 50  # rows of a page


class NotAsked(Refused):
    """A question in the address that cannot be read. ``fields`` names those that are to be corrected."""

    def __init__(self, complaints: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {complaint}" for name, complaint in complaints.items()))
        self.fields = frozenset(complaints)


@dataclass(slots=True)
class Asked:
    """The questions of an address, read one by one. :meth:`settle` says what was wrong with them.

    Args:
        args: the query's fields.
        now: Unix seconds, from which «2h» is reckoned.
    """

    args: Mapping[str, str]
    now: float
    complaints: dict[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        value = self.args.get(name, "").strip()
        if len(value) > LONGEST:
            self.complaints[name] = f"is longer than {LONGEST} signs"
        return value[:LONGEST]

    def one_of(self, name: str, known: Collection[str]) -> str:
        value = self.text(name)
        if value and value not in known:
            self.complaints[name] = f"use one of {', '.join(known)}"
            return ""
        return value

    def number(self, name: str, *, most: int = HIGHEST) -> int | None:
        value = self.text(name)
        if not value:
            return None
        if not (value.isascii() and value.isdigit() and len(value) < 20 and 1 <= int(value) <= most):
            self.complaints[name] = f"use a number from 1 to {most}"
            return None
        return int(value)

    def moment(self, name: str) -> float | None:
        value = self.text(name)
        try:
            return moment(value, self.now) if value else None
        except ValueError:
            self.complaints[name] = HOW
            return None

    def filter(self) -> Filter:
        """The questions that events and messages share; a page's own are read beside it."""
        return Filter(
            source=self.text("source"),
            kind=self.text("event"),
            person=self.text("person"),
            rule=self.text("rule"),
            text=self.text("text"),
            since=self.moment("since"),
            until=self.moment("until"),
            before=self.number("before"),
            after=self.number("after"),
            limit=self.number("limit", most=LIMIT) or LIMIT,
        )

    def settle(self) -> None:
        """
        Raises:
            NotAsked: something could not be read.
        """
        if self.complaints:
            raise NotAsked(self.complaints)


def of_redirect(args: Mapping[str, str], name: str) -> int:
    """How many a change was made to, as the redirect after it says in its address."""
    value = args.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 7 else 0


_NUMBER = openapi.NUMBER
PARAMETERS = (
    openapi.asked("source", openapi.TEXT, "The source's name in the rules"),
    openapi.asked("event", openapi.TEXT, "What happened: `pull_request` finds `pull_request.opened` as well"),
    openapi.asked("person", openapi.TEXT, "Somebody's name in the rules"),
    openapi.asked("rule", openapi.TEXT, "A rule's name"),
    openapi.asked("text", openapi.TEXT, "In an event's title, or in a message's text"),
    openapi.asked("since", openapi.TEXT, "`30m`, `2h`, `7d` (ago), or a time (ISO 8601, UTC)"),
    openapi.asked("until", openapi.TEXT, "The same, and before it"),
    openapi.asked("before", _NUMBER, "Numbers below this one: the next page"),
    openapi.asked("after", _NUMBER, "Numbers above this one: what has come since"),
    openapi.asked("limit", {"type": "integer", "minimum": 1, "maximum": LIMIT, "default": LIMIT}, "So many rows"),
)
