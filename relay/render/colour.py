"""The colour of an event: its state first, then how grave it is.

Never says anything that the words do not say too: push, lock screens and the colour-blind see no colour.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from relay.model import Event

RED, AMBER, GREEN, BLUE, GREY, VIOLET = "#d63232", "#e8a441", "#36a64f", "#2f7ed8", "#97aab3", "#8a4fc9"
NAMES: Mapping[str, str] = {
    "red": RED,
    "amber": AMBER,
    "green": GREEN,
    "blue": BLUE,
    "grey": GREY,
    "violet": VIOLET,
}
TOKENS = frozenset(("primary", "secondary", "alert", "base"))  # COLOR_TOKEN (ATTACH, Bitrix24 REST docs)
_HEX = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)

_SEVERITIES: Mapping[str, str] = {
    **dict.fromkeys(("critical", "page", "disaster", "emergency", "fatal", "high", "error", "p1"), RED),
    **dict.fromkeys(("warning", "average", "medium", "moderate", "p2", "p3"), AMBER),
    **dict.fromkeys(("info", "information", "notice", "none", "note", "low", "debug", "p4", "p5"), BLUE),
}
_LIGHTS = {RED: "🔴", AMBER: "🟠", BLUE: "🔵"}
_GRAVEST_FIRST = (RED, AMBER, BLUE)
# GitHub's conclusions of runs and checks, states of reviews, and what became of a pull request.
_CONCLUSIONS: Mapping[str, str] = {
    **dict.fromkeys(("success", "approved"), GREEN),
    **dict.fromkeys(("failure", "error", "timed_out", "startup_failure"), RED),
    **dict.fromkeys(("action_required", "cancelled", "changes_requested"), AMBER),
    **dict.fromkeys(("CI_FAILURE", "CI_TIMEOUT", "MERGE_CONFLICT", "invalidated"), AMBER),  # of the merge queue
    **dict.fromkeys(("neutral", "skipped", "stale", "commented", "dismissed", "not_planned"), GREY),
    "merged": VIOLET,
    # Grafana's words, with capitals, for an alert whose query gave nothing or could not be run (grafana_state_reason).
    **dict.fromkeys(("NoData", "MissingSeries"), GREY),
    "Error": VIOLET,
}


def of(event: Event) -> str:
    """The colour of an event as #rrggbb; ``""`` for one that is neither good nor bad news."""
    if event.state == "resolved":
        return GREEN
    if event.conclusion in _CONCLUSIONS:
        return _CONCLUSIONS[event.conclusion]
    if event.state == "firing":
        return _of_alarm(event)
    if event.severity:
        return _gravest([event.severity])
    return {"open": BLUE, "closed": GREY}.get(event.state, "")


def _of_alarm(event: Event) -> str:
    firing = [alert.severity for alert in event.alerts if alert.status == "firing" and alert.severity]
    return _gravest(firing or [event.severity])


def _gravest(severities: Iterable[str]) -> str:
    """The gravest of them; a severity that nobody knows may be grave."""
    colours = {_SEVERITIES.get(severity.casefold(), RED) for severity in severities}
    return next(colour for colour in _GRAVEST_FIRST if colour in colours)


def light(severity: str) -> str:
    """The sign before an alarm of that severity, for those who see no colour of the portal's."""
    return _LIGHTS[_SEVERITIES.get(severity.casefold(), RED)]


def known(colour: str) -> bool:
    """Is it a colour that a template may name?"""
    return colour in NAMES or colour in TOKENS or _HEX.fullmatch(colour) is not None


def attach_colour(colour: str) -> dict[str, str]:
    """The keys of ATTACH for a colour; none for one that is unknown: the portal would draw lots."""
    if colour in TOKENS:
        return {"COLOR_TOKEN": colour}
    colour = NAMES.get(colour, colour)
    return {"COLOR": colour} if _HEX.fullmatch(colour) else {}
