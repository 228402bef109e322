"""A GitLab payload becomes an event: what the payload leaves to be worked out, and then its row of the table.

Knows few events by name, and never looks at a request: `gitlab` has verified it and taken the payload out.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from relay.model import Event
from relay.sources import fields, rows
from relay.sources.github_columns import Payload, Place, fill, places, words
from relay.sources.gitlab_events import CONCLUSIONS, GOING_ON, row

PROJECT = "{project.path_with_namespace|path_with_namespace|group.full_path|full_path|group_path|project_name}"
ACTION = "{object_attributes.action|action|object_attributes.status|build_status|status|event_name}"

# GitLab docs, «Project access tokens», «Group access tokens»: their bot users are named so.
BOT = re.compile(r"(?:project|group)_\d+_bot(?:_\w+)?|(?:ghost|alert-bot|support-bot)\d*", re.IGNORECASE)

# An update says in `changes` whom it added or removed, and what that is called on GitHub.
TURNS = (("reviewers", "review_requested", "review_request_removed"), ("assignees", "assigned", "unassigned"))
DISCUSSED = ("merge_request", "issue", "work_item")

NO_COMMIT = re.compile("0+")  # as many zeros as the hash has digits: the ref is new, or gone


def understand(name: str, event: str, delivery: str, payload: dict[str, Any]) -> Event:
    """One event by its row of the table; an event that the table does not know, by what all events have.

    Raises:
        NotUnderstood: a value that is looked at has another type than GitLab gives it.
    """
    action, changed = _action(event, payload)
    ref = fields.text(payload, "ref")
    facts = payload | _push(payload) | {
        "R": fill(payload, PROJECT),
        "EVENT": event,
        "ACTION": action,
        "ENDED": "" if action in GOING_ON else action,
        "REF_NAME": ref.removeprefix("refs/heads/").removeprefix("refs/tags/"),
        "PUSHER": _flat_user(payload),
        "AUTHOR": _author(payload),
        "CHANGED": changed,
        "NOTED": fields.number(payload, "merge_request", "iid") or fields.number(payload, "issue", "iid"),
        "FAILED": ", ".join(_failed_jobs(payload)) if event == "pipeline" else "",
    }  # fmt: skip
    return rows.understand(
        DIALECT, name, row(event, action), facts, delivery=delivery, payload=payload, before=_before(event, payload)
    )


def _person(facts: Payload, place: Place) -> str:
    """A user by username, or else by e-mail; a commit's author by e-mail, which GitLab may write as «[REDACTED]»."""
    if place[-1] == "author_email":
        return rows.email(fields.text(facts, *place))
    return fields.text(facts, *place, "username") or rows.email(fields.text(facts, *place, "email"))


DIALECT = rows.Dialect(
    type="gitlab",
    person=_person,
    conclusions=CONCLUSIONS,
    severities={"unknown": ""},
    is_bot=lambda login: BOT.fullmatch(login) is not None,
)


def _flat_user(payload: Payload) -> dict[str, str]:
    """The user of pushes and of group events, who is no object of his own."""
    return {"username": fields.text(payload, "user_username"), "email": fields.text(payload, "user_email")}


def _action(event: str, payload: Payload) -> tuple[str, list[Any]]:
    """What became of it, and the people whom an update added or removed."""
    action = fill(payload, ACTION)
    if action == "update" and event in DISCUSSED:
        return _update(payload)
    return ("" if action == event else action), []


def _update(payload: Payload) -> tuple[str, list[Any]]:
    for role, gained, lost in TURNS:
        added, removed = _difference(payload, role)
        if added or removed:
            return (gained, added) if added else (lost, removed)
    changes = fields.mapping(payload, "changes")
    if "draft" in changes:
        return ("converted_to_draft" if fields.flag(payload, "changes", "draft", "current") else "ready_for_review"), []
    if fields.text(payload, "object_attributes", "oldrev"):
        return "synchronize", []
    if "labels" in changes:
        before, after = (set(words(payload, f"changes.labels.{when}[].title")) for when in ("previous", "current"))
        return ("labeled" if after - before else "unlabeled"), []
    if "milestone_id" in changes:
        put = fields.number(payload, "changes", "milestone_id", "current")
        return ("milestoned" if put else "demilestoned"), []
    return ("edited" if "title" in changes or "description" in changes else "update"), []


def _difference(payload: Payload, role: str) -> tuple[list[Any], list[Any]]:
    """Whom an update added to a role, and whom it removed. A reviewer who is asked once more is added."""
    before, after = (
        {fields.text(payload, *place, "username"): fields.mapping(payload, *place) for place in places(payload, path)}
        for path in (f"changes.{role}.previous[]", f"changes.{role}.current[]")
    )
    added = [who for login, who in after.items() if login not in before or who.get("re_requested") is True]
    return added, [who for login, who in before.items() if login not in after]


def _author(payload: Payload) -> dict[str, str] | None:
    """The author of what it is about. GitLab gives only his number: he is known if he stands elsewhere as a user."""
    things = ("merge_request", "issue") if payload.get("object_kind") == "note" else ("object_attributes",)
    numbers = {fields.number(payload, thing, "author_id") for thing in things} - {None}
    for path in ("user", "assignees[]", "reviewers[]", "merge_request.assignee") if numbers else ():
        for place in places(payload, path):
            if fields.number(payload, *place, "id") in numbers:
                return {"username": fields.text(payload, *place, "username")}
    return None


def _push(payload: Payload) -> dict[str, Any]:
    """What became of a ref, the newest commit, and the pages to look at; nothing where nothing was pushed."""
    before, after = fields.text(payload, "before"), fields.text(payload, "after")
    made = "created" if NO_COMMIT.fullmatch(before) else "deleted" if NO_COMMIT.fullmatch(after) else ""
    commits = fields.items(payload, "commits") if before or after else []
    newest = [index for index in range(len(commits)) if after and fields.text(payload, "commits", index, "id") == after]
    ref = fields.text(payload, "ref").removeprefix("refs/heads/").removeprefix("refs/tags/")
    return {
        "MADE": made,
        "HEAD": fields.mapping(payload, "commits", (newest or [len(commits) - 1])[0]) if commits else None,
        "COMPARE": f"{before}...{after}" if before and after and not made else "",
        "TREE": quote(ref) if made == "created" else "",
    }


def _failed_jobs(payload: Payload) -> list[str]:
    """The names of the jobs that broke a pipeline."""
    return [
        fields.text(payload, "builds", index, "name")
        for index in range(len(fields.items(payload, "builds")))
        if fields.text(payload, "builds", index, "status") == "failed"
        and not fields.flag(payload, "builds", index, "allow_failure")
    ]


def _before(event: str, payload: Payload) -> str | None:
    """What the text was before this event: ``""`` for a new one, ``None`` where this event changed nothing in it."""
    action = fill(payload, "{object_attributes.action|action}")
    if action in ("open", "create") or (event == "note" and not action):  # before 16.11 notes had no action
        return ""
    changed = "note" if event == "note" else "description"
    known = changed in fields.mapping(payload, "changes")
    return fields.text(payload, "changes", changed, "previous") if known else None
