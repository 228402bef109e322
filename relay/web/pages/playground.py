"""The playground: a request on one side, rules on the other, and below what they would decide and why; and whom other
rules would have told otherwise of the last events.

Never changes the rules in force, and never sends anything: relay/playground.py decides as the router does.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, abort, request

from relay import fixture, playground, silencing
from relay.accounts import Accounts
from relay.errors import Complaint, NotUnderstood
from relay.feeds import Feeds
from relay.fixture import BadFixture
from relay.playground import Tried
from relay.rules import Rules
from relay.store import journal
from relay.store.journal import Entry
from relay.trial import Comparison
from relay.trial.comparing import WAYS
from relay.web.pages import openapi, tree
from relay.web.pages.asking import Asked
from relay.web.pages.openapi import TEXT, many, operation, thing
from relay.web.pages.preview import around, preview
from relay.web.pages.shell import Site, readers_too, reply

LARGEST = 200_000  # bytes of a request that is worth being shown in a form
FORM = 3_000_000  # bytes: a request and rules, each sign of which a form may write as three
LAST = 200  # events that are decided by both rules: the journal's are some 25 kB each
ONE_AT_A_TIME = threading.Lock()  # of the checks: thousands of rules take seconds, in the process that takes events


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What lies on the two sides. ``source`` is for a request that is JSON alone."""

    request: str = ""
    source: str = ""
    rules: str = ""


def routes(site: Site) -> Blueprint:
    """``/playground``, and the same under ``/api/v1``."""
    page = Blueprint("playground", __name__)

    @page.get("/playground")
    def show() -> Response:
        desk = Desk(request=_of_event(site), rules=_in_force(site))
        return _page(site, desk, tried=_try(site, desk) if desk.request else None)

    @page.post("/playground")
    @readers_too
    def try_out() -> Response:
        desk = _posted()
        if "compare" in request.form:
            complaints, comparison = _compare(site, desk.rules)
            return _page(site, desk, tried=Tried(complaints=complaints), comparison=comparison)
        return _page(site, desk, tried=_try(site, desk))

    @page.post("/api/v1/playground")
    @readers_too
    def try_one() -> Response:
        wish = request.get_json()
        if not isinstance(wish, dict) or not isinstance(wish.get("request"), str):
            raise NotAsked("say «request»: its JSON as text, or all of it with its headers")
        rules = wish.get("rules", _in_force(site))
        desk = Desk(request=wish["request"], source=str(wish.get("source", "")), rules=str(rules))
        tried = _try(site, desk)
        return reply(
            {
                "complaints": [str(each) for each in tried.complaints],
                "why_not": tried.why_not,
                "decisions": [tree.told(each) for each in tried.decisions],
            }
        )

    return page


class NotAsked(NotUnderstood):
    """What was asked cannot be read; the sentence says why."""

    status = 400


# ── The two sides ─────────────────────────────────────────────────────────────────────────────────────────────


def _of_event(site: Site) -> str:
    """The request of the event that the address names, as it came."""
    number = Asked(request.args, 0.0).number("event")
    if number is None:
        return ""
    entry = site.entry(number)
    if entry.pruned:
        abort(HTTPStatus.NOT_FOUND)
    if len(entry.request.body) > LARGEST:
        raise NotAsked(f"the request is larger than {LARGEST:,} bytes: too large for a form")
    return fixture.write(entry.request).decode("utf-8", "replace")


def _in_force(site: Site) -> str:
    rules, text = site.house.rules_file.in_force
    return playground.shown(text, rules)


def _posted() -> Desk:
    request.max_form_memory_size = FORM  # Werkzeug's own is 500,000
    form = request.form
    return Desk(request=form.get("request", ""), source=form.get("source", ""), rules=form.get("rules", ""))


# ── What comes out ────────────────────────────────────────────────────────────────────────────────────────────


def _checked(site: Site, text: str) -> tuple[Sequence[Complaint], Rules | None]:
    """Rules as the relay would have them: with the ids of people and the shifts of calendars that are known."""
    house = site.house
    with ONE_AT_A_TIME:
        checked = playground.check(text.replace("\r\n", "\n"), house.rules_file.path, house.rules_file.env)
    if checked.rules is None:
        return checked.complaints, None
    # Not the house's own, which keep what they made for the rules in force.
    with_ids = Accounts(house.database).put_in(checked.rules)
    return checked.complaints, Feeds(house.database, house.settings.rules.parent).put_in(with_ids)


def _try(site: Site, desk: Desk) -> Tried:
    complaints, rules = _checked(site, desk.rules)
    if rules is None:
        return Tried(complaints=complaints)
    try:
        entry = playground.request(desk.request, desk.source or next(iter(rules.sources), ""))
    except BadFixture as fault:
        return Tried(complaints=complaints, why_not=str(fault))
    tried = playground.try_out(entry, rules, datetime.now(UTC))
    return Tried(complaints=complaints, decisions=tried.decisions, why_not=tried.why_not, entry=entry, rules=rules)


def _compare(site: Site, text: str) -> tuple[Sequence[Complaint], Comparison | None]:
    complaints, rules = _checked(site, text)
    if rules is None:
        return complaints, None
    database = site.house.database
    entries = silencing.each_of(database, reversed(silencing.newest(database, LAST)))
    return complaints, playground.compare(site.rules, rules, (entry for entry in entries if not entry.pruned))


def _page(site: Site, desk: Desk, *, tried: Tried | None, comparison: Comparison | None = None) -> Response:
    decisions = tried.decisions if tried else ()
    return site.render(
        "playground.html",
        desk=desk,
        tried=tried,
        trees=[tree.tree(each) for each in decisions],
        planned=[(message, preview(message)) for each in decisions for message in each.messages],
        comparison=comparison,
        differences=list(comparison.differences()) if comparison else [],
        ways=WAYS,
        last=LAST,
        sources=sorted(site.rules.sources),
        recent=_recent(site),
        **around(site),
    )


def _recent(site: Site) -> Sequence[Entry]:
    with site.house.database.read() as tx:
        return [entry for entry in journal.latest(tx, limit=8) if not entry.pruned]


# ── For scripts ───────────────────────────────────────────────────────────────────────────────────────────────

_WISH: dict[str, Any] = thing(request=TEXT) | {
    "properties": {
        "request": {**TEXT, "description": "Its JSON, or all of it: a request line, headers, an empty line, the body"},
        "source": {**TEXT, "description": "Where JSON alone is posted to; else the first source"},
        "rules": {**TEXT, "description": "The rules to try; else those in force"},
    },
}
OPERATIONS: openapi.Operations = {
    "/api/v1/playground": {
        "post": operation(
            "Decide a request by rules, without sending anything. Every ${NAME} in them has one meaningless value",
            thing(complaints=many(TEXT), why_not=TEXT, decisions=many(tree.DECISION)),
            body=_WISH,
            refusals=("400", "413", "415"),
        )
    }
}
