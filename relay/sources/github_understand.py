"""A GitHub payload becomes an event: each of the event's words from its column in the table.

Knows no event by name, and never looks at a request: `github` has verified it and taken the payload out.
"""

from __future__ import annotations

import re
from typing import Any

from relay.model import Event, State
from relay.sources import fields
from relay.sources.github_columns import ADDRESS, Payload, address, fill, first_line, people, steps, word, words
from relay.sources.github_events import ROWS, row
from relay.sources.github_mentions import mentioned
from relay.sources.github_row import ANY, NEW_TEXT, SEVERITIES, States

REFS = {"branch": "refs/heads/", "tag": "refs/tags/"}

# The merge queue names its branches after the pull request: gh-readonly-queue/main/pr-104-<sha>.
QUEUED = re.compile(r"/pr-(\d{1,9})-")

# What stands around the thing that an event is about.
SURROUNDINGS = {"repository", "organization", "enterprise", "installation", "sender"}


def understand(name: str, event: str, delivery: str, payload: dict[str, Any]) -> Event:
    """One event by its row of the table; an event that the table does not know, by what all events have.

    Args:
        name: the source's name in the rules.
        event: the delivery's X-GitHub-Event.
        delivery: its X-GitHub-Delivery.
        payload: its JSON.

    Raises:
        NotUnderstood: a value that is looked at has another type than GitHub gives it.
    """
    action = fields.text(payload, "action")
    columns = row(event, action)
    ref = _ref(payload)
    facts = payload | {"EVENT": event, "ACTION": action, "REF": ref, "REF_NAME": ref.split("/", 2)[-1]}
    facts["R"] = fill(payload, "{repository.full_name|organization.login|enterprise.slug|sender.login}")
    facts["N"] = number = _number(payload, columns["number"])
    facts["BRANCH"] = branch = _branch(facts, columns["branch"], columns["head"])
    severity = fill(facts, columns["severity"]).lower()
    actor, actor_is_bot = _actor(facts, columns["actor"])
    return Event(
        source=name,
        type="github",
        event=event,
        action=action,
        delivery=delivery,
        key=fill(facts, columns["key"]) or fill(facts, ANY["key"]),
        state=_state(facts, columns["state"]),
        severity=SEVERITIES.get(severity, severity),
        title=first_line(fill(facts, columns["title"])) or f"{event} {action}".strip(),
        text=fill(facts, columns["text"], joint="\n- "),
        url=address(facts, columns["url"]) or _deepest(payload, event) or address(facts, "{repository.html_url}"),
        repo=fields.text(payload, "repository", "full_name"),
        branch=branch,
        base_branch=_branch(facts, columns["base"]),
        paths=tuple(dict.fromkeys(words(facts, columns["paths"]))),
        labels={label: label for label in words(facts, columns["labels"])},
        actor=actor,
        actor_is_bot=actor_is_bot,
        author="".join(people(facts, columns["author"])[:1]),
        assignees=people(facts, columns["assignees"]),
        reviewers=people(facts, columns["reviewers"]),
        mentioned=_called(facts, columns["mentions"], action),
        committers=people(facts, columns["committers"]),
        owners=people(facts, columns["owners"]),
        draft=_draft(facts, columns["draft"]),
        conclusion=fill(facts, columns["conclusion"]),
        number=number,
        started_at=fill(facts, columns["started_at"]),
        payload=payload,
    )


def _ref(payload: Payload) -> str:
    """The full ref: `create` and `delete` write «main» where `push` writes «refs/heads/main»."""
    ref, kind = payload.get("ref"), payload.get("ref_type")
    return REFS.get(kind if isinstance(kind, str) else "", "") + ref if isinstance(ref, str) else ""


def _branch(facts: Payload, path: str, head: str = "") -> str:
    """A branch without «refs/heads/»; a fork's as GitHub writes it, «octocat:main», so that it is not our main."""
    names = [ref.removeprefix("refs/heads/") for ref in words(facts, path)]
    branches = [name for name in names if not name.startswith("refs/")]
    default = word(facts, "repository.default_branch")
    branch = default if default in branches else "".join(branches[:1])
    home = word(facts, f"{head}.full_name") if head else ""
    if branch and home and home != facts["R"]:
        return f"{home.partition('/')[0]}:{branch}"
    return branch


def _number(payload: Payload, path: str) -> int | None:
    if not path:
        return None
    place = steps(path)
    if isinstance(fields.dig(payload, *place), str):
        match = QUEUED.search(fields.text(payload, *place))
        return int(match[1]) if match else None
    return fields.number(payload, *place)


def _state(facts: Payload, state: State | States) -> State:
    if isinstance(state, str):
        return state
    meanings, template = state
    return meanings.get(fill(facts, template), "info")


def _actor(facts: Payload, paths: str) -> tuple[str, bool]:
    """Who did it, and whether that is a program. Unlike other roles this may be an organization."""
    for path in paths.split("|"):
        login = fields.text(facts, *steps(path), "login")
        if login:
            kind = fields.text(facts, *steps(path), "type")
            return login, kind == "Bot" or login.endswith("[bot]")
    return "", False


def _called(facts: Payload, template: str, action: str) -> tuple[str, ...]:
    """The people whom a new text calls by name; of an edited one, those whom it did not call before."""
    if action not in NEW_TEXT:
        return ()
    names = mentioned(fill(facts, template))
    if action != "edited":
        return names
    changes = fields.mapping(facts, "changes")
    before = mentioned(fields.text(changes, "body", "from")) if "body" in changes else names
    already = {name.casefold() for name in before}
    return tuple(name for name in names if name.casefold() not in already)


def _draft(facts: Payload, path: str) -> bool | None:
    if not path or fields.dig(facts, *steps(path)) is None:
        return None
    return fields.flag(facts, *steps(path))


def _deepest(payload: Payload, event: str) -> str:
    """For an event that the table does not know: the longest address among its things (a comment's is its issue's
    and more), people aside."""
    if event in ROWS:
        return ""
    things = [thing for name, thing in payload.items() if name not in SURROUNDINGS and isinstance(thing, dict)]
    found = [thing.get("html_url") for thing in things if "login" not in thing]
    urls = [fields.clean(url) for url in found if isinstance(url, str)]
    return max(filter(ADDRESS.fullmatch, urls), key=len, default="")
