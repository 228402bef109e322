"""`decide`: an event and the rules → the messages, and the reason for each and for each that is not there.

Never asks a clock or a disk, never raises for any event, and is the only place where it is decided who is told:
the live path, explain, test and diff all come through here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from relay.model import Event, Message, Outcome
from relay.rules.addressing import addressees, certain_persons
from relay.rules.calendar import muted
from relay.rules.memory import Changes, Memory
from relay.rules.noise import Gate, Kept
from relay.rules.oncall import Roster
from relay.rules.people import Person, actor_of
from relay.rules.recipients import OnCall
from relay.rules.routing import Route, Step, route
from relay.rules.rulebook import BY_ITSELF, Rule, Rules
from relay.rules.wording import worded

# Of several reasons for silence, the one that most wants to be looked at.
REASONS: tuple[Outcome, ...] = (
    "nobody", "silenced", "inhibited", "muted", "grouped", "throttled", "repeated", "own_act", "skipped", "dropped"
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is to be sent, and why.

    ``unmapped`` holds the names in the event that mean nobody known, as the sender wrote them; ``outcome`` is why there
    is no message, where there is none:

    * ``no_rule``: no rule matched and there is no default; ``dropped``: a rule says to tell nobody (`to: []`);
    * ``muted``: by a rule's `mute:` or `active:`, at this time;
    * ``skipped``: it is resolved, and the rule says `on_resolve: skip`;
    * ``own_act``: only the actor himself would have been told; ``nobody``: nobody was found, and no fallback;
    * ``silenced``, ``inhibited``, ``repeated``: kept back for good; ``grouped``, ``throttled``: till it is told with
      others.

    ``changes`` is what the next decisions have to remember: :meth:`~relay.rules.memory.Memory.keep` it.
    """

    messages: tuple[Message, ...]
    unmapped: tuple[str, ...]
    outcome: Outcome
    changes: Changes = field(default_factory=dict)
    route: Route = field(repr=False)
    notes: Mapping[str, tuple[str, ...]]  # on the rules that answered, by their path

    @property
    def trace(self) -> tuple[Step, ...]:
        """Every rule, and why it answered or did not. Found out when it is asked for: it takes time with every rule."""
        steps = self.route.steps()
        return tuple(step.noting(self.notes[step.path]) if step.path in self.notes else step for step in steps)


def decide(event: Event, rules: Rules, memory: Memory, now: datetime) -> Decision:
    """Decide whom an event concerns, and in what words. Pure.

    Args:
        event: what happened.
        rules: what :func:`~relay.rules.load` gave.
        memory: what earlier events left behind; it is asked, and not changed.
        now: the time of the decision, with its zone.
    """
    found = route(event, rules)
    gate = Gate(event, memory.apart(), now.timestamp(), rules.inhibitions)
    gate.observe()
    hearing = _Hearing(event, rules.roster(now), actor_of(event, rules.directory), gate)
    notes = {rule.path: tuple(hearing.answer(rule)) for rule in found.answers}
    return Decision(
        messages=(*hearing.messages.values(), *hearing.notices),
        changes=gate.memory.changes,
        unmapped=tuple(hearing.unmapped),
        outcome=hearing.outcome,
        route=found,
        notes=notes,
    )


@dataclass(slots=True)
class _Hearing:
    """One event on its way through the rules that answer it: who has been told what so far."""

    event: Event
    roster: Roster
    actor: Person | None
    gate: Gate
    messages: dict[tuple[str, int, str], Message] = field(default_factory=dict)  # by portal, recipient and tag
    unmapped: dict[str, None] = field(default_factory=dict)  # an ordered set
    notices: list[Message] = field(default_factory=list)  # that somebody's messages are silenced
    silences: set[Outcome] = field(default_factory=set)

    @property
    def outcome(self) -> Outcome:
        return "addressed" if self.messages else next((why for why in REASONS if why in self.silences), "no_rule")

    def answer(self, rule: Rule) -> Iterator[str]:
        """Tell whom the rule means; yields what is worth noting about it."""
        resolved = self.event.state == "resolved"
        if not rule.telling.to:
            self.silences.add("dropped")
            yield "drops the event"
        elif muted_by := muted(rule.telling.mute, rule.telling.active, self.roster.now):
            self.silences.add("muted")
            yield muted_by
        elif resolved and rule.telling.on_resolve == "skip":
            self.silences.add("skipped")
            self._end_unsaid(rule)
            yield "on_resolve: skip"
        else:
            found = addressees(rule.telling, self.event, self.roster, self.actor)
            self.unmapped |= found.unmapped
            yield from found.notes
            if not found.persons:
                self.silences.add("own_act" if found.own and not found.lost else "nobody")
                yield "nobody to tell"
            delete = resolved and rule.telling.on_resolve == "delete"
            relieved = (person.on(rule.telling.portal) for person in self._relieved(rule, found.persons))
            for person in (*found.persons.values(), *relieved):
                yield from self._tell(person, rule, delete=delete)

    def _end_unsaid(self, rule: Rule) -> None:
        """Nobody is told of the end; that it may be told should it begin again, the same words or not."""
        if rule.telling.repeat is not None:
            for person in addressees(rule.telling, self.event, self.roster, self.actor).persons.values():
                self.gate.over(worded(self.event, rule.name, rule.telling, person, self.roster.now, delete=True))

    def _relieved(self, rule: Rule, on_duty: Mapping[str, Person]) -> Iterator[Person]:
        """Who was told of it on an earlier shift: he hears the end as well, for his notification stands there still."""
        if any(isinstance(recipient, OnCall) for recipient in rule.telling.to):
            people = self.roster.among.people
            relieved = (people[name] for name in self.gate.relieved(rule.name, on_duty) if name in people)
            yield from (each for each in (one.on(rule.telling.portal) for one in relieved) if each.id is not None)

    def _tell(self, person: Person, rule: Rule, *, delete: bool) -> Iterator[str]:
        instead = certain_persons(rule.telling.fallback, self.roster, rule.telling.portal)
        message = worded(
            self.event,
            rule.name,
            rule.telling,
            person,
            self.roster.now,
            fallback=[person.id for person in instead if person.id is not None],
            delete=delete,
        )
        place = (message.portal, message.user_id, message.tag)
        if place in self.messages:
            yield f"{person.name} is told already by {self.messages[place].rule}"
        elif delete and not message.tag:
            self.silences.add("skipped")
            yield f"{person.name}: no tag to delete by"
        elif kept := self._kept(message, rule):
            self.silences.add(kept.reason)
            yield f"{person.name}: {kept.why}"
            if kept.notice:
                by_itself = replace(BY_ITSELF, portal=message.portal)
                self.notices.append(worded(kept.notice, kept.notice.type, by_itself, person, self.roster.now))
        else:
            self.messages[place] = message

    def _kept(self, message: Message, rule: Rule) -> Kept | None:
        telling = rule.telling
        return self.gate.kept(message, group=telling.group, throttle=telling.throttle, repeat=telling.repeat)
