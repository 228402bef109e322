"""The webhook of Grafana's legacy alerting (Grafana 8 and older, alerts of dashboards): read it.

Never verifies: it arrives by the same door as the unified body, grafana.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relay.model import Alert, Event, Reading, State
from relay.sources import alerts, fields, identity
from relay.sources.links import link

# Grafana's state → (the relay's state, conclusion).
STATES: Mapping[str, tuple[State, str]] = {
    "alerting": ("firing", ""),
    "no_data": ("firing", "NoData"),
    "ok": ("resolved", ""),
    "paused": ("info", "Paused"),
    "pending": ("info", "Pending"),
}


def read(name: str, data: dict[str, Any], *, window: float, links: Mapping[str, str]) -> Reading:
    """Understand one alert of a dashboard.

    Args:
        window: seconds; a short time, for nothing in the body tells one alarm from the next one like it.
        links: what stands in the place of Grafana's own address.

    Raises:
        NotUnderstood: a value is of another type than Grafana sends.
    """
    word = fields.text(data, "state")
    if word not in STATES:
        fields.refuse(("state",), f"one of {', '.join(STATES)}")
    state, conclusion = STATES[word]
    alert = alerts.reachable(_alert(data, "resolved" if state == "resolved" else "firing"), links)
    organisation, rule = fields.number(data, "orgId"), fields.number(data, "ruleId")
    delivery = identity.digest(organisation, rule, word, alert.name, alert.summary, sorted(alert.values.items()))
    event = Event(
        source=name,
        type="grafana",
        event="alert",
        action=word,
        delivery=delivery,
        key="" if rule is None else identity.key(name, f"{'' if organisation is None else organisation}/{rule}"),
        state=state,
        severity=alert.severity,
        title=alert.name or "alert",
        text=alert.summary,
        url=alert.url,
        labels=alert.labels,
        conclusion=conclusion,
        alerts=(alert,) if state != "info" else (),
        payload=data,
    )
    return Reading(delivery=delivery, window=window, events=(event,))


def _alert(data: dict[str, Any], status: alerts.Status) -> Alert:
    labels = fields.texts(data, "tags")
    return Alert(
        status=status,
        name=fields.text(data, "ruleName") or fields.text(data, "title"),
        summary=fields.text(data, "message"),
        severity=labels.get("severity", ""),
        labels=labels,
        url=link(fields.text(data, "ruleUrl")),
        image_url=link(fields.text(data, "imageUrl")),
        values=dict(pair for index in range(len(fields.items(data, "evalMatches"))) for pair in _value(data, index)),
    )


def _value(data: dict[str, Any], index: int) -> list[tuple[str, float]]:
    """One series' value under its name, such as ``Load{host=a}``; none where the series had none."""
    value = fields.dig(data, "evalMatches", index, "value")
    tags = ", ".join(f"{k}={v}" for k, v in sorted(fields.texts(data, "evalMatches", index, "tags").items()))
    metric = fields.text(data, "evalMatches", index, "metric") + (f"{{{tags}}}" if tags else "")
    return [] if value is None else [(metric, alerts.finite(value, "evalMatches", index, "value"))]
