"""Sentry: is a webhook theirs, and what does it say?

Never re-serialises a body to verify it, as Sentry's own samples do: what is signed are the raw bytes. How an event is
understood stands in `sentry_events`, a row each.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from relay.errors import NotUnderstood, Unauthorized
from relay.model import Event, Reading, Request
from relay.schema import Secrets
from relay.sources import auth, fields, identity, rows
from relay.sources.github_columns import Payload, Place, fill
from relay.sources.options import SourceOptions
from relay.sources.proof import expect_proof
from relay.sources.sentry_events import row

SIGNATURE = "Sentry-Hook-Signature"
RESOURCE = "sentry-hook-resource"
RESOURCE_NAME = re.compile(r"[a-z][a-z0-9_.]{0,99}")

# The address of an event in Sentry's API names the project, which the event itself gives only by number.
IN_PROJECT = re.compile(r"/projects/[^/]+/([^/?#]+)/")

# Without an id the same body within minutes is the same delivery, later it is another.
WINDOW_WITHOUT_ID = 300.0

PROJECTS = "{data.issue.project.slug|data.project_slug|project_slug|data.metric_alert.projects.0}"


class Options(SourceOptions):
    """An internal or public integration of Sentry; `open: true` also takes the unsigned webhooks of its old plugin."""

    type: Literal["sentry"]
    secret: Secrets | None = Field(default=None, description="the integration's client secret")

    @model_validator(mode="after")
    def _proof(self) -> Self:
        expect_proof(self, "secret")
        return self


def verify(options: Options, request: Request, now: float) -> None:  # noqa: ARG001 - every sender is asked alike
    """Is it Sentry's? Hex HMAC-SHA256 over the raw body (Sentry docs, «Webhooks»); the timestamp is not signed.

    Raises:
        Unauthorized: the signature is missing or wrong, or nobody has told the relay the secret.
    """
    given = request.headers.get(SIGNATURE.lower(), "")
    if options.secret:
        auth.check_hmac(options.secret, request.body, given, header=SIGNATURE)
    elif not options.open:
        raise Unauthorized("this source has no secret, so nothing is accepted: set secret: in the rules")
    elif given:
        raise Unauthorized("the request is signed but this source has no secret: set secret: in the rules")


def sign(options: Options, request: Request, now: float) -> Mapping[str, str]:  # noqa: ARG001
    """The header that :func:`verify` accepts; none for an open source."""
    return {SIGNATURE.lower(): auth.hex_digest(options.secret[0], request.body)} if options.secret else {}


def read(name: str, options: Options, request: Request) -> Reading:  # noqa: ARG001
    """Understand a webhook: one event.

    Raises:
        NotUnderstood: a header or the body is not what Sentry sends; the sentence names the place.
    """
    payload = fields.document(fields.parse(request.body))
    event = request.headers.get(RESOURCE, "").strip() or ("plugin" if "triggering_rules" in payload else "")
    if not RESOURCE_NAME.fullmatch(event):
        raise NotUnderstood("the header Sentry-Hook-Resource is missing or is no resource's name")
    sent = fields.clean(request.headers.get("request-id", "").strip())
    delivery = identity.delivery(sent or identity.sha256(request.body))
    understood = _event(name, event, delivery, payload)
    return Reading(delivery=delivery, window=None if sent else WINDOW_WITHOUT_ID, events=(understood,))


def _event(name: str, event: str, delivery: str, payload: dict[str, Any]) -> Event:
    action = fields.text(payload, "action")
    facts = payload | {"R": _project(payload), "EVENT": event, "ACTION": action}
    columns = row(event, action)
    return rows.understand(
        DIALECT, name, columns, facts, delivery=delivery, payload=payload, labels=_tags(payload, event)
    )


def _project(payload: Payload) -> str:
    """The slug of the project, as far as it is told."""
    match = IN_PROJECT.search(fill(payload, "{data.event.url|data.error.url|data.event.issue_url}"))
    return fill(payload, PROJECTS) or (match[1] if match else "")


def _person(facts: Payload, place: Place) -> str:
    """A user by e-mail, which is what Sentry's people share with the rules, or else by name; a team as ``team/name``.

    The settings of an alert rule hold what its author likes, of which texts may be people; Sentry itself is nobody.
    """
    if place[-1] == "value":
        value = fields.dig(facts, *place)
        return fields.clean(value) if isinstance(value, str) else ""
    kind, called, email = fields.each_text(facts, ("type", "name", "email"), *place)
    if kind == "team":
        return f"team/{called}" if called else ""
    return "" if kind == "application" else rows.email(email) or called


DIALECT = rows.Dialect(type="sentry", person=_person)


def _tags(payload: Payload, event: str) -> Mapping[str, str]:
    """The tags of the event that is told of: pairs in a list."""
    place = ("event", "tags") if event == "plugin" else ("data", "error" if event == "error" else "event", "tags")
    tags: dict[str, str] = {}
    for index, pair in enumerate(fields.items(payload, *place)):
        if isinstance(pair, list) and len(pair) == 2:
            tags[fields.text(payload, *place, index, 0)] = fields.text(payload, *place, index, 1)
    return tags
