"""A test of the rules passes exactly when everything it expects comes, nothing else does, and for its reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from relay.trial import report
from relay.trial.moment import USUAL, moment, written
from tests.trial.requests import RULES, cases, result

ALARM = "fixture: alarm.http\n"
BUILD = "fixture: build.http\n"


@pytest.mark.parametrize(
    "test",
    [
        ALARM + "expect: [{person: ivan}, {person: olga}]",
        ALARM + "expect: [{person: olga}, {person: ivan}]",
        ALARM + "expect: [{person: 17, rule: alarms, urgent: true, via: personal}, {person: '18'}]",
        ALARM + "set: {payload.day: sun}\nexpect: [{person: petr, rule: at the weekend}]",
        BUILD + "expect: [{person: ivan, tag: shop, text: shop}]",
        BUILD + "expect: [{person: ivan, contains: ho, blocks: Branch main}]",
        BUILD + "expect: [{person: ivan, contains: [sh, op], blocks: [Branch, main]}]",
        BUILD + "set: {payload.name: null}\nexpect: [{person: ivan, tag: ''}]",
        BUILD + "set: {payload.who: ghost}\nexpect: [{person: petr}]",
        BUILD + "at: 2026-01-01 10:00 UTC\nexpect: [{person: ivan, at: 2026-01-01 09:00 UTC}]",
        "fixture: other.http\nexpect: none",
        "fixture: other.http\nexpect: none\nbecause: no_rule",
        "fixture: other.http\nset: {payload.kind: quiet}\nexpect: none\nbecause: dropped",
        "fixture: text.http\nexpect: none\nbecause: unreadable",
        ALARM + "signed: false\nexpect: none\nbecause: unauthorized",
        ALARM + "signed: false\nset: {header.Authorization: Bearer a-secret}\nexpect: [{person: ivan}, {person: olga}]",
    ],
)
def test_what_is_as_expected_passes(test: str) -> None:
    assert result(test).passed


@pytest.mark.parametrize(
    ("test", "said"),
    [
        (ALARM + "expect: [{person: ivan}]", "  ✗ olga, by alarms, tag «deploys:x», urgent"),
        (ALARM + "expect: [{person: ivan}, {person: olga}, {person: petr}]", "  ✗ petr\n"),
        (ALARM + "expect: [{person: ivan}, {person: ivan}]", "  ✗ ivan\n"),
        (ALARM + "expect: none", "expected: nobody\ncame:\n  ✗ ivan"),
        (
            ALARM + "expect: [{person: ivan, urgent: false}, {person: olga}]",
            "✗ ivan, not urgent — urgent is true, not false",
        ),
        (BUILD + "expect: [{person: ivan, rule: alarms}]", "✗ ivan, by alarms — rule is «builds», not «alarms»"),
        (BUILD + "expect: [{person: ivan, tag: ''}]", "✗ ivan, tag «» — tag is «shop», not empty"),
        (BUILD + "expect: [{person: ivan, text: sho}]", "✗ ivan, text «sho» — text is «shop»"),
        (BUILD + "expect: [{person: ivan, contains: [sh, zz]}]", "text with «zz» — text has no «zz»"),
        (BUILD + "expect: [{person: ivan, blocks: dev}]", "✗ ivan, blocks with «dev» — the blocks have no «dev»"),
        (BUILD + "expect: [{person: ivan, via: system}]", "via system — via is «personal», not «system»"),
        (BUILD + "expect: [{person: ivan, delete: true}]", "taken away — it takes no notification away"),
        (
            BUILD + "at: 2026-01-01 10:00 UTC\nexpect: [{person: ivan, at: 2026-01-01 13:01 Europe/Moscow}]",
            "it comes at 2026-01-01 10:00:00 UTC, before 2026-01-01 13:01:00 Europe/Moscow",
        ),
        ("fixture: other.http\nexpect: [{person: ivan}]", "came: nobody, because: no_rule"),
        ("fixture: other.http\nexpect: none\nbecause: dropped", "because: dropped\ncame: nobody, because: no_rule"),
        (
            "fixture: text.http\nexpect: [{person: ivan}]",
            "came: nobody, because: unreadable (the body is not valid JSON)",
        ),
        (ALARM + "signed: false\nexpect: [{person: ivan}]", "because: unauthorized (an Authorization header"),
    ],
)
def test_what_is_not_fails_and_says_what_was_expected_and_what_came(test: str, said: str) -> None:
    rules = RULES.replace("urgent: true", "urgent: true\n    tag: deploys:x")
    failed = result(test, rules)

    assert not failed.passed
    assert said in report.failure(failed)
    assert report.line(failed) == "✗ it"


def test_a_failure_ends_with_the_explanation_of_the_decision() -> None:
    failed = result("fixture: other.http\nexpect: [{person: ivan}]")

    assert "✗ alarms (rules.0): payload.kind is other, not alarm" in report.failure(failed)


def test_a_vague_expectation_leaves_the_message_to_a_strict_one() -> None:
    rules = """
    rules:
      - {name: one, when: {payload.kind: build}, to: ivan, tag: one, continue: true}
      - {name: two, when: {payload.kind: build}, to: ivan, tag: two}
    """

    assert result(BUILD + "expect: [{person: ivan}, {person: ivan, tag: one}]", rules).passed
    assert result(BUILD + "expect: [{person: ivan, tag: two}, {person: ivan}]", rules).passed
    assert not result(BUILD + "expect: [{person: ivan, tag: one}, {person: ivan, tag: one}]", rules).passed


def test_a_deletion_is_not_a_message() -> None:
    rules = "rules: [{to: ivan, on_resolve: delete}]"
    resolved = "fixture: resolved.http\n"

    assert result(resolved + "expect: [{person: ivan, delete: true}]", rules).passed
    failed = result(resolved + "expect: [{person: ivan}]", rules)
    assert "✗ ivan — it takes a notification away" in report.failure(failed)


def test_without_a_time_it_is_a_monday_at_noon_and_every_step_may_have_its_own() -> None:
    (usual, timed) = cases(
        """
        - {name: usual, fixture: other.http, before: [{fixture: other.http}], expect: none}
        - name: timed
          fixture: other.http
          at: "2026-11-24 10:00 Europe/Moscow"
          before:
            - {fixture: other.http, at: 2026-11-24T09:59:30+03:00}
            - {fixture: other.http}
          expect: none
        """
    )

    assert (usual.step.at, [step.at for step in usual.before]) == (USUAL, [USUAL])
    assert (USUAL.strftime("%A %H:%M"), USUAL.tzinfo) == ("Monday 12:00", UTC)
    assert timed.step.at == datetime(2026, 11, 24, 7, tzinfo=UTC)
    assert [step.at - timed.step.at for step in timed.before] == [timedelta(seconds=-30), timedelta()]
    assert timed.step.entry.received_at == timed.step.at.timestamp()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-11-23 10:00 Europe/Moscow", "2026-11-23 10:00:00 Europe/Moscow"),
        ("2026-11-23 10:00:05 UTC", "2026-11-23 10:00:05 UTC"),
        ("2026-11-23T10:00Z", "2026-11-23 10:00:00 UTC"),
        ("2026-11-23T10:00+03:00", "2026-11-23 10:00:00 UTC+03:00"),
    ],
)
def test_a_moment_is_written_as_it_was_read(text: str, said: str) -> None:
    assert written(moment(text)) == said


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-11-23",
        "2026-11-23 10:00",
        "2026-02-30 10:00 UTC",
        "2026-11-23 25:00 UTC",
        "2026-11-23 10:00 Moscow",
        "2026-11-23 10:00 Europe/../../etc",
        "2026-11-23 10:00 Europe",
        7,
        None,
    ],
)
def test_what_is_no_moment_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="a time with its zone"):
        moment(text)


# ── Time between the events ──────────────────────────────────────────────────────────────────────────────────

GATHERED = """
rules:
  - name: gathered
    when: {payload.kind: alarm}
    to: ivan
    template: {text: "{{ events | length }}"}
    group: {by: [payload.kind], wait: 30s, interval: 5m}
"""
LIMITED = """
rules:
  - name: limited
    when: {payload.kind: alarm}
    to: ivan
    throttle: {max: 1, per: 10m}
"""


def earlier(*times: str) -> str:
    steps = ", ".join(
        f"{{fixture: alarm.http, at: 2026-01-01T{time}Z, set: {{payload.n: '{time}'}}}}" for time in times
    )
    return f"{ALARM}at: 2026-01-01T10:00:00Z\nbefore: [{steps}]\n"


@pytest.mark.parametrize(
    ("before", "expect"),
    [
        ((), "[{person: ivan, text: '1', at: 2026-01-01T10:00:30Z}]"),
        (("09:59:40",), "[{person: ivan, text: '2', at: 2026-01-01T10:00:10Z}]"),
        (("09:59:00",), "[{person: ivan, at: 2026-01-01T10:04:30Z}]"),  # the first was told of at 09:59:30
    ],
)
def test_a_group_is_told_when_its_time_has_come(before: tuple[str, ...], expect: str) -> None:
    tried = result(earlier(*before) + f"expect: {expect}", GATHERED)

    assert tried.passed, report.failure(tried)
    assert tried.outcomes == ("grouped",)


def test_a_group_does_not_come_before_its_time() -> None:
    tried = result(earlier() + "expect: [{person: ivan, at: 2026-01-01T10:00:31Z}]", GATHERED)

    assert "it comes at 2026-01-01 10:00:30 UTC" in report.failure(tried)
    assert "at 2026-01-01 10:00:30 UTC, text" in report.failure(tried)


def test_a_throttle_remembers_the_events_before_and_forgets_them_in_time() -> None:
    once = "expect: [{person: ivan, rule: limited, at: 2026-01-01T10:00:00Z}]"

    assert result(earlier() + once, LIMITED).passed
    assert result(earlier("09:49:00") + once, LIMITED).passed  # ten minutes are over
    kept = result(earlier("09:55:00") + "expect: [{person: ivan, at: 2026-01-01T10:05:00Z}]", LIMITED)
    assert kept.passed, report.failure(kept)
    assert kept.outcomes == ("throttled",)


def test_the_events_before_are_not_told_of_but_remembered() -> None:
    assert result("fixture: other.http\nbefore: [{fixture: alarm.http}]\nexpect: none").passed
