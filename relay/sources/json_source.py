"""Any JSON at all: verify it, and find the event's words in it where `rules.yaml` says they are.

Never guesses where a word stands: places.py is the language in which the source says it.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from relay.model import Reading, Request
from relay.sources import auth, forms, identity, places
from relay.sources.places import NOWHERE, Word
from relay.sources.proof import AnyProof
from relay.sources.words import SAME_BODY_SECONDS, WordOptions, event_of


class Options(WordOptions, AnyProof):
    """`type: json`: how the sender proves itself (all that is given must hold), and where the event's words stand."""

    type: Literal["json"]
    key: Word = Field(default=NOWHERE, description="the sender's own id of the delivery: a retry has the same")
    form: str = Field(default="", description="the field that holds the JSON, where the sender posts a form")


verify, sign = auth.check, auth.headers  # what its options ask for is all that proves who sends


def read(name: str, options: Options, request: Request) -> Reading:
    """Understand a body by the source's places. The content type is not asked: some senders give none.

    Raises:
        NotUnderstood: the body is neither JSON nor a form, or a place holds something that cannot be a word.
    """
    data = forms.document(request, options.form)
    sent = places.text(options.key, data, request)
    delivery = identity.delivery(sent) if sent else identity.sha256(request.body)
    event = event_of(options, data, request, source=name, kind="json", delivery=delivery)
    return Reading(delivery=delivery, window=None if sent else SAME_BODY_SECONDS, events=(event,))
