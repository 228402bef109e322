"""Bitrix24's BB-code: trusted markup and strangers' words, kept apart until the moment they are written.

Never lets a stranger's words become markup. The portal documents no way to escape BB-code, so what stands here was
read in its server and web client: a zero-width space after a bracket breaks every tag, entities break HTML (which
the server turns into BB-code) and are decoded last, and ATTACH knows neither entities nor HTML but eats backslashes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from typing import Self

BREAK = "\u200b"


class Context(Enum):
    """Where a text will stand: the portal reads the two differently."""

    MESSAGE = "MESSAGE"
    ATTACH = "ATTACH"


class BB(str):
    """Markup that the relay or a template's author wrote: it stands as it is."""

    __slots__ = ()


class Words(str):
    """A stranger's words: they are escaped for the place where they come to stand."""

    __slots__ = ()


Piece = BB | Words


class Rich(str):
    """A text made of markup and words. As a ``str`` it is what a reader would read; ``pieces`` keep the two apart."""

    __slots__ = ("pieces",)
    pieces: tuple[Piece, ...]

    def __new__(cls, pieces: Iterable[Piece]) -> Self:
        kept = tuple(piece for piece in pieces if piece)
        self = super().__new__(cls, "".join(without_tags(piece) if isinstance(piece, BB) else piece for piece in kept))
        self.pieces = kept
        return self

    def __str__(self) -> str:  # Jinja puts str() around whatever it prints: the pieces have to come through
        return self


def rich(text: str) -> Rich:
    """Markup and words of ``text``; a plain ``str`` is a stranger's."""
    if isinstance(text, Rich):
        return text
    return Rich((text if isinstance(text, BB | Words) else Words(text),))


# ── Strangers' words ──────────────────────────────────────────────────────────────────────────────────────────

# Controls, and all that is not seen but changes what is: directions, joiners of words, tags, halves of pairs.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\ufdd0-\ufdef\U000e0000-\U000e007f\ud800-\udfff]"
)
_BLANKS = re.compile(r"\s+")
_BREAKS_OF_LINE = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")

REFERENCE = re.compile(r"\$(?=result|next|total|time|error|$)", re.IGNORECASE)  # batch: $result[name] is replaced
_LINE_BREAK = re.compile(r"#(?=br#|b?r?$)", re.IGNORECASE)
_RULE = re.compile(r"-{5}(?=-)")  # a line of dashes begins a quotation
# What the server turns into a link by itself: scheme://, www., and the schemes that need no slashes.
_LINK = re.compile(r"(?=://)|\b(?:www(?=\.)|(?:mailto|news|aim|file|tel|callto|skype|viber)(?=:))", re.IGNORECASE)
_SPECIAL = re.compile(r"[\[$#&<\\]|://|--|www\.|mailto:|news:|aim:|file:|tel:|callto:|skype:|viber:", re.IGNORECASE)
# Inside [code] only these can matter, and what is copied from there should be the code.
_CODE_BRACKET = re.compile(r"\[(?=[a-z/*]|$)", re.IGNORECASE)
_CODE_ENTITY = re.compile(r"&(?=[#a-z]|$)", re.IGNORECASE)
_CODE_HTML = re.compile(r"<(?=[a-z/!]|$)", re.IGNORECASE)


def one_line(text: str) -> str:
    """Nothing unseen in it, and one blank where there were several, tabs or line breaks."""
    return _BLANKS.sub(" ", _UNSEEN.sub("", text))


def lines(text: str) -> str:
    """Nothing unseen in it, and every line break a line feed."""
    return _UNSEEN.sub("", _BREAKS_OF_LINE.sub("\n", text))


def broken(text: str, context: Context) -> str:
    """``text`` with everything broken that the portal would understand."""
    if not _SPECIAL.search(text):
        return text
    if context is Context.MESSAGE:
        text = text.replace("&", "&amp;").replace("<", "&lt;")
    text = text.replace("[", "[" + BREAK)
    text = REFERENCE.sub("$" + BREAK, text)
    text = _LINE_BREAK.sub("#" + BREAK, text)
    text = _RULE.sub("-----" + BREAK, text)
    text = _LINK.sub(lambda found: found.group() + BREAK, text)
    return text.replace("\\", "\\\\") if context is Context.ATTACH else text


def broken_code(text: str, context: Context) -> str:
    """The same for what stands between [code] and [/code], where the server may leave entities as they are."""
    text = _CODE_BRACKET.sub("[" + BREAK, text)
    text = REFERENCE.sub("$" + BREAK, text)
    text = _LINE_BREAK.sub("#" + BREAK, text)
    if context is Context.ATTACH:
        return text.replace("\\", "\\\\")
    return _CODE_HTML.sub("<" + BREAK, _CODE_ENTITY.sub("&" + BREAK, text))


def broken_markup(text: str, context: Context) -> str:
    """A template's own text between tags: it is BB-code, never HTML, entities or a reference in a batch."""
    text = REFERENCE.sub("$" + BREAK, _LINE_BREAKS.sub("\n", text))
    if context is Context.MESSAGE:
        return text.replace("&", "&amp;").replace("<", "&lt;")
    return text.replace("\\", "\\\\")


# ── Reading it back ───────────────────────────────────────────────────────────────────────────────────────────

_TAGS = r"(?:b|i|u|s|url|code|color|size|user|chat|context|send|put|call|img|icon|disk|timestamp)"
_ANY_TAG = re.compile(rf"\[/?{_TAGS}(?:[= ][^\[\]\n]*)?\]", re.IGNORECASE)
_LINKED = re.compile(r"\[url=([^\[\]\n]*)\]([^\[]*(?:\[(?!/?url[\]=])[^\[]*)*)\[/url\]", re.IGNORECASE)
_LINE_BREAKS = re.compile(r"#br#|\[br\]", re.IGNORECASE)


def without_tags(markup: str) -> str:
    """What markup leaves to be read when it is drawn."""
    return _ANY_TAG.sub("", _LINE_BREAKS.sub("\n", markup))


def plain(text: str) -> str:
    """The readable text of a MESSAGE, for previews and logs: `[url=U]T[/url]` becomes `T (U)`, other tags go."""
    text = _LINKED.sub(lambda link: link[2] if link[2] == link[1] else f"{link[2]} ({link[1]})", text)
    text = re.sub(r"(?m)^>>", "> ", without_tags(text)).replace(BREAK, "")
    for entity, sign in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#39;", "'"), ("&amp;", "&")):
        text = text.replace(entity, sign)
    return text
