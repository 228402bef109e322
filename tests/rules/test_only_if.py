"""`only_if:` narrows `to:` to those whom the event names so; `author.team` and its like ask who people are here."""

from __future__ import annotations

import pytest

from relay.errors import BadRules
from relay.rules.explain import explain
from tests.rules.books import book, decided, told

TEAM = "rules: [{name: mine, to: team/backend, only_if: [reviewer, assignees, author, mentioned]}]"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({}, []),
        ({"author": "ivan-petrov"}, ["ivan"]),
        ({"reviewers": ("olga-s", "Petr", "ghost")}, ["olga"]),
        ({"assignees": ("olga-s",), "mentioned": ("ivan-petrov",)}, ["ivan", "olga"]),
        ({"author": "ivan-petrov", "actor": "ivan-petrov"}, []),
        ({"actor": "olga-s"}, []),
        ({"reviewers": ("acme/backend",)}, ["ivan", "olga"]),
    ],
)
def test_only_those_are_told_whom_the_event_names_so(words: dict[str, object], expected: list[str]) -> None:
    decision = decided(TEAM, **words)

    assert told(decision) == expected
    assert decision.unmapped == ()


def test_whoever_is_not_named_so_is_told_why() -> None:
    said = explain(decided(TEAM, author="ivan-petrov"))

    assert "olga: the event does not name this person as only_if: wants it" in said


def test_the_fallback_is_told_whoever_it_is() -> None:
    decision = decided("rules: [{to: [reviewer, ivan], only_if: author, fallback: petr}]", reviewers=("ghost",))

    assert told(decision) == ["petr"]


def test_it_is_inherited_and_can_be_taken_back() -> None:
    rules = """
    rules:
      - to: ivan
        only_if: author
        rules:
          - {when: {event: push}, only_if: []}
          - {when: {event: release}}
    """

    assert told(decided(rules, event="push")) == ["ivan"]
    assert told(decided(rules, event="release")) == []
    assert told(decided(rules, event="release", author="ivan-petrov")) == ["ivan"]


@pytest.mark.parametrize(
    ("only_if", "complaint"),
    [
        ("[author, reviewr]", "rules.0.only_if.1: an event names nobody as reviewr; did you mean reviewer?"),
        ("number > 5", "rules.0.only_if: an event names nobody as number > 5; known: actor, assignees, author"),
        ("{a: b}", "rules.0.only_if: must be"),
    ],
)
def test_what_is_no_role_is_complained_of(only_if: str, complaint: str) -> None:
    with pytest.raises(BadRules) as caught:
        book(f"rules: [{{to: ivan, only_if: {only_if}}}]")

    assert complaint in str(caught.value)


# ── Who people are here ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("when", "words", "expected"),
    [
        ("author.team: backend", {"author": "Ivan-Petrov"}, True),
        ("author.team: backend", {"author": "petr"}, False),
        ("author.team: backend", {}, False),
        ("author.team: [acme/frontend, backend]", {"author": "Petr"}, True),
        ("actor.team: {not: backend}", {"actor": "olga-s"}, False),
        ("actor.team: {not: backend}", {"actor": "ghost"}, True),
        ("author.person: olga", {"author": "olga-old"}, True),
        ("author.person: petr", {"author": "petr-g"}, False),
        ("author.person: petr", {"author": "petr-g", "type": "grafana"}, True),
        ("author.person: olga", {"author": "1+olga-s@users.noreply.github.com"}, True),
        ("author.person: olga", {"author": "ivan-petrov"}, False),
        ("reviewers.person: ivan", {"reviewers": ("ghost", "ivan-petrov")}, True),
        ("reviewers.team: backend", {"reviewers": ("acme/backend",)}, True),
        ("author.person: {exists: false}", {"author": "ghost"}, True),
        ("author.person: {exists: false}", {"author": "nina"}, False),
    ],
)
def test_a_condition_may_ask_who_somebody_is_here(when: str, words: dict[str, object], expected: bool) -> None:
    assert bool(told(decided(f"rules: [{{when: {{{when}}}, to: petr, include_actor: true}}]", **words))) is expected


@pytest.mark.parametrize(
    ("when", "complaint"),
    [
        ("author.team: backnd", "no author.team is called backnd; did you mean backend?"),
        ("actor.person: {not: iavn}", "no actor.person is called iavn; did you mean ivan?"),
        ("author.login: x", "unknown word author.login; write author.person or author.team"),
        ("title.team: backend", "unknown word title.team"),
    ],
)
def test_unknown_people_and_teams_are_complained_of(when: str, complaint: str) -> None:
    with pytest.raises(BadRules) as caught:
        book(f"rules: [{{when: {{{when}}}, to: ivan}}]")

    assert complaint in str(caught.value)
