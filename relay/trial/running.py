"""A test carried out: its events go through the rules, and what is told of the last is held against what must be.

Never decides anything: a course does, as the live path would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from relay.errors import Refused, Unauthorized
from relay.rules import Decision, Rules
from relay.sources import SENDERS
from relay.trial.case import UNAUTHORIZED, Case, Step
from relay.trial.course import Course, Told
from relay.trial.matching import Pairing, pair


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a test. ``outcomes`` are the reasons of its events, each once; ``refused`` a sentence, if it was.

    ``wrong_reason``: nobody was told, as expected, but not because of what was expected.
    """

    case: Case
    told: Sequence[Told]
    decisions: Sequence[Decision]
    outcomes: tuple[str, ...]
    pairing: Pairing
    refused: str = ""

    @property
    def wrong_reason(self) -> bool:
        return not self.told and self.case.because is not None and self.case.because not in self.outcomes

    @property
    def passed(self) -> bool:
        return self.pairing.is_complete and not self.wrong_reason


def run(case: Case, rules: Rules) -> Result:
    """Carry out one test. Nothing of it stays for the next one."""
    course = Course(rules)
    for step in case.before:
        course.pass_time(step.at)
        _take(course, step)
    course.pass_time(case.step.at)  # what ripens before the last event is not of its making
    decisions, told, outcomes, refused = _take(course, case.step)
    told = [*told, *course.pass_time(None)]
    return Result(
        case=case,
        told=told,
        decisions=decisions,
        outcomes=outcomes,
        pairing=pair(case.expect, told),
        refused=refused,
    )


def _take(course: Course, step: Step) -> tuple[Sequence[Decision], Sequence[Told], tuple[str, ...], str]:
    try:
        if not step.signed:
            _verify(course.rules, step)
        decisions, told = course.take(step.entry, step.at)
    except Refused as fault:
        return (), (), (UNAUTHORIZED if isinstance(fault, Unauthorized) else "unreadable",), str(fault)
    return decisions, told, tuple(dict.fromkeys(decision.outcome for decision in decisions)), ""


def _verify(rules: Rules, step: Step) -> None:
    options = rules.sources[step.entry.source]  # loading has looked
    SENDERS[options.type].verify(options, step.entry.request, step.at.timestamp())
