"""The small language in which the table of GitHub's events is written, and how a payload answers it.

Knows no event: those are the table's. A column is one of

* a *path*, ``pull_request.head.ref``: steps into the JSON; ``[]`` goes through a list,
  ``commits[].author``, and a number picks from it, ``pages.0.title``;
* *paths*, several of them with spaces between: all that they find;
* either of these with bars, ``assignee|issue.assignees[]``: the first alternative that finds anything;
* a *template*, ``{R}#{issue.number}``: text with paths in braces, ``{sha:.7}`` for the first seven letters.

A value is text or a whole number; a flag that is true stands as its own name (``merged``), and a missing or null
value as nothing. Any other type is refused by its path.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from relay.sources import fields
from relay.sources.github_mentions import once

Payload = Mapping[str, Any]
Place = tuple[str | int, ...]

PLACEHOLDER = re.compile(r"\{([^{}:]+)(?::([^{}]*))?\}")
ADDRESS = re.compile(r"https?://[^\s\x00-\x20\x7f<>\"\\]+", re.IGNORECASE)

# A commit's author writes what he likes; only what cannot be taken for a login or a team is an e-mail.
EMAIL = re.compile(r"[^@\s/]+@[^@\s/]+")

# GitHub docs, «Setting your commit email address»: ID+login@…, and plain login@… for accounts before July 2017.
NOREPLY = re.compile(r"(?:\d+\+)?([^+@\s]+)@users\.noreply\.github\.com", re.IGNORECASE)


def places(payload: Payload, path: str, start: Place = ()) -> Iterator[Place]:
    """Every place that a path leads to; one for a path without ``[]``, whether or not anything is there."""
    before, is_list, after = path.partition("[]")
    place = start + steps(before)
    if not is_list:
        yield place
        return
    for index in range(len(fields.items(payload, *place))):
        yield from places(payload, after, (*place, index))


def steps(path: str) -> Place:
    """The steps of a path without ``[]``."""
    return tuple(int(step) if step.isdigit() else step for step in path.split(".") if step)


def words(payload: Payload, paths: str) -> list[str]:
    """The values at paths, less the empty ones."""
    return list(_gather(payload, paths, _word))


def people(payload: Payload, paths: str) -> tuple[str, ...]:
    """Those whom the objects at paths stand for, each once: users, teams and authors of commits."""
    return once(_gather(payload, paths, _person))


def fill(payload: Payload, template: str, *, joint: str = ", ") -> str:
    """The template with its values; ``""`` where none of them is there.

    A list's values are cut to their first lines, and ``joint`` stands between them.
    """
    found = []

    def put(match: re.Match[str]) -> str:
        path, form = match.groups(default="")
        values = words(payload, path)
        value = joint.join(map(first_line, values)) if "[]" in path else "".join(values)
        found.append(value)
        return format(value, form)

    filled = PLACEHOLDER.sub(put, template)
    return filled if any(found) or not found else ""


def address(payload: Payload, templates: str) -> str:
    """The first of several templates that is whole and makes a web address; else ``""``."""
    for template in templates.split():
        parts = [fill(payload, match[0]) for match in PLACEHOLDER.finditer(template)]
        if all(parts) and ADDRESS.fullmatch(url := fill(payload, template)):
            return url
    return ""


def first_line(text: str) -> str:
    return text.strip().partition("\n")[0].strip()


def _gather(payload: Payload, paths: str, read: Callable[[Payload, Place], str]) -> Iterator[str]:
    for alternatives in paths.split():
        for path in alternatives.split("|"):
            found = [value for place in places(payload, path) if (value := read(payload, place))]
            if found:
                yield from found
                break


def _word(payload: Payload, place: Place) -> str:
    value = fields.dig(payload, *place)
    if isinstance(value, bool):
        return str(place[-1]) if value else ""
    if value is None or isinstance(value, str):
        return fields.clean(value or "")
    if not isinstance(value, int):
        fields.refuse(place, "text or a whole number")
    return str(value)


def _person(payload: Payload, place: Place) -> str:
    """A user by login, a team as ``org/slug``, a commit's author by login or else by e-mail.

    An organization is nobody: there is no one person behind it.
    """
    who = fields.mapping(payload, *place)
    login, slug, username, email = (
        fields.text(payload, *place, name) for name in ("login", "slug", "username", "email")
    )
    if login:
        return "" if who.get("type") == "Organization" else login
    if slug:
        return fill(payload, "{organization.login|repository.owner.login}/") + slug
    if username or not EMAIL.fullmatch(email):
        return username
    return match[1] if (match := NOREPLY.fullmatch(email)) else email
