"""A notification as lines of text: for a terminal, and for files that people compare.

Never cuts anything, and keeps the BB-code: it is what is sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from relay.gallery.exhibit import Exhibit, people
from relay.render.bbcode import BREAK
from relay.render.reader import Locale

BAR = "│ "


def lines(shown: Exhibit, locale: Locale) -> Iterator[str]:
    """An exhibit in one language: its name, what decides about it, its text and its blocks."""
    event = shown.event
    yield f"── {shown.name} · {shown.kind}"
    facts = {"state": event.state, "severity": event.severity, "conclusion": event.conclusion, "colour": shown.colour}
    yield ", ".join(f"{name} {value}" for name, value in facts.items() if value)
    yield f"tag {event.key or '(none)'}"
    yield "; ".join(f"{role} {', '.join(names)}" for role, names in people(event).items()) or "(names nobody)"
    wording = shown.wordings[locale]
    yield from message_lines(wording.text, wording.attach, wording.note)


def message_lines(text: str, attach: Mapping[str, Any] | None, note: str = "") -> Iterator[str]:
    """The text, the blocks behind a bar, and a note on what went wrong."""
    yield from _plain(text).splitlines()
    yield from (BAR + line for line in _attach_lines(attach))
    if note:
        yield f"note: {note}"


def _attach_lines(attach: Mapping[str, Any] | None) -> Iterator[str]:
    """ATTACH: its description in brackets, then a line for each line of its blocks."""
    if attach is None:
        return
    if description := attach.get("DESCRIPTION"):
        yield f"({_plain(description)})"
    for block in attach["BLOCKS"]:
        for kind, value in block.items():
            for one in value if isinstance(value, list) else [value]:
                yield from _block(kind, one)


def _block(kind: str, value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from _plain(value).splitlines()
    elif kind == "GRID":
        yield f"{_plain(value.get('NAME', ''))}: {_plain(value.get('VALUE', ''))}"
    else:
        yield f"{kind.lower()}: {' · '.join(_plain(str(part)) for part in value.values())}"


def _plain(text: str) -> str:
    return text.replace(BREAK, "")
