"""PHP's casts, arrays and JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from relay.sandbox import php


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("17", 17),
        (" 17abc", 17),
        ("-3", -3),
        ("abc", 0),
        ("", 0),
        (None, 0),
        (True, 1),
        (2.9, 2),
        ([], 0),
        ([5], 1),
        (float("1e300"), 0),
    ],
)
def test_the_integer_cast_takes_leading_digits_and_otherwise_gives_zero(given: php.Value, expected: int) -> None:
    assert php.integer(given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [("0", False), ("", False), ("false", True), ("N", True), (0, False), (1, True), ([], False), (None, False)],
)
def test_the_text_false_is_true(given: php.Value, expected: bool) -> None:
    assert php.truthy(given) is expected


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ({}, "[]"),
        ({"0": 1, "1": 2}, "[1,2]"),
        ({"1": 1, "0": 2}, '{"1":1,"0":2}'),
        ({"1": 1}, '{"1":1}'),
        ({"a": {}}, '{"a":[]}'),
        ("Привет", '"Привет"'),
        ("<&>'\"/", '"\\u003C\\u0026\\u003E\\u0027\\u0022\\/"'),
        ('\\"', '"\\\\\\u0022"'),
    ],
)
def test_json_is_written_as_php_writes_it(given: Any, written: str) -> None:
    assert php.encode(given) == written
    assert json.loads(written) == json.loads(json.dumps(php.canonical(given)))


def test_too_deep_a_value_is_refused_before_it_hurts() -> None:
    deep: list[Any] = []
    for _ in range(php.MAX_DEPTH + 1):
        deep = [deep]

    with pytest.raises(php.TooDeep):
        php.canonical(deep)
