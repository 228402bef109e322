"""A decision as a page of plain text: every rule and why it did or did not answer, then the messages.

Never decides anything anew: it shows what `decide` gave.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from relay.model import Message
from relay.render import plain
from relay.rules.deciding import Decision, Outcome
from relay.rules.routing import Step

_OUTCOMES: dict[Outcome, str] = {
    "addressed": "",
    "no_rule": "Nobody is told: no rule matched, and there is no default.",
    "dropped": "Nobody is told: the rule drops the event.",
    "skipped": "Nobody is told: it is resolved, and the rule says on_resolve: skip.",
    "own_act": "Nobody is told: only whoever did it would have been.",
    "nobody": "Nobody is told: the rule matched, but found nobody.",
}


def explain(decision: Decision) -> str:
    """The whole reason, for a terminal: lines without colour, no line break at the end."""
    lines = [_step(step) for step in decision.trace]
    if decision.unmapped:
        lines += ["", f"Nobody known by: {', '.join(_line(name) for name in decision.unmapped)}"]
    told = [*_messages(decision.messages)] or [_OUTCOMES[decision.outcome]]
    return "\n".join([*lines, *([""] if lines else []), *told])


def _step(step: Step) -> str:
    sign = "✓" if step.matched else "✗" if step.failed else "·"
    name = step.rule if step.rule == step.path else f"{step.rule} ({step.path})"
    failed = step.failed
    because = f": {failed.field} is {failed.seen or 'nothing'}, not {failed.expected}" if failed else ""
    note = f" — {step.note}" if step.note else ""
    return f"{'  ' * step.depth}{sign} {name}{because}{note}"


def _messages(messages: Iterable[Message]) -> Iterator[str]:
    for message in messages:
        urgent = ", urgent" if message.urgent else ""
        yield (
            f"→ {message.person} (portal {message.portal}, id {message.user_id}{urgent}), by {message.rule},"
            f" tag {_line(message.tag) or '(none)'}"
        )
        if message.delete:
            yield "    (takes the notification of this tag away)"
        yield from (f"    {line}" for line in plain(message.text).splitlines())


def _line(text: str) -> str:
    return "".join(sign if sign.isprintable() else "�" for sign in text)
