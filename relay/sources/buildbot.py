"""Buildbot's HttpStatusPush: verify and read.

Never understands what other formatters of the reporter may send: of those, only what all events have is told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from relay.model import Event, Reading, Request, State
from relay.sources import auth, fields, identity, rows
from relay.sources.github_columns import Payload, Place
from relay.sources.github_row import Row
from relay.sources.proof import HeaderProof
from relay.sources.repo_name import repo_name

# Of a body without a build's number, the same within this time is the same delivery.
SAME_BODY_SECONDS = 60.0

# fmt: off
# buildbot.process.results, in the words that all senders share.
RESULTS = {0: "success", 1: "warnings", 2: "failure", 3: "skipped", 4: "error", 5: "retry", 6: "cancelled"}
STATES: Mapping[str, State] = {
    "success": "resolved", "warnings": "resolved", "failure": "firing", "error": "firing",
}

ANY = rows.EMPTY | Row(key="{EVENT}", title="{name}", text="{state_string}", url="{url}")
BUILD = ANY | Row(
    concerns="owner",
    key="{BUILDER}:{REF}",  # a later success replaces the failure
    title="{BUILDER} #{N}",
    state=(STATES, "{RESULT}"),
    conclusion="{RESULT}",
    number="number",
    branch="REF",
    started_at="{started_at}",
    owners="OWNERS[]",
)
# fmt: on

# Of several codebases, the first.
STAMP = ("buildset", "sourcestamps", 0)

# What schedulers and forced builds call an owner: «Ivan Petrov <ivan@example.com>», an e-mail, or a user's name.
ADDRESSED = re.compile(r"[^<>]*<([^<>]+)>\s*")


class Options(HeaderProof):
    """`type: buildbot`, with `basic` (the reporter's `auth`), or `bearer` or `token` (its `headers`)."""

    type: Literal["buildbot"]


verify, sign = auth.check, auth.headers  # what its options ask for is all that proves who sends


def read(name: str, options: Options, request: Request) -> Reading:  # noqa: ARG001
    """Understand a build that started or finished: one event, ``build``. Any other object is an ``event``.

    Raises:
        NotUnderstood: the body is not a JSON object, or a value is of another type than Buildbot sends.
    """
    payload = fields.document(fields.parse(request.body))
    number, started_at = fields.number(payload, "number"), fields.number(payload, "started_at")
    if number is None or not fields.mapping(payload, "builder"):
        return _other(name, request, payload)
    complete = fields.flag(payload, "complete")
    told = identity.digest(name, fields.number(payload, "buildid"), _builder(payload), number, started_at, complete)
    return Reading(delivery=told, window=None, events=(_build(name, told, payload, complete=complete),))


def _other(name: str, request: Request, payload: dict[str, Any]) -> Reading:
    delivery = identity.sha256(request.body)
    facts = payload | {"R": "", "EVENT": "event", "ACTION": ""}
    event = rows.understand(DIALECT, name, ANY, facts, delivery=delivery, payload=payload)
    return Reading(delivery=delivery, window=SAME_BODY_SECONDS, events=(event,))


def _build(name: str, delivery: str, payload: dict[str, Any], *, complete: bool) -> Event:
    result = fields.number(payload, "results") if complete else None
    facts = payload | {
        "R": repo_name(fields.text(payload, *STAMP, "repository") or _text(payload, "repository")),
        "EVENT": "build",
        "ACTION": "finished" if complete else "started",
        "BUILDER": _builder(payload),
        "REF": fields.text(payload, *STAMP, "branch") or _text(payload, "branch"),
        "RESULT": "" if result is None else RESULTS.get(result, str(result)),
        "OWNERS": _owners(payload),
    }
    labels = {fields.clean(key): text for key in fields.mapping(payload, "properties") if (text := _text(payload, key))}
    return rows.understand(DIALECT, name, BUILD, facts, delivery=delivery, payload=payload, labels=labels)


def _builder(payload: Payload) -> str:
    return fields.text(payload, "builder", "name") or "build"


def _property(payload: Payload, name: str) -> Any:
    """A property's value: Buildbot sends it with its source, ``[value, source]``."""
    return fields.dig(payload, "properties", name, 0)


def _text(payload: Payload, name: str) -> str:
    """A property that is text or a whole number; ``""`` for any other."""
    value = _property(payload, name)
    if isinstance(value, str):
        return fields.clean(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18 else ""


def _owners(payload: Payload) -> list[str]:
    """Whose the build is: `owner` of a forced one, `owners` of the changes in it."""
    several = _property(payload, "owners")
    several = [one for one in several if isinstance(one, str)] if isinstance(several, list) else []
    return [owner for owner in (_text(payload, "owner"), *several) if owner]


def _person(facts: Payload, place: Place) -> str:
    """An owner by e-mail where one stands in angle brackets; of what else is written with blanks nobody is known."""
    owner = fields.text(facts, *place).strip()
    if match := ADDRESSED.fullmatch(owner):
        return rows.email(match[1].strip())
    return "" if any(map(str.isspace, owner)) else owner


DIALECT = rows.Dialect(type="buildbot", person=_person)
