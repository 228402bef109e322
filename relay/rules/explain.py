"""A decision as a page of plain text: every rule and why it did or did not answer, then the messages; or, for one
person, why it does or does not come to him.

Never decides anything anew: it shows what `decide` gave, and asks of a rule whom it means as `decide` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from relay.model import Event, Message, Outcome
from relay.render import plain
from relay.rules.addressing import Addressees, addressees, certain_persons
from relay.rules.conditions import Failed
from relay.rules.deciding import Decision
from relay.rules.oncall import Roster
from relay.rules.people import Person, actor_of
from relay.rules.recipients import OnCall, Recipient, named
from relay.rules.routing import Step, route
from relay.rules.rulebook import Rule, Rules

DEFAULT = "default"  # the path of the rule that is asked when no other matches

_OUTCOMES: dict[Outcome, str] = {
    "addressed": "",
    "no_rule": "Nobody is told: no rule matched, and there is no default.",
    "dropped": "Nobody is told: the rule drops the event.",
    "skipped": "Nobody is told: it is resolved, and the rule says on_resolve: skip.",
    "muted": "Nobody is told: the rule is muted at this time.",
    "own_act": "Nobody is told: only whoever did it would have been.",
    "nobody": "Nobody is told: the rule matched, but found nobody.",
    "silenced": "Nobody is told: a silence keeps it back.",
    "inhibited": "Nobody is told: what causes it has been told of.",
    "repeated": "Nobody is told: it was told already in the same words.",
    "grouped": "Nobody is told yet: it is gathered with others.",
    "throttled": "Nobody is told yet: there were too many; the rest comes together.",
    "unreadable": "Nobody is told: it cannot be read.",
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
    because = f": {_failed(step.failed)}" if step.failed else ""
    note = f" — {step.note}" if step.note else ""
    return f"{'  ' * step.depth}{sign} {name}{because}{note}"


def _failed(failed: Failed) -> str:
    return f"{failed.field} is {failed.seen or 'nothing'}, not {failed.expected}"


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


# ── For one person ───────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stand:
    """How one rule stands to one person.

    ``by`` are the words of `to:` that mean him. ``step`` is missing where the rule was not even looked at. ``failed``
    is its first condition that does not hold, or would not if the rule were reached.
    """

    rule: Rule
    step: Step | None
    failed: Failed | None
    answers: bool
    by: tuple[str, ...]
    found: Addressees

    @property
    def name(self) -> str:
        return f"«{self.rule.name}»"


def explain_for(person: Person, event: Event, rules: Rules, decision: Decision, now: datetime) -> str:
    """Why ``person`` is or is not told of ``event``, beginning with the answer in one sentence.

    Then come the rules that answered and those that would have meant him, and last what he gets. ``now`` is the moment
    of the decision.
    """
    roster = rules.roster(now)
    answers = {rule.path for rule in route(event, rules).answers}
    steps = {step.path: step for step in decision.trace}
    stands = [
        _stand(rule, person, event, roster, step=steps.get(rule.path), answers=rule.path in answers)
        for rule in rules.every()
    ]
    told = [message for message in decision.messages if message.person == person.name]
    names = {stand.rule.name for stand in stands}
    by_rule = [message for message in told if message.rule in names]  # and not that a silence keeps it back from him
    first = _told(person, by_rule, stands) if by_rule else _untold(person, decision, stands)
    lines = [line for stand in stands for line in _standing(person, stand)]
    messages = [*_messages(told)]
    return "\n".join([first, *([""] if lines else []), *lines, *([""] if messages else []), *messages])


def _stand(rule: Rule, person: Person, event: Event, roster: Roster, *, step: Step | None, answers: bool) -> _Stand:
    found = addressees(rule.telling, event, roster, actor_of(event, roster.among))
    by = [recipient.says for recipient in rule.telling.to if person.name in _meant(recipient, event, roster)]
    if found.lost and person.name in _names(certain_persons(rule.telling.fallback, roster)):
        by.append("fallback")
    failed = rule.condition.check(event)
    return _Stand(rule=rule, step=step, failed=failed, answers=answers, by=tuple(by), found=found)


def _meant(recipient: Recipient, event: Event, roster: Roster) -> set[str]:
    """The names of all whom one word of `to:` means, with an id or without."""
    if isinstance(recipient, OnCall):
        return _names(certain_persons([recipient], roster))
    return {name for each in named(recipient, event, roster.among) for name in _names(each.persons)}


def _names(persons: Iterable[Person]) -> set[str]:
    return {person.name for person in persons}


def _told(person: Person, told: Sequence[Message], stands: Iterable[_Stand]) -> str:
    stand = next(each for each in stands if each.rule.name == told[0].rule)
    what = "loses the notification of it" if told[0].delete else "gets it"
    return f"{person.name} {what}: {stand.name} tells {_by(person, stand)}."


def _by(person: Person, stand: _Stand) -> str:
    """«ivan», or «ivan (reviewer, team/backend)»."""
    ways = [way for way in stand.by if way != person.name]
    return f"{person.name} ({', '.join(ways)})" if ways else person.name


def _untold(person: Person, decision: Decision, stands: Sequence[_Stand]) -> str:
    answering = [stand for stand in stands if stand.answers]
    meaning = [stand for stand in answering if stand.by]
    passed = [stand for stand in stands if stand.by and not stand.answers and _is_passed_by(stand)]
    if meaning:
        why = _kept_from(person, meaning[0], decision.notes.get(meaning[0].rule.path, ()))
    elif not answering:
        why = "no rule matched, and there is no default"
    elif passed:
        why = f"{passed[0].name} would tell {_by(person, passed[0])}, but {answering[0].name} answers before it"
    else:
        why = "; ".join(_others(person, stand) for stand in answering)
    return f"{person.name} does not get it: {why}."


def _is_passed_by(stand: _Stand) -> bool:
    """It would match, but a rule before it answered; not so a rule under one that fails, or the default."""
    return stand.step is not None and not stand.step.matched and stand.failed is None


def _kept_from(person: Person, stand: _Stand, notes: Sequence[str]) -> str:
    """Why a rule that answers and means him does not tell him; ``notes`` are the decision's, his own the best."""
    if person.name not in stand.found.persons and stand.found.own == person.name:
        return f"{person.name} did it, and {stand.name} leaves out whoever did it"
    if person.id is None and not person.ids:
        return f"{stand.name} tells {_by(person, stand)}, who has no id under people:"
    his = [note.removeprefix(f"{person.name}: ") for note in notes if note.startswith(f"{person.name}: ")]
    return f"{stand.name} tells {_by(person, stand)}, but: {'; '.join(his or notes)}"


def _others(person: Person, stand: _Stand) -> str:
    """Whom a rule that answers means instead."""
    if not stand.rule.telling.to:
        return f"{stand.name} answers, and drops the event"
    others = [name for name in stand.found.persons if name != person.name]
    return f"{stand.name} answers, and tells {_joined(others)}{' alone' if others else ''}"


def _standing(person: Person, stand: _Stand) -> Iterator[str]:
    """The line of a rule that answers, or would mean him if it did."""
    where = stand.name if stand.rule.name == stand.rule.path else f"{stand.name} ({stand.rule.path})"
    if stand.answers:
        means = f"means {_by(person, stand)}" if stand.by else f"means {_joined([*stand.found.persons])}"
        yield f"✓ {where} answers, and {means}{_note(stand)}"
    elif stand.by:
        sign = "✗" if stand.failed else "·"
        yield f"{sign} {where} would mean {_by(person, stand)}, but {_why_not(stand)}"


def _why_not(stand: _Stand) -> str:
    if stand.failed:
        return _failed(stand.failed)
    if stand.step is None:
        return "is asked only when no other rule matches" if stand.rule.path == DEFAULT else "the rule above it fails"
    return "its finer rules answer" if stand.step.matched else "is not reached"


def _note(stand: _Stand) -> str:
    return f" — {stand.step.note}" if stand.step and stand.step.note else ""


def _joined(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names) or "nobody"
