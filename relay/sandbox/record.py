"""The portal's memory of what was asked of it, in order: every request, every command.

Never keeps a secret: keys are cut out before anything is written down.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from relay.sandbox.php import Value

KEPT = 50_000
"""So many requests are remembered; the oldest are forgotten first (the counters are not)."""


@dataclass(slots=True)
class CommandEntry:
    """One command: what was asked, with which parameters, and what came of it (``result``, or ``error``'s code)."""

    time: float
    method: str
    key: str
    params: dict[str, Value]
    result: Value = None
    error: str = ""


@dataclass(slots=True)
class RequestEntry:
    """One request. ``status`` 0 = no answer went out (yet, or ever); ``fault`` is the kind of an ordered fault."""

    number: int
    time: float
    method: str
    source: str
    by: str
    status: int = 0
    error: str = ""
    fault: str = ""
    seconds: float = 0.0
    commands: list[CommandEntry] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The entry as the control API shows it."""
        return {**asdict(self), "command_count": len(self.commands)}


class Record:
    """The entries, oldest first. Not thread-safe: the portal holds its lock round it."""

    def __init__(self) -> None:
        self._entries: deque[RequestEntry] = deque(maxlen=KEPT)
        self.requests = 0
        self.commands = 0
        self.refused = 0

    def open(self, *, time: float, method: str, source: str, by: str) -> RequestEntry:
        """Write down a request that has just come in."""
        self.requests += 1
        entry = RequestEntry(self.requests, time, method, source, by)
        self._entries.append(entry)
        return entry

    def command(self, request: RequestEntry, entry: CommandEntry) -> None:
        """Write down a command of ``request``."""
        self.commands += 1
        request.commands.append(entry)

    def entries(self, since: int = 0) -> list[RequestEntry]:
        """The requests whose number is above ``since``."""
        return [entry for entry in self._entries if entry.number > since]


def masked(value: Value, secrets: Iterable[str]) -> Value:
    """``value`` with every secret in it replaced by ``***``."""
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, "***") if secret else value
        return value
    if isinstance(value, list):
        return [masked(item, secrets) for item in value]
    if isinstance(value, dict):
        return {str(masked(key, secrets)): masked(item, secrets) for key, item in value.items()}
    return value
