"""Whom one rule means for one event: roles turned into persons, the actor left out, the unknown replaced.

Never looks at what other rules have told, and writes no message.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from relay.model import Event
from relay.rules.people import Directory, Person
from relay.rules.recipients import Named, Recipient, Role, named
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


def addressees(telling: Telling, event: Event, among: Directory, actor: Person | None) -> Addressees:
    """Find whom ``telling`` means. ``actor`` is the person who did it, if he is known."""
    found = Addressees()
    for recipient in telling.to:
        names = named(recipient, event, among)
        if not names:
            found.notes.append(f"the event names no {recipient.says}")
        leave_out = None if _keeps_actor(telling, recipient) else actor
        for name in names:
            if _is_unknown_actor(name, event) and not _keeps_actor(telling, recipient):
                found.own = name.value
            elif name.persons:
                _collect(found, name.persons, leave_out)
            else:
                _lose(found, name.value)
    if found.lost and telling.fallback:
        found.notes.append(f"to the fallback, {', '.join(person.name for person in telling.fallback)}")
        _collect(found, telling.fallback, None if telling.include_actor else actor)
    if found.own and found.own not in found.persons:
        found.notes.append(f"{shown(found.own)} did it, and is left out")
    return found


def _keeps_actor(telling: Telling, recipient: Recipient) -> bool:
    """A rule that names the actor means him; any other recipient leaves him out."""
    return telling.include_actor or (isinstance(recipient, Role) and recipient.says == "actor")


def _is_unknown_actor(name: Named, event: Event) -> bool:
    """A login that we do not know is not told, nor anybody in its place, of its own act."""
    return not name.persons and name.value != "" and name.value.casefold() == event.actor.casefold()


def _collect(found: Addressees, persons: Iterable[Person], leave_out: Person | None) -> None:
    for person in persons:
        if leave_out is not None and person.name == leave_out.name:
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
