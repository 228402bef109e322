"""Which rules the tests have tried: each must be seen to match, and, where it has conditions, not to match.

Never runs a test: it counts what decisions have looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from relay.rules import Decision, Rule, Rules

Branch = tuple[str, bool]  # a rule's path, and whether it matches


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How much of the rules was tried. ``missing`` are the rules with the way in which none of the tests saw them."""

    branches: int
    missing: tuple[tuple[Rule, bool], ...]

    @property
    def reached(self) -> int:
        return self.branches - len(self.missing)

    @property
    def percent(self) -> float:
        return 100 * self.reached / self.branches if self.branches else 100.0


def coverage(rules: Rules, decisions: Iterable[Decision]) -> Coverage:
    """How much of the rules these decisions have looked at."""
    seen = {branch for decision in decisions for branch in _seen(decision)}
    every = [(rule, matches) for rule in rules.every() for matches in _ways(rule)]
    return Coverage(
        branches=len(every),
        missing=tuple((rule, matches) for rule, matches in every if (rule.path, matches) not in seen),
    )


def _ways(rule: Rule) -> tuple[bool, ...]:
    """A rule without conditions always matches."""
    return (True, False) if rule.condition.says else (True,)


def _seen(decision: Decision) -> Iterator[Branch]:
    """A rule that was passed by has neither matched nor failed."""
    for step in decision.trace:
        if step.matched or step.failed:
            yield step.path, step.matched
