"""Healthchecks' webhook integration with the body of examples/healthchecks/: verify and read.

Never lets a check's addresses out: its ping_url is the secret by which the check is pinged. Healthchecks signs
nothing; the integration's own headers are all that proves who sends (Healthchecks, hc/api/transports.py, Webhook).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from relay.model import Event, Reading, Request, State
from relay.sources import auth, fields, identity
from relay.sources.links import link
from relay.sources.moments import rfc3339
from relay.sources.proof import HeaderProof
from relay.sources.words import SAME_BODY_SECONDS

STATES: Mapping[str, State] = {"down": "firing", "up": "resolved"}


class Options(HeaderProof):
    """`type: healthchecks`, with the `bearer`, `basic` or `token` of the integration's request headers."""

    type: Literal["healthchecks"]


verify, sign = auth.check, auth.headers  # what its options ask for is all that proves who sends


def read(name: str, options: Options, request: Request) -> Reading:  # noqa: ARG001 - every sender is asked alike
    """Understand a check's change. Without a content type: Healthchecks sends none unless it is told to.

    Raises:
        NotUnderstood: it is not that body, or a value is of another type than its placeholders give.
    """
    data = fields.document(fields.parse(request.body))
    check, status = fields.text(data, "code"), fields.text(data, "status")
    if not (check and status):
        fields.refuse(("code" if status else "status",), "there: use the request body of examples/healthchecks")
    moment = fields.text(data, "now")
    delivery = identity.digest(check, status, moment) if moment else identity.sha256(request.body)
    event = Event(
        source=name,
        type="healthchecks",
        event="check",
        action=status,
        delivery=delivery,
        key=identity.key(name, check),
        state=STATES.get(status, "info"),
        title=fields.text(data, "name") or check,
        text=fields.text(data, "body"),
        url=link(fields.text(data, "url")),
        labels={tag: tag for tag in fields.text(data, "tags").split()},
        started_at=rfc3339(moment),
        payload=_without_addresses(data),
    )
    return Reading(delivery=delivery, window=None if moment else SAME_BODY_SECONDS, events=(event,))


def _without_addresses(data: dict[str, Any]) -> dict[str, Any]:
    """The body; of ``$JSON`` in it, the whole check, without what could ping, change or pause it."""
    check = data.get("check")
    if not isinstance(check, dict):
        return data
    return {**data, "check": {key: value for key, value in check.items() if not key.endswith("_url")}}
