"""One event: who was told and how that went, why, and what came; and its twin for scripts.

Never shows a credential (the journal keeps none), and never matches a rule by itself: tree.py asks the decision.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, abort, request

from relay.model import Request
from relay.store import journal, listing, outbox
from relay.store.database import Transaction
from relay.store.journal import Entry
from relay.store.listing import Line
from relay.store.outbox import Attempt, Record
from relay.store.search import one_event
from relay.web.pages import journal as list_page
from relay.web.pages import openapi, tree
from relay.web.pages.asking import of_redirect
from relay.web.pages.journal import moment
from relay.web.pages.openapi import MAYBE_MOMENT, MOMENT, NUMBER, TEXT, in_path, many, maybe, operation, thing
from relay.web.pages.preview import Preview, around, preview
from relay.web.pages.shell import Site, reply

NUMBERED = "/events/<int(max=9007199254740992):number>"  # 2**53: what JavaScript and both databases can hold
MESSAGES = 50  # of one event that are shown; an event of more is rare, and the outbox has them all
SHOWN = 60_000  # signs of a body; the whole can be downloaded
INDENTED = 400_000  # bytes of JSON that are worth setting out


def routes(site: Site) -> Blueprint:
    """``GET /events/<number>``, ``GET /events/<number>/body`` and ``GET /api/v1/events/<number>``."""
    page = Blueprint("event", __name__)

    @page.get(NUMBERED)
    def show(number: int) -> Response:
        known = _look(site, number)
        polled = request.args.get("part") == "messages"  # what lives: the rest is not asked for again
        again = None if polled else tree.as_of_then(site, known.entry)
        return site.render(
            "event.html",
            known=known,
            again=again,
            trees=tree.trees(again.decisions) if again else [],
            body=None if polled or known.entry.pruned else body(known.entry.request),
            queued=of_redirect(request.args, "queued"),
            left=of_redirect(request.args, "left"),
            **around(site),
        )

    @page.get(f"{NUMBERED}/body")
    def download(number: int) -> Response:
        """The bytes as they came. Never as what they say they are: a browser must not show a stranger's page."""
        entry = site.entry(number)
        if entry.pruned:
            abort(HTTPStatus.NOT_FOUND)
        answer = Response(entry.request.body, content_type="application/octet-stream")
        answer.headers["Content-Disposition"] = f'attachment; filename="event-{number}.bin"'
        return answer

    @page.get(f"/api/v1{NUMBERED}")
    def read(number: int) -> Response:
        known = _look(site, number)
        again = tree.as_of_then(site, known.entry)
        sent = known.entry.request
        return reply(
            list_page.told(known.line)
            | {
                "pruned": known.entry.pruned,
                "headers": dict(sent.headers),
                "body": sent.body.decode("utf-8", "replace"),
                "deliveries": [_told(each) for each in known.messages],
                "why_not": again.why_not,
                "decisions": [tree.told(each) for each in again.decisions],
            }
        )

    return page


# ── What is known of it ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Sent:
    """A message with each try at it, and as its recipient sees it."""

    record: Record
    attempts: Sequence[Attempt]
    preview: Preview


@dataclass(frozen=True, slots=True)
class Known:
    """An event as it came, its line in the journal, and its messages: the oldest first, and no more than MESSAGES."""

    entry: Entry
    line: Line
    messages: Sequence[Sent]

    @property
    def left_out(self) -> int:
        return sum(self.line.messages.values()) - len(self.messages)


def _look(site: Site, number: int) -> Known:
    with site.house.database.read() as tx:
        entry, row = journal.get(tx, number), one_event(tx, number)
        if entry is None or row is None:
            abort(HTTPStatus.NOT_FOUND)
        counts = listing.counted(tx, [number]).get(number, {})
        line = Line(row, listing.verdict_of(row, counts), counts)
        return Known(entry, line, [_sent(tx, each) for each in _records(tx, number)])


def _records(tx: Transaction, number: int) -> list[Record]:
    return outbox.latest(tx, limit=MESSAGES, event_id=number)[::-1]


def _sent(tx: Transaction, record: Record) -> Sent:
    return Sent(record, outbox.attempts(tx, record.id), preview(record.message))


# ── What came ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Body:
    """A body to be read: set out if it is JSON, and cut. ``size`` is in bytes."""

    text: str
    size: int
    is_cut: bool


def body(came: Request) -> Body:
    text = _set_out(came.body) or came.body[: SHOWN * 4].decode("utf-8", "replace")
    return Body(text[:SHOWN], len(came.body), len(text) > SHOWN)


def _set_out(raw: bytes) -> str:
    """JSON with a line for each value, and no more of it than is shown; ``""`` if it is none, or too much.

    It may grow a thousandfold: in a nested list each element has a line of its own, which begins with many spaces.
    """
    if len(raw) > INDENTED:
        return ""
    text = io.StringIO()
    try:
        for part in json.JSONEncoder(ensure_ascii=False, indent=2).iterencode(json.loads(raw)):
            text.write(part)
            if text.tell() > SHOWN:
                break
    except (ValueError, RecursionError):
        return ""
    return text.getvalue()


# ── For scripts ───────────────────────────────────────────────────────────────────────────────────────────────


def _told(each: Sent) -> dict[str, Any]:
    record = each.record
    return tree.message(record.message) | {
        "id": record.id,
        "state": record.state,
        "code": record.code,
        "why": record.why,
        "created_at": moment(record.created_at),
        "settled_at": moment(record.settled_at),
        "notification_id": record.notification_id,
        "attempts": [
            {"at": moment(one.at), "verdict": one.verdict, "code": one.code, "why": one.why} for one in each.attempts
        ],
    }


_DELIVERY = {
    "allOf": [
        tree.MESSAGE,
        thing(
            id=NUMBER,
            state=TEXT,
            code=TEXT,
            why=TEXT,
            created_at=MOMENT,
            settled_at=MAYBE_MOMENT,
            notification_id=maybe({"type": "integer"}),
            attempts=many(thing(at=MOMENT, verdict=TEXT, code=TEXT, why=TEXT)),
        ),
    ]
}
_EVENT = {
    "allOf": [
        list_page.LINE,
        thing(
            pruned=TEXT,
            headers={"type": "object", "additionalProperties": TEXT},
            body=TEXT,
            deliveries=many(_DELIVERY),
            why_not=TEXT,
            decisions=many(tree.DECISION),
        ),
    ]
}
OPERATIONS: openapi.Operations = {
    "/api/v1/events/{number}": {
        "parameters": [in_path("number", NUMBER)],
        "get": operation(
            "One event: what came, its messages with each try, and why by the rules of now", _EVENT, refusals=("404",)
        ),
    }
}
