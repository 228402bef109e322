"""Is it really them? The ways a sender proves itself, each over the raw bytes and in constant time.

Never parses a body, and never lets anybody in because a secret is missing: who has none is refused at load,
and refused again here.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence

from relay.errors import Unauthorized
from relay.model import Request
from relay.settings import Secret
from relay.sources import standard_signature
from relay.sources.options import Basic
from relay.sources.proof import Algorithm, AnyProof, Encoding, HeaderProof, Hmac


def check(options: HeaderProof, request: Request, now: float) -> None:
    """Accept a request that proves itself in every way that its source asks for.

    Args:
        now: Unix seconds, against which a signed timestamp is held.

    Raises:
        Unauthorized: something is missing or wrong; or nothing is asked for, and the source is not open.
    """
    if not options.open and all(getattr(options, way, None) is None for way in options.ways):
        raise Unauthorized("this source has no credentials configured")
    if options.bearer:
        check_bearer(options.bearer, request)
    if options.basic:
        check_basic(options.basic, request)
    if options.token:
        check_header(options.token.value, request, header=options.token.header)
    if isinstance(options, AnyProof) and options.hmac:
        check_signed_body(options.hmac, request)
    if isinstance(options, AnyProof) and options.standard_webhooks:
        standard_signature.check(options.standard_webhooks.secret, request, now)


def headers(options: HeaderProof, request: Request, now: float) -> Mapping[str, str]:
    """The headers that :func:`check` accepts, for `relay send`; names are in lower case, as in a Request."""
    made: dict[str, str] = {}
    if options.bearer:
        made["authorization"] = f"Bearer {options.bearer[0].reveal()}"
    if options.basic:
        made["authorization"] = basic_header(options.basic)
    if options.token:
        made[options.token.header.lower()] = options.token.value[0].reveal()
    if isinstance(options, AnyProof) and options.hmac:
        made[options.hmac.header.lower()] = options.hmac.prefix + _signature(options.hmac, request)
    if isinstance(options, AnyProof) and options.standard_webhooks:
        made |= standard_signature.sign(options.standard_webhooks.secret, request, now)
    return made


def _signature(option: Hmac, request: Request) -> str:
    return digest(option.secret[0], request.body, algorithm=option.algorithm, encoding=option.encoding)


def hex_digest(secret: Secret, signed: bytes) -> str:
    """HMAC-SHA256 in lower-case hex, as GitHub, Grafana, Gitea and Sentry write it."""
    return digest(secret, signed)


def digest(secret: Secret, signed: bytes, *, algorithm: Algorithm = "sha256", encoding: Encoding = "hex") -> str:
    """The HMAC of ``signed`` as text (RFC 2104)."""
    made = hmac.digest(secret.reveal().encode(), signed, algorithm)
    return made.hex() if encoding == "hex" else base64.b64encode(made).decode()


def check_signed_body(option: Hmac, request: Request) -> None:
    """Accept a body whose HMAC stands in the header that the source names, after its prefix.

    Raises:
        Unauthorized: it does not.
    """
    given = request.headers.get(option.header.lower(), "")
    if given and not given.startswith(option.prefix):
        raise Unauthorized(f"the signature in {option.header} does not begin with the configured prefix")
    check_hmac(
        option.secret,
        request.body,
        given.removeprefix(option.prefix),
        header=option.header,
        algorithm=option.algorithm,
        encoding=option.encoding,
    )


def check_hmac(
    secrets: Sequence[Secret],
    signed: bytes,
    given: str,
    *,
    header: str,
    algorithm: Algorithm = "sha256",
    encoding: Encoding = "hex",
) -> None:
    """Accept ``given`` if it is the HMAC of ``signed`` under any of ``secrets``.

    Raises:
        Unauthorized: none of them made it; or it is missing, empty or cut short.
    """
    if not given:
        raise Unauthorized(f"the header {header} is missing or empty: set the secret on the sender's side too")
    theirs = given.encode("utf-8", "surrogateescape")
    made = [digest(secret, signed, algorithm=algorithm, encoding=encoding).encode() for secret in secrets]
    if not any([hmac.compare_digest(ours, theirs) for ours in made]):
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
