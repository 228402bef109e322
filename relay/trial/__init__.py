"""Rules on trial: `tests.yml` against the rules, and old rules against new ones; results, coverage, reports.

Never touches disk or clock, and never decides anything itself: every event goes through the router's own function.
"""

from relay.trial.case import Case, Expected, Step
from relay.trial.comparing import Comparison, Difference
from relay.trial.course import Course, Told
from relay.trial.coverage import Coverage, coverage
from relay.trial.loading import BadTests, load
from relay.trial.running import Result, run

__all__ = [
    "BadTests",
    "Case",
    "Comparison",
    "Course",
    "Coverage",
    "Difference",
    "Expected",
    "Result",
    "Step",
    "Told",
    "coverage",
    "load",
    "run",
]
