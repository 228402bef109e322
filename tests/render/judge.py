"""An independent reading of what the portal and its client make of a text, to judge ours by.

Shares no code with relay.render. Written from what the server does to a notification (HTML to BB-code, bare links,
entities decoded last) and from the tags that clients draw.
"""

from __future__ import annotations

import re

TAG = re.compile(
    r"\[(/?)(b|i|u|s|size|color|url|user|chat|context|send|put|call|img|icon|timestamp|disk|code|br|like|dislike|rating"
    r"|pch|date|attach)([=\s][^\]]*)?\]",
    re.IGNORECASE,
)
BARE_LINK = re.compile(
    r"(?:https?|news|ftp|aim|file|tel|callto|skype|viber)://|\bwww\.\S|\b(?:mailto|tel|callto|skype|viber):\S", re.I
)
BATCH_REFERENCE = re.compile(r"\$(?:result|next|total|time|error)", re.IGNORECASE)
QUOTE = re.compile(r"(?m)^\s*>>|^-{6,}|-{54}")
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
ZERO_WIDTH = "\u200b"

_HTML = [
    (re.compile(rf"<{tag}>(.*?)</{tag}>", re.IGNORECASE | re.DOTALL), rf"[{tag}]\1[/{tag}]")
    for tag in ("b", "i", "u", "s")
]
_ANCHOR = re.compile(r"<a\s[^>]*href=[\"']?([^\"'>\s]*)[^>]*>(.*?)</a>", re.IGNORECASE | re.DOTALL)
_ENTITIES = {
    "&quot;": '"', "&#092;": "\\", "&#036;": "$", "&#33;": "!", "&#91;": "[", "&#93;": "]", "&#39;": "'",
    "&lt;": "<", "&gt;": ">", "&#124;": "|", "&amp;": "&",
}  # fmt: skip


def shown(message: str) -> str:
    """What a client is given to draw: BB-code after the server has had its way with the text."""
    text = re.sub(r"\[br\]|#br#|<br\s*/?>", "\n", message.strip(), flags=re.IGNORECASE)
    for pattern, code in _HTML:
        text = pattern.sub(code, text)
    text = _ANCHOR.sub(r"[url=\1]\2[/url]", text)
    text = re.sub(r"</?(?:font|span|div)[^>]*>", "", text, flags=re.IGNORECASE)
    for entity, sign in _ENTITIES.items():
        text = text.replace(entity, sign)
    return text


def tags(text: str) -> list[str]:
    """The tags that a client would draw, as `b`, `/b`, `url=https://…`."""
    return [f"{slash}{name.lower()}{value}" for slash, name, value in TAG.findall(text)]


def trespasses(text: str) -> list[str]:
    """Everything in a drawn text that a stranger's words must not have brought about."""
    found = [*tags(text)]
    found += ["link " + match for match in BARE_LINK.findall(text)]
    found += ["batch " + match for match in BATCH_REFERENCE.findall(text)]
    found += ["quote " + match for match in QUOTE.findall(text)]
    found += ["unseen " + repr(match) for match in UNSEEN.findall(text)]
    found += ["line break"] * text.count("\n")
    return found


def balanced(text: str) -> bool:
    """Is every pair of tags closed, and in its order?"""
    stack: list[str] = []
    for slash, name, _ in TAG.findall(text):
        if not slash:
            stack.append(name.lower())
        elif not stack or stack.pop() != name.lower():
            return False
    return not stack
