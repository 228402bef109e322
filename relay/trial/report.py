"""Results for a person to read: one line for each test, and for one that failed what was expected, came, and why.

Never prints anything itself, and lets no stranger's text command a terminal.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from relay.render import plain
from relay.rules.explain import explain
from relay.rules.words import shown
from relay.trial.case import Expected
from relay.trial.course import Told
from relay.trial.matching import amiss, nearest
from relay.trial.moment import written
from relay.trial.running import Result


def line(result: Result) -> str:
    """The one line of a test."""
    return f"{'✓' if result.passed else '✗'} {shown(result.case.name)}"


def failure(result: Result) -> str:
    """What was expected, what came, and the explanation of every decision; lines, without a break at the end."""
    parts = ["\n".join((*_expected(result), *_came(result)))]
    parts += [explain(decision) for decision in result.decisions]
    return "\n\n".join(parts)


def indented(text: str) -> str:
    return textwrap.indent(text, "    ")


def _expected(result: Result) -> Iterator[str]:
    case = result.case
    if not case.expect:
        yield f"expected: nobody{f', because: {case.because}' if case.because else ''}"
    else:
        yield "expected:"
    for each, found in zip(case.expect, result.pairing.of_expected, strict=True):
        yield f"  {'✓' if found is not None else '✗'} {_wish(each)}{'' if found is not None else _lack(each, result)}"


def _lack(expected: Expected, result: Result) -> str:
    """Why none of the messages that are left over is the one."""
    index = nearest(expected, result.told, result.pairing.surplus)
    return "" if index is None else f" — {'; '.join(amiss(expected, result.told[index]))}"


def _wish(expected: Expected) -> str:
    parts = [
        f"by {expected.rule}" if expected.rule is not None else "",
        f"tag «{shown(expected.tag)}»" if expected.tag is not None else "",
        f"text «{shown(expected.text.strip())}»" if expected.text is not None else "",
        *(f"text with «{shown(part)}»" for part in expected.contains),
        *(f"blocks with «{shown(part)}»" for part in expected.blocks),
        {True: "urgent", False: "not urgent", None: ""}[expected.urgent],
        f"via {expected.via}" if expected.via else "",
        f"not before {written(expected.at)}" if expected.at else "",
        "taken away" if expected.delete else "",
    ]
    return ", ".join(part for part in (expected.person, *parts) if part)


def _came(result: Result) -> Iterator[str]:
    if not result.told:
        yield f"came: nobody, because: {', '.join(result.outcomes)}{f' ({result.refused})' if result.refused else ''}"
        return
    yield "came:"
    for index, told in enumerate(result.told):
        yield f"  {'✗' if index in result.pairing.surplus else '✓'} {_message(told, result)}"


def _message(told: Told, result: Result) -> str:
    message = told.message
    parts = [
        f"by {message.rule}",
        f"tag «{shown(message.tag)}»" if message.tag else "no tag",
        "urgent" if message.urgent else "",
        f"via {message.via}" if message.via != "personal" else "",
        f"at {written(told.at)}" if told.at > result.case.step.at else "",
        "taken away" if message.delete else f"text «{shown(plain(message.text))}»",
    ]
    return ", ".join(part for part in (message.person, *parts) if part)
