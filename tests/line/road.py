"""The road of a request from its reader to the eyes of its recipient, and what is active in what he sees.

Never looks at how a text was made safe: it is told by the stand-in portal's own reading of it, and by a second one that
shares no code with the first (tests/render/judge).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import accumulate, pairwise
from typing import Any
from urllib.parse import urlsplit

from relay.bitrix import call
from relay.model import Message, Parcel, Request
from relay.render.reader import Locale
from relay.rules import Memory, Rules, decide, load
from relay.sandbox import Portal, bbcode
from relay.sandbox.gate import Key
from relay.sandbox.params import from_json, merged
from relay.sandbox.portal import Call
from relay.sandbox.views import Attach, Bubble, cards
from relay.sources import SENDERS
from tests.render import judge
from tests.sources import every_sender

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
IVAN, OLGA = 17, 18  # of the stand-in portal's people
MOST = 24  # messages at a time: the portal's page shows thirty of a person, a batch takes fifty

# Something that a click does, a picture or a look: where it stands, what it is, and what it leads to.
Fact = tuple[str, str, str]
Facts = Counter[Fact]


@cache
def rules(locale: Locale) -> Rules:
    """Whatever is read is told to Ivan, in the built-in words."""
    sources = {kind: {"type": kind, "open": True, **every_sender.OWN.get(kind, {})} for kind in SENDERS}
    return load(
        json.dumps(
            {
                "version": 1,
                "portal": {"webhook": "https://p.bitrix24.ru/rest/1/abcdefgh/"},
                "sources": sources,
                "people": {"the-reader": {"id": IVAN, "locale": locale, "timezone": "Europe/Moscow"}},
                "default": {"to": "the-reader"},
            }
        ),
        env={},
    )


def worded(kind: str, request: Request, locale: Locale) -> list[Message]:
    """The messages of a request by the catch-all rule.

    Raises:
        Refused: the reader does not take it.
    """
    events = every_sender.read(kind, request).events
    return [message for event in events[:2] for message in decide(event, rules(locale), Memory(), NOW).messages]


def shown(groups: Sequence[Sequence[Message]], *, batch: bool) -> list[Facts]:
    """What Ivan's notification centre makes active of each group of messages, sent one by one or in batches.

    In a batch others come before them, of which one is refused: so there are results and errors to refer to.
    """
    messages = [message for group in groups for message in group]
    found = [facts for at in range(0, len(messages), MOST) for facts in _shown(messages[at : at + MOST], batch=batch)]
    at = accumulate(map(len, groups), initial=0)
    return [sum(found[start:end], Facts()) for start, end in pairwise(at)]


def _shown(messages: Sequence[Message], *, batch: bool) -> list[Facts]:
    portal = Portal(rate="unlimited", clock=NOW.timestamp)
    parcels = [Parcel(id=number, message=message) for number, message in enumerate(messages)]
    others = [Parcel(id=-1, message=_bystander(OLGA)), Parcel(id=-2, message=_bystander(0))]
    for together in [[*others, *parcels]] if batch else [[parcel] for parcel in parcels]:
        _send(portal, call.build(together, client_id="bitrix24-relay"))
    (card,) = (card for card in cards(portal, "en") if card.person.id == IVAN)
    assert len(card.bubbles) == len(parcels), "a message was not taken"
    return [Counter((*_of_bubble(bubble), *_judged(bubble))) for bubble in reversed(card.bubbles)]


def _bystander(user_id: int) -> Message:
    return Message(portal="main", user_id=user_id, person="", rule="", key="", tag="", text="[b]17[/b]")


def _send(portal: Portal, ready: call.Call) -> None:
    body = json.dumps(ready.payload).encode()
    reply = portal.answer(Call(Key("1", portal.secret, https=True), ready.method, merged({}, from_json(body))))
    assert reply.status == 200, reply.body


# ── The stand-in portal's reading ─────────────────────────────────────────────────────────────────────────────


def _of_bubble(bubble: Bubble) -> Iterator[Fact]:
    yield from _of_nodes("text", bubble.text)
    if bubble.attach:
        yield ("attach", "bar", bubble.attach.bar)
        yield from _of_blocks(bubble.attach)


def _of_blocks(attach: Attach) -> Iterator[Fact]:
    for block in attach.blocks:
        if block["kind"] == "message":
            yield from _of_nodes("attach", block["text"])
        elif block["kind"] == "grid":
            for cell in (cell for _, cells in block["groups"] for cell in cells):
                yield from (("grid", name, str(cell[name])) for name in ("href", "colour", "width") if cell[name])
                yield from _of_nodes("grid", cell["value"])
        elif block["kind"] == "images":
            yield from (("attach", "picture", picture.href) for picture in block["items"])
        else:  # the built-in templates have no other blocks, and no stranger makes one
            yield ("attach", block["kind"], "")


def _of_nodes(where: str, nodes: Iterable[bbcode.Node]) -> Iterator[Fact]:
    for node in nodes:
        match node:
            case bbcode.Text():
                pass
            case bbcode.Link():
                assert node.href in ("", node.target), "what is shown is not where it leads"
                yield (where, "lie" if _lies(node) else "link", node.target)
            case bbcode.Styled():
                yield (where, node.style, "")
            case _:
                yield (where, node.kind, _detail(node))
        yield from _of_nodes(where, getattr(node, "inside", ()))


def _detail(node: Any) -> str:
    told = ("person", "action", "href", "size", "colour")
    return str(next((getattr(node, name) for name in told if hasattr(node, name)), ""))


def _lies(link: bbcode.Link) -> bool:
    """Do its words name an address of another host than the one that it leads to, and not that one as well?"""
    said, leads_to = bbcode.words(link.inside), urlsplit(link.target).hostname or ""
    named = re.search(r"(?:https?://|\bwww\.)([^\s/:?#]+)", said, re.IGNORECASE)
    return bool(named) and leads_to not in said


# ── The second reading ────────────────────────────────────────────────────────────────────────────────────────


def _judged(bubble: Bubble) -> Iterator[Fact]:
    yield from (("text", "judged", found) for found in judge.trespasses(judge.shown(bubble.shown.text)))
    for name, value in _strings(bubble.shown.attach or {}):
        where = "grid" if name in ("NAME", "VALUE") else "attach"
        yield from ((where, "judged", found) for found in judge.trespasses(value))


def _strings(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value
    for key, child in value.items() if isinstance(value, dict) else ():
        yield from _strings(child, key)
    for child in value if isinstance(value, list) else ():
        yield from _strings(child, name)
