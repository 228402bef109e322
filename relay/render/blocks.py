"""What `templates:` in `rules.yaml` says: the schema of a template and of the blocks below its text.

Never renders anything. The keys are the portal's own, in lower case (ATTACH, Bitrix24 REST docs); every value is a
Jinja text, so that numbers may be written both as numbers and as text.
"""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from relay.schema import Part


class Reading(Enum):
    """How a rendered value becomes a value of the portal."""

    WORDS = "BB-code"
    ADDRESS = "an http(s) address"
    NUMBER = "a whole number"
    CHOICE = "one of the portal's words, written in capitals there"
    COLOUR = "#rrggbb or a name"
    SHADE = "one of the portal's colour tokens"


Words = Annotated[str, Reading.WORDS]
Address = Annotated[str, Reading.ADDRESS]
Number = Annotated[int | str, Reading.NUMBER]
Colour = Annotated[str, Reading.COLOUR]
Token = Annotated[Literal["", "primary", "secondary", "alert", "base"], Reading.SHADE]
Display = Annotated[Literal["block", "line", "row", "table"], Reading.CHOICE]
AvatarType = Annotated[Literal["", "user", "chat", "bot"], Reading.CHOICE]


class Link(Part):
    """A link with a picture and a line of explanation."""

    link: Address
    name: Words = ""
    desc: Words = ""
    preview: Address = ""
    width: Number = ""
    height: Number = ""


class RichLink(Part):
    """A link drawn as a card."""

    link: Address
    name: Words = ""
    desc: Words = ""
    preview: Address = ""


class Image(Part):
    """A picture, which the reader's own client fetches."""

    link: Address
    name: Words = ""
    preview: Address = ""
    width: Number = ""
    height: Number = ""


class File(Part):
    """A file to download; ``size`` in bytes."""

    link: Address
    name: Words = ""
    size: Number = ""


class GridItem(Part):
    """One fact of a grid. It is left out when its value comes out empty."""

    each: str = Field(default="", description="an expression: one fact for each of its items, called `item`")
    name: Words = ""
    value: Words
    display: Display = "row"
    width: Number = ""
    height: Number = ""
    color: Colour = ""
    color_token: Token = ""
    link: Address = ""
    user_id: Number = ""
    chat_id: Number = ""


class Delimiter(Part):
    """A line across; ``size`` is its length in pixels."""

    size: Number = ""
    color: Colour = ""


class User(Part):
    """A person."""

    name: Words
    avatar: Address = ""
    avatar_type: AvatarType = ""
    link: Address = ""
    user_id: Number = ""
    chat_id: Number = ""
    bot_id: Number = ""
    network_id: Number = ""


class Block(Part):
    """One block: exactly one of the keys below `each`."""

    each: str = Field(default="", description="an expression: one block for each of its items, called `item`")
    message: Words | None = None
    link: Link | list[Link] | None = None
    rich_link: RichLink | None = None
    image: Image | list[Image] | None = None
    file: File | list[File] | None = None
    grid: list[GridItem] | None = None
    delimiter: Delimiter | None = None
    user: User | list[User] | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if len(self.given()) != 1:
            kinds = ", ".join(name for name in Block.model_fields if name != "each")
            raise ValueError(f"a block has exactly one of: {kinds}")
        return self

    def given(self) -> dict[str, Any]:
        """What the block holds, by its key."""
        return {
            name: getattr(self, name)
            for name in Block.model_fields
            if name != "each" and getattr(self, name) is not None
        }


class TemplateSpec(Part):
    """A template of the rules file."""

    text: str = Field(description="the notification's text, in BB-code; push and lock screens show it")
    color: str = Field(default="", description="empty: by the event; #rrggbb; red, amber, green…; primary, alert…")
    description: str = Field(default="", description="what push shows in the place of the blocks")
    blocks: list[Block] = Field(default=[], description="what the portal shows below the text")
