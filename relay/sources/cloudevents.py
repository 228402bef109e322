"""CloudEvents 1.0 over HTTP, binary, structured and batched: verify, read, and consent to be posted to.

Never posts anything itself: permission is given in the answer to the handshake, and not by its callback.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal
from urllib.parse import unquote_to_bytes

from pydantic import BeforeValidator, Field

from relay.errors import NotUnderstood, UnsupportedMedia
from relay.model import Event, Reading, Request
from relay.sources import auth, fields, identity
from relay.sources.places import Word, place
from relay.sources.proof import AnyProof
from relay.sources.words import SAME_BODY_SECONDS, WordOptions, event_of

BATCH, STRUCTURED = "application/cloudevents-batch", "application/cloudevents"  # the first begins with the second
REQUIRED = ("id", "source", "type", "specversion")
VERSION = "1.0"

_ATTRIBUTE = re.compile(r"ce-([a-z0-9]+)")  # CloudEvents §Attribute Naming Convention
_ORIGIN = re.compile(r"[A-Za-z0-9.:_-]{1,253}")  # a DNS expression; it is written back into a header
_JSON = re.compile(r"application/json|text/json|[^/]+/[^/]+\+json")
_TEXT = re.compile(r"text/.*|application/xml|[^/]+/[^/]+\+xml")

Origins = Annotated[
    tuple[Annotated[str, Field(pattern=f"^{_ORIGIN.pattern}$")], ...],
    BeforeValidator(lambda value: value if isinstance(value, list | tuple) else [value]),
    Field(min_length=1),
]


class Options(WordOptions, AnyProof):
    """`type: cloudevents`. The places are those of the event as one JSON object: `payload.data.…`, `payload.subject`.

    The handshake gives no access: what is posted must prove itself all the same.
    """

    type: Literal["cloudevents"]
    event: Word = place("payload.type")
    title: Word = place(["payload.subject", "payload.type"])
    severity: Word = place("payload.severitytext")  # CloudEvents, extension «Severity»
    started_at: Word = place("payload.time")
    origins: Origins | None = Field(default=None, description="who may post, by the handshake; without it, any")
    rate: int | None = Field(default=None, ge=1, description="requests a minute, told in the handshake")


verify, sign = auth.check, auth.headers  # what its options ask for is all that proves who sends


def handshake(options: Options, headers: Mapping[str, str]) -> Mapping[str, str]:
    """The headers by which an OPTIONS request is consented to (CloudEvents, HTTP 1.1 Web Hooks §4); none: it is not.

    Args:
        headers: the request's, names in lower case.
    """
    origin = headers.get("webhook-request-origin", "").strip()
    allowed = None if options.origins is None else {name.lower() for name in options.origins}
    if not _ORIGIN.fullmatch(origin) or (allowed is not None and origin.lower() not in allowed):
        return {}
    return {"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": str(options.rate) if options.rate else "*"}


def read(name: str, options: Options, request: Request) -> Reading:
    """Understand one event, or as many as a batch holds; of two with one source and id the first.

    Raises:
        UnsupportedMedia: an event format other than JSON.
        NotUnderstood: it is no CloudEvent of version 1.0, or a place holds something that cannot be a word.
    """
    found = {(each["source"], each["id"]): each for each in reversed(_events(request))}
    if not found:
        return _nothing(name, request)
    events = [_event(name, options, each, request) for each in reversed(found.values())]
    return Reading(delivery=identity.digest(*reversed(found)), window=None, events=tuple(events))


def _event(name: str, options: Options, data: dict[str, Any], request: Request) -> Event:
    """What it is about, unless the source says it: the subject, which is unique within ``source``; else the kind."""
    event = event_of(
        options, data, request, source=name, kind="cloudevents", delivery=identity.delivery(fields.text(data, "id"))
    )
    about = (fields.text(data, "source"), fields.text(data, "subject") or fields.text(data, "type"))
    said = data.get("data")
    return replace(
        event,
        key=event.key or identity.key(name, *about),
        text=event.text or (fields.clean(said) if isinstance(said, str) else ""),
    )


def _nothing(name: str, request: Request) -> Reading:
    """A batch may be empty (HTTP Protocol Binding §3.3.2), and every delivery is an event here."""
    delivery = identity.sha256(request.body)
    empty = Event(
        source=name,
        type="cloudevents",
        event="batch",
        action="empty",
        delivery=delivery,
        title="empty batch",
        payload=[],
    )
    return Reading(delivery=delivery, window=SAME_BODY_SECONDS, events=(empty,))


# ── The three modes (HTTP Protocol Binding §3), each made the JSON format's object ────────────────────────────


def _events(request: Request) -> list[dict[str, Any]]:
    media_type = _media_type(request.headers.get("content-type", ""))
    if media_type.startswith(STRUCTURED) and not media_type.endswith(("+json", STRUCTURED, BATCH)):
        raise UnsupportedMedia("of the event formats only JSON is understood: application/cloudevents+json")
    if media_type.startswith(BATCH):
        data = fields.parse(request.body)
        return [_checked(fields.mapping(data, nth), nth) for nth in range(len(fields.items(data)))]
    if media_type.startswith(STRUCTURED):
        return [_checked(fields.document(fields.parse(request.body)))]
    return [_checked(_binary(request, media_type))]


def _checked(event: dict[str, Any], *where: int) -> dict[str, Any]:
    """The event with its data in the clear, if it has what every CloudEvent has."""
    for attribute in REQUIRED:
        if not isinstance(event.get(attribute), str) or not event[attribute]:
            fields.refuse((*where, attribute), "text that is not empty, as every CloudEvent has it")
    if event["specversion"] != VERSION:
        fields.refuse((*where, "specversion"), VERSION)
    if event.get("data") is not None or event.get("data_base64") is None:
        return event
    try:
        raw = base64.b64decode(fields.text(event, "data_base64"), validate=True)
    except (binascii.Error, ValueError):
        fields.refuse((*where, "data_base64"), "base64")
    return {**event, **_data(raw, _media_type(fields.text(event, "datacontenttype")))}


def _binary(request: Request, media_type: str) -> dict[str, Any]:
    """Attributes in headers, the data as the body."""
    if any(f"ce-{attribute}" not in request.headers for attribute in REQUIRED):
        raise NotUnderstood(
            "a CloudEvent is expected: the headers ce-id, ce-source, ce-type and ce-specversion,"
            " or the content type application/cloudevents+json"
        )
    names = [(match[1], name) for name in request.headers if (match := _ATTRIBUTE.fullmatch(name))]
    event: dict[str, Any] = {attribute: _decoded(name, request.headers[name]) for attribute, name in names}
    event |= {"datacontenttype": media_type} if media_type else {}
    return event | (_data(request.body, media_type) if request.body else {})


def _decoded(name: str, value: str) -> str:
    """A header's value: quotes off, then one round of percent-decoding (§3.1.3.2).

    Raises:
        NotUnderstood: the bytes are not UTF-8.
    """
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = re.sub(r"\\(.)", r"\1", value[1:-1], flags=re.DOTALL)
    try:
        return unquote_to_bytes(value.encode("utf-8", "surrogateescape")).decode()
    except UnicodeDecodeError:
        raise NotUnderstood(f"the header {name} is not UTF-8, percent-encoded") from None


def _data(raw: bytes, media_type: str) -> dict[str, Any]:
    """Data as the JSON format would hold it; without a type it is JSON (JSON Event Format §3.1)."""
    if not media_type or _JSON.fullmatch(media_type):
        return {"data": fields.parse(raw)}
    if _TEXT.fullmatch(media_type):
        return {"data": raw.decode("utf-8", "replace")}
    return {"data_base64": base64.b64encode(raw).decode()}


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()
