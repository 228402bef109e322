"""The outbox: what waits, what is held and what died, why, and what to do about it; and its twin for scripts.

Never sends anything itself: what is to be sent again is queued, and the worker sends it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, request

from relay import log
from relay.errors import Refused
from relay.store import listing, outbox
from relay.store.database import Transaction
from relay.store.listing import PAGE, Page
from relay.store.search import Filter, MessageRow
from relay.web.pages import openapi, portals
from relay.web.pages.asking import HIGHEST, PARAMETERS, Asked, of_redirect
from relay.web.pages.journal import moment
from relay.web.pages.openapi import MAYBE_MOMENT, MOMENT, NUMBER, TEXT, asked, many, maybe, operation, thing
from relay.web.pages.portals import Portal
from relay.web.pages.shell import Site, reply

# What is asked for, in the order in which one looks, and the states that it means.
STATES: dict[str, tuple[str, ...]] = {
    "dead": ("dead",),
    "held": ("held",),
    "waiting": ("queued", "sending"),
    "delivered": ("delivered",),
    "muted": ("muted",),
    "superseded": ("superseded",),
    "dropped": ("dropped",),
}
OPEN = ("dead", "held", "waiting")  # what is counted, and may be changed
QUESTIONS = ("portal", "person", "rule", "source", "text", "since", "until")  # those of the form, beside the state

Change = Callable[[Transaction, int], bool]
CHANGES: Mapping[str, Change] = {"retry": outbox.retry, "drop": outbox.drop}


class NotChosen(Refused):
    """Choose messages, no more than a page of them, and what is to be done: «retry» or «drop»."""


def routes(site: Site) -> Blueprint:
    """``GET`` and ``POST /outbox``, ``GET /api/v1/outbox``, and ``POST`` there with what is to be done."""
    page = Blueprint("outbox", __name__)

    @page.get("/outbox")
    def show() -> Response:
        asked = Asked(request.args, time.time())
        what, state = _read(asked)
        rules = site.rules
        with site.house.database.read() as tx:
            known = portals.everything(tx, rules.portals)
            counts = _counts(known)
            state = state or next((each for each in OPEN if counts[each]), OPEN[0])
            found = None if asked.complaints else _look(tx, replace(what, states=STATES[state]))
        return site.render(
            "outbox.html",
            found=found,
            wrong=asked.complaints,
            asked={name: request.args.get(name, "") for name in QUESTIONS},
            narrowed=any(request.args.get(name) for name in QUESTIONS),
            at_the_top=what.before is None and what.after is None,
            state=state,
            states=list(STATES),
            open_states=OPEN,
            counts=counts,
            most=listing.LOOKED,
            portals=known,
            people=sorted(rules.people),
            done={name: of_redirect(request.args, name) for name in ("retry", "drop", "left")},
        )

    @page.post("/outbox")
    def change() -> Any:
        done, left = _change(site, *_chosen())
        kept = {name: value for name, value in request.args.items() if name in (*QUESTIONS, "state")}
        address = urlencode(kept | {_wish(): str(len(done)), "left": str(len(left))})
        return redirect(f"/outbox?{address}", HTTPStatus.SEE_OTHER)

    @page.get("/api/v1/outbox")
    def read() -> Response:
        asked = Asked(request.args, time.time())
        what, state = _read(asked)
        asked.settle()
        with site.house.database.read() as tx:
            found = _look(tx, replace(what, states=STATES.get(state, ())))
        return reply(_page_told(found))

    @page.post("/api/v1/outbox")
    def act() -> Response:
        wish = request.get_json()
        if not isinstance(wish, dict):
            raise NotChosen
        done, left = _change(site, str(wish.get("do", "")), _numbers(wish.get("messages")))
        return reply({"done": done, "left": left})

    return page


# ── What is asked ─────────────────────────────────────────────────────────────────────────────────────────────


def _read(asked: Asked) -> tuple[Filter, str]:
    """What is looked for, and the state that was asked for; ``""``: none was."""
    return replace(asked.filter(), portal=asked.text("portal")), asked.one_of("state", STATES)


def _look(tx: Transaction, what: Filter) -> Page[MessageRow]:
    """A page of messages, without a webhook's secret in what a portal said of them."""
    found = listing.messages(tx, what)
    return replace(found, rows=[replace(row, why=log.mask(row.why)) for row in found.rows])


def _counts(known: Iterable[Portal]) -> dict[str, int]:
    """How many messages have not arrived, by what is asked for."""
    every = [each.messages for each in known]
    return {name: sum(one.get(state, 0) for one in every for state in STATES[name]) for name in OPEN}


# ── What is changed ───────────────────────────────────────────────────────────────────────────────────────────


def _wish() -> str:
    """What a form asks for: one message has a button of its own, and those that are ticked share one."""
    return next((name for name in CHANGES if name in request.form), request.form.get("do", ""))


def _chosen() -> tuple[str, list[int]]:
    """What a form asks for, and of which messages."""
    wish = _wish()
    return wish, _numbers(request.form.getlist(wish if wish in request.form else "number"))


def _numbers(values: object) -> list[int]:
    """
    Raises:
        NotChosen: they are no numbers of messages, none, or more than a page of them.
    """
    if not isinstance(values, list) or not 1 <= len(values) <= PAGE:
        raise NotChosen
    found = [int(each) for each in map(str, values) if each.isascii() and each.isdigit() and len(each) < 17]
    if len(found) < len(values) or not 1 <= min(found) <= max(found) <= HIGHEST:
        raise NotChosen
    return sorted(set(found))  # the oldest first: in this order they were to be sent


def _change(site: Site, wish: str, numbers: Sequence[int]) -> tuple[list[int], list[int]]:
    """Change messages one by one: each locks a stream of its own.

    Returns:
        Those that were changed, and those that were not: they have moved on meanwhile.

    Raises:
        NotChosen: there is no such wish.
    """
    if wish not in CHANGES:
        raise NotChosen
    done: dict[bool, list[int]] = {True: [], False: []}
    for number in numbers:
        with site.house.database.write() as tx:
            done[CHANGES[wish](tx, number)].append(number)
    log.line("pages: changed messages", wish=wish, message=done[True], left=done[False], who=site.visitor.name)
    return done[True], done[False]


# ── For scripts ───────────────────────────────────────────────────────────────────────────────────────────────


def _page_told(found: Page[MessageRow]) -> dict[str, Any]:
    return {"messages": [told(each) for each in found.rows], "further": found.further, "stopped": found.stopped}


def told(row: MessageRow) -> dict[str, Any]:
    """A message of a list, for scripts."""
    words = ("id", "source", "title", "portal", "person", "user_id", "rule", "state", "attempts", "code")
    return {word: getattr(row, word) for word in words} | {
        "event": row.event_id,
        "created_at": moment(row.created_at),
        "settled_at": moment(row.settled_at),
        "why": row.why,
    }


COUNT = {"type": "integer", "minimum": 0}
MESSAGE = thing(
    id=NUMBER,
    event=maybe(NUMBER),
    source=TEXT,
    title=TEXT,
    portal=TEXT,
    person=TEXT,
    user_id=COUNT,
    rule=TEXT,
    state={"enum": [state for states in STATES.values() for state in states]},
    attempts=COUNT,
    code=TEXT,
    why=TEXT,
    created_at=MOMENT,
    settled_at=MAYBE_MOMENT,
)
NUMBERS = {"type": "array", "items": NUMBER}
OPERATIONS: openapi.Operations = {
    "/api/v1/outbox": {
        "get": operation(
            "Messages, the newest first",
            thing(messages=many(MESSAGE), further=maybe(NUMBER), stopped={"type": "boolean"}),
            parameters=(
                *PARAMETERS,
                asked("state", {"enum": list(STATES)}, "Messages that are so; «waiting» are queued or being sent"),
                asked("portal", TEXT, "The portal's name in the rules"),
            ),
            refusals=("400",),
        ),
        "post": operation(
            "Send dead or held messages again, or give up what has not arrived",
            thing(done=NUMBERS, left={**NUMBERS, "description": "Those that have moved on meanwhile"}),
            body=thing(do={"enum": list(CHANGES)}, messages={**NUMBERS, "minItems": 1, "maxItems": PAGE}),
            refusals=("400", "403"),
        ),
    }
}
