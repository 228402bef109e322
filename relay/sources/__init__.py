"""The senders: one file each, which verifies and reads its requests, and the table of them.

Nothing in this folder touches the network, the disk or the clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from relay.model import Reading, Request
from relay.sources import alertmanager, github, grafana, json_source
from relay.sources.options import SourceOptions


class Verify(Protocol):
    def __call__(self, options: Any, request: Request, now: float) -> None: ...


class Read(Protocol):
    def __call__(self, name: str, options: Any, request: Request) -> Reading: ...


class Sign(Protocol):
    def __call__(self, options: Any, request: Request, now: float) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class Sender:
    """One kind of sender.

    ``verify(options, request, now)`` returns or raises :class:`~relay.errors.Unauthorized`; it comes first.
    ``read(name, options, request)`` understands the request, or raises another :class:`~relay.errors.Refused`.
    ``sign(options, request, now)`` gives the headers with which the request would be believed.
    """

    options: type[SourceOptions]
    verify: Verify
    read: Read
    sign: Sign


__all__ = ["SENDERS", "Sender", "alertmanager", "github", "grafana", "json_source"]

SENDERS: Mapping[str, Sender] = {
    "github": Sender(github.Options, github.verify, github.read, github.sign),
    "alertmanager": Sender(alertmanager.Options, alertmanager.verify, alertmanager.read, alertmanager.sign),
    "grafana": Sender(grafana.Options, grafana.verify, grafana.read, grafana.sign),
    "json": Sender(json_source.Options, json_source.verify, json_source.read, json_source.sign),
}
