"""The rules file, put together: every name resolved, every condition, template and tag compiled.

Nothing here decides anything; and nothing in it changes after it is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from relay.bitrix.options import PortalOptions
from relay.errors import Complaint
from relay.model import Via
from relay.render import Line, Template
from relay.rules.calendar import Times
from relay.rules.conditions import Condition, Vocabulary
from relay.rules.feed import Feed
from relay.rules.index import Index, indexed
from relay.rules.language import OnResolve
from relay.rules.noise import Grouping, Inhibition, Throttling
from relay.rules.oncall import Roster, Schedule
from relay.rules.people import Directory, Person
from relay.rules.recipients import Certain, Recipient
from relay.rules.retention import DEFAULT, Retention
from relay.sources import SENDERS
from relay.sources.options import SourceOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """Whom to tell and how, inherited and complete. An empty ``to`` drops the event; no ``tag`` is the event's key."""

    to: tuple[Recipient, ...]
    portal: str
    template: Template | None = None
    tag: Line | None = None
    via: Via = "personal"
    urgent: bool = False
    on_resolve: OnResolve = "replace"
    fallback: tuple[Certain, ...] = ()
    mute: tuple[Times, ...] = ()
    active: tuple[Times, ...] = ()
    include_actor: bool = False
    only_if: tuple[str, ...] = ()  # roles: of those in `to`, only whom the event names so
    group: Grouping | None = None
    throttle: Throttling | None = None
    repeat: float | None = None  # seconds


BY_ITSELF = Telling(to=(), portal="")  # how the relay tells what it has to say itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. ``path`` is its place in the file: ``rules.2.rules.0``."""

    name: str
    path: str
    condition: Condition
    telling: Telling
    goes_on: bool = False  # `continue: true`: its next siblings are asked as well
    rules: tuple[Rule, ...] = ()
    index: Index = field(init=False, repr=False, compare=False)  # of its finer rules

    def __post_init__(self) -> None:
        object.__setattr__(self, "index", indexed([rule.condition.needs for rule in self.rules]))

    def every(self) -> Iterator[Rule]:
        yield self
        for rule in self.rules:
            yield from rule.every()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rules:
    """Everything that `rules.yaml` says. ``default`` is the rule for events that no other wants, if there is one.

    ``feeds`` are the calendars of on-call schedules, as they were read last: whoever has them puts them in
    (`dataclasses.replace`), as `relay.feeds` does.
    """

    portals: Mapping[str, PortalOptions]
    sources: Mapping[str, SourceOptions]
    directory: Directory
    rules: tuple[Rule, ...]
    default: Rule | None
    inhibitions: tuple[Inhibition, ...] = ()
    warnings: tuple[Complaint, ...] = ()
    oncall: Mapping[str, Schedule] = field(default_factory=dict)
    feeds: Mapping[str, Feed] = field(default_factory=dict)
    retention: Retention = DEFAULT
    index: Index = field(init=False, repr=False)  # of the rules at the top

    def __post_init__(self) -> None:
        object.__setattr__(self, "index", indexed([rule.condition.needs for rule in self.rules]))

    @property
    def people(self) -> Mapping[str, Person]:
        return self.directory.people

    @property
    def teams(self) -> Mapping[str, tuple[Person, ...]]:
        return self.directory.teams

    def roster(self, now: datetime) -> Roster:
        """Who is on duty at a moment."""
        return Roster(schedules=self.oncall, feeds=self.feeds, among=self.directory, now=now)

    @property
    def vocabulary(self) -> Vocabulary:
        """What further conditions on the same events may name."""
        return Vocabulary(tuple(self.sources), tuple(SENDERS), among=self.directory)

    def every(self) -> Iterator[Rule]:
        """Every rule in the order of the file, the default last."""
        for rule in self.rules:
            yield from rule.every()
        if self.default is not None:
            yield self.default
