"""Whom one rule means for one event: roles turned into persons, the actor left out, the unknown replaced.

Never looks at what other rules have told, and writes no message.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from relay.model import Event
from relay.rules.oncall import Roster
from relay.rules.people import Person
from relay.rules.recipients import Certain, Named, OnCall, Recipient, Role, named, persons_of
from relay.rules.rulebook import Telling
from relay.rules.words import shown


@dataclass(slots=True)
class Addressees:
    """Persons in the order of `to:`, each once and each with an id; and what happened on the way.

    ``own``: the actor, where he was left out. ``lost``: somebody was meant who cannot be told. ``unmapped``: his names.
    """

    persons: dict[str, Person] = field(default_factory=dict)
    unmapped: dict[str, None] = field(default_factory=dict)  # an ordered set
    notes: list[str] = field(default_factory=list)
    own: str = ""
    lost: bool = False
    only: frozenset[str] | None = None  # whom the event names as `only_if:` wants it; None: it wants nothing


def addressees(telling: Telling, event: Event, roster: Roster, actor: Person | None) -> Addressees:
    """Find whom ``telling`` means. ``actor`` is the person who did it, if he is known."""
    found, among = Addressees(only=_named_so(telling, event, roster)), roster.among
    for recipient in telling.to:
        if isinstance(recipient, OnCall):
            _call(found, recipient, roster, telling, actor)
            continue
        names = named(recipient, event, among, telling.portal)
        if not names:
            found.notes.append(f"the event names no {recipient.says}")
        leave_out = None if _keeps_actor(telling, recipient) else actor
        for name in names:
            if _is_unknown_actor(name, event) and not _keeps_actor(telling, recipient):
                found.own = name.value
            elif name.persons:
                _collect(found, name.persons, telling.portal, leave_out)
            else:
                _lose(found, name.value)
    found.only = None
    if found.lost and telling.fallback:
        instead = certain_persons(telling.fallback, roster, telling.portal)
        found.notes.append(f"to the fallback, {', '.join(person.name for person in instead) or 'which is nobody now'}")
        _collect(found, instead, telling.portal, None if telling.include_actor else actor)
    if found.own and found.own not in found.persons:
        found.notes.append(f"{shown(found.own)} did it, and is left out")
    return found


def _named_so(telling: Telling, event: Event, roster: Roster) -> frozenset[str] | None:
    if not telling.only_if:
        return None
    names = (name for role in telling.only_if for name in named(Role(role), event, roster.among, telling.portal))
    return frozenset(person.name for name in names for person in name.persons)


def certain_persons(recipients: Iterable[Certain], roster: Roster, portal: str = "") -> tuple[Person, ...]:
    """The persons that a rule's own recipients mean at the roster's moment, each once, with their ids on a portal."""
    persons = (
        roster.on_duty(each.schedule).persons if isinstance(each, OnCall) else persons_of(each, roster.among, portal)
        for each in recipients
    )
    return tuple({person.name: person.on(portal) for several in persons for person in several}.values())


def _call(found: Addressees, recipient: OnCall, roster: Roster, telling: Telling, actor: Person | None) -> None:
    """Whoever is on duty; a gap in the schedule, or a shift of nobody known, loses somebody."""
    duty = roster.on_duty(recipient.schedule)
    for name in duty.strangers:
        found.unmapped[name] = None
        found.notes.append(f"{shown(name)}, on duty by {recipient.says}, is nobody known")
    if duty.persons:
        found.notes.append(f"{recipient.says} is {', '.join(person.name for person in duty.persons)}, {duty.why}")
        _collect(found, duty.persons, telling.portal, None if telling.include_actor else actor)
    else:
        found.lost = True
        found.notes += [] if duty.strangers else [f"nobody is on duty by {recipient.says}: {duty.why}"]


def _keeps_actor(telling: Telling, recipient: Recipient) -> bool:
    """A rule that names the actor means him; any other recipient leaves him out."""
    return telling.include_actor or (isinstance(recipient, Role) and recipient.says == "actor")


def _is_unknown_actor(name: Named, event: Event) -> bool:
    """A login that we do not know is not told, nor anybody in its place, of its own act."""
    return not name.persons and name.value != "" and name.value.casefold() == event.actor.casefold()


def _collect(found: Addressees, persons: Iterable[Person], portal: str, leave_out: Person | None) -> None:
    for person in (each.on(portal) for each in persons):
        if found.only is not None and person.name not in found.only:
            found.notes.append(f"{person.name}: the event does not name this person as only_if: wants it")
        elif leave_out is not None and person.name == leave_out.name:
            found.own = person.name
        elif person.id is None:
            found.lost = True
            found.unmapped[person.name] = None
            found.notes.append(f"{person.name} has no id")
        else:
            found.persons.setdefault(person.name, person)


def _lose(found: Addressees, name: str) -> None:
    """A label or field that is missing (``""``) also loses somebody: the rule counts on it."""
    found.lost = True
    if name:
        found.unmapped[name] = None
    found.notes.append(f"{shown(name)} is nobody known" if name else "the label or field is missing")
