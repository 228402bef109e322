"""`${NAME}` is the environment's word, in values only."""

from __future__ import annotations

from typing import Any

import pytest

from relay.rules.document import Path
from relay.rules.environment import substitute

ENV = {"NAME": "value", "EMPTY": "", "BYTES": "\udcff", "NESTED": "${NAME}"}


def substituted(data: Any) -> tuple[Any, list[tuple[Path, str]]]:
    faults: list[tuple[Path, str]] = []
    return substitute(data, ENV, lambda path, message: faults.append((path, message))), faults


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("${NAME}", "value"),
        ("a ${NAME} and ${NAME}", "a value and value"),
        ("${EMPTY}", ""),
        ("$NAME", "$NAME"),
        ("$${NAME}", "${NAME}"),
        ("$${", "${"),
        ("${NESTED}", "${NAME}"),  # what the environment says is not read again
        ("{{ event.title }}", "{{ event.title }}"),
    ],
)
def test_a_reference_is_replaced(written: str, value: str) -> None:
    assert substituted({"a": [written]}) == ({"a": [value]}, [])


def test_keys_are_left_alone() -> None:
    assert substituted({"${NAME}": 1}) == ({"${NAME}": 1}, [])


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("${OTHER}", "the environment has no OTHER: set it, or write it to .env beside this file"),
        ("${BYTES}", "BYTES in the environment is not valid UTF-8"),
        ("${NAME", "${ begins the name of a variable, such as ${NAME}; for the signs themselves write $${"),
        ("${{ x }}", "${ begins the name of a variable, such as ${NAME}; for the signs themselves write $${"),
        ("${1}", "${ begins the name of a variable, such as ${NAME}; for the signs themselves write $${"),
    ],
)
def test_a_bad_reference_is_complained_of_at_its_place(written: str, sentence: str) -> None:
    assert substituted({"a": [1, written]}) == ({"a": [1, written]}, [(("a", 1), sentence)])
