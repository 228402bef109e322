"""Looked-up ids in the rules: everywhere a person stands, and only where there is no doubt."""

from __future__ import annotations

import pytest

from relay.rules import Memory, Rules, decide, load
from relay.rules.accounts import emails, portals_in_use, rules_with_ids, without_id
from tests.rules.books import ENV, NOW, book, event, told

NINA = {"main": {"nina@example.com": 20}}

SEVERAL = """\
version: 1
portals:
  one: {domain: one.bitrix24.ru, token: "${TOKEN}"}
  two: {domain: two.bitrix24.ru, token: "${TOKEN}"}
  three: {domain: three.bitrix24.ru, token: "${TOKEN}"}
sources: {github: {type: github, secret: "${SECRET}"}}
people: {nina: {email: [nina@example.com, N2@example.com]}}
rules: [{to: nina, portal: one, continue: true}, {to: nina, portal: two}]
"""


def answered(rules: Rules, found: dict[str, dict[str, int]]) -> list[tuple[str, int]]:
    messages = decide(event(author="nina"), rules_with_ids(rules, found), Memory(), NOW).messages
    return [(each.person, each.user_id) for each in messages]


WAYS = {
    "by name": "rules: [{to: nina}]\n",
    "by role": "rules: [{to: author}]\n",
    "by a finer rule": "rules: [{to: ivan, rules: [{to: nina}]}]\n",
    "as the default": "default: {to: nina}\n",
    "as the fallback": "rules: [{to: {label: owner}, fallback: nina}]\n",
    "on call": (
        "oncall: {sre: {timezone: UTC, handoff: 'Mon 10:00', rotation: [nina], from: 2026-11-16}}\n"
        "rules: [{to: oncall/sre}]\n"
    ),
    "by id": "rules: [{to: 20}]\n",
}


@pytest.mark.parametrize("rest", WAYS.values(), ids=WAYS)
def test_an_id_that_was_found_is_used_however_the_person_is_meant(rest: str) -> None:
    assert answered(book(rest), NINA) == [("nina", 20)]


def test_a_team_tells_its_members_by_the_ids_that_were_found() -> None:
    rules = load(
        "version: 1\nportal: {domain: d.bitrix24.ru, token: ${TOKEN}}\nsources: {x: {type: json, open: true}}\n"
        "people: {nina: {email: nina@example.com}}\nteams: {all: [nina]}\nrules: [{to: team/all}]\n",
        env=ENV,
    )

    assert answered(rules, NINA) == [("nina", 20)]


def test_somebody_meant_by_name_and_by_id_is_told_once() -> None:
    assert answered(book("rules: [{to: [20, nina]}]\n"), NINA) == [("nina", 20)]


def test_without_anything_found_the_rules_are_the_same_object() -> None:
    rules = book("rules: [{to: nina}]\n")

    assert rules_with_ids(rules, {}) is rules
    assert rules_with_ids(rules, {"main": {"other@example.com": 5}}) is rules


def test_an_id_in_the_file_wins() -> None:
    filled = rules_with_ids(book("rules: [{to: ivan}]\n"), {"main": {"ivan@example.com": 99, **NINA["main"]}})

    assert filled.people["ivan"].id == 17


def test_an_id_that_another_person_has_is_given_to_nobody() -> None:
    assert answered(book("rules: [{to: nina, fallback: ivan}]\n"), {"main": {"nina@example.com": 18}}) == [("ivan", 17)]


def test_what_is_not_about_people_is_left_as_it_is() -> None:
    rules = book("rules: [{to: nina, name: a, when: {event: push}, urgent: true}]\n")

    filled = rules_with_ids(rules, NINA)

    assert (filled.portals, filled.sources, filled.warnings) == (rules.portals, rules.sources, rules.warnings)
    assert [(each.name, each.condition, each.telling.urgent) for each in filled.every()] == [
        (each.name, each.condition, each.telling.urgent) for each in rules.every()
    ]
    assert rules.people["nina"].id is None


@pytest.mark.parametrize(
    ("found", "number"),
    [
        ({"one": {"nina@example.com": 20}}, None),  # on the other portal that the rules use, she is not known
        ({"one": {"nina@example.com": 20}, "two": {"nina@example.com": 20}}, 20),
        ({"one": {"nina@example.com": 20}, "two": {"nina@example.com": 21}}, None),
        ({"one": {"nina@example.com": 20, "n2@example.com": 20}, "two": {"n2@example.com": 20}}, 20),
        ({"one": {"nina@example.com": 20, "n2@example.com": 22}, "two": {"nina@example.com": 20}}, None),
        ({"one": {"nina@example.com": 20}, "two": {"nina@example.com": 20}, "three": {"nina@example.com": 9}}, 20),
    ],
)
def test_portals_and_addresses_must_agree(found: dict[str, dict[str, int]], number: int | None) -> None:
    rules = load(SEVERAL, env=ENV)

    assert portals_in_use(rules) == ("one", "two")
    assert rules_with_ids(rules, found).people["nina"].id == number


def test_who_is_to_be_looked_up() -> None:
    rules = load(SEVERAL, env=ENV)

    assert list(without_id(rules)) == ["nina"]
    assert emails(without_id(rules).values()) == ("nina@example.com", "n2@example.com")
    assert list(without_id(book("rules: []\n"))) == ["nina"]
    assert told(decide(event(), book("rules: [{to: nina}]\n"), Memory(), NOW)) == []
