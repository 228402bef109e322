"""The tool that judges the tests: it makes the changes that it says it makes, and no others."""

from __future__ import annotations

import pytest

from tests.mutation.mutants import difference, mutants
from tests.mutation.table import ROOT, TESTS


@pytest.mark.parametrize(
    ("source", "others"),
    [
        ("x = a < b", ["x = (a <= b)"]),
        ("x = a == b in c", ["x = (a != b in c)", "x = (a == b not in c)"]),
        ("x = a and b", ["x = (a or b)"]),
        ("x = not a", ["x = (a)"]),
        ("x = a - b", ["x = (a + b)"]),
        ("x = True", ["x = False"]),
        ("x = 'é', 7", ["x = 'é', 8", "x = 'é', 6"]),
        ("x = max(a)", ["x = (min(a))"]),
        ("if a: b()", ["if (not (a)): b()", "if a: pass"]),
        ("x = [a for a in b if a]", ["x = [a for a in b if (not (a))]"]),
        ("def f():\n    return a", ["def f():\n    return None"]),
        ("while a:\n    break", ["while (not (a)):\n    break", "while a:\n    pass"]),
        ("raise a", ["pass"]),
    ],
)
def test_a_change_is_made_in_its_place_and_nowhere_else(source: str, others: list[str]) -> None:
    assert [mutant.source for mutant in mutants(source)] == others


@pytest.mark.parametrize(
    "source",
    [
        '"""Words of 2."""',
        "x: Literal[1]",
        "def f(a: int | None) -> int | None: ...",
        "x = f'{a + 1}'",
        "@d(frozen=True)\nclass A: ...",
        "def f(): return None",
    ],
)
def test_words_annotations_and_decorators_are_left_alone(source: str) -> None:
    assert mutants(source) == []


def test_the_difference_is_the_changed_line() -> None:
    source = "a = b\nc = True\n"
    (only,) = mutants(source)

    assert (only.line, difference(source, only)) == (2, "-c = True\n+c = False")


def test_every_file_and_every_test_of_the_table_exists() -> None:
    for file, tests in TESTS.items():
        assert (ROOT / file).is_file()
        assert len(tests) == len({*tests}) > 1
        assert [path for path in tests if not (ROOT / path).is_file()] == []
