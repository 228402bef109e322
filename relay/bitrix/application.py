"""An application's tokens as the authorisation server gives them, and what it means when it does not.

Never keeps a token: what is to be kept is handed to the store, and nothing here prints one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from relay.bitrix import oauth, refusals
from relay.bitrix.answer import code_of, is_error
from relay.bitrix.notify import NotAnAnswer, Options
from relay.bitrix.options import AppOptions
from relay.errors import PortalUnreachable, RelayError
from relay.model import PortalTrouble, Trouble
from relay.settings import Secret

RENEWED = "TOKEN_RENEWED"  # the code of the trouble that is over: there are new tokens, ask again at once
LONGEST = 4096  # characters of a token
WAYS: Options = {"timeout": 10.0, "retries": 0}  # the authorisation server is asked once; the courier comes again

LOG_IN = "log in again: relay portal login"


class NotAuthorised(RelayError):
    """The application has no token that the portal takes. ``trouble`` says why, and whether it may pass by itself."""

    def __init__(self, trouble: PortalTrouble) -> None:
        super().__init__(trouble.why)
        self.trouble = trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What the authorisation server gave. ``expires_at`` is Unix seconds; ``server`` its host, where it told one."""

    access: Secret
    refresh: Secret
    expires_at: float
    member_id: str = ""
    server: str = ""


# Bitrix24 REST docs, OAuth 2.0, and the Python SDK's error classes. What is not here means what `refusals.ERRORS` says.
_REFUSALS: Mapping[str, str] = {
    "INVALID_GRANT": f"the authorisation server no longer takes the refresh token: {LOG_IN}",
    "INVALID_CLIENT": "client_id and client_secret do not belong together, or the application is not installed",
    "WRONG_CLIENT": "the authorisation server does not know this client_id: is it this portal's application?",
    "INVALID_REQUEST": "the authorisation server does not understand the request: check client_id and oauth:",
    "PAYMENT_REQUIRED": "the portal's subscription has ended",
    "NO_AUTH_FOUND": "the authorisation server does not take client_id and client_secret",
}


def server_of(app: AppOptions, told: str = "") -> str:
    """Which authorisation server to ask: the configured one, the one that it ``told`` itself, or the region's."""
    return app.oauth or told or oauth.server_of(app.domain)


def renew(app: AppOptions, kept: Tokens, *, now: float) -> Tokens:
    """New tokens for a refresh token, which is then used up.

    Raises:
        NotAuthorised: refused; the refresh token is as good as it was.
        PortalUnreachable: no answer; if ``sent``, nobody knows whether the refresh token is used up.
    """
    secret, refresh = app.client_secret.reveal(), kept.refresh.reveal()
    server = server_of(app, kept.server)
    return _given(lambda: oauth.refresh_tokens(app.client_id, secret, refresh, server=server, **WAYS), now=now)


def exchange(app: AppOptions, code: Secret, *, now: float) -> Tokens:
    """The first tokens for a code that a person brought from the portal. It lives 30 s and works once.

    Raises:
        NotAuthorised, PortalUnreachable: as `renew`.
    """
    secret, server = app.client_secret.reveal(), server_of(app)
    return _given(lambda: oauth.exchange_code(app.client_id, secret, code.reveal(), server=server, **WAYS), now=now)


def read(told: Mapping[str, Any], *, now: float) -> Tokens | None:
    """The tokens in a map such as the authorisation server's answer; ``None`` if it holds none that can be used."""
    access, refresh = (_token(told.get(name)) for name in ("access_token", "refresh_token"))
    if not (access and refresh):
        return None
    member = told.get("member_id")
    return Tokens(
        access=Secret(access),
        refresh=Secret(refresh),
        expires_at=now + _seconds(told.get("expires_in")),
        member_id=member[:64] if isinstance(member, str) else "",
        server=_known_server(told.get("server_endpoint")),
    )


def is_used_up(fault: NotAuthorised) -> bool:
    """Is it the refresh token itself that is refused, so that only new tokens can help?"""
    return fault.trouble.code == "INVALID_GRANT"


def _given(ask: Callable[[], dict[str, Any]], *, now: float) -> Tokens:
    try:
        answer = ask()
    except NotAnAnswer as fault:  # it carries the page that came; the sentence is enough
        raise PortalUnreachable(str(fault), sent=True) from None
    tokens = None if is_error(answer) else read(answer, now=now)
    if tokens is not None:
        return tokens
    if not is_error(answer):
        raise PortalUnreachable("the authorisation server's answer holds no tokens", sent=True)
    raise NotAuthorised(_trouble(code_of(answer)))


def _trouble(code: str) -> PortalTrouble:
    if code in _REFUSALS:
        return PortalTrouble("closed", code, _REFUSALS[code])
    meaning = refusals.ERRORS.get(code)
    if meaning is None:
        return PortalTrouble("closed", code or "OAUTH", "the authorisation server refuses to give new tokens")
    kind: Trouble = "down" if meaning.consequence in ("rate", "resting", "down", "few", "later") else "closed"
    return PortalTrouble(kind, code, f"the authorisation server says: {meaning.why}", sent=meaning.sent)


def _token(value: object) -> str:
    """Visible ASCII of a sane length, or nothing."""
    good = isinstance(value, str) and 0 < len(value) <= LONGEST and all(0x20 < ord(sign) < 0x7F for sign in value)
    return str(value) if good else ""


def _seconds(value: object) -> float:
    """How long the access token lives; an hour where it is not told (Bitrix24 REST docs, OAuth 2.0)."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return float(text) if text.isascii() and text.isdigit() and len(text) < 9 else 3600.0


def _known_server(endpoint: object) -> str:
    """The host of ``server_endpoint``, if it is one of Bitrix24's: the client's secret goes to no other on hearsay."""
    try:
        host = urlsplit(endpoint).hostname or "" if isinstance(endpoint, str) else ""
    except ValueError:
        return ""
    return host if host in (oauth.SERVER, oauth.EASTERN_SERVER) else ""
