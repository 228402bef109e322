"""Requests for a running door, as bytes: captures of every sender, pages and odd addresses, each changed at random.

Never sends anything and never asks the clock: a seed and a number make the same request again, but for the timestamps
of those senders that sign one.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from urllib.parse import quote, urlencode

from flask import Flask

from relay.model import Request
from relay.sources import SENDERS
from relay.sources.options import SourceOptions
from tests.fuzz.changes import ODD, TOO_DEEP, Path, bytes_changed, drawn, values_changed
from tests.fuzz.framing import Shot, framed, head_of, wrongly_framed
from tests.sources import every_sender
from tests.sources.posts import places

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # the example of the Standard Webhooks specification
ADMIN, ADMIN_TOKEN = "a-password-of-the-fuzzer", "a-token-of-the-fuzzer"
PROXY = "X-Forwarded-For"  # with RELAY_PROXIES=1: guesses at passwords are counted by what the proxy saw
# Of the requests for pages. A thousand wrong guesses in ten minutes close them to all (store/visitors.py), us too.
GUESSES = 1 / 1000
SOURCES: Mapping[str, str] = {
    "github": "secret: ${SECRET}",
    "gitlab": "signing_token: ${SECRET}",
    "gitea": "secret: ${SECRET}",
    "sentry": "secret: ${SECRET}",
    "jenkins": "basic: {username: relay, password: ${SECRET}}",
    "buildbot": "token: {header: X-Build-Token, value: ${SECRET}}",
    "alertmanager": "bearer: ${SECRET}, per: alert",
    "grafana": "hmac: {secret: ${SECRET}}",
    "zabbix": "bearer: ${SECRET}",
    "uptime-kuma": "bearer: ${SECRET}",
    "healthchecks": "basic: {username: relay, password: ${SECRET}}",
    "cloudevents": "bearer: ${SECRET}, event: payload.type, owner: payload.data.owner, labels: payload.data",
    "standard-webhooks": "secret: ${SECRET}, title: payload.data.title, labels: payload.data",
    "json": "hmac: {secret: ${SECRET}, header: X-Signature}, title: [payload.title, payload.1.name], key: payload.id",
}
_SOURCES = "\n".join(f"  {name}: {{type: {name}, {options}}}" for name, options in SOURCES.items())
RULES = f"""\
version: 1
portal: {{webhook: "https://acme.bitrix24.ru/rest/1/KEYKEYKEY/"}}
sources:
{_SOURCES}
people: {{ivan: {{id: 17, locale: ru, github: ivan-petrov}}, olga: {{id: 18}}, petr: {{id: 19}}}}
teams: {{backend: [ivan, olga]}}
oncall: {{sre: {{timezone: Europe/Moscow, handoff: "Mon 10:00", rotation: [ivan, olga], from: 2026-11-23}}}}
rules:
  - {{name: reviews, when: {{event: pull_request}}, to: reviewer, fallback: petr}}
  - {{name: alarms, when: {{severity: [critical, warning]}}, to: oncall/sre, urgent: true}}
  - {{name: drafts, when: {{payload.draft: true}}, to: []}}
default: {{to: team/backend}}
"""
ENV = {"SECRET": SECRET}

METHODS = ("GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND", "post", "X" * 40, "M-SEARCH")
ODD_PATHS = (
    *(
        "/",
        "/in",
        "/in/",
        "//in/github",
        "/in/github/",
        "/in//github",
        "/in/github%00",
        "/in/%ff%fe",
        "/in/github?a=%00",
    ),
    *(
        "/../etc/passwd",
        "/in/..%2f..%2fetc",
        "/static/..%2f..%2fapp.py",
        "/in/GITHUB",
        "/in/git%68ub",
        "/%2e%2e/",
        "/in/é",
    ),
    *("/events/9223372036854775808", "/events/-1", "/events/0", "/people/%F0%9F%90%9B", "/sign-in/x", "/metrics", "*"),
    *("http://other.example/in/github", "/in/github;a=b", "/in/github#x", "/healthz", "/readyz", "/bitrix24/install"),
)
NAMES = (
    "ivan",
    "main",
    "github",
    "x",
    "1",
    "%00",
    "..",
    "%ff",
    "9" * 30,
    "a" * 300,
    "%F0%9F%90%9B",
    "-1",
    "'",
    "{{7*7}}",
)
QUERIES = (
    "lang",
    "next",
    "part",
    "q",
    "source",
    "state",
    "after",
    "before",
    "limit",
    "person",
    "rule",
    "since",
    "until",
)
CONTENT_TYPES = (
    *(
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=b",
        "text/xml",
        "text/plain",
    ),
    *(
        "application/json; charset=utf-16",
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
        ";",
        "",
    ),
    *("multipart/form-data", "application/json; charset=\xff", "APPLICATION/JSON", "a" * 500),
)
ODD_HEADERS: tuple[tuple[str, str], ...] = (
    ("Content-Encoding", "gzip"),
    ("Content-Encoding", "identity, br"),
    ("Expect", "100-continue"),
    ("Accept", "application/openmetrics-text;q=\xff, */*;q=2"),
    ("Accept-Language", "ru;q=9,,;=" + "x" * 200),
    ("Accept-Encoding", "gzip;q=nan"),
    ("If-None-Match", '"\xff", W/"x", *'),
    ("If-Modified-Since", "Mon, 99 Foo 99999 99:99:99 GMT"),
    ("Range", "bytes=-1,0-99999999999999999999"),
    ("X-Request-Id", "a\tb" * 50),
    ("X-Forwarded-For", ",,, 1.2.3.4,"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "evil.example\xe9"),
    ("Forwarded", 'for="[::1";proto=\xff'),
    ("Host", "[::1"),
    ("Host", "a b:99999999"),
    ("Cookie", "relay=" + "x." * 400 + '; =; \xff=\xfe; a="\\'),
    ("Origin", "http://[::1"),
    ("Sec-Fetch-Site", "\xe9"),
    ("Transfer-Encoding", "gzip"),
    ("Upgrade", "websocket"),
    ("Connection", "upgrade, close, keep-alive"),
    ("traceparent", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"),
    ("WebHook-Request-Origin", "evil\xe9.example"),
    ("X-GitHub-Event", "\xd0\xbf\xd1\x83\xd1\x88"),
    ("Content-Type", "application/json, text/xml"),
    ("A_b", "c"),
    ("X" * 300, "y" * 3000),
)
IDS = re.compile(r"delivery|uuid|request-id|webhook-id|svix-id|ce-id|notification-id|-key$")


@dataclass(frozen=True, slots=True)
class Sample:
    """A stored request with its JSON, read once."""

    kind: str
    request: Request
    values: Any
    paths: Sequence[Path]


@dataclass(frozen=True, slots=True)
class Address:
    """A route of the door: its path, with the places of its arguments, and its methods."""

    rule: str
    methods: Sequence[str]


@dataclass(frozen=True, slots=True)
class Kit:
    """What requests are made of. ``sources`` are as the door's own rules have them."""

    sources: Mapping[str, SourceOptions]
    addresses: Sequence[Address]
    samples: Sequence[Sample] = field(default_factory=lambda: [*_samples()])

    def shot(self, seed: int, number: int, now: float) -> Shot:
        """The request of a number; ``now`` (Unix seconds) goes into signed timestamps."""
        draw = drawn(seed, number)
        share = draw.random()
        if share < 0.66:
            return _from_a_sender(draw, self, number, now)
        return _to_a_page(draw, self) if share < 0.88 else _odd_http(draw, self, now)


def _samples() -> Iterator[Sample]:
    for kind in SENDERS:
        for request in every_sender.stored(kind).values():
            values = every_sender.payload(kind, request)
            headers = {name: value for name, value in request.headers.items() if name not in ("host", "content-length")}
            yield Sample(kind, replace(request, path=f"/in/{kind}", headers=headers), values, places(values))


def addresses(app: Flask) -> list[Address]:
    """Every route of the application but the senders' own."""
    found = [Address(rule.rule, sorted(rule.methods or ())) for rule in app.url_map.iter_rules()]
    return [each for each in found if not each.rule.startswith("/in/")]


# ── Senders ───────────────────────────────────────────────────────────────────────────────────────────────────


def _from_a_sender(draw: Random, kit: Kit, number: int, now: float) -> Shot:
    sample = draw.choice(kit.samples)
    request = _with_new_ids(draw, _with_other_body(draw, sample, kit), number)
    if draw.random() < 0.1:
        request = _with_other_headers(draw, request)
    options = kit.sources[sample.kind]
    match draw.random():
        case share if share < 0.86:
            signed = {**request.headers, **_signed(options, request, now)}
        case share if share < 0.92:  # of another body
            signed = {**request.headers, **_signed(options, replace(request, body=request.body + b" "), now)}
        case share if share < 0.96:
            made = _signed(options, request, now)
            signed = {
                **request.headers,
                **{name: bytes_changed(draw, value.encode()).decode("latin-1") for name, value in made.items()},
            }
        case _:
            signed = dict(request.headers)
    request = replace(request, headers=signed)
    if draw.random() < 0.08:
        request = _with_other_headers(draw, request)
    return framed(draw, request, sample.kind)


def _signed(options: SourceOptions, request: Request, now: float) -> Mapping[str, str]:
    return SENDERS[options.type].sign(options, request, now)


def _with_other_body(draw: Random, sample: Sample, kit: Kit) -> Request:
    request, share = sample.request, draw.random()
    if share < 0.08:
        return request
    if share < 0.72:
        return every_sender.with_payload(sample.kind, request, values_changed(draw, sample.values, sample.paths))
    if share < 0.90:
        return replace(request, body=bytes_changed(draw, request.body))
    match draw.randrange(8):
        case 0:
            body = request.body[: draw.randrange(len(request.body))]
        case 1:
            body = draw.choice(kit.samples).request.body
        case 2:
            body = gzip.compress(request.body, 1, mtime=0)
        case 3:
            body = draw.choice((b"", b"null", b"[]", b"{}", b'""', b"0", b"NaN", b"-", TOO_DEEP, b" " * 70_000))
        case 4:
            body = draw.randbytes(draw.randrange(300))
        case 5:
            body = urlencode({"payload": request.body, "data": request.body}).encode()
            return replace(request, body=body, headers={**request.headers, "content-type": CONTENT_TYPES[1]})
        case 6:
            head = b'--b\r\nContent-Disposition: form-data; name="data"; filename="\xff"\r\n\r\n'
            body = head + request.body + draw.choice((b"\r\n--b--\r\n", b"\r\n--b", b""))
            return replace(request, body=body, headers={**request.headers, "content-type": CONTENT_TYPES[2]})
        case _:
            body = request.body.decode("utf-8", "replace").encode(
                draw.choice(("utf-16", "utf-32", "utf-8-sig", "cp1251")), "replace"
            )
    return replace(request, body=body)


def _with_new_ids(draw: Random, request: Request, number: int) -> Request:
    """Mostly a delivery of its own: the door reads those that it knows, too, but journals them no more."""
    if draw.random() < 0.2:
        return request
    fresh = {name: f"{number}-{draw.randrange(10**9)}" for name in request.headers if IDS.search(name)}
    return replace(request, headers={**request.headers, **fresh})


def _with_other_headers(draw: Random, request: Request) -> Request:
    headers = dict(request.headers)
    for _ in range(draw.randint(1, 3)):
        name = draw.choice([*headers] or ["content-type"])
        match draw.randrange(5):
            case 0:
                headers.pop(name, None)
            case 1:
                headers[name] = bytes_changed(draw, headers.get(name, "").encode("latin-1", "replace")).decode(
                    "latin-1"
                )
            case 2:
                headers["content-type"] = draw.choice(CONTENT_TYPES)
            case 3:
                headers[name] = str(draw.choice(ODD[:10]))[:500].encode("utf-8", "replace").decode("latin-1")
            case _:
                odd, value = draw.choice(ODD_HEADERS)
                headers[odd] = value
    return replace(request, headers=headers)


# ── Pages ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _to_a_page(draw: Random, kit: Kit) -> Shot:
    address = draw.choice(kit.addresses)
    path = re.sub(r"<[^>]*>", lambda _: draw.choice(NAMES), address.rule)
    if draw.random() < 0.7:
        asked = [(draw.choice(QUERIES), _word(draw)) for _ in range(draw.randint(0, 4))]
        path += "?" + "&".join(f"{name}={value}" for name, value in asked)
    method = draw.choice(address.methods) if draw.random() < 0.95 else draw.choice(METHODS)
    guesses = draw.random() < GUESSES
    if address.rule == "/sign-in" and not guesses:
        method = "GET"
    headers = {"Authorization": f"Bearer {_word(draw) if guesses else ADMIN_TOKEN}"}
    headers[PROXY] = f"198.51.100.{draw.randrange(256)}" if guesses else "192.0.2.1"
    body = _page_body(draw, address.rule) if method not in ("GET", "HEAD") else b""
    headers["Content-Type"] = CONTENT_TYPES[0] if "/api/" in path else draw.choice(CONTENT_TYPES[:4])
    request = Request(method=method, path=path, headers=headers, body=body)
    name, value = draw.choice(ODD_HEADERS)
    if name != PROXY and draw.random() < 0.15:
        request = replace(request, headers={**headers, name: value})
    return framed(draw, request, "pages")


def _word(draw: Random) -> str:
    match draw.randrange(4):
        case 0:
            return draw.choice(NAMES)
        case 1:
            return quote(str(draw.choice(ODD))[:300], errors="replace")
        case 2:
            return draw.choice(
                ("queued", "dead", "open", "firing", "7d", "1h", "2026-11-23", "ivan", "json", "50", "1")
            )
        case _:
            return quote(draw.randbytes(draw.randrange(12)))


def _page_body(draw: Random, rule: str) -> bytes:
    """A form's or a script's fields; what would be kept for ever (a silence) is hardly ever whole."""
    fields: dict[str, Any] = {
        "request": "POST /in/json HTTP/1.1\n\n" + json.dumps(draw.choice(ODD), default=str),
        "rules": draw.choice((RULES[:400], "", "version: 1", "\x00", "[" * 60)),
        "source": draw.choice(("json", "github", "nobody", "\x00")),
        "do": draw.choice(("retry", "drop", "x")),
        "messages": draw.choice(([1, 2], [-1], ["a"], 10**30, [2**63], None, {})),
        "conditions": draw.choice((["event=push"], ["x"], "x", 1, [{}], ['a=~"("'])),
        "for": draw.choice(("1h", "-1s", "9999999w", "x", "")),
        "strength": draw.choice(("real", "decide", "x")),
        "to": draw.choice(("ivan", "17", "nobody", "", "\x00")),
    }
    kept = {name: value for name, value in fields.items() if draw.random() < 0.6}
    if "silences" in rule and draw.random() < 0.97:
        kept["for"] = "x"
    if draw.random() < 0.2:
        return bytes_changed(draw, json.dumps(kept).encode())
    if "/api/" in rule or draw.random() < 0.2:
        return json.dumps(kept if draw.random() < 0.8 else draw.choice(ODD)).encode()
    return urlencode({name: str(value) for name, value in kept.items()}, errors="replace").encode()


# ── HTTP itself ───────────────────────────────────────────────────────────────────────────────────────────────


def _odd_http(draw: Random, kit: Kit, now: float) -> Shot:
    sample = draw.choice(kit.samples)
    signed = {**sample.request.headers, **_signed(kit.sources[sample.kind], sample.request, now)}
    request = replace(sample.request, headers=signed)
    match draw.randrange(6):
        case 0:
            request = replace(request, path=draw.choice(ODD_PATHS))
        case 1:
            request = replace(request, method=draw.choice(METHODS))
        case 2:
            request = replace(request, path=draw.choice(ODD_PATHS), method=draw.choice(METHODS), body=b"")
        case 3:  # the head as bytes, changed anywhere
            head, body = bytes_changed(draw, head_of(request, length=len(request.body))), request.body
            return Shot(raw=head + body, about="http", method=request.method, whole=False)
        case 4:
            return wrongly_framed(draw, request)
        case _:
            name, value = draw.choice(ODD_HEADERS)
            request = replace(request, headers={**request.headers, name: value})
    return framed(draw, request, "http")
