"""What the portal posts when an application is installed there (ONAPPINSTALL): its first tokens, believed with care.

Never repeats a word of what was posted, and sends it nowhere but to the configured portal. Anybody can post here, so
tokens are kept only if that portal itself takes them for this application's and an administrator's; and once there are
tokens, only what carries the application_token of the same installation replaces them.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from relay import authorisation, log
from relay.bitrix import application
from relay.bitrix.address import BadAddress, root_of
from relay.bitrix.application import NotAuthorised, Tokens
from relay.bitrix.options import AppOptions, PortalOptions
from relay.errors import NotUnderstood, PortalUnreachable, Refused
from relay.settings import NO_SECRET, Secret
from relay.store import tokens
from relay.store.database import Database
from relay.store.tokens import Kept, Owner

LIMIT = 16_384  # bytes of the form; the portal's has one or two thousand
_FIELDS = 100


class NotOurs(Refused):
    """This installation is not believed."""

    status = 403


class Unsettled(Refused):
    """The portal could not be asked whether to believe it."""

    status = 503


def read(body: bytes) -> dict[str, str]:
    """The fields of the form: ``event``, ``auth[access_token]``, …

    Raises:
        NotUnderstood: it is no such form, or a field stands in it twice.
    """
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=_FIELDS, errors="strict")
    except ValueError:
        raise NotUnderstood("this is not the form that a portal posts") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise NotUnderstood("a field stands in the form twice")
    if fields.get("event", "").upper() != "ONAPPINSTALL":
        raise NotUnderstood("only ONAPPINSTALL is taken here")
    return fields


def accept(database: Database, portals: Mapping[str, PortalOptions], fields: Mapping[str, str]) -> str:
    """Keep the tokens of an installation.

    Args:
        portals: those of the rules.
        fields: the form.

    Returns:
        The portal's name.

    Raises:
        NotUnderstood: there are no tokens in it.
        NotOurs: they are not believed.
        Unsettled: the portal does not answer whether they are good.
    """
    name, options, app = _portal(portals, fields)
    owner = authorisation.owner_of(name, options)
    with database.read() as tx:
        now, kept = tx.now, tokens.get(tx, owner)
    auth = {name[5:-1]: value for name, value in fields.items() if name.startswith("auth[") and name.endswith("]")}
    fresh = application.read(auth, now=now)
    if fresh is None:
        raise NotUnderstood("there are no tokens in the form")
    given = Secret(auth.get("application_token", "")[: application.LONGEST])
    _try_out(options, fresh, owner, vouched=_is_vouched_for(app, kept, given, owner))
    authorisation.keep(database, owner, fresh, application_token=given)
    return name


def _portal(portals: Mapping[str, PortalOptions], fields: Mapping[str, str]) -> tuple[str, PortalOptions, AppOptions]:
    """The configured application of the portal that the form names; where it wants to be called must be there too."""
    named = _host(fields.get("auth[domain]", ""))
    endpoint = fields.get("auth[client_endpoint]", "")
    for name, options in portals.items():
        if options.app is not None and named and named == authorisation.owner_of(name, options).domain:
            if endpoint and not _is_there(endpoint, named, options):
                break
            return name, options, options.app
    raise NotOurs("no application of this portal is configured here")


def _host(domain: str) -> str:
    try:
        return root_of(domain, insecure=True).partition("://")[2]
    except BadAddress:
        return ""


def _is_there(endpoint: str, host: str, options: PortalOptions) -> bool:
    try:
        return _host(endpoint) == host and (
            urlsplit(endpoint).scheme == "https" or root_of(endpoint, insecure=options.insecure).startswith("http://")
        )
    except BadAddress:
        return False


def _is_vouched_for(app: AppOptions, kept: Kept | None, given: Secret, owner: Owner) -> bool:
    """Is it known to be the installation that it says it is? ``False``: nothing is known of any.

    Raises:
        NotOurs: it is another.
    """
    known = app.application_token or (kept.application_token if kept and not kept.refused_at else NO_SECRET)
    if known:
        if not known.matches(given.reveal()):
            raise _another(owner, "its application_token is not the one that is known; after a new installation")
        return True
    if kept is not None and not kept.refused_at:
        raise _another(owner, "there are tokens from relay portal login; to take an installation's instead")
    return False


def _another(owner: Owner, why: str) -> NotOurs:
    log.trouble("install: refused", portal=owner.portal, why=f"{why}, first run relay portal forget {owner.portal}")
    return NotOurs("this installation is not the one that is known here")


def _try_out(options: PortalOptions, fresh: Tokens, owner: Owner, *, vouched: bool) -> None:
    try:
        bearer = authorisation.try_out(options, fresh)
    except NotAuthorised as fault:
        log.trouble("install: the portal does not take the tokens", portal=owner.portal, why=str(fault))
        raise NotOurs("the portal does not take these tokens for the application's") from None
    except PortalUnreachable as fault:
        log.trouble("install: the portal cannot be asked", portal=owner.portal, why=str(fault))
        raise Unsettled("the portal cannot be asked just now; install again, or run relay portal login") from None
    if not (vouched or bearer.is_admin):  # anybody who may open the application has tokens of it, for himself
        log.trouble("install: the tokens are not an administrator's", portal=owner.portal, user=bearer.user_id)
        raise NotOurs("the first tokens must be an administrator's; or run relay portal login")
