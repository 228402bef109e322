"""What the portal's server does to a text, on its way in and out."""

from __future__ import annotations

import pytest

from relay.sandbox.text import DASHES, on_read, on_send


def sent(text: str) -> str:
    return on_send(text, visible=lambda number: number == 17)


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("  \t\r\nhi\0\v ", "hi"),
        ("a[BR]b[br]c#BR#d[Br]e", "a\nb\nc\nd[Br]e"),
        ("x" * 20_006, "x" * 20_006),
        ("x" * 20_007, "x" * 20_000 + " (...)"),
        ("я" * 30_000, "я" * 20_000 + " (...)"),
        ("[user=17]Ivan[/user] [USER=99]Ghost[/USER]", "[user=17]Ivan[/user] Ghost"),
        ("<b>a</b><I>b</I><u>c</u><s>d</s>", "[B]a[/B][I]b[/I][U]c[/U][S]d[/S]"),
        ("<b><i>x</i></b>", "[B][I]x[/I][/B]"),
        ("<b>never closed", "<b>never closed"),
        ("a<br>b<BR/>c<br />d", "a\nb\nc\nd"),
        ('<a href="https://x.y/?a=1">t</a>', "[url=https://x.y/?a=1]t[/url]"),
        ("<a class=q href='https://x.y'>t</a>", "[url=https://x.y]t[/url]"),
        ('<font color="#ff0000">r</font>', "[color=#ff0000]r[/color]"),
        ("<font size=20>r</font>", "[size=20]r[/size]"),
        ('<span style="color: #00ff00">g</span>', "[color=#00ff00]g[/color]"),
        ("<div>a</div><span>b</span><font face=x>c</font>", "abc"),
        ("a<hr>b", f"a\n{DASHES}\nb"),
        ("a&nbsp;b\u00a0c", "a b c"),
        ("<script>alert(1)</script><img src=x>", "<script>alert(1)</script><img src=x>"),
    ],
)
def test_on_the_way_in(given: str, stored: str) -> None:
    assert sent(given) == stored


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("see https://a.b/c?d=1.", "see [URL]https://a.b/c?d=1[/URL]."),
        ("www.a.b, ftp://c.d! tel://5", "[URL]www.a.b[/URL], [URL]ftp://c.d[/URL]! [URL]tel://5[/URL]"),
        ("[url]https://a.b[/url] [url=https://a.b]t[/url]", "[url]https://a.b[/url] [url=https://a.b]t[/url]"),
        ("[b]https://a.b[/b]", "[b][URL]https://a.b[/URL][/b]"),
        ("[img]https://a.b/c.png [/img]", "[img]https://a.b/c.png [/img]"),
        ("[url=https://a.b/[x]]t[/url]", "[url=https://a.b/%5Bx%5D]t[/url]"),
        ("https:\u200b//a.b", "https:\u200b//a.b"),
        ("javascript://a.b", "javascript://a.b"),
        ("&lt;b&gt;x&lt;/b&gt;", "<b>x</b>"),
        ("&quot;&#092;&#036;&#33;&#91;&#93;&#39;&#124;", "\"\\$![]'|"),
        ("&#169;&#153;&#174;", "(c)(tm)(r)"),
        ("&amp;#91;b]", "&#91;b]"),
        ("&amp;lt;", "&lt;"),
        ("&#91;b]x&#91;/b]", "[b]x[/b]"),
        ("[code]https://a.b &lt; <b>x</b>[/code]", "[code]https://a.b &lt; <b>x</b>[/code]"),
        ("[put=&lt;]&amp;[/put][send=/x]&amp;[/send]&amp;", "[put=&lt;]&amp;[/put][send=/x]&amp;[/send]&"),
        ("[code]open &amp; https://a.b", "[code]open & [URL]https://a.b[/URL]"),
        ("[code]a[/code][code]b[/code]", "[code]a[/code][code]b[/code]"),
        ("1 https://a.b [code]x[/code]", "1 [URL]https://a.b[/URL] [code]x[/code]"),
    ],
)
def test_on_the_way_out(stored: str, shown: str) -> None:
    assert on_read(stored) == shown


def test_escaped_text_is_read_as_it_was_written() -> None:
    """The escape that the relay's own escaping rests on: & and < as entities, a zero-width space after each bracket."""
    escaped = "&lt;b>x&lt;/b> &amp;#91;u] [\u200bb]x[\u200b/b]"

    assert on_read(sent(escaped)) == "<b>x</b> &#91;u] [\u200bb]x[\u200b/b]"


HOSTILE = [
    "<b>", "<a ", "<a href=", "[b", "[b]", "[b=", "[code]", "[url=", "[url]", "[url=[", "<font color=#fff ", "http://",
    "[user=1]", "&amp;", "[code]x[/code]", "\n>>", DASHES + "\n", "[/b]", "[b][i]", "\0\1", "<hr",
]  # fmt: skip


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", HOSTILE)
def test_a_hostile_repetition_costs_no_more_than_its_length(piece: str) -> None:
    assert len(on_read(sent((piece * 20_000)[:20_000]))) < 300_000
