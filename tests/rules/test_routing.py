"""The order of rules is Alertmanager's: depth first, the first match among siblings, unless it says continue."""

from __future__ import annotations

import pytest

from relay.model import Event
from relay.rules import Decision, Failed, Memory, decide, load
from tests.rules.books import ENV, NOW, book, decided, told

# Alertmanager's routing tree as amtool 0.25 reads it; each receiver is a person.
AMTOOL_TREE = """\
version: 1
portal: {domain: example.bitrix24.ru, token: ${TOKEN}}
sources: {alerts: {type: alertmanager, bearer: ${SECRET}}}
people: {default-receiver: {id: 1}, team-db: {id: 2}, db-page: {id: 3}, no-env: {id: 4}, web: {id: 5}, legacy: {id: 6}}
rules:
  - when: {match: 'team=~"db|dba"'}
    to: team-db
    continue: true
    rules:
      - {when: {match: 'severity="critical"'}, to: db-page}
  - {when: {match: ['severity!="info"', 'env=""']}, to: no-env}
  - {when: {match: 'service=~"web.*"'}, to: web}
  - {when: {match: 'legacy="1"'}, to: legacy}
default: {to: default-receiver}
"""


def routed(text: str, labels: dict[str, str]) -> Decision:
    return decide(
        Event(source="alerts", type="alertmanager", event="alert", labels=labels), load(text, env=ENV), Memory(), NOW
    )


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        ({"team": "db", "severity": "critical"}, ["db-page", "no-env"]),
        ({"team": "db", "severity": "info"}, ["team-db"]),
        ({"team": "dbx"}, ["no-env"]),
        ({"service": "xweb", "severity": "info"}, ["default-receiver"]),
        ({"service": "web1", "env": "prod"}, ["web"]),
        ({}, ["no-env"]),
    ],
)
def test_a_tree_routes_as_amtool_routes_it(labels: dict[str, str], receivers: list[str]) -> None:
    assert told(routed(AMTOOL_TREE, labels)) == receivers


ONE_OR_TWO = "{when: {match: 'test=~\"^[12]$\"'}, to: test1, continue: true}"
TWO = "{when: {match: 'test=\"2\"'}, to: test2, continue: true}"


@pytest.mark.parametrize(
    ("first", "second", "value", "receivers"),
    [
        (ONE_OR_TWO, TWO, "1", ["test1"]),
        (ONE_OR_TWO, TWO, "2", ["test1", "test2"]),
        (TWO, ONE_OR_TWO, "2", ["test2", "test1"]),
        (ONE_OR_TWO, TWO, "volovina", ["nobody-else"]),
    ],
)
def test_upstream_s_own_cases_hold(first: str, second: str, value: str, receivers: list[str]) -> None:
    head, _, _ = AMTOOL_TREE.partition("people:")
    text = (
        f"{head}people: {{test1: {{id: 1}}, test2: {{id: 2}}, nobody-else: {{id: 3}}}}\n"
        f"rules:\n  - {first}\n  - {second}\ndefault: {{to: nobody-else}}\n"
    )

    assert told(routed(text, {"test": value})) == receivers


# ── What a rule inherits ─────────────────────────────────────────────────────────────────────────────────────

PARENT = """
rules:
  - name: parent
    to: reviewer
    template: {text: "parent's words"}
    tag: parent-tag
    via: system
    urgent: true
    on_resolve: skip
    fallback: petr
    include_actor: true
    rules:
      - name: heir
        when: {action: inherits}
      - name: other
        when: {action: differs}
        to: olga
        template: {text: "its own words"}
        tag: "own-{{ event.number }}"
        via: personal
        urgent: false
        on_resolve: replace
        fallback: ivan
        include_actor: false
"""


def test_a_finer_rule_inherits_what_it_does_not_say() -> None:
    parent, heir, _ = book(PARENT).every()

    assert heir.telling == parent.telling


def test_a_finer_rule_s_own_words_win() -> None:
    decision = decided(PARENT, action="differs", number=5, state="resolved")

    (message,) = decision.messages
    assert (message.rule, message.person, message.text, message.tag) == ("other", "olga", "its own words", "own-5")
    assert (message.via, message.urgent, message.fallback) == ("personal", False, (17,))


def test_an_inherited_on_resolve_is_obeyed() -> None:
    assert decided(PARENT, action="inherits", reviewers=("Petr",), state="resolved").outcome == "skipped"
    assert told(decided(PARENT, action="inherits", reviewers=("Petr",), state="firing")) == ["petr"]


def test_a_portal_is_inherited_and_the_first_is_the_default() -> None:
    text = """
    version: 1
    portals: {one: {webhook: "${BITRIX24_WEBHOOK_URL}"}, two: {domain: example.com, token: "${TOKEN}"}}
    sources: {github: {type: github, secret: "${SECRET}"}}
    rules:
      - {to: 1, continue: true}
      - {to: 2, portal: two, rules: [{when: {event: push}}]}
    """

    decision = decide(Event(source="github", type="github", event="push"), load(text, env=ENV), Memory(), NOW)

    assert [(message.user_id, message.portal) for message in decision.messages] == [(1, "one"), (2, "two")]


# ── The trace ────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_trace_names_every_rule_and_the_first_condition_that_failed() -> None:
    decision = decided(
        """
        rules:
          - name: issues
            when: {event: issues}
            to: ivan
            rules: [{name: never asked}]
          - name: pushes
            when: {event: push}
            to: ivan
            continue: true
            rules:
              - {name: to main, when: {branch: main}}
              - {name: to dev, when: {branch: dev}}
          - {name: the rest, to: olga}
          - {name: too late, to: petr}
        """,
        branch="dev",
    )

    assert [(step.depth, step.rule, step.matched, step.failed, step.note) for step in decision.trace] == [
        (0, "issues", False, Failed("event", "issues", "push"), ""),
        (0, "pushes", True, None, "its finer rules answer; continue"),
        (1, "to main", False, Failed("branch", "main", "dev"), ""),
        (1, "to dev", True, None, "stops here"),
        (0, "the rest", True, None, "stops here"),
        (0, "too late", False, None, "not reached"),
    ]


def test_a_rule_without_a_name_is_called_by_its_place() -> None:
    decision = decided("rules: [{when: {event: x}, to: ivan}, {to: ivan, rules: [{urgent: true}]}]")

    assert [step.rule for step in decision.trace] == ["rules.0", "rules.1", "rules.1.rules.0"]
    assert decision.messages[0].rule == "rules.1.rules.0"


def test_the_default_answers_only_what_no_rule_wants() -> None:
    rest = "rules: [{when: {event: issues}, to: olga}]\ndefault: {to: ivan, urgent: true}"

    wanted, unwanted = decided(rest, event="issues"), decided(rest)

    assert told(wanted) == ["olga"]
    assert [(message.person, message.rule, message.urgent) for message in unwanted.messages] == [
        ("ivan", "default", True)
    ]
    last = unwanted.trace[-1]
    assert (last.rule, last.depth, last.matched, last.note) == ("default", 0, True, "no rule matched")


def test_a_rule_that_is_not_reached_is_not_asked_why_it_would_fail() -> None:
    decision = decided("rules: [{to: ivan}, {when: {event: issues}, to: olga}]")

    assert [(step.matched, step.failed, step.note) for step in decision.trace] == [
        (True, None, "stops here"),
        (False, None, "not reached"),
    ]


@pytest.mark.parametrize(
    ("rest", "outcome"),
    [
        ("rules: []", "no_rule"),
        ("default: drop", "dropped"),
        ("rules: [{to: []}]\ndefault: {to: ivan}", "dropped"),
    ],
)
def test_silence_has_a_reason(rest: str, outcome: str) -> None:
    decision = decided(rest)

    assert (decision.messages, decision.outcome) == ((), outcome)


# ── Very many rules ──────────────────────────────────────────────────────────────────────────────────────────


def test_ten_thousand_rules_fit_and_the_one_that_is_meant_answers() -> None:
    rules = "".join(
        f"  - name: pushes to repository {n}\n"
        f"    when: {{<<: *pushes, repo: acme/repository-{n}, branch: [main, release]}}\n"
        f"    to: *everybody\n"
        for n in range(10_000)
    )
    shared = "  - {when: {event: x, all: [&pushes {source: github, event: push}]}, to: &everybody [ivan, olga, petr]}\n"

    decision = decided(f"rules:\n{shared}{rules}", repo="acme/repository-9876", branch="release")

    assert [message.rule for message in decision.messages] == ["pushes to repository 9876"] * 3
