"""Who asks, and may he: passwords, bearer tokens, sessions, and the proxy's word where the settings trust it.

Never tells a guesser more than «no», and never lets a browser's own credentials change anything without the token that
only our forms hold.
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import urlsplit

from flask import Request

from relay.errors import Refused
from relay.house import House
from relay.settings import Secret, Settings
from relay.store import visitors
from relay.store.visitors import Role
from relay.web.pages import sessions
from relay.web.pages.sessions import Session

COOKIE = "relay"
SECURE_COOKIE = "__Host-relay"  # a browser takes it over https alone, from this host alone (RFC 6265bis §4.1.3.2)
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})  # RFC 9110 §9.2.1
FIELD, HEADER = "csrf", "X-CSRF-Token"


class Unknown(Refused):
    """Sign in first."""

    status = 401


class Forbidden(Refused):
    """Not with this role."""

    status = 403


class NotOurs(Refused):
    """The form is not from our page, or too old: open the page again, and repeat it."""

    status = 403


class Throttled(Refused):
    """Too many wrong passwords: wait, and try again."""

    status = 429

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.retry_after = math.ceil(seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Somebody who may look. ``token`` is what his forms must carry; ``""`` for a script, whose token is its header."""

    role: Role
    name: str = ""  # as the proxy says it
    token: str = field(default="", repr=False)

    @property
    def may_change(self) -> bool:
        return self.role == "admin"


class Access:
    """The keeper of the pages of one house.

    Args:
        clock: Unix seconds, for the age of sessions.
    """

    def __init__(self, house: House, clock: Callable[[], float] = time.time) -> None:
        self._house = house
        self._clock = clock

    @property
    def is_open(self) -> bool:
        """Are there pages at all?"""
        return bool(self._house.settings.admin_password)

    @cached_property
    def key(self) -> bytes:
        with self._house.database.write() as tx:
            return visitors.key(tx)

    # ── Who asks ──────────────────────────────────────────────────────────────────────────────────────────────

    def visitor(self, request: Request) -> Visitor | None:
        """Whoever asks, by his bearer token, his session, or the proxy's word.

        Raises:
            Throttled: a bearer token is shown, and too many were wrong.
        """
        shown = request.authorization
        if shown is not None and shown.type == "bearer":
            role = self.role_of((shown.token or "").encode("latin-1", "replace"), self.address(request), tokens=True)
            return None if role is None else Visitor(role=role)
        return self._by_session(request) or self._by_proxy(request)

    def role_of(self, shown: str | bytes, address: str, *, tokens: bool) -> Role | None:
        """The role that a password opens, or also a token. A wrong one is counted.

        Raises:
            Throttled: this address may not guess now; not even rightly, or it could go on guessing.
        """
        with self._house.database.read() as tx:
            seconds = visitors.wait(tx, address)
        if seconds:
            raise Throttled(seconds)
        role = role_of(self._house.settings, shown, tokens=tokens)
        if role is None:
            with self._house.database.write() as tx:
                visitors.guessed_wrong(tx, address)
        return role

    def address(self, request: Request) -> str:
        """Where a request comes from: what our outermost proxy saw, or else the connection's other end."""
        return self._forwarded(request, "X-Forwarded-For") or request.remote_addr or ""

    def is_secure(self, request: Request) -> bool:
        return (self._forwarded(request, "X-Forwarded-Proto") or request.scheme) == "https"

    def is_from_our_page(self, request: Request) -> bool:
        """Did a page of this very origin send it, as far as the browser says? (Fetch Metadata; RFC 6454 §7)

        Sec-Fetch-Site comes over https and from this machine alone; Origin comes with every form. A browser says one
        of them, and of what is no browser nobody can borrow the credentials.
        """
        site = request.headers.get("Sec-Fetch-Site")
        if site is not None:
            return site in ("same-origin", "none")
        origin = request.headers.get("Origin")
        host = self._forwarded(request, "X-Forwarded-Host") or request.host
        return origin is None or urlsplit(origin).netloc == host

    def _forwarded(self, request: Request, header: str) -> str:
        """What the outermost of our own proxies wrote; whatever stands before it, a stranger may have written."""
        values = [value.strip() for value in request.headers.get(header, "").split(",")]
        proxies = self._house.settings.proxies
        return values[-proxies] if 0 < proxies <= len(values) else ""

    def _by_session(self, request: Request) -> Visitor | None:
        cookie = request.cookies.get(self.cookie(request))
        if not cookie:
            return None
        session = sessions.unseal(cookie, self.key, self._passwords, self._clock())
        if session is None:
            return None
        return Visitor(role=session.role, token=sessions.token(self.key, f"session {session.number}"))

    def _by_proxy(self, request: Request) -> Visitor | None:
        settings = self._house.settings
        name = request.headers.get(settings.trusted_header, "") if settings.trusted_header else ""
        if not name or "," in name:  # two such headers, joined: one of them is not the proxy's
            return None
        role: Role = "admin" if name in settings.trusted_admins else "reader"
        return Visitor(role=role, name=name, token=sessions.token(self.key, f"proxy {name}"))

    @property
    def _passwords(self) -> dict[Role, Secret]:
        return {"admin": self._house.settings.admin_password, "reader": self._house.settings.reader_password}

    # ── His session ───────────────────────────────────────────────────────────────────────────────────────────

    def cookie(self, request: Request) -> str:
        return SECURE_COOKIE if self.is_secure(request) else COOKIE

    def opened(self, role: Role) -> str:
        """A new session, as a cookie's value."""
        session = Session(role=role, at=self._clock(), number=secrets.token_hex(16))
        return sessions.seal(session, self.key, self._passwords[role])

    # ── May he ────────────────────────────────────────────────────────────────────────────────────────────────

    def check(self, visitor: Visitor | None, request: Request, *, readers_too: bool) -> None:
        """Let a request pass.

        Args:
            readers_too: whether a request that is not safe may be a reader's: it asks, and changes nothing.

        Raises:
            Unknown: nobody has signed in. NotOurs: a change without the token. Forbidden: a reader's change.
        """
        if visitor is None:
            raise Unknown
        if request.method in SAFE:
            return
        if visitor.token and not (self.is_from_our_page(request) and _carries(request, visitor.token)):
            raise NotOurs
        if not (visitor.may_change or readers_too):
            raise Forbidden


def role_of(settings: Settings, shown: str | bytes, *, tokens: bool) -> Role | None:
    """The role of a password, or also of a token. All are compared, so that time tells nothing."""
    keys: list[tuple[Role, Secret]] = [("admin", settings.admin_password), ("reader", settings.reader_password)]
    if tokens:
        keys += [("admin", settings.admin_token), ("reader", settings.reader_token)]
    return _first([role for role, secret in keys if secret.matches(shown) and secret])


def _first(roles: Iterable[Role]) -> Role | None:
    return next(iter(roles), None)


def _carries(request: Request, token: str) -> bool:
    shown = request.headers.get(HEADER) or request.form.get(FIELD) or ""
    return Secret(token).matches(shown)
