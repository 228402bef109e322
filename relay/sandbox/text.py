"""The text of a notification on its way in and out: what the portal's server does to it.

Never renders anything (`bbcode` does), and never touches text inside ATTACH, which the server leaves as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

LIMIT = 20_000
_SLACK = 6  # up to 20 006 characters pass whole
CUT = " (...)"
DASHES = "-" * 54

_PHP_BLANKS = " \t\n\r\0\v"
_SHIELDED = ("code", "put", "send")


def on_send(text: str, *, visible: Callable[[int], bool]) -> str:
    """What is stored of ``text``; ``visible`` says whether the author may see a person (id → bool)."""
    clean = text.strip(_PHP_BLANKS).replace("\0", "")
    for newline in ("[BR]", "[br]", "#BR#"):
        clean = clean.replace(newline, "\n")
    clean = cut(clean.strip(_PHP_BLANKS))
    return html_to_bb(_reduce_mentions(clean, visible))


def cut(text: str) -> str:
    """At most 20 000 characters and a mark; a few more pass as they are."""
    return text if len(text) <= LIMIT + _SLACK else text[:LIMIT] + CUT


def on_read(stored: str) -> str:
    """What a client is given: HTML once more, bare links marked, entities decoded; ``[code]`` and the like shielded."""
    bare, kept = shield(stored, _SHIELDED)
    return unshield(decode_entities(mark_links(html_to_bb(bare))), kept)


def _reduce_mentions(text: str, visible: Callable[[int], bool]) -> str:
    def reduced(mention: re.Match[str]) -> str:
        return mention[0] if visible(int(mention[1])) else mention[2]

    return re.sub(r"\[user=(\d{1,18})\]((?:(?!\[/?user\b).)*)\[/user\]", reduced, text, flags=re.I | re.S)


# --- HTML to BB-codes. A pair holds no second opening of its own tag: so nothing is ever scanned twice.


def _pair(tag: str, attributes: str = "") -> re.Pattern[str]:
    return re.compile(rf"<{tag}{attributes}>((?:(?!</?{tag}\b).)*)</{tag}>", re.I | re.S)


_STYLES = [(_pair(tag), rf"[{tag.upper()}]\1[/{tag.upper()}]") for tag in "bius"]
_LINK = re.compile(
    r"""<a\s[^<>]*?href\s*=\s*(?:"([^"<>]*)"|'([^'<>]*)'|([^\s"'<>]+))[^<>]*>((?:(?!</?a\b).)*)</a>""", re.I | re.S
)
_COLOURED = _pair("font", r"\s[^<>]*?color\s*=\s*[\"']?(?P<value>#[0-9a-f]{3,6})[^<>]*")
_SIZED = _pair("font", r"\s[^<>]*?size\s*=\s*[\"']?(?P<value>\d{1,2})[^<>]*")
_SPAN = _pair("span", r"\s[^<>]*?color\s*:\s*(?P<value>#[0-9a-f]{3,6})[^<>]*")
_DROPPED = re.compile(r"</?(?:div|span|font)\b[^<>]*>", re.I)


def html_to_bb(text: str) -> str:
    """Turn the few HTML tags that the portal knows into BB-codes; others stay as literal text."""
    text = re.sub(r"<br\s*/?>", "\n", text, flags=re.I)
    for pattern, code in _STYLES:
        text = pattern.sub(code, text)
    text = _LINK.sub(lambda a: f"[url={a[1] or a[2] or a[3]}]{a[4]}[/url]", text)
    for pattern, name in ((_COLOURED, "color"), (_SIZED, "size"), (_SPAN, "color")):
        text = pattern.sub(rf"[{name}=\g<value>]\2[/{name}]", text)
    text = _DROPPED.sub("", text)
    text = re.sub(r"<hr\s*/?>", f"\n{DASHES}\n", text, flags=re.I)
    return re.sub(r"&nbsp;|\u00a0", " ", text, flags=re.I)


# --- bare links

_SCHEMES = "https?|news|ftp|aim|mailto|file|tel|callto|skype|viber"
_BARE = re.compile(rf"(?<![\w=/\"'@.])((?:(?:{_SCHEMES})://|www\.)[^\s\[\]<>\"|\0\1]+)", re.I)
_TARGET = re.compile(r"\[url=((?:[^\[\]\n]|\[[^\[\]\n]*\])*)\]", re.I)


def mark_links(text: str) -> str:
    """Wrap bare URLs in ``[URL]``; square brackets in a ``[url=`` target are percent-encoded."""
    text = _TARGET.sub(lambda url: f"[url={url[1].replace('[', '%5B').replace(']', '%5D')}]", text)
    bare, kept = shield(text, ("url", "img"), mark="\1")
    return unshield(_BARE.sub(_marked, bare), kept, mark="\1")


def _marked(url: re.Match[str]) -> str:
    address = url[1].rstrip(".,?!;")
    return f"[URL]{address}[/URL]{url[1][len(address) :]}"


# --- entities: "&amp;" comes last, so that what it hid stays hidden

_ENTITIES = (
    ("&quot;", '"'),
    ("&#092;", "\\"),
    ("&#036;", "$"),
    ("&#33;", "!"),
    ("&#91;", "["),
    ("&#93;", "]"),
    ("&#39;", "'"),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&#124;", "|"),
    ("&#169;", "(c)"),
    ("&#153;", "(tm)"),
    ("&#174;", "(r)"),
    ("&amp;", "&"),
)


def decode_entities(text: str) -> str:
    """Decode the entities of the portal's list, in its order."""
    for entity, sign in _ENTITIES:
        text = text.replace(entity, sign)
    return text


# --- shields: a piece is taken out, so that nothing else touches it, and put back later


def shield(text: str, tags: Sequence[str], mark: str = "\0") -> tuple[str, list[str]]:
    """Take whole ``[tag]…[/tag]`` pieces out; in their places stand numbers between two ``mark``."""
    text = text.replace(mark, "")
    last_end = {tag: text.lower().rfind(f"[/{tag}]") for tag in tags}
    edges = re.compile(rf"\[(/?)({'|'.join(tags)})(?:[= ][^\[\]\n]*)?\]", re.I)
    out: list[str] = []
    kept: list[str] = []
    position, inside = 0, ""
    for edge in edges.finditer(text):
        tag = edge[2].lower()
        if not inside and not edge[1] and edge.start() < last_end[tag]:
            out.append(text[position : edge.start()])
            position, inside = edge.start(), tag
        elif inside == tag and edge[1]:
            out.append(f"{mark}{len(kept)}{mark}")
            kept.append(text[position : edge.end()])
            position, inside = edge.end(), ""
    return "".join([*out, text[position:]]), kept


def unshield(text: str, kept: Sequence[str], mark: str = "\0") -> str:
    """Put the pieces back."""
    return re.sub(rf"{mark}(\d+){mark}", lambda number: kept[int(number[1])], text)
