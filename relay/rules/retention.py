"""The section `retention:`: how long what is finished is kept.

Never looks at what there is: it says for how long, and `relay.upkeep` does it. What is not finished has no age: an
event that waits for its decision, a message that waits or is held, and the event that it tells of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from relay.rules.complaints import Complaints
from relay.rules.pieces import validated
from relay.schema import Duration, Part

SECTION = "retention"
DAY = 86_400.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """For how long, in seconds, counted from the end: an event's decision, a message's last word."""

    payloads: float = 14 * DAY
    events: float = 90 * DAY
    messages: float = 90 * DAY


DEFAULT = Retention()


def _at_least(days: int) -> Callable[[float], float]:
    def checked(seconds: float) -> float:
        if seconds < days * DAY:
            raise ValueError(f"must be at least {days}d")
        return seconds

    return checked


# GitHub has a delivery for three days in which it can be asked for again (GitHub docs, Redelivering webhooks): so long
# the journal must know what it has had, and a day more.
_Days = Annotated[Duration, AfterValidator(_at_least(1))]
_DaysOfEvents = Annotated[Duration, AfterValidator(_at_least(4))]


class RetentionPart(Part):
    """How long what is finished is kept."""

    payloads: _Days = Field(DEFAULT.payloads, description="what was posted: bodies and headers, such as 14d")
    events: _DaysOfEvents = Field(DEFAULT.events, description="the journal, such as 90d; not less than 4d")
    messages: _Days = Field(DEFAULT.messages, description="the outbox, such as 90d")


def section(data: Mapping[str, Any], complaints: Complaints) -> Retention:
    """Read `retention:`; what it does not say is as usual."""
    if SECTION not in data:
        return DEFAULT
    part = validated(RetentionPart, data[SECTION], (SECTION,), complaints)
    if part is None:
        return DEFAULT
    # A replay asks the outbox who has been told of a later state. It needs the payload, so whatever came later than an
    # event whose payload is there must be there too.
    for key, whose in (("events", "the event is"), ("messages", "who was told of later states is")):
        if part.payloads > getattr(part, key):
            complaints.error((SECTION, "payloads"), f"is longer than {key}: a payload is of no use when {whose} gone")
    return Retention(payloads=part.payloads, events=part.events, messages=part.messages)
