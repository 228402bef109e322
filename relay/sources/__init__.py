"""The senders: one file each, which verifies and reads its requests, and the table of them.

Nothing in this folder touches the network, the disk or the clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from relay.model import Reading, Request
from relay.sources import (
    alertmanager,
    buildbot,
    cloudevents,
    gitea,
    github,
    gitlab,
    grafana,
    healthchecks,
    jenkins,
    json_source,
    sentry,
    standard_webhooks,
    uptime_kuma,
    zabbix,
)
from relay.sources.options import SourceOptions


class Verify(Protocol):
    def __call__(self, options: Any, request: Request, now: float) -> None: ...


class Read(Protocol):
    def __call__(self, name: str, options: Any, request: Request) -> Reading: ...


class Sign(Protocol):
    def __call__(self, options: Any, request: Request, now: float) -> Mapping[str, str]: ...


class Handshake(Protocol):
    def __call__(self, options: Any, headers: Mapping[str, str]) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class Sender:
    """One kind of sender.

    ``verify(options, request, now)`` returns or raises :class:`~relay.errors.Unauthorized`; it comes first.
    ``read(name, options, request)`` understands the request, or raises another :class:`~relay.errors.Refused`.
    ``sign(options, request, now)`` gives the headers with which the request would be believed.
    ``handshake(options, headers)`` gives the headers that answer one who asks, by OPTIONS, whether he may post.
    """

    options: type[SourceOptions]
    verify: Verify
    read: Read
    sign: Sign
    handshake: Handshake | None = None


__all__ = ["SENDERS", "Sender", "alertmanager", "github", "grafana", "json_source"]

SENDERS: Mapping[str, Sender] = {
    "github": Sender(github.Options, github.verify, github.read, github.sign),
    "gitlab": Sender(gitlab.Options, gitlab.verify, gitlab.read, gitlab.sign),
    "gitea": Sender(gitea.Options, gitea.verify, gitea.read, gitea.sign),
    "sentry": Sender(sentry.Options, sentry.verify, sentry.read, sentry.sign),
    "jenkins": Sender(jenkins.Options, jenkins.verify, jenkins.read, jenkins.sign),
    "buildbot": Sender(buildbot.Options, buildbot.verify, buildbot.read, buildbot.sign),
    "alertmanager": Sender(alertmanager.Options, alertmanager.verify, alertmanager.read, alertmanager.sign),
    "grafana": Sender(grafana.Options, grafana.verify, grafana.read, grafana.sign),
    "zabbix": Sender(zabbix.Options, zabbix.verify, zabbix.read, zabbix.sign),
    "uptime-kuma": Sender(uptime_kuma.Options, uptime_kuma.verify, uptime_kuma.read, uptime_kuma.sign),
    "healthchecks": Sender(healthchecks.Options, healthchecks.verify, healthchecks.read, healthchecks.sign),
    "cloudevents": Sender(
        cloudevents.Options, cloudevents.verify, cloudevents.read, cloudevents.sign, cloudevents.handshake
    ),
    "standard-webhooks": Sender(
        standard_webhooks.Options, standard_webhooks.verify, standard_webhooks.read, standard_webhooks.sign
    ),
    "json": Sender(json_source.Options, json_source.verify, json_source.read, json_source.sign),
}
