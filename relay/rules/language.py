"""The shape of `rules.yaml`, piece by piece, as pydantic models.

Never checks what one piece says of another: a name that nobody has is found when the file is put together.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, create_model

from relay.model import Via
from relay.rules.people import DEFAULT_LOCALE, DEFAULT_TIMEZONE, MAX_ID, WITHOUT_LOGINS, Locale
from relay.rules.times import Zone
from relay.schema import Duration, Part
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
Quiet = Annotated[  # read by hand, as `to:` is
    Any, WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})
]


class PersonPart(Part):
    """One person: the portal's id, and the names senders know him by."""

    id: PortalId | dict[str, PortalId] | None = Field(
        None, description="the user's id in the portal; by the portal's name where it is another in each"
    )
    email: Annotated[Names, AfterValidator(_email)] = Field([], description="one e-mail, or several")
    locale: Locale = DEFAULT_LOCALE
    timezone: Zone = Field(DEFAULT_TIMEZONE, description="such as Europe/Moscow")
    quiet: Quiet = Field(None, description='hours such as "22:00-08:00", or names under times:')


# One key for each kind of sender that has accounts.
_LOGIN_FIELDS: dict[str, Any] = {
    kind: (Names, Field([], description=f"login on {kind}, or several")) for kind in LOGINS
}
PersonOptions: type[PersonPart] = create_model("Person", __base__=PersonPart, **_LOGIN_FIELDS)

VERSION = 1
INCLUDE = "include"  # other files whose sections belong to this one's

SECTIONS = (
    "version",
    INCLUDE,
    "portal",
    "portals",
    "sources",
    "people",
    "teams",
    "times",
    "oncall",
    "templates",
    "retention",
    "inhibit",
    "rules",
    "default",
)

# Read by hand, so that one sentence can say what is wrong; editor.py describes them.
To = Annotated[Any, WithJsonSchema({"see": "To"})]
When = Annotated[dict[str, Any], WithJsonSchema({"see": "When"})]
TemplateName = Annotated[Any, WithJsonSchema({"see": "TemplateName"})]


class GroupPart(Part):
    """One notification for many events, replaced as they come."""

    by: Names = Field([], description="words by which events are told apart, such as labels.cluster")
    wait: Duration = Field(30.0, description="before the first notification, such as 30s")
    interval: Duration = Field(300.0, gt=0, description="before the next one, when something has changed, such as 5m")
    max: Annotated[int, BeforeValidator(_no_flag), Field(ge=1, le=100)] = Field(20, description="events listed")


class ThrottlePart(Part):
    """At most so many messages to one person; the rest comes together at the end."""

    max: Annotated[int, BeforeValidator(_no_flag), Field(ge=1, le=1000)]
    per: Duration = Field(gt=0, description="such as 10m")


class InhibitPart(Part):
    """While something of `source` lasts, nothing of `target` is told, where the words of `equal` are the same."""

    name: str = Field("", max_length=100)
    source: When
    target: When
    equal: Names = Field([], description="words such as labels.cluster")


class Telling(Part):
    """Whom to tell, and how: what rules under a rule inherit."""

    to: To = Field(None, description="whom to tell; an empty list drops the event")
    template: TemplateName = Field(None, description="a template's name, or a template")
    tag: str | None = Field(None, description="a newer message of this tag replaces the older; a template line")
    via: Via | None = None
    urgent: bool | None = None
    on_resolve: OnResolve | None = Field(None, description="what becomes of the message when the event is resolved")
    fallback: To = Field(None, description="who is told when nobody is known by the event's name")
    only_if: Names | None = Field(None, description="of those in to:, only whom the event names so, as reviewer")
    mute: Names | None = Field(None, description="names under times: during which nobody is told")
    active: Names | None = Field(None, description="names under times: outside of which nobody is told")
    include_actor: bool | None = Field(None, description="tell also whoever did it")
    group: GroupPart | Literal[False] | None = Field(None, description="one notification for many events; false: none")
    throttle: ThrottlePart | Literal[False] | None = Field(None, description="not more than so many; false: no limit")
    repeat: Duration | Literal[False] | None = Field(
        None, description="time in which the same words are not told again, such as 4h; false: tell each time"
    )
    portal: str | None = Field(None, description="a name under portals:")


class DefaultPart(Telling):
    """What happens to an event that no rule wants."""


class RulePart(Telling):
    """One rule."""

    name: str = Field("", max_length=100)
    when: When = Field({}, description="conditions, all of which must hold")
    goes_on: bool = Field(False, alias="continue", description="ask the rules after this one too")
    rules: list[RulePart] = Field([], description="finer rules: they inherit what they do not say themselves")
