"""Uptime Kuma's webhook notification, as JSON and as form data: verify and read.

Never reads a custom body: a source of type json does. Nothing is signed; the notification's additional headers are
all that proves who sends (Uptime Kuma, server/notification-providers/webhook.js).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from relay.errors import NotUnderstood
from relay.model import Event, Reading, Request, State
from relay.sources import auth, fields, forms, identity
from relay.sources.links import link
from relay.sources.moments import rfc3339
from relay.sources.proof import HeaderProof
from relay.sources.words import SAME_BODY_SECONDS

FORM_FIELD = "data"  # of multipart/form-data, which is sent in chunks, without Content-Length

# heartbeat.status
STATUSES: Mapping[int, tuple[str, State]] = {
    0: ("down", "firing"),
    1: ("up", "resolved"),
    2: ("pending", "info"),
    3: ("maintenance", "info"),
}


class Options(HeaderProof):
    """`type: uptime-kuma`, with the `bearer`, `basic` or `token` of the notification's additional headers."""

    type: Literal["uptime-kuma"]


verify, sign = auth.check, auth.headers  # what its options ask for is all that proves who sends


def read(name: str, options: Options, request: Request) -> Reading:  # noqa: ARG001 - every sender is asked alike
    """Understand a monitor's change, or a notice without a monitor (the test button, a certificate that expires).

    Raises:
        NotUnderstood: it is a custom body, or a value is of another type than Uptime Kuma sends.
    """
    data = fields.document(forms.document(request, FORM_FIELD))
    if not {"heartbeat", "monitor", "msg"} <= data.keys():
        raise NotUnderstood(
            "heartbeat, monitor and msg are expected, which Uptime Kuma sends with the request body JSON or form-data; "
            "for a custom body use a source of type json"
        )
    if fields.mapping(data, "heartbeat"):
        return _change(name, data)
    return _notice(name, data, request)


def _change(name: str, data: dict[str, Any]) -> Reading:
    status = fields.number(data, "heartbeat", "status")
    action, state = STATUSES.get(-1 if status is None else status, ("unknown", "info"))
    number = fields.number(data, "heartbeat", "monitorID") or fields.number(data, "monitor", "id")
    monitor = "" if number is None else str(number)
    time = fields.text(data, "heartbeat", "time")
    delivery = identity.digest(monitor, status, time)
    event = Event(
        source=name,
        type="uptime-kuma",
        event="monitor",
        action=action,
        delivery=delivery,
        key=identity.key(name, "monitor", monitor) if monitor else "",
        state=state,
        title=fields.text(data, "monitor", "pathName") or fields.text(data, "monitor", "name") or "monitor",
        text=fields.text(data, "heartbeat", "msg"),
        url=link(fields.text(data, "monitor", "url")),
        labels=_labels(data),
        started_at=rfc3339(time.replace(" ", "T", 1) + "Z"),  # UTC without saying so
        payload=data,
    )
    return Reading(delivery=delivery, window=None, events=(event,))


def _notice(name: str, data: dict[str, Any], request: Request) -> Reading:
    says = fields.text(data, "msg")
    test = not fields.mapping(data, "monitor") and says.endswith(" Testing")
    delivery = identity.sha256(request.body)
    event = Event(
        source=name,
        type="uptime-kuma",
        event="test" if test else "notice",
        delivery=delivery,
        key=identity.key(name, "test") if test else "",
        title=says or "Uptime Kuma",
        url=link(fields.text(data, "monitor", "url")),
        labels=_labels(data),
        payload=data,
    )
    return Reading(delivery=delivery, window=SAME_BODY_SECONDS, events=(event,))


def _labels(data: dict[str, Any]) -> Mapping[str, str]:
    """The monitor's tags by name."""
    tags = range(len(fields.items(data, "monitor", "tags")))
    return {
        fields.text(data, "monitor", "tags", index, "name"): fields.text(data, "monitor", "tags", index, "value")
        for index in tags
    }
