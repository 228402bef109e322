"""BB-codes as the portal's client reads them: text into a tree that a template can show.

Never makes HTML, and never lets an address through that is not http or https. Bitrix24 REST docs, "Message
formatting"; the codes' patterns are those of the web client.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar, TypeAlias
from urllib.parse import urlsplit

from relay.sandbox.text import DASHES, shield

DEPTH = 24  # deeper nesting than anybody writes stays literal


@dataclass(frozen=True, slots=True)
class Text:
    kind: ClassVar[str] = "text"
    value: str


@dataclass(frozen=True, slots=True)
class Break:
    kind: ClassVar[str] = "break"


@dataclass(frozen=True, slots=True)
class Styled:
    """``style``: b, i, u or s."""

    kind: ClassVar[str] = "styled"
    style: str
    inside: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Sized:
    """``size``: 8 to 30 px."""

    kind: ClassVar[str] = "sized"
    size: int
    inside: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Coloured:
    """``colour``: ``#RGB`` or ``#RRGGBB``."""

    kind: ClassVar[str] = "coloured"
    colour: str
    inside: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """``href``: an http(s) address, or "" if it must not be clickable; ``target``: what was written."""

    kind: ClassVar[str] = "link"
    href: str
    target: str
    inside: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Mention:
    """A person (``[user=]``)."""

    kind: ClassVar[str] = "mention"
    person: str
    inside: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Chip:
    """Something a click would do on a real portal: ``action`` is send, put, call, chat, context or disk."""

    kind: ClassVar[str] = "chip"
    action: str
    value: str
    inside: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """An image; a stranger's is never fetched, so it is a name and perhaps an address."""

    kind: ClassVar[str] = "picture"
    href: str
    name: str


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time (Unix seconds) in the reader's own zone."""

    kind: ClassVar[str] = "moment"
    unix: int
    format: str


@dataclass(frozen=True, slots=True)
class Code:
    kind: ClassVar[str] = "code"
    value: str


@dataclass(frozen=True, slots=True)
class Quote:
    kind: ClassVar[str] = "quote"
    inside: tuple[Node, ...]


Node: TypeAlias = Text | Break | Styled | Sized | Coloured | Link | Mention | Chip | Picture | Moment | Code | Quote


def parse(text: str) -> tuple[Node, ...]:
    """Read what `text.on_read` (or ATTACH) gave; unclosed and unknown codes stay as text."""
    bare, codes = shield(text, ("code",))
    nodes: list[Node] = []
    for quoted, lines in groupby(_lines(bare), key=lambda line: line[0]):
        inside = _inline("\n".join(line for _, line in lines), codes)
        nodes += [Quote(inside)] if quoted else ([Break()] if nodes and not isinstance(nodes[-1], Quote) else [])
        nodes += () if quoted else inside
    return tuple(nodes)


def words(nodes: Iterable[Node]) -> str:
    """What a reader would see, without any look."""
    return "".join(
        "\n" if isinstance(node, Break) else words(node.inside) if hasattr(node, "inside") else _label(node)
        for node in nodes
    )


def _label(node: Node) -> str:
    if isinstance(node, Text | Code):
        return node.value
    return node.name if isinstance(node, Picture) else ""


def address(written: str) -> str:
    """``written`` if it is an http(s) address that may be clicked, else ""."""
    candidate = f"http://{written}" if written.lower().startswith("www.") else written
    if re.search(r"[\s\x00-\x20\x7f\\]", candidate):
        return ""
    try:
        parts = urlsplit(candidate)
        return candidate if parts.scheme in {"http", "https"} and parts.hostname else ""
    except ValueError:
        return ""


# --- quotes: lines that begin with ">>", or stand between two lines of 54 dashes


def _lines(text: str) -> list[tuple[bool, str]]:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    fences = [number for number, line in enumerate(lines) if line.strip() == DASHES]
    fenced = {n for start, end in zip(fences[::2], fences[1::2], strict=False) for n in range(start + 1, end)}
    paired = {*fences[: len(fences) // 2 * 2]}
    return [
        (number in fenced or line.startswith(">>"), line.removeprefix(">>") if number not in fenced else line)
        for number, line in enumerate(lines)
        if number not in paired
    ]


# --- codes within a line: one pass over the tokens with a stack of what is open

_TOKEN = re.compile(r"\0(?P<code>\d+)\0|\[(?P<close>/?)(?P<tag>[a-z]+)(?P<param>[= ][^\[\]\n]*)?\]|\n| {4}", re.I)
_PAIRED = frozenset(
    ["b", "i", "u", "s", "size", "color", "url", "user", "chat", "context", "send", "put", "call", "img"]
)


@dataclass(slots=True)
class _Open:
    tag: str
    param: str
    written: str
    inside: list[Node]


def _inline(text: str, codes: list[str]) -> tuple[Node, ...]:
    stack = [_Open("", "", "", [])]
    position = 0
    for token in _TOKEN.finditer(text):
        _add_text(stack[-1], text[position : token.start()])
        position = token.end()
        tag = (token["tag"] or "").lower()
        if not tag:
            stack[-1].inside.append(_plain(token, codes))
        elif token["close"]:
            _close(stack, tag, token[0])
        elif tag in _PAIRED and len(stack) <= DEPTH:
            stack.append(_Open(tag, token["param"] or "", token[0], []))
        else:
            _add_single(stack[-1], tag, token["param"] or "", token[0])
    _add_text(stack[-1], text[position:])
    while len(stack) > 1:
        _give_up(stack)
    return tuple(stack[0].inside)


def _plain(token: re.Match[str], codes: list[str]) -> Node:
    if token["code"]:
        return Code(re.sub(r"^\[code[^\]]*\]|\[/code[^\]]*\]$", "", codes[int(token["code"])], flags=re.I).strip("\n"))
    return Break() if token[0] == "\n" else Text("\t")


def _add_text(frame: _Open, text: str) -> None:
    if text:
        frame.inside.append(Text(text))


def _close(stack: list[_Open], tag: str, written: str) -> None:
    """Close the nearest ``tag``; codes left open inside it become text again."""
    if all(frame.tag != tag for frame in stack):
        _add_text(stack[-1], written)
        return
    while stack[-1].tag != tag:
        _give_up(stack)
    frame = stack.pop()
    node = _BUILDERS[tag](frame.param, tuple(frame.inside))
    if node is None:
        stack[-1].inside += [Text(frame.written), *frame.inside, Text(written)]
    else:
        stack[-1].inside.append(node)


def _give_up(stack: list[_Open]) -> None:
    frame = stack.pop()
    stack[-1].inside += [Text(frame.written), *frame.inside]


def _add_single(frame: _Open, tag: str, param: str, written: str) -> None:
    builder = _SINGLES.get(tag)
    node = builder(param) if builder else None
    frame.inside.append(node or Text(written))


# --- what each code makes; None = it is not understood and stays text

_Inside: TypeAlias = tuple["Node", ...]


def _value(param: str) -> str:
    return param[1:].strip() if param.startswith("=") else ""


def _style(tag: str) -> Callable[[str, _Inside], Node | None]:
    return lambda param, inside: None if param else Styled(tag, inside)


def _chip(action: str) -> Callable[[str, _Inside], Node | None]:
    return lambda param, inside: Chip(action, _value(param) or words(inside), inside)


def _size(param: str, inside: _Inside) -> Node | None:
    size = re.fullmatch(r"=(\d{1,4})", param)
    return Sized(min(max(int(size[1]), 8), 30), inside) if size else None


def _colour(param: str, inside: _Inside) -> Node | None:
    colour = re.fullmatch(r"=(#(?:[0-9a-f]{3}|[0-9a-f]{6}))", param, re.I)
    return Coloured(colour[1].lower(), inside) if colour else None


def _url(param: str, inside: _Inside) -> Node | None:
    target = _value(param) or words(inside).strip()
    return Link(address(target), target, inside or (Text(target),)) if target else None


def _user(param: str, inside: _Inside) -> Node | None:
    person = re.match(r"=(\d{1,18}|all)\b", param, re.I)
    return Mention(person[1], inside) if person else None


def _img(_param: str, inside: _Inside) -> Node | None:
    return _picture(words(inside).strip())


def _picture(target: str, name: str = "") -> Node | None:
    path = target.partition("?")[0].rstrip("/")
    return Picture(address(target), name or path.rpartition("/")[2] or target) if target else None


def _icon(param: str) -> Node | None:
    target = _value(param).partition(" ")[0]
    title = re.search(r"\stitle=(.*?)(?:\s(?:size|width|height)=|$)", param, re.I)
    return _picture(target, title[1].strip() if title else "")


def _timestamp(param: str) -> Node | None:
    moment = re.match(r"=(\d{1,11})(?:\s+format=(\w+))?", param, re.I)
    return Moment(int(moment[1]), (moment[2] or "").upper()) if moment else None


def _disk(param: str) -> Node | None:
    number = _value(param)
    return Chip("disk", number, (Text(f"disk {number}"),)) if number.isdigit() else None


_BUILDERS: dict[str, Callable[[str, _Inside], Node | None]] = {
    **{tag: _style(tag) for tag in "bius"},
    **{action: _chip(action) for action in ("send", "put", "call", "chat", "context")},
    "size": _size,
    "color": _colour,
    "url": _url,
    "user": _user,
    "img": _img,
}
_SINGLES: dict[str, Callable[[str], Node | None]] = {
    "br": lambda _param: Break(),
    "icon": _icon,
    "timestamp": _timestamp,
    "disk": _disk,
}
