"""Writing markup and words into one text of the portal, each word escaped for the place where it comes to stand.

Never trusts words because of where they stand: after a bracket, inside a tag or [code], they are stopped there too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from relay.render.address import clean_address, clean_step
from relay.render.bbcode import BB, BREAK, Context, Rich, Words, broken, broken_code, broken_markup, lines, one_line

MARK = "…"  # where a text was cut
Escape = Callable[[str], str]

_TAG = re.compile(r"\[(?P<slash>/?)(?P<name>[a-z]+)(?P<value>[= ][^\[\]\n]*)?\]", re.IGNORECASE)
_UNFINISHED = re.compile(r"\[(?:/?(?P<name>[a-z]*)|(?P<named>[a-z]+)[= ][^\[\]\n]*)\Z", re.IGNORECASE)
_PAIRED = frozenset(
    ("b", "i", "u", "s", "url", "code", "color", "size", "user", "chat", "context", "send", "put", "call", "img")
)
_VALUED = _PAIRED | {"icon", "disk", "timestamp", "rating", "pch", "date", "attach"}  # may have words in their value
_QUOTED = re.compile(r"^(?=>>)", re.MULTILINE)
_VOID = "\0"  # stands in a tag for an address that could not be kept


class Writer:
    """Puts markup and words together for one context, and stops at ``limit`` characters.

    It reads the markup as it goes, so that it knows where words come to stand: in running text, at the beginning of
    a line, inside [code], or as the address of a link. Tags still open at the end are closed.
    """

    def __init__(self, context: Context, limit: int) -> None:
        self.full = False
        self._context = context
        self._limit = limit
        self._parts: list[str] = []
        self._size = 0
        self._open: list[tuple[str, str]] = []  # the tag's name, and what closes it
        self._tag = ""  # markup that has begun a tag and not ended it
        self._words = ""  # words not yet written: neighbours are escaped together, or they could form a link
        self._blank = True  # is there nothing yet on this line?

    def markup(self, text: str) -> None:
        """Take trusted markup, which may begin or end in the middle of a tag."""
        if not text or self.full:
            return
        self._write_words()
        text, self._tag = self._tag + text, ""
        if unfinished := _UNFINISHED.search(text):
            text, self._tag = text[: unfinished.start()], unfinished.group()
        at = 0
        for tag in _TAG.finditer(text):
            self._put(text[at : tag.start()], self._trusted)
            self._put_tag(tag)
            at = tag.end()
        self._put(text[at:], self._trusted)

    def words(self, text: str) -> None:
        """Take a stranger's words, for the place that has been reached."""
        if not text or self.full:
            return
        if not self._tag:
            self._words += text
            if len(self._words) > self._limit:
                self._write_words()
        elif (begun := _UNFINISHED.match(self._tag)) and (name := begun["named"]) and name.lower() in _VALUED:
            self._tag += self._value(name.lower(), text)
        else:  # a bracket, and words that must not become its tag's name
            self._put(self._tag + BREAK, self._trusted)
            self._tag = ""
            self._words = text

    def finish(self) -> str:
        """Everything taken, with open tags closed, and a mark where it was cut."""
        self._write_words()
        if not self.full:
            self._put(self._tag, self._trusted)
        text = "".join(self._parts)
        text = text.rstrip() + MARK if self.full else text
        return (text + "".join(closer for _, closer in reversed(self._open))).strip()

    def _write_words(self) -> None:
        words, self._words = self._words, ""
        inside = self._open[-1][0] if self._open else ""
        if not words:
            return
        if self._in_code():
            self._put(lines(words), self._code)
        elif any(name == "code" for name, _ in self._open):  # which ATTACH has not: the lines stay, and quote nothing
            self._put(_QUOTED.sub(BREAK, lines(words)), self._hostile)
        elif inside in ("url:", "img") and (address := clean_address(words)):  # [url]{{ event.url }}[/url]
            self._put_whole(address)
        elif words := one_line(words):
            last = self._parts[-1][-1] if self._parts else ""
            if last in ("#", ">") or (self._blank and words.lstrip()[:1] in (">", "-", "/")):
                words = BREAK + words
            self._put(words, self._hostile)

    def _value(self, name: str, text: str) -> str:
        """Words inside a tag that the template has begun: an address is cleaned, another value cannot end the tag."""
        if name not in ("url", "img", "icon"):
            return re.sub(r'(?i)[\[\]&<>"$]|#(?=br#)', "", one_line(text))
        if self._tag.lower() != f"[{name}=":
            return clean_step(text)
        return clean_address(text) or _VOID

    def _put_tag(self, tag: re.Match[str]) -> None:
        if self.full:  # what is open now is closed at the end
            return
        name, value, text = tag["name"].lower(), tag["value"] or "", tag.group()
        if self._in_code() and not (tag["slash"] and name == "code"):
            self._put(text, self._trusted)
        elif name == "br":
            self._put_whole("\n")
        elif tag["slash"]:
            self._close(name, text)
        elif name in _PAIRED:
            # An address that could not be kept leaves the link's text; ATTACH has no [code] (ATTACH, MESSAGE block).
            gone = _VOID in value or value.strip() == "=" or (name == "code" and self._context is Context.ATTACH)
            closer = "" if gone else f"[/{name}]"
            if closer and len(text) + len(closer) > self._room():
                self.full = True
                return
            self._open.append((name if value or name != "url" else "url:", closer))
            self._put_whole("" if gone else text)
        elif _VOID not in value:
            self._put_whole(text)

    def _close(self, name: str, text: str) -> None:
        for index in range(len(self._open) - 1, -1, -1):
            if self._open[index][0].rstrip(":") == name:
                self._put_whole(self._open.pop(index)[1])
                return
        self._put_whole(text)

    def _trusted(self, text: str) -> str:
        if self._in_code():
            return broken_code(text, self._context)
        if self._context is Context.ATTACH:  # which knows no quotations
            text = re.sub(r"(?m)^>>" if self._blank else r"(?<=\n)>>", "> ", text)
        return broken_markup(text, self._context)

    def _hostile(self, text: str) -> str:
        return broken(text, self._context)

    def _code(self, text: str) -> str:
        return broken_code(text, self._context)

    def _in_code(self) -> bool:
        return any(name == "code" and closer for name, closer in self._open)

    def _room(self) -> int:
        return self._limit - self._size - len(MARK) - sum(len(closer) for _, closer in self._open)

    def _put(self, raw: str, escape: Escape) -> None:
        """Write ``raw``, escaped, and of it only what there is room for."""
        if self.full:
            return
        room = max(0, self._room())
        if len(raw) > room:
            self.full, raw = True, raw[:room]
        while len(text := escape(raw)) > room:
            self.full = True
            raw = raw[: len(raw) - max(1, (len(text) - room) // 5)]  # one sign becomes five at most
        self._append(text)
        line = text.rpartition("\n")[2]
        self._blank = not line.strip() and (self._blank or "\n" in text)

    def _put_whole(self, text: str) -> None:
        """Write a tag or a line break, or nothing of it: half a tag is none. A line of tags is still blank."""
        if self.full or len(text) > self._room():
            self.full = True
        else:
            self._append(text)
            self._blank = self._blank or text == "\n"

    def _append(self, text: str) -> None:
        if not text:
            return
        self._parts.append(text)
        self._size += len(text)


def write(text: Iterable[str], context: Context, *, limit: int) -> str:
    """One text out of many: ``Rich`` by its pieces, ``Words`` as a stranger's, any other ``str`` as markup.

    Takes no more of ``text`` than fits into ``limit`` characters.
    """
    writer = Writer(context, limit)
    for part in text:
        for piece in part.pieces if isinstance(part, Rich) else (part,):
            if isinstance(piece, Words):
                writer.words(piece)
            else:
                writer.markup(piece)
        if writer.full:
            break
    return writer.finish()


def escape_message(words: str) -> BB:
    """A stranger's words for MESSAGE, on one line."""
    return BB(write([Words(words)], Context.MESSAGE, limit=len(words) * 6 + 10))


def escape_attach(words: str) -> BB:
    """A stranger's words for a string inside ATTACH, on one line."""
    return BB(write([Words(words)], Context.ATTACH, limit=len(words) * 6 + 10))
