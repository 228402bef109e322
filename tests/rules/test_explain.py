"""The explanation reads as a page: every rule, why, and what is sent."""

from __future__ import annotations

from typing import Any

import pytest

from relay.rules import Memory, decide
from relay.rules.explain import explain, explain_for
from tests.rules.books import NOW, book, decided, event

REST = """
rules:
  - name: broken main
    when: {event: workflow_run, branch: [main, {glob: "release/*"}]}
    to: [reviewer, team/backend]
    fallback: petr
    rules:
      - {name: at night, when: {labels.time: night}, urgent: true}
      - name: urgent
        when: {severity: [critical, high]}
        urgent: true
        template: {text: "[b]Broken[/b]: {{ event.title }}"}
  - {name: the rest, to: petr}
"""


def test_a_decision_is_explained_rule_by_rule_and_message_by_message() -> None:
    decision = decided(
        REST,
        event="workflow_run",
        branch="release/1.0",
        severity="high",
        actor="ivan-petrov",
        reviewers=("ghost",),
        title="tests",
    )

    assert explain(decision) == (
        "✓ broken main (rules.0) — its finer rules answer; stops here\n"
        "  ✗ at night (rules.0.rules.0): labels.time is nothing, not night\n"
        "  ✓ urgent (rules.0.rules.1) — stops here; ghost is nobody known; to the fallback, petr;"
        " ivan did it, and is left out\n"
        "· the rest (rules.1) — not reached\n"
        "\n"
        "Nobody known by: ghost\n"
        "\n"
        "→ olga (portal main, id 18, urgent), by urgent, tag acme/shop#1\n"
        "    Broken: tests\n"
        "→ petr (portal main, id 19, urgent), by urgent, tag acme/shop#1\n"
        "    Broken: tests"
    )


def test_silence_is_explained() -> None:
    assert explain(decided("rules: [{name: a, when: {event: x, action: y}, to: ivan}]")) == (
        "✗ a (rules.0): event is push, not x\n\nNobody is told: no rule matched, and there is no default."
    )


def test_a_deletion_is_explained() -> None:
    shown = explain(decided("rules: [{to: ivan, on_resolve: delete}]", state="resolved"))

    assert shown.endswith("tag acme/shop#1\n    (takes the notification of this tag away)")


def test_a_stranger_s_name_cannot_move_a_terminal_s_cursor() -> None:
    shown = explain(decided("default: {to: author}", author="\x1b[2Jghost", key="\x1b[31m"))

    assert "\x1b" not in shown


# ── For one person ───────────────────────────────────────────────────────────────────────────────────────────

ONE = """
rules:
  - name: reviews
    when: {action: asked}
    to: reviewer
    fallback: petr
  - name: broken
    when: {event: workflow_run}
    to: [committer, team/backend]
    continue: true
  - name: broken again
    when: {event: workflow_run}
    to: [ivan, nina]
  - name: late
    when: {event: workflow_run}
    to: petr
  - {name: dropped, when: {event: ping}, to: []}
  - {name: resolved, when: {event: alert}, to: ivan, on_resolve: skip}
  - {name: gone, when: {event: gone}, to: ivan, on_resolve: delete}
  - name: wide
    when: {event: release}
    to: ivan
    rules:
      - {name: narrow, when: {branch: main}, to: olga}
"""
DEFAULT = "default: {to: petr}\n"

ASKED = {"action": "asked", "reviewers": ("olga-s",)}
RUN = {"event": "workflow_run", "actor": "ivan-petrov", "committers": ("olga-s",)}


@pytest.mark.parametrize(
    ("name", "words", "answer"),
    [
        ("olga", ASKED, "olga gets it: «reviews» tells olga (reviewer)."),
        ("petr", {"action": "asked", "reviewers": ("ghost",)}, "petr gets it: «reviews» tells petr (fallback)."),
        ("olga", RUN, "olga gets it: «broken» tells olga (committer, team/backend)."),
        ("ivan", {"event": "release"}, "ivan gets it: «wide» tells ivan."),
        ("ivan", {"event": "gone", "state": "resolved"}, "ivan loses the notification of it: «gone» tells ivan."),
        ("ivan", RUN, "ivan does not get it: ivan did it, and «broken» leaves out whoever did it."),
        (
            "nina",
            RUN,
            "nina does not get it: «broken again» tells nina, who has no id under people:.",
        ),
        ("petr", RUN, "petr does not get it: «late» would tell petr, but «broken» answers before it."),
        ("ivan", ASKED, "ivan does not get it: «reviews» answers, and tells olga alone."),
        ("petr", ASKED, "petr does not get it: «reviews» answers, and tells olga alone."),
        ("ivan", {"event": "ping"}, "ivan does not get it: «dropped» answers, and drops the event."),
        (
            "ivan",
            {"event": "alert", "state": "resolved"},
            "ivan does not get it: «resolved» tells ivan, but: on_resolve: skip.",
        ),
        (
            "ivan",
            {"event": "release", "branch": "main"},
            "ivan does not get it: «narrow» answers, and tells olga alone.",
        ),
        ("ivan", {"event": "other"}, "ivan does not get it: no rule matched, and there is no default."),
    ],
)
def test_the_first_sentence_answers_why_a_person_gets_it_or_not(name: str, words: dict[str, Any], answer: str) -> None:
    assert explained(ONE, name, **words).splitlines()[0] == answer


def test_each_rule_that_answers_or_would_mean_the_person_follows_with_its_reason() -> None:
    shown = explained(ONE + DEFAULT, "petr", event="release", branch="main", action="asked", reviewers=("ghost",))

    assert shown.startswith(
        "petr gets it: «reviews» tells petr (fallback).\n"
        "\n"
        "✓ «reviews» (rules.0) answers, and means petr (fallback) — stops here; ghost is nobody known;"
        " to the fallback, petr\n"
        "✗ «late» (rules.3) would mean petr, but event is release, not workflow_run\n"
        "· «default» would mean petr, but is asked only when no other rule matches\n"
        "\n"
        "→ petr (portal main, id 19), by reviews, tag acme/shop#1\n"
    )


def test_a_rule_whose_finer_rule_answers_and_one_under_a_rule_that_fails_say_so() -> None:
    assert "· «wide» (rules.7) would mean ivan, but its finer rules answer" in explained(
        ONE, "ivan", event="release", branch="main"
    )
    assert "· «narrow» (rules.7.rules.0) would mean olga, but the rule above it fails" in explained(
        ONE, "olga", event="push", branch="main"
    )


def test_nobody_else_s_message_is_shown() -> None:
    assert "→" not in explained(ONE, "petr", **ASKED)


def explained(rest: str, name: str, **words: Any) -> str:
    rules = book(rest)
    happened = event(**words)
    return explain_for(rules.people[name], happened, rules, decide(happened, rules, Memory(), NOW), NOW)
