"""An event from its row: each of the event's words from its column, for the senders whose events stand in tables.

Knows no sender by name: what is peculiar to one (who stands for a person, what its words mean) is its `Dialect`.
`github_row` says what the columns of a row mean, `github_columns` how paths and templates are written. Names in
capitals are not the sender's. Everybody's are:

* ``R``: the repository, project or job that all is about; ``EVENT`` and ``ACTION``: the event's two names;
* ``N``: the row's ``number``; ``BRANCH``: its ``branch``.

`head` is here the path of the repository's name that the branch is in, where that may be a fork.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from relay.model import Event, State
from relay.sources import fields, github_columns, identity, moments
from relay.sources.forge_mentions import mentioned
from relay.sources.github_columns import EMAIL, Payload, Place, address, fill, first_line, steps, word, words
from relay.sources.github_row import Row, States
from relay.sources.links import link

# What stands in every column that a row leaves out.
EMPTY = cast(Row, dict.fromkeys(Row.__annotations__, "")) | Row(state="info")

# ISO 8601, and Ruby's and Java's ways to write it: «2017-09-15 16:50:55 UTC», «2021-04-28 21:50:00 +0200» (GitLab
# docs, «Webhook events»), «2026-11-23T08:00:00.5+00:00» (Jenkins notification plugin, BuildState).
MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)?\s?(?:UTC|Z|([+-]\d\d):?(\d\d))", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What one kind of sender has of its own.

    ``person(facts, place)`` is who stands at a place: a login, an e-mail, a team with a slash, or ``""``.
    ``conclusions`` and ``severities`` are its words in ours; others stay as they are, in lower case.
    """

    type: str
    person: Callable[[Payload, Place], str]
    conclusions: Mapping[str, str] = field(default_factory=dict)
    severities: Mapping[str, str] = field(default_factory=dict)
    is_bot: Callable[[str], bool] = lambda login: login.endswith("[bot]")


def understand(
    dialect: Dialect,
    source: str,
    row: Row,
    facts: Mapping[str, Any],
    *,
    delivery: str,
    payload: Any,
    labels: Mapping[str, str] | None = None,
    before: str | None = None,
) -> Event:
    """One event by its row.

    Args:
        source: the source's name in the rules.
        row: all of its columns (`EMPTY` for those left out).
        facts: the payload and the names in capitals, less ``N`` and ``BRANCH``.
        labels: where they are more than names.
        before: of a text that was changed, what it was; ``""`` of a new one; ``None``: it calls nobody.

    Raises:
        NotUnderstood: a value that is looked at has another type than the sender gives it.
    """
    number = fields.number(facts, *steps(row["number"])) if row["number"] else None
    facts = {**facts, "N": number}
    facts["BRANCH"] = branch = _branch(facts, row["branch"], row["head"])
    conclusion, severity = (fill(facts, row[column]).lower() for column in ("conclusion", "severity"))
    actor = "".join(people(dialect, facts, row["actor"])[:1])
    named = fill(facts, "{EVENT} {ACTION}").strip()
    return Event(
        source=source,
        type=dialect.type,
        event=word(facts, "EVENT"),
        action=word(facts, "ACTION"),
        delivery=delivery,
        key=identity.key(source, fill(facts, row["key"]) or fill(facts, "{R}:{EVENT}")),
        state=_state(facts, row["state"]),
        severity=dialect.severities.get(severity, severity),
        title=first_line(fill(facts, row["title"])) or named,
        text=fill(facts, row["text"], joint="\n- "),
        url=link(address(facts, row["url"])),
        repo=word(facts, "R"),
        branch=branch,
        base_branch=_branch(facts, row["base"]),
        paths=tuple(dict.fromkeys(words(facts, row["paths"]))),
        labels={label: label for label in words(facts, row["labels"])} if labels is None else labels,
        actor=actor,
        actor_is_bot=bool(actor) and dialect.is_bot(actor),
        author="".join(people(dialect, facts, row["author"])[:1]),
        assignees=people(dialect, facts, row["assignees"]),
        reviewers=people(dialect, facts, row["reviewers"]),
        mentioned=() if before is None else _called(fill(facts, row["mentions"]), before),
        committers=people(dialect, facts, row["committers"]),
        owners=people(dialect, facts, row["owners"]),
        draft=_draft(facts, row["draft"]),
        conclusion=dialect.conclusions.get(conclusion, conclusion),
        number=number,
        started_at=moment(fill(facts, row["started_at"])),
        payload=payload,
    )


def people(dialect: Dialect, facts: Payload, paths: str) -> tuple[str, ...]:
    """Those who stand at paths, each once."""
    return github_columns.people(facts, paths, dialect.person)


def email(text: str) -> str:
    """``text`` if it can be an e-mail and nothing else: what git lets anybody write shall not pass for a login."""
    return text if EMAIL.fullmatch(text) else ""


def moment(text: str) -> str:
    """A sender's time as RFC 3339; Unix seconds too; ``""`` where it is no time, or one without its zone."""
    if match := MOMENT.fullmatch(text.strip()):
        day, clock, hours, minutes = match.groups()
        return moments.rfc3339(f"{day}T{clock}" + (f"{hours}:{minutes}" if hours else "Z"))
    return moments.moment(text)


def _branch(facts: Payload, path: str, head: str = "") -> str:
    """A branch without «refs/heads/», tags aside; a fork's as «octocat:main», so that it is not our main."""
    names = [ref.removeprefix("refs/heads/") for ref in words(facts, path)]
    branch = next((name for name in names if not name.startswith("refs/")), "")
    home = "".join(words(facts, head)[:1])
    return f"{home.rpartition('/')[0]}:{branch}" if branch and home and home != facts["R"] else branch


def _state(facts: Payload, state: State | States) -> State:
    if isinstance(state, str):
        return state
    meanings, template = state
    return meanings.get(fill(facts, template), "info")


def _called(text: str, before: str) -> tuple[str, ...]:
    """Those whom a text calls by name and did not call before."""
    already = {name.casefold() for name in mentioned(before)}
    return tuple(name for name in mentioned(text) if name.casefold() not in already)


def _draft(facts: Payload, paths: str) -> bool | None:
    for path in paths.split("|") if paths else ():
        if fields.dig(facts, *steps(path)) is not None:
            return fields.flag(facts, *steps(path))
    return None
