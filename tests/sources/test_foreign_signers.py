"""Our signatures before other people's verifiers, theirs before ours, and every scheme against what a forger tries.

The verifiers: `standardwebhooks` (the specification's own), `gidgethub`, and GitHub's `@octokit/webhooks-methods`,
which runs in Node. Never a request over a network: each is given bytes and headers.

npm install --ignore-scripts @octokit/webhooks-methods
RELAY_OCTOKIT_METHODS=node_modules/@octokit/webhooks-methods
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import gidgethub
import pytest
import standardwebhooks
from gidgethub import sansio

from relay.errors import Unauthorized
from relay.model import Request
from relay.sources import SENDERS
from tests.conftest import absent
from tests.sources.posts import posted

# ── The same words for all schemes ────────────────────────────────────────────────────────────────────────────

BODIES = {
    "small": b'{"action":"opened"}',
    "Cyrillic and a picture": '{"title":"Сбой 🔥 на складе"}'.encode(),
    "other line ends": b'{\r\n\t"a": "b"\r\n}\n',
    "a mark of byte order": b'\xef\xbb\xbf{"a":1}',
    "large": b'{"log":"' + b"x" * 200_000 + b'"}',
}
KEYS = ("It's a Secret to Everybody", "пароль-ключ", "k" * 300, " blanks inside ", "=:,;")
WHSEC = [
    "whsec_" + base64.b64encode(bytes([start + nth for nth in range(size)])).decode()
    for start, size in ((0, 24), (100, 33), (7, 64))
]


def believed(kind: str, request: Request, now: float = 0.0, **options: Any) -> bool:
    """Is the request believed by a source of this kind?"""
    chosen = SENDERS[kind].options.model_validate({"type": kind, **options})
    try:
        SENDERS[kind].verify(chosen, request, now)
    except Unauthorized:
        return False
    return True


def signed(kind: str, request: Request, now: float = 0.0, **options: Any) -> Request:
    """The request with the headers that `relay send` gives it."""
    chosen = SENDERS[kind].options.model_validate({"type": kind, **options})
    return replace(request, headers={**request.headers, **SENDERS[kind].sign(chosen, request, now)})


def tampered(body: bytes) -> bytes:
    """One byte is another."""
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]


# ── gidgethub ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
@pytest.mark.parametrize("secret", KEYS)
def test_gidgethub_believes_what_we_sign_and_no_other_body(secret: str, body: bytes) -> None:
    signature = signed("github", posted(body), secret=secret).headers["x-hub-signature-256"]

    sansio.validate_event(body, signature=signature, secret=secret)
    for wrong in (tampered(body), body + b" "):
        with pytest.raises(gidgethub.ValidationFailure):
            sansio.validate_event(wrong, signature=signature, secret=secret)
        assert not believed("github", posted(wrong, {"x-hub-signature-256": signature}), secret=secret)


# Published: gidgethub's tests, and GitHub docs, «Securing your webhooks». The relay believes SHA-1 of no forge; a
# source of type json may be told to, for senders that have nothing better.
SHA1 = [
    ("123456", b'{"action": "opened"}', "sha1=c28e33b2e56e548956c446e890929a6cbec3ac89"),
    ("It's a Secret to Everybody", b"Hello, World!", "sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59"),
]


@pytest.mark.parametrize(("secret", "body", "signature"), SHA1)
def test_the_published_sha_1_signatures_are_believed_only_where_they_are_asked_for(
    secret: str, body: bytes, signature: str
) -> None:
    request = posted(body, {"x-hub-signature": signature, "x-hub-signature-256": signature})
    old = {"secret": secret, "header": "X-Hub-Signature", "algorithm": "sha1", "prefix": "sha1="}

    sansio.validate_event(body, signature=signature, secret=secret)
    assert believed("json", request, hmac=old)
    assert signed("json", posted(body), hmac=old).headers == {"x-hub-signature": signature}
    assert not believed("github", request, secret=secret)
    assert not believed("json", replace(request, body=tampered(body)), hmac=old)


# ── The libraries of Standard Webhooks ────────────────────────────────────────────────────────────────────────

STANDARD: Mapping[str, Callable[[Sequence[str]], dict[str, Any]]] = {
    "standard-webhooks": lambda secrets: {"secret": secrets},
    "gitlab": lambda secrets: {"signing_token": secrets},
    "json": lambda secrets: {"standard_webhooks": {"secret": secrets}},
    "cloudevents": lambda secrets: {"standard_webhooks": {"secret": secrets}},
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
@pytest.mark.parametrize("secret", [*WHSEC, WHSEC[1].removeprefix("whsec_").rstrip("=")])
@pytest.mark.parametrize("kind", STANDARD)
def test_the_specifications_library_and_we_believe_each_other_and_no_other_body(
    kind: str, secret: str, body: bytes
) -> None:
    library, now = standardwebhooks.Webhook(secret), time.time()  # the library has a clock of its own
    ours = dict(signed(kind, posted(body), now, **STANDARD[kind]([secret])).headers)
    theirs = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now)),
        "webhook-signature": library.sign("msg_1", datetime.fromtimestamp(int(now), UTC), body.decode()),
    }

    library.verify(body, ours, json_parse=False)
    assert believed(kind, posted(body, theirs), now, **STANDARD[kind]([secret]))
    for headers in (ours, theirs):
        assert not believed(kind, posted(tampered(body), headers), now, **STANDARD[kind]([secret]))
        with pytest.raises(standardwebhooks.WebhookVerificationError):
            library.verify(tampered(body).decode("latin-1"), headers, json_parse=False)


# ── GitHub's own, in Node ─────────────────────────────────────────────────────────────────────────────────────

SCRIPT = """
const { sign, verify } = await import(process.argv[1]);
const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const answers = [];
for (const { secret, body, signature, other } of JSON.parse(Buffer.concat(chunks).toString())) {
    answers.push({
        signature: await sign(secret, body),
        believed: await verify(secret, body, signature),
        fooled: await verify(secret, other, signature),
    });
}
process.stdout.write(JSON.stringify(answers));
"""


@pytest.mark.senders
def test_octokit_and_we_believe_each_other_and_no_other_body() -> None:
    tried = [(secret, body) for secret in KEYS for body in BODIES.values() if body[:1] == b"{"]
    ours = [signed("github", posted(body), secret=secret).headers["x-hub-signature-256"] for secret, body in tried]
    asked = [
        {"secret": secret, "body": body.decode(), "signature": signature, "other": body.decode() + " "}
        for (secret, body), signature in zip(tried, ours, strict=True)
    ]

    answers = octokit(asked)
    assert [answer["believed"] for answer in answers] == [True] * len(tried)
    assert [answer["fooled"] for answer in answers] == [False] * len(tried)
    for (secret, body), answer in zip(tried, answers, strict=True):
        headers = {"x-hub-signature-256": answer["signature"]}
        assert believed("github", posted(body, headers), secret=secret)
        assert not believed("github", posted(tampered(body), headers), secret=secret)


def octokit(asked: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    package = "@octokit/webhooks-methods"
    node = shutil.which("node") or absent("Node.js", "install Debian's package nodejs")
    folder = os.environ.get("RELAY_OCTOKIT_METHODS") or absent(
        package, f"npm install --ignore-scripts {package}, and set RELAY_OCTOKIT_METHODS to its folder"
    )
    module = (Path(str(folder)).resolve() / "dist-node/index.js").as_uri()
    run = [str(node), "--input-type=module", "-e", SCRIPT, module]
    said = subprocess.run(run, input=json.dumps(asked).encode(), capture_output=True, check=False, timeout=60)
    assert said.returncode == 0, said.stderr.decode()
    answers: list[dict[str, Any]] = json.loads(said.stdout)
    return answers


# ── What a forger tries, of every scheme ──────────────────────────────────────────────────────────────────────

NOW = 1_795_000_000.0
NEW, OLD, OTHER = "new-secret-1", "old-secret-2", "other-secret-3"


@dataclass(frozen=True)
class Scheme:
    """One way to prove oneself. ``options`` are a source's that takes any of some secrets."""

    kind: str
    options: Callable[[Sequence[str]], dict[str, Any]]
    proof: str  # the header with what is secret in it
    hexadecimal: bool = False
    covers_body: bool = True
    timestamp: str = ""  # the header that holds it


def hmac_scheme(algorithm: str, encoding: str, prefix: str = "") -> Scheme:
    return Scheme(
        "json",
        lambda secrets: {
            "hmac": {
                "secret": secrets,
                "header": "X-Sum",
                "algorithm": algorithm,
                "encoding": encoding,
                "prefix": prefix,
            }
        },
        "x-sum",
        hexadecimal=encoding == "hex",
    )


def standard_scheme(kind: str) -> Scheme:
    def options(secrets: Sequence[str]) -> dict[str, Any]:
        return STANDARD[kind](["whsec_" + base64.b64encode(secret.encode()).decode() for secret in secrets])

    return Scheme(kind, options, "webhook-signature", timestamp="webhook-timestamp")


def grafana(timestamp: str = "") -> Scheme:
    return Scheme(
        "grafana",
        lambda secrets: {"hmac": {"secret": secrets, "timestamp_header": timestamp}},
        "x-grafana-alerting-signature",
        hexadecimal=True,
        timestamp=timestamp.lower(),
    )


SCHEMES: Mapping[str, Scheme] = {
    "github": Scheme("github", lambda secrets: {"secret": secrets}, "x-hub-signature-256", hexadecimal=True),
    "gitea": Scheme("gitea", lambda secrets: {"secret": secrets}, "x-gitea-signature", hexadecimal=True),
    "sentry": Scheme("sentry", lambda secrets: {"secret": secrets}, "sentry-hook-signature", hexadecimal=True),
    "grafana": grafana(),
    "grafana with a timestamp": grafana("X-Grafana-Alerting-Timestamp"),
    **{f"{kind}, Standard Webhooks": standard_scheme(kind) for kind in STANDARD},
    **{
        f"HMAC {algorithm} in {encoding}": hmac_scheme(algorithm, encoding)
        for algorithm in ("sha1", "sha256", "sha384", "sha512")
        for encoding in ("hex", "base64")
    },
    "HMAC with a prefix": hmac_scheme("sha256", "hex", "sha256="),
    "gitlab, secret token": Scheme("gitlab", lambda secrets: {"secret": secrets}, "x-gitlab-token", covers_body=False),
    "bearer": Scheme("zabbix", lambda secrets: {"bearer": secrets}, "authorization", covers_body=False),
    "basic": Scheme(
        "jenkins",
        lambda secrets: {"basic": {"username": "ci", "password": secrets}},
        "authorization",
        covers_body=False,
    ),
    "a header of its own": Scheme(
        "uptime-kuma",
        lambda secrets: {"token": {"header": "X-Relay-Token", "value": secrets}},
        "x-relay-token",
        covers_body=False,
    ),
}
BODY = b'{"action": "opened"}'

Forgery = Callable[[Scheme, Request], Request | None]  # None: there is no such thing with this scheme


def by(scheme: Scheme, secret: str, body: bytes = BODY, now: float = NOW) -> Request:
    """A request with its own proof."""
    return signed(scheme.kind, posted(body), now, **scheme.options([secret]))


def with_proof(scheme: Scheme, request: Request, change: Callable[[str], str]) -> Request:
    return replace(request, headers={**request.headers, scheme.proof: change(request.headers[scheme.proof])})


def without(name: str, request: Request) -> Request:
    return replace(request, headers={key: value for key, value in request.headers.items() if key != name})


def _of_another_algorithm(scheme: Scheme, request: Request) -> Request | None:
    """The same secret and body by SHA-1, or by SHA-256 where SHA-1 is what is asked for."""
    if not scheme.hexadecimal or scheme.timestamp:
        return None
    theirs = request.headers[scheme.proof].rpartition("=")[2]
    other = hmac.digest(NEW.encode(), BODY, "sha256" if len(theirs) == 40 else "sha1").hex()
    return with_proof(scheme, request, lambda proof: proof.replace(theirs, other))


def _in_capitals(scheme: Scheme, request: Request) -> Request | None:
    return with_proof(scheme, request, str.upper) if scheme.hexadecimal else None


def _replayed_with_another_body(scheme: Scheme, request: Request) -> Request | None:
    return replace(request, body=tampered(BODY)) if scheme.covers_body else None


def _an_hour_old(scheme: Scheme, request: Request) -> Request | None:
    return by(scheme, NEW, now=NOW - 3600) if scheme.timestamp else None


def _from_tomorrow(scheme: Scheme, request: Request) -> Request | None:
    return by(scheme, NEW, now=NOW + 86_400) if scheme.timestamp else None


def _made_young(scheme: Scheme, request: Request) -> Request | None:
    """An old request with a timestamp of now."""
    if not scheme.timestamp:
        return None
    old = by(scheme, NEW, now=NOW - 3600)
    return replace(old, headers={**old.headers, scheme.timestamp: str(int(NOW))})


def _without_its_timestamp(scheme: Scheme, request: Request) -> Request | None:
    return without(scheme.timestamp, request) if scheme.timestamp else None


FORGERIES: Mapping[str, Forgery] = {
    "another secret": lambda scheme, request: by(scheme, OTHER),
    "no proof": lambda scheme, request: without(scheme.proof, request),
    "an empty proof": lambda scheme, request: with_proof(scheme, request, lambda _: ""),
    "a proof cut by a sign": lambda scheme, request: with_proof(scheme, request, lambda proof: proof[:-1]),
    "a proof with a sign more": lambda scheme, request: with_proof(scheme, request, lambda proof: proof + "0"),
    "a blank within": lambda scheme, request: with_proof(scheme, request, lambda proof: f"{proof[:-4]} {proof[-4:]}"),
    "a list of guesses": lambda scheme, request: with_proof(scheme, request, lambda proof: f"0,{proof}"),
    "letters beyond ASCII": lambda scheme, request: with_proof(scheme, request, lambda proof: proof[:-1] + "а\udcff"),
    "another algorithm": _of_another_algorithm,
    "capitals": _in_capitals,
    "another body": _replayed_with_another_body,
    "an hour old": _an_hour_old,
    "from tomorrow": _from_tomorrow,
    "an old one made young": _made_young,
    "no timestamp": _without_its_timestamp,
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES.keys())
@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES.keys())
def test_no_forgery_is_believed(scheme: Scheme, forgery: Forgery) -> None:
    forged = forgery(scheme, by(scheme, NEW))

    assert forged is None or not believed(scheme.kind, forged, NOW, **scheme.options([NEW, OLD]))


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES.keys())
def test_while_a_secret_is_changed_the_new_and_the_old_are_believed(scheme: Scheme) -> None:
    for secret in (NEW, OLD):
        assert believed(scheme.kind, by(scheme, secret), NOW, **scheme.options([NEW, OLD]))
    assert not believed(scheme.kind, by(scheme, OLD), NOW, **scheme.options([NEW]))
