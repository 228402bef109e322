"""Who is who: persons and teams of the rules file, found by login, e-mail, team or portal id.

Never guesses: a name that means two persons means nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from relay.model import Event
from relay.render import Reader
from relay.rules.calendar import Window

Locale = Literal["en", "ru"]

DEFAULT_LOCALE: Locale = "en"
DEFAULT_TIMEZONE = "UTC"

# Senders whose people have no accounts of their own: what they name may be a person in any of our ways.
WITHOUT_LOGINS = frozenset(
    {"alertmanager", "json", "zabbix", "uptime-kuma", "healthchecks", "cloudevents", "standard-webhooks"}
)

MAX_ID = 2**31 - 1  # a 32-bit column's largest; no portal has that many users
PORTAL_ID = re.compile(r"[1-9][0-9]{0,9}")

_NOREPLY = "@users.noreply.github.com"  # ID+login@…, or login@… (GitHub docs, «Email addresses reference»)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One reader. ``logins`` maps a sender's type to the accounts there; ``id`` is ``None`` until it is looked up.

    ``ids`` are those of somebody who has one of his own on each portal, by the portal's name: he has no other.
    """

    name: str
    id: int | None = None
    ids: Mapping[str, int] = field(default_factory=dict)
    email: tuple[str, ...] = ()
    logins: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    locale: Locale = DEFAULT_LOCALE
    timezone: str = DEFAULT_TIMEZONE
    quiet: tuple[Window, ...] = ()  # when he is not to be disturbed, by his own clock

    @property
    def reader(self) -> Reader:
        return Reader(self.name, self.locale, self.timezone)

    def on(self, portal: str) -> Person:
        """The same person with the id that he has on one portal, if he has one there."""
        return replace(self, id=self.ids.get(portal), ids={}) if self.ids else self


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """The persons by every name they go by; logins, e-mails and teams compare without case."""

    people: Mapping[str, Person]
    teams: Mapping[str, tuple[Person, ...]]
    by_id: Mapping[int, Person]
    by_account: Mapping[tuple[str, int], Person]  # by portal and id, where the id is of that portal alone
    by_name: Mapping[str, Person]
    by_email: Mapping[str, Person]
    by_login: Mapping[tuple[str, str], Person]
    by_any_login: Mapping[str, Person]  # only the logins that are one person's on every sender
    by_team: Mapping[str, tuple[Person, ...]]

    def of_event(self, value: str, kind: str, portal: str = "") -> tuple[Person, ...]:
        """Whom a sender of ``kind`` means by a login, an e-mail or a team; empty when nobody is known by it.

        A login is looked up among that sender's only: another's account of the same name is another person.
        """
        if kind in WITHOUT_LOGINS:
            return self.of_value(value, kind, portal)
        if "@" in value:
            return _one(self._by_email(value))
        if "/" in value:
            return self._by_team(value)
        return _one(self.by_login.get((kind, value.casefold())))

    def of_value(self, value: str, kind: str, portal: str = "") -> tuple[Person, ...]:
        """Whom a label or a field means: also a person's name here, `team/x`, an id on a portal, any sender's login."""
        key = value.casefold()
        if PORTAL_ID.fullmatch(value):
            return (self.by_portal_id(int(value), portal),) if int(value) <= MAX_ID else ()
        if "@" in value:
            return _one(self._by_email(value))
        if "/" in value:
            return self.by_team.get(key.removeprefix("team/"), ()) or self._by_team(value)
        return _one(self.by_name.get(key) or self.by_login.get((kind, key)) or self.by_any_login.get(key))

    def called(self, name: str) -> Person:
        """The person whom the rules call so, by name or by portal id."""
        return self.by_portal_id(int(name)) if PORTAL_ID.fullmatch(name) else self.people[name]

    def by_portal_id(self, user_id: int, portal: str = "") -> Person:
        """The person with this id, or a nameless one: the portal knows more people than this file."""
        known = self.by_account.get((portal, user_id)) or self.by_id.get(user_id)
        return known or Person(name=str(user_id), id=user_id)

    def _by_email(self, value: str) -> Person | None:
        key = value.casefold()
        if key in self.by_email or not key.endswith(_NOREPLY):
            return self.by_email.get(key)
        return self.by_login.get(("github", key.removesuffix(_NOREPLY).rpartition("+")[2]))

    def _by_team(self, value: str) -> tuple[Person, ...]:
        """`org/slug` is a team here that is called so, or that is called like its slug."""
        key = value.casefold()
        return self.by_team.get(key) or self.by_team.get(key.rpartition("/")[2], ())


def _one(person: Person | None) -> tuple[Person, ...]:
    return () if person is None else (person,)


@dataclass(frozen=True, slots=True)
class Clash:
    """A name that two persons lay claim to. ``path`` is where the second does: id, email or a login's kind."""

    person: str
    path: tuple[str, ...]
    value: str
    other: str


def clashes(people: Iterable[Person], portals: Iterable[str]) -> Iterator[Clash]:
    """Every id, e-mail and login that is given to two persons; of an id, on one of the ``portals``."""
    portals = tuple(portals) or ("",)
    owner: dict[tuple[str, str], str] = {}
    for person in people:
        for path, value, scopes in _names(person, portals):
            others = [owner.setdefault((scope, value.casefold()), person.name) for scope in scopes]
            first = next((other for other in others if other != person.name), None)
            if first:
                yield Clash(person.name, path, value, first)


def _names(person: Person, portals: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str, tuple[str, ...]]]:
    """Where it stands, the name, and where nobody else may go by it."""
    if person.id is not None:
        yield ("id",), str(person.id), tuple(f"portal {portal}" for portal in portals)
    yield from ((("id", portal), str(value), (f"portal {portal}",)) for portal, value in person.ids.items())
    yield from ((("email",), value, ("email",)) for value in person.email)
    yield from (((kind,), value, (kind,)) for kind, values in person.logins.items() for value in values)


def directory(people: Mapping[str, Person], teams: Mapping[str, tuple[Person, ...]]) -> Directory:
    """Index the persons and teams of a file."""
    logins = [
        (kind, login.casefold(), person)
        for person in people.values()
        for kind, logins in person.logins.items()
        for login in logins
    ]
    meant: dict[str, set[str]] = {}
    for _, login, person in logins:
        meant.setdefault(login, set()).add(person.name)
    return Directory(
        people=people,
        teams=teams,
        by_id={person.id: person for person in people.values() if person.id is not None},
        by_account={(portal, number): person for person in people.values() for portal, number in person.ids.items()},
        by_name={name.casefold(): person for name, person in people.items()},
        by_email={email.casefold(): person for person in people.values() for email in person.email},
        by_login={(kind, login): person for kind, login, person in logins},
        by_any_login={login: person for _, login, person in logins if len(meant[login]) == 1},
        by_team={name.casefold(): members for name, members in teams.items()},
    )


def actor_of(event: Event, among: Directory) -> Person | None:
    """The one person who did it, if we know him."""
    found = among.of_event(event.actor, event.type) if event.actor else ()
    return found[0] if len(found) == 1 else None
