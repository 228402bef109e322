"""The journal: what came, and what became of it, the newest first; and its twin for scripts.

Never reads a body: a list is made of what it shows.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, request

from relay.store import listing
from relay.store.listing import Line, Page
from relay.store.search import Filter
from relay.web.pages import openapi
from relay.web.pages.asking import PARAMETERS, Asked
from relay.web.pages.openapi import MAYBE_MOMENT, MOMENT, NUMBER, TEXT, asked, many, maybe, operation, thing
from relay.web.pages.shell import Site, reply

# What is asked of the journal: the verdicts in the order in which one looks for them.
VERDICTS = (
    "delivered", "dead", "held", "queued", "sending", "muted", "silenced", "no_rule", "nobody", "unreadable", "new",
    "grouped", "throttled", "repeated", "inhibited", "own_act", "skipped", "superseded", "dropped",
)  # fmt: skip
QUESTIONS = ("source", "event", "person", "state", "text", "since", "until")  # those of the form


def routes(site: Site) -> Blueprint:
    """``GET /events`` and ``GET /api/v1/events``."""
    page = Blueprint("journal", __name__)

    @page.get("/events")
    def show() -> Response:
        asked = Asked(request.args, time.time())
        what, verdict = _read(asked)
        return site.render(
            "journal.html",
            found=None if asked.complaints else _look(site, what, verdict),
            wrong=asked.complaints,
            asked={name: request.args.get(name, "") for name in QUESTIONS},
            narrowed=any(request.args.get(name) for name in QUESTIONS),
            at_the_top=what.before is None and what.after is None,
            sources=sorted(site.rules.sources),
            people=sorted(site.rules.people),
            verdicts=VERDICTS,
        )

    @page.get("/api/v1/events")
    def read() -> Response:
        asked = Asked(request.args, time.time())
        what, verdict = _read(asked)
        asked.settle()
        found = _look(site, what, verdict)
        events = [told(each) for each in found.rows]
        return reply({"events": events, "further": found.further, "stopped": found.stopped})

    return page


def _read(asked: Asked) -> tuple[Filter, str]:
    return asked.filter(), asked.one_of("state", VERDICTS)


def _look(site: Site, what: Filter, verdict: str) -> Page[Line]:
    with site.house.database.read() as tx:
        return listing.journal(tx, what, verdict)


def told(each: Line) -> dict[str, Any]:
    """An event of a list, for scripts."""
    return {
        "id": each.id,
        "source": each.event.source,
        "event": each.event.kind,
        "title": each.event.title,
        "received_at": moment(each.event.received_at),
        "decided_at": moment(each.event.decided_at),
        "verdict": each.verdict,
        "outcome": each.event.outcome,
        "note": each.event.note,
        "messages": dict(each.messages),
    }


def moment(unix: float | None) -> str | None:
    """RFC 3339, or ``None`` for never."""
    return None if unix is None else datetime.fromtimestamp(unix, UTC).isoformat(timespec="milliseconds")


LINE = thing(
    id=NUMBER,
    source=TEXT,
    event=TEXT,
    title=TEXT,
    received_at=MOMENT,
    decided_at=MAYBE_MOMENT,
    verdict={"enum": list(listing.VERDICTS)},
    outcome=TEXT,
    note=TEXT,
    messages={"type": "object", "additionalProperties": NUMBER},
)
STATE = asked("state", {"enum": list(VERDICTS)}, "The verdict: of an event's messages the worst, or why there are none")
OPERATIONS: openapi.Operations = {
    "/api/v1/events": {
        "get": operation(
            "Events, the newest first",
            thing(
                events=many(LINE),
                further={**maybe(NUMBER), "description": "Go on below this number (`before`), or above it (`after`)"},
                stopped={"type": "boolean", "description": "The search ended here, and not the journal"},
            ),
            parameters=(*PARAMETERS, STATE),
            refusals=("400",),
        )
    }
}
