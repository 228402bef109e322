"""Names that nobody uses, and two rules that tell under one tag.

Never calls a name unused that stands anywhere in the rules, or that an event may bring.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from relay.rules.lint.findings import Findings
from relay.rules.lint.tree import Node
from relay.rules.people import Person
from relay.rules.recipients import Known, Role
from relay.rules.rulebook import Rules
from relay.rules.words import text_of

_DEFINING = ("version", "portal", "portals", "sources", "people", "teams", "templates")
_TEAM_ROLES = ("reviewer", "mentioned", "owner")  # an event may name a team there


def check_people(data: Mapping[str, Any], rules: Rules, findings: Findings) -> None:
    """Find people and teams that no rule can tell, and say whose id is looked up."""
    used = set(_scalars([value for section, value in data.items() if section not in _DEFINING]))
    roles = {to.says for rule in rules.every() for to in rule.telling.to if isinstance(to, Role)}
    anybody = any(not isinstance(to, Known | Role) for rule in rules.every() for to in rule.telling.to)
    teams = {name for name in rules.teams if name in used or f"team/{name}" in used}
    if anybody or roles & set(_TEAM_ROLES):
        teams = set(rules.teams)
    members = {person.name for name in teams for person in rules.teams[name]}
    for name, person in rules.people.items():
        if not (_is_used(person, used, members) or anybody or (roles and (person.logins or person.email))):
            findings.add(
                "unused-person",
                ("people", name),
                f"no rule tells {name}: name this person in one, or take the entry out",
            )
        if person.id is None and person.email:
            findings.add(
                "looked-up", ("people", name), f"{name} has no id here: relay people sync looks it up by e-mail"
            )
    for name in rules.teams:
        if name not in teams:
            findings.add("unused-team", ("teams", name), f"no rule tells team/{name}")


def _is_used(person: Person, used: Collection[str], members: Collection[str]) -> bool:
    return person.name in used or person.name in members or (person.id is not None and str(person.id) in used)


def check_templates(data: Mapping[str, Any], findings: Findings) -> None:
    """Find templates that nothing names."""
    used = set(_scalars([value for section, value in data.items() if section not in _DEFINING]))
    for name in data.get("templates") or {}:
        if name not in used:
            says = f"no rule uses the template {name}: name it under template:, or take it out"
            findings.add("unused-template", ("templates", name), says, key=True)


def check_tags(nodes: Sequence[Node], findings: Findings) -> None:
    """Find rules that write the same tag, without a template in it, for one portal."""
    first: dict[tuple[str, str], Node] = {}
    for node in (each for root in nodes for each in root.every()):
        tag = node.data.get("tag")
        if not isinstance(tag, str) or "{" in tag or not tag.strip():
            continue
        other = first.setdefault((node.rule.telling.portal, tag.strip()), node)
        if other is not node:
            says = (
                f"{other.rule.name} tells under the same tag, so each of the two replaces the other's message:"
                " give one another tag, or let it hold {{ event.key }}"
            )
            findings.add("same-tag", (*node.path, "tag"), says)


def _scalars(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield key
            yield from _scalars(each)
    elif isinstance(value, list):
        for each in value:
            yield from _scalars(each)
    elif (text := text_of(value)) is not None:
        yield text
