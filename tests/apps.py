"""A portal that is entered as an application: the stand-in, its rules, and tokens in the store."""

from __future__ import annotations

import time

from relay import authorisation
from relay.bitrix import application
from relay.bitrix.options import PortalOptions
from relay.sandbox import Server
from relay.settings import Secret
from relay.store.database import Database
from relay.store.tokens import Owner

CLIENT_SECRET = "sandbox-client-secret"
APPLICATION_TOKEN = "sandbox-application-token"
SECRETS = ("sandbox-token", "sandbox-refresh-token", CLIENT_SECRET, APPLICATION_TOKEN, "sandbox-code")
HOUR = 3600.0


def way_in(server: Server, **more: str) -> dict[str, dict[str, str]]:
    """What stands under `portal:`."""
    app = {"domain": server.url, "client_id": "local.sandbox", "client_secret": CLIENT_SECRET, "oauth": server.url}
    return {"app": app | more}


def options(server: Server, **more: str) -> PortalOptions:
    return PortalOptions.model_validate(way_in(server, **more))


def owner(server: Server) -> Owner:
    return authorisation.owner_of("main", options(server))


def let_in(database: Database, server: Server) -> None:
    """Keep the portal's tokens of the moment."""
    fields = server.portal.installation(server.url)
    told = {name[5:-1]: value for name, value in fields.items() if name.startswith("auth[")}
    fresh = application.read(told, now=time.time())
    assert fresh is not None
    authorisation.keep(database, owner(server), fresh, application_token=Secret(told["application_token"]))


def renew_by_hand(server: Server) -> None:
    """Give out new tokens, as a login does."""
    app = options(server).app
    assert app is not None
    told = {"access_token": "x", "refresh_token": server.portal.installation(server.url)["auth[refresh_token]"]}
    kept = application.read(told, now=0.0)
    assert kept is not None
    application.renew(app, kept, now=0.0)
