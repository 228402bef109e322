"""Any JSON at all: verify it, and find the event's words in it where `rules.yaml` says they are.

Never guesses where a word stands. A field of the source is a place, `payload.a.0.b` or `header.X-Name`, or else
the word itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    PlainSerializer,
    PlainValidator,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from relay.errors import NotUnderstood, Unauthorized
from relay.model import Event, Reading, Request, State
from relay.schema import Part, Secrets
from relay.sources import auth, fields, identity
from relay.sources.links import link
from relay.sources.options import Basic, SourceOptions
from relay.sources.proof import HeaderName, expect_proof

# How long the same body is the same delivery, where nothing in it tells deliveries apart: long enough for a
# sender's quick retries, short enough for the next time that the same thing happens.
SAME_BODY_SECONDS = 60.0

STATES: Mapping[str, State] = {
    **dict.fromkeys(("firing", "alerting", "problem", "down", "failed", "failure", "error"), "firing"),
    **dict.fromkeys(("resolved", "ok", "up", "recovery", "recovered", "success"), "resolved"),
    **dict.fromkeys(("open", "opened", "reopened"), "open"),
    "closed": "closed",
}

SECRET_HEADERS = ("authorization", "proxy-authorization", "cookie")
_HEADER = TypeAdapter[str](HeaderName)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a word of the event is found. ``written`` is how the rules file says it."""

    written: str
    kind: Literal["payload", "header", "literal"] = "literal"
    steps: tuple[str, ...] = ()


def place(written: object) -> Place:
    """Read a place.

    Raises:
        ValueError: it looks like a path and is none.
    """
    if isinstance(written, Place):
        return written
    if not isinstance(written, str):
        raise ValueError("must be text: payload.some.key, header.X-Name, or the word itself")
    kind, dot, path = written.partition(".")
    if kind == "payload":
        steps = tuple(path.split("."))
        if not dot or not all(steps):
            raise ValueError("payload. goes on with a key and, after dots, further keys or list positions")
        return Place(written, "payload", steps)
    if kind == "header":
        return Place(written, "header", (_header_name(path),))
    return Place(written)


def _header_name(name: str) -> str:
    try:
        lower = _HEADER.validate_python(name).lower()
    except ValidationError:
        raise ValueError("header. goes on with the name of a header, such as header.X-Request-Id") from None
    if lower in SECRET_HEADERS:
        raise ValueError("this header holds a credential, which no event may carry")
    return lower


def _payload_place(written: object) -> Place:
    found = place(written)
    if found.kind != "payload":
        raise ValueError("must be the place of an object in the body, such as payload.labels")
    return found


_AS_WRITTEN = (PlainSerializer(lambda found: found.written, return_type=str), WithJsonSchema({"type": "string"}))
Word = Annotated[Place, PlainValidator(place), *_AS_WRITTEN]
PayloadPlace = Annotated[Place, PlainValidator(_payload_place), *_AS_WRITTEN]
NOWHERE = Place("")


class Hmac(Part):
    """A header with the hex HMAC-SHA256 of the body, after a prefix where the sender writes one (``sha256=``)."""

    secret: Secrets
    header: HeaderName
    prefix: str = ""


class HeaderToken(Part):
    """A fixed token in a header of its own."""

    header: HeaderName
    value: Secrets


class Options(SourceOptions):
    """`type: json`: how the sender proves itself (all that is given must hold), and where the event's words stand."""

    type: Literal["json"]
    bearer: Secrets | None = None
    basic: Basic | None = None
    hmac: Hmac | None = None
    token: HeaderToken | None = None

    event: Word = Place("event")
    action: Word = NOWHERE
    key: Word = Field(default=NOWHERE, description="the sender's own id of the delivery: a retry has the same")
    tag: Word = Field(default=NOWHERE, description="what the event is about: a newer one replaces the older")
    state: Word = NOWHERE
    severity: Word = NOWHERE
    title: Word = NOWHERE
    text: Word = NOWHERE
    url: Word = NOWHERE
    actor: Word = NOWHERE
    author: Word = NOWHERE
    assignees: Word = NOWHERE
    owner: Word = NOWHERE
    repo: Word = NOWHERE
    branch: Word = NOWHERE
    labels: PayloadPlace | None = None

    @model_validator(mode="after")
    def _proof(self) -> Self:
        expect_proof(self, "bearer", "basic", "hmac", "token")
        if self.token and self.token.header.lower() == "authorization" and (self.bearer or self.basic):
            raise ValueError("token.header is Authorization, which bearer and basic fill too: keep one of them")
        return self


def verify(options: Options, request: Request, now: float) -> None:  # noqa: ARG001 - every sender is asked alike
    """Raises Unauthorized unless everything that the source asks for is there and right."""
    if not (options.bearer or options.basic or options.hmac or options.token or options.open):
        raise Unauthorized("this source has no credentials configured")
    if options.bearer:
        auth.check_bearer(options.bearer, request)
    if options.basic:
        auth.check_basic(options.basic, request)
    if options.token:
        auth.check_header(options.token.value, request, header=options.token.header)
    if options.hmac:
        _check_hmac(options.hmac, request)


def _check_hmac(option: Hmac, request: Request) -> None:
    given = request.headers.get(option.header.lower(), "")
    if given and not given.startswith(option.prefix):
        raise Unauthorized(f"the signature in {option.header} does not begin with the configured prefix")
    auth.check_hmac(option.secret, request.body, given.removeprefix(option.prefix), header=option.header)


def sign(options: Options, request: Request, now: float) -> Mapping[str, str]:  # noqa: ARG001
    """The headers that :func:`verify` accepts; names are in lower case, as in a Request."""
    headers: dict[str, str] = {}
    if options.bearer:
        headers["authorization"] = f"Bearer {options.bearer[0].reveal()}"
    if options.basic:
        headers["authorization"] = auth.basic_header(options.basic)
    if options.token:
        headers[options.token.header.lower()] = options.token.value[0].reveal()
    if options.hmac:
        digest = auth.hex_digest(options.hmac.secret[0], request.body)
        headers[options.hmac.header.lower()] = options.hmac.prefix + digest
    return headers


def read(name: str, options: Options, request: Request) -> Reading:
    """Understand a body by the source's places. The content type is not asked: some senders give none.

    Raises:
        NotUnderstood: the body is not JSON, or a place holds something that cannot be a word.
    """
    data = fields.parse(request.body)

    def word(where: Place) -> str:
        return _text(where, _find(where, data, request))

    def words(where: Place) -> tuple[str, ...]:
        return _texts(where, _find(where, data, request))

    sent, tag = word(options.key), word(options.tag)
    delivery = identity.delivery(sent) if sent else identity.sha256(request.body)
    event = Event(
        source=name,
        type="json",
        event=word(options.event) or "event",
        action=word(options.action),
        delivery=delivery,
        key=identity.key(name, tag) if tag else "",
        state=state_of(word(options.state)),
        severity=word(options.severity),
        title=word(options.title),
        text=word(options.text),
        url=link(word(options.url)),
        repo=word(options.repo),
        branch=word(options.branch),
        labels=_labels(options.labels, data, request) if options.labels else {},
        actor=word(options.actor),
        author=word(options.author),
        assignees=words(options.assignees),
        owners=words(options.owner),
        payload=data,
    )
    return Reading(delivery=delivery, window=None if sent else SAME_BODY_SECONDS, events=(event,))


def state_of(word: str) -> State:
    """The relay's state for a sender's word; ``info`` for a word that tells none."""
    return STATES.get(word.strip().casefold(), "info")


def _find(where: Place, data: Any, request: Request) -> Any:
    """What stands at a place; ``None`` where the way to it ends early."""
    if where.kind == "literal":
        return where.written
    if where.kind == "header":
        return request.headers.get(where.steps[0])
    for step in where.steps:
        data = _step(data, step)
    return data


def _step(data: Any, step: str) -> Any:
    if isinstance(data, dict):
        return data.get(step)
    if isinstance(data, list) and step.isascii() and step.isdigit() and len(step) < 10:
        return data[int(step)] if int(step) < len(data) else None
    return None


def _text(where: Place, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return fields.clean(value)
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise NotUnderstood(f"{where.written} is not text, a number, or true or false")


def _texts(where: Place, value: Any) -> tuple[str, ...]:
    """Several people: a list, or one text in which commas divide them."""
    parts = value if isinstance(value, list) else _text(where, value).split(",")
    return tuple(part for part in (_text(where, part).strip() for part in parts) if part)


def _labels(where: Place, data: Any, request: Request) -> Mapping[str, str]:
    """The texts, numbers and booleans of the object at a place; what is nested deeper is no label."""
    found = _find(where, data, request)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise NotUnderstood(f"{where.written} is not an object")
    flat = {name: value for name, value in found.items() if not isinstance(value, dict | list)}
    return {fields.clean(name): _text(where, value) for name, value in flat.items()}
