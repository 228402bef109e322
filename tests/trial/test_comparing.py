"""Old and new rules over the same events: who would be told more, less or otherwise, and in which events."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from relay.rules import load
from relay.trial import Comparison, Course
from tests.rules.books import ENV, HEAD, book
from tests.trial.requests import entry

OLD = """
rules:
  - {name: builds, when: {payload.kind: build}, to: [ivan, olga]}
  - {name: alarms, when: {payload.kind: alarm}, to: ivan, template: {text: "{{ event.payload.n }}"}}
"""
NOW = 1_795_000_000.0


def compared(old: str, new: str, *kinds: str, examples: int = 3) -> Comparison:
    """Events of these kinds, a minute apart, by both."""
    comparison = Comparison(Course(book(old)), Course(book(new)), examples=examples)
    for number, kind in enumerate(kinds, start=1):
        comparison.take(entry(number, NOW + 60 * number, kind=kind, n=number))
    comparison.end()
    return comparison


def found(comparison: Comparison) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        name: {way: (difference.counts[way], difference.examples[way]) for way in difference.counts}
        for name, difference in comparison.differences()
    }


def test_the_same_rules_differ_in_nothing() -> None:
    comparison = compared(OLD, OLD, "build", "alarm", "other")

    assert (comparison.differs, comparison.events, found(comparison)) == (False, 3, {})


def test_who_is_told_more_and_who_less_is_counted_with_examples() -> None:
    new = OLD.replace("[ivan, olga]", "[ivan, petr]")

    assert found(compared(OLD, new, *["build"] * 5, "alarm")) == {
        ("olga", "builds"): {"fewer": (5, [1, 2, 3])},
        ("petr", "builds"): {"more": (5, [1, 2, 3])},
    }
    assert found(compared(OLD, new, "build", examples=0))["petr", "builds"] == {"more": (1, [])}


@pytest.mark.parametrize(
    ("change", "aspects"),
    [
        ('text: "{{ event.payload.n }}!"', ["text"]),
        ('text: "{{ event.payload.n }}", blocks: [{message: x}]', ["blocks"]),
        ('text: "{{ event.payload.n }}"}, urgent: true, via: system, tag: {x', ["tag", "urgent", "via"]),
    ],
)
def test_what_has_changed_about_a_message_is_named(change: str, aspects: list[str]) -> None:
    new = OLD.replace('text: "{{ event.payload.n }}"', change).replace("tag: {x}", "tag: x")
    comparison = compared(OLD, new, "alarm", "build")

    assert found(comparison) == {("ivan", "alarms"): {"changed": (1, [1])}}
    ((_, difference),) = comparison.differences()
    assert sorted(difference.aspects) == aspects


def test_a_renamed_rule_is_told_by_both_names() -> None:
    assert found(compared(OLD, OLD.replace("alarms", "fires"), "alarm")) == {
        ("ivan", "alarms"): {"fewer": (1, [1])},
        ("ivan", "fires"): {"more": (1, [1])},
    }


def test_what_is_gathered_comes_later_and_less_often() -> None:
    new = OLD.replace("to: ivan,", "to: ivan, group: {by: [payload.kind], wait: 90s, interval: 1h},")

    assert found(compared(OLD, new, "alarm", "alarm", "other", "alarm")) == {
        ("ivan", "alarms"): {"fewer": (3, [1, 2, 4]), "more": (2, [2, 4])},
    }


def test_time_goes_on_between_events_for_each_side_by_itself() -> None:
    limited = OLD.replace("to: ivan,", "to: ivan, throttle: {max: 1, per: 90s},")
    kinds = ["alarm", "alarm", "alarm"]

    assert found(compared(limited, limited, *kinds)) == {}
    assert found(compared(OLD, limited, *kinds))["ivan", "alarms"]["fewer"] == (1, [2])


def test_an_event_that_only_one_of_them_can_read_is_a_difference() -> None:
    comparison = Comparison(
        Course(book("rules: []")),
        Course(book_without_deploys()),
        examples=3,
    )
    comparison.take(entry(1, NOW, kind="build"))
    comparison.end()

    assert comparison.differs
    assert (comparison.old.unreadable, comparison.new.unreadable) == (0, 1)


def book_without_deploys() -> Any:
    line = next(line for line in HEAD.splitlines() if "deploys:" in line)
    return load(HEAD.replace(line + "\n", "") + "rules: []\n", env=ENV)


def test_memory_does_not_grow_with_events() -> None:
    limited = OLD.replace("to: ivan,", "to: ivan, repeat: 5m, tag: '{{ event.payload.n }}',")
    course = Course(book(limited), events_of=lambda references: [])
    for number in range(1, 200):
        course.pass_time(at := moment(number))
        course.take(entry(number, at.timestamp(), kind="alarm", n=number), at)

    assert len(course._memory.changes) <= 6
    assert len(course._timers) <= 6


def moment(number: int) -> datetime:
    return datetime.fromtimestamp(NOW + 60 * number, UTC)
