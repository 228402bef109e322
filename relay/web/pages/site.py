"""The pages and their twins for scripts, put together: who may enter, what a browser is told, what goes wrong.

Never shows anything itself: each page is a module of its own, and is named in PAGES.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Flask, Response, abort, current_app, g, jsonify, redirect, request
from werkzeug.exceptions import HTTPException

from relay import log
from relay.errors import Refused, StoreUnavailable
from relay.house import House
from relay.web.pages import (
    event,
    journal,
    openapi,
    outbox,
    people,
    playground,
    portals,
    replaying,
    rules,
    sign_in,
    silences,
)
from relay.web.pages.access import SAFE, Access, Throttled, Unknown
from relay.web.pages.shell import Site, open_to_all

# Each gives `routes(site) -> Blueprint` and `OPERATIONS`, its part of the OpenAPI document.
PAGES = (sign_in, journal, event, replaying, outbox, people, portals, rules, playground, silences)

# No inline script and no inline style, nothing from elsewhere: strangers' words stand on these pages (CSP Level 3).
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    # Not «no-referrer»: with it a browser sends «Origin: null» with our own forms (Fetch, «append a request Origin»).
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
OFF = "not found: the pages are off, because RELAY_ADMIN_PASSWORD is not set\n"


def install(app: Flask, house: House, access: Access) -> None:
    """Give the application its pages."""
    site = Site(house, access)
    whole = Blueprint("pages", __name__)
    whole.before_request(lambda: _guard(site))
    whole.after_request(_protected)
    for fault in (Refused, StoreUnavailable, HTTPException, Exception):
        whole.register_error_handler(fault, lambda raised: _failed(site, raised))
    whole.register_blueprint(openapi.routes([page.OPERATIONS for page in PAGES]))
    whole.register_blueprint(_static(site))
    for page in PAGES:
        whole.register_blueprint(page.routes(site))
    app.register_blueprint(whole)


def _guard(site: Site) -> Any:
    """Every page and every twin comes through here, and those that say nothing else want a visitor. ``None``: go on."""
    if not site.access.is_open:
        return Response(OFF, HTTPStatus.NOT_FOUND, mimetype="text/plain")
    view = current_app.view_functions[str(request.endpoint)]
    if hasattr(view, "is_open_to_all"):
        return None
    g.visitor = site.access.visitor(request)
    try:
        site.access.check(g.visitor, request, readers_too=hasattr(view, "is_for_readers_too"))
    except Unknown:
        if _is_for_scripts() or request.method not in SAFE:
            raise
        return _to_sign_in()
    return None


def _to_sign_in() -> Any:
    back = request.full_path.rstrip("?")
    return redirect(f"/sign-in?{urlencode({'next': back})}", HTTPStatus.SEE_OTHER)


def _protected(response: Response) -> Response:
    response.headers.update(HEADERS)
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _static(site: Site) -> Blueprint:
    """The style, the script and the sign: the same bytes for ever under one address."""
    routes = Blueprint("static", __name__)

    @routes.get("/static/<name>")
    @open_to_all
    def file(name: str) -> Response:
        if name not in site.assets:
            abort(HTTPStatus.NOT_FOUND)
        raw, kind = site.assets[name]
        return Response(raw, content_type=kind, headers={"Cache-Control": "public, max-age=31536000, immutable"})

    return routes


# ── What goes wrong ───────────────────────────────────────────────────────────────────────────────────────────


def _failed(site: Site, fault: Exception) -> Any:
    """The fault as a page, or as JSON for a script."""
    status, why, headers = _told(fault)
    if _is_for_scripts():
        return jsonify(error=why), status, headers
    t = site.speech
    named = next(key for key in (f"error.{type(fault).__name__}", f"error.{status}", "error.500") if t.knows(key))
    page = site.render("error.html", status, sentence=t(named, why=why))
    page.headers.update(headers)
    return page


def _told(fault: Exception) -> tuple[int, str, dict[str, str]]:
    """A fault's status, its sentence and its headers."""
    match fault:
        case Throttled():
            return fault.status, str(fault), {"Retry-After": str(fault.retry_after)}
        case Unknown():
            return fault.status, "sign in, or show a bearer token", {"WWW-Authenticate": "Bearer"}
        case Refused():
            return fault.status, str(fault), {}
        case HTTPException():
            return fault.code or 500, fault.name.lower(), {}
        case StoreUnavailable():
            log.trouble("pages: the store cannot be used", why=str(fault))
            return HTTPStatus.SERVICE_UNAVAILABLE, "the database cannot be used just now", {"Retry-After": "5"}
        case _:
            log.failure("pages: the relay failed", fault, path=request.path[:100])
            return HTTPStatus.INTERNAL_SERVER_ERROR, "the relay failed; its log says why", {}


def _is_for_scripts() -> bool:
    return request.path.startswith("/api/")
