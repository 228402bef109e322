"""Faults on order: what shall go wrong, how often, and with whom.

Never fails by itself: the portal asks before and after each request and each command.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

Kind = Literal[
    "rate",
    "operating",
    "error",
    "html",
    "slow",
    "reset",
    "close",
    "garbage",
    "empty",
    "moved",
    "expire",
]
KINDS: tuple[str, ...] = get_args(Kind)
# These two may strike one command of a batch and leave the others alone.
_COMMAND_KINDS = ("operating", "error")
_BEFORE = ("rate", "operating", "error", "html", "reset", "close", "moved", "expire")


@dataclass(slots=True)
class Fault:
    """What happens to the next ``times`` matching requests.

    rate       503 QUERY_LIMIT_EXCEEDED
    operating  429 OPERATION_TIME_LIMIT
    error      any ``code``; ``status`` and ``text`` default to those of the portal's table
    html       a front-end's page with ``status`` (502)
    slow       the answer comes ``seconds`` late
    reset      the connection is reset (RST); close: it is closed without an answer
    garbage    200 and half a JSON text; empty: 200 and nothing
    moved      302 to the same path at the address ``location``
    expire     the app's token expires; the request then goes its way

    ``when`` is "before" or "after" the request was carried out (default: slow, garbage and empty after, the others
    before). ``method`` and ``user`` narrow it down; a batch matches if one of its commands does.
    """

    kind: Kind
    times: int = 1
    method: str = ""
    user: int = 0
    when: Literal["", "before", "after"] = ""
    status: int = 0
    code: str = ""
    text: str = ""
    seconds: float = 0.0
    location: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind of fault; there are: {', '.join(KINDS)}")
        if self.when not in ("", "before", "after"):
            raise ValueError("when: either before or after")
        if self.kind == "error" and not self.code:
            raise ValueError("a fault of the kind error needs a code")
        if self.kind == "moved" and not self.location.startswith(("http://", "https://")):
            raise ValueError("a fault of the kind moved needs a location: the new http(s) address")
        self.when = self.when or ("before" if self.kind in _BEFORE else "after")

    def matches(self, method: str, user: int) -> bool:
        """Does a command of this ``method`` to this ``user`` meet the filters?"""
        return self.method.lower() in ("", method) and self.user in (0, user)


def from_json(order: Mapping[str, Any]) -> Fault:
    """A fault from the control API.

    Raises:
        ValueError: a field is unknown or has a wrong type.
    """
    types: dict[str, type | tuple[type, ...]] = {"times": int, "user": int, "status": int, "seconds": (int, float)}
    known = {field.name for field in fields(Fault)}
    for name, value in order.items():
        if name not in known or not isinstance(value, types.get(name, str)) or isinstance(value, bool):
            raise ValueError(f"faults: a field is unknown or has a wrong type; there are: {', '.join(sorted(known))}")
    if "kind" not in order:
        raise ValueError(f"faults: kind is missing; there are: {', '.join(KINDS)}")
    return Fault(**order)


class Faults:
    """The queue. Not thread-safe: the portal holds its lock round it."""

    def __init__(self) -> None:
        self._queue: list[Fault] = []

    def __len__(self) -> int:
        return sum(fault.times for fault in self._queue)

    def add(self, fault: Fault) -> None:
        """Put one at the end."""
        self._queue.append(fault)

    def for_request(self, targets: Sequence[tuple[str, int]]) -> Fault | None:
        """Use up the first that strikes this request: ``targets`` are its own (method, user) and its commands'.

        One that strikes single commands passes a batch by unless it names no command or the batch itself.
        """
        whole, inner = targets[0], targets[1:]
        for fault in self._queue:
            by_command = fault.kind not in _COMMAND_KINDS and any(fault.matches(*target) for target in inner)
            if fault.matches(*whole) or by_command:
                return self._use(fault)
        return None

    def for_command(self, method: str, user: int) -> Fault | None:
        """Use up the first that strikes this command of a batch."""
        for fault in self._queue:
            if fault.kind in _COMMAND_KINDS and fault.matches(method, user):
                return self._use(fault)
        return None

    def _use(self, fault: Fault) -> Fault:
        fault.times -= 1
        self._queue = [left for left in self._queue if left.times > 0]
        return fault
