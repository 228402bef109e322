"""What the page shows of the portal: cards of people, bubbles of notifications, blocks of attachments.

Never makes HTML: a template walks these values, and escapes whatever is text.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from relay.sandbox import attach, bbcode, text, words
from relay.sandbox.attach import Block
from relay.sandbox.bell import Notification
from relay.sandbox.people import OWNER, Person
from relay.sandbox.php import Value, integer, items
from relay.sandbox.php import text as cast
from relay.sandbox.portal import Portal

SHOWN = 30  # notifications of one person; more would hide the others
_TOKENS = {"primary": "#2067b0", "secondary": "#6f7a86", "alert": "#d9412b", "base": ""}


@dataclass(frozen=True, slots=True)
class Card:
    """A person's notification centre. ``note`` is a key of `words.WORDS`, or ""."""

    person: Person
    initials: str
    hue: int
    note: str
    bubbles: list[Bubble]
    older: int
    unread: int


@dataclass(frozen=True, slots=True)
class Bubble:
    """One notification as its reader sees it."""

    shown: Notification
    author: str
    initials: str
    hue: int
    when: str
    iso: str
    text: tuple[bbcode.Node, ...]
    attach: Attach | None


@dataclass(frozen=True, slots=True)
class Attach:
    """``bar``: the colour on the left, "" = the plain one."""

    bar: str
    blocks: list[dict[str, Any]]


def cards(portal: Portal, language: str) -> list[Card]:
    """Everybody, in the order of ids."""
    now = local(portal.now())
    people = {person.id: person for person in portal.people}
    return [_card(portal, person, people, language, now) for person in people.values()]


def drawn(message: str, attachment: dict[str, Any] | None) -> tuple[tuple[bbcode.Node, ...], Attach | None]:
    """The text and the blocks of a notification that nobody has sent, as its reader would see them.

    Raises:
        Refusal: the portal would not take the attachment.
    """
    stored = attach.normalise(attachment, now=0.0)
    sent = text.on_send(message, visible=lambda _: True)
    return bbcode.parse(text.on_read(sent)), _attach(stored) if stored else None


def local(moment: float) -> datetime:
    """A point in time in the zone of this machine, which is the reader's."""
    return datetime.fromtimestamp(moment).astimezone()


def _card(portal: Portal, person: Person, people: dict[int, Person], language: str, now: datetime) -> Card:
    total, unread = portal.tally(person.id)
    shown = portal.notifications(person.id, SHOWN)
    return Card(
        person=person,
        initials=_initials(person.full_name),
        hue=person.id % 8,
        note=_note(person),
        bubbles=[_bubble(one, people.get(one.author), language, now) for one in shown],
        older=max(0, total - SHOWN),
        unread=unread,
    )


def _note(person: Person) -> str:
    if person.bot:
        return "bot"
    if not person.active:
        return "dismissed"
    return "muted" if person.muted else "owner" if person.id == OWNER else ""


def _initials(name: str) -> str:
    return "".join(word[0] for word in name.split()[:2]).upper()


def _bubble(shown: Notification, author: Person | None, language: str, now: datetime) -> Bubble:
    created = local(shown.created)
    name = author.full_name if author else words.WORDS[language]["system"]
    return Bubble(
        shown=shown,
        author=name,
        initials=_initials(name),
        hue=shown.author % 8,
        when=words.when(language, created, now),
        iso=created.isoformat(timespec="seconds"),
        text=bbcode.parse(text.on_read(shown.text)),
        attach=_attach(shown.attach) if shown.attach else None,
    )


# --- attachments


def _attach(stored: Block) -> Attach:
    bar = cast(stored.get("COLOR")) or _TOKENS[cast(stored.get("COLOR_TOKEN"))]
    return Attach(bar, [_BLOCKS[kind](raw) for _, block in items(stored["BLOCKS"]) for kind, raw in items(block)])


def _message(raw: Value) -> dict[str, Any]:
    return {"kind": "message", "text": bbcode.parse(cast(raw["TEXT"] if isinstance(raw, dict) else raw))}


def _links(raw: Value) -> dict[str, Any]:
    return {"kind": "links", "items": [_link(item) for _, item in items(raw)]}


def _link(raw: Value) -> dict[str, Any]:
    fields = dict(items(raw))
    target = cast(fields.get("LINK"))
    return {
        "name": cast(fields.get("NAME")) or target,
        "href": bbcode.address(target),
        "target": target,
        "description": cast(fields.get("HTML")) or cast(fields.get("DESC")),
        "preview": _picture(cast(fields.get("PREVIEW")) or cast(fields.get("EXTRA_IMAGE"))),
    }


def _images(raw: Value) -> dict[str, Any]:
    pictures = [dict(items(one)) for one in _values(raw)]
    return {"kind": "images", "items": [_picture(cast(one["LINK"]), cast(one.get("NAME"))) for one in pictures]}


def _picture(target: str, name: str = "") -> bbcode.Picture | None:
    return bbcode.Picture(bbcode.address(target), name or target.rpartition("/")[2] or target) if target else None


def _files(raw: Value) -> dict[str, Any]:
    return {"kind": "files", "items": [_file(dict(items(one))) for one in _values(raw)]}


def _file(fields: dict[str, Value]) -> dict[str, Any]:
    target = cast(fields.get("LINK"))
    return {
        "name": cast(fields.get("NAME")) or target.rpartition("/")[2] or target,
        "href": bbcode.address(target),
        "size": _bytes(integer(fields.get("SIZE"))),
    }


def _bytes(size: int) -> str:
    for unit in ("B", "KB", "MB"):
        if size < 1024:
            return f"{size}\u00a0{unit}" if size else ""
        size //= 1024
    return f"{size}\u00a0GB"


def _grid(raw: Value) -> dict[str, Any]:
    """Neighbours of one DISPLAY stand together."""
    groups: list[tuple[str, list[dict[str, Any]]]] = []
    for fields in (dict(items(one)) for one in _values(raw)):
        display = cast(fields.get("DISPLAY")).lower()
        if not groups or groups[-1][0] != display:
            groups.append((display, []))
        groups[-1][1].append(_cell(fields))
    return {"kind": "grid", "groups": groups}


def _cell(fields: dict[str, Value]) -> dict[str, Any]:
    target = cast(fields.get("LINK"))
    return {
        "name": cast(fields.get("NAME")),
        "value": bbcode.parse(cast(fields.get("VALUE"))),
        "href": bbcode.address(target),
        "colour": cast(fields.get("COLOR")) or _TOKENS.get(cast(fields.get("COLOR_TOKEN")), ""),
        "width": min(integer(fields.get("WIDTH")), 400),
    }


def _delimiter(raw: Value) -> dict[str, Any]:
    fields = dict(items(raw))
    return {"kind": "delimiter", "size": integer(fields.get("SIZE")), "colour": cast(fields.get("COLOR"))}


def _users(raw: Value) -> dict[str, Any]:
    return {"kind": "users", "items": [_user(dict(items(one))) for one in _values(raw)]}


def _user(fields: dict[str, Value]) -> dict[str, Any]:
    name = cast(fields.get("NAME"))
    href = bbcode.address(cast(fields.get("LINK")))
    return {"name": name, "initials": _initials(name), "href": href, "hue": integer(fields.get("USER_ID")) % 8}


def _values(raw: Value) -> list[Value]:
    return [item for _, item in items(raw)]


_BLOCKS = {
    "MESSAGE": _message,
    "LINK": _links,
    "RICH_LINK": _links,
    "IMAGE": _images,
    "FILE": _files,
    "GRID": _grid,
    "DELIMITER": _delimiter,
    "USER": _users,
}
