"""Markdown, as GitHub writes it, in Bitrix24's BB-code.

Never lets the writer's text become markup of its own: links go where clean_address lets them, HTML tags are dropped,
the rest is words.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from markdown_it import MarkdownIt
from markdown_it.token import Token

from relay.render.address import clean_address, host_of
from relay.render.bbcode import BB, Piece, Rich, Words

MAX_INPUT = 65_536  # characters; markdown-it stays well under a second on hostile input of this size

Line = tuple[Piece, ...]
Block = list[Line]

_TASK = re.compile(r"\[([ xX])\]\s+")
_BARE_ADDRESS = re.compile(r"https?://[^\s<>\[\]\"'`]*[^\s<>\[\]\"'`.,;:!?)*_~]", re.IGNORECASE)
_HTML_TAG = re.compile(
    r"</?(?:a|b|blockquote|br|center|code|dd|del|details|div|dl|dt|em|font|h[1-6]|hr|i|img|ins|kbd|li|ol|p|picture|"
    r"pre|q|s|samp|small|source|span|strike|strong|sub|summary|sup|table|tbody|td|tfoot|th|thead|tr|tt|u|ul|var)"
    r"\b[^<>]*>",
    re.IGNORECASE,
)
_STYLES = {"strong": "b", "em": "i", "s": "s"}


def markdown(text: str, limit: int | None = None) -> Rich:
    """Markdown as BB-code, by whole blocks; of a block that alone is longer than ``limit``, the beginning."""
    blocks: list[Block] = []
    used = 0
    most = MAX_INPUT if limit is None else min(MAX_INPUT, 4_000 + 20 * limit)  # comments and markup count for nothing
    for block in render(text[:most]):
        length = sum(len(Rich(line)) + 1 for line in block)
        if limit is not None and used + length > limit:
            blocks.append([_cut(block, limit)] if not blocks else [(Words("…"),)])
            break
        blocks.append(block)
        used += length
    if len(text) > most and (limit is None or used <= limit):
        blocks.append([(Words("…"),)])
    return Rich(_joined(blocks))


def render(text: str) -> Iterator[Block]:
    """The blocks of a Markdown text, in their order."""
    if len(text.strip()) == 0:
        return
    tokens = _parser().parse(text)
    yield from _blocks(tokens, _Place())


@functools.cache
def _parser() -> MarkdownIt:
    # `html` gives HTML as tokens of its own; nothing of it is passed on. Depth is capped by maxNesting (20).
    return MarkdownIt("commonmark", {"html": True, "breaks": True}).enable(["table", "strikethrough"])


def _cut(block: Block, limit: int) -> Line:
    plain = " ".join(Rich(line) for line in block)
    return (Words(plain[:limit].rsplit(" ", 1)[0].rstrip() + "…"),)


def _joined(blocks: Sequence[Block]) -> Iterator[Piece]:
    lines = [line for block in blocks for line in block]
    for index, line in enumerate(lines):
        if index:
            yield BB("\n")
        yield from line


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the document a block stands."""

    quoted: bool = False
    level: int = -1  # of lists within lists
    bullet: str = ""  # what the next line begins with, if it is an item's first

    def line(self, line: Line) -> Line:
        indent = "    " * max(0, self.level)
        if self.level >= 0 and not self.bullet:
            indent += "  "
        return (BB((">>" if self.quoted else "") + indent + self.bullet), *line)


def _blocks(tokens: Sequence[Token], place: _Place) -> Iterator[Block]:
    at = 0
    while at < len(tokens):
        token, end = tokens[at], _end(tokens, at)
        blocks = list(_block(token, tokens[at + 1 : end], place))
        yield from blocks
        if blocks:
            place = replace(place, bullet="")  # only an item's first line has it
        at = end + 1


def _end(tokens: Sequence[Token], start: int) -> int:
    """The index of the token that closes the one at ``start``, which may be itself."""
    depth = 0
    for index in range(start, len(tokens)):
        depth += tokens[index].nesting
        if depth == 0:
            return index
    return len(tokens) - 1


def _block(token: Token, inner: Sequence[Token], place: _Place) -> Iterator[Block]:
    match token.type:
        case "heading_open":
            bold = [
                Rich((BB("[b]"), *(p for p in line if p not in ("[b]", "[/b]")), BB("[/b]"))) for line in _text(inner)
            ]
            yield [place.line(line.pieces) for line in bold]
        case "paragraph_open":
            if lines := _paragraph(inner, place):
                yield lines
        case "inline":
            yield [place.line(line) for line in _inline(token.children or ())]
        case "bullet_list_open" | "ordered_list_open":
            yield from _list(token, inner, place)
        case "blockquote_open":
            yield from _blocks(inner, replace(place, quoted=True))
        case "fence" | "code_block":
            yield _code(token.content.rstrip("\n"), place)
        case "table_open":
            yield from _table(inner, place)
        case "html_block":
            if lines := [place.line((Words(line),)) for line in _without_html(token.content)]:
                yield lines
        case "hr":
            yield [place.line((BB("———"),))]


def _text(tokens: Sequence[Token]) -> list[Line]:
    return [line for token in tokens if token.type == "inline" for line in _inline(token.children or ())]


def _paragraph(tokens: Sequence[Token], place: _Place) -> Block:
    lines = _text(tokens)
    if place.bullet and lines and lines[0] and (task := _TASK.match(lines[0][0])):
        box = "☐ " if task[1] == " " else "☑ "
        lines[0] = (Words(lines[0][0][task.end() :]), *lines[0][1:])
        place = replace(place, bullet=box)
    first, rest = lines[:1], lines[1:]
    return [place.line(line) for line in first] + [replace(place, bullet="").line(line) for line in rest]


def _list(token: Token, inner: Sequence[Token], place: _Place) -> Iterator[Block]:
    number = int(token.attrGet("start") or 1) if token.type == "ordered_list_open" else None
    at = 0
    while at < len(inner):
        end = _end(inner, at)
        bullet = "• " if number is None else f"{number}. "
        yield from _blocks(inner[at + 1 : end], replace(place, level=place.level + 1, bullet=bullet))
        number = None if number is None else number + 1
        at = end + 1


def _code(content: str, place: _Place) -> Block:
    if place.quoted:  # a quotation is made of lines, which a [code] would run across
        return [place.line((Words(line),)) for line in content.split("\n")]
    return [(BB(place.bullet + "[code]"), Words(content), BB("[/code]"))] if content.strip() else []


def _table(tokens: Sequence[Token], place: _Place) -> Iterator[Block]:
    """Each row is a line and a block of its own, so that a long table is cut between rows."""
    row: list[Line] = []
    bold = False
    for token in tokens:
        if token.type == "thead_open":
            bold = True
        elif token.type == "inline":
            cell = tuple(piece for line in _inline(token.children or ()) for piece in line)
            row.append((BB("[b]"), *cell, BB("[/b]")) if bold and cell else cell)
        elif token.type == "tr_close":
            yield [place.line(tuple(piece for cell in row for piece in (BB(" | "), *cell))[1:])]
            row, bold = [], False


def _inline(tokens: Sequence[Token]) -> list[Line]:
    """The lines of a run of text."""
    lines: list[list[Piece]] = [[]]
    at = 0
    while at < len(tokens):
        token, end = tokens[at], _end(tokens, at)
        if token.type in ("softbreak", "hardbreak") or (
            token.type == "html_inline" and token.content[:3].lower() == "<br"
        ):
            lines.append([])
        elif token.type == "link_open":
            lines[-1].extend(_link(str(token.attrGet("href") or ""), tokens[at + 1 : end]))
        elif token.nesting == 1:
            tag = _STYLES.get(token.tag, "")
            first, *more = _inline(tokens[at + 1 : end])
            lines[-1].extend((BB(f"[{tag}]"), *first))
            lines.extend(list(line) for line in more)
            lines[-1].append(BB(f"[/{tag}]"))
        else:
            lines[-1].extend(_leaf(token))
        at = end + 1
    return [tuple(line) for line in lines]


def _leaf(token: Token, *, linked: bool = False) -> Iterator[Piece]:
    match token.type:
        case "text" if not linked:
            yield from _with_links(token.content)
        case "text" | "text_special":
            yield Words(token.content)
        case "softbreak" | "hardbreak":
            yield Words(" ")
        case "code_inline":
            yield Words(f"`{token.content}`")
        case "image":
            name = f"🖼 {token.content}".strip()
            yield from (Words(name),) if linked else link(str(token.attrGet("src") or ""), name)
        case "html_inline":
            yield from (Words(line) for line in _without_html(token.content))


def _with_links(text: str) -> Iterator[Piece]:
    at = 0
    for found in _BARE_ADDRESS.finditer(text):
        yield Words(text[at : found.start()])
        yield from link(found.group(), found.group())
        at = found.end()
    yield Words(text[at:])


def _link(href: str, label: Sequence[Token]) -> Iterator[Piece]:
    """A link whose label stays plain: styles inside it would only make it longer."""
    pieces = [piece for token in label for piece in _leaf(token, linked=True)]
    yield from link(href, "".join(pieces))


def link(href: str, label: str) -> Line:
    """``label`` leading to ``href``; the label alone where that is no address to follow.

    A label that itself looks like an address of another host is followed by the host it leads to.
    """
    address = clean_address(href)
    label = label.strip() or address
    if not address:
        return (Words(label),) if label else ()
    shown = re.search(r"(?:https?://|\bwww\.)([^\s/:?#]+)", label, re.IGNORECASE)
    if shown and shown[1].lower().removeprefix("www.") != host_of(address).removeprefix("www."):
        label = f"{label} ({host_of(address)})"
    return (BB(f"[url={address}]"), Words(label), BB("[/url]"))


def _without_html(html: str) -> list[str]:
    """The lines that remain of raw HTML once comments and known elements are gone."""
    kept, at = [], 0
    while (start := html.find("<!--", at)) >= 0:
        kept.append(html[at:start])
        end = html.find("-->", start + 4)
        at = len(html) if end < 0 else end + 3
    text = _HTML_TAG.sub("", "".join(kept) + html[at:])
    return [line.strip() for line in text.split("\n") if line.strip()]
