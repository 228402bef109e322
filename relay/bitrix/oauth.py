"""An application's tokens: the link to allow it, a code for tokens, new tokens for old; and the portal's clock.

Never stores a token. The secrets go in the query string of a GET, as Bitrix24 asks for (REST docs, OAuth 2.0):
they are kept out of everything that we print, but the authorisation server's own log may hold them.
"""

from __future__ import annotations

from contextlib import closing
from typing import Any, Unpack
from urllib.parse import urlencode

from relay.bitrix.address import root_of
from relay.bitrix.notify import Options, call_method, patiently, unpack, wire
from relay.settings import Secret

# The documentation's server. Portals of ru, by, kz, uz, kg, am, az and ge are said to use oauth.bitrix24.tech
# (rest module 26.250); the answer's `server_endpoint` tells.
SERVER = "oauth.bitrix.info"


def authorization_link(domain: str, client_id: str, *, state: str = "") -> str:
    """The page where a person allows the application; the portal then calls it back with ``code`` and ``state``.

    Raises:
        BadAddress: the domain is not one.
    """
    query = urlencode({"client_id": client_id, **({"state": state} if state else {})})
    return f"{root_of(domain)}/oauth/authorize/?{query}"


def exchange_code(
    client_id: str, client_secret: str, code: str, *, server: str = SERVER, **options: Unpack[Options]
) -> dict[str, Any]:
    """Tokens for a code, which lives 30 s and works once.

    Returns:
        ``{"access_token": …, "refresh_token": …, "expires_in": 3600, …}`` or ``{"error": …}``.

    Raises:
        PortalUnreachable: no answer; ``sent`` says whether the code may be used up.
    """
    return _tokens(server, client_id, client_secret, {"grant_type": "authorization_code", "code": code}, options)


def refresh_tokens(
    client_id: str, client_secret: str, refresh_token: str, *, server: str = SERVER, **options: Unpack[Options]
) -> dict[str, Any]:
    """New tokens for a refresh token, which lives 180 days and changes each time: keep the new one.

    Ask only after ``expired_token``: an application that refreshes by the clock may be blocked.
    """
    grant = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return _tokens(server, client_id, client_secret, grant, options)


def server_time(url: str, token: str = "", **options: Unpack[Options]) -> dict[str, Any]:
    """The portal's clock (``server.time``): the cheapest sign that it answers."""
    return call_method(url, "server.time", {}, token, **options)


def _tokens(server: str, client_id: str, client_secret: str, grant: dict[str, str], options: Options) -> dict[str, Any]:
    secrets = (client_secret, *(value for name, value in grant.items() if name != "grant_type"))
    query = urlencode({**grant, "client_id": client_id, "client_secret": client_secret})
    url = Secret(f"https://{server}/oauth/token/?{query}")
    with closing(wire(options)) as opened:
        reply = patiently(lambda: opened.send("GET", url, name=server), options)

    def hide(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, "***") if secret else text
        return text

    return unpack(reply, hide, server, options)
