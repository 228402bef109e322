"""The rules in force: the tree, what each rule answered lately, what is suspicious, and how the file was read; and its
twin for scripts.

Never shows a secret, and never changes the rules: they are a file, which people edit and keep.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, Response

from relay import playground
from relay.errors import Complaint
from relay.rules import Rule, Rules
from relay.store import daily, reloads
from relay.store.daily import DAY, Hits
from relay.store.reloads import Reload
from relay.web.pages import drawing, openapi
from relay.web.pages.drawing import Span
from relay.web.pages.journal import moment
from relay.web.pages.openapi import MOMENT, TEXT, many, operation, thing
from relay.web.pages.shell import Site, reply

DAYS = 7
MOST = 500  # rules on one page


@dataclass(frozen=True, slots=True)
class Line:
    """A rule of the tree: how deep it stands, whom it tells, and how often it answered on each of the last days."""

    rule: Rule
    depth: int
    to: str
    hits: Sequence[int]
    picture: str  # the path of an SVG

    @property
    def total(self) -> int:
        return sum(self.hits)


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything on the page."""

    lines: Sequence[Line]
    left_out: int
    findings: Sequence[Complaint]
    history: Sequence[Reload]


def routes(site: Site) -> Blueprint:
    """``GET /rules`` and ``GET /api/v1/rules``."""
    page = Blueprint("rules", __name__)
    findings = Findings(site)

    @page.get("/rules")
    def show() -> Response:
        return site.render(
            "rules.html", seen=_look(site, findings), days=DAYS, width=drawing.WIDTH, height=drawing.HEIGHT
        )

    @page.get("/api/v1/rules")
    def read() -> Response:
        seen = _look(site, findings)
        return reply(
            {
                "rules": [
                    {"name": each.rule.name, "path": each.rule.path, "when": each.rule.condition.says, "to": each.to}
                    | {"answered": list(each.hits)}
                    for each in seen.lines
                ],
                "findings": [str(each) for each in seen.findings],
                "history": [
                    {"at": moment(each.at), "outcome": each.outcome, "complaint": each.complaint}
                    for each in seen.history
                ],
            }
        )

    return page


class Findings:
    """What is suspicious in the file in force: looked for once for each reading of it, as thousands of rules take
    seconds."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._turn = threading.Lock()
        self._of: Rules | None = None
        self._found: Sequence[Complaint] = ()

    def __call__(self) -> Sequence[Complaint]:
        file = self._site.house.rules_file
        with self._turn:
            rules, text = file.in_force
            if self._of is not rules:
                self._of = rules
                self._found = playground.check(text, file.path, file.env).complaints
            return self._found


def _look(site: Site, findings: Findings) -> Seen:
    every = list(site.rules.every())
    with site.house.database.read() as tx:
        hits, history, today = daily.rules(tx, days=DAYS), reloads.latest(tx), daily.today(tx.now)
    span = Span(start=(today - DAYS + 1) * DAY, seconds=DAYS * DAY, point=DAY)
    top = max((max(each.days) for each in hits.values()), default=0)
    lines = [_line(rule, hits.get(rule.name), span, top) for rule in every[:MOST]]
    return Seen(lines, len(every) - len(lines), findings(), history)


def _line(rule: Rule, hits: Hits | None, span: Span, top: int) -> Line:
    days = hits.days if hits else (0,) * DAYS
    points = ((span.start + number * DAY, float(count)) for number, count in enumerate(days))
    return Line(
        rule=rule,
        depth=rule.path.count(".rules."),
        to=", ".join(each.says for each in rule.telling.to),
        hits=days,
        picture=drawing.bars(points, span, top=float(top)),
    )


_COUNT = {"type": "integer", "minimum": 0}
OPERATIONS: openapi.Operations = {
    "/api/v1/rules": {
        "get": operation(
            f"The rules in force; what each answered on the last {DAYS} days (UTC, the oldest first)",
            thing(
                rules=many(thing(name=TEXT, path=TEXT, when=TEXT, to=TEXT, answered=many(_COUNT))),
                findings=many(TEXT),
                history=many(thing(at=MOMENT, outcome={"enum": ["taken", "refused"]}, complaint=TEXT)),
            ),
        )
    }
}
