"""A visitor's session as a signed cookie: made, read, and the token that his changes must carry. Pure.

Never holds a password: what ties a session to one is a keyed digest of it, so that a new password ends the session.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from itsdangerous import BadSignature, URLSafeSerializer

from relay.settings import Secret
from relay.store.visitors import Role

LASTS = 12 * 3600.0  # seconds from signing in, and no longer: a night's duty
SKEW = 60.0  # seconds by which the clock of another machine, where it was opened, may be ahead
_ROLES: tuple[Role, ...] = ("reader", "admin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Who signed in, when (Unix seconds), and a number of its own, from which its token is made."""

    role: Role
    at: float
    number: str


def seal(session: Session, key: bytes, password: Secret) -> str:
    """The session as a cookie's value."""
    fields = [session.role, session.at, session.number, digest(key, "password", password.reveal())]
    return str(_serializer(key).dumps(fields))


def unseal(cookie: str, key: bytes, passwords: dict[Role, Secret], now: float) -> Session | None:
    """The session in a cookie; ``None`` if it is not ours, is over, or was opened by a password that is no more."""
    try:
        fields = _serializer(key).loads(cookie)
    except BadSignature:
        return None
    role, at, number, of_password = fields
    if role not in _ROLES or not at - SKEW <= now < at + LASTS:
        return None
    password = passwords[role]
    if not password or not hmac.compare_digest(of_password, digest(key, "password", password.reveal())):
        return None
    return Session(role=role, at=at, number=number)


def token(key: bytes, owner: str) -> str:
    """What a form of this session, or of this name that the proxy vouches for, must carry (OWASP, «CSRF»)."""
    return digest(key, "token", owner)


def digest(key: bytes, purpose: str, text: str) -> str:
    return hmac.new(key, f"{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()


def _serializer(key: bytes) -> URLSafeSerializer:
    return URLSafeSerializer(key, salt="relay session", signer_kwargs={"digest_method": hashlib.sha256})
