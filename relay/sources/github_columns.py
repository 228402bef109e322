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
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from relay.sources import fields
from relay.sources.github_mentions import once

Payload = Mapping[str, Any]
Place = tuple[str | int, ...]
Path = tuple[Place, ...]  # what stands before, between and after its «[]»: of a path without one, its place alone
Paths = tuple[tuple[Path, ...], ...]  # of each of several paths its alternatives
Hole = tuple[Paths, bool]  # of a template: what stands there, and whether that goes through a list

PLACEHOLDER = re.compile(r"\{([^{}:]+)(?::([^{}]*))?\}")
ADDRESS = re.compile(r"https?://[^\s\x00-\x20\x7f<>\"\\]+", re.IGNORECASE)

# A commit's author writes what he likes; only what cannot be taken for a login or a team is an e-mail.
EMAIL = re.compile(r"[^@\s/]+@[^@\s/]+")

# GitHub docs, «Setting your commit email address»: ID+login@…, and plain login@… for accounts before July 2017.
NOREPLY = re.compile(r"(?:\d+\+)?([^+@\s]+)@users\.noreply\.github\.com", re.IGNORECASE)

PERSON = ("login", "slug", "username", "email")


# ── The language ──────────────────────────────────────────────────────────────────────────────────────────────
# Read once: columns stand in tables, so the caches hold as much as the tables and no more. Nothing that a stranger
# writes is ever a column. To read them anew for each event would take more than half of the time to understand it.


@cache
def steps(path: str) -> Place:
    """The steps of a path without ``[]``."""
    return tuple(int(step) if step.isdigit() else step for step in path.split(".") if step)


@cache
def _path(path: str) -> Path:
    return tuple(map(steps, path.split("[]")))


@cache
def _paths(paths: str) -> Paths:
    return tuple(tuple(map(_path, alternatives.split("|"))) for alternatives in paths.split())


@cache
def _template(template: str) -> tuple[str, tuple[Hole, ...]]:
    """The template for `str.format`, and what is to be filled in."""
    parts = PLACEHOLDER.split(template)  # text, path, form, text, path, form, text
    first, *texts = (text.replace("{", "{{").replace("}", "}}") for text in parts[::3])
    forms = (f"{{:{form or ''}}}" for form in parts[2::3])
    shape = first + "".join(form + text for form, text in zip(forms, texts, strict=True))
    return shape, tuple((_paths(path), "[]" in path) for path in parts[1::3])


# ── What a payload answers ────────────────────────────────────────────────────────────────────────────────────


def places(payload: Payload, path: str) -> Iterable[Place]:
    """Every place that a path leads to; one for a path without ``[]``, whether or not anything is there."""
    parts = _path(path)
    return _through_lists(payload, *parts) if len(parts) > 1 else parts


def word(payload: Payload, path: str) -> str:
    """The value at a path without ``[]``; ``""`` where there is none."""
    return _word(payload, steps(path))


def words(payload: Payload, paths: str) -> list[str]:
    """The values at paths, less the empty ones."""
    return _gather(payload, _paths(paths), _word) if paths else []


def people(payload: Payload, paths: str, person: Callable[[Payload, Place], str] | None = None) -> tuple[str, ...]:
    """Those whom the objects at paths stand for, each once: users, teams and authors of commits.

    Args:
        person: who stands at a place, where that is told otherwise than by GitHub.
    """
    return once(_gather(payload, _paths(paths), person or _person)) if paths else ()


def _gather(payload: Payload, paths: Paths, read: Callable[[Payload, Place], str]) -> list[str]:
    """What ``read`` finds at paths, less the empty: of each path's alternatives the first at which it finds any."""
    found: list[str] = []
    for alternatives in paths:
        for path in alternatives:
            if len(path) > 1:
                if values := [value for place in _through_lists(payload, *path) if (value := read(payload, place))]:
                    found += values
                    break
            elif value := read(payload, path[0]):
                found.append(value)
                break
    return found


def fill(payload: Payload, template: str, *, joint: str = ", ") -> str:
    """The template with its values; ``""`` where none of them is there.

    A list's values are cut to their first lines, and ``joint`` stands between them.
    """
    if not template:
        return ""
    shape, holes = _template(template)
    if shape == "{:}":  # as most are
        return _value(payload, holes[0], joint)
    values = [_value(payload, hole, joint) for hole in holes]
    return shape.format(*values) if any(values) or not holes else ""


def address(payload: Payload, templates: str) -> str:
    """The first of several templates that is whole and makes a web address; else ``""``."""
    for template in templates.split():
        shape, holes = _template(template)
        values = [_value(payload, hole, ", ") for hole in holes]
        if all(values) and ADDRESS.fullmatch(url := shape.format(*values)):
            return url
    return ""


def first_line(text: str) -> str:
    return text.strip().partition("\n")[0].strip()


def _value(payload: Payload, hole: Hole, joint: str) -> str:
    paths, is_list = hole
    values = _gather(payload, paths, _word)
    return joint.join(map(first_line, values)) if is_list else "".join(values)


def _through_lists(payload: Payload, place: Place, step: Place, *after: Place) -> Iterator[Place]:
    for index in range(len(fields.items(payload, *place))):
        within = (*place, index, *step)
        if after:
            yield from _through_lists(payload, within, *after)
        else:
            yield within


def _word(payload: Payload, place: Place) -> str:
    value = fields.dig(payload, *place)
    if isinstance(value, str):
        return fields.clean(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(place[-1]) if value else ""
    if not isinstance(value, int):
        fields.refuse(place, "text or a whole number")
    return str(value)


def _person(payload: Payload, place: Place) -> str:
    """A user by login, a team as ``org/slug``, a commit's author by login or else by e-mail.

    An organization is nobody: there is no one person behind it.
    """
    login, slug, username, email = fields.each_text(payload, PERSON, *place)
    if login:
        return "" if fields.dig(payload, *place, "type") == "Organization" else login
    if slug:
        return fill(payload, "{organization.login|repository.owner.login}/") + slug
    if username or not EMAIL.fullmatch(email):
        return username
    return match[1] if (match := NOREPLY.fullmatch(email)) else email
