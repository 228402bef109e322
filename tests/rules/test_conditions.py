"""What each condition holds for, and what it says when it fails."""

from __future__ import annotations

from typing import Any

import pytest

from relay.model import Event
from relay.rules import Failed
from relay.rules.conditions import Vocabulary, compile_when
from tests.rules.books import event

VOCABULARY = Vocabulary(sources=("github", "alerts"), types=("github", "alertmanager"))

PULL = event(
    event="pull_request",
    action="opened",
    number=12,
    branch="release/1.0",
    draft=False,
    paths=("relay/model.py", "docs/index.md"),
    assignees=("ivan-petrov", "olga-s"),
    labels={"env": "prod", "code": "500", "version": "1.10", "app.kubernetes.io/name": "shop", "empty": ""},
    payload={
        "count": 7,
        "ratio": 0.5,
        "whole": 2.0,
        "ok": True,
        "none": None,
        "text": "",
        "items": [{"name": "a", "tags": ["x", "y"]}, {"name": "b"}],
        "nothing": [],
        "object": {"0": "zero"},
        "list": ["p", 3, None],
    },
)

HOLDS: list[dict[str, Any]] = [
    {},
    {"source": "github", "event": "pull_request"},
    {"number": 12},
    {"number": "12"},
    {"draft": False},
    {"branch": ["main", "release/1.0"]},
    {"branch": ["main", {"glob": "release/*"}]},
    {"branch": {"not": "main"}},
    {"branch": {"not": ["main", "dev"]}},
    {"branch": {"not": {"glob": "feature/**"}}},
    {"branch": {"not": {"not": "release/1.0"}}},
    {"branch": {"glob": ["hotfix/*", "release/*"]}},
    {"branch": {"regex": "release/.*"}},
    {"branch": {"regex": ["x", "rel.+"]}},
    {"branch": {"contains": "lease"}},
    {"branch": {"contains": "l", "not": {"contains": "xyz"}}},
    {"number": {"gt": 11}},
    {"number": {"gte": 12, "lte": 12}},
    {"number": {"lt": 12.5}},
    {"number": {"lt": "13"}},
    {"number": {"exists": True}},
    {"severity": {"exists": False}},
    {"severity": ""},
    {"severity": {"not": "critical"}},
    {"severity": {"regex": ".*"}},
    {"paths": "docs/index.md"},
    {"paths": {"glob": "docs/**"}},
    {"paths": {"not": {"glob": "web/**"}}},
    {"assignees": ["nobody", "olga-s"]},
    {"reviewers": ""},
    {"reviewers": {"exists": False}},
    {"labels": "env"},
    {"labels": {"contains": "kubernetes"}},
    {"labels.env": "prod"},
    {"labels.code": 500},
    {"labels.code": {"gte": 500, "lt": 600}},
    {"labels.app.kubernetes.io/name": "shop"},
    {"labels.none": ""},
    {"labels.none": {"exists": False}},
    {"labels.empty": {"exists": True}},
    {"labels.empty": ""},
    {"payload.count": 7},
    {"payload.count": "7"},
    {"payload.ratio": 0.5},
    {"payload.whole": 2},
    {"payload.ok": True},
    {"payload.none": ""},
    {"payload.none": {"exists": False}},
    {"payload.text": {"exists": True}},
    {"payload.items.0.name": "a"},
    {"payload.items.1.name": {"glob": "?"}},
    {"payload.items.*.name": "b"},
    {"payload.items.*.tags": "y"},
    {"payload.items.*.tags.0": "x"},
    {"payload.items.5.name": ""},
    {"payload.items.name": ""},
    {"payload.items": {"exists": True}},
    {"payload.nothing": {"exists": True}},
    {"payload.nothing": ""},
    {"payload.object.0": "zero"},
    {"payload.object.*": "zero"},
    {"payload.list": 3},
    {"payload.list": {"gt": 2}},
    {"payload.items": {"not": "a"}},
    {"any": [{"event": "push"}, {"action": "opened"}]},
    {"all": [{"event": "pull_request"}, {"action": "opened"}]},
    {"none": [{"event": "push"}, {"draft": True}]},
    {"any": [{"all": [{"event": "push"}]}, {"none": [{"event": "push"}]}]},
    {"match": 'env="prod"'},
    {"match": ["env=~pro.", 'team=""', "team!=db", "env!~pr"]},
    {"match": '{env="prod", code=~"5.."}'},
]

FAILS: list[tuple[dict[str, Any], Failed]] = [
    ({"event": "push"}, Failed("event", "push", "pull_request")),
    ({"event": "pull_request", "action": "closed", "branch": "x"}, Failed("action", "closed", "opened")),
    ({"number": 13}, Failed("number", "13", "12")),
    ({"draft": True}, Failed("draft", "true", "false")),
    ({"branch": ["main", {"glob": "hotfix/*"}]}, Failed("branch", "main or like hotfix/*", "release/1.0")),
    ({"branch": {"not": "release/1.0"}}, Failed("branch", "not release/1.0", "release/1.0")),
    ({"branch": {"not": ["a", "release/1.0"]}}, Failed("branch", "not a or release/1.0", "release/1.0")),
    ({"branch": {"regex": "release"}}, Failed("branch", "matching release", "release/1.0")),
    ({"branch": {"contains": "REL"}}, Failed("branch", "containing REL", "release/1.0")),
    ({"branch": ""}, Failed("branch", "empty", "release/1.0")),
    ({"severity": "critical"}, Failed("severity", "critical", "")),
    ({"severity": {"gt": 0}}, Failed("severity", "> 0", "")),
    ({"severity": {"exists": True}}, Failed("severity", "present", "")),
    ({"number": {"exists": False}}, Failed("number", "absent", "12")),
    ({"number": {"gt": 12}}, Failed("number", "> 12", "12")),
    ({"number": {"gte": 3, "lt": 12}}, Failed("number", ">= 3 and < 12", "12")),
    ({"branch": {"gt": 3}}, Failed("branch", "> 3", "release/1.0")),
    ({"paths": "relay/rules.py"}, Failed("paths", "relay/rules.py", "relay/model.py, docs/index.md")),
    ({"paths": {"not": {"glob": "docs/**"}}}, Failed("paths", "not like docs/**", "relay/model.py, docs/index.md")),
    ({"assignees": {"not": "olga-s"}}, Failed("assignees", "not olga-s", "ivan-petrov, olga-s")),
    ({"labels.version": 1.1}, Failed("labels.version", "1.1", "1.10")),
    ({"payload.ok": {"gt": 0}}, Failed("payload.ok", "> 0", "true")),
    ({"payload.list": {"gt": 3}}, Failed("payload.list", "> 3", "p, 3, ")),
    ({"payload.items": "a"}, Failed("payload.items", "a", "(not a text or number), (not a text or number)")),
    ({"payload.object.1": "zero"}, Failed("payload.object.1", "zero", "")),
    (
        {"any": [{"event": "push"}, {"severity": "critical"}]},
        Failed("any", "event: push or severity: critical", "event: pull_request, severity: (nothing)"),
    ),
    ({"all": [{"event": "push"}, {"number": 1}]}, Failed("event", "push", "pull_request")),
    (
        {"none": [{"event": "push"}, {"number": 12}]},
        Failed("none", "none of (event: push or number: 12)", "number: 12 holds"),
    ),
    ({"match": "env=dev"}, Failed("labels.env", "= dev", "prod")),
    ({"match": "env=~pro"}, Failed("labels.env", "=~ pro", "prod")),
    ({"match": ["env=prod", "team=db"]}, Failed("labels.team", "= db", "")),
    ({"match": "code!~5.."}, Failed("labels.code", "!~ 5..", "500")),
]


def check(when: dict[str, Any], about: Event) -> Failed | None:
    complaints: list[str] = []
    condition = compile_when(when, VOCABULARY, (), lambda path, message: complaints.append(f"{path}: {message}"))
    assert not complaints
    return condition.check(about)


@pytest.mark.parametrize("when", HOLDS, ids=str)
def test_a_condition_holds(when: dict[str, Any]) -> None:
    assert check(when, PULL) is None


@pytest.mark.parametrize(("when", "failed"), FAILS, ids=str)
def test_a_condition_fails_and_says_what_it_saw(when: dict[str, Any], failed: Failed) -> None:
    assert check(when, PULL) == failed


def test_several_operators_speak_of_the_same_element() -> None:
    about = event(payload={"sizes": [1, 100]})

    assert check({"payload.sizes": {"gt": 5, "lt": 50}}, about) is not None
    assert check({"payload.sizes": {"gt": 5, "lt": 500}}, about) is None


def test_a_draft_that_is_not_told_is_neither_true_nor_false() -> None:
    assert check({"draft": False}, event(draft=None)) == Failed("draft", "false", "")
    assert check({"draft": {"not": True}}, event(draft=None)) is None


def test_a_stranger_s_value_is_cut_and_cannot_move_a_terminal_s_cursor() -> None:
    failed = check({"title": "x"}, event(title="\x1b[2J" + "a" * 200))

    assert failed == Failed("title", "x", "�[2J" + "a" * 75 + "…")
