"""Grafana's webhook contact point: verify and read its unified body or a custom one.

Never recomputes a fingerprint: Grafana makes it with labels that it does not send.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, Self

from pydantic import model_validator

from relay.errors import Unauthorized
from relay.model import Alert, Event, Reading, Request
from relay.schema import Part, Secrets
from relay.sources import alerts, auth, fields, grafana_legacy, identity
from relay.sources.links import first_link, link, rebased
from relay.sources.proof import HeaderName, expect_proof
from relay.sources.words import SAME_BODY_SECONDS, state_of

TOLERANCE_SECONDS = 300  # a signed timestamp may differ from our clock by so much, as in Standard Webhooks 1.0

# The contact point's «Test» button (grafana/alerting): every press has a groupKey of its own.
TEST_FINGERPRINT = "57c6d9296de2ad39"
TEST_KEY = "grafana:test"

MOST_VALUES = 100  # of one alert, in its valueString
VALUE = re.compile(r"[-+]?[0-9]{1,20}(?:\.[0-9]{1,20})?(?:e[-+]?[0-9]{1,2})?", re.ASCII | re.IGNORECASE)

# Alerts of their own that Grafana raises when a rule cannot be evaluated (Grafana docs, no data and error states).
EVALUATION_ALERTS: Mapping[str, str] = {"DatasourceNoData": "NoData", "DatasourceError": "Error"}


class Authorization(Part):
    """`authorization_scheme` and `authorization_credentials` of the contact point."""

    scheme: HeaderName = "Bearer"
    credentials: Secrets


class Hmac(Part):
    """`hmacConfig` of the contact point. With a timestamp header a captured request is good for five minutes only."""

    secret: Secrets
    header: HeaderName = "X-Grafana-Alerting-Signature"
    timestamp_header: HeaderName | Literal[""] = ""


class Options(alerts.AlertOptions):
    """`type: grafana`, with `hmac`, `basic`, `bearer` or `authorization`; where hmac joins another, both must hold."""

    type: Literal["grafana"]
    authorization: Authorization | None = None
    hmac: Hmac | None = None

    @model_validator(mode="after")
    def _proof(self) -> Self:
        expect_proof(self, "hmac", "basic", "bearer", "authorization")
        return self


def verify(options: Options, request: Request, now: float) -> None:
    """Raises Unauthorized unless everything that the source asks for is there and right.

    Args:
        now: Unix seconds, against which a signed timestamp is held.
    """
    token = _token(options)
    if not (options.hmac or options.basic or token or options.open):
        raise Unauthorized("this source has no credentials configured")
    if options.basic:
        auth.check_basic(options.basic, request)
    if token:
        auth.check_bearer(token.credentials, request, scheme=token.scheme)
    if options.hmac:
        _check_hmac(options.hmac, request, now)


def sign(options: Options, request: Request, now: float) -> Mapping[str, str]:
    """The headers that :func:`verify` accepts; names are in lower case, as in a Request."""
    headers: dict[str, str] = {}
    token = _token(options)
    if options.basic:
        headers["authorization"] = auth.basic_header(options.basic)
    if token:
        headers["authorization"] = f"{token.scheme} {token.credentials[0].reveal()}"
    if options.hmac:
        timestamp = str(int(now)) if options.hmac.timestamp_header else ""
        if timestamp:
            headers[options.hmac.timestamp_header.lower()] = timestamp
        headers[options.hmac.header.lower()] = auth.hex_digest(options.hmac.secret[0], _signed(request, timestamp))
    return headers


def _token(options: Options) -> Authorization | None:
    return options.authorization or (Authorization(credentials=options.bearer) if options.bearer else None)


def _check_hmac(option: Hmac, request: Request, now: float) -> None:
    """The timestamp is asked for wherever it is configured, or a replay could leave it out."""
    timestamp = request.headers.get(option.timestamp_header.lower(), "") if option.timestamp_header else ""
    if option.timestamp_header and not re.fullmatch("[0-9]{1,12}", timestamp):
        raise Unauthorized(f"Unix seconds are expected in {option.timestamp_header}: set it on the contact point too")
    signature = request.headers.get(option.header.lower(), "")
    auth.check_hmac(option.secret, _signed(request, timestamp), signature, header=option.header)
    if timestamp and abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        raise Unauthorized(f"{option.timestamp_header} is more than 5 minutes off: a replay, or a clock that is wrong")


def _signed(request: Request, timestamp: str) -> bytes:
    return timestamp.encode() + b":" + request.body if timestamp else request.body


def read(name: str, options: Options, request: Request) -> Reading:
    """Understand a group of alerts, a legacy alert, or a body of the user's own making.

    Raises:
        NotUnderstood: the body is not JSON, or a value is of another type than Grafana sends.
    """
    data = fields.parse(request.body)
    if isinstance(data, dict) and "alerts" in data:
        return _unified(name, options, data)
    short = min(options.dedup_window, SAME_BODY_SECONDS)
    if isinstance(data, dict) and "ruleName" in data and "evalMatches" in data:
        return grafana_legacy.read(name, data, window=short, links=options.links)
    return _custom(name, request, data, window=short, links=options.links)


# ── Unified alerting (Grafana 8 and later) ────────────────────────────────────────────────────────────────────


def _unified(name: str, options: Options, data: dict[str, Any]) -> Reading:
    group = alerts.read_group(
        data,
        [_alert(data, index) for index in range(len(fields.items(data, "alerts")))],
        source=name,
        sender="grafana",
        scope=(_organisation(data),),
        url=link(fields.text(data, "externalURL")),
        links=options.links,
    )
    reading = alerts.reading(group, per=options.per, window=options.dedup_window)
    test = _is_test(group)
    return replace(reading, events=tuple(_finished(event, test) for event in reading.events))


def _organisation(data: dict[str, Any]) -> str:
    """A template of one's own may leave orgId to the alerts (`webhook.default.payload` does)."""
    number = fields.number(data, "orgId") or fields.number(data, "alerts", 0, "orgId")
    return "" if number is None else str(number)


def _alert(data: dict[str, Any], index: int) -> Alert:
    alert = alerts.read_alert(data, index)
    address = {
        key: fields.text(data, "alerts", index, key) for key in ("panelURL", "dashboardURL", "silenceURL", "imageURL")
    }
    url = first_link(address["panelURL"], address["dashboardURL"], alert.url)
    return replace(
        alert,
        name=(alert.labels.get("rulename") if alert.name in EVALUATION_ALERTS else "") or alert.name,
        url=url,
        rule_url=alert.url if alert.url != url else "",
        dashboard_url=first_link(address["dashboardURL"], alert.dashboard_url),
        silence_url=link(address["silenceURL"]),
        image_url=link(address["imageURL"]),
        values=_values(data, "alerts", index),
    )


def _values(data: dict[str, Any], *path: str | int) -> Mapping[str, float]:
    if "values" not in fields.mapping(data, *path):  # Grafana 9 and older; later ones write null where there are none
        return _value_string(fields.text(data, *path, "valueString"))
    path = (*path, "values")
    found = {name: value for name, value in fields.mapping(data, *path).items() if value is not None}
    return {fields.clean(name): alerts.finite(value, *path, "*") for name, value in found.items()}


def _value_string(written: str) -> Mapping[str, float]:
    """``[ var='B0' metric='Load' labels={host=a} value=97.5 ], [ var=…``; what is written otherwise is left out."""
    found: dict[str, float] = {}
    for part in written.split("], [", MOST_VALUES)[:MOST_VALUES]:
        name = part.partition("='")[2].partition("'")[0]
        if name and (value := VALUE.fullmatch(part.rpartition("value=")[2].rstrip(" ]"))):
            found[name] = float(value[0])
    return found


def _is_test(group: alerts.Group) -> bool:
    marked = f"-{TEST_FINGERPRINT}-" in group.group_key
    return marked or any(
        alert.fingerprint == TEST_FINGERPRINT
        or (alert.name == "TestAlert" and alert.labels.get("instance") == "Grafana")
        for alert in group.alerts
    )


def _finished(event: Event, test: bool) -> Event:
    conclusion = _conclusion(event.alerts)
    if not test and not conclusion:  # as nearly always; to replace nothing takes time as well
        return event
    return replace(event, conclusion=conclusion, key=TEST_KEY if test else event.key)


def _conclusion(found: Sequence[Alert]) -> str:
    """Why the alerts are in their state, in Grafana's word, where it is not the threshold; ``""`` where they differ."""
    reasons = {_reason(alert) for alert in alerts.concerning(found)}
    return reasons.pop() if len(reasons) == 1 else ""


def _reason(alert: Alert) -> str:
    evaluation = EVALUATION_ALERTS.get(alert.labels.get("alertname", ""), "")
    return alert.annotations.get("grafana_state_reason") or evaluation


# ── A body of the user's own making (`payload.template`, Grafana 12) ──────────────────────────────────────────


CUSTOM_LINKS = ("url", "panelURL", "dashboardURL", "generatorURL", "externalURL")


def _custom(name: str, request: Request, data: Any, *, window: float, links: Mapping[str, str]) -> Reading:
    """An event that claims little: the words are taken where a template would most likely keep Grafana's names."""
    said = {key: fields.clean(value) for key, value in _texts(data)}
    word = said.get("status") or said.get("state") or ""
    within = {key: fields.clean(value) for key, value in _texts(data.get("commonLabels"))} if said else {}
    delivery = identity.sha256(request.body)
    event = Event(
        source=name,
        type="grafana",
        event="event",
        action=word,
        delivery=delivery,
        key=identity.key(name, identity.sha256(said["groupKey"].encode())) if said.get("groupKey") else "",
        state=state_of(word),
        severity=said.get("severity") or within.get("severity", ""),
        title=said.get("title", ""),
        text=said.get("message", ""),
        url=rebased(first_link(*(said.get(place, "") for place in CUSTOM_LINKS)), links),
        labels=within,
        payload=data,
    )
    return Reading(delivery=delivery, window=window, events=(event,))


def _texts(data: Any) -> list[tuple[str, str]]:
    """The texts of an object; of anything else, none."""
    return [(key, value) for key, value in data.items() if isinstance(value, str)] if isinstance(data, dict) else []
