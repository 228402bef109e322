"""Whatever the file says, `load` complains and never crashes; whatever the event holds, `decide` answers."""

from __future__ import annotations

import random
import string
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from relay.errors import BadRules, Complaint
from relay.model import Event
from relay.rules import Memory, decide, load
from relay.rules.explain import explain
from tests.rules.books import ENV, HEAD, NOW, book

SAMPLES = [
    path.read_text(encoding="utf-8")
    for folder in ("good", "bad")
    for path in sorted((Path(__file__).parent / folder).glob("*.yaml"))
]

ANY_TEXT = st.text(st.characters(), max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=12,
)
# Pieces that mean something to the language, so that arbitrary data gets past the first check.
PIECES = """version portal portals sources people teams templates rules default when to name tag template not glob regex
contains gt exists any all none match event labels.x payload.a.*.0 draft number source state ivan team/backend reviewer
actor label field github type secret open drop replace delete text blocks on_resolve fallback 1 17 ${SECRET} ${NOPE}
{{event.title}} {{( true if include only_if author.team number>5 paths.exists(p,p) people.yaml"""
WORDS = st.sampled_from(PIECES.split())
FILE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=25,
)


def complaints_of(text: str) -> Sequence[Complaint]:
    try:
        load(text, env=ENV)
    except BadRules as refused:
        return refused.complaints or [Complaint(0, 0, "", "refused without a complaint")]
    return ()


def load_or_complain(text: str) -> None:
    assert all(each.line >= 1 and each.column >= 1 and each.message for each in complaints_of(text))


@given(st.text(st.characters(), max_size=300))
def test_any_text_is_loaded_or_complained_of(text: str) -> None:
    load_or_complain(text)


@settings(deadline=None)
@given(st.sampled_from(SAMPLES), st.randoms(use_true_random=False))
def test_a_real_file_with_a_few_signs_changed_is_loaded_or_complained_of(text: str, chance: random.Random) -> None:
    signs = list(text)
    for _ in range(chance.randrange(1, 6)):
        place = chance.randrange(len(signs) + 1)
        signs[place : place + chance.randrange(3)] = chance.choice(
            [*string.printable, "", "\U0001f41b", "\x00", "*a", "&a "]
        )

    load_or_complain("".join(signs))


@settings(deadline=None, max_examples=300)
@given(st.dictionaries(WORDS, FILE, max_size=6))
def test_any_data_is_loaded_or_complained_of(data: Mapping[str, Any]) -> None:
    load_or_complain(_yaml(data))


@settings(deadline=None, max_examples=300)
@given(FILE, FILE)
def test_any_rule_under_a_good_head_is_loaded_or_complained_of(when: Any, to: Any) -> None:
    load_or_complain(f"{HEAD}rules: [{{when: {_yaml(when)}, to: {_yaml(to)}, template: {_yaml(to)}}}]\n")


def _yaml(data: Any) -> str:
    """Flow style, every text quoted (JSON would do, but for the lone surrogates that it escapes)."""
    if isinstance(data, dict):
        return "{" + ", ".join(f"{_yaml(str(key))}: {_yaml(value)}" for key, value in data.items()) + "}"
    if isinstance(data, list):
        return "[" + ", ".join(map(_yaml, data)) + "]"
    if isinstance(data, str):
        return "'" + data.replace("'", "''") + "'"
    return "null" if data is None else str(data).lower()


# ── Events ───────────────────────────────────────────────────────────────────────────────────────────────────

LOGINS = ANY_TEXT | st.sampled_from(["ivan-petrov", "olga@example.com", "acme/backend", "ghost", "17", "team/x"])
EVENTS = st.builds(
    Event,
    source=st.sampled_from(["github", "alerts", "deploys", "gone"]),
    type=st.sampled_from(["github", "alertmanager", "grafana", "json", "gone"]),
    event=st.sampled_from(["push", "workflow_run"]) | ANY_TEXT,
    state=st.sampled_from(["firing", "resolved", "open", "closed", "info"]),
    key=ANY_TEXT,
    title=ANY_TEXT,
    text=ANY_TEXT,
    url=ANY_TEXT,
    branch=ANY_TEXT,
    paths=st.lists(ANY_TEXT, max_size=3).map(tuple),
    labels=st.dictionaries(ANY_TEXT | st.just("owner"), LOGINS, max_size=3),
    actor=LOGINS,
    author=LOGINS,
    assignees=st.lists(LOGINS, max_size=3).map(tuple),
    reviewers=st.lists(LOGINS, max_size=3).map(tuple),
    committers=st.lists(LOGINS, max_size=3).map(tuple),
    draft=st.none() | st.booleans(),
    number=st.none() | st.integers(),
    payload=JSON | st.fixed_dictionaries({"user": JSON, "a": JSON}),
)

RULES = book(
    """
    rules:
      - when:
          any:
            - {branch: {glob: "**/x*"}, labels: {contains: a}, payload.a: {gt: 3}}
            - {match: ['owner=~".*"', 'x!="y"']}
            - {payload.*.*: {regex: ".*a.*"}, paths: {not: {glob: "*"}}}
            - {number: {gte: 3, lt: 9}, draft: {exists: true}, payload.a.0: 5}
        to: [actor, author, reviewer, committer, {label: owner}, {field: payload.user}, {field: payload.a.*}]
        fallback: [petr, 5]
        tag: "{{ event.title }}-{{ event.payload }}"
        continue: true
        on_resolve: skip
      - {to: assignees, template: {text: "{{ event.text }} {{ event.payload.a.b.c }}"}, continue: true}
      - {to: {field: payload.*}, on_resolve: delete, tag: "{{ 1 // 0 }}"}
    default: {to: ivan}
    """
)


@settings(deadline=None, max_examples=400)
@given(EVENTS)
def test_any_event_is_decided_and_explained(event: Event) -> None:
    decision = decide(event, RULES, Memory(), NOW)

    assert (decision.outcome == "addressed") is bool(decision.messages)
    assert len({(message.user_id, message.tag) for message in decision.messages}) == len(decision.messages)
    assert all(message.user_id > 0 and len(message.tag) <= 246 for message in decision.messages)
    assert explain(decision)


def test_a_number_too_long_to_be_written_is_no_trouble() -> None:
    huge = Event(
        source="github", type="github", event="x", number=10**5000, payload={"user": 10**5000, "a": [10**5000]}
    )

    assert decide(huge, RULES, Memory(), NOW).trace
