"""What each kind of sender can say: its events, their actions, and the words that it fills.

Never reads a request. Of a sender that is not described here, anything may come.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from relay.rules.lint.github_actions import ACTIONS, ANY
from relay.sources import json_source
from relay.sources.github_events import ROWS
from relay.sources.github_row import ANY as ANY_ROW
from relay.sources.options import SourceOptions

# By the word, its column in the table of GitHub's events (relay/sources/github_row.py).
_COLUMNS = {
    "severity": "severity",
    "text": "text",
    "branch": "branch",
    "base_branch": "base",
    "paths": "paths",
    "labels": "labels",
    "author": "author",
    "assignees": "assignees",
    "reviewers": "reviewers",
    "mentioned": "mentions",
    "committers": "committers",
    "owners": "owners",
    "draft": "draft",
    "conclusion": "conclusion",
    "number": "number",
    "started_at": "started_at",
}

# Words of which something is known; the others every sender may fill.
WORDS = frozenset({*_COLUMNS, "url", "repo", "actor", "truncated"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Repertoire:
    """``events`` maps each event to its actions, ``None`` where there may be any; ``None`` for events of any name.

    ``fills(event)`` are those of `WORDS` that may have a value in an event of this name.
    """

    events: Mapping[str, frozenset[str] | None] | None
    fills: Callable[[str], frozenset[str]]

    def actions(self, event: str) -> frozenset[str] | None:
        return None if self.events is None else self.events.get(event)


def repertoire(options: SourceOptions) -> Repertoire:
    """What a source may send."""
    if options.type in ("alertmanager", "grafana"):
        return _ALERTS if options.type == "alertmanager" else _GRAFANA
    if options.type == "github":
        return _GITHUB
    if options.type == "json" and isinstance(options, json_source.Options):  # other types may build on its options
        return _of_json(options)
    return _ANYTHING


_ANYTHING = Repertoire(events=None, fills=lambda _event: WORDS)

# ── Alertmanager and Grafana (relay/sources/alerts.py, grafana.py) ───────────────────────────────────────────

_OF_ALERTS = frozenset({"severity", "text", "url", "labels", "started_at", "truncated"})
_ALERTS = Repertoire(events={"alert": frozenset({"firing", "resolved"})}, fills=lambda _event: _OF_ALERTS)
# Its old alerting has actions and a conclusion of its own; a body by one's own template is an «event».
_GRAFANA = Repertoire(events={"alert": None, "event": None}, fills=lambda _event: _OF_ALERTS | {"conclusion"})

# ── GitHub: the columns of its table that are filled ─────────────────────────────────────────────────────────


@cache
def _filled(event: str) -> frozenset[str]:
    """Of an event that the table does not know, only what all events have."""
    rows = [row for name, row in ROWS.items() if name == event or name.startswith(f"{event}.")]
    columns = {column for row in (ANY_ROW, *rows) for column, value in row.items() if value}
    return frozenset({"url", "repo", "actor", *(word for word, column in _COLUMNS.items() if column in columns)})


_GITHUB = Repertoire(
    events={event: None if ANY in actions else actions for event, actions in ACTIONS.items()}, fills=_filled
)

# ── JSON: the words that the source says where to find ───────────────────────────────────────────────────────

_PLACES = (
    *("severity", "text", "url", "repo", "branch", "base_branch", "labels", "paths", "number", "conclusion"),
    *("started_at", "actor", "author", "assignees", "reviewers", "mentioned", "committers"),
)


def _of_json(options: json_source.Options) -> Repertoire:
    named = {word for word in _PLACES if (place := getattr(options, word)) is not None and place.written}
    filled = frozenset(named | ({"owners"} if options.owner.written else set()))
    if options.event.kind != "literal":
        return Repertoire(events=None, fills=lambda _event: filled)
    action = frozenset({options.action.written}) if options.action.kind == "literal" else None
    return Repertoire(events={options.event.written or "event": action}, fills=lambda _event: filled)
