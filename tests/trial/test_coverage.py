"""Coverage names each rule that no test has seen match, or not match; reports can be read by what reads them."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from relay import trial
from relay.trial import Result, coverage, junit
from tests.rules.books import book
from tests.trial.requests import cases

RULES = """
rules:
  - name: outer
    when: {payload.kind: alarm}
    to: ivan
    rules:
      - {name: inner, when: {payload.day: sun}, to: olga}
  - {name: always, to: petr, continue: true}
  - {name: last, when: {payload.kind: other}, to: ivan}
default: {to: olga}
"""
BOOK = book(RULES)


ALL = ["outer +", "outer -", "inner +", "inner -", "always +", "last +", "last -", "default +"]


def results(*tests: str) -> list[Result]:
    lines = "".join(f"- {{name: '{index}', expect: none, {test}}}\n" for index, test in enumerate(tests))
    return [trial.run(case, BOOK) for case in cases(lines, BOOK)] if tests else []


@pytest.mark.parametrize(
    ("tests", "missing"),
    [
        ([], ALL),
        (["fixture: alarm.http"], ["outer -", "inner +", "always +", "last +", "last -", "default +"]),
        (
            ["fixture: alarm.http", "fixture: alarm.http, set: {payload.day: sun}"],
            ["outer -", "always +", "last +", "last -", "default +"],
        ),
        (["fixture: other.http"], ["outer +", "inner +", "inner -", "last -", "default +"]),
        (["fixture: build.http"], ["outer +", "inner +", "inner -", "last +", "default +"]),
        (
            ["fixture: text.http"],
            ALL,
        ),
    ],
)
def test_each_way_of_a_rule_counts_once(tests: list[str], missing: list[str]) -> None:
    found = coverage(BOOK, [decision for result in results(*tests) for decision in result.decisions])

    assert [f"{rule.name} {'+' if matches else '-'}" for rule, matches in found.missing] == missing
    assert (found.branches, found.reached) == (8, 8 - len(missing))
    assert found.percent == 100 * (8 - len(missing)) / 8


def test_events_before_do_not_count_as_tested() -> None:
    (only,) = results("fixture: other.http, before: [{fixture: alarm.http}]")

    assert ("outer", True) in [(rule.name, matches) for rule, matches in coverage(BOOK, only.decisions).missing]


def test_rules_that_are_none_are_all_covered() -> None:
    assert coverage(book("rules: []"), []).percent == 100


# ── JUnit ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_junit_report_counts_and_names_what_its_readers_ask_for() -> None:
    report = junit.report(results("fixture: alarm.http", "fixture: text.http"), file="a/tests.yml")

    root = ElementTree.fromstring(report)
    (suite,) = root
    assert (root.tag, suite.tag) == ("testsuites", "testsuite")
    assert suite.attrib == {"name": "a/tests.yml", "tests": "2", "failures": "1", "errors": "0", "skipped": "0"}
    failed, passed = suite
    assert failed.attrib == {"classname": "a/tests.yml", "name": "0", "file": "a/tests.yml", "line": "3"}
    assert [child.tag for child in failed] == ["failure"]
    assert "came:\n  ✗ ivan, by outer" in (failed[0].text or "")
    assert list(passed) == []


def test_the_junit_report_stays_xml_whatever_strangers_write() -> None:
    rules = book("rules: [{to: ivan, tag: '{{ event.payload.x }}', template: {text: '{{ event.payload.x }}'}}]")
    (case,) = cases("- {name: 'a<b & c', fixture: other.http, expect: none}\n", rules)
    body = case.step.entry.request.body[:-1] + b', "x": "\\u0000\\u001b[2J\\ufffe\\u000b]]><&"}'

    report = junit.report([trial.run(with_body(case, body), rules)], file="tests.yml")

    root = ElementTree.fromstring(report)
    assert [case.get("name") for case in root.iter("testcase")] == ["a<b & c"]
    assert "]]><&" in "".join(root.itertext())
    assert "\x1b" not in "".join(root.itertext())


def with_body(case: trial.Case, body: bytes) -> trial.Case:
    """The same test with another body."""
    entry = replace(case.step.entry, request=replace(case.step.entry.request, body=body))
    return replace(case, step=replace(case.step, entry=entry))
