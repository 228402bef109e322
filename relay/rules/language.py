"""The shape of `rules.yaml`, piece by piece, as pydantic models.

Never checks what one piece says of another: a name that nobody has is found when the file is put together.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, create_model

from relay.model import Via
from relay.rules.people import DEFAULT_LOCALE, DEFAULT_TIMEZONE, MAX_ID, WITHOUT_LOGINS, Locale
from relay.schema import Part
from relay.sources import SENDERS

OnResolve = Literal["replace", "delete", "skip"]

LOGINS = tuple(kind for kind in SENDERS if kind not in WITHOUT_LOGINS)


def _no_flag(value: object) -> object:
    """pydantic takes true for 1; a portal id it is not."""
    if isinstance(value, bool):
        raise ValueError("must be a whole number")
    return value


def _listed(value: object) -> object:
    return value if isinstance(value, list) else [value]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # not found; a directory of zones; a path that leads out of them
        raise ValueError("is no time zone: write one such as Europe/Moscow") from None
    return name


def _email(value: list[str]) -> list[str]:
    if not all("@" in each.strip("@") for each in value):
        raise ValueError("is no e-mail address")
    return value


PortalId = Annotated[int, BeforeValidator(_no_flag), Field(ge=1, le=MAX_ID)]
Names = Annotated[
    list[Annotated[str, Field(min_length=1)]],
    BeforeValidator(_listed),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]


class PersonPart(Part):
    """One person: the portal's id, and the names senders know him by."""

    id: PortalId | None = Field(None, description="the user's id in the portal")
    email: Annotated[Names, AfterValidator(_email)] = Field([], description="one e-mail, or several")
    locale: Locale = DEFAULT_LOCALE
    timezone: Annotated[str, AfterValidator(_zone)] = Field(DEFAULT_TIMEZONE, description="such as Europe/Moscow")


# One key for each kind of sender that has accounts.
_LOGIN_FIELDS: dict[str, Any] = {
    kind: (Names, Field([], description=f"login on {kind}, or several")) for kind in LOGINS
}
PersonOptions: type[PersonPart] = create_model("Person", __base__=PersonPart, **_LOGIN_FIELDS)

SECTIONS = ("version", "portal", "portals", "sources", "people", "teams", "templates", "rules", "default")

# Read by hand, so that one sentence can say what is wrong; editor.py describes them.
To = Annotated[Any, WithJsonSchema({"see": "To"})]
When = Annotated[dict[str, Any], WithJsonSchema({"see": "When"})]
TemplateName = Annotated[Any, WithJsonSchema({"see": "TemplateName"})]


class Telling(Part):
    """Whom to tell, and how: what rules under a rule inherit."""

    to: To = Field(None, description="whom to tell; an empty list drops the event")
    template: TemplateName = Field(None, description="a template's name, or a template")
    tag: str | None = Field(None, description="a newer message of this tag replaces the older; a template line")
    via: Via | None = None
    urgent: bool | None = None
    on_resolve: OnResolve | None = Field(None, description="what becomes of the message when the event is resolved")
    fallback: To = Field(None, description="who is told when nobody is known by the event's name")
    include_actor: bool | None = Field(None, description="tell also whoever did it")
    portal: str | None = Field(None, description="a name under portals:")


class DefaultPart(Telling):
    """What happens to an event that no rule wants."""


class RulePart(Telling):
    """One rule."""

    name: str = Field("", max_length=100)
    when: When = Field({}, description="conditions, all of which must hold")
    goes_on: bool = Field(False, alias="continue", description="ask the rules after this one too")
    rules: list[RulePart] = Field([], description="finer rules: they inherit what they do not say themselves")
