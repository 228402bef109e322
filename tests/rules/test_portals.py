"""A person may have another id in each portal: a rule tells by the ids of its own, and numbers mean that portal's."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest

from relay.errors import BadRules
from relay.model import Message
from relay.rules import Decision, Memory, Rules, decide, load
from tests.rules.books import ENV, NOW, event

HEAD = """\
version: 1
portals:
  main: {domain: example.bitrix24.ru, token: "${TOKEN}"}
  branch: {domain: branch.bitrix24.ru, token: "${TOKEN}"}
sources: {github: {type: github, secret: "${SECRET}"}}
people:
  ivan: {id: {main: 17, branch: 40}, github: ivan-petrov}
  olga: {id: {main: 18}, github: olga-s}
  petr: {id: 19, github: petr}
  dana: {id: {branch: 17}}
"""


def book(rest: str) -> Rules:
    return load(HEAD + textwrap.dedent(rest), env=ENV)


def decided(rest: str, **words: Any) -> Decision:
    return decide(event(**words), book(rest), Memory(), NOW)


def told(decision: Decision) -> list[tuple[str, str, int]]:
    return [(message.portal, message.person, message.user_id) for message in decision.messages]


BOTH = """
    rules:
      - {to: WHOM, continue: true}
      - {to: WHOM, portal: branch}
"""


@pytest.mark.parametrize(
    ("whom", "expected"),
    [
        ("ivan", [("main", "ivan", 17), ("branch", "ivan", 40)]),
        ("petr", [("main", "petr", 19), ("branch", "petr", 19)]),
        ("olga", [("main", "olga", 18)]),
        ("author", [("main", "ivan", 17), ("branch", "ivan", 40)]),
        ("17", [("main", "ivan", 17), ("branch", "dana", 17)]),
        ("40", [("main", "40", 40), ("branch", "ivan", 40)]),
        ("99", [("main", "99", 99), ("branch", "99", 99)]),
        ("{field: payload.id}", [("main", "ivan", 17), ("branch", "dana", 17)]),
    ],
)
def test_a_rule_tells_by_the_ids_of_its_portal(whom: str, expected: list[tuple[str, str, int]]) -> None:
    assert told(decided(BOTH.replace("WHOM", whom), author="ivan-petrov", payload={"id": 17})) == expected


def test_whoever_has_no_id_there_is_lost_and_the_fallback_told_by_its_id_there() -> None:
    decision = decided("rules: [{to: olga, fallback: ivan, portal: branch}]")

    assert told(decision) == [("branch", "ivan", 40)]
    assert decision.unmapped == ("olga",)
    assert "olga has no id" in decision.trace[0].note


def test_a_number_that_is_inherited_means_the_portal_of_the_rule_that_inherits_it() -> None:
    decision = decided("rules: [{to: 17, rules: [{when: {event: push}, portal: branch}]}]")

    assert told(decision) == [("branch", "dana", 17)]


@pytest.mark.parametrize(("portal", "ids"), [("main", (17,)), ("branch", (40, 17))])
def test_the_fallbacks_of_a_message_are_ids_of_its_portal(portal: str, ids: tuple[int, ...]) -> None:
    message: Message = decided(f"rules: [{{to: petr, fallback: [ivan, dana], portal: {portal}}}]").messages[0]

    assert message.fallback == ids


def test_ones_own_act_is_left_out_by_whichever_portal() -> None:
    decision = decided(BOTH.replace("WHOM", "[ivan, petr]"), actor="ivan-petrov")

    assert told(decision) == [("main", "petr", 19), ("branch", "petr", 19)]


@pytest.mark.parametrize(
    ("person", "complaint"),
    [
        ("id: {mian: 17}", "11:15: people.nina.id.mian: no portal is called mian; did you mean main?"),
        ("id: {main: 0}", "11:21: people.nina.id.main: must be at least 1"),
        ("id: {main: x}", "11:21: people.nina.id.main: must be a whole number"),
        ("id: {main: true}", "11:21: people.nina.id.main: must be a whole number"),
        ("id: [17]", "11:14: people.nina.id: must be"),
        ("id: 17", "11:14: people.nina.id: 17 is already ivan's"),
        ("id: {branch: 19}", "11:23: people.nina.id.branch: 19 is already petr's"),
        ("id: {branch: 17}", "11:23: people.nina.id.branch: 17 is already dana's"),
    ],
)
def test_ids_that_cannot_be_are_complained_of(person: str, complaint: str) -> None:
    with pytest.raises(BadRules) as caught:
        book(f"  nina: {{{person}}}\ndefault: drop\n")

    assert f"rules.yaml:{complaint}" in str(caught.value)


def test_one_number_in_two_portals_is_two_people() -> None:
    assert book("default: drop\n").warnings == ()
