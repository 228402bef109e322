"""An application's way into its portal: a client whose tokens stand in the store and are renewed when they run out.

Never renews what the portal has not called expired (an application that does may be blocked: Bitrix24 REST docs, OAuth
2.0), but for tokens that nobody has used for a month, lest they die; never renews twice at the same time, and never
repeats a call by itself: each call is one request of the portal's pace.

A renewal uses the refresh token up, so what the authorisation server answers exists once, here, until it is committed.
It is begun by a note in the store and ended by a commit that follows the answer at once. Killed between the two, the
new tokens are gone: the old refresh token is then tried again, and where the server takes it no longer, the portal is
paused until a person logs in. No message is lost by it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from relay import failpoint, log
from relay.bitrix import address, answer, application
from relay.bitrix.application import LOG_IN, RENEWED, NotAuthorised, Tokens
from relay.bitrix.client import CONNECT_TIMEOUT, Client, Reply
from relay.bitrix.options import AppOptions, PortalOptions
from relay.errors import PortalUnreachable, StoreUnavailable
from relay.model import PortalTrouble
from relay.settings import NO_SECRET, Secret
from relay.store import leases, portals, tokens
from relay.store.database import Database, Transaction
from relay.store.tokens import Kept, Owner

LEASE = 30.0  # seconds; longer than the authorisation server is given to answer (`application.WAYS`, twice at the most)
OLD = 30 * 86_400.0  # seconds; a refresh token lives 180 days (Bitrix24 REST docs, OAuth 2.0)
LOOK_EVERY = 86_400.0  # seconds between two looks for old tokens: a server that refuses them is not asked by the hour
YOUNG = 60.0  # seconds; tokens so new that the portal cannot mean it when it calls them expired
_PROBE_TIMEOUT = (CONNECT_TIMEOUT, 10.0)


class Caller(Protocol):
    """What calls a portal's methods: `relay.bitrix.client.Client`, or `Authorised`."""

    def call(self, method: str, payload: Mapping[str, Any]) -> Reply: ...

    def close(self) -> None: ...


def caller(database: Database, name: str, options: PortalOptions) -> Caller:
    """What calls the portal that the rules describe."""
    client = Client(address.from_options(options))
    if options.app is None:
        return client
    return Authorised(database, owner_of(name, options), options.app, client)


def ask(through: Caller, method: str, payload: Mapping[str, Any]) -> Reply:
    """A call for somebody who waits for the answer: once more if the tokens had to be renewed for it.

    Raises:
        NotAuthorised, PortalUnreachable: there is no answer.
    """
    try:
        return through.call(method, payload)
    except NotAuthorised as fault:
        if fault.trouble.code != RENEWED:
            raise
    return through.call(method, payload)


def keep_alive(through: Caller) -> None:
    """Renew the tokens of a portal to which nothing was sent for so long that they would die one day.

    Never raises: what went wrong is told, and there is time to try again.
    """
    if not isinstance(through, Authorised):
        return
    try:
        through.keep_alive()
    except StoreUnavailable as fault:
        log.trouble("application: the age of the tokens is not known just now", why=str(fault))
    except Exception as fault:
        log.failure("application: the relay failed to keep tokens alive", fault)


def owner_of(name: str, options: PortalOptions) -> Owner:
    """Whose tokens an application's are."""
    if options.app is None:
        raise ValueError("only an application has tokens")
    host = address.from_options(options).host
    return Owner(portal=name, domain=host, client_id=options.app.client_id)


# ── Calls ─────────────────────────────────────────────────────────────────────────────────────────────────────


class Authorised:
    """The client of a portal that is entered as an application. Any number of threads may share it."""

    def __init__(self, database: Database, owner: Owner, app: AppOptions, client: Client) -> None:
        self._database = database
        self._owner = owner
        self._app = app
        self._client = client
        self._unsaved: tuple[Kept, Tokens] | None = None  # given, and the database would not take them

    def call(self, method: str, payload: Mapping[str, Any]) -> Reply:
        """POST to a method, with the access token of the moment.

        Raises:
            NotAuthorised: there is no token that the portal takes; with the code `RENEWED` there is one now.
            PortalUnreachable: no answer, as `Client.call`.
        """
        kept = self._kept()
        reply = self._client.call(method, {**payload, "auth": kept.tokens.access.reveal()})
        if _wants_renewal(answer.refusal_of(reply.body), kept):
            raise NotAuthorised(self._renew(kept))
        return reply

    def keep_alive(self) -> None:
        """Renew the tokens if they are `OLD`. Of several that look at the same time, one does.

        Raises:
            StoreUnavailable: it is not known how old they are.
        """
        self._save()
        with self._database.read() as tx:
            kept = tokens.get(tx, self._owner)
            if kept is None or kept.refused_at or tx.now - kept.changed_at < OLD:
                return
        self._renew(kept)

    def close(self) -> None:
        self._client.close()

    def _kept(self) -> Kept:
        try:
            self._save()
            with self._database.read() as tx:
                kept = tokens.get(tx, self._owner)
        except StoreUnavailable as fault:
            raise NotAuthorised(_no_store(fault)) from None
        if kept is None:
            raise NotAuthorised(no_tokens(self._owner))
        return kept

    def _renew(self, used: Kept) -> PortalTrouble:
        """Get new tokens for those that were refused, unless somebody has; what this means for the portal."""
        holder = uuid.uuid4().hex
        try:
            with self._database.write() as tx:
                trouble = self._begin(tx, used, holder)
            return trouble or self._exchanged(used, now=tx.now)
        except StoreUnavailable as fault:
            return _no_store(fault)
        finally:
            with suppress(StoreUnavailable), self._database.write() as tx:  # else it ends by itself
                leases.release(tx, self._lease, holder)

    def _begin(self, tx: Transaction, used: Kept, holder: str) -> PortalTrouble | None:
        """Take one's turn and write down that one asks; or why not."""
        kept = tokens.get(tx, self._owner)
        if kept is None:
            return no_tokens(self._owner)
        if kept.tokens.access != used.tokens.access:
            return _RENEWED
        if kept.refused_at:
            return _used_up(kept)
        if tx.now - kept.changed_at < YOUNG:
            return _TOO_YOUNG
        if leases.hold(tx, self._lease, holder, LEASE) is None:
            return _SOMEBODY_ELSE
        return None if tokens.asking(tx, kept) else _RENEWED

    def _exchanged(self, used: Kept, *, now: float) -> PortalTrouble:
        failpoint.here("token: written down, not asked")
        try:
            fresh = application.renew(self._app, used.tokens, now=now)
        except NotAuthorised as fault:
            return self._refused(used, fault)
        except PortalUnreachable as fault:
            if not fault.sent:
                self._write_down(lambda tx: tokens.not_asked(tx, used))
            log.trouble("application: no answer about new tokens", portal=self._owner.portal, why=str(fault))
            return PortalTrouble("down", "OAUTH_UNREACHABLE", f"the authorisation server: {fault}")
        failpoint.here("token: answered, not committed")
        self._unsaved = (used, fresh)
        self._save()
        log.line("application: tokens renewed", portal=self._owner.portal)
        return _RENEWED

    def _refused(self, used: Kept, fault: NotAuthorised) -> PortalTrouble:
        used_up = application.is_used_up(fault)
        self._write_down(lambda tx: tokens.refused(tx, used) if used_up else tokens.not_asked(tx, used))
        log.trouble("application: no new tokens", portal=self._owner.portal, why=str(fault))
        return _used_up(used) if used_up else fault.trouble

    def _save(self) -> None:
        """Write down what was given; should the database not take it, it is kept in memory until it does."""
        if (unsaved := self._unsaved) is not None:
            self._write_down(lambda tx: tokens.renewed(tx, *unsaved))
            self._unsaved = None

    def _write_down(self, change: Callable[[Transaction], object]) -> None:
        with self._database.write() as tx:
            change(tx)

    @property
    def _lease(self) -> str:
        return f"token:{self._owner.portal}"


def _wants_renewal(code: str, kept: Kept) -> bool:
    """Have the tokens run out; or are they unknown, and a renewal was cut off, so that there may be newer ones?"""
    return code == "EXPIRED_TOKEN" or (code == "INVALID_TOKEN" and bool(kept.asked_at))


_RENEWED = PortalTrouble("expired", RENEWED, "the access token had run out; there is a new one")
_SOMEBODY_ELSE = PortalTrouble("expired", "TOKEN_BEING_RENEWED", "another worker is getting new tokens")
_TOO_YOUNG = PortalTrouble(
    "expired",
    "EXPIRED_TOKEN",
    "the portal calls tokens expired that are not a minute old; run relay doctor",
)


def no_tokens(owner: Owner) -> PortalTrouble:
    """The trouble of a portal whose application nobody has let in yet."""
    why = f"the application has no tokens yet: install it on the portal, or run relay portal login {owner.portal}"
    return PortalTrouble("closed", "NO_TOKENS", why)


def state_of(name: str, options: PortalOptions, kept: Kept | None) -> str:
    """What is wrong with an application's tokens as they are kept; ``""`` if nothing is known to be."""
    if options.app is None:
        return ""
    if kept is None:
        return no_tokens(owner_of(name, options)).why
    return _used_up(kept).why if kept.refused_at else ""


def _used_up(kept: Kept) -> PortalTrouble:
    """The refresh token is of no use any more; if a renewal was cut off before, that is why."""
    cause = "a renewal was cut off, and its answer is lost" if kept.asked_at else "it has lived too long or was revoked"
    why = f"the authorisation server no longer takes the refresh token ({cause}); {LOG_IN} {kept.owner.portal}"
    return PortalTrouble("closed", "INVALID_GRANT", why)


def _no_store(fault: StoreUnavailable) -> PortalTrouble:
    return PortalTrouble("down", "STORE", str(fault))


# ── First tokens ──────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """Whom the portal takes the bearer of a token for."""

    user_id: int
    is_admin: bool


def try_out(options: PortalOptions, fresh: Tokens) -> Bearer:
    """Show tokens to the configured portal, and to no other: are they this application's there?

    Raises:
        NotAuthorised: they are not.
        PortalUnreachable: no answer.
    """
    if options.app is None:
        raise ValueError("only an application has tokens")
    with Client(address.from_options(options), timeout=_PROBE_TIMEOUT) as client:
        auth = {"auth": fresh.access.reveal()}
        about, person = (_result(client.call(method, auth)) for method in ("app.info", "profile"))
    code, number = about.get("CODE"), str(person.get("ID", ""))
    if isinstance(code, str) and code and code != options.app.client_id:
        raise NotAuthorised(PortalTrouble("closed", "OTHER_APPLICATION", "the tokens are another application's"))
    if not (number.isascii() and number.isdigit()):
        raise NotAuthorised(PortalTrouble("closed", "NOBODY", "the tokens are nobody's who is active on the portal"))
    return Bearer(user_id=int(number[:18]), is_admin=person.get("ADMIN") is True)


def keep(database: Database, owner: Owner, fresh: Tokens, *, application_token: Secret = NO_SECRET) -> None:
    """Keep first tokens that were tried out; the portal's messages go on at once."""
    with database.write() as tx:
        before = tokens.get(tx, owner)
        known = before.application_token if before else NO_SECRET
        tokens.put(tx, owner, fresh, application_token=application_token or known)
        portals.recovered(tx, owner.portal)
        tx.news = True


def _result(reply: Reply) -> Mapping[str, Any]:
    """The result of a call that asks who we are."""
    try:
        told = answer.decode(reply.body)
    except ValueError:
        told = None
    if isinstance(told, Mapping) and answer.is_error(told):
        why = f"the portal does not take the tokens: {answer.explain(told, reply.status)}"
        raise NotAuthorised(PortalTrouble("closed", answer.code_of(told) or "REFUSED", why))
    result = told.get("result") if isinstance(told, Mapping) else None
    if not isinstance(result, Mapping):
        raise PortalUnreachable("the portal gives no answer of its REST API", sent=True)
    return result
