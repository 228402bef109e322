"""Which rules answer an event: depth first, as Alertmanager's routes; and why each of the others does not.

Never looks at recipients, and never raises for any event.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from relay.model import Event
from relay.rules.conditions import Failed
from relay.rules.rulebook import Rule, Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One rule that was looked at, or passed by. ``failed`` is its first condition that did not hold."""

    rule: str
    path: str
    depth: int
    matched: bool
    failed: Failed | None = None
    note: str = ""

    def noting(self, notes: tuple[str, ...]) -> Step:
        return replace(self, note="; ".join(part for part in (self.note, *notes) if part))


@dataclass(frozen=True, slots=True)
class Route:
    """The rules that answer, in their order, and every step on the way."""

    answers: tuple[Rule, ...]
    steps: tuple[Step, ...]


def route(event: Event, rules: Rules) -> Route:
    """Find the rules that answer the event; the default when no other does."""
    steps: list[Step] = []
    answers = _among(rules.rules, 0, event, steps)
    if answers or rules.default is None:
        return Route(tuple(answers), tuple(steps))
    steps.append(Step(rule=rules.default.name, path=rules.default.path, depth=0, matched=True, note="no rule matched"))
    return Route((rules.default,), tuple(steps))


def _among(siblings: tuple[Rule, ...], depth: int, event: Event, steps: list[Step]) -> list[Rule]:
    answers: list[Rule] = []
    for index, rule in enumerate(siblings):
        failed = rule.condition.check(event)
        here = Step(rule=rule.name, path=rule.path, depth=depth, matched=failed is None, failed=failed)
        steps.append(here)
        if failed is not None:
            continue
        position = len(steps) - 1
        finer = _among(rule.rules, depth + 1, event, steps)
        # A rule one of whose finer rules matched is not itself an answer; that none matched makes it one.
        answers += finer or [rule]
        notes = ("its finer rules answer" if finer else "", "continue" if rule.goes_on else "stops here")
        steps[position] = here.noting(notes)
        if not rule.goes_on:
            steps += [_passed_by(later, depth) for later in siblings[index + 1 :]]
            break
    return answers


def _passed_by(rule: Rule, depth: int) -> Step:
    return Step(rule=rule.name, path=rule.path, depth=depth, matched=False, note="not reached")
