"""The sections of the file that rules lean on: portals, sources, people, teams and templates.

Never reads a rule. What has a fault is still known by its name, so that one fault is told once.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from relay.bitrix import address
from relay.bitrix.options import PortalOptions
from relay.errors import RelayError
from relay.render import Template, TemplateSpec, compile_template
from relay.rules import times
from relay.rules.calendar import Times
from relay.rules.complaints import Complaints
from relay.rules.document import Path
from relay.rules.language import LOGINS, PersonOptions
from relay.rules.people import Person, clashes
from relay.rules.pieces import in_clear, validated
from relay.rules.recipients import ROLES
from relay.rules.sentences import did_you_mean
from relay.sources import SENDERS
from relay.sources.options import SourceOptions

ONLY_PORTAL = "main"  # what the portal under `portal:` is called

_SOURCE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PERSON_NAME = re.compile(r"(?![0-9]+$)[\w.-]{1,64}")


def mapping(data: Mapping[str, Any], section: str, complaints: Complaints) -> Mapping[str, Any]:
    """A section that names things; empty where it is missing."""
    value = data.get(section, {})
    if isinstance(value, dict):
        return value
    complaints.error((section,), "must be a mapping (name: …)")
    return {}


# ── Portals ──────────────────────────────────────────────────────────────────────────────────────────────────


def portals(data: Mapping[str, Any], raw: Any, complaints: Complaints) -> Mapping[str, PortalOptions | None]:
    """The portals by name, in the file's order; ``None`` for one that cannot be used."""
    if "portal" in data and "portals" in data:
        complaints.key(("portals",), "stands beside portal: put all of them under portals:")
    elif not ("portal" in data or "portals" in data):
        complaints.error(
            ("portal",), "is missing: say where notifications go, such as {webhook: ${BITRIX24_WEBHOOK_URL}}"
        )
    found: dict[str, PortalOptions | None] = {}
    if "portal" in data:
        found[ONLY_PORTAL] = _portal(data["portal"], raw["portal"], ("portal",), complaints)
    for name, options in mapping(data, "portals", complaints).items():
        found.setdefault(name, _portal(options, raw["portals"][name], ("portals", name), complaints))
    return found


def _portal(data: Any, raw: Any, path: Path, complaints: Complaints) -> PortalOptions | None:
    options = validated(PortalOptions, data, path, complaints)
    if options is None:
        return None
    _warn_of_secrets(options, raw, path, complaints)
    try:
        address.from_options(options)
    except RelayError as error:
        complaints.error((*path, *options.address_key), str(error))
    return options


def _warn_of_secrets(piece: Any, raw: Any, path: Path, complaints: Complaints) -> None:
    for inside in in_clear(piece, raw):
        complaints.warning(
            (*path, *inside), "a secret in clear text: take it from the environment, as ${NAME}", "clear-secret"
        )


# ── Sources ──────────────────────────────────────────────────────────────────────────────────────────────────


def sources(data: Mapping[str, Any], raw: Any, complaints: Complaints) -> Mapping[str, SourceOptions | None]:
    """The sources by name; ``None`` for one that cannot be used."""
    if not data.get("sources"):
        complaints.error(("sources",), "is missing or empty: nobody could post anything")
    return {
        name: _source(name, options, raw["sources"][name], complaints)
        for name, options in mapping(data, "sources", complaints).items()
    }


def _source(name: str, data: Any, raw: Any, complaints: Complaints) -> SourceOptions | None:
    path = ("sources", name)
    if not _SOURCE_NAME.fullmatch(name):
        complaints.key(path, "this name is also the path /in/<name>: use letters, digits, dots, dashes and underscores")
    kind = data.get("type") if isinstance(data, dict) else None
    if kind is None and isinstance(data, dict):
        complaints.error((*path, "type"), f"is missing: one of {', '.join(SENDERS)}")
        return None
    if isinstance(data, dict) and not (isinstance(kind, str) and kind in SENDERS):
        complaints.error((*path, "type"), f"no kind of sender is called so{did_you_mean(str(kind), SENDERS)}")
        return None
    options = validated(SENDERS[str(kind)].options if kind else SourceOptions, data, path, complaints)
    if options is not None:
        _warn_of_secrets(options, raw, path, complaints)
    return options


# ── People and teams ─────────────────────────────────────────────────────────────────────────────────────────


def people(
    data: Mapping[str, Any], complaints: Complaints, named_times: Mapping[str, Times], portals: Collection[str]
) -> Mapping[str, Person]:
    """The persons by name. Two of one id, e-mail or login are a fault."""
    section = mapping(data, "people", complaints)
    found = {name: _person(name, options, complaints, named_times) for name, options in section.items()}
    _distinct("people", found, complaints)
    for person in found.values():
        for portal in person.ids:
            if portal not in portals:
                message = f"no portal is called {portal}{did_you_mean(portal, portals)}"
                complaints.key(("people", person.name, "id", portal), message)
    for clash in clashes(found.values(), portals):
        complaints.error(("people", clash.person, *clash.path), f"{clash.value} is already {clash.other}'s")
    return found


def _person(name: str, data: Any, complaints: Complaints, named_times: Mapping[str, Times]) -> Person:
    path = ("people", name)
    if name in ROLES:
        complaints.key(path, f"{name} means whomever the event names so: call the person otherwise")
    elif not _PERSON_NAME.fullmatch(name):
        complaints.key(
            path, "a person's name is made of letters, digits, dots, dashes and underscores, not digits alone"
        )
    options = validated(PersonOptions, data, path, complaints)
    if options is None:
        return Person(name=name)
    if options.id is None and not options.email and not complaints.is_settled((*path, "id")) and "id" not in data:
        remedy = "give an id, or an email for relay people sync to look it up by"
        complaints.warning(
            path, f"{name} has no id, and is told nothing: the rule's fallback is told; {remedy}", "no-id"
        )
    return Person(
        name=name,
        id=None if isinstance(options.id, dict) else options.id,
        ids=options.id if isinstance(options.id, dict) else {},
        email=tuple(options.email),
        logins={kind: tuple(getattr(options, kind)) for kind in LOGINS if getattr(options, kind)},
        locale=options.locale,
        timezone=options.timezone,
        quiet=times.quiet(
            [] if options.quiet is None else options.quiet,
            ZoneInfo(options.timezone),
            named_times,
            (*path, "quiet"),
            complaints.error,
        ),
    )


def teams(
    data: Mapping[str, Any], persons: Mapping[str, Person], complaints: Complaints
) -> Mapping[str, tuple[Person, ...]]:
    """The teams by name, each a tuple of persons."""
    section = mapping(data, "teams", complaints)
    _distinct("teams", section, complaints)
    return {name: _team(name, members, persons, complaints) for name, members in section.items()}


def _team(name: str, members: Any, persons: Mapping[str, Person], complaints: Complaints) -> tuple[Person, ...]:
    path = ("teams", name)
    if not isinstance(members, list):
        complaints.error(path, "must be a list of persons, such as [ivan, olga]")
        return ()
    found: dict[str, Person] = {}
    for index, member in enumerate(members):
        if isinstance(member, str) and member in persons:
            found[member] = persons[member]
        elif isinstance(member, str):
            complaints.error((*path, index), f"nobody is called {member}{did_you_mean(member, persons)}")
        else:
            complaints.error((*path, index), "must be a person's name")
    return tuple(found.values())


def _distinct(section: str, names: Iterable[str], complaints: Complaints) -> None:
    first: dict[str, str] = {}
    for name in names:
        other = first.setdefault(name.casefold(), name)
        if other != name:
            complaints.key((section, name), f"is {other} but for capital letters, which do not count in names")


# ── Templates ────────────────────────────────────────────────────────────────────────────────────────────────


def templates(data: Mapping[str, Any], complaints: Complaints) -> Mapping[str, Template | None]:
    """The templates by name; ``None`` for one that cannot be used."""
    section = mapping(data, "templates", complaints)
    return {name: template(spec, ("templates", name), complaints) for name, spec in section.items()}


def template(data: Any, path: Path, complaints: Complaints) -> Template | None:
    """One template, compiled."""
    spec = validated(TemplateSpec, data, path, complaints)
    return None if spec is None else compile_template(spec, complaints.below(*path))
