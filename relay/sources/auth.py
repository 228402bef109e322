"""Is it really them? The ways a sender proves itself, each over the raw bytes and in constant time.

Never parses a body, and never lets anybody in because a secret is missing: who has none is refused at load,
and refused again here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

from relay.errors import Unauthorized
from relay.model import Request
from relay.settings import Secret
from relay.sources.options import Basic


def hex_digest(secret: Secret, signed: bytes) -> str:
    """HMAC-SHA256 in lower-case hex, as GitHub, Grafana, Gitea and Sentry write it."""
    return hmac.new(secret.reveal().encode(), signed, hashlib.sha256).hexdigest()


def check_hmac(secrets: Sequence[Secret], signed: bytes, given: str, *, header: str) -> None:
    """Accept ``given`` if it is the hex HMAC-SHA256 of ``signed`` under any of ``secrets``.

    Raises:
        Unauthorized: none of them made it; or it is missing, empty or cut short.
    """
    if not given:
        raise Unauthorized(f"the header {header} is missing or empty: set the secret on the sender's side too")
    theirs = given.encode("utf-8", "surrogateescape")
    if not any([hmac.compare_digest(hex_digest(secret, signed).encode(), theirs) for secret in secrets]):
        raise Unauthorized(f"the signature in {header} does not match the body: compare the secret on both sides")


def check_bearer(secrets: Sequence[Secret], request: Request, *, scheme: str = "Bearer") -> None:
    """Accept ``Authorization: <scheme> <one of secrets>`` (RFC 6750; the scheme compares without case).

    Raises:
        Unauthorized: the header is missing, of another scheme, or holds another token.
    """
    given_scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if not token.strip() or given_scheme.casefold() != scheme.casefold():
        raise Unauthorized(f"an Authorization header of the form «{scheme} …» is expected")
    if not any([secret.matches(token.strip()) for secret in secrets]):
        raise Unauthorized("the token in Authorization is not the one configured for this source")


def check_basic(basic: Basic, request: Request) -> None:
    """Accept HTTP Basic credentials; name and password are UTF-8 (RFC 7617 §2.1, as Alertmanager sends them).

    Raises:
        Unauthorized: the header is missing, unreadable, or names other credentials.
    """
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.casefold() != "basic":
        raise Unauthorized("an Authorization header of the form «Basic …» is expected")
    try:
        given = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise Unauthorized("the Basic credentials in Authorization cannot be read") from None
    if not any([Secret(f"{basic.username}:{password.reveal()}").matches(given) for password in basic.password]):
        raise Unauthorized("the user name or password in Authorization is not the one configured for this source")


def check_header(secrets: Sequence[Secret], request: Request, *, header: str) -> None:
    """Accept a fixed token in a header of its own.

    Raises:
        Unauthorized: the header is missing or holds another token.
    """
    given = request.headers.get(header.lower(), "")
    if not given:
        raise Unauthorized(f"the header {header} is missing or empty")
    if not any([secret.matches(given) for secret in secrets]):
        raise Unauthorized(f"the token in {header} is not the one configured for this source")


def basic_header(basic: Basic) -> str:
    """The Authorization header that :func:`check_basic` accepts, for `relay send`."""
    return "Basic " + base64.b64encode(f"{basic.username}:{basic.password[0].reveal()}".encode()).decode()
