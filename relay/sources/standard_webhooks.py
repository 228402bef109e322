"""Any sender that keeps to Standard Webhooks 1.0: verify, and read `type`, `timestamp` and `data`.

Never believes a delivery for its id: that tells only that it has come before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import model_validator

from relay.errors import Unauthorized
from relay.model import Reading, Request
from relay.sources import fields, identity, standard_signature
from relay.sources.places import Word, place
from relay.sources.proof import SigningSecrets, expect_proof
from relay.sources.words import SAME_BODY_SECONDS, WordOptions, event_of


class Options(WordOptions):
    """`type: standard-webhooks`: its `secret`, and where the event's words stand, as for `type: json`."""

    type: Literal["standard-webhooks"]
    secret: SigningSecrets | None = None
    event: Word = place("payload.type")
    title: Word = place("payload.type")
    started_at: Word = place("payload.timestamp")

    @model_validator(mode="after")
    def _proof(self) -> Self:
        expect_proof(self, "secret")
        return self


def verify(options: Options, request: Request, now: float) -> None:
    """Raises Unauthorized unless one of the secrets has signed the request within five minutes of ``now``."""
    if options.secret:
        standard_signature.check(options.secret, request, now)
    elif not options.open:
        raise Unauthorized("this source has no secret configured")


def sign(options: Options, request: Request, now: float) -> Mapping[str, str]:
    """The headers that :func:`verify` accepts; names are in lower case, as in a Request."""
    return standard_signature.sign(options.secret, request, now) if options.secret else {}


def read(name: str, options: Options, request: Request) -> Reading:
    """Understand a delivery. Its id is the same for every attempt, while the timestamp changes.

    Raises:
        NotUnderstood: the body is not JSON, or a place holds something that cannot be a word.
    """
    data = fields.parse(request.body)
    sent = standard_signature.delivery(request)
    delivery = identity.delivery(sent) if sent else identity.sha256(request.body)
    event = event_of(options, data, request, source=name, kind="standard-webhooks", delivery=delivery)
    return Reading(delivery=delivery, window=None if sent else SAME_BODY_SECONDS, events=(event,))
