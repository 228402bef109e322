"""Whatever stands in a field of a sender's request, what the portal makes active of it is what the template meant.

Each text of each stored request is replaced by hostile words, alone and all at once, and goes the whole road to the
stand-in portal. There may be no more links, mentions, pictures, buttons, styles or line breaks than of a harmless
word in its place, except in three kinds of fields:

* where an address is expected, a link may lead to another http(s) address;
* where code is expected, there may be more lines;
* where Markdown is expected, its own styles and links are meant; a link's words may not name another host.

By default a sample is tried, the same each time. RELAY_HOSTILE_TEXT=1 tries every word at every place, which takes the
better part of an hour; RELAY_HOSTILE_TEXT=6 every sixth word at every place, each place beginning with another.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from urllib.parse import quote

import pytest

from relay.errors import Refused
from relay.model import Message, Request
from relay.render.reader import Locale
from relay.sandbox import bbcode
from relay.sources import SENDERS
from tests.line import road
from tests.line.hostile_words import HUGE, WORDS
from tests.line.road import Fact, Facts
from tests.sources import every_sender
from tests.sources.posts import places, swapped

EVERY = int(os.environ.get("RELAY_HOSTILE_TEXT", "0"))  # so manyth word at every place; 0: the sample
SPOTS = 4  # of each request in the sample
LOCALES: Sequence[Locale] = ("en", "ru")

HARMLESS = "marker7"
AN_ADDRESS = "https://marker.example/7"
LINES = "marker7\nmarker7\nmarker7"
MARKDOWN = "**marker7**"

# Headers that are no sender's words, or without which the body would be another.
FIXED = ("host", "content-type", "content-length", "user-agent", "accept", "authorization")
LEADING = ("link", "picture")
STYLES = ("b", "i", "s", "code", "quote")
JUDGED_STYLES = ("b", "/b", "i", "/i", "s", "/s", "code", "/code")


# ── Where words can be put ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Spot:
    """A place of a stranger's words: a text of the body, a key of it, or a header."""

    kind: str  # text, key, header
    path: tuple[Any, ...]

    def __str__(self) -> str:
        return f"{self.kind} {'.'.join(map(str, self.path))}"


def spots(kind: str, request: Request) -> Iterator[Spot]:
    values = every_sender.payload(kind, request)
    for path in places(values):
        here = _at(values, path)
        if isinstance(here, str):
            yield Spot("text", path)
        yield from (Spot("key", (*path, key)) for key in (here if isinstance(here, dict) else ()))
    for name in request.headers:
        if name not in FIXED:
            yield Spot("header", (name,))


def _at(values: Any, path: Sequence[Any]) -> Any:
    for step in path:
        values = values[step]
    return values


def put(kind: str, request: Request, where: Sequence[Spot], word: str) -> Request:
    """The request with a word at these spots."""
    values = every_sender.payload(kind, request)
    headers = dict(request.headers)
    for spot in where:
        if spot.kind == "text":
            values = swapped(values, spot.path, word)
        elif spot.kind == "key":
            *parent, old = spot.path
            renamed = {word if key == old else key: value for key, value in _at(values, parent).items()}
            values = swapped(values, tuple(parent), renamed)
        else:
            headers[spot.path[0]] = _for_header(spot.path[0], word)
    return replace(every_sender.with_payload(kind, request, values), headers=headers)


def _for_header(name: str, word: str) -> str:
    """What HTTP lets through of a word: no controls (RFC 9110 §5.5); CloudEvents carries the others by percent."""
    if name.startswith("ce-"):
        return quote(word, errors="replace")
    return "".join(sign for sign in word if sign >= " " and sign != "\x7f").encode("utf-8", "replace").decode().strip()


# ── What may come of them ─────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Place:
    """Spots of a request for one reader, with what harmless words make of them."""

    kind: str
    request: Request
    where: tuple[Spot, ...]
    locale: Locale

    def trespasses(self, words: Sequence[str], *, alone: int) -> dict[str, list[Fact]]:
        """What words have made active that no template meant; one in ``alone`` of them is sent by itself as well."""
        found = self.facts(words, batch=True)
        for word, facts in self.facts(words[::alone], batch=False).items():
            assert facts == found[word], f"in a batch it is shown otherwise than alone: {word[:60]!r}"
        more = {word: [fact for fact in facts - self.meant if not self._allowed(fact)] for word, facts in found.items()}
        return {word: facts for word, facts in more.items() if facts}

    def facts(self, words: Sequence[str], *, batch: bool) -> dict[str, Facts]:
        """What is active with each word there, of those that the reader takes."""
        taken = {word: messages for word in words if (messages := self._messages(word))}
        return dict(zip(taken, road.shown([*taken.values()], batch=batch), strict=True))

    def _messages(self, word: str) -> list[Message]:
        request = put(self.kind, self.request, self.where, word)
        if len(request.body) > every_sender.options(self.kind).max_body:  # the door takes none of these
            return []
        try:
            messages = road.worded(self.kind, request, self.locale)
        except Refused:
            return []
        assert all("failed" not in message.note for message in messages), f"no words for {word[:60]!r}"
        return messages

    def _allowed(self, fact: Fact) -> bool:
        where, what, detail = fact
        judged = detail if what == "judged" else ""
        if what in LEADING or judged.startswith(("url=http", "/url", "link http")):
            return where in self.linking and (bool(judged) or bool(bbcode.address(detail)))
        if what == "break" or judged == "line break":
            return where in self.in_lines | self.in_markdown
        return where in self.in_markdown and (what in STYLES or judged in JUDGED_STYLES or judged.startswith("quote"))

    @cached_property
    def meant(self) -> Facts:
        """What is active with a harmless word or a harmless address there."""
        return self._twins.get(HARMLESS, Facts()) | self._twins.get(AN_ADDRESS, Facts())

    @cached_property
    def linking(self) -> set[str]:
        """Where an address at these spots becomes a link or a picture."""
        return {where for where, what, target in self.meant if what in LEADING and "marker.example" in target}

    @cached_property
    def in_lines(self) -> set[str]:
        """Where lines at these spots stay lines."""
        return {where for where, what, _ in self._twins.get(LINES, Facts()) - self.meant if what == "break"}

    @cached_property
    def in_markdown(self) -> set[str]:
        """Where Markdown at these spots is taken as such."""
        return {where for where, what, _ in self._twins.get(MARKDOWN, Facts()) - self.meant if what == "b"}

    @cached_property
    def _twins(self) -> dict[str, Facts]:
        return self.facts((HARMLESS, AN_ADDRESS, LINES, MARKDOWN), batch=True)


# ── The whole and the sample ──────────────────────────────────────────────────────────────────────────────────


def tries(kind: str) -> Iterator[tuple[str, Place, Sequence[str]]]:
    """Places of a kind's requests, with the words to put there; their order is always the same."""
    number = len(kind)
    for name, request in every_sender.stored(kind).items():
        found = [*spots(kind, request)]
        for spot in found if EVERY else found[len(name) % 3 :: max(1, len(found) // SPOTS)]:
            number += 1
            yield name, Place(kind, request, (spot,), LOCALES[number % 2]), _words(number, 1)
        for where in at_once(kind, request, found):
            number += 1
            yield name, Place(kind, request, where, LOCALES[number % 2]), _words(number, 2)


def _words(number: int, count: int) -> Sequence[str]:
    """Every so manyth of them, with a huge one now and then; of the sample so many."""
    huge = HUGE[number % len(HUGE) :][:1]
    if EVERY:
        some = WORDS[number % EVERY :: EVERY]
        return (*some, *huge) if number % 5 == 0 or count > 1 else some
    few = [WORDS[(number * 7 + nth * 31) % len(WORDS)] for nth in range(count)]
    return (*few, *huge) if number % 40 == 0 else few


def at_once(kind: str, request: Request, found: Sequence[Spot]) -> Iterator[tuple[Spot, ...]]:
    """All texts that do not decide what the request is; and the same without its addresses."""
    told = _told(kind, request)
    texts = [spot for spot in found if spot.kind == "text"]
    free = tuple(spot for spot in texts if _told(kind, put(kind, request, (spot,), HARMLESS)) == told)
    values = every_sender.payload(kind, request)
    yield free
    yield tuple(spot for spot in free if not str(_at(values, spot.path)).startswith("http"))


def _told(kind: str, request: Request) -> list[tuple[str, str, str]] | None:
    try:
        return [(event.event, event.action, event.state) for event in every_sender.read(kind, request).events]
    except Refused:
        return None


@pytest.mark.timeout(7200 if EVERY else 120)
@pytest.mark.parametrize("kind", SENDERS)
def test_nothing_becomes_active_that_the_template_did_not_mean(kind: str) -> None:
    found = {
        (name, " + ".join(map(str, place.where))[:80], word[:60]): facts
        for name, place, words in tries(kind)
        for word, facts in place.trespasses(words, alone=5 if EVERY else 1).items()
    }

    assert found == {}
