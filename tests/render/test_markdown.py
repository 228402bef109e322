"""Markdown becomes BB-code, and nothing but what Markdown can say."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.render.bbcode import Context
from relay.render.markdown import MAX_INPUT, markdown
from relay.render.writer import write
from tests.render import judge


def message(text: str, limit: int | None = None) -> str:
    """The text as it would stand in a message, zero-width characters taken out to keep the examples readable."""
    return write([markdown(text, limit)], Context.MESSAGE, limit=10_000).replace(judge.ZERO_WIDTH, "")


@pytest.mark.parametrize(
    ("source", "bbcode"),
    [
        ("# Title\n\ntext", "[b]Title[/b]\ntext"),
        ("## A **b** `c`", "[b]A b `c`[/b]"),
        ("**b** *i* ~~s~~ ***both***", "[b]b[/b] [i]i[/i] [s]s[/s] [i][b]both[/b][/i]"),
        ("one\ntwo", "one\ntwo"),
        ("- a\n- b\n  - c\n    more\n- d", "• a\n• b\n    • c\n      more\n• d"),
        ("1. a\n2. b", "1. a\n2. b"),
        ("7. a\n8. b", "7. a\n8. b"),
        ("- [ ] to do\n- [x] done", "☐ to do\n☑ done"),
        ("> said\n> again\n\nanswer", ">>said\n>>again\nanswer"),
        ("```py\nif a[0]:\n    b()\n```", "[code]if a[0]:\n    b()[/code]"),
        ("    indented", "[code]indented[/code]"),
        ("> ```\n> a\n> b\n> ```", ">>a\n>>b"),
        ("[text](https://x.example/a)", "[url=https://x.example/a]text[/url]"),
        ("[**bold** text](https://x.example)", "[url=https://x.example]bold text[/url]"),
        ("<https://x.example>", "[url=https://x.example]https://x.example[/url]"),
        ("see https://x.example/a.", "see [url=https://x.example/a]https://x.example/a[/url]."),
        ("![log](https://x.example/p.png)", "[url=https://x.example/p.png]🖼 log[/url]"),
        ("[![ok](https://x.example/b.svg)](https://x.example)", "[url=https://x.example]🖼 ok[/url]"),
        ("@ivan please see #12", "@ivan please see #12"),
        ("a <!-- hidden --> b", "a b"),
        ("<!-- template\nof ours -->\ntext", "text"),
        ("<details><summary>Log</summary>\n\ninside\n\n</details>", "Log\ninside"),
        ("Vec<String> and <T>", "Vec&lt;String> and &lt;T>"),
        ("| a | b |\n|---|---|\n| 1 | **2** |\n| 3 | |", "[b]a[/b] | [b]b[/b]\n1 | [b]2[/b]\n3 |"),
        ("a\n\n---\n\nb", "a\n———\nb"),
        ("[b]not bold[/b]", "[b]not bold[/b]"),  # the zero-width space that stops it has been taken out above
        ("", ""),
    ],
)
def test_markdown_becomes_bb_code(source: str, bbcode: str) -> None:
    assert bbcode == message(source)


def test_a_label_that_names_another_host_is_followed_by_the_true_one() -> None:
    assert "(evil.example)" in message("[https://bank.example](https://evil.example)")
    assert "(" not in message("[https://www.bank.example/a](https://bank.example/b)")


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "file:///etc"])
def test_a_link_that_cannot_be_followed_stays_text(address: str) -> None:
    assert "[url" not in message(f"[x]({address})")


LIST = "first\n\nsecond\n\nthird"


@pytest.mark.parametrize(
    ("limit", "cut"),
    [(100, "first\nsecond\nthird"), (13, "first\nsecond\n…"), (6, "first\n…"), (5, "first…"), (0, "…")],
)
def test_a_limit_leaves_whole_blocks(limit: int, cut: str) -> None:
    assert cut == message(LIST, limit)


def test_a_long_table_is_cut_between_rows() -> None:
    table = "| a |\n|---|\n" + "| row |\n" * 50

    assert message(table, 12) == "[b]a[/b]\nrow\nrow\n…"


@pytest.mark.parametrize(
    "bomb", ["[" * 20_000, "*a" * 10_000, ">" * 20_000, "- " * 20_000, "<!--" * 16_000, "<a " * 20_000, "`" * 30_001,
             "![" * 20_000, "https://x.example/" * 3_000, "|a" * 20_000, "[a](" * 15_000, "1. " * 20_000]
)  # fmt: skip
def test_hostile_markdown_takes_no_time(bomb: str) -> None:
    start = time.perf_counter()
    message(bomb)

    assert time.perf_counter() - start < 5


def test_input_beyond_the_cap_is_left_out_and_marked() -> None:
    assert message("a" * 10 + "\n\n" + "b" * MAX_INPUT).endswith("…")


MARKS = ["#", "*", "**", "_", "`", "```", ">", "-", "1.", "[", "]", "(", ")", "!", "|", "~~", " ", "\n", "\n\n", "a"]
MARKS += ["<b>", "</b>", "<!--", "-->", "[b]", "[/b]", "[url=", "https://x.example", "&#91;", "$result"]


@given(st.lists(st.sampled_from(MARKS)).map("".join), st.none() | st.integers(0, 50))
def test_whatever_is_written_only_markdowns_own_tags_come_of_it(text: str, limit: int | None) -> None:
    for context in Context:
        written = write([markdown(text, limit)], context, limit=2_000)
        drawn = judge.shown(written) if context is Context.MESSAGE else written
        names = {tag.split("=")[0].strip("/") for tag in judge.tags(drawn)}
        assert names <= {"b", "i", "s", "url", "code"}
        assert judge.balanced(drawn)
        assert judge.BATCH_REFERENCE.findall(drawn) == []
