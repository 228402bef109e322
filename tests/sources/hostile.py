"""Payloads of any other shape than a sender's own, and what an event made of them must hold all the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any

from hypothesis import strategies as st

from relay.errors import Refused
from relay.model import Event, Reading, Request
from tests.sources.posts import WRONG_TYPES, places, swapped

# What strangers write into titles, names and branches.
WORDS = ("@all [url=https://evil.example]x[/url]", "\0", "\ud800", "#BR#", "$result[x]", "../..", "a" * 70_000, "17")

Read = Callable[[Request], Reading]


def read_or_refused(data: st.DataObject, requests: Sequence[Request], read: Read) -> None:
    """Put wrong values at some places of a request's body: it is read soundly, or refused as the sender refuses."""
    request = data.draw(st.sampled_from(requests))
    payload: Any = json.loads(request.body)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.sampled_from(places(payload)))
        payload = swapped(payload, place, data.draw(st.sampled_from((*WRONG_TYPES, *WORDS))))
    try:
        reading = read(replace(request, body=json.dumps(payload).encode()))
    except Refused:
        return
    assert 0 < len(reading.delivery) <= 200
    for event in reading.events:
        assert_sound(event)


def assert_sound(event: Event) -> None:
    """Something to show, something to replace by, and nothing that a store would choke on."""
    assert event.title
    assert 0 < len(event.key) <= 200
    assert event.state in ("firing", "resolved", "open", "closed", "info")
    assert not event.url or event.url.startswith(("http://", "https://"))
    for field in fields(event):
        if field.name != "payload":
            text = str(getattr(event, field.name))
            assert "\0" not in text
            text.encode()
