"""One test of the rules, ready to run: the events in their order, and who must be told what of the last.

Nothing here is computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from relay.model import Outcome, Via
from relay.store.journal import Entry

UNAUTHORIZED = "unauthorized"  # the request is not believed; only where a step says `signed: false`

# Why nobody is told.
REASONS: tuple[str, ...] = (*(reason for reason in get_args(Outcome) if reason != "addressed"), UNAUTHORIZED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One event of a test. ``signed``: it is believed as it stands; if not, its own credentials are checked."""

    entry: Entry
    at: datetime
    signed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """One message that must come. ``None`` and an empty tuple stand for «does not matter».

    ``text`` is the whole readable text; each of ``contains`` must be in it, each of ``blocks`` in the blocks' texts.
    ``at``: the message must not come before. ``delete``: it takes a notification away.
    """

    person: str
    rule: str | None = None
    tag: str | None = None
    text: str | None = None
    contains: tuple[str, ...] = ()
    blocks: tuple[str, ...] = ()
    urgent: bool | None = None
    via: Via | None = None
    at: datetime | None = None
    delete: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test. The messages of its last step must be ``expect``, in any order; none of them for no ``expect``.

    ``because`` is then the reason that there must be, or ``None``. ``line`` is where it stands in its file.
    """

    name: str
    line: int
    before: tuple[Step, ...]
    step: Step
    expect: tuple[Expected, ...]
    because: str | None = None
