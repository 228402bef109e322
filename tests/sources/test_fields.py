"""Digging in a stranger's JSON."""

from __future__ import annotations

import json
import math
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
        b"1e999",
        b'{"a": [-1e999]}',
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


# ── The short ways are the long ways ──────────────────────────────────────────────────────────────────────────
# Whatever `parse` and `dig` do to be quick, they say the same, of the good and of the bad, as the plainest reading.


def plainly_parsed(body: bytes) -> Any:
    def refused(written: str) -> Any:
        raise ValueError(written)

    def finite(written: str) -> float:
        return float(written) if math.isfinite(float(written)) else refused(written)

    try:
        data = json.loads(body.decode("utf-8-sig"), parse_constant=refused, parse_float=finite)
    except UnicodeDecodeError:
        raise NotUnderstood("the body is not valid UTF-8") from None
    except RecursionError:
        raise NotUnderstood("the JSON is nested deeper than 100 levels") from None
    except ValueError:
        raise NotUnderstood("the body is not valid JSON") from None
    if depth(data) > 100:
        raise NotUnderstood("the JSON is nested deeper than 100 levels")
    return data


def depth(data: Any) -> int:
    inside = data.values() if isinstance(data, dict) else data if isinstance(data, list) else None
    return 0 if inside is None else 1 + max(map(depth, inside), default=0)


def plainly_dug(data: Any, *path: Any) -> Any:
    for nth, step in enumerate(path):
        if data is None:
            return None
        if not isinstance(data, list if isinstance(step, int) else dict):
            place = ".".join(map(fields._told, path[:nth])) or "the body"
            raise NotUnderstood(f"{place} is not {'a list' if isinstance(step, int) else 'an object'}")
        children: Any = data
        known = step < len(children) if isinstance(step, int) else step in children
        data = children[step] if known else None
    return data


def outcome(act: Callable[..., Any], *given: Any) -> str:
    """What came of it, to the letter: of two numbers or two orders of keys that are equal, which."""
    try:
        return repr(act(*given))
    except NotUnderstood as refusal:
        return f"refused: {refusal}"


HOSTILE = (
    *("{", "}", "[", "]", '"', ",", ":", "\\", "\0", " ", "\ufeff", "\x80", "{}", "[]", '{"a":', '"{[', '"a":1,"a":2'),
    *("NaN", "-Infinity", "1e999", "-1e-999", "0.1", "-0.0", "1E400", "9" * 30, "9" * 5_000, '"\\ud800"', '"\\u0000"'),
)


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """JSON within up to some 110 levels, into which some of `HOSTILE` may be thrown."""
    around = draw(st.lists(st.sampled_from([("[", "]"), ("[0,", "]"), ('{"a":', "}")]), max_size=3))
    times = draw(st.sampled_from([0, 1, 30, 33, 34, 49, 50, 51, 98, 99, 100, 101, 110]))
    opened, closed = "".join(each for each, _ in around), "".join(each for _, each in reversed(around))
    text = opened * times + json.dumps(draw(JSON), ensure_ascii=draw(st.booleans())) + closed * times
    for thrown in draw(st.lists(st.sampled_from(HOSTILE), max_size=2)):
        where = draw(st.integers(0, len(text)))
        text = text[:where] + thrown + text[where + draw(st.integers(0, 2)) :]
    return text.encode(draw(st.sampled_from(["utf-8", "utf-8-sig", "latin-1"])), "replace")


@given(bodies())
@settings(deadline=None, max_examples=300)
def test_a_body_is_read_or_refused_as_the_plainest_reading_does(body: bytes) -> None:
    assert outcome(fields.parse, body) == outcome(plainly_parsed, body)


@pytest.mark.parametrize("levels", [99, 100, 101])
@pytest.mark.parametrize("inner", [b"1", b"{}", b'"[[["', b'[{"a": [1]}]', b'{"a": {}, "b": [[2]], "c": 3}'])
def test_the_deepest_level_counts_wherever_it_stands(levels: int, inner: bytes) -> None:
    one_way = b"[" * levels + inner + b"]" * levels
    among_others = b'{"a":[' * (levels // 2) + inner + b",[]" * 200 + b"]}" * (levels // 2)
    for body in (one_way, among_others):
        assert outcome(fields.parse, body) == outcome(plainly_parsed, body)


@given(JSON, STEPS)
@settings(deadline=None)
def test_a_value_is_found_or_refused_as_the_plainest_reading_does(data: Any, path: list[str | int]) -> None:
    assert outcome(fields.dig, data, *path) == outcome(plainly_dug, data, *path)


@given(JSON, STEPS)
@settings(deadline=None)
def test_several_texts_of_one_object_are_as_each_of_them(data: Any, path: list[str | int]) -> None:
    def one_by_one(*given: Any) -> list[str]:
        fields.mapping(*given)
        return [fields.text(*given, name) for name in ("a", "b", "z")]

    def at_once(data: Any, *path: str | int) -> list[str]:
        return fields.each_text(data, ("a", "b", "z"), *path)

    assert outcome(at_once, data, *path) == outcome(one_by_one, data, *path)


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
