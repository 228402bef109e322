"""Prometheus Alertmanager's webhook, version 4: verify and read.

Never splits or joins what Alertmanager has grouped, unless `per: alert` says so. Its requests are signed with
nothing but the Authorization header (Alertmanager docs, http_config); there is no delivery id.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Literal, Self
from urllib.parse import quote

from pydantic import model_validator

from relay.errors import NotUnderstood, Unauthorized
from relay.model import Reading, Request
from relay.sources import alerts, auth, fields
from relay.sources.links import link
from relay.sources.proof import expect_proof


class Options(alerts.AlertOptions):
    """`type: alertmanager`, with `basic` or `bearer`, or `open: true`."""

    type: Literal["alertmanager"]

    @model_validator(mode="after")
    def _proof(self) -> Self:
        expect_proof(self, "basic", "bearer")
        return self


def verify(options: Options, request: Request, now: float) -> None:  # noqa: ARG001 - every sender is asked alike
    """Raises Unauthorized unless the Authorization header is the configured one."""
    if options.basic:
        auth.check_basic(options.basic, request)
    elif options.bearer:
        auth.check_bearer(options.bearer, request)
    elif not options.open:
        raise Unauthorized("this source has no credentials configured")


def sign(options: Options, request: Request, now: float) -> Mapping[str, str]:  # noqa: ARG001
    """The Authorization header that :func:`verify` accepts; names are in lower case, as in a Request."""
    if options.basic:
        return {"authorization": auth.basic_header(options.basic)}
    return {"authorization": f"Bearer {options.bearer[0].reveal()}"} if options.bearer else {}


def read(name: str, options: Options, request: Request) -> Reading:
    """Understand a group of alerts.

    Raises:
        NotUnderstood: it is not version 4 of Alertmanager's body, or a value is of another type than it sends.
    """
    data = fields.document(fields.parse(request.body))
    if data.get("version") != "4" or not isinstance(data.get("alerts"), list):
        raise NotUnderstood(
            'Alertmanager\'s own body is expected, with "version": "4" and a list of alerts; '
            "for a body of your own (payload:) use a source of type json"
        )
    address = fields.text(data, "externalURL").rstrip("/")
    silence = partial(_silence_url, address if link(f"{address}/") else "")
    group = alerts.read_group(
        data,
        [alerts.read_alert(data, index, silence=silence) for index in range(len(data["alerts"]))],
        source=name,
        sender="alertmanager",
        url=link(f"{address}/#/alerts?receiver={quote(fields.text(data, 'receiver'), safe='')}"),
        links=options.links,
    )
    return alerts.reading(group, per=options.per, window=options.dedup_window)


def _silence_url(address: str, labels: Mapping[str, str]) -> str:
    if not address:
        return ""
    matchers = ", ".join(f'{name}="{_escaped(value)}"' for name, value in sorted(labels.items()))
    return f"{address}/#/silences/new?filter={quote(f'{{{matchers}}}', safe='')}"


def _escaped(value: str) -> str:
    """A label's value inside the quotes of a matcher (Alertmanager, pkg/labels: OpenMetrics escaping)."""
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
