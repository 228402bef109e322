"""The shape of `tests.yml`, piece by piece, as pydantic models.

Never checks a piece against the rules or a fixture: that is done when the file is put together.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from relay.model import Via
from relay.schema import Part
from relay.trial.moment import Moment


def _listed(value: object) -> object:
    return value if isinstance(value, list) else [value]


def _person(value: object) -> object:
    """A portal id is written as a number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Text = Annotated[str, Field(min_length=1)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(_listed)]


class StepPart(Part):
    """One event: a fixture, what is changed in it, and when it comes."""

    fixture: Text
    changes: dict[str, Any] = Field({}, alias="set")
    at: Moment | None = None
    signed: bool = True


class CasePart(StepPart):
    """One test. ``expect`` is read by hand, so that one sentence can say what is wrong."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    before: tuple[StepPart, ...] = ()
    expect: Any
    because: str | None = None


class ExpectedPart(Part):
    """One message that must come. A missing key does not matter."""

    person: Annotated[Text, BeforeValidator(_person)]
    rule: str | None = None
    tag: str | None = None
    text: str | None = None
    contains: Texts = ()
    blocks: Texts = ()
    urgent: bool | None = None
    via: Via | None = None
    at: Moment | None = None
    delete: bool = False
