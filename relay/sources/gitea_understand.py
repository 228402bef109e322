"""A payload of Gitea, Forgejo or Gogs becomes an event: what it leaves to be worked out, and then its row.

Never looks at a request: `gitea` has verified it and taken the payload out.
"""

from __future__ import annotations

import re
from typing import Any

from relay.model import Event
from relay.sources import fields, rows
from relay.sources.gitea_events import CONCLUSIONS, row
from relay.sources.github_columns import Payload, Place, fill

REPOSITORY = "{repository.full_name|run.repository.full_name|organization.username|organization.login|repository.name}"

# Gitea's names for reviews, of the event (HookEventType.Event) and of its type; the body says «reviewed» for each.
REVIEW = re.compile(r"pull_request_(?:review_)?(approved|rejected|comment)")
REFS = {"branch": "refs/heads/", "tag": "refs/tags/"}

# The users in whose name runs act (Gitea and Forgejo, models/user/user_system.go).
BOTS = frozenset({"gitea-actions", "forgejo-actions", "ghost"})
NEW_TEXT = frozenset({"opened", "created", "published", "reviewed"})


def understand(name: str, event: str, delivery: str, payload: dict[str, Any]) -> Event:
    """One event by its row of the table; an event that the table does not know, by what all events have.

    Raises:
        NotUnderstood: a value that is looked at has another type than they give it.
    """
    action = fields.text(payload, "action")
    review = REVIEW.fullmatch(event)
    if event.startswith("action_run_"):
        event, action = "action_run", action or event.removeprefix("action_run_")
    elif review:
        event, action = "pull_request_review", action or "reviewed"
    ref = REFS.get(fields.text(payload, "ref_type"), "") + fields.text(payload, "ref")
    facts = payload | {
        "R": fill(payload, REPOSITORY),
        "EVENT": event,
        "ACTION": action,
        "REF": ref,
        "REF_NAME": ref.split("/", 2)[-1],
        "HEAD": _head(payload),
        "NUMBER": _number(payload),
    }
    return rows.understand(
        DIALECT, name, row(event, action), facts, delivery=delivery, payload=payload, before=_before(action, payload)
    )


def _person(facts: Payload, place: Place) -> str:
    """A user by login, a team as ``org/team``, a commit's author by login or else by e-mail."""
    who = fields.mapping(facts, *place)
    login = fields.text(facts, *place, "login") or fields.text(facts, *place, "username")
    if login or not who:
        return login
    if "email" in who:
        return rows.email(fields.text(facts, *place, "email"))
    team, owner = fields.text(facts, *place, "name"), fill(facts, "{organization.username|repository.owner.login}")
    return f"{owner}/{team}" if team else ""


DIALECT = rows.Dialect(
    type="gitea",
    person=_person,
    conclusions=CONCLUSIONS,
    is_bot=lambda login: login.casefold() in BOTS or login.endswith("[bot]"),
)


def _number(payload: Payload) -> int | None:
    """What people write after «#»: Gogs gives it once, the others also in the thing itself."""
    places = (("number",), ("pull_request", "number"), ("issue", "number"))
    found = (fields.number(payload, *place) for place in places)
    return next((number for number in found if number), None)


def _head(payload: Payload) -> Any:
    """The newest commit of a push: Gogs does not name it, but its number is the ref's."""
    head, after = fields.mapping(payload, "head_commit"), fields.text(payload, "after")
    if head or not after:
        return head
    commits = (fields.mapping(payload, "commits", index) for index in range(len(fields.items(payload, "commits"))))
    return next((commit for commit in commits if commit.get("id") == after), None)


def _before(action: str, payload: Payload) -> str | None:
    """What the text was before this event: ``""`` for a new one, ``None`` where this event changed nothing in it."""
    if action in NEW_TEXT:
        return ""
    changed = action == "edited" and "body" in fields.mapping(payload, "changes")
    return fields.text(payload, "changes", "body", "from") if changed else None
