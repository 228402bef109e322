"""A message as Bitrix24 would show it, drawn by the stand-in portal from the very text and blocks that are sent.

Never makes HTML: notification.html walks these values, and escapes whatever is text.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from relay.model import Message
from relay.sandbox import bbcode, views
from relay.sandbox import words as portal_words
from relay.sandbox.refusals import Refusal
from relay.web.pages.shell import Site, language


@dataclass(frozen=True, slots=True)
class Preview:
    """``refused``: the portal would not take the blocks, and gets the text alone."""

    text: tuple[bbcode.Node, ...]
    attach: views.Attach | None = None
    refused: bool = False


def preview(message: Message) -> Preview:
    """What a recipient sees of a message."""
    blocks = None if message.attach is None else copy.deepcopy(dict(message.attach))
    try:
        return Preview(*views.drawn(message.text, blocks))
    except Refusal:
        return Preview(views.drawn(message.text, None)[0], refused=True)


def around(site: Site) -> dict[str, Any]:
    """What notification.html asks for beside the preview itself: the portal's own words, names, and dates."""
    spoken = language()

    def stamp(unix: int, form: str) -> str:
        return portal_words.stamp(spoken, views.local(unix), form)

    names = {str(person.id): person.name for person in site.rules.people.values() if person.id is not None}
    return {"words": portal_words.WORDS[spoken], "names": names, "stamp": stamp}
