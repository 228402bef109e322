"""An event in the built-in words of every language, with what decides how it is shown.

Never asks the rules: whom it concerns stands here as the sender names people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from relay.model import Event
from relay.render import Reader, Wording, compose
from relay.render import colour as colours
from relay.render.reader import Locale

LOCALES: tuple[Locale, ...] = get_args(Locale)
ROLES = ("actor", "author", "assignees", "reviewers", "mentioned", "committers", "owners")


@dataclass(frozen=True, slots=True)
class Exhibit:
    """``name`` says where the event comes from: ``github/pull_request__merged``. ``colour`` is #rrggbb or ``""``."""

    name: str
    event: Event
    colour: str
    wordings: Mapping[Locale, Wording]

    @property
    def kind(self) -> str:
        """``pull_request.closed``."""
        return ".".join(filter(None, (self.event.event, self.event.action)))


def exhibit(name: str, event: Event, *, timezone: str = "Europe/Moscow") -> Exhibit:
    """Word an event for a reader of each language.

    Args:
        timezone: the readers', an IANA name.
    """
    wordings = {
        locale: compose(event, None, reader=Reader("Ivan", locale, timezone), rule="gallery") for locale in LOCALES
    }
    return Exhibit(name, event, colours.of(event), wordings)


def people(event: Event) -> dict[str, tuple[str, ...]]:
    """Those whom an event names, by their role; roles without anybody are left out."""
    found = {role: getattr(event, role) for role in ROLES}
    return {role: (names,) if isinstance(names, str) else tuple(names) for role, names in found.items() if names}
