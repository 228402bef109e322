"""Whom a calendar's shift means: its attendees first, then the names in its summary."""

from __future__ import annotations

import pytest

from relay.rules.feed import Shift, meant_by
from tests.rules.books import book
from tests.rules.calendars import SINCE, UNTIL

AMONG = book("rules: []").directory

MEANT = [
    (["ivan@example.com"], "", ["ivan"], []),
    (["Ivan@Example.COM"], "olga", ["ivan"], []),  # the attendees come first
    (["ivan@example.com", "olga@example.com", "ivan@example.com"], "", ["ivan", "olga"], []),
    (["ghost@example.com", "olga@example.com"], "ivan", ["olga"], ["ghost@example.com"]),
    (["ghost@example.com"], "On call: ivan", ["ivan"], []),  # then the summary
    (["ghost@example.com"], "On call", [], ["ghost@example.com"]),
    ([], "ivan", ["ivan"], []),
    ([], "IVAN-PETROV", ["ivan"], []),  # a login
    ([], "petr-g", ["petr"], []),
    ([], "olga@example.com", ["olga"], []),
    ([], "On call: Ivan, Olga (backup).", ["ivan", "olga"], []),
    ([], "Дежурит ivan", ["ivan"], []),
    ([], "team/backend", ["ivan", "olga"], []),
    ([], "duty of acme/frontend", ["petr"], []),
    ([], "17", [], ["17"]),  # a number is no portal id here
    ([], "Level 17: ghost", [], ["Level 17: ghost"]),
    ([], "Ivanov", [], ["Ivanov"]),  # a part of a word is nobody
    ([], "", [], ["(a shift without a name)"]),
]


@pytest.mark.parametrize(("attendees", "summary", "persons", "strangers"), MEANT, ids=str)
def test_a_shift_means_persons(attendees: list[str], summary: str, persons: list[str], strangers: list[str]) -> None:
    known, unknown = meant_by(Shift(SINCE, UNTIL, summary, tuple(attendees)), AMONG)

    assert ([person.name for person in known], list(unknown)) == (persons, strangers)
