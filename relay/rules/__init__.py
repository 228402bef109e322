"""The rules: `rules.yaml` loaded, matched and decided. Text in, values out; nothing here touches disk or clock."""

from relay.rules.conditions import Failed
from relay.rules.deciding import Decision, decide
from relay.rules.editor import schema
from relay.rules.loading import load
from relay.rules.memory import Memory
from relay.rules.people import Person
from relay.rules.routing import Step
from relay.rules.rulebook import Rule, Rules, Telling

__all__ = [
    "Decision",
    "Failed",
    "Memory",
    "Person",
    "Rule",
    "Rules",
    "Step",
    "Telling",
    "decide",
    "load",
    "schema",
]
