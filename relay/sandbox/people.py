"""Who works on this portal, and how the portal describes them.

Never sends them anything: `bell` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from relay.sandbox.php import Value

OWNER = 1


@dataclass(frozen=True, slots=True)
class Person:
    """A row of the portal's user table. ``muted``: has switched notifications off; ``absent``: ISO date of return."""

    id: int
    name: str
    last_name: str = ""
    email: str = ""
    active: bool = True
    muted: bool = False
    bot: bool = False
    extranet: bool = False
    login: str = ""
    position: str = ""
    time_zone: str = ""
    absent: str = ""
    departments: tuple[int, ...] = (1,)

    @property
    def full_name(self) -> str:
        """First and last name."""
        return f"{self.name} {self.last_name}".strip()

    @property
    def receives(self) -> bool:
        """Dismissed people and technical accounts receive nothing."""
        return self.active and not self.bot


DEMO_PEOPLE = (
    Person(OWNER, "Администратор", login="admin", email="admin@example.com"),
    Person(17, "Иван", "Петров", "ivan@example.com", position="Бэкенд", time_zone="Europe/Moscow"),
    Person(18, "Ольга", "Смирнова", "olga@example.com", position="Эксплуатация"),
    Person(19, "Dana", "Akhmetova", "dana@example.com", position="Frontend", time_zone="Asia/Almaty"),
    Person(20, "Сергей", "Волков", "sergey@example.com", active=False),
    Person(21, "Анна", "Кузнецова", "anna@example.com", muted=True),
)


class Directory:
    """The people by id. Not thread-safe: the portal holds its lock round it."""

    def __init__(self, people: Iterable[Person]) -> None:
        self._people = {person.id: person for person in people}

    def __iter__(self) -> Iterator[Person]:
        return iter(sorted(self._people.values(), key=lambda person: person.id))

    def get(self, number: int) -> Person | None:
        """The person, also a dismissed one; None = no such id."""
        return self._people.get(number)

    def named(self, id_or_login: str) -> Person | None:
        """The person of a webhook's URL: there a login may stand for the id."""
        if id_or_login.isascii() and id_or_login.isdigit():
            return self.get(int(id_or_login[:18]))
        return next((person for person in self if person.login and person.login == id_or_login), None)

    def change(self, number: int, changes: Mapping[str, object]) -> None:
        """Add a person or change one.

        Raises:
            ValueError: a field is unknown or has a wrong type, or a new person has no name.
        """
        known = {field.name: field for field in fields(Person)}
        for name, value in changes.items():
            expected = {"bool": bool, "str": str, "int": int}.get(str(known[name].type)) if name in known else None
            if expected is None or name == "id" or not isinstance(value, expected):
                raise ValueError(f"people: {name!r} is unknown or cannot have this value")
        there = self._people.get(number)
        if there is None and "name" not in changes:
            raise ValueError("people: a new person needs a name")
        values: dict[str, Any] = dict(changes)
        self._people[number] = replace(there, **values) if there else Person(number, **values)


def as_user(person: Person, *, with_email: bool) -> dict[str, Value]:
    """A row of ``user.get``; the scope ``user_brief`` knows no e-mail."""
    row: dict[str, Value] = {
        "ID": str(person.id),
        "XML_ID": f"person-{person.id}",
        "ACTIVE": person.active,
        "NAME": person.name,
        "LAST_NAME": person.last_name,
        "EMAIL": person.email,
        "DATE_REGISTER": "2025-02-11T00:00:00+00:00",
        "TIME_ZONE": person.time_zone,
        "IS_ONLINE": "N",
        "WORK_POSITION": person.position,
        "UF_DEPARTMENT": [] if person.extranet else list(person.departments),
        "USER_TYPE": "extranet" if person.extranet else "employee",
    }
    return row if with_email else {name: value for name, value in row.items() if name != "EMAIL"}


def as_im_user(person: Person) -> dict[str, Value]:
    """A person as ``im.user.get`` and ``im.notify.get`` show him."""
    return {
        "id": person.id,
        "active": person.active,
        "name": person.full_name,
        "first_name": person.name,
        "last_name": person.last_name,
        "work_position": person.position,
        "color": "#4ba5c3",
        "avatar": "",
        "gender": "M",
        "birthday": "",
        "extranet": person.extranet,
        "network": False,
        "bot": person.bot,
        "connector": False,
        "external_auth_id": "bot" if person.bot else "default",
        "status": "online",
        "idle": False,
        "last_activity_date": False,
        "absent": person.absent or False,
        "departments": [] if person.extranet else list(person.departments),
        "phones": False,
        "type": "extranet" if person.extranet else "user",
        "website": "",
        "email": person.email,
    }
