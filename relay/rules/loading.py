"""`rules.yaml`'s text → rules: read, checked whole, and compiled; every fault told at once with its place.

Never opens a file and never reads the environment itself: both are handed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from relay.errors import BadRules, Complaint
from relay.render import Template, compile_line
from relay.rules import document, sections
from relay.rules.complaints import Complaints
from relay.rules.conditions import Vocabulary, compile_when
from relay.rules.document import Path, Unreadable
from relay.rules.environment import substitute
from relay.rules.language import SECTIONS, DefaultPart, RulePart
from relay.rules.language import Telling as TellingPart
from relay.rules.people import Directory, directory
from relay.rules.pieces import validated
from relay.rules.recipients import parse, parse_known
from relay.rules.rulebook import Rule, Rules, Telling
from relay.rules.sentences import did_you_mean
from relay.sources import SENDERS

DEFAULT = "default"  # what the rule under `default:` is called
VERSION = 1


def load(text: str, *, env: Mapping[str, str], file: str = "rules.yaml") -> Rules:
    """Read, check and compile a rules file.

    Args:
        text: the file's text.
        env: where ``${NAME}`` is looked up, such as ``os.environ``.
        file: the name that complaints give the file.

    Raises:
        BadRules: it cannot be used; holds every complaint, warnings too, in the order of the file.
    """
    complaints = Complaints(file)
    try:
        complaints.document = document.read(text.removeprefix("\ufeff"), complaints.at_place)
    except Unreadable as fault:
        raise BadRules([*complaints.errors, Complaint(*fault.place, "", fault.message, file=file)]) from None
    for path in complaints.document.blanks:
        complaints.settling(path, "has no value: give one, or take it out")
    raw = complaints.document.data
    if not isinstance(raw, dict):
        complaints.error((), "must be a mapping of sections, the first of them version: 1")
        raise BadRules(complaints.errors)
    rules = _assemble(substitute(raw, env, complaints.settling), raw, complaints)
    if complaints.errors:
        raise BadRules([*complaints.errors, *complaints.warnings])
    return rules


def _assemble(data: dict[str, Any], raw: dict[str, Any], complaints: Complaints) -> Rules:
    _check_sections(data, complaints)
    portals = sections.portals(data, raw, complaints)
    sources = sections.sources(data, raw, complaints)
    people = sections.people(data, complaints)
    among = directory(people, sections.teams(data, people, complaints))
    reading = _Reading(
        complaints=complaints,
        among=among,
        vocabulary=Vocabulary(tuple(sources), tuple(SENDERS)),
        templates=sections.templates(data, complaints),
        without_tags=frozenset(name for name, options in portals.items() if options and not options.replaces_by_tag),
        portals=tuple(portals),
        names={},
    )
    return Rules(
        portals={name: options for name, options in portals.items() if options is not None},
        sources={name: options for name, options in sources.items() if options is not None},
        directory=among,
        rules=reading.rules(data.get("rules", []), ("rules",), None),
        default=reading.default(data),
        warnings=complaints.warnings,
    )


def _check_sections(data: Mapping[str, Any], complaints: Complaints) -> None:
    for key in data:
        if key not in SECTIONS:
            complaints.key((key,), f"unknown section {key}{did_you_mean(key, SECTIONS)}")
    version = data.get("version")
    if version is None:
        complaints.error(("version",), f"is missing: begin the file with version: {VERSION}")
    elif version != VERSION or isinstance(version, bool):
        complaints.error(("version",), f"must be {VERSION}, the only version there is")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """What rules are read against. ``names`` collects theirs, each with its path, to find two of one name."""

    complaints: Complaints
    among: Directory
    vocabulary: Vocabulary
    templates: Mapping[str, Template | None]
    portals: tuple[str, ...]
    without_tags: frozenset[str]
    names: dict[str, str]

    def rules(self, data: Any, path: Path, parent: Telling | None) -> tuple[Rule, ...]:
        if not isinstance(data, list):
            self.complaints.error(path, "must be a list of rules, each beginning with a dash")
            return ()
        found = [self.rule(each, (*path, index), parent) for index, each in enumerate(data)]
        return tuple(rule for rule in found if rule is not None)

    def rule(self, data: Any, path: Path, parent: Telling | None) -> Rule | None:
        own = {key: value for key, value in data.items() if key != "rules"} if isinstance(data, dict) else data
        part = validated(RulePart, own, path, self.complaints)
        if part is None:
            return None
        where = ".".join(map(str, path))
        name = part.name or where
        self.check_name(name, where, (*path, "name"))
        telling = self.telling(part, own, path, parent)
        complain = self.complaints.error
        return Rule(
            name=name,
            path=where,
            condition=compile_when(part.when, self.vocabulary, (*path, "when"), complain),
            telling=telling,
            goes_on=part.goes_on,
            rules=self.rules(data.get("rules", []), (*path, "rules"), telling),
        )

    def check_name(self, name: str, where: str, path: Path) -> None:
        first = self.names.setdefault(name, where)
        if first != where:
            self.complaints.error(path, f"{name} is also the name of {first}: reports could not tell them apart")
        elif name == DEFAULT:
            self.complaints.error(path, f"{DEFAULT} is the name of what stands under default:")

    def default(self, data: Mapping[str, Any]) -> Rule | None:
        if DEFAULT not in data:
            return None
        own = data[DEFAULT]
        if isinstance(own, str):
            if own != "drop":
                self.complaints.error((DEFAULT,), "must be drop, or a mapping such as {to: ivan}")
            own = {"to": []}
        part = validated(DefaultPart, own, (DEFAULT,), self.complaints)
        if part is None:
            return None
        anything = compile_when({}, self.vocabulary, (DEFAULT,), self.complaints.error)
        telling = self.telling(part, own, (DEFAULT,), None)
        return Rule(name=DEFAULT, path=DEFAULT, condition=anything, telling=telling)

    def telling(self, part: TellingPart, own: Mapping[str, Any], path: Path, parent: Telling | None) -> Telling:
        """What the rule says of its own, over what it inherits."""
        complain = self.complaints.error
        base = parent or Telling(to=(), portal=self.portals[0] if self.portals else "")
        if "to" not in own and parent is None:
            complain((*path, "to"), "is missing: say whom to tell; to: [] drops the event")
        said: dict[str, Any] = {
            key: getattr(part, key)
            for key in ("via", "urgent", "on_resolve", "include_actor", "portal")
            if getattr(part, key) is not None
        }
        if "to" in own:
            here = (*path, "to")
            said["to"] = parse(own["to"], among=self.among, vocabulary=self.vocabulary, path=here, complain=complain)
        if "fallback" in own:
            said["fallback"] = parse_known(
                own["fallback"], among=self.among, path=(*path, "fallback"), complain=complain
            )
        if "template" in own:
            said["template"] = self.template(own["template"], (*path, "template"))
        if part.tag is not None:
            said["tag"] = compile_line(part.tag, self.complaints.below(*path, "tag"))
        telling = replace(base, **said)
        self.check_portal(telling, own, path)
        return telling

    def template(self, spec: Any, path: Path) -> Template | None:
        if not isinstance(spec, str):
            return sections.template(spec, path, self.complaints)
        if spec not in self.templates:
            self.complaints.error(path, f"no template is called {spec}{did_you_mean(spec, self.templates)}")
        return self.templates.get(spec)

    def check_portal(self, telling: Telling, own: Mapping[str, Any], path: Path) -> None:
        if "portal" in own and telling.portal not in self.portals:
            known = did_you_mean(telling.portal, self.portals)
            self.complaints.error((*path, "portal"), f"no portal is called {telling.portal}{known}")
        said = next((key for key in ("on_resolve", "portal") if key in own), None)
        if said and telling.on_resolve == "delete" and telling.portal in self.without_tags:
            self.complaints.error(
                (*path, said),
                f"delete finds a notification by its tag, and the portal {telling.portal} keeps no tags for a webhook:"
                " use an application's domain: and token:, or on_resolve: replace",
            )
