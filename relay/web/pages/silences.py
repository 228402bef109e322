"""Silences: which there are and what they have kept back; one made from an event in two clicks, after a look at what
it would have silenced; and their twins for scripts.

Never ends a silence itself: a worker does, and tells those whom it silenced.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, redirect, request

from relay import log, router, silencing
from relay.errors import Refused
from relay.model import Note
from relay.rules.silences import IDLE
from relay.schema import seconds
from relay.silencing import BadCondition
from relay.store.journal import Entry
from relay.web.pages import openapi
from relay.web.pages.asking import Asked
from relay.web.pages.journal import moment
from relay.web.pages.openapi import MOMENT, NUMBER, TEXT, in_path, many, operation, thing
from relay.web.pages.shell import Site, readers_too, reply

AMONG = 100  # of the newest events are looked at: each is read anew, and somebody waits for the page
SHOWN = 10  # of those that match
LENGTHS = ("30m", "1h", "2h", "4h", "8h", "1d", "3d", "7d")
USUAL = "2h"
LONGEST_WHY = 500  # signs
NUMBERED = "/silences/<int(max=9007199254740992):number>"


class NotSilenced(Refused):
    """The silence cannot be made; the sentence says what is wrong."""


class NotThere(Refused):
    """There is no such silence, or it is over."""

    status = 409


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A silence that is being written: conditions one on a line, its length in `LENGTHS` or like them."""

    conditions: str = ""
    length: str = USUAL
    why: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """What a draft would have kept back; ``wrong`` says why that cannot be told."""

    matched: Sequence[Entry] = ()
    wrong: str = ""


def routes(site: Site) -> Blueprint:
    """``/silences``, and the same under ``/api/v1``."""
    page = Blueprint("silences", __name__)

    @page.get("/silences")
    def show() -> Response:
        found = silencing.everything(site.house.database)
        return site.render(
            "silences.html",
            active=[_shown(number, note) for number, note in found.items() if not note.value["over"]],
            over=[_shown(number, note) for number, note in found.items() if note.value["over"]],
        )

    @page.get("/silences/new")
    def write() -> Response:
        draft = _from_event(site) or Draft(why=site.speech("silences.usual_why"))
        return _form(site, draft, _look(site, draft) if draft.conditions else None)

    @page.post("/silences/look")
    @readers_too
    def look() -> Response:
        draft = _posted()
        return _form(site, draft, _look(site, draft))

    @page.post("/silences")
    def make() -> Any:
        draft = _posted()
        try:
            number = _make(site, silencing.lines(draft.conditions), draft.length, draft.why)
        except NotSilenced as fault:
            return _form(site, draft, Look(wrong=str(fault)), HTTPStatus.BAD_REQUEST)
        return redirect(f"/silences#silence-{number}", HTTPStatus.SEE_OTHER)

    @page.post(f"{NUMBERED}/end")
    def end(number: int) -> Any:
        _end(site, number)
        return redirect("/silences", HTTPStatus.SEE_OTHER)

    @page.get("/api/v1/silences")
    def read() -> Response:
        found = silencing.everything(site.house.database)
        return reply({"silences": [_told(number, note) for number, note in found.items()]})

    @page.post("/api/v1/silences")
    def make_one() -> Response:
        wish = request.get_json()
        conditions = wish.get("conditions") if isinstance(wish, dict) else None
        if not isinstance(conditions, list) or not all(isinstance(each, str) for each in conditions):
            raise NotSilenced('say «conditions»: a list such as ["labels.instance=db1"]')
        number = _make(site, conditions, str(wish.get("for", "")), str(wish.get("why", "")))
        return reply(_told(number, silencing.everything(site.house.database)[number]))

    @page.post(f"/api/v1{NUMBERED}/end")
    def end_one(number: int) -> Response:
        _end(site, number)
        return reply({"ends": number})

    return page


# ── What is asked ─────────────────────────────────────────────────────────────────────────────────────────────


def _posted() -> Draft:
    asked = {name: request.form.get(name, "").strip() for name in ("conditions", "length", "why")}
    return Draft(**asked)


def _from_event(site: Site) -> Draft | None:
    """A draft for the event that the address names."""
    number = Asked(request.args, 0.0).number("event")
    if number is None:
        return None
    events = router.readable(site.entry(number), site.rules)
    conditions = silencing.suggested(events[0]) if events else []
    return Draft(conditions="\n".join(conditions), why=site.speech("silences.usual_why"))


def _look(site: Site, draft: Draft) -> Look:
    try:
        condition = silencing.compiled(silencing.when(silencing.lines(draft.conditions)), site.rules)
    except BadCondition as fault:
        return Look(wrong=str(fault))
    return Look(silencing.matched(site.house.database, site.rules, condition, among=AMONG))


# ── What is done ──────────────────────────────────────────────────────────────────────────────────────────────


def _make(site: Site, conditions: Any, length: str, why: str) -> str:
    """
    Raises:
        NotSilenced: something about it is wrong.
    """
    try:
        its = silencing.when(conditions)
        silencing.compiled(its, site.rules)
    except BadCondition as fault:
        raise NotSilenced(str(fault)) from None
    try:
        span = seconds(length)
    except ValueError:
        span = 0.0
    if not 0 < span <= 365 * 86_400:
        raise NotSilenced("write how long it lasts as 30m, 2h or 3d")
    if not why or len(why) > LONGEST_WHY:
        raise NotSilenced(f"say why, in at most {LONGEST_WHY} signs: those whom it silences are told")
    who = site.visitor.name or site.speech("silences.operator")
    number = silencing.make(site.house.database, its, length=span, idle=max(IDLE, span), who=who, why=why)
    log.line("pages: silenced", silence=number, who=site.visitor.name)
    return number


def _end(site: Site, number: int) -> None:
    if not silencing.end(site.house.database, str(number)):
        raise NotThere
    log.line("pages: ends a silence", silence=number, who=site.visitor.name)


# ── What is shown ─────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Shown:
    """A silence on its page."""

    number: str
    value: Mapping[str, Any]
    conditions: Sequence[str]


def _shown(number: str, note: Note) -> Shown:
    return Shown(number, note.value, silencing.written(note.value["when"]))


def _form(site: Site, draft: Draft, look: Look | None, status: int = HTTPStatus.OK) -> Response:
    return site.render(
        "silence.html",
        status,
        draft=draft,
        look=look,
        lengths=LENGTHS if draft.length in LENGTHS else (*LENGTHS, draft.length),
        among=AMONG,
        shown=SHOWN,
    )


# ── For scripts ───────────────────────────────────────────────────────────────────────────────────────────────


def _told(number: str, note: Note) -> dict[str, Any]:
    value = note.value
    return {
        "id": int(number),
        "conditions": silencing.written(value["when"]),
        "starts": moment(value["starts"]),
        "until": moment(value["until"]),
        "who": value["who"],
        "why": value["why"],
        "kept_back": value["count"],
        "over": value["over"],
    }


_SILENCE = thing(
    id=NUMBER,
    conditions=many(TEXT),
    starts=MOMENT,
    until=MOMENT,
    who=TEXT,
    why=TEXT,
    kept_back={"type": "integer", "minimum": 0},
    over=TEXT,
)
_WISH = thing(**{"conditions": many(TEXT), "for": TEXT, "why": TEXT})
OPERATIONS: openapi.Operations = {
    "/api/v1/silences": {
        "get": operation("Silences, the newest first; also those that are over", thing(silences=many(_SILENCE))),
        "post": operation(
            "Silence the events for which all conditions hold",
            _SILENCE,
            body=_WISH,
            refusals=("400", "403", "413", "415"),
        ),
    },
    "/api/v1/silences/{number}/end": {
        "parameters": [in_path("number", NUMBER)],
        "post": operation(
            "End a silence: those whom it silenced are told", thing(ends=NUMBER), refusals=("403", "404", "409")
        ),
    },
}
