"""Whom an event reaches, in whose place, how often, and why not."""

from __future__ import annotations

from typing import Any

import pytest

from relay.rules import Memory, decide, load
from tests.rules.books import ENV, HEAD, NOW, book, decided, event, told

# ── Who is who ───────────────────────────────────────────────────────────────────────────────────────────────

ROLES: list[tuple[str, dict[str, Any], list[str]]] = [
    ("actor", {"actor": "ivan-petrov"}, ["ivan"]),
    ("author", {"author": "OLGA-S"}, ["olga"]),  # logins compare without case
    ("author", {"author": "olga-old"}, ["olga"]),  # one person, two accounts
    ("assignees", {"assignees": ("ivan-petrov", "petr")}, ["ivan", "petr"]),
    ("reviewer", {"reviewers": ("petr",)}, ["petr"]),
    ("mentioned", {"mentioned": ("ivan-petrov", "ivan-petrov")}, ["ivan"]),
    ("committer", {"committers": ("Ivan@Example.com",)}, ["ivan"]),
    ("committer", {"committers": ("12345+ivan-petrov@users.noreply.github.com",)}, ["ivan"]),
    ("committer", {"committers": ("ivan-petrov@users.noreply.github.com",)}, ["ivan"]),
    ("owner", {"owners": ("acme/frontend",)}, ["petr"]),
    ("reviewer", {"reviewers": ("acme/Backend",)}, ["ivan", "olga"]),  # org/slug is the team called slug
    ("reviewer", {"reviewers": ("other/frontend",)}, []),  # but acme/frontend is not other/frontend
    ("author", {"author": "ivan"}, []),  # a person's name is no login: any stranger may register it
    ("author", {"author": "petr-g"}, []),  # nor is an account on Grafana one on GitHub
    ("author", {"author": "petr-g", "type": "grafana"}, ["petr"]),
    ("author", {"author": "Petr", "type": "grafana"}, []),
    ("author", {"author": "ivan", "type": "json"}, ["ivan"]),  # JSON has no accounts of its own
    ("author", {"author": "ivan-petrov", "type": "json"}, ["ivan"]),
    ("author", {"author": "nobody@example.com"}, []),
]


@pytest.mark.parametrize(("role", "words", "persons"), ROLES, ids=str)
def test_a_role_finds_its_persons(role: str, words: dict[str, Any], persons: list[str]) -> None:
    assert told(decided(f"rules: [{{to: {role}}}]", **words)) == persons


@pytest.mark.parametrize(
    ("written", "persons"),
    [
        ("ivan", ["ivan"]),
        ("IVAN", ["ivan"]),
        ("ivan-petrov", ["ivan"]),
        ("petr-g", ["petr"]),
        ("olga@example.com", ["olga"]),
        ("17", ["ivan"]),
        ("4711", ["4711"]),
        ("team/backend", ["ivan", "olga"]),
        ("acme/frontend", ["petr"]),
        (" olga ", ["olga"]),
        ("0", []),
        ("99999999999", []),
        ("2147483647", ["2147483647"]),
        ("2147483648", []),
        ("4294967296", []),
        ("017", []),
        ("-17", []),
        ("١٧", []),  # digits, but not ours
        ("stranger", []),
        ("", []),
    ],
)
def test_a_label_may_name_a_person_in_any_way(written: str, persons: list[str]) -> None:
    assert told(decided("rules: [{to: {label: owner}}]", labels={"owner": written})) == persons


def test_a_field_of_the_payload_may_name_several() -> None:
    decision = decided("rules: [{to: {field: payload.users.*.id}}]", payload={"users": [{"id": 17}, {"id": "olga"}]})

    assert told(decision) == ["ivan", "olga"]


def test_a_login_that_two_senders_give_to_two_persons_is_nobody_s_where_the_sender_has_none() -> None:
    head, _, _ = HEAD.partition("people:")
    people = "people: {anna: {id: 1, github: alex}, boris: {id: 2, grafana: alex}}\n"
    rules = load(head + people + "rules: [{to: {label: owner}}]", env=ENV)

    found = {
        kind: told(decide(event(type=kind, labels={"owner": "alex"}), rules, Memory(), NOW))
        for kind in ("github", "grafana", "alertmanager")
    }

    assert found == {"github": ["anna"], "grafana": ["boris"], "alertmanager": []}


@pytest.mark.parametrize(
    ("to", "persons"),
    [
        ("ivan", [("ivan", 17)]),
        ("17", [("ivan", 17)]),
        ('"17"', [("ivan", 17)]),
        ("4711", [("4711", 4711)]),
        ("team/backend", [("ivan", 17), ("olga", 18)]),
        ("[team/backend, olga, 17, petr]", [("ivan", 17), ("olga", 18), ("petr", 19)]),
    ],
)
def test_a_rule_may_name_persons_itself(to: str, persons: list[tuple[str, int]]) -> None:
    decision = decided(f"rules: [{{to: {to}}}]")

    assert [(message.person, message.user_id) for message in decision.messages] == persons


# ── Own acts ─────────────────────────────────────────────────────────────────────────────────────────────────

OWN: list[tuple[str, dict[str, Any], list[str], str]] = [
    ("{to: author}", {"actor": "ivan-petrov", "author": "ivan-petrov"}, [], "own_act"),
    ("{to: ivan}", {"actor": "ivan-petrov"}, [], "own_act"),
    ("{to: 17}", {"actor": "ivan-petrov"}, [], "own_act"),
    ("{to: team/backend}", {"actor": "ivan-petrov"}, ["olga"], "addressed"),
    ("{to: team/backend, include_actor: true}", {"actor": "ivan-petrov"}, ["ivan", "olga"], "addressed"),
    ("{to: actor}", {"actor": "ivan-petrov"}, ["ivan"], "addressed"),  # who names the actor means him
    ("{to: [actor, team/backend]}", {"actor": "ivan-petrov"}, ["ivan", "olga"], "addressed"),
    ("{to: author, fallback: petr}", {"actor": "ghost", "author": "Ghost"}, [], "own_act"),
    ("{to: author, fallback: petr, include_actor: true}", {"actor": "ghost", "author": "ghost"}, ["petr"], "addressed"),
    ("{to: author, fallback: ivan}", {"actor": "ivan-petrov", "author": "ghost"}, [], "nobody"),
    ("{to: ivan}", {"actor": "ivan"}, ["ivan"], "addressed"),  # a stranger whose login is a person's name here
    ("{to: {label: owner}}", {"actor": "ivan", "labels": {"owner": "ivan"}}, ["ivan"], "addressed"),
    ("{to: ivan}", {"actor": ""}, ["ivan"], "addressed"),
    ("{to: reviewer}", {"actor": "", "reviewers": ("ghost",)}, [], "nobody"),
]


@pytest.mark.parametrize(("rule", "words", "persons", "outcome"), OWN, ids=str)
def test_nobody_is_told_of_his_own_acts(rule: str, words: dict[str, Any], persons: list[str], outcome: str) -> None:
    decision = decided(f"rules: [{rule}]", **words)

    assert (told(decision), decision.outcome) == (persons, outcome)


# ── The unmapped, and who is told in their place ─────────────────────────────────────────────────────────────


def test_an_unmapped_login_is_reported_and_its_message_goes_to_the_fallback_once() -> None:
    decision = decided("rules: [{to: reviewer, fallback: petr}]", reviewers=("ghost", "olga-s", "spirit"))

    assert told(decision) == ["olga", "petr"]
    assert decision.unmapped == ("ghost", "spirit")
    assert "ghost is nobody known; spirit is nobody known; to the fallback, petr" in decision.trace[0].note


def test_without_a_fallback_the_unmapped_is_reported_all_the_same() -> None:
    decision = decided("rules: [{to: reviewer}]", reviewers=("ghost",))

    assert (decision.messages, decision.unmapped, decision.outcome) == ((), ("ghost",), "nobody")


def test_a_person_without_id_counts_as_unmapped() -> None:
    decision = decided("rules: [{to: [nina, ivan], fallback: petr}]")

    assert told(decision) == ["ivan", "petr"]
    assert decision.unmapped == ("nina",)
    assert [step.note for step in decision.trace] == ["stops here; nina has no id; to the fallback, petr"]


def test_a_role_that_names_nobody_is_not_the_fallback_s_business() -> None:
    decision = decided("rules: [{to: reviewer, fallback: petr}]")

    assert (told(decision), decision.unmapped, decision.outcome) == ([], (), "nobody")


def test_a_missing_label_is_the_fallback_s_business_but_no_login() -> None:
    decision = decided("rules: [{to: {label: owner}, fallback: team/backend}]")

    assert (told(decision), decision.unmapped) == (["ivan", "olga"], ())


def test_every_message_knows_whom_to_try_when_the_portal_refuses_its_recipient() -> None:
    decision = decided("rules: [{to: [ivan, petr], fallback: [team/backend, nina, 5]}]")

    assert [message.fallback for message in decision.messages] == [(18, 5), (17, 18, 5)]


# ── Once ─────────────────────────────────────────────────────────────────────────────────────────────────────

TWICE = """
rules:
  - {name: first, to: [reviewer, ivan], continue: true, urgent: true}
  - {name: second, to: team/backend}
"""


def test_one_person_reached_twice_under_one_tag_is_told_once_by_the_first_rule() -> None:
    decision = decided(TWICE, reviewers=("ivan-petrov",))

    assert [(message.person, message.rule) for message in decision.messages] == [("ivan", "first"), ("olga", "second")]
    assert "ivan is told already by first" in decision.trace[1].note


def test_two_tags_are_two_messages() -> None:
    decision = decided(TWICE.replace("to: team/backend", "to: team/backend, tag: other"), reviewers=("ivan-petrov",))

    assert [(message.person, message.tag) for message in decision.messages] == [
        ("ivan", "acme/shop#1"),
        ("ivan", "other"),
        ("olga", "other"),
    ]


# ── Tags, and what is resolved ───────────────────────────────────────────────────────────────────────────────


def test_the_event_s_key_is_the_tag_and_orders_the_message() -> None:
    (message,) = decided("default: {to: ivan}", key="acme/shop#7").messages

    assert (message.tag, message.key) == ("acme/shop#7", "acme/shop#7")


def test_a_rule_s_tag_is_a_template_for_event_person_and_rule() -> None:
    (message,) = decided(
        'rules: [{name: r, to: ivan, tag: "{{ event.repo }}:{{ person.name }}:{{ rule }}"}]', repo="acme/shop"
    ).messages

    assert (message.tag, message.key) == ("acme/shop:ivan:r", "acme/shop:ivan:r")


def test_a_tag_that_comes_out_empty_replaces_nothing_and_keeps_the_event_s_order() -> None:
    (message,) = decided('rules: [{to: ivan, tag: "{{ event.conclusion }}"}]').messages

    assert (message.tag, message.key) == ("", "acme/shop#1")


def test_a_key_longer_than_the_portal_takes_is_cut_and_stays_unlike_its_neighbour() -> None:
    (one,) = decided("default: {to: ivan}", key="k" * 300 + "1").messages
    (other,) = decided("default: {to: ivan}", key="k" * 300 + "2").messages

    assert len(one.tag) == len(other.tag) == 246
    assert one.tag != other.tag


@pytest.mark.parametrize(
    ("on_resolve", "state", "delete", "outcome"),
    [
        ("replace", "resolved", False, "addressed"),
        ("skip", "resolved", None, "skipped"),
        ("delete", "resolved", True, "addressed"),
        ("skip", "firing", False, "addressed"),
        ("delete", "firing", False, "addressed"),
        ("skip", "closed", False, "addressed"),  # that a pull request is closed is news, not the end of an alarm
        ("delete", "closed", False, "addressed"),
    ],
)
def test_on_resolve_speaks_of_resolved_alarms_only(
    on_resolve: str, state: str, delete: bool | None, outcome: str
) -> None:
    decision = decided(f"rules: [{{to: ivan, on_resolve: {on_resolve}}}]", state=state)

    assert decision.outcome == outcome
    assert [message.delete for message in decision.messages] == ([] if delete is None else [delete])


def test_a_deletion_has_a_tag_and_no_words() -> None:
    (message,) = decided("rules: [{to: ivan, on_resolve: delete}]", state="resolved").messages

    assert (message.tag, message.text, message.attach) == ("acme/shop#1", "", None)


def test_without_a_tag_there_is_nothing_to_delete_by() -> None:
    decision = decided("rules: [{to: ivan, on_resolve: delete}]", state="resolved", key="")

    assert decision.outcome == "skipped"
    assert [step.note for step in decision.trace] == ["stops here; ivan: no tag to delete by"]


# ── The message ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_message_carries_what_its_rule_says() -> None:
    (message,) = decided(
        """
        rules:
          - name: r
            to: ivan
            via: system
            urgent: true
            template: {text: "{{ event.title }} for {{ person.name }}"}
        """,
        title="[b]bold[/b]",
    ).messages

    assert (message.portal, message.user_id, message.person, message.rule) == ("main", 17, "ivan", "r")
    assert (message.via, message.urgent, message.delete) == ("system", True, False)
    assert "for ivan" in message.text
    assert "[b]" not in message.text  # a stranger's markup is words


def test_each_reader_gets_his_own_language() -> None:
    rules = book("rules: [{to: [ivan, olga]}]")

    assert [person.reader.locale for person in rules.people.values()][:2] == ["ru", "en"]


def test_persons_teams_and_rules_can_be_looked_through() -> None:
    rules = book("rules: [{name: a, to: ivan, rules: [{name: b}]}]\ndefault: {to: olga}")

    assert list(rules.people) == ["ivan", "olga", "petr", "nina"]
    assert [person.name for person in rules.teams["backend"]] == ["ivan", "olga"]
    assert [rule.name for rule in rules.every()] == ["a", "b", "default"]
    assert list(rules.sources) == ["github", "alerts", "deploys"]
    assert rules.portals["main"].replaces_by_tag
