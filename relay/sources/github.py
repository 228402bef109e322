"""GitHub: is a delivery theirs, and what does it say?

Never accepts SHA-1 or an unsigned delivery, and never treats two events differently: how an event is understood
stands in `github_events`, a row each.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Literal, Self
from urllib.parse import unquote_to_bytes

from pydantic import Field, model_validator

from relay.errors import NotUnderstood, Unauthorized, UnsupportedMedia
from relay.model import Reading, Request
from relay.schema import Secrets
from relay.sources import fields
from relay.sources.auth import check_hmac, hex_digest
from relay.sources.github_deliveries import Redeliver
from relay.sources.github_understand import understand
from relay.sources.options import MEGABYTE, SourceOptions

SIGNATURE = "X-Hub-Signature-256"
PREFIX = "sha256="

# GitHub docs, «Webhook events and payloads»: payloads are capped at 25 MB, and a larger one is never sent.
LARGEST = 25 * 1024 * 1024

EVENT_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")
DELIVERY_ID = re.compile(r"[!-~]{1,128}")

# A proxy has lost the delivery's id: the same body within minutes is the same delivery, later it is another.
WINDOW_WITHOUT_ID = 300.0


class Options(SourceOptions):
    """A GitHub webhook of a repository, an organization or an app."""

    type: Literal["github"]
    secret: Secrets | None = Field(default=None, description="the webhook's secret; several while it is being changed")
    max_body: int = Field(default=LARGEST, ge=1_000, le=100 * MEGABYTE, description="largest body, in bytes")
    redeliver: Redeliver | None = Field(default=None, description="look for deliveries that never came")

    @model_validator(mode="after")
    def _signed_or_open(self) -> Self:
        if self.secret is None and not self.open:
            raise ValueError("give the webhook's secret: or say open: true to accept deliveries from anybody")
        if self.secret is not None and self.open:
            raise ValueError("secret: and open: true contradict each other: leave one of them out")
        return self


def verify(options: Options, request: Request, now: float) -> None:  # noqa: ARG001 - all senders are called alike
    """Is it GitHub's? HMAC-SHA256 over the raw body, as GitHub docs, «Validating webhook deliveries».

    An open source refuses a signed delivery: somebody has set a secret there, and the relay would not heed it.

    Raises:
        Unauthorized: the signature is missing, cut short, of another kind or made with another secret.
    """
    given = request.headers.get(SIGNATURE.lower(), "")
    if options.secret is None:
        if not options.open:
            raise Unauthorized("this source has no secret, so nothing is accepted: set secret: in the rules")
        if given or request.headers.get("x-hub-signature"):
            raise Unauthorized("the delivery is signed but this source has no secret: set secret: in the rules")
        return
    if given and not given.startswith(PREFIX):
        raise Unauthorized(f"the header {SIGNATURE} does not begin with {PREFIX}")
    check_hmac(options.secret, request.body, given.removeprefix(PREFIX), header=SIGNATURE)


def sign(options: Options, request: Request, now: float) -> Mapping[str, str]:  # noqa: ARG001
    """The header that :func:`verify` accepts; none for an open source."""
    if options.secret is None:
        return {}
    return {SIGNATURE.lower(): PREFIX + hex_digest(options.secret[0], request.body)}


def read(name: str, options: Options, request: Request) -> Reading:  # noqa: ARG001
    """Understand a delivery: one event.

    Raises:
        UnsupportedMedia: it is neither JSON nor a form.
        NotUnderstood: a header or the body is not what GitHub sends; the sentence names the place.
    """
    payload = fields.document(fields.parse(_json(request)))
    event = request.headers.get("x-github-event", "").strip()
    if not EVENT_NAME.fullmatch(event):
        raise NotUnderstood("the header X-GitHub-Event is missing or is not an event's name")
    delivery = request.headers.get("x-github-delivery", "").strip()
    if delivery and not DELIVERY_ID.fullmatch(delivery):
        raise NotUnderstood("the header X-GitHub-Delivery is not an id")
    understood = understand(name, event, delivery, payload)
    if delivery:
        return Reading(delivery=delivery, window=None, events=(understood,))
    digest = hashlib.sha256(request.body).hexdigest()
    return Reading(delivery=f"sha256:{digest}", window=WINDOW_WITHOUT_ID, events=(understood,))


def _json(request: Request) -> bytes:
    """The JSON of either content type that a webhook can be set to; without a type, the body itself."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type in ("application/json", ""):
        return request.body
    if media_type != "application/x-www-form-urlencoded":
        raise UnsupportedMedia("set the webhook's content type to application/json or to a form")
    for pair in request.body.split(b"&"):
        field, _, value = pair.partition(b"=")
        if field == b"payload":
            return unquote_to_bytes(value.replace(b"+", b" "))
    raise NotUnderstood("the form has no field payload")
