"""Every kind of sender with its stored requests, read with options that let anybody in and look at all they can.

Never verifies: what is asked here is what becomes of a request that has been believed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlencode

from relay import fixture
from relay.model import Event, Reading, Request
from relay.sources import SENDERS
from relay.sources.options import SourceOptions
from tests.sources.posts import FIXTURES

# For those whose words stand where the rules say: every word from somewhere in their stored requests.
PLACED: Mapping[str, Any] = {
    "severity": ["payload.urgency", "payload.event_nseverity", "payload.severitytext"],
    "text": ["payload.log", "payload.body", "payload.heartbeat.msg", "payload.data.reason", "payload.data.customer"],
    "url": ["payload.link", "payload.monitor.url", "payload.data.link"],
    "actor": ["payload.by.login", "payload.by", "payload.data.owner"],
    "assignees": ["payload.watchers", "payload.to", "payload.data.owner"],
    "repo": ["payload.repo", "payload.source"],
    "branch": ["payload.branch", "payload.subject"],
}
TITLES = ["payload.title", "payload.event_name", "payload.msg", "payload.name", "payload.0.name", "payload.1.name"]
OWN: Mapping[str, Mapping[str, Any]] = {
    "json": {**PLACED, "event": ["payload.kind", "payload.status"], "title": TITLES, "labels": "payload.labels"},
    "cloudevents": PLACED,
    "standard-webhooks": {**PLACED, "title": ["payload.data.title", "payload.type"], "labels": "payload.data"},
}

JSON_FIELDS = {"github": "payload", "gitea": "payload", "uptime-kuma": "data"}  # of a form, that which holds the JSON


@cache
def options(kind: str) -> SourceOptions:
    return SENDERS[kind].options.model_validate({"type": kind, "open": True, **OWN.get(kind, {})})


@cache
def stored(kind: str) -> Mapping[str, Request]:
    """The requests of a kind, by the names of their files."""
    found = sorted((FIXTURES / kind).glob("*.http"))
    return {f"{kind}/{path.stem}": fixture.parse(path.read_bytes()) for path in found}


def read(kind: str, request: Request) -> Reading:
    return SENDERS[kind].read(kind, options(kind), request)


# ── The JSON of a request, wherever its kind keeps it ─────────────────────────────────────────────────────────


def payload(kind: str, request: Request) -> Any:
    """The body as JSON values; of a form its JSON, or its fields."""
    raw = request.body
    if _content_type(request).startswith("multipart/"):
        raw = raw.partition(b"\r\n\r\n")[2].rpartition(b"\r\n--")[0]
    elif _content_type(request) == "application/x-www-form-urlencoded":
        form = dict(parse_qsl(raw.decode(), keep_blank_values=True))
        if kind not in JSON_FIELDS:
            return form
        raw = form[JSON_FIELDS[kind]].encode()
    return json.loads(raw)


def with_payload(kind: str, request: Request, values: Any) -> Request:
    """The request with another JSON in the place of its own."""
    raw = json.dumps(values).encode()
    if _content_type(request).startswith("multipart/"):
        head, blank, _ = request.body.partition(b"\r\n\r\n")
        raw = head + blank + raw + b"\r\n" + head.partition(b"\r\n")[0] + b"--\r\n"
    elif _content_type(request) == "application/x-www-form-urlencoded":
        form = {JSON_FIELDS[kind]: raw} if kind in JSON_FIELDS else values
        raw = urlencode(form if isinstance(form, dict) else {}, errors="replace").encode()
    return replace(request, body=raw)


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


# ── What holds of every event ─────────────────────────────────────────────────────────────────────────────────


def assert_sound(event: Event) -> None:
    """Something to show, something to replace by, and nothing that a store would choke on."""
    assert event.state in ("firing", "resolved", "open", "closed", "info")
    assert not event.url or event.url.lower().startswith(("http://", "https://"))
    assert len(event.key) <= 200 or event.type == "github"  # whose keys are as long as its branches
    assert len(event.delivery) <= 200
    assert event.event
    for field in fields(event):
        if field.name != "payload":
            text = str(getattr(event, field.name))
            assert "\0" not in text
            text.encode()
