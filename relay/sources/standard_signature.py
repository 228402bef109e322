"""The signature of Standard Webhooks 1.0 (also Svix's and GitLab's): made, and checked over the raw bytes.

Never looks at the asymmetric scheme: an entry of version v1a is passed over, as the specification bids.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence

from relay.errors import Unauthorized
from relay.model import Request
from relay.settings import Secret
from relay.sources import identity

SECRET, PUBLIC_KEY = "whsec_", "whpk_"  # how they begin, Standard Webhooks 1.0, «Signature scheme»
VERSION = "v1"  # HMAC-SHA256
TOLERANCE_SECONDS = 300  # both ways, as its reference libraries
FAMILIES = ("webhook", "svix")  # of header names: webhook-id; Svix, whose scheme became the standard, svix-id
HEADERS = tuple(f"{family}-{part}" for family in FAMILIES for part in ("id", "timestamp", "signature"))


def key_of(secret: Secret) -> bytes:
    """The key that a secret stands for. Its length is left to the sender: not all keep to 24 to 64 bytes.

    Raises:
        ValueError: it is none; the sentence says what is expected.
    """
    text = secret.reveal().strip()
    if text.startswith(PUBLIC_KEY):
        raise ValueError("is a public key, and signatures of version v1a are not checked here: ask for a whsec_ secret")
    text = text.removeprefix(SECRET)
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise ValueError("is no secret of Standard Webhooks: whsec_ and then base64, as the sender shows it")
    return key


def signature(secret: Secret, sent: str, timestamp: str, body: bytes) -> str:
    """``v1,<base64>`` of the delivery's id, its timestamp and its raw body."""
    signed = b".".join((_bytes(sent), _bytes(timestamp), body))
    return f"{VERSION}," + base64.b64encode(hmac.digest(key_of(secret), signed, hashlib.sha256)).decode()


def check(secrets: Sequence[Secret], request: Request, now: float) -> None:
    """Accept a request that any of ``secrets`` has signed within five minutes of ``now`` (Unix seconds).

    Raises:
        Unauthorized: a header is missing or malformed, nothing was signed by them, or the time is another.
    """
    family = _family(request)
    sent, timestamp, given = (_header(request, f"{family}-{part}") for part in ("id", "timestamp", "signature"))
    if not re.fullmatch("[0-9]{1,12}", timestamp):
        raise Unauthorized(f"Unix seconds are expected in {family}-timestamp")
    offered = [each for each in given.split() if each.startswith(f"{VERSION},")]
    made = [signature(secret, sent, timestamp, request.body) for secret in secrets]
    if not any([hmac.compare_digest(_bytes(ours), _bytes(theirs)) for ours in made for theirs in offered]):
        raise Unauthorized(f"no {VERSION} signature in {family}-signature matches: compare the secret on both sides")
    if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        raise Unauthorized(f"{family}-timestamp is more than 5 minutes off: a replay, or a clock that is wrong")


def sign(secrets: Sequence[Secret], request: Request, now: float) -> Mapping[str, str]:
    """The headers that :func:`check` accepts. The id is the request's own where it has one, and then not repeated."""
    known = delivery(request)
    sent, timestamp = known or f"msg_{identity.sha256(request.body)[:24]}", str(int(now))
    family = _family(request)
    return {
        **({} if known else {f"{family}-id": sent}),
        f"{family}-timestamp": timestamp,
        f"{family}-signature": signature(secrets[0], sent, timestamp, request.body),
    }


def delivery(request: Request) -> str:
    """The delivery's id, equal for all attempts; ``""`` without one. It stays when the other headers are taken away."""
    return request.headers.get(f"{_family(request)}-id", "").strip()


def _family(request: Request) -> str:
    return next((family for family in FAMILIES if request.headers.get(f"{family}-id")), FAMILIES[0])


def _header(request: Request, name: str) -> str:
    given = request.headers.get(name, "").strip()
    if not given:
        raise Unauthorized(f"the header {name} is missing or empty")
    return given


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
