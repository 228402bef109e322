"""The batch: its commands taken apart, earlier results pasted into later ones, the answer put together.

Never runs a command: it is given a function that does. Bitrix24 REST docs, "Batch"; the references are as wide as in
the portal's own code, which is a hazard for whoever puts strangers' text into a batch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from relay.sandbox.context import Answer
from relay.sandbox.params import Params, from_query, merged
from relay.sandbox.php import Value, items, text
from relay.sandbox.refusals import Refusal

LENGTH = 50
FORBIDDEN = frozenset({"batch", "download", "upload"})


@dataclass(frozen=True, slots=True)
class Command:
    """One line of a batch; ``params`` have upper-case names and are not substituted yet."""

    key: str
    method: str
    params: Params


@dataclass(slots=True)
class Outcome:
    """The five maps of the answer, by the commands' keys."""

    result: dict[str, Value] = field(default_factory=dict)
    error: dict[str, Value] = field(default_factory=dict)
    total: dict[str, Value] = field(default_factory=dict)
    next: dict[str, Value] = field(default_factory=dict)
    time: dict[str, Value] = field(default_factory=dict)

    def envelope(self) -> dict[str, Value]:
        """The ``result`` of the whole request."""
        return {
            "result": self.result,
            "result_error": self.error,
            "result_total": self.total,
            "result_next": self.next,
            "result_time": self.time,
        }


Run = Callable[[Command], tuple[Answer, Value]]
"""Runs a command: its answer and its ``time`` map; raises `Refusal`."""


def commands(cmd: Value) -> list[Command]:
    """The first fifty lines of ``cmd`` that are text; other values leave no trace, though they are counted."""
    return [_command(key, line) for key, line in items(cmd)[:LENGTH] if isinstance(line, str)]


def _command(key: str, line: str) -> Command:
    """``method?query``: what follows a bare "#" is lost, as with any address."""
    method, _, query = line.partition("#")[0].partition("?")
    return Command(key, method.strip().lower(), merged(from_query(query), {}))


def run(cmd: Value, *, halt: bool, run_one: Run) -> Outcome:
    """Run the commands in order; ``halt`` stops after the first that fails."""
    outcome = Outcome()
    for command in commands(cmd):
        try:
            if command.method in FORBIDDEN:
                raise Refusal("ERROR_BATCH_METHOD_NOT_ALLOWED")
            answer, time = run_one(Command(command.key, command.method, _substituted(command.params, outcome)))
        except Refusal as refusal:
            outcome.error[command.key] = dict(refusal.envelope())
            if halt:
                return outcome
            continue
        outcome.result[command.key] = answer.result
        outcome.time[command.key] = time
        outcome.total |= {} if answer.total is None else {command.key: answer.total}
        outcome.next |= {} if answer.next is None else {command.key: answer.next}
    for key, _ in items(cmd)[LENGTH:]:
        outcome.error[key] = dict(Refusal("ERROR_BATCH_LENGTH_EXCEEDED").envelope())
    return outcome


# --- references: $result[key][FIELD]

_REFERENCE = re.compile(r"\$(result|next|total|time|error)(\S*)", re.I)


def _substituted(params: Params, outcome: Outcome) -> Params:
    return {name: _pasted(value, outcome) for name, value in params.items()}


def _pasted(value: Value, outcome: Outcome) -> Value:
    """A value that is nothing but a reference becomes what it points at; within a text it becomes text."""
    if isinstance(value, list):
        return [_pasted(item, outcome) for item in value]
    if isinstance(value, dict):
        return {key: _pasted(item, outcome) for key, item in value.items()}
    if not isinstance(value, str):
        return value
    whole = _REFERENCE.fullmatch(value)
    return _found(whole, outcome) if whole else _REFERENCE.sub(lambda part: text(_found(part, outcome)), value)


def _found(reference: re.Match[str], outcome: Outcome) -> Value:
    maps: dict[str, dict[str, Value]] = {
        "result": outcome.result,
        "next": outcome.next,
        "total": outcome.total,
        "time": outcome.time,
        "error": outcome.error,
    }
    value: Value = maps[reference[1].lower()]
    for step in _steps(reference[2]):
        value = dict(items(value)).get(step)
    return value


def _steps(path: str) -> Iterator[str]:
    return (step[1] for step in re.finditer(r"\[([^\[\]]*)\]", path))
