"""`rules.yaml`'s text → rules: read, checked whole, and compiled; every fault told at once with its place.

Never opens a file and never reads the environment itself: both are handed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from relay.errors import BadRules, Complaint
from relay.render import Template, compile_line
from relay.rules import document, environment, retention, schedules, sections, times
from relay.rules.calendar import Times
from relay.rules.collector import resting
from relay.rules.complaints import Complaints
from relay.rules.conditions import Vocabulary, compile_when
from relay.rules.document import Document, Path, Unreadable
from relay.rules.including import Reader, gather
from relay.rules.language import SECTIONS, VERSION, DefaultPart, GroupPart, InhibitPart, RulePart
from relay.rules.language import Telling as TellingPart
from relay.rules.noise import Grouping, Inhibition, Throttling, fields
from relay.rules.people import Directory, directory
from relay.rules.pieces import validated
from relay.rules.recipients import ROLES, parse, parse_known
from relay.rules.rulebook import Rule, Rules, Telling
from relay.rules.sentences import did_you_mean
from relay.sources import SENDERS

DEFAULT = "default"  # what the rule under `default:` is called


def load(text: str, *, env: Mapping[str, str], file: str = "rules.yaml", reader: Reader | None = None) -> Rules:
    """Read, check and compile a rules file.

    Args:
        text: the file's text.
        env: where ``${NAME}`` is looked up, such as ``os.environ``.
        file: the name that complaints give the file.
        reader: how the files are read that it includes; without one it can include none.

    Raises:
        BadRules: it cannot be used; holds every complaint, warnings too, in the order of the file.
    """
    return draft(text, env=env, file=file, reader=reader).rules


@dataclass(frozen=True, slots=True)
class Draft:
    """The rules, with the data they were made of (`${NAME}` replaced) and where each part of it stands.

    ``values`` are what was put in for the names, which no complaint may repeat (:func:`environment.values`).
    """

    rules: Rules
    data: Mapping[str, Any]
    document: Document
    values: Mapping[str, str]


@resting()
def draft(text: str, *, env: Mapping[str, str], file: str = "rules.yaml", reader: Reader | None = None) -> Draft:
    """What :func:`load` gives, for those who have more to say about the file than whether it can be used.

    Raises:
        BadRules: as :func:`load`.
    """
    complaints = Complaints(file)
    try:
        complaints.document = document.read(text.removeprefix("\ufeff"), complaints.at_place)
    except Unreadable as fault:
        raise BadRules([*complaints.errors, Complaint(*fault.place, "", fault.message, file=file)]) from None
    if not isinstance(complaints.document.data, dict):
        complaints.error((), "must be a mapping of sections, the first of them version: 1")
        raise BadRules(complaints.errors)
    complaints.document = gather(complaints.document, env=env, reader=reader, complaints=complaints)
    for path in complaints.document.blanks:
        complaints.settling(path, document.BLANK)
    raw = complaints.document.data
    complaints.values = environment.values(raw, env)
    data = environment.substitute(raw, env, complaints.settling)
    rules = _assemble(data, raw, complaints)
    if complaints.errors:
        raise BadRules([*complaints.errors, *complaints.warnings])
    return Draft(rules, data, complaints.document, complaints.values)


def _assemble(data: dict[str, Any], raw: dict[str, Any], complaints: Complaints) -> Rules:
    _check_sections(data, complaints)
    portals = sections.portals(data, raw, complaints)
    sources = sections.sources(data, raw, complaints)
    named_times = times.section(sections.mapping(data, "times", complaints), complaints)
    people = sections.people(data, complaints, named_times, tuple(portals))
    among = directory(people, sections.teams(data, people, complaints))
    oncall = schedules.section(sections.mapping(data, "oncall", complaints), raw.get("oncall"), among, complaints)
    reading = _Reading(
        complaints=complaints,
        among=among,
        times=named_times,
        schedules=tuple(oncall),
        vocabulary=Vocabulary(tuple(sources), tuple(SENDERS), complaints.within, among),
        templates=sections.templates(data, complaints),
        without_tags=frozenset(name for name, options in portals.items() if options and not options.replaces_by_tag),
        portals=tuple(portals),
        names={},
    )
    return Rules(
        portals={name: options for name, options in portals.items() if options is not None},
        sources={name: options for name, options in sources.items() if options is not None},
        directory=among,
        oncall={name: schedule for name, schedule in oncall.items() if schedule is not None},
        rules=reading.rules(data.get("rules", []), ("rules",), None),
        default=reading.default(data),
        inhibitions=reading.inhibitions(data.get("inhibit", [])),
        retention=retention.section(data, complaints),
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
    times: Mapping[str, Times]
    schedules: tuple[str, ...]
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
            said["to"] = parse(
                own["to"],
                among=self.among,
                schedules=self.schedules,
                vocabulary=self.vocabulary,
                path=here,
                complain=complain,
            )
        if "fallback" in own:
            said["fallback"] = parse_known(
                own["fallback"],
                among=self.among,
                schedules=self.schedules,
                path=(*path, "fallback"),
                complain=complain,
            )
        for key in ("mute", "active"):
            if getattr(part, key) is not None:
                said[key] = times.named(own[key], self.times, (*path, key), complain)
        if part.only_if is not None:
            said["only_if"] = self.roles(part.only_if, own["only_if"], (*path, "only_if"))
        if "template" in own:
            said["template"] = self.template(own["template"], (*path, "template"))
        if part.tag is not None:
            said["tag"] = compile_line(part.tag, self.complaints.below(*path, "tag"))
        said |= self.noise(part, path)
        telling = replace(base, **said)
        self.check_portal(telling, own, path)
        self.check_times(telling, own, path)
        return telling

    def roles(self, names: list[str], own: Any, path: Path) -> tuple[str, ...]:
        for at, name in enumerate(names):
            if name not in ROLES:
                here = (*path, at) if isinstance(own, list) else path
                self.complaints.error(here, f"an event names nobody as {name}{did_you_mean(name, ROLES)}")
        return tuple(name for name in names if name in ROLES)

    def noise(self, part: TellingPart, path: Path) -> dict[str, Any]:
        """What the rule says of noise; ``None`` where it takes back what it would inherit."""
        said: dict[str, Any] = {}
        if part.group is not None:
            said["group"] = self.grouping(part.group, (*path, "group")) if part.group else None
        if part.throttle is not None:
            said["throttle"] = Throttling(part.throttle.max, part.throttle.per) if part.throttle else None
        if part.repeat is not None:
            said["repeat"] = part.repeat or None
        return said

    def grouping(self, part: GroupPart, path: Path) -> Grouping:
        by = fields(part.by, self.vocabulary, (*path, "by"), self.complaints.error)
        return Grouping(by=by, wait=part.wait, interval=part.interval, most=part.max)

    def inhibitions(self, data: Any) -> tuple[Inhibition, ...]:
        if not isinstance(data, list):
            self.complaints.error(("inhibit",), "must be a list of mappings, each with source: and target:")
            return ()
        found = [self.inhibition(each, ("inhibit", index)) for index, each in enumerate(data)]
        return tuple(each for each in found if each is not None)

    def inhibition(self, data: Any, path: Path) -> Inhibition | None:
        part = validated(InhibitPart, data, path, self.complaints)
        if part is None:
            return None
        complain = self.complaints.error
        return Inhibition(
            name=part.name or ".".join(map(str, path)),
            source=compile_when(part.source, self.vocabulary, (*path, "source"), complain),
            target=compile_when(part.target, self.vocabulary, (*path, "target"), complain),
            equal=fields(part.equal, self.vocabulary, (*path, "equal"), complain),
        )

    def template(self, spec: Any, path: Path) -> Template | None:
        if not isinstance(spec, str):
            return sections.template(spec, path, self.complaints)
        if spec not in self.templates:
            self.complaints.error(path, f"no template is called {spec}{did_you_mean(spec, self.templates)}")
        return self.templates.get(spec)

    def check_times(self, telling: Telling, own: Mapping[str, Any], path: Path) -> None:
        said = next((key for key in ("mute", "active") if key in own), None)
        if said and telling.active and set(telling.active) <= set(telling.mute):
            self.complaints.warning(
                (*path, said), "is muted whenever it is active: it never tells anybody", "dead-time"
            )

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
