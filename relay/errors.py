"""What may go wrong, and by whose fault.

An error's text is a sentence for the person who can mend it; it never holds a secret or a stranger's words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning", "note"]  # of a complaint


class RelayError(Exception):
    """Something that the relay can explain went wrong."""

    def __str__(self) -> str:
        return super().__str__() or (self.__doc__ or "").strip()


class Refused(RelayError):
    """The request is not accepted. ``status`` is what the door answers."""

    status = 400


class Unauthorized(Refused):
    """The credentials are missing or wrong."""

    status = 401


class TooLarge(Refused):
    """The body is larger than this source allows."""

    status = 413


class UnsupportedMedia(Refused):
    """The body's content type is not one that this source sends."""

    status = 415


class NotUnderstood(Refused):
    """The body is not what this source sends."""

    status = 422


class StoreUnavailable(RelayError):
    """The database cannot be written just now; nothing was lost, the sender should try again."""


class BadDatabase(RelayError):
    """The database cannot be used; the sentence says why and what to do."""


class PortalUnreachable(RelayError):
    """No answer from the portal. ``sent`` says whether the request may have reached it."""

    def __init__(self, why: str, *, sent: bool) -> None:
        super().__init__(why)
        self.sent = sent


@dataclass(frozen=True, slots=True, order=True)
class Complaint:
    """One fault in the rules file, at a place that an editor can jump to.

    An error keeps the file from being used, a warning asks to be looked at, a note only tells. ``code`` names the
    kind of a warning or note, so that it can be silenced; errors have none.
    """

    line: int
    column: int
    path: str  # rules.3.when.branch
    message: str
    level: Level = "error"
    file: str = "rules.yaml"
    code: str = ""

    def __str__(self) -> str:
        word = "" if self.level == "error" else f"{self.level}: "
        where = f"{self.path}: " if self.path else ""
        kind = f" [{self.code}]" if self.code else ""
        return f"{self.file}:{self.line}:{self.column}: {word}{where}{self.message}{kind}"


def in_order(complaints: Iterable[Complaint]) -> tuple[Complaint, ...]:
    """File by file, and in the order of each."""
    return tuple(sorted(complaints, key=lambda each: (each.file, each)))


class BadRules(RelayError):
    """The rules cannot be used. ``complaints`` holds every fault found, in the order of the file."""

    def __init__(self, complaints: Sequence[Complaint]) -> None:
        self.complaints = in_order(complaints)
        super().__init__("\n".join(map(str, self.complaints)))
