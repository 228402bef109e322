"""The portal's page: a notification centre for each person, in English or Russian.

Never changes anything, and never builds HTML from text: templates escape all of it.
"""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template, request

from relay.sandbox import views, words
from relay.sandbox.portal import Portal


def page(portal: Portal) -> Blueprint:
    """The routes ``/`` and ``/fragment`` (the part that lives, for the script; 204 = no news)."""
    routes = Blueprint("page", __name__)

    @routes.get("/")
    def whole() -> Response:
        return _rendered("page.html", portal)

    @routes.get("/fragment")
    def fragment() -> Response:
        if request.args.get("since") == str(portal.version):
            return Response(status=204)
        return _rendered("live.html", portal)

    return routes


def _rendered(template: str, portal: Portal) -> Response:
    language = _language()
    version, counters = portal.version, portal.counters

    def stamp(unix: int, form: str) -> str:
        return words.stamp(language, views.local(unix), form)

    body = render_template(
        template,
        language=language,
        other=next(other for other in words.LANGUAGES if other != language),
        words=words.WORDS[language],
        stamp=stamp,
        names={str(person.id): person.full_name for person in portal.people},
        cards=views.cards(portal, language),
        version=version,
        requests=words.requests(language, counters["requests"]),
        refused=words.refused(language, counters["refused"]),
    )
    response = make_response(body)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Language"] = language
    response.vary.add("Accept-Language")
    return response


def _language() -> str:
    """``?lang=`` first, then what the browser prefers."""
    asked = request.args.get("lang", "")
    return asked if asked in words.LANGUAGES else request.accept_languages.best_match(words.LANGUAGES) or "en"
