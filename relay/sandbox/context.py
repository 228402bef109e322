"""What a method is given and what it answers.

Never does anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from relay.sandbox.bell import Bell
from relay.sandbox.params import Params
from relay.sandbox.people import Directory, Person
from relay.sandbox.php import Value
from relay.sandbox.settings import Settings

ADDED_BY_SERVER = frozenset({"AUTH", "ACCESS_TOKEN", "APLOGIN", "AP", "START", "STATE"})
"""Names of parameters that the portal's framework takes for itself; no method sees them."""


@dataclass(frozen=True, slots=True)
class App:
    """The one OAuth application that is installed."""

    client_id: str = "local.sandbox"
    client_secret: str = "sandbox-client-secret"  # noqa: S105 - a published default of a toy
    name: str = "Relay"
    redirect_uri: str = "http://localhost/"
    application_token: str = "sandbox-application-token"  # noqa: S105 - as above


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose rights a call has, and by which key it came."""

    kind: Literal["webhook", "app"]
    person: Person


@dataclass(frozen=True, slots=True)
class Context:
    """The world of one command. ``params`` has upper-case names; ``now`` is Unix seconds."""

    people: Directory
    bell: Bell
    settings: Settings
    app: App
    caller: Caller
    params: Params
    now: float
    start: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """A method's result; lists that have pages add ``total`` and ``next``."""

    result: Value
    total: int | None = None
    next: int | None = None


@dataclass(frozen=True, slots=True)
class Method:
    """A row of the table of methods: any one of ``scopes`` is enough, none is needed if it is empty."""

    run: Callable[[Context], Answer]
    scopes: tuple[str, ...] = ()

    def granted(self, scopes: tuple[str, ...]) -> bool:
        """Do a key's ``scopes`` reach this method?"""
        return not self.scopes or bool({*self.scopes} & {*scopes})


Methods: TypeAlias = dict[str, Method]
