"""Digging in a stranger's JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.errors import NotUnderstood
from relay.sources import fields

READERS: tuple[Callable[..., Any], ...] = (
    fields.text,
    fields.number,
    fields.flag,
    fields.items,
    fields.mapping,
    fields.texts,
    fields.dig,
)
STEPS = st.lists(st.sampled_from(["a", "b", 0, 1]), max_size=4)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3),
    max_leaves=12,
)


# ── The body ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("body", "data"),
    [
        (b"{}", {}),
        (b" [1, 2] ", [1, 2]),
        (b'"text"', "text"),
        (b"null", None),
        (b"0", 0),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        ('{"имя": "Иван"}'.encode(), {"имя": "Иван"}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'{"a": "\\u0000"}', {"a": "\0"}),
    ],
)
def test_any_json_is_a_body_with_or_without_a_byte_order_mark(body: bytes, data: Any) -> None:
    assert fields.parse(body) == data


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"payload=%7B%7D",
        b"NaN",
        b'{"a": NaN}',
        b"[Infinity]",
        b"[-Infinity]",
        b'{"a": 1,}',
        b"{'a': 1}",
        b'{"a": 1} {"b": 2}',
        b'"\x00"',
        b'"\xff"',
        b'{"a": "\xc3\x28"}',
        "{}".encode("utf-16"),
        b"1" * 5_000,
    ],
)
def test_what_is_not_json_in_utf_8_is_refused(body: bytes) -> None:
    with pytest.raises(NotUnderstood, match="not valid"):
        fields.parse(body)


@pytest.mark.parametrize("depth", [101, 1_000, 10_000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_json_nested_too_deeply_is_refused(depth: int, opening: bytes, closing: bytes) -> None:
    with pytest.raises(NotUnderstood, match="deeper than 100 levels"):
        fields.parse(opening * depth + (b"1" if closing == b"}" else b"") + closing * depth)


def test_a_hundred_levels_are_still_read() -> None:
    assert fields.parse(b"[" * 100 + b"]" * 100)


def test_brackets_side_by_side_or_inside_text_are_not_depth() -> None:
    assert fields.parse(b"[" + b"[]," * 500 + b'"' + b"[" * 500 + b'"]')


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with suppress(NotUnderstood):
        fields.parse(body)


@given(JSON)
@settings(deadline=None)
def test_what_json_can_say_is_read_as_it_was_said(data: Any) -> None:
    try:
        body = json.dumps(data, allow_nan=False).encode()
    except ValueError:
        return

    assert fields.parse(body) == data


# ── The values ────────────────────────────────────────────────────────────────────────────────────────────────

BODY = {
    "text": "a",
    "number": 7,
    "yes": True,
    "none": None,
    "list": [{"login": "ivan"}],
    "object": {"a": "b", "none": None},
    "ratio": 0.5,
}


def test_values_are_found_by_their_path() -> None:
    assert fields.text(BODY, "list", 0, "login") == "ivan"
    assert fields.number(BODY, "number") == 7
    assert fields.flag(BODY, "yes") is True
    assert fields.items(BODY, "list") == [{"login": "ivan"}]
    assert fields.mapping(BODY, "object") == {"a": "b", "none": None}
    assert fields.texts(BODY, "object") == {"a": "b", "none": ""}
    assert fields.document(BODY) is BODY


@pytest.mark.parametrize("path", [("none",), ("missing",), ("none", "deeper", 0), ("list", 5), ("object", "none", "x")])
def test_missing_and_null_are_empty(path: tuple[str | int, ...]) -> None:
    assert fields.dig(BODY, *path) is None
    assert fields.text(BODY, *path) == ""
    assert fields.number(BODY, *path) is None
    assert fields.flag(BODY, *path) is False
    assert fields.items(BODY, *path) == []
    assert fields.mapping(BODY, *path) == {}
    assert fields.texts(BODY, *path) == {}


@pytest.mark.parametrize(
    ("reader", "path", "sentence"),
    [
        (fields.text, ("number",), "number is not text"),
        (fields.text, ("list", 0), "list.0 is not text"),
        (fields.number, ("text",), "text is not a whole number"),
        (fields.number, ("yes",), "yes is not a whole number"),
        (fields.number, ("ratio",), "ratio is not a whole number"),
        (fields.flag, ("number",), "number is not true or false"),
        (fields.items, ("object",), "object is not a list"),
        (fields.mapping, ("list",), "list is not an object"),
        (fields.text, ("text", "deeper"), "text is not an object"),
        (fields.text, ("object", 0), "object is not a list"),
        (fields.text, ("list", "login"), "list is not an object"),
        (fields.text, ("list", 0, "login", "x"), "list.0.login is not an object"),
        (fields.text, (), "the body is not text"),
    ],
)
def test_another_type_is_refused_by_its_path(reader: Any, path: tuple[str | int, ...], sentence: str) -> None:
    with pytest.raises(NotUnderstood) as refusal:
        reader(BODY, *path)
    assert str(refusal.value) == sentence


@pytest.mark.parametrize("body", [[], "text", 1, None, True])
def test_a_body_that_is_no_object_is_no_document(body: Any) -> None:
    with pytest.raises(NotUnderstood, match="not an object"):
        fields.document(body)


def test_labels_that_are_not_text_are_refused() -> None:
    with pytest.raises(NotUnderstood, match="not text"):
        fields.texts({"labels": {"a": 1}}, "labels")


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("a\0b", "ab"),
        ("\ud83d", ""),
        ("half \udd34 of it", "half  of it"),
        ("🔴 \0Иван", "🔴 Иван"),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_what_no_store_can_keep_is_taken_out(sent: str, kept: str) -> None:
    assert fields.clean(sent) == kept
    assert fields.text({"a": sent}, "a") == kept
    assert fields.texts({"a": {sent: sent}}, "a") == {kept: kept}


@given(JSON, STEPS)
@settings(deadline=None)
def test_whatever_is_asked_of_any_json_is_answered_or_refused(data: Any, path: list[str | int]) -> None:
    for reader in READERS:
        with suppress(NotUnderstood):
            reader(data, *path)
