"""`decide`: an event and the rules → the messages, and the reason for each and for each that is not there.

Never asks a clock or a disk, never raises for any event, and is the only place where it is decided who is told:
the live path, explain, test and diff all come through here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from relay.model import Event, Message
from relay.render import Wording, compile_line, compose
from relay.rules.addressing import addressees
from relay.rules.memory import Changes, Memory
from relay.rules.people import Directory, Person, actor_of
from relay.rules.routing import Step, route
from relay.rules.rulebook import Rule, Rules

NO_WORDS = Wording(text="", attach=None, note="")  # of a deletion
EVENT_KEY = compile_line("{{ event.key }}", lambda _path, _sentence: None)  # cut to what the portal takes as a tag

Outcome = Literal["addressed", "nobody", "no_rule", "dropped", "own_act", "skipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is to be sent, and why.

    ``trace`` holds every rule that was looked at; ``unmapped`` the names in the event that mean nobody known, as
    the sender wrote them; ``outcome`` is why there is no message, where there is none:

    * ``no_rule``: no rule matched and there is no default; ``dropped``: a rule says to tell nobody (`to: []`);
    * ``skipped``: it is resolved, and the rule says `on_resolve: skip`;
    * ``own_act``: only the actor himself would have been told; ``nobody``: nobody was found, and no fallback.

    ``changes`` is what the next decisions have to remember: :meth:`~relay.rules.memory.Memory.keep` it.
    """

    messages: tuple[Message, ...]
    trace: tuple[Step, ...]
    unmapped: tuple[str, ...]
    outcome: Outcome
    changes: Changes = field(default_factory=dict)


def decide(event: Event, rules: Rules, memory: Memory, now: datetime) -> Decision:  # noqa: ARG001
    """Decide whom an event concerns, and in what words. Pure.

    Args:
        event: what happened.
        rules: what :func:`~relay.rules.load` gave.
        memory: what earlier events left behind; it is asked, and not changed.
        now: the time of the decision, with its zone.
    """
    found = route(event, rules)
    hearing = _Hearing(event, rules.directory, actor_of(event, rules.directory))
    notes = {rule.path: tuple(hearing.answer(rule)) for rule in found.answers}
    return Decision(
        messages=tuple(hearing.messages.values()),
        trace=tuple(step.noting(notes[step.path]) if step.path in notes else step for step in found.steps),
        unmapped=tuple(hearing.unmapped),
        outcome=hearing.outcome,
    )


@dataclass(slots=True)
class _Hearing:
    """One event on its way through the rules that answer it: who has been told what so far."""

    event: Event
    directory: Directory
    actor: Person | None
    messages: dict[tuple[str, int, str], Message] = field(default_factory=dict)  # by portal, recipient and tag
    unmapped: dict[str, None] = field(default_factory=dict)  # an ordered set
    silences: set[Outcome] = field(default_factory=set)

    @property
    def outcome(self) -> Outcome:
        """Of several reasons for silence, the one that most wants to be looked at."""
        order: tuple[Outcome, ...] = ("nobody", "own_act", "skipped", "dropped")
        return "addressed" if self.messages else next((why for why in order if why in self.silences), "no_rule")

    def answer(self, rule: Rule) -> Iterator[str]:
        """Tell whom the rule means; yields what is worth noting about it."""
        resolved = self.event.state == "resolved"
        if not rule.telling.to:
            self.silences.add("dropped")
            yield "drops the event"
        elif resolved and rule.telling.on_resolve == "skip":
            self.silences.add("skipped")
            yield "on_resolve: skip"
        else:
            found = addressees(rule.telling, self.event, self.directory, self.actor)
            self.unmapped |= found.unmapped
            yield from found.notes
            if not found.persons:
                self.silences.add("own_act" if found.own and not found.lost else "nobody")
                yield "nobody to tell"
            delete = resolved and rule.telling.on_resolve == "delete"
            for person in found.persons.values():
                yield from self._tell(person, rule, delete=delete)

    def _tell(self, person: Person, rule: Rule, *, delete: bool) -> Iterator[str]:
        message = _message(self.event, rule, person, delete=delete)
        place = (message.portal, message.user_id, message.tag)
        if place in self.messages:
            yield f"{person.name} is told already by {self.messages[place].rule}"
        elif delete and not message.tag:
            self.silences.add("skipped")
            yield f"{person.name}: no tag to delete by"
        else:
            self.messages[place] = message


def _message(event: Event, rule: Rule, person: Person, *, delete: bool) -> Message:
    telling, reader = rule.telling, person.reader
    tag = (telling.tag or EVENT_KEY).render(event=event, person=reader, rule=rule.name)
    wording = NO_WORDS if delete else compose(event, telling.template, reader=reader, rule=rule.name)
    return Message(
        portal=telling.portal,
        user_id=person.id or 0,  # only persons with an id are addressees
        person=person.name,
        rule=rule.name,
        key=tag or event.key or f"{event.source}:{event.event}",
        tag=tag,
        text=wording.text,
        attach=wording.attach,
        via=telling.via,
        urgent=telling.urgent,
        fallback=tuple(each.id for each in telling.fallback if each.id is not None and each.id != person.id),
        delete=delete,
        note=wording.note,
    )
