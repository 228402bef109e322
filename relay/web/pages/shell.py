"""What every page stands on: its visitor, his language, the templates, the words, and the files beside them.

Never decides who may enter (access.py does), and never builds HTML from text: templates escape all of it.
"""

from __future__ import annotations

import hashlib
import json
import mimetypes
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from http import HTTPStatus
from importlib.resources import files
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import Response, abort, g, request
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from relay.house import House
from relay.render.bbcode import one_line
from relay.rules import Rules
from relay.store import journal
from relay.store.journal import Entry
from relay.web.pages.access import Access, Visitor
from relay.web.pages.verdicts import SIGNS
from relay.web.pages.words import LANGUAGES, Speech

LANGUAGE_COOKIE = "lang"
YEAR = 365 * 86_400

# The pages of the site, in the order in which they stand in its head: the word, and the address.
NAV = (
    ("journal.title", "/events"),
    ("outbox.title", "/outbox"),
    ("people.title", "/people"),
    ("rules.title", "/rules"),
    ("playground.title", "/playground"),
    ("silences.title", "/silences"),
)  # fmt: skip

View = TypeVar("View", bound=Callable[..., Any])


def open_to_all(view: View) -> View:
    """Mark a view that one need not sign in for."""
    view.is_open_to_all = True  # type: ignore[attr-defined]  # read by site.py, off the view that Flask keeps
    return view


def readers_too(view: View) -> View:
    """Mark a POST that asks and changes nothing: readers may do it, with the token of their forms."""
    view.is_for_readers_too = True  # type: ignore[attr-defined]  # as above
    return view


class Site:
    """The pages of one house."""

    def __init__(self, house: House, access: Access) -> None:
        self.house = house
        self.access = access

    @property
    def rules(self) -> Rules:
        """The rules as they stand; a changed file is taken, as the door takes it."""
        self.house.rules_file.follow()
        return self.house.rules

    @property
    def visitor(self) -> Visitor:
        """Whoever asks. Only where one must have signed in."""
        found: Visitor = g.visitor
        return found

    @property
    def speech(self) -> Speech:
        return Speech(language())

    def render(self, template: str, status: int = 200, **values: Any) -> Response:
        """A page. Its template extends base.html, and finds there what :meth:`_common` lists."""
        body = self._templates.get_template(template).render(**self._common(), **values)
        response = Response(body.encode("utf-8", "replace"), status, mimetype="text/html")
        response.headers["Content-Language"] = language()
        if request.args.get("lang") in LANGUAGES:
            secure = self.access.is_secure(request)
            response.set_cookie(LANGUAGE_COOKIE, language(), max_age=YEAR, samesite="Lax", httponly=True, secure=secure)
        if request.method == "GET" and status == 200:
            response.add_etag()  # a page that is asked again and again, and has not changed, is not sent again
            response.make_conditional(request)
        return response

    def _common(self) -> dict[str, Any]:
        return {
            "t": self.speech,
            "language": language(),
            "other_language": _address(lang=next(each for each in LANGUAGES if each != language())),
            "visitor": g.get("visitor"),
            "nav": NAV,
            "path": request.path,
        }

    @cached_property
    def _templates(self) -> Environment:
        """Ours, and the stand-in portal's, which draw a notification as the portal does."""
        loader = ChoiceLoader([PackageLoader("relay.web.pages"), PackageLoader("relay.sandbox")])
        made = Environment(
            loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
        )
        made.globals |= {"asset": self.asset, "sign": SIGNS, "address": _address}
        made.filters |= {"when": when, "line": line, "visible": visible}
        return made

    def entry(self, number: int) -> Entry:
        """An event of the journal; the answer is 404 if it has none of this number."""
        with self.house.database.read() as tx:
            found = journal.get(tx, number)
        return found or abort(HTTPStatus.NOT_FOUND)

    # ── Files beside the pages ────────────────────────────────────────────────────────────────────────────────

    def asset(self, name: str) -> str:
        """The address of a file in static/, which changes with what is in it."""
        return f"/static/{self._hashed[name]}"

    @cached_property
    def assets(self) -> dict[str, tuple[bytes, str]]:
        """The files of static/, and the stand-in portal's sizes, by their hashed names: bytes and content type."""
        found = {}
        sizes = files("relay.sandbox").joinpath("static", "sizes.css")
        for file in (*files("relay.web.pages").joinpath("static").iterdir(), sizes):
            raw = file.read_bytes()
            kind = "text/javascript" if file.name.endswith(".js") else mimetypes.guess_type(file.name)[0]
            stem, _, suffix = file.name.rpartition(".")
            found[f"{stem}.{hashlib.sha256(raw).hexdigest()[:16]}.{suffix}"] = (raw, kind or "application/octet-stream")
        return found

    @cached_property
    def _hashed(self) -> dict[str, str]:
        return {re.sub(r"\.[0-9a-f]{16}\.", ".", name): name for name in self.assets}


def reply(value: object) -> Response:
    """JSON for a script. Half a surrogate pair, which a stranger may have escaped, has no UTF-8 (RFC 8259 §8.2)."""
    return Response(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"), mimetype="application/json")


def language() -> str:
    """The visitor's: ``?lang=``, his last choice, then what his browser prefers."""
    for asked in (request.args.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if asked in LANGUAGES:
            return asked
    return request.accept_languages.best_match(LANGUAGES) or "en"


def _address(**changes: object) -> str:
    """This page's address with some of its questions asked otherwise; ``None`` asks one no more."""
    asked = request.args.to_dict() | changes
    kept = {name: str(value) for name, value in asked.items() if value is not None}
    return f"{request.path}?{urlencode(kept)}" if kept else request.path


# ── Filters of the templates ──────────────────────────────────────────────────────────────────────────────────


def when(moment: float | None) -> Markup:
    """A time in UTC, which page.js tells in the reader's own zone."""
    if not moment:
        return Markup("–")
    at = datetime.fromtimestamp(moment, UTC)
    return Markup('<time datetime="{}">{} UTC</time>').format(
        at.isoformat(timespec="seconds"), at.strftime("%Y-%m-%d %H:%M:%S")
    )


def line(text: str, limit: int = 200) -> str:
    """A stranger's words on one line, without what cannot be seen, and no longer than a list can bear."""
    words = one_line(text[: limit * 4])
    return words if len(words) <= limit else f"{words[:limit]}…"


# Controls, and what turns the direction of other signs, joins them or takes no room: Unicode's Cc and Cf, and its
# separators of lines.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff]"
)


def visible(text: str) -> str:
    """A stranger's text, line by line; what would hide or turn other signs is named instead (CVE-2021-42574)."""
    return _HIDDEN.sub(lambda sign: f"⟨U+{ord(sign[0]):04X}⟩", text.replace("\r\n", "\n"))
