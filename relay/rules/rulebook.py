"""The rules file, put together: every name resolved, every condition, template and tag compiled.

Nothing here decides anything; and nothing in it changes after it is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from relay.bitrix.options import PortalOptions
from relay.errors import Complaint
from relay.model import Via
from relay.render import Line, Template
from relay.rules.conditions import Condition
from relay.rules.language import OnResolve
from relay.rules.people import Directory, Person
from relay.rules.recipients import Recipient
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
    fallback: tuple[Person, ...] = ()
    include_actor: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. ``path`` is its place in the file: ``rules.2.rules.0``."""

    name: str
    path: str
    condition: Condition
    telling: Telling
    goes_on: bool = False  # `continue: true`: its next siblings are asked as well
    rules: tuple[Rule, ...] = ()

    def every(self) -> Iterator[Rule]:
        yield self
        for rule in self.rules:
            yield from rule.every()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rules:
    """Everything that `rules.yaml` says. ``default`` is the rule for events that no other wants, if there is one."""

    portals: Mapping[str, PortalOptions]
    sources: Mapping[str, SourceOptions]
    directory: Directory
    rules: tuple[Rule, ...]
    default: Rule | None
    warnings: tuple[Complaint, ...] = ()

    @property
    def people(self) -> Mapping[str, Person]:
        return self.directory.people

    @property
    def teams(self) -> Mapping[str, tuple[Person, ...]]:
        return self.directory.teams

    def every(self) -> Iterator[Rule]:
        """Every rule in the order of the file, the default last."""
        for rule in self.rules:
            yield from rule.every()
        if self.default is not None:
            yield self.default
