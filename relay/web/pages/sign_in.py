"""The sign-in page: one field, whose password says the role; the link that works once; and the way out.

Never says what was wrong with a password, and never leads anywhere but into the site.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, redirect, request

from relay import log
from relay.store import visitors
from relay.store.visitors import Role
from relay.web.pages import openapi, sessions
from relay.web.pages.access import NotOurs, Throttled
from relay.web.pages.shell import Site, open_to_all, readers_too

OPERATIONS: openapi.Operations = {}  # scripts show a bearer token, and have no session
HOME = "/events"


def routes(site: Site) -> Blueprint:
    """``GET`` and ``POST /sign-in``, ``GET /sign-in/<secret>``, ``POST /sign-out``."""
    page = Blueprint("sign_in", __name__)

    @page.get("/sign-in")
    @open_to_all
    def ask() -> Response:
        return _asking(site)

    @page.post("/sign-in")
    @open_to_all
    def enter() -> Any:
        if not site.access.is_from_our_page(request):  # or somebody signs us in as himself
            raise NotOurs
        try:
            role = site.access.role_of(request.form.get("password", ""), site.access.address(request), tokens=False)
        except Throttled as fault:
            answer = _asking(site, HTTPStatus.TOO_MANY_REQUESTS, waits=-(-fault.retry_after // 60))
            answer.headers["Retry-After"] = str(fault.retry_after)
            return answer
        if role is None:
            log.trouble("pages: a wrong password", address=site.access.address(request))
            return _asking(site, HTTPStatus.UNAUTHORIZED, wrong="sign_in.wrong")
        return _entered(site, role, _inside(request.args.get("next", "")))

    @page.get("/sign-in/<secret>")
    @open_to_all
    def enter_once(secret: str) -> Any:
        if request.method == "HEAD":  # of whoever previews a link, which is not used up by it
            return Response()
        with site.house.database.write() as tx:
            role = visitors.enter(tx, secret)
        if role is None:
            return _asking(site, HTTPStatus.FORBIDDEN, wrong="sign_in.used")
        return _entered(site, role, HOME)

    @page.post("/sign-out")
    @readers_too
    def leave() -> Any:
        answer = redirect("/sign-in", HTTPStatus.SEE_OTHER)
        answer.delete_cookie(site.access.cookie(request), secure=site.access.is_secure(request), httponly=True)
        return answer

    return page


def _asking(site: Site, status: int = HTTPStatus.OK, *, wrong: str = "", waits: int = 0) -> Response:
    return site.render("sign_in.html", status, wrong=wrong, waits=waits, back=_inside(request.args.get("next", "")))


def _entered(site: Site, role: Role, where: str) -> Any:
    log.line("pages: signed in", role=role, address=site.access.address(request))
    answer = redirect(where, HTTPStatus.SEE_OTHER)
    answer.set_cookie(
        site.access.cookie(request),
        site.access.opened(role),
        max_age=int(sessions.LASTS),
        secure=site.access.is_secure(request),
        httponly=True,
        samesite="Lax",
    )
    return answer


def _inside(address: str) -> str:
    """An address of this site, or the first page. «//elsewhere» and «/\\elsewhere» lead out of it (WHATWG URL)."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return HOME
    leads_out = parts.scheme or parts.netloc or "\\" in address or address.startswith("//")
    return HOME if leads_out or not address.startswith("/") or not address.isprintable() else address
