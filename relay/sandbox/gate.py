"""Who may call what: the portal's checks before a method runs, in its own order.

Never runs a method, and never counts requests: the bucket stands in front of this gate.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from relay.sandbox.context import App, Caller, Method, Methods
from relay.sandbox.params import Params
from relay.sandbox.people import OWNER, Directory, Person
from relay.sandbox.php import text
from relay.sandbox.refusals import Refusal
from relay.sandbox.settings import Settings


@dataclass(frozen=True, slots=True)
class Key:
    """What a request shows at the gate: a webhook's two path pieces, or a token, or nothing."""

    user: str = ""
    secret: str = ""
    token: str = ""
    https: bool = False


@dataclass(slots=True)
class Keys:
    """What opens: the secret of the one webhook, the token pair of the one app."""

    secret: str
    token: str
    refresh_token: str
    expired: bool = False
    spent_refresh_token: str = ""
    code: str = ""
    code_until: float = 0.0


def key_of(params: Params, *, bearer: str, https: bool) -> Key:
    """The key of a request without one in its path; the header wins over the parameters."""
    return Key(token=bearer or text(params.get("AUTH")) or text(params.get("ACCESS_TOKEN")), https=https)


def admit(
    key: Key,
    method: str,
    *,
    methods: Methods,
    settings: Settings,
    keys: Keys,
    people: Directory,
    signed_link: bool = False,
) -> Caller:
    """Let a call in; the checks run in the portal's order.

    Raises:
        Refusal: the first check that failed.
    """
    if settings.closed:
        raise Refusal("PORTAL_DELETED")
    if method not in methods:
        raise Refusal("ERROR_METHOD_NOT_FOUND")
    # A parameter called "token" makes the portal read a signed link instead of the key; there are none here.
    if signed_link or not (key.token or key.secret):
        raise Refusal("NO_AUTH_FOUND")
    if settings.require_https and not key.https:
        raise Refusal("INVALID_REQUEST")
    caller = _webhook(key, keys, people) if key.secret else _app(key, keys, people)
    check_scope(methods[method], settings, caller)
    if settings.overloaded:
        raise Refusal("OVERLOAD_LIMIT")
    if settings.plan_ended:
        raise Refusal("ACCESS_DENIED")
    if not caller.person.active:
        raise Refusal("authorization_error")
    return caller


def check_scope(method: Method, settings: Settings, caller: Caller, text: str | None = None) -> None:
    """Do the key's scopes reach the method? Inside a batch the refusal has an empty ``text``.

    Raises:
        Refusal: none of them does.
    """
    if not method.granted(settings.scopes):
        kind = "webhook" if caller.kind == "webhook" else "access"
        default = f"The request requires higher privileges than provided by the {kind} token"
        raise Refusal("insufficient_scope", default if text is None else text)


def _webhook(key: Key, keys: Keys, people: Directory) -> Caller:
    person = people.named(key.user)
    if person is None or person.id != OWNER or not _same(key.secret, keys.secret):
        raise Refusal("INVALID_CREDENTIALS")
    return Caller("webhook", person)


def _app(key: Key, keys: Keys, people: Directory) -> Caller:
    if not _same(key.token, keys.token):
        raise Refusal("invalid_token")
    if keys.expired:
        raise Refusal("expired_token")
    return Caller("app", people.get(OWNER) or Person(OWNER, "", active=False))


def _same(given: str, kept: str) -> bool:
    return hmac.compare_digest(given.encode(), kept.encode())


def renewed(params: Params, app: App, keys: Keys, settings: Settings, *, now: float) -> None:
    """Rotate the app's tokens, as ``/oauth/token/`` does for a refresh token or for a code.

    Raises:
        Refusal: the parameters do not fit.
    """
    names = ("GRANT_TYPE", "CLIENT_ID", "CLIENT_SECRET", "REFRESH_TOKEN", "CODE")
    given = {name: text(params.get(name)) for name in names}
    grant = {"refresh_token": "REFRESH_TOKEN", "authorization_code": "CODE"}.get(given["GRANT_TYPE"], "")
    if not grant or not given[grant]:
        raise Refusal("invalid_request")
    if given["CLIENT_ID"] != app.client_id:
        raise Refusal("wrong_client")
    if not _same(given["CLIENT_SECRET"], app.client_secret):
        raise Refusal("invalid_client")
    if not (_code_is_good(given["CODE"], keys, now) if grant == "CODE" else _refreshes(given[grant], keys, settings)):
        raise Refusal("invalid_grant")
    keys.spent_refresh_token, keys.code = keys.refresh_token, ""
    keys.token, keys.refresh_token, keys.expired = f"{keys.token}+", f"{keys.refresh_token}+", False


def _code_is_good(code: str, keys: Keys, now: float) -> bool:
    return bool(keys.code) and _same(code, keys.code) and now <= keys.code_until


def _refreshes(token: str, keys: Keys, settings: Settings) -> bool:
    spent = settings.spent_refresh == "accept" and bool(keys.spent_refresh_token)
    return _same(token, keys.refresh_token) or (spent and _same(token, keys.spent_refresh_token))
