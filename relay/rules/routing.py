"""Which rules answer an event: depth first, as Alertmanager's routes; and why each of the others does not.

Never looks at recipients, and never raises for any event.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from relay.model import Event
from relay.rules.conditions import Failed
from relay.rules.rulebook import Rule, Rules


class Match(NamedTuple):
    """A rule that matched, and those among its finer rules that matched too."""

    rule: Rule
    finer: tuple[Match, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One rule that was looked at, or passed by. ``failed`` is its first condition that did not hold."""

    rule: str
    path: str
    depth: int
    matched: bool
    failed: Failed | None = None
    note: str = ""

    def noting(self, notes: Iterable[str]) -> Step:
        return replace(self, note="; ".join(part for part in (self.note, *notes) if part))


@dataclass(frozen=True, slots=True)
class Route:
    """An event's way through the rules."""

    event: Event
    rules: Rules
    matches: tuple[Match, ...]

    @property
    def answers(self) -> tuple[Rule, ...]:
        """The rules that answer, in their order; the default when no other does."""
        if self.matches or self.rules.default is None:
            return tuple(_answers(self.matches))
        return (self.rules.default,)

    def steps(self) -> tuple[Step, ...]:
        """Every rule on the way. Each that did not match is asked for its reason, so it takes time with every rule."""
        steps = _steps(self.rules.rules, self.matches, self.event, 0)
        default = self.rules.default
        if self.matches or default is None:
            return tuple(steps)
        return *steps, Step(rule=default.name, path=default.path, depth=0, matched=True, note="no rule matched")


def route(event: Event, rules: Rules) -> Route:
    """Find the rules that match the event: only those that can by their index are asked, however many there are."""
    return Route(event, rules, _among(rules, event))


def _among(holder: Rules | Rule, event: Event) -> tuple[Match, ...]:
    found = []
    for position in holder.index.candidates(event):
        rule = holder.rules[position]
        if rule.condition.holds(event):
            found.append(Match(rule, _among(rule, event) if rule.rules else ()))
            if not rule.goes_on:
                break
    return tuple(found)


def _answers(matches: Iterable[Match]) -> Iterator[Rule]:
    """A rule one of whose finer rules matched is not itself an answer; that none matched makes it one."""
    for match in matches:
        if match.finer:
            yield from _answers(match.finer)
        else:
            yield match.rule


def _steps(siblings: Iterable[Rule], matches: Iterable[Match], event: Event, depth: int) -> Iterator[Step]:
    matched = {match.rule.path: match for match in matches}
    over = False
    for rule in siblings:
        match = matched.get(rule.path)
        failed = None if over or match else rule.condition.check(event)
        notes = _notes(match) if match else ("not reached",) if over else ()
        yield Step(
            rule=rule.name, path=rule.path, depth=depth, matched=match is not None, failed=failed, note="; ".join(notes)
        )
        if match:
            yield from _steps(rule.rules, match.finer, event, depth + 1)
            over = not rule.goes_on


def _notes(match: Match) -> Iterator[str]:
    if match.finer:
        yield "its finer rules answer"
    yield "continue" if match.rule.goes_on else "stops here"
