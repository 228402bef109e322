"""A decision as a tree for the page and for scripts: each rule, the first condition that failed, and the value seen.

Never decides and never matches by itself: it shows what the decision's own trace says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from relay import log, router
from relay.errors import Refused
from relay.model import Message
from relay.replay import Again
from relay.rules import Decision
from relay.rules.routing import Step
from relay.store.journal import Entry
from relay.web.pages.openapi import NUMBER, TEXT, many, maybe, thing
from relay.web.pages.shell import Site

Sign = Literal["answers", "fails", "passed"]
MOST = 200  # rules that failed or were passed by; those that answered are all shown
EVENTS = 20  # of one request whose trees are shown; a sender may put thousands into one


@dataclass(frozen=True, slots=True)
class Branch:
    """One rule of the tree. ``notes`` are the decision's own words."""

    step: Step
    sign: Sign

    @property
    def notes(self) -> list[str]:
        return [note for note in self.step.note.split("; ") if note]


@dataclass(frozen=True, slots=True)
class Tree:
    """The rules of one event, in their order, and how many that did not answer are left out."""

    decision: Decision
    branches: Sequence[Branch]
    left_out: int


def tree(decision: Decision) -> Tree:
    branches = [Branch(step, _sign(step)) for step in decision.trace]
    shown = [each for place, each in enumerate(branches) if place < MOST or each.sign == "answers"]
    return Tree(decision, shown, len(branches) - len(shown))


def trees(decisions: Sequence[Decision]) -> list[Tree]:
    """The trees of a request's first events."""
    return [tree(each) for each in decisions[:EVENTS]]


def _sign(step: Step) -> Sign:
    return "answers" if step.matched else "fails" if step.failed else "passed"


def as_of_then(site: Site, entry: Entry) -> Again:
    """The entry decided as if at the time when it came, by the rules and the silences as they are now."""
    rules = site.rules
    memory = router.recall_silences(site.house.database, rules)
    try:
        decisions = router.decisions_on(entry, rules, memory, datetime.fromtimestamp(entry.received_at, UTC))
    except Refused as fault:
        return Again(entry=entry, why_not=str(fault))
    except Exception as fault:  # a fault of ours on one event still lets the rest of its page be seen
        log.failure("pages: the relay failed on an event", fault, event=entry.id)
        return Again(entry=entry, why_not=f"the relay failed on it: {type(fault).__name__}")
    return Again(entry=entry, decisions=tuple(decisions))


# ── For scripts ───────────────────────────────────────────────────────────────────────────────────────────────


def told(decision: Decision) -> dict[str, Any]:
    return {
        "outcome": decision.outcome,
        "unmapped": list(decision.unmapped),
        "rules": [_branch(each) for each in tree(decision).branches],
        "messages": [message(each) for each in decision.messages],
    }


def _branch(each: Branch) -> dict[str, Any]:
    step = each.step
    return {
        "rule": step.rule,
        "path": step.path,
        "depth": step.depth,
        "result": each.sign,
        "failed": asdict(step.failed) if step.failed else None,
        "notes": each.notes,
    }


def message(each: Message) -> dict[str, Any]:
    """What is to be sent, to whom and by which rule."""
    return {
        "portal": each.portal,
        "user_id": each.user_id,
        "person": each.person,
        "rule": each.rule,
        "tag": each.tag,
        "urgent": each.urgent,
        "deletes": each.delete,
        "text": each.text,
        "attach": each.attach,
    }


_NATURAL = {"type": "integer", "minimum": 0}
_FLAG = {"type": "boolean"}
MESSAGE = thing(
    portal=TEXT,
    user_id=NUMBER,
    person=TEXT,
    rule=TEXT,
    tag=TEXT,
    urgent=_FLAG,
    deletes=_FLAG,
    text=TEXT,
    attach=maybe({"type": "object"}),
)
DECISION: dict[str, Any] = thing(
    outcome=TEXT,
    unmapped=many(TEXT),
    rules=many(
        thing(
            rule=TEXT,
            path=TEXT,
            depth=_NATURAL,
            result={"enum": ["answers", "fails", "passed"]},
            failed=maybe(thing(field=TEXT, expected=TEXT, seen=TEXT)),
            notes=many(TEXT),
        )
    ),
    messages=many(MESSAGE),
)
