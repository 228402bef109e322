"""Gitea, Forgejo and Gogs: is a delivery theirs, and what does it say?

Never takes a header for a signature that is empty: without a secret they send one all the same. How an event is
understood stands in `gitea_events`, a row each.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal
from urllib.parse import unquote_to_bytes

from pydantic import Field

from relay.errors import NotUnderstood, Unauthorized, UnsupportedMedia
from relay.model import Reading, Request
from relay.schema import Secrets
from relay.sources import auth, fields, identity
from relay.sources.gitea_understand import understand
from relay.sources.options import MEGABYTE
from relay.sources.proof import HeaderProof

# Each sends the headers of those before it too, and GitHub's: the youngest name is the sender's own.
FAMILY = ("X-Forgejo", "X-Gitea", "X-Gogs")
EVENT_NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,99}")

# A proxy has lost the delivery's id: the same body within minutes is the same delivery, later it is another.
WINDOW_WITHOUT_ID = 300.0

# Nothing of theirs says how large a delivery may be; a push of many commits is the largest.
LARGEST = 25 * 1024 * 1024


class Options(HeaderProof):
    """A webhook of Gitea, Forgejo or Gogs; where its Authorization header is asked for too, both must hold."""

    type: Literal["gitea"]
    secret: Secrets | None = Field(default=None, description="the webhook's secret; several while it is being changed")
    max_body: int = Field(default=LARGEST, ge=1_000, le=100 * MEGABYTE, description="largest body, in bytes")

    @property
    def ways(self) -> tuple[str, ...]:
        return ("secret", *super().ways)


def verify(options: Options, request: Request, now: float) -> None:
    """Is it theirs? Hex HMAC-SHA256 of the JSON, which for a form is its field and not the body (Gitea, deliver.go).

    Raises:
        Unauthorized: what the source asks for is missing or wrong.
    """
    signature = _header(request, "Signature")
    auth.check(options, request, now)
    if options.secret:
        auth.check_hmac(options.secret, _json(request) or b"", signature, header="X-Gitea-Signature")
    elif signature:
        raise Unauthorized("the delivery is signed but this source has no secret: set secret: in the rules")


def sign(options: Options, request: Request, now: float) -> Mapping[str, str]:
    """The headers that :func:`verify` accepts; names are in lower case, as in a Request."""
    made = dict(auth.headers(options, request, now))
    if options.secret:
        own = next((one for one in FAMILY if f"{one}-Event".lower() in request.headers), "X-Gitea")
        made[f"{own}-Signature".lower()] = auth.hex_digest(options.secret[0], _json(request) or b"")
    return made


def read(name: str, options: Options, request: Request) -> Reading:  # noqa: ARG001
    """Understand a delivery: one event.

    Raises:
        UnsupportedMedia: it is neither JSON nor a form.
        NotUnderstood: a header or the body is not what they send; the sentence names the place.
    """
    media_type = _media_type(request)
    if media_type not in ("application/json", "application/x-www-form-urlencoded", ""):
        raise UnsupportedMedia("set the webhook's content type to application/json or to a form")
    body = _json(request)
    if body is None:
        raise NotUnderstood("the form has no field payload")
    payload = fields.document(fields.parse(body))
    event = _header(request, "Event").strip()
    if not EVENT_NAME.fullmatch(event):
        raise NotUnderstood("the header X-Gitea-Event (X-Forgejo-Event, X-Gogs-Event) is missing or is no event's name")
    sent = fields.clean(_header(request, "Delivery").strip())
    delivery = identity.delivery(sent or identity.sha256(body))
    understood = understand(name, event, delivery, payload)
    return Reading(delivery=delivery, window=None if sent else WINDOW_WITHOUT_ID, events=(understood,))


def _header(request: Request, name: str) -> str:
    """The sender's own header of this name; an empty one counts as missing."""
    found = (request.headers.get(f"{one}-{name}".lower(), "") for one in FAMILY)
    return next(filter(None, found), "")


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _json(request: Request) -> bytes | None:
    """The JSON of either content type that a webhook can be set to; none where a form has none."""
    if _media_type(request) != "application/x-www-form-urlencoded":
        return request.body
    for pair in request.body.split(b"&"):
        field, _, value = pair.partition(b"=")
        if field == b"payload":
            return unquote_to_bytes(value.replace(b"+", b" "))
    return None
