"""Strangers' words stay words, in both contexts, wherever a template puts them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.render import plain
from relay.render.bbcode import BB, Context, Words
from relay.render.writer import escape_attach, escape_message, write
from tests.render import judge

HOSTILE = {
    "sends as the reader": "[send=/kick all]look[/send]",
    "fills the input": "[put=rm -rf]look[/put]",
    "starts a call": "[call=+79990000000]look[/call]",
    "lies about a link": "[url=https://evil.example]github.com[/url]",
    "lies in capitals": "[URL=https://evil.example]x[/URL]",
    "is an HTML link": '<a href="https://evil.example">github.com</a>',
    "is an HTML link without quotes": "<a href=https://evil.example>x</a>",
    "is bold by HTML": "<b>x</b> <FONT color=red>y</FONT>",
    "is a bare link": "https://evil.example/x",
    "is a bare link in capitals": "HTTPS://EVIL.EXAMPLE",
    "is a bare host": "see www.evil.example",
    "is a mail link": "mailto:a@evil.example tel:+7999 callto:x skype:y viber:z",
    "loads a picture": "[img]https://evil.example/pixel.png [/img]",
    "loads an icon": "[icon=https://evil.example/p.png size=100]",
    "pretends to be somebody": "[user=1]The boss[/user]",
    "calls everybody": "[user=all]x[/user]",
    "points to a chat": "[chat=1]x[/chat] [context=chat1/2]y[/context]",
    "pretends a file": "[disk=12]",
    "is huge": "[size=30]x[/size]",
    "is coloured": "[color=#ff0000]x[/color]",
    "hides": "[s]x[/s]",
    "is not closed": "[b][i][s][code]",
    "closes what it did not open": "[/b][/url][/code]",
    "breaks the line": "a\nb\r\nc\u2028d\u2029e\x0bf\x85g",
    "breaks the line by tag": "a[br]b[BR]c#BR#d#br#e",
    "quotes": ">>The boss said so",
    "quotes after blanks": "   >>x",
    "quotes by dashes": "-" * 54 + "x" + "-" * 54,
    "smuggles brackets": "&#91;b&#93;x&#91;/b&#93;",
    "smuggles brackets twice": "&amp;#91;b&amp;#93;",
    "smuggles HTML": "&lt;b&gt;x&lt;/b&gt;",
    "reads another answer": "$result[n0] $RESULT[n0] $next $total $time[x] $error",
    "turns the text around": "abc\u202egnp.exe \u2066x\u2069 \u200fy",
    "has controls": "a\x00b\x07c\x1bd\x7fe\x9bf",
    "is a tag with a blank": "[img size=large]https://evil.example/x.png [/img]",
    "nests": "[[b]]x[[/b]]",
    "waits for a neighbour": "[",
    "has its own zero width": "[\u200bb]x[\u2060/b]",
    "speaks of itself": "/me leaves",
    "is a date": "[timestamp=0 format=FORMAT_DATE]",
    "is internal": "[like] [dislike] [rating=1] [pch=1]x[/pch] [attach=1]",
}


@pytest.mark.parametrize("words", HOSTILE.values(), ids=HOSTILE)
def test_words_do_nothing_in_a_message(words: str) -> None:
    assert judge.trespasses(judge.shown(escape_message(words))) == []


@pytest.mark.parametrize("words", HOSTILE.values(), ids=HOSTILE)
def test_words_do_nothing_in_a_block(words: str) -> None:
    assert judge.trespasses(escape_attach(words)) == []


@given(st.text())
def test_no_words_at_all_do_anything(words: str) -> None:
    assert judge.trespasses(judge.shown(escape_message(words))) == []
    assert judge.trespasses(escape_attach(words)) == []


FRAGMENTS = st.sampled_from(
    [
        "[",
        "]",
        "/",
        "b",
        "url=",
        "$",
        "result",
        "#",
        "BR#",
        "&",
        "#91;",
        "lt;",
        "<",
        ">",
        ":",
        "//",
        "www",
        ".e",
        "-" * 30,
    ]
)


@given(st.lists(FRAGMENTS, max_size=12))
def test_neighbours_do_nothing_together(parts: list[str]) -> None:
    message = write(map(Words, parts), Context.MESSAGE, limit=1000)

    assert judge.trespasses(judge.shown(message)) == []


AROUND = ["[{}]", "[/{}]", "[b{}]", "[url={}]x[/url]", "[url]{}[/url]", "[b]{}[/b]", "#{}", "&{}", "<{}>", "${}", ">{}"]
AROUND += [
    "[user={}]x[/user]",
    "[code]{}[/code]",
    "[prod {}]",
    "[img]{} [/img]",
    "[url=https://ok.example/{}]x[/url]",
    "{}",
]


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize(
    "words", [*HOSTILE.values(), "b", "url=https://evil.example", "BR#", ">x", "#91;b]", "result[n0]"]
)
@pytest.mark.parametrize("context", Context)
def test_words_bring_no_tag_wherever_the_template_puts_them(around: str, words: str, context: Context) -> None:
    before, after = around.split("{}")

    written = write([BB(before), Words(words), BB(after)], context, limit=5000)

    drawn = judge.shown(written) if context is Context.MESSAGE else written
    trusted = {"b", "/b", "url", "/url", "user", "/user", "code", "/code", "img", "/img"}
    brought = [tag for tag in judge.tags(drawn) if tag.split("=")[0] not in trusted]
    assert brought == []
    assert len(judge.tags(drawn)) <= 2
    assert judge.BATCH_REFERENCE.findall(drawn) == []
    if "[code]" not in around:  # a block of code keeps its lines
        assert "\n" not in drawn
        assert judge.QUOTE.findall(judge.TAG.sub("", drawn)) == []


@pytest.mark.parametrize("words", ["", "javascript:alert(1)", "[b]"])
def test_a_link_to_nowhere_leaves_its_text(words: str) -> None:
    written = write([BB("[url="), Words(words), BB("]here[/url] and there")], Context.MESSAGE, limit=100)

    assert written == "here and there"


@pytest.mark.parametrize(
    ("words", "message", "attach"),
    [
        ("a & b < c > d", "a &amp; b &lt; c > d", "a & b < c > d"),
        (r"C:\new", r"C:\new", r"C:\\new"),
        ("[x]", "[\u200bx]", "[\u200bx]"),
        ("one\n two\t three", "one two three", "one two three"),
        ("Привет 👩‍💻", "Привет 👩‍💻", "Привет 👩‍💻"),
    ],
)
def test_the_two_contexts_are_escaped_each_in_its_way(words: str, message: str, attach: str) -> None:
    assert message == escape_message(words)
    assert attach == escape_attach(words)


@pytest.mark.parametrize("words", ["fix [api] & <T>", "a  b", "x $result y", "https://x.example", "50 % off #1", "C#"])
def test_what_is_escaped_reads_as_it_was(words: str) -> None:
    assert judge.shown(escape_message(words)).replace(judge.ZERO_WIDTH, "") == " ".join(words.split())


def test_code_keeps_its_lines_and_its_signs() -> None:
    code = 'if a && b <c> {\n\tx[0] = "[/code]";\n}'

    written = write([BB("[code]"), Words(code), BB("[/code]")], Context.MESSAGE, limit=1000)

    assert judge.tags(written) == ["code", "/code"]
    assert "&amp;" not in written  # the server leaves [code] as it is: an entity would stay one
    assert written.replace(judge.ZERO_WIDTH, "") == f"[code]{code}[/code]"


def test_attach_has_no_code_and_no_quotations() -> None:
    written = write([BB("[code]"), Words("a\n[b]"), BB("[/code]\n>>said")], Context.ATTACH, limit=1000)

    assert written == "a\n[\u200bb]\n> said"


@pytest.mark.parametrize("limit", range(1, 60))
def test_a_cut_text_is_marked_and_its_tags_are_closed(limit: int) -> None:
    pieces = [BB("[b]bold [i]both"), Words(" & [words] "), BB("[/i] [url=https://x.example/y]"), Words("& here")]

    written = write(pieces, Context.MESSAGE, limit=limit)

    assert len(written) <= limit
    assert judge.balanced(written)
    assert "…" in written
    assert "&" not in written.replace("&amp;", "")


def test_what_fits_is_not_marked() -> None:
    assert write([Words("12345")], Context.MESSAGE, limit=6) == "12345"


@pytest.mark.parametrize(
    ("text", "readable"),
    [
        ("[b]x[/b] [url=https://a.example]y[/url]", "x y (https://a.example)"),
        ("[url=https://a.example]https://a.example[/url]", "https://a.example"),
        ("a[br]b#BR#c", "a\nb\nc"),
        (">>said", "> said"),
        ("a &amp;lt; b &lt;i> [\u200bb]", "a &lt; b <i> [b]"),
        ("[user=1]Ann[/user] [code]x[/code] [prod]", "Ann x [prod]"),
        ("[url=https://a.example]not closed", "not closed"),
    ],
)
def test_plain_reads_as_a_person_would(text: str, readable: str) -> None:
    assert readable == plain(text)


def test_code_in_a_block_keeps_its_lines_and_quotes_nothing() -> None:
    text = write([BB("[code]"), Words("x\n>>y"), BB("[/code]")], Context.ATTACH, limit=100)

    assert text == f"x\n{judge.ZERO_WIDTH}>>y"
