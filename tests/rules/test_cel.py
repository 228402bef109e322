"""Conditions in CEL: they hold or not, say why, are complained of where they stand, and never take long."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.errors import BadRules
from relay.model import Event
from relay.rules import Memory, decide, load
from relay.rules.cel import MAX_SIZE, BadExpression, Expressions, Facts
from relay.rules.conditions import Failed
from relay.rules.words import WORDS
from tests.rules.books import ENV, HEAD, NOW, book, decided, event, told
from tests.rules.test_any_input import EVENTS

PULL = {"pull_request": {"additions": 501, "labels": [{"name": "bug"}, {"name": "db"}]}, "commits": [{"id": "a1"}]}
KNOWN: dict[str, Any] = {
    "title": "Fix the CRASH",
    "number": 7,
    "labels": {"env": "prod", "l-1": "x"},
    "paths": ("db/schema.sql", "src/main.py"),
    "actor_is_bot": False,
    "assignees": ("ivan-petrov",),
    "payload": PULL,
}


def holds(text: str, **words: Any) -> bool:
    expressions = Expressions()
    return expressions.holds(expressions.compile(text), event(**{**KNOWN, **words}))


def why_not(text: str, **words: Any) -> str:
    expressions = Expressions()
    return expressions.why_not(expressions.compile(text), event(**{**KNOWN, **words}))


@pytest.mark.parametrize(
    "text",
    [
        'labels.env == "prod" && number > 5',
        'labels["l-1"] == "x"',
        '"env" in labels',
        "payload.pull_request.additions > 500",
        'paths.exists(p, p.startsWith("db/"))',
        'paths.all(p, p.matches("[.](sql|py)$"))',
        '!title.contains("wip") && title.matches("(?i)crash")',
        "!has(payload.x)",
        'has(payload.pull_request) && "db" in payload.pull_request.labels.map(l, l.name)',
        'payload.pull_request.labels.exists_one(l, l.name == "bug")',
        'payload.commits.filter(c, c.id.startsWith("a")).size() == 1',
        'payload.commits[0].id == "a1"',
        'type == "github" && source in ["github", "gitlab"]',
        "!actor_is_bot && draft == null",
        'size(assignees) == 1 && event == "push"',
        "number == 7.0 && number % 2 == 1",
        'timestamp("2026-11-23T10:00:00Z").getDayOfWeek() == 1',
        "payload.nope == 1 || true",
    ],
)
def test_an_expression_that_is_true_holds(text: str) -> None:
    assert holds(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("number > 50 && labels.env == 'prod'", "false, where number is 7, labels.env is prod"),
        ("size(paths) > 2", "false, where paths is 2 values"),
        ("url != ''", "false, where url is nothing"),
        ("payload.user.login == 'x'", "not known: there is no user (has(…) asks first)"),
        ("labels.team == 'x'", "not known: there is no team (has(…) asks first)"),
        ("paths[5] == 'x'", "not known: the list is shorter"),
        ("title > 5", "not known: values of different kinds, or null"),
        ("!draft", "not known: values of different kinds, or null"),
        ("title.getHours() == 5", "not known: values of different kinds, or null"),
        ("payload.pull_request.additions", "a number, neither true nor false"),
        ("payload.pull_request.additions.matches('5')", "null, neither true nor false"),
        ("1 / (number - 7) == 1", "not known: division by zero in CEL expression"),
    ],
)
def test_what_does_not_hold_says_why(text: str, why: str) -> None:
    assert not holds(text)
    assert why_not(text) == why


def test_the_reason_stands_in_the_explanation() -> None:
    decision = decided("rules: [{name: big, when: {if: number > 5, event: push}, to: ivan}]", number=3)

    (step,) = decision.trace
    assert step.failed == Failed("if", "number > 5", "false, where number is 3")


def test_it_is_one_condition_among_others_and_the_last_to_be_asked() -> None:
    rules = "rules: [{when: {if: payload.x > 5, event: push, any: [{if: number > 5}, {if: title == 'x'}]}, to: ivan}]"

    assert told(decided(rules, payload={"x": 6}, number=6)) == ["ivan"]
    assert told(decided(rules, payload={"x": 6}, number=5)) == []
    (step,) = decided(rules, event="release").trace
    assert step.failed is not None
    assert step.failed.field == "event"


def test_every_word_of_an_event_can_be_asked() -> None:
    for word in WORDS:
        assert holds(f"type({word}) != int || true")
        assert not why_not(f"{word} == 'nothing like it'").startswith("not known: Undefined")


# ── Complaints ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("when", "complaint"),
    [
        ("{if: number >}", "2:22: rules.0.when.if: is not CEL: it ends too early"),
        ("{if: 'number > > 5'}", "2:24: rules.0.when.if: is not CEL: what stands here cannot stand here"),
        ("{if: number > 5 && titel == 'x'}", "2:28: rules.0.when.if: unknown word titel; did you mean title?"),
        ("{if: number}", "2:14: rules.0.when.if: gives a number: a condition is true or false"),
        ("{if: size(paths) + 1}", "2:14: rules.0.when.if: gives a number: a condition is true or false"),
        (
            "{if: title.matches('(x')}",
            "2:28: rules.0.when.if: is not a pattern that can be matched (RE2 syntax): missing ): (x",
        ),
        (
            "{if: title.matches('a)(b')}",
            "2:28: rules.0.when.if: is not a pattern that can be matched (RE2 syntax): unexpected ): a)(b",
        ),
        ("{if: 99999999999999999999 > number}", "2:14: rules.0.when.if: is not CEL: invalid int literal"),
        ("{if: true}", "2:14: rules.0.when.if: must be an expression in quotes"),
        ("{any: [{if: [number > 5]}]}", "2:21: rules.0.when.any.0.if: must be an expression in quotes"),
        (f"{{if: '{'1 + ' * 250}1 == number'}}", "2:15: rules.0.when.if: is longer than 1,000 characters"),
        ("{if: '" + "(" * 200 + "'}", "rules.0.when.if: is not CEL"),
    ],
)
def test_a_fault_is_complained_of_where_it_stands(when: str, complaint: str) -> None:
    with pytest.raises(BadRules) as caught:
        load(f"{HEAD}rules: [\n {{when: {when}, to: ivan}}]\n", env=ENV)

    assert complaint.replace("2:", f"{HEAD.count(chr(10)) + 2}:", 1) in str(caught.value)


@pytest.mark.parametrize(
    ("written", "line", "column"),
    [
        ("if: |\n      number > 5 &&\n        titel == 'x'", 3, 9),
        ("if: >-\n      number > 5 &&\n      titel == 'x'", 3, 7),
        ("if: \"number > 5 &&\n      titel == 'x'\"", 2, 7),
        ("if: number > 5 &&\n      titel == 'x'", 2, 7),
        ("if: titel == 'x'", 1, 9),
    ],
)
def test_the_place_is_right_in_texts_of_several_lines(written: str, line: int, column: int) -> None:
    with pytest.raises(BadRules) as caught:
        book(f"rules:\n- when:\n    {written}\n  to: ivan\n")

    (complaint,) = caught.value.complaints
    assert (complaint.line - HEAD.count("\n") - 2, complaint.column) == (line, column)


def test_a_lone_surrogate_is_no_character() -> None:
    with pytest.raises(BadExpression) as caught:
        Expressions().compile("'\ud800' == title")

    assert caught.value.faults[0].message == "has a sign that is no character"


def test_all_faults_of_an_expression_are_told_at_once_and_none_shows_a_secret() -> None:
    with pytest.raises(BadExpression) as caught:
        Expressions().compile("titel == 'x' && nombre > 5 && title.find('x') && title.matches('(')")

    assert [fault.column for fault in caught.value.faults] == [1, 17, 37, 64]
    with pytest.raises(BadExpression) as caught:
        Expressions().compile("title == 'x' 'a-secret'")
    assert "a-secret" not in str([fault.message for fault in caught.value.faults])


# ── Bounds ───────────────────────────────────────────────────────────────────────────────────────────────────

LARGE = Event(
    source="github",
    type="github",
    event="push",
    text="x" * 65_000,
    paths=tuple(f"src/{number}.py" for number in range(3000)),
    payload={"commits": [{"id": str(number), "files": [str(each) for each in range(5)]} for number in range(3000)]},
)
SLOW = [
    "paths.exists(p, paths.exists(q, p == q + 'x'))",
    "paths.filter(p, true).size() == 1",
    "payload.commits.map(c, c).size() == 1",
    "paths.map(p, text).size() == 1",
    "paths.exists(p, payload.commits.size() == 1)",
    "paths.exists(p, payload == payload && false)",
    "text" + " + text" * 130 + " == ''",
    "[1,2,3,4,5,6,7,8]" + ".exists(a, [1,2,3,4,5,6,7,8]" * 7 + ".exists(b, false)" + ")" * 7,
]


@pytest.mark.parametrize("text", SLOW, ids=lambda text: str(text[:40]))
def test_what_might_take_long_is_not_asked_and_says_so(text: str) -> None:
    expressions = Expressions()
    expression = expressions.compile(text)
    expressions.holds(expression, LARGE)  # the event is converted once

    started = time.process_time()
    assert not expressions.holds(expression, LARGE)
    assert time.process_time() - started < 1
    assert expressions.why_not(expression, LARGE).startswith("not asked: ")


def test_what_people_write_is_asked_of_large_events_too() -> None:
    expressions = Expressions()
    asked = [
        'paths.exists(p, p.startsWith("src/29"))',
        'payload.commits.exists(c, c.files.exists(f, f == "4"))',
        'paths.exists(p, p.matches("^src/2999"))',
        'text.contains("xxx") && size(paths) == 3000',
        '["src/1.py", "src/2.py"].exists(name, name in paths)',
    ]
    for text in asked:
        assert expressions.holds(expressions.compile(text), LARGE), text


def test_a_payload_without_measure_is_not_converted_and_other_words_still_are() -> None:
    huge = event(number=7, payload={"a": [0] * (MAX_SIZE + 1), "deep": 1})
    deep: Any = 1
    for _ in range(5000):
        deep = [deep]
    expressions = Expressions()
    about_payload, about_number = expressions.compile("payload.size() == 1"), expressions.compile("number == 7")

    assert expressions.why_not(about_payload, huge) == "not asked: payload is too large"
    assert expressions.why_not(about_payload, event(payload={"deep": deep})) == "not asked: payload is too large"
    assert expressions.holds(about_number, huge)
    assert holds("payload.deep == 1", payload=huge.payload)  # only what is named is converted


@pytest.mark.parametrize(
    ("text", "payload", "expected"),
    [
        ("payload.a.b == 1", {"a": {"b": 1}}, True),
        ("payload.a.b == 1 || payload.a.size() == 2", {"a": {"b": 2, "c": 1}}, True),
        ("payload.a.size() == 2 && payload.a.b == 1", {"a": {"b": 1, "c": 1}}, True),
        ("payload.size() == 2 && payload.a == 1", {"a": 1, "b": 1}, True),
        ("payload.a == 1 && payload == {'a': 1}", {"a": 1, "b": 1}, False),
        ("has(payload.a.b) || has(payload.a) && payload.a.exists(x, x == 3)", {"a": [3]}, True),
        ("has(payload.a) && payload.a.exists(x, x == 3)", {"a": [3], "b": 1}, True),
        ("payload['a']['b'] == 1 && payload[title] == 2", {"a": {"b": 1}, "It happened": 2}, True),
        ("payload[\"'a'\"] == 1 && payload['''b'''] == 2 && payload['\\x63'] == 3", {"'a'": 1, "b": 2, "c": 3}, True),
        ("has(payload.a)", [1], False),
        ("has(payload.a)", None, False),
    ],
)
def test_what_is_left_out_of_an_event_is_never_missed(text: str, payload: Any, expected: bool) -> None:
    assert holds(text, payload=payload, title="It happened") is expected


def test_an_event_is_converted_once_for_all_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    convert = Expressions._converted

    def converted(expressions: Expressions, event: Event) -> Facts:
        made.append(event)
        return convert(expressions, event)

    monkeypatch.setattr(Expressions, "_converted", converted)
    rules = book("rules: [" + ", ".join(f"{{when: {{if: number == {each}}}, to: ivan}}" for each in range(50)) + "]")
    made.clear()

    decide(event(number=60), rules, Memory(), NOW)

    assert len(made) == 1


def test_two_events_that_are_alike_are_still_two() -> None:
    expressions = Expressions()
    expression = expressions.compile("number == 1")

    assert [expressions.holds(expression, event(number=number)) for number in (1, 2, 1)] == [True, False, True]


@pytest.mark.parametrize(
    "value", [10**400, -(10**30), 2**63, float("nan"), float("inf"), "\ud800", {"\ud800": ["\udfff"]}, [], {}, None]
)
def test_values_that_the_library_does_not_take_are_no_trouble(value: Any) -> None:
    assert holds("has(payload.x) && number == 7", payload={"x": value})


# ── Any text, any event ──────────────────────────────────────────────────────────────────────────────────────

_ATOMS = """title number paths labels labels.env payload payload.a payload.a.b draft type x y true false null 0 1 2u
1.5 -3 'a' "b" r'\\d' b'x' [] {} [1,2] ['a','b'] {'a':1} 9223372036854775807 duration('1h') timestamp(started_at)"""
_OPERATORS = "== != < <= > >= && || + - * / % in ?"
ATOMS = st.sampled_from(_ATOMS.split())


def _extended(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from(_OPERATORS.split())
    loops = st.sampled_from(["exists", "all", "exists_one", "filter", "map"])
    calls = st.sampled_from(["size", "contains", "startsWith", "matches", "getHours", "string", "int", "nope"])
    return st.one_of(
        st.builds("{} {} {}".format, inner, operators, inner),
        st.builds("({})".format, inner),
        st.builds("!{}".format, inner),
        st.builds("{}[{}]".format, inner, inner),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("{} ? {} : {}".format, inner, inner, inner),
        st.builds("{}.{}(x, {})".format, inner, loops, inner),
        st.builds("{}.{}({})".format, inner, calls, inner),
        st.builds("{}.{}()".format, inner, calls),
        st.builds("{}({})".format, calls, inner),
        st.builds("has({}.a)".format, inner),
        st.builds("{}.a".format, inner),
    )


LIKE_CEL = st.recursive(ATOMS, _extended, max_leaves=10) | st.text(max_size=40)


@settings(deadline=None, max_examples=400)
@given(LIKE_CEL, EVENTS)
def test_any_expression_is_complained_of_or_decides_any_event(text: str, event: Event) -> None:
    quoted = "'" + text.replace("'", "''") + "'"
    try:
        rules = load(f"{HEAD}rules: [{{when: {{if: {quoted}}}, to: ivan}}]\n", env=ENV)
    except BadRules:
        return

    started = time.process_time()
    decision = decide(event, rules, Memory(), NOW)

    assert decision.trace
    assert time.process_time() - started < 5


@settings(deadline=None, max_examples=400)
@given(LIKE_CEL)
def test_what_is_read_off_an_expression_agrees_with_the_library(text: str) -> None:
    expressions = Expressions()
    try:
        expression = expressions.compile(text)
    except BadExpression:
        return

    assert expression.outline.words <= set(expression.program.variables())
    assert set(expression.program.variables()) & set(WORDS) <= expression.outline.words | {"x", "type"}
