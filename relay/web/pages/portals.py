"""How each portal is and why its messages wait: a part of the outbox's page, and a twin for scripts.

Never asks a portal: it tells what the couriers found and wrote down.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from flask import Blueprint, Response

from relay import log
from relay.bitrix import pace
from relay.bitrix.options import PortalOptions
from relay.courier import lease_of
from relay.model import Trouble
from relay.store import health, listing, portals
from relay.store.database import Transaction
from relay.store.health import Holder, Sample
from relay.store.portals import PortalState
from relay.web.pages import drawing, openapi
from relay.web.pages.drawing import Span
from relay.web.pages.journal import moment
from relay.web.pages.openapi import MAYBE_MOMENT, MOMENT, TEXT, many, maybe, operation, thing
from relay.web.pages.shell import Site, reply

# orphaned: the rules have it no more. unknown: it was never called. full: its pace allows no request now. unserved:
# messages may be sent, and nobody sends them.
Condition = Literal["works", "idle", "unknown", "full", "paused", "orphaned", "unserved"]
UNSERVED = 60.0  # seconds; a worker looks far more often, and takes over a lost one's work after RELAY_LEASE
POINT = health.KEPT / health.POINTS  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    """A portal as it is shown. Times are Unix seconds; ``lag`` is how long the oldest message that may be sent has
    waited. ``burst`` is what our part of the bucket holds."""

    name: str
    condition: Condition
    trouble: str
    code: str
    why: str
    since: float | None
    asked_again_at: float | None
    level: float
    burst: float
    share: float
    lag: float
    messages: Mapping[str, int]  # by state, those that have not arrived
    holder: Holder | None
    points: Sequence[Sample]
    now: float

    @property
    def waiting(self) -> int:
        return self.messages.get("queued", 0) + self.messages.get("sending", 0)

    @property
    def span(self) -> Span:
        last = (self.now // POINT + 1) * POINT
        return Span(start=last - health.KEPT, seconds=health.KEPT, point=POINT)

    @property
    def drawn(self) -> Mapping[str, str]:
        """The paths of the pictures by the class that they have."""
        return {
            "level": drawing.bars(((each.at, each.level) for each in self.points), self.span, top=self.burst),
            "waiting": drawing.bars(
                ((each.at, each.waiting) for each in self.points), self.span, top=self.most.waiting
            ),
            "trouble": drawing.bars(((each.at, 1.0) for each in self.points if each.trouble), self.span, top=1.0),
        }

    @property
    def most(self) -> Sample:
        """The highest of each in the last day, for the sentence beside the picture."""
        return Sample(
            at=0,
            level=max((each.level for each in self.points), default=0.0),
            share=min((each.share for each in self.points), default=1.0),
            waiting=max((each.waiting for each in self.points), default=0),
            lag=max((each.lag for each in self.points), default=0.0),
            trouble="",
        )

    @property
    def pauses(self) -> list[tuple[float, float]]:
        """From when to when it was in trouble, to ten minutes; one in trouble is asked again within fifteen."""
        runs = drawing.runs((each.at for each in self.points if each.trouble), gap=2 * POINT)
        return [(first, min(self.now, last + POINT)) for first, last in runs]


def everything(tx: Transaction, rules: Mapping[str, PortalOptions]) -> list[Portal]:
    """The portals of the rules, and those for which messages still wait though the rules have them no more."""
    standing = listing.standing(tx)
    return [_portal(tx, name, rules.get(name), standing.get(name, {})) for name in dict.fromkeys((*rules, *standing))]


def _portal(tx: Transaction, name: str, options: PortalOptions | None, messages: Mapping[str, int]) -> Portal:
    state, holder = portals.look(tx, name), health.holder(tx, lease_of(name))
    plan = pace.from_plan(options.plan) if options else pace.PLANS["standard"]
    share, lag = pace.share(state.share, state.share_at, tx.now) if state else 1.0, health.waiting(tx, name)[1]
    ours = plan.part(share)
    return Portal(
        name=name,
        condition=_condition(options, state, ours, holder=holder, lag=lag, now=tx.now),
        trouble=state.trouble if state else "",
        code=state.code if state else "",
        why=log.mask(state.why) if state else "",
        since=state.since if state and state.trouble else None,
        asked_again_at=state.not_before if state and state.trouble and state.not_before > tx.now else None,
        level=ours.level(state.level, state.level_at, tx.now) if state else 0.0,
        burst=ours.burst,
        share=share,
        lag=lag,
        messages=messages,
        holder=holder,
        points=health.points(tx, name),
        now=tx.now,
    )


def _condition(
    options: PortalOptions | None,
    state: PortalState | None,
    ours: pace.Pace,
    *,
    holder: Holder | None,
    lag: float,
    now: float,
) -> Condition:
    """The first that holds: what wants a person comes first."""
    known: Iterable[tuple[Condition, bool]] = (
        ("orphaned", options is None),
        ("paused", state is not None and bool(state.trouble)),
        ("full", state is not None and ours.room(state.level, state.level_at, now) < 1),
        ("unserved", holder is None and lag >= UNSERVED),
        ("unknown", state is None),
        ("works", holder is not None),
    )
    return next((condition for condition, holds in known if holds), "idle")


# ── For scripts ───────────────────────────────────────────────────────────────────────────────────────────────


def routes(site: Site) -> Blueprint:
    """``GET /api/v1/portals``."""
    page = Blueprint("portals", __name__)

    @page.get("/api/v1/portals")
    def read() -> Response:
        rules = site.rules
        with site.house.database.read() as tx:
            found = everything(tx, rules.portals)
        return reply({"portals": [_told(each) for each in found]})

    return page


def _told(each: Portal) -> dict[str, Any]:
    words = ("name", "condition", "trouble", "code", "why", "level", "burst", "share", "lag")
    return {word: getattr(each, word) for word in words} | {
        "since": moment(each.since),
        "asked_again_at": moment(each.asked_again_at),
        "messages": dict(each.messages),
        "holder": each.holder.name if each.holder else None,
        "last_day": [
            {"at": moment(one.at), "level": one.level, "share": one.share, "waiting": one.waiting, "lag": one.lag}
            | {"trouble": one.trouble}
            for one in each.points
        ],
    }


AMOUNT = {"type": "number", "minimum": 0}
COUNT = {"type": "integer", "minimum": 0}
TROUBLE = {"enum": ["", *get_args(Trouble)]}
POINT_TOLD = thing(at=MOMENT, level=AMOUNT, share=AMOUNT, waiting=COUNT, lag=AMOUNT, trouble=TROUBLE)
PORTAL = thing(
    name=TEXT,
    condition={"enum": list(get_args(Condition))},
    trouble=TROUBLE,
    code=TEXT,
    why=TEXT,
    level={**AMOUNT, "description": "Requests in our part of its bucket"},
    burst={**AMOUNT, "description": "What that part holds"},
    share={**AMOUNT, "description": "The part of the bucket that is ours"},
    lag={**AMOUNT, "description": "Seconds that the oldest message that may be sent has waited"},
    since=MAYBE_MOMENT,
    asked_again_at=MAYBE_MOMENT,
    messages={"type": "object", "additionalProperties": COUNT},
    holder={**maybe(TEXT), "description": "The process that delivers to it"},
    last_day={**many(POINT_TOLD), "description": "The worst of each ten minutes in which it was called"},
)
OPERATIONS: openapi.Operations = {
    "/api/v1/portals": {"get": operation("Each portal: how it is, and how it was", thing(portals=many(PORTAL)))}
}
