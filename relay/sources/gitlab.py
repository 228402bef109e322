"""GitLab: is a delivery theirs, and what does it say?

Never lets a delivery in without the token or signature that the source asks for, and never treats two events
differently: how an event is understood stands in `gitlab_events`, a row each.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field, model_validator

from relay.errors import NotUnderstood, Unauthorized
from relay.model import Reading, Request
from relay.schema import Secrets
from relay.sources import auth, fields, identity, standard_signature
from relay.sources.gitlab_understand import understand
from relay.sources.options import MEGABYTE, SourceOptions
from relay.sources.proof import SigningSecrets, expect_proof

TOKEN = "X-Gitlab-Token"  # noqa: S105 - the header's name
SIGNATURE = "webhook-signature"
EVENT = "x-gitlab-event"

# The delivery's own id: the same when a stored delivery is sent again (GitLab 17), and the same in both headers.
# Older versions give only an id of the sending. X-Gitlab-Event-UUID is none: hooks that one hook sets off share it.
DELIVERY_IDS = ("idempotency-key", "webhook-id", "x-gitlab-webhook-uuid")

# GitLab docs, «Webhooks»: a payload is 25 MB at most.
LARGEST = 25 * 1024 * 1024

# Without any id the same body within minutes is the same delivery, later it is another.
WINDOW_WITHOUT_ID = 300.0


class Options(SourceOptions):
    """A webhook of a GitLab project, group or instance; where both secrets are given, both must hold."""

    type: Literal["gitlab"]
    secret: Secrets | None = Field(default=None, description="the webhook's secret token, sent as X-Gitlab-Token")
    signing_token: SigningSecrets | None = Field(default=None, description="the webhook's signing token, whsec_…")
    max_body: int = Field(default=LARGEST, ge=1_000, le=100 * MEGABYTE, description="largest body, in bytes")

    @model_validator(mode="after")
    def _proof(self) -> Self:
        expect_proof(self, "secret", "signing_token")
        return self


def verify(options: Options, request: Request, now: float) -> None:
    """Is it GitLab's? The secret token as it stands, the signing token by Standard Webhooks (GitLab docs, «Webhooks»).

    An open source refuses a delivery with a token: somebody has set a secret there, and the relay would not heed it.

    Args:
        now: Unix seconds, against which a signed timestamp is held.

    Raises:
        Unauthorized: what the source asks for is missing or wrong.
    """
    if not (options.secret or options.signing_token):
        if not options.open:
            raise Unauthorized("this source has no secret, so nothing is accepted: set secret: in the rules")
        if request.headers.get(TOKEN.lower()) or request.headers.get(SIGNATURE):
            raise Unauthorized("the delivery has a token but this source has no secret: set secret: in the rules")
    if options.secret:
        auth.check_header(options.secret, request, header=TOKEN)
    if options.signing_token:
        standard_signature.check(options.signing_token, request, now)


def sign(options: Options, request: Request, now: float) -> Mapping[str, str]:
    """The headers that :func:`verify` accepts; names are in lower case, as in a Request."""
    headers: dict[str, str] = {}
    if options.secret:
        headers[TOKEN.lower()] = options.secret[0].reveal()
    if options.signing_token:
        headers |= standard_signature.sign(options.signing_token, request, now)
    return headers


def read(name: str, options: Options, request: Request) -> Reading:  # noqa: ARG001 - every sender is asked alike
    """Understand a delivery: one event.

    Raises:
        NotUnderstood: the body is not what GitLab sends; the sentence names the place.
    """
    payload = fields.document(fields.parse(request.body))
    event = _event(payload, request.headers.get(EVENT, ""))
    sent = _delivery_id(request)
    delivery = identity.delivery(sent or identity.sha256(request.body))
    understood = understand(name, event, delivery, payload)
    return Reading(delivery=delivery, window=None if sent else WINDOW_WITHOUT_ID, events=(understood,))


def _delivery_id(request: Request) -> str:
    found = (request.headers.get(name, "").strip() for name in DELIVERY_IDS)
    return fields.clean(next(filter(None, found), ""))


def _event(payload: Mapping[str, object], header: str) -> str:
    """The event's name: the body's ``object_kind``, of groups and systems ``event_name``, else the header's words.

    The body comes first: the header says «Issue Hook» for an issue and for a task, and «System Hook» for everything.
    """
    name = fields.text(payload, "object_kind") or fields.text(payload, "event_name")
    name = name or "_".join(header.strip().removesuffix("Hook").split()).lower()
    if not re.fullmatch(r"[a-z0-9][a-z0-9_]{0,99}", name):
        raise NotUnderstood(
            "GitLab's own body is expected, with object_kind or event_name; "
            "for a webhook with a template of your own use a source of type json"
        )
    return name
