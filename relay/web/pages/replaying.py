"""Replay: an event decided once more by the rules of now; first seen, then sent to one person as a test, or for real.

Never sends anything itself: what is to be sent is queued, and the worker sends it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, redirect, request

from relay import log, replay
from relay.errors import Refused, RelayError
from relay.model import Message
from relay.replay import Again, Queued
from relay.store import search
from relay.store.journal import Entry
from relay.web.pages import openapi, tree
from relay.web.pages.event import MESSAGES, NUMBERED
from relay.web.pages.openapi import NUMBER, TEXT, in_path, many, maybe, operation, thing
from relay.web.pages.preview import Preview, around, preview
from relay.web.pages.shell import Site, reply

STRENGTHS = ("test", "real")


class NotReplayed(Refused):
    """It cannot be replayed; the sentence says why."""

    status = 409


class NotAStrength(Refused):
    """Say «strength»: «test», with a person's name in «to», or «real»."""


def routes(site: Site) -> Blueprint:
    """``GET`` and ``POST /events/<number>/replay``, and the same under ``/api/v1``."""
    page = Blueprint("replaying", __name__)

    @page.get(f"{NUMBERED}/replay")
    def look(number: int) -> Response:
        entry, again = _dry(site, number)
        planned = _planned(site, again)
        return site.render(
            "replay.html",
            entry=entry,
            again=again,
            trees=tree.trees(again.decisions),
            planned=planned[:MESSAGES],
            real=sum(each.newer is None for each in planned),
            left_out=len(planned[MESSAGES:]),
            people=sorted(each.name for each in site.rules.people.values() if each.id is not None or each.ids),
            **around(site),
        )

    @page.post(f"{NUMBERED}/replay")
    def send(number: int) -> Any:
        done = _replay(site, number, request.form.get("strength", ""), request.form.get("to", ""))
        queued = sum(each.number is not None for each in done)
        return redirect(f"/events/{number}?queued={queued}&left={len(done) - queued}#messages", HTTPStatus.SEE_OTHER)

    @page.get(f"/api/v1{NUMBERED}/replay")
    def read(number: int) -> Response:
        _, again = _dry(site, number)
        return reply({"why_not": again.why_not, "decisions": [tree.told(each) for each in again.decisions]})

    @page.post(f"/api/v1{NUMBERED}/replay")
    def queue(number: int) -> Response:
        wish = request.get_json()
        if not isinstance(wish, dict):
            raise NotAStrength
        done = _replay(site, number, str(wish.get("strength", "")), str(wish.get("to", "")))
        return reply({"messages": [_told(each) for each in done]})

    return page


@dataclass(frozen=True, slots=True)
class Planned:
    """A message that would be sent for real; ``newer`` is the one that keeps it back."""

    message: Message
    newer: int | None

    @property
    def preview(self) -> Preview:
        """As it would look."""
        return preview(self.message)


def _dry(site: Site, number: int) -> tuple[Entry, Again]:
    entry = site.entry(number)
    return entry, replay.decide(entry, site.rules, datetime.now(UTC), for_real=False)


def _planned(site: Site, again: Again) -> Sequence[Planned]:
    with site.house.database.read() as tx:
        return [Planned(each, search.newer_state(tx, each, again.entry.id)) for each in again.messages]


def _replay(site: Site, number: int, strength: str, to: str) -> Sequence[Queued]:
    """Decide it once more, and queue what comes out of it.

    Raises:
        NotAStrength: neither a test nor for real. NotReplayed: it cannot be decided, or nobody is called so.
    """
    if strength not in STRENGTHS:
        raise NotAStrength
    rules = site.rules
    again = replay.decide(site.entry(number), rules, datetime.now(UTC), for_real=strength == "real")
    if again.why_not:
        raise NotReplayed(again.why_not)
    if strength == "test":
        try:
            person = replay.somebody(rules, to)
        except RelayError as fault:
            raise NotReplayed(str(fault)) from None
        done = replay.queue_for_test(site.house.database, again, person)
    else:
        done = replay.queue(site.house.database, again)
    log.line("pages: replayed", event=number, strength=strength, messages=len(done), who=site.visitor.name)
    return done


def _told(each: Queued) -> dict[str, Any]:
    return {"id": each.number, "newer": each.newer, **tree.message(each.message)}


_QUEUED = thing(
    messages=many({"allOf": [tree.MESSAGE, thing(id=maybe(NUMBER), newer=maybe(NUMBER))]}),
)
_WISH = {
    "oneOf": [
        thing(strength={"const": "test"}, to=TEXT),
        thing(strength={"const": "real"}),
    ]
}
OPERATIONS: openapi.Operations = {
    "/api/v1/events/{number}/replay": {
        "parameters": [in_path("number", NUMBER)],
        "get": operation(
            "What the event would lead to now; nothing is sent",
            thing(why_not=TEXT, decisions=many(tree.DECISION)),
            refusals=("404",),
        ),
        "post": operation(
            "Send it again: to one person as a test, or for real; a message that would show an older state is left out",
            _QUEUED,
            body=_WISH,
            refusals=("400", "403", "404", "409", "413", "415"),
        ),
    }
}
