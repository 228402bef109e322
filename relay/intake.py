"""Corridor one: a request is verified, read and journalled while its sender waits.

Never decides whom an event concerns: that happens behind the first wall, where no rule can make a sender wait.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping
from dataclasses import replace
from typing import TypeVar

from relay import failpoint
from relay.errors import Refused
from relay.model import Reading, Request
from relay.rules import Rules
from relay.sources import SENDERS
from relay.sources.options import SourceOptions
from relay.store.journal import Arrival

# Headers that prove who the sender is. They have done their work once the request is verified, and a journal that
# does not hold them cannot leak them.
CREDENTIAL = re.compile(r"auth|cookie|token|secret|signature|passw|api-?key", re.IGNORECASE)


Written = TypeVar("Written")


class UnknownSource(Refused):
    """There is no source of this name in the rules."""

    status = 404


def accept(name: str, request: Request, *, rules: Rules, journal: Callable[[Arrival], Written], now: float) -> Written:
    """Take a request in.

    Args:
        name: the source, as in ``/in/<name>``.
        journal: writes an arrival down, or sees to it; what it says is what is returned.
        now: Unix seconds, against which signed timestamps are checked.

    Raises:
        Refused: of the kind that says what is wrong; nothing was journalled.
    """
    options = known(name, rules)
    sender = SENDERS[options.type]
    sender.verify(options, request, now)
    reading = sender.read(name, options, request)
    failpoint.here("intake: verified, not journalled")
    # Which headers prove it does not depend on the body, and a signature of nothing costs nothing.
    proof = {header.lower() for header in sender.sign(options, replace(request, body=b""), now)}
    return journal(arrival(name, request, reading, proof=proof))


def known(name: str, rules: Rules) -> SourceOptions:
    """What the rules say of a source.

    Raises:
        UnknownSource: nothing.
    """
    options = rules.sources.get(name)
    if options is None:
        raise UnknownSource
    return options


def arrival(name: str, request: Request, reading: Reading, *, proof: Container[str] = ()) -> Arrival:
    """What the journal keeps of a request. ``proof`` are the headers in which this source proves itself."""
    first = reading.events[0]
    return Arrival(
        source=name,
        method=request.method,
        headers=without_credentials(request.headers, proof),
        body=request.body,
        delivery=reading.delivery,
        window=reading.window,
        kind=".".join(filter(None, (first.event, first.action))),
        title=first.title,
    )


def without_credentials(headers: Mapping[str, str], proof: Container[str] = ()) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in proof and not CREDENTIAL.search(name)}
