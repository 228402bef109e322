"""What Alertmanager's and Grafana's webhooks have in common: a group of alerts, and the events made of it.

Knows no word that only one of the two sends: those are read in alertmanager.py and grafana.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from relay.model import Alert, Event, Reading
from relay.schema import Duration, Secrets
from relay.sources import fields, identity
from relay.sources.links import Bases, first_link, link, rebased
from relay.sources.options import Basic, SourceOptions

Status = Literal["firing", "resolved"]

STATUSES: Mapping[str, Status] = {"firing": "firing", "resolved": "resolved"}

# The words that people give alerts, by weight. A word that is not here is taken for serious, as a careful
# reader would, but gives way to one that surely is.
WEIGHTS: Mapping[str, int] = {
    **dict.fromkeys(("critical", "page", "disaster", "high", "error", "p1"), 4),
    **dict.fromkeys(("warning", "average", "p2", "p3"), 2),
    **dict.fromkeys(("info", "notice", "none", "p4"), 1),
    "": 0,
}
UNKNOWN_WEIGHT = 3

NAMES_IN_TITLE = 3


class AlertOptions(SourceOptions):
    """What both senders' sources may say.

    ``per`` makes one event of each group, or one of each alert. Neither sender numbers its deliveries, and a
    reminder (repeat_interval) is byte for byte a retry: what comes again within ``dedup_window`` seconds is
    taken for a retry, later for a reminder. Both senders often know themselves by an address that people cannot open:
    ``links`` says what stands in its place.
    """

    basic: Basic | None = None
    bearer: Secrets | None = None
    per: Literal["group", "alert"] = "group"
    dedup_window: Annotated[Duration, Field(le=7 * 86400)] = 300.0
    links: Bases = Field(default={})


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The alerts of one request, and what they share."""

    source: str
    sender: str  # alertmanager or grafana
    scope: tuple[str, ...]  # within the source, where an alert's fingerprint is unique (Grafana: the organisation)
    receiver: str
    group_key: str
    status: Status
    alerts: tuple[Alert, ...]
    labels: Mapping[str, str]
    summary: str
    url: str  # where all of them can be seen
    truncated: int
    reason: str  # why it was sent, where the sender says so
    payload: Any


def read_group(
    data: dict[str, Any],
    alerts: Sequence[Alert],
    *,
    source: str,
    sender: str,
    scope: tuple[str, ...] = (),
    url: str,
    links: Mapping[str, str],
) -> Group:
    """Understand what stands around the alerts.

    Args:
        data: the whole body.
        alerts: the body's alerts, each made by :func:`read_alert` and furnished with its sender's own links.
        links: what stands in the place of the sender's own addresses.

    Raises:
        NotUnderstood: a value is of another type than the sender sends; its path is named.
    """
    return Group(
        source=source,
        sender=sender,
        scope=scope,
        receiver=fields.text(data, "receiver"),
        group_key=fields.text(data, "groupKey"),
        status=_status(data, "status"),
        alerts=tuple(reachable(alert, links) for alert in alerts),
        labels=fields.texts(data, "commonLabels"),
        summary=_words(fields.texts(data, "commonAnnotations")),
        url=rebased(url, links),
        truncated=max(0, fields.number(data, "truncatedAlerts") or 0),
        reason=fields.text(data, "notification_reason"),
        payload=data,
    )


def read_alert(data: dict[str, Any], index: int, *, silence: Callable[[Mapping[str, str]], str] | None = None) -> Alert:
    """Understand what both senders say of one alert of ``data["alerts"]``.

    Args:
        silence: the page that silences the alert with such labels.

    Raises:
        NotUnderstood: a value is of another type than the sender sends; its path is named.
    """
    labels = fields.texts(data, "alerts", index, "labels")
    annotations = fields.texts(data, "alerts", index, "annotations")
    return Alert(
        status=_status(data, "alerts", index, "status"),
        name=labels.get("alertname", ""),
        summary=annotations.get("summary") or annotations.get("message", ""),
        description=annotations.get("description", ""),
        severity=labels.get("severity", ""),
        labels=labels,
        annotations=annotations,
        started_at=_moment(data, "alerts", index, "startsAt"),
        ended_at=_moment(data, "alerts", index, "endsAt"),
        # Only home-made senders leave the fingerprint out; the labels are what it stands for.
        fingerprint=fields.text(data, "alerts", index, "fingerprint") or identity.digest(sorted(labels.items()))[:16],
        url=link(fields.text(data, "alerts", index, "generatorURL")),
        dashboard_url=first_link(*(annotations[name] for name in sorted(annotations) if name.startswith("dashboard"))),
        silence_url=silence(labels) if silence else "",
        runbook_url=link(annotations.get("runbook_url", "")),
    )


def reachable(alert: Alert, links: Mapping[str, str]) -> Alert:
    """The alert with addresses that people can open."""
    if not links:
        return alert
    return replace(
        alert,
        url=rebased(alert.url, links),
        rule_url=rebased(alert.rule_url, links),
        dashboard_url=rebased(alert.dashboard_url, links),
        silence_url=rebased(alert.silence_url, links),
        runbook_url=rebased(alert.runbook_url, links),
        image_url=rebased(alert.image_url, links),
    )


def _status(data: Any, *path: str | int) -> Status:
    status = STATUSES.get(fields.text(data, *path))
    if status is None:
        fields.refuse(path, "firing or resolved")
    return status


def _moment(data: Any, *path: str | int) -> str:
    """The time at ``path``, as it was sent; ``""`` for none.

    An alert that has not ended has Go's zero time, in the year 1, which cannot be told in zones west of UTC.
    """
    text = fields.text(data, *path)
    if not text or text.startswith("0001-"):
        return ""
    if _instant(text) is None:
        fields.refuse(path, "a time with its zone (RFC 3339)")
    return text


def _instant(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def finite(value: Any, *path: str | int) -> float:
    """A measured value. JSON has numbers that no float holds: 1e999, or a whole number of 400 digits.

    Raises:
        NotUnderstood: it is one of those, or no number at all.
    """
    try:
        number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        fields.refuse(path, "a number")
    return number


def reading(group: Group, *, per: Literal["group", "alert"], window: float) -> Reading:
    """One event of the group, or one of each alert; see :class:`AlertOptions`."""
    delivery = _delivery(group)
    if per == "alert" and group.alerts:
        events = tuple(_alert_event(group, alert, delivery) for alert in group.alerts)
    else:
        events = (_group_event(group, delivery),)
    return Reading(delivery=delivery, window=window, events=events)


def _delivery(group: Group) -> str:
    """Equal for a retry and for a second peer's copy (Alertmanager in a cluster), which differ in externalURL.

    Grafana and Alertmanager before 0.32 give no reason, so their reminders look like retries: hence the window.
    """
    alerts = sorted((alert.fingerprint, alert.status, alert.started_at) for alert in group.alerts)
    return identity.digest(
        group.scope, group.receiver, group.group_key, group.status, alerts, group.truncated, group.reason
    )


def _group_event(group: Group, delivery: str) -> Event:
    concerned = concerning(group.alerts)
    text = _alert_words(concerned[0]) if len(concerned) == 1 else group.summary
    urls = {alert.url for alert in concerned if alert.url}
    return Event(
        source=group.source,
        type=group.sender,
        event="alert",
        action=group.status,
        delivery=delivery,
        key=_group_key(group),
        state=group.status,
        severity=max((alert.severity for alert in concerned), key=weight, default=""),
        title=_title(concerned) or text or "alert",
        text=text,
        url=urls.pop() if len(urls) == 1 else group.url,
        labels=group.labels,
        started_at=min(
            (alert.started_at for alert in concerned if alert.started_at), key=datetime.fromisoformat, default=""
        ),
        alerts=group.alerts,
        truncated=group.truncated,
        payload=group.payload,
    )


def _alert_event(group: Group, alert: Alert, delivery: str) -> Event:
    return Event(
        source=group.source,
        type=group.sender,
        event="alert",
        action=alert.status,
        delivery=delivery,
        key=identity.key(group.source, *group.scope, alert.fingerprint),
        state=alert.status,
        severity=alert.severity,
        title=alert.name or _alert_words(alert) or "alert",
        text=_alert_words(alert),
        url=alert.url or group.url,
        labels=alert.labels,
        started_at=alert.started_at,
        alerts=(alert,),
        truncated=group.truncated,
        payload=group.payload,
    )


def _group_key(group: Group) -> str:
    """The hash is what Alertmanager's own integrations call the group (notify, Key.Hash); ``""`` without a groupKey."""
    if not group.group_key:
        return ""
    within = group.scope or (group.receiver,)
    return identity.key(group.source, *within, identity.sha256(group.group_key.encode()))


def concerning(alerts: Sequence[Alert]) -> Sequence[Alert]:
    """The alerts that a group is sent for: the firing ones, or all when none is."""
    return [alert for alert in alerts if alert.status == "firing"] or alerts


def weight(severity: str) -> int:
    """How serious a severity's word is: 4 critical, 3 unknown, 2 warning, 1 info, 0 none."""
    return WEIGHTS.get(severity.casefold(), UNKNOWN_WEIGHT)


def _title(alerts: Sequence[Alert]) -> str:
    names = list(dict.fromkeys(alert.name for alert in alerts if alert.name))
    more = [f"+{len(names) - NAMES_IN_TITLE}"] if len(names) > NAMES_IN_TITLE else []
    return ", ".join(names[:NAMES_IN_TITLE] + more)


def _alert_words(alert: Alert) -> str:
    return alert.summary or alert.description


def _words(annotations: Mapping[str, str]) -> str:
    """What annotations say in short, by the conventions of rule authors."""
    return next((annotations[name] for name in ("summary", "message", "description") if annotations.get(name)), "")
