"""YAML is read as people write it: text unless JSON would call it otherwise, and every part knows its place."""

from __future__ import annotations

from typing import Any

import pytest

from relay.rules import document
from relay.rules.document import Document, Path, Place, Unreadable


def read(text: str) -> tuple[Document, list[tuple[Place, Path, str]]]:
    faults: list[tuple[Place, Path, str]] = []
    found = document.read(text, lambda place, path, message: faults.append((place, path, message)))
    return found, faults


def data(text: str) -> Any:
    found, faults = read(text)
    assert not faults
    return found.data


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True),
        ("false", False),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("12", 12),
        ("-3", -3),
        ("0", 0),
        ("007", "007"),  # an octal number in YAML 1.1
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("+7", "+7"),
        ("12:30", "12:30"),  # 750 in YAML 1.1
        ("09:00", "09:00"),
        ("2026-11-23", "2026-11-23"),  # a date in YAML 1.1
        ("1e5", "1e5"),  # the beginning of a commit, as likely as not
        ("1.5", 1.5),
        ("1.", "1."),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("9" * 30, "9" * 30),
        ('"12"', "12"),
        ("'true'", "true"),
        ("=", "="),
    ],
)
def test_a_scalar_is_what_it_looks_like(written: str, value: object) -> None:
    found = data(f"a: {written}")["a"]

    assert found == value
    assert isinstance(found, type(value))


def test_the_keys_of_yaml_1_1s_booleans_stay_text() -> None:
    assert data("on: {no: 1, 17: 2, true: 3}") == {"on": {"no": 1, "17": 2, "true": 3}}


def test_a_decimal_remembers_its_final_zero() -> None:
    assert data("a: 1.10")["a"].written == "1.10"


def test_a_reference_needs_no_quotes_even_between_braces() -> None:
    assert data("a: {b: ${NAME}, c: [${X}, x${Y}z]}") == {"a": {"b": "${NAME}", "c": ["${X}", "x${Y}z"]}}


def test_every_value_and_key_knows_its_place() -> None:
    found, _ = read("one:\n  two: [a, {b: c}]\n")

    assert found.place(("one", "two", 1, "b")) == Place(2, 16)
    assert found.place(("one", "two", 1, "b"), key=True) == Place(2, 13)
    assert found.place(("one", "two", 7, "x")) == Place(2, 8)  # the nearest thing that is there


def test_the_place_after_a_reference_between_braces_is_still_right() -> None:
    found, _ = read("a: {b: ${NAME}, c: here}")

    assert found.place(("a", "c")) == Place(1, 20)


def test_a_key_that_is_there_twice_is_refused_with_both_lines() -> None:
    _, faults = read("a: 1\nb: 2\na: 3\n")

    assert faults == [(Place(3, 1), ("a",), "is here twice: first at line 1")]


def test_merge_keys_and_anchors_work_and_what_is_written_wins() -> None:
    text = "base: &base {x: 1, y: [1]}\nmore: &more {x: 5, z: 6}\nuse: {<<: [*base, *more], x: 2}\nsame: *base\n"

    found = data(text)

    assert found["use"] == {"x": 2, "y": [1], "z": 6}
    assert found["same"] == {"x": 1, "y": [1]}


def test_a_value_that_was_merged_in_stands_where_it_is_written() -> None:
    found, _ = read("base: &base {x: 1, y: 2}\nuse:\n  <<: *base\n")

    assert found.place(("use", "y")) == Place(1, 23)


def test_a_key_without_value_is_a_blank_and_left_out() -> None:
    found, _ = read("a:\nb: [1, ~]\n")

    assert found.data == {"b": [1, None]}
    assert found.blanks == (("a",), ("b", 1))


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGES = "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{<<: *a{n - 1}}}\n" for n in range(1, 900))


@pytest.mark.parametrize(
    ("text", "place", "sentence"),
    [
        ("", (1, 1), "the file is empty"),
        ("# nothing\n", (1, 1), "the file is empty"),
        ("---\n", (2, 1), "the file is empty"),
        ("a: [1\n", (2, 1), "this is not YAML: did not find expected ',' or ']', while parsing a flow sequence"),
        ("a:\n\tb: 1\n", (2, 1), "a tab cannot indent YAML: use spaces"),
        ("a: \x07\n", (1, 4), "a control character cannot stand here"),
        ("a: \ud800\n", (1, 4), "this is not valid text: save the file as UTF-8"),
        ("a: 1\n---\nb: 2\n", (2, 1), "a second document begins here: one file, one document"),
        ("a: !!python/object:os.system x", (1, 4), "tags (!, !!) are not understood here: write the value plainly"),
        ("a: !!binary eA==", (1, 4), "tags (!, !!) are not understood here: write the value plainly"),
        ("a: *nobody\n", (1, 4), "no &nobody is complete before this *nobody"),
        ("a: &a [*a]\n", (1, 8), "no &a is complete before this *a"),
        ("[" * 200_000, (1, 51), "nested deeper than 50 levels"),
        ("{a: " * 60, (1, 198), "nested deeper than 50 levels"),
        ("#" * 4_000_001, (1, 1), "the file is larger than 4,000,000 bytes"),
        (BOMB, (6, 1), "the aliases unfold to more than 500,000 values or 50 levels"),
        (MERGES, (50, 1), "the aliases unfold to more than 500,000 values or 50 levels"),
    ],
)
def test_what_is_no_document_is_refused_at_its_place(text: str, place: tuple[int, int], sentence: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read(text)

    assert (caught.value.message, caught.value.place) == (sentence, Place(*place))


def test_a_key_that_is_a_list_is_refused() -> None:
    _, faults = read("? [a, b]\n: 1\n")

    assert faults == [(Place(1, 3), (), "a key must be text")]
