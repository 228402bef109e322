"""`to:` and `fallback:` → recipients; and whom a recipient means for one event.

Never decides who is told in the end: own acts, repeats and fallbacks are the decision's business.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from relay.model import Event
from relay.rules.complaints import Complain
from relay.rules.conditions import Vocabulary
from relay.rules.document import Path
from relay.rules.people import MAX_ID, PORTAL_ID, Directory, Person
from relay.rules.sentences import did_you_mean
from relay.rules.words import Seen, UnknownWord, text_of

_NUMBER = re.compile(r"[-+]?[0-9]+")

ROLES: Mapping[str, Callable[[Event], tuple[str, ...]]] = {
    "actor": lambda event: (event.actor,),
    "author": lambda event: (event.author,),
    "assignees": lambda event: event.assignees,
    "reviewer": lambda event: event.reviewers,
    "mentioned": lambda event: event.mentioned,
    "committer": lambda event: event.committers,
    "owner": lambda event: event.owners,
}


@dataclass(frozen=True, slots=True)
class Known:
    """Persons that the rule names itself: by name, team or portal id."""

    says: str
    persons: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class OnCall:
    """Whoever is on duty by a schedule of `oncall:` when the event is decided."""

    schedule: str

    @property
    def says(self) -> str:
        return f"oncall/{self.schedule}"


@dataclass(frozen=True, slots=True)
class Role:
    """Whomever the event names in this role; nobody where it names nobody."""

    says: str


@dataclass(frozen=True, slots=True)
class Written:
    """Whomever a label or a field of the event names."""

    says: str
    look: Callable[[Event], Seen]


Certain = Known | OnCall  # somebody whatever the event says
Recipient = Certain | Role | Written


@dataclass(frozen=True, slots=True)
class Named:
    """One name that the event or the rule gave, and whom it means: empty when nobody is known by it."""

    value: str
    persons: tuple[Person, ...]


def persons_of(known: Known, among: Directory, portal: str) -> tuple[Person, ...]:
    """The persons that a rule names itself. A number is an id on the portal by which the rule tells."""
    if PORTAL_ID.fullmatch(known.says):
        return (among.by_portal_id(int(known.says), portal),)
    return known.persons


def named(recipient: Known | Role | Written, event: Event, among: Directory, portal: str = "") -> tuple[Named, ...]:
    """Every name behind a recipient. A label or field that is missing is one name, ``""``, that means nobody."""
    if isinstance(recipient, Known):
        return tuple(Named(person.name, (person,)) for person in persons_of(recipient, among, portal))
    if isinstance(recipient, Role):
        values = [value for value in ROLES[recipient.says](event) if value]
        return tuple(Named(value, among.of_event(value, event.type, portal)) for value in dict.fromkeys(values))
    texts = [(text_of(value) or "").strip() for value in recipient.look(event).values]
    return tuple(Named(text, among.of_value(text, event.type, portal) if text else ()) for text in dict.fromkeys(texts))


# ── Reading `to:` ────────────────────────────────────────────────────────────────────────────────────────────


def parse(
    spec: Any,
    *,
    among: Directory,
    vocabulary: Vocabulary,
    path: Path,
    complain: Complain,
    schedules: Collection[str] = (),
) -> tuple[Recipient, ...]:
    """Read one recipient or a list of them; an empty list is nobody."""
    parts = enumerate(spec) if isinstance(spec, list) else [(None, spec)]
    found = [
        _one(
            part,
            among=among,
            vocabulary=vocabulary,
            path=path if index is None else (*path, index),
            complain=complain,
            schedules=schedules,
        )
        for index, part in parts
    ]
    return tuple(recipient for recipient in found if recipient is not None)


def parse_known(
    spec: Any, *, among: Directory, path: Path, complain: Complain, schedules: Collection[str] = ()
) -> tuple[Certain, ...]:
    """Read `fallback:`, which must be somebody whatever the event says: persons, teams, on call, or portal ids."""
    parts = enumerate(spec) if isinstance(spec, list) else [(None, spec)]
    found: list[Certain] = []
    for index, part in parts:
        here = path if index is None else (*path, index)
        if isinstance(part, dict) or (isinstance(part, str) and part in ROLES):
            complain(
                here, "a fallback is a person, team/x, oncall/x or a portal id: somebody who is there for every event"
            )
            continue
        one = certain(part, among=among, path=here, complain=complain, schedules=schedules)
        found += [one] if one else []
    return tuple(found)


def _one(
    part: Any,
    *,
    among: Directory,
    vocabulary: Vocabulary,
    path: Path,
    complain: Complain,
    schedules: Collection[str],
) -> Recipient | None:
    if isinstance(part, dict):
        return _written(part, vocabulary, path, complain)
    if isinstance(part, str) and part in ROLES:
        return Role(part)
    return certain(part, among=among, path=path, complain=complain, schedules=schedules, others=tuple(ROLES))


def _written(part: dict[str, Any], vocabulary: Vocabulary, path: Path, complain: Complain) -> Written | None:
    ((kind, name),) = part.items() if len(part) == 1 else (("", None),)
    if kind not in ("label", "field") or not isinstance(name, str) or not name:
        complain(path, "must be {label: its name} or {field: payload.its.path}")
        return None
    field = f"labels.{name}" if kind == "label" else name
    try:
        return Written(f"{kind} {name}", vocabulary.word(field).look)
    except UnknownWord as error:
        complain((*path, kind), str(error))
        return None


def certain(
    part: Any,
    *,
    among: Directory,
    path: Path,
    complain: Complain,
    schedules: Collection[str] | None = None,
    others: tuple[str, ...] = (),
) -> Certain | None:
    """Read one person, `team/x`, portal id or, where there may be ``schedules``, `oncall/x`.

    ``others`` are further words that might have been meant.
    """
    if isinstance(part, bool) or not isinstance(part, str | int):
        role = ", or a role such as author" if others else ""
        complain(path, f"must be a person, team/x, a portal id{role}")
        return None
    name = str(part)
    kind, slash, called = name.partition("/")
    if _NUMBER.fullmatch(name):
        return _of_portal(name, among, path, complain)
    if name in among.people:
        return Known(name, (among.people[name],))
    if slash and kind == "team":
        return _team(called, among, path, complain)
    if slash and kind == "oncall":
        return _on_call(called, schedules, path, complain)
    names = (*among.people, *(f"team/{team}" for team in among.teams), *(f"oncall/{each}" for each in schedules or ()))
    complain(path, f"nobody is called {name}{did_you_mean(name, (*names, *others))}")
    return None


def _team(name: str, among: Directory, path: Path, complain: Complain) -> Known | None:
    if name in among.teams:
        return Known(f"team/{name}", among.teams[name])
    complain(path, f"no team is called {name}{did_you_mean(name, among.teams)}")
    return None


def _on_call(name: str, schedules: Collection[str] | None, path: Path, complain: Complain) -> OnCall | None:
    if schedules is None:
        complain(path, "a schedule is made of persons, teams and portal ids, not of other schedules")
        return None
    if name in schedules:
        return OnCall(name)
    complain(path, f"nothing under oncall: is called {name}{did_you_mean(name, schedules)}")
    return None


def _of_portal(user_id: str, among: Directory, path: Path, complain: Complain) -> Known | None:
    if not PORTAL_ID.fullmatch(user_id) or int(user_id) > MAX_ID:
        complain(path, "is no portal id: those count from 1")
        return None
    return Known(user_id, (among.by_portal_id(int(user_id)),))
