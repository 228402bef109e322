"""Blocks in every form in which OpenIntegrations takes them, without its surprises."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.bitrix.blocks import BadBlocks, Blocks, doubts, file_block, image_block, read

BLOCK = {"MESSAGE": 'it\'s "so"'}
WHOLE = {"COLOR_TOKEN": "alert", "BLOCKS": [BLOCK]}


def test_the_two_blocks_have_the_published_shapes() -> None:
    assert image_block("Logo", "https://x/y.png") == {"IMAGE": {"NAME": "Logo", "LINK": "https://x/y.png"}}
    assert file_block("Report", "https://x/y.docx") == {"FILE": {"NAME": "Report", "LINK": "https://x/y.docx"}}
    assert image_block("", "https://x/y.png") == {"IMAGE": {"LINK": "https://x/y.png"}}
    assert file_block("Report", " ") == {"FILE": {"NAME": "Report"}}


@pytest.mark.parametrize("nothing", [None, "", "  \n", (), [], {}, "[]", "{}", b"[]"])
def test_nothing_is_left_out(nothing: Blocks) -> None:
    assert read(nothing) is None


@pytest.mark.parametrize(
    ("given", "attach"),
    [
        ([BLOCK, BLOCK], [BLOCK, BLOCK]),
        ((BLOCK,), [BLOCK]),
        (BLOCK, [BLOCK]),
        (WHOLE, WHOLE),
        (json.dumps([BLOCK]), [BLOCK]),
        (json.dumps(BLOCK), [BLOCK]),
        (json.dumps(WHOLE), WHOLE),
        (f"  {json.dumps(BLOCK)}\n", [BLOCK]),
        (json.dumps([BLOCK]).encode(), [BLOCK]),
        (b"\xef\xbb\xbf" + json.dumps([BLOCK]).encode(), [BLOCK]),
        ("[{'IMAGE': {'NAME': 'Лого', 'LINK': 'https://x/y'}}]", [image_block("Лого", "https://x/y")]),
        ("{'MESSAGE': 'it\\'s \"so\"'}", [BLOCK]),
        ("{'MESSAGE': 'a\\nb', \"SIZE\": 5, 'X': [true, null]}", [{"MESSAGE": "a\nb", "SIZE": 5, "X": [True, None]}]),
        ("{'MESSAGE': 'a\nb\\\\'}", [{"MESSAGE": "a\nb\\"}]),
        ("{'MESSAGE': 'say \\\"x\\\"'}", [{"MESSAGE": 'say "x"'}]),
        ([{"UNKNOWN": 1}], [{"UNKNOWN": 1}]),
    ],
)
def test_every_form_is_read(given: Blocks, attach: object) -> None:
    assert read(given) == attach


@pytest.mark.parametrize("content", [json.dumps([BLOCK]), f"\ufeff{json.dumps(BLOCK)}\n"])
def test_a_file_is_read_by_its_path_or_after_an_at(content: str, tmp_path: Path) -> None:
    path = tmp_path / "blocks.json"
    path.write_text(content, encoding="utf-8")

    assert read(f"@{path}") == read(str(path)) == read(path) == [BLOCK]


@pytest.mark.parametrize(
    "given",
    [
        "[",
        "[{'MESSAGE': 'x'}",
        "{MESSAGE: 'x'}",
        "some text",
        "@/no/such/file",
        "@",
        "@\0",
        "\0",
        "https://x/blocks.json",
        "HTTP://x",
        '"text"',
        "x" * 10_000,
        b'"text"',
        b"5",
        b"\xff",
        b"[NaN]",
        "[" * 100_000,
        5,
        "[1e999]",
    ],
)
def test_what_is_no_blocks_is_refused_here_and_not_sent_as_text(given: Any) -> None:
    with pytest.raises(BadBlocks) as refusal:
        read(given)

    assert "x" * 100 not in str(refusal.value)


def test_backslashes_that_a_shell_kept_are_explained() -> None:
    with pytest.raises(BadBlocks, match="single quotes a shell keeps"):
        read('[{\\"IMAGE\\": {\\"NAME\\": \\"a\\"}}]')


def test_a_directory_or_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    for path in (str(tmp_path), f"@{tmp_path}", tmp_path):
        with pytest.raises(BadBlocks):
            read(path)


def test_a_web_address_is_fetched_only_if_that_is_asked_for() -> None:
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        return json.dumps(BLOCK).encode()

    assert read("https://x/blocks.json", fetch=fetch) == [BLOCK]
    assert asked == ["https://x/blocks.json"]


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10))
def test_single_quotes_lose_nothing(value: Any) -> None:
    single = _single_quoted(value)

    assert read([value]) == read(f"[{single}]") or not value


def _single_quoted(value: Any) -> str:
    match value:
        case str():
            inner = json.dumps(value)[1:-1].replace('\\"', '"').replace("'", "\\'")
            return f"'{inner}'"
        case list():
            return f"[{', '.join(map(_single_quoted, value))}]"
        case dict():
            return "{" + ", ".join(f"{_single_quoted(k)}: {_single_quoted(v)}" for k, v in value.items()) + "}"
        case _:
            raise AssertionError


@given(st.text())
def test_any_text_is_blocks_or_refused(text: str) -> None:
    try:
        attach = read(text)
    except BadBlocks:
        return

    assert attach is None or isinstance(attach, list | dict)


@pytest.mark.parametrize(
    ("attach", "doubt"),
    [
        (["[]"], "block 1 is none"),
        ([BLOCK, {"message": "x"}], "block 2 is none"),
        ({"BLOCKS": {"MESSAGE": "x"}}, "not a list"),
        ([{"MESSAGE": "x" * 60_000}], "fewer than 60000"),
        ([{"MESSAGE": "/" * 30_000}], "fewer than 60000"),
    ],
)
def test_what_the_portal_will_not_take_is_doubted(attach: Any, doubt: str) -> None:
    (said,) = doubts(attach)

    assert doubt in said


def test_good_blocks_raise_no_doubt() -> None:
    assert doubts(None) == doubts([BLOCK, {"DELIMITER": {}}]) == doubts(WHOLE) == []


def test_a_path_may_be_anything_with_a_path() -> None:
    class Odd(os.PathLike[str]):
        def __fspath__(self) -> str:
            return "/no/such/file"

    with pytest.raises(BadBlocks, match="cannot be read"):
        read(Odd())
