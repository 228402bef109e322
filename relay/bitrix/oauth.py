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

SERVER = "oauth.bitrix.info"  # the documentation's
EASTERN_SERVER = "oauth.bitrix24.tech"
EASTERN = ("ru", "by", "kz", "uz", "kg", "am", "az", "ge")  # whose portals use it (rest module 26.250)


def server_of(domain: str) -> str:
    """The authorisation server's host for a portal, by its domain's ending. The answer's ``server_endpoint`` tells
    for sure.

    Raises:
        BadAddress: the domain is not one.
    """
    host = root_of(domain, insecure=True).partition("://")[2].partition(":")[0]
    return EASTERN_SERVER if host.rpartition(".")[2] in EASTERN else SERVER


def authorization_link(domain: str, client_id: str, *, state: str = "", insecure: bool = False) -> str:
    """The page where a person allows the application; the portal then calls it back with ``code`` and ``state``.

    Raises:
        BadAddress: the domain is not one.
    """
    query = urlencode({"client_id": client_id, **({"state": state} if state else {})})
    return f"{root_of(domain, insecure=insecure)}/oauth/authorize/?{query}"


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
    root = root_of(server)
    url, host = Secret(f"{root}/oauth/token/?{query}"), root.partition("://")[2]
    direct = root.startswith("http://")  # then it is this machine
    with closing(wire(options)) as opened:
        reply = patiently(lambda: opened.send("GET", url, name=host, direct=direct), options)

    def hide(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, "***") if secret else text
        return text

    return unpack(reply, hide, host, options)
