"""BB-codes as the client reads them, and what must never become of a stranger's text."""

from __future__ import annotations

import pytest

from relay.sandbox import bbcode
from relay.sandbox.bbcode import (
    Break,
    Chip,
    Code,
    Coloured,
    Link,
    Mention,
    Moment,
    Node,
    Picture,
    Quote,
    Sized,
    Styled,
    Text,
    parse,
)
from relay.sandbox.text import DASHES

URL = "https://a.b/c"
T = (Text("t"),)


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        ("", []),
        ("plain", [Text("plain")]),
        ("[b]t[/b][I]t[/i]", [Styled("b", T), Styled("i", T)]),
        ("[b][u]t[/u][/b]", [Styled("b", (Styled("u", T),))]),
        ("[size=20]t[/size][size=99]t[/size][size=1]t[/size]", [Sized(20, T), Sized(30, T), Sized(8, T)]),
        ("[color=#F00]t[/color]", [Coloured("#f00", T)]),
        (f"[url={URL}]t[/url]", [Link(URL, URL, T)]),
        (f"[URL]{URL}[/URL]", [Link(URL, URL, (Text(URL),))]),
        ("[url]www.a.b[/url]", [Link("http://www.a.b", "www.a.b", (Text("www.a.b"),))]),
        ("[user=17]t[/user][user=17][/user]", [Mention("17", T), Mention("17", ())]),
        ("[send=/cmd]t[/send]", [Chip("send", "/cmd", T)]),
        ("[put=x]t[/put][call=+7]t[/call]", [Chip("put", "x", T), Chip("call", "+7", T)]),
        ("[chat=5]t[/chat]", [Chip("chat", "5", T)]),
        ("[img size=small]https://a.b/p.png [/img]", [Picture("https://a.b/p.png", "p.png")]),
        ("[icon=https://a.b/p.png size=20 title=Hi all]", [Picture("https://a.b/p.png", "Hi all")]),
        ("[timestamp=1700000000 format=SHORT_TIME_FORMAT]", [Moment(1_700_000_000, "SHORT_TIME_FORMAT")]),
        ("a[br]b\nc", [Text("a"), Break(), Text("b"), Break(), Text("c")]),
        ("[code]\n[b]x[/b]\n[/code]", [Code("[b]x[/b]")]),
        ("[b][code][/b][/code]t[/b]", [Styled("b", (Code("[/b]"), Text("t")))]),
        (">>t\nx", [Quote(T), Text("x")]),
        (f"x\n{DASHES}\nt\n{DASHES}\ny", [Text("x"), Quote(T), Text("y")]),
        ("    t", [Text("\t"), Text("t")]),
    ],
)
def test_each_code_makes_its_node(text: str, nodes: list[Node]) -> None:
    assert list(parse(text)) == nodes


@pytest.mark.parametrize(
    "text",
    [
        "[b]never closed",
        "closed [/b] only",
        "[b x]t[/b]",
        "[size=big]t[/size]",
        "[color=red]t[/color]",
        "[color=#12]t[/color]",
        "[user=x]t[/user]",
        "[url][/url]",
        "[unknown]t[/unknown]",
        "[\u200bb]t[\u200b/b]",
        "[timestamp=now]",
        "[disk=x]",
    ],
)
def test_what_is_not_understood_stays_as_it_was_written(text: str) -> None:
    assert bbcode.words(parse(text)) == text


def test_a_code_left_open_inside_another_stays_text() -> None:
    assert parse("[b][i]t[/b]u[/i]") == (Styled("b", (Text("[i]"), Text("t"))), Text("u"), Text("[/i]"))


@pytest.mark.parametrize(
    "target",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        " javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "//evil.example",
        "/company/",
        "https:evil",
        "https://",
        "http://[",
        "https://a b",
        "\\\\evil",
        "https:\\\\evil",
        "https://a.b\u0000",
    ],
)
def test_only_web_addresses_can_be_clicked(target: str) -> None:
    assert bbcode.address(target) == ""


@pytest.mark.parametrize("target", [URL, "http://a.b", "HTTPS://a.b/?q=%5B#f", "https://пример.рф/x"])
def test_web_addresses_are_kept_as_they_are(target: str) -> None:
    assert bbcode.address(target) == target


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", ["[b]", "[/b]", "[b][i]", "[url=", "[code]", "[b=", "\n>>", f"{DASHES}\n", "\0"])
def test_hostile_nesting_neither_hangs_nor_overflows(piece: str) -> None:
    assert parse((piece * 20_000)[:20_000]) is not None
