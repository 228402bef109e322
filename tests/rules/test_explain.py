"""The explanation reads as a page: every rule, why, and what is sent."""

from __future__ import annotations

from relay.rules.explain import explain
from tests.rules.books import decided

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
