"""Sentry's webhooks, a row each: what one is about, what to call it, and whom it concerns.

Only a table, and it reads no payload. `github_row` says what the columns mean, `github_columns` how they are written.
The event is the resource of Sentry-Hook-Resource, the action its own; ``R`` is the project's slug where it is given.

Source: Sentry docs, «Integration platform, Webhooks»; of the old plugin: sentry, plugins/sentry_webhooks.
"""

from __future__ import annotations

from collections.abc import Mapping

from relay.model import State
from relay.sources.github_row import COMMENT, Row
from relay.sources.rows import EMPTY

# fmt: off
# What was done to an issue; where that says nothing (assigned), the issue's own status.
ISSUE: Mapping[str, State] = {
    "created": "firing", "unresolved": "firing", "resolved": "resolved", "archived": "closed", "ignored": "closed",
}
METRIC: Mapping[str, State] = {"critical": "firing", "warning": "firing", "resolved": "resolved"}

ANY = EMPTY | Row(
    key="{R}:{EVENT}:{data.issue.id|data.event.issue_id|installation.uuid}",
    title="{data.issue.title|data.event.title|data.description_title|data.installation.app.slug}",
    url="{data.web_url} {data.issue.web_url} {data.issue.permalink}",
    actor="actor",
)
PROBLEM = Row(  # an issue, told by an alert rule or by itself: the newer replaces the older whichever it is
    key="issue:{data.event.issue_id|data.error.issue_id|data.issue.id}",
    state="firing",
)

ROWS: Mapping[str, Row] = {
    "issue": PROBLEM | Row(
        concerns="assignee",
        title="{data.issue.title}",
        text="{data.issue.culprit}",
        url="{data.issue.web_url} {data.issue.permalink}",
        state=(ISSUE, "{ACTION}"),
        severity="{data.issue.level}",
        started_at="{data.issue.firstSeen}",
        assignees="data.issue.assignedTo",
    ),
    "issue.assigned": Row(state=(ISSUE, "{data.issue.status}"), assignees="data.assignee|data.issue.assignedTo"),
    "event_alert": PROBLEM | Row(
        concerns="owner",
        title="{data.event.title}",
        text="{data.event.culprit|data.event.location}",
        url="{data.event.web_url}",
        severity="{data.event.level}",
        started_at="{data.event.datetime}",
        assignees="data.issue.assignedTo",
        owners="data.issue_alert.settings[].value",  # what the rule's action was given, such as a person
    ),
    "activity_alert": PROBLEM | Row(
        concerns="assignee",
        title="{data.issue.title}",
        text="{data.issue.culprit}",
        url="{data.issue.web_url} {data.issue.permalink}",
        severity="{data.issue.level}",
        assignees="data.issue.assignedTo",
    ),
    "error": PROBLEM | Row(
        title="{data.error.title}",
        text="{data.error.culprit|data.error.location}",
        url="{data.error.web_url}",
        severity="{data.error.level}",
        started_at="{data.error.datetime}",
    ),
    "metric_alert": Row(
        concerns="owner",
        key="metric:{data.metric_alert.alert_rule.id}:{data.metric_alert.identifier}",
        title="{data.metric_alert.alert_rule.name|data.description_title}",
        text="{data.description_text}",
        url="{data.web_url}",
        state=(METRIC, "{ACTION}"),
        severity="{ACTION}",
        started_at="{data.metric_alert.date_started}",
        owners="data.issue_alert.settings[].value",
    ),
    "metric_alert.resolved": Row(severity=""),
    "comment": Row(
        concerns="actor",
        key="issue:{data.issue_id}:comment:{data.comment_id}",
        title="{R}",
        text="{data.comment}",
        state=(COMMENT, "{ACTION}"),
        started_at="{data.timestamp}",
    ),
    "installation": Row(key="installation:{data.installation.uuid|installation.uuid}"),
    "installation.deleted": Row(state="closed"),
    "plugin": Row(
        key="issue:{id}",
        title="{event.title|message}",
        text="{culprit}",
        url="{url}",
        state="firing",
        severity="{level}",
        actor="",
    ),
}
# fmt: on


def row(event: str, action: str) -> Row:
    """The row for an event, whether or not the table knows it."""
    return ANY | ROWS.get(event, Row()) | ROWS.get(f"{event}.{action}", Row())
