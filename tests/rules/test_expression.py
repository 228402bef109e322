"""What a CEL expression names is found without running it, and what it may cost is never less than it does."""

from __future__ import annotations

import re

import pytest

from relay.rules.expression import Outline, Size, Use, cost, outline

WORDS = ("title", "text", "number", "paths", "labels", "payload")


def read(text: str) -> Outline:
    return outline(text, WORDS)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("title == 'x'", ["title"]),
        ("payload.commits[0].author.name", ["payload.commits"]),
        ('payload["pull_request"].head', ["payload.pull_request.head"]),
        ("payload.`x-y`.z", ["payload.x-y.z"]),
        ("payload.commits.size() > size(paths)", ["payload.commits", "paths"]),
        ("'title' != \"number\" // text", []),
        ("r'\\' + '''it's title''' + b'text' + \"\"\"\"number\"\"\"", []),
        ("has(payload.x) ? payload.x.y : true", ["payload.x", "payload.x.y"]),
        ("{'title': number}.title", ["number"]),
    ],
)
def test_it_finds_what_is_named(text: str, named: list[str]) -> None:
    found = read(text)

    assert [str(use) for use in found.body.uses] == named
    assert not found.faults


def test_a_loops_variable_is_no_word_and_may_be_called_like_one() -> None:
    found = read("paths.exists(title, title == text)")

    assert found.words == {"paths", "text"}
    assert not found.faults


@pytest.mark.parametrize(
    ("text", "at", "says"),
    [
        ("titel == 'x'", 0, "unknown word titel; did you mean title?"),
        ("paths.exists(p, q)", 16, "unknown word q"),
        ("paths.exists(p, true) && p", 25, "unknown word p"),
        ("title.startWith('x')", 6, "unknown function startWith; did you mean startsWith?"),
        ("title.matches(text)", 6, "matches takes its pattern written out"),
        ("title.matches('a' + 'b')", 6, "matches takes its pattern written out"),
        ("(paths + paths).exists(p, true)", 16, "exists runs over a list of the event"),
        ("[text + text].all(t, true)", 14, "all runs over a list of the event"),
        ("paths.map(p, p).map(q, q)", 16, "map runs over a list of the event"),
        ("paths.exists(i, p, true)", 6, "exists takes a name and a condition"),
        (".title == 'x'", 0, "cannot stand here"),
        ("title{a: 1}", 5, "cannot stand here"),
    ],
)
def test_what_cannot_be_is_found_where_it_stands(text: str, at: int, says: str) -> None:
    assert any(fault.at == at and says in fault.message for fault in read(text).faults), read(text).faults


@pytest.mark.parametrize(
    "text",
    [
        "['a', 'b'].exists(x, title.contains(x))",
        "[[1, 2], [3]].exists(x, x.exists(y, y == number))",
        "paths.filter(p, p != '').filter(p, p != 'x').size() > 2",
        "payload.commits[0].modified.exists(m, m == 'x')",
        "payload.labels.map(l, l.name)",
    ],
)
def test_loops_over_the_event_and_over_what_is_written_out_are_taken(text: str) -> None:
    assert not read(text).faults


# ── Costs ────────────────────────────────────────────────────────────────────────────────────────────────────

# As many steps as an event of that size really takes, counted by hand: n elements of five steps each.
N, EACH = 1000, 5


def steps(text: str) -> int:
    def size(use: Use) -> Size:
        return Size(N, N, N * EACH) if use.name == "paths" else Size(1, 1, 1)

    return cost(read(text), size)


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("number > 5", 1, 20),
        ("paths.size() > 1", N * EACH, 2 * N * EACH),
        ("paths.exists(p, p == 'x')", 3 * N, 30 * N),
        ("paths.exists(p, paths.exists(q, p == q))", 3 * N * N, 30 * N * N),  # every one with every other
        ("paths.exists(p, p.exists(q, q == 'x'))", 3 * N, 50 * N),  # every one with what is in it
        ("paths.exists(p, ['a', 'b'].exists(q, q == p))", 6 * N, 60 * N),
        ("paths.exists(p, 'x' in paths)", N * N * EACH, 2 * N * N * EACH),
        ("paths.filter(p, true).size() > 1", N * N * EACH, 3 * N * N * EACH),  # it copies what it has kept each time
        ("paths + paths + paths == []", 3 * 3 * N * EACH, 4 * 3 * N * EACH),
    ],
)
def test_the_bound_on_the_steps_has_the_right_order(text: str, least: int, most: int) -> None:
    assert least <= steps(text) <= most


def test_each_loop_within_a_loop_costs_more() -> None:
    costs = [
        steps(re.sub("X", inner, "paths.exists(a, X)"))
        for inner in ("true", "paths.exists(b, true)", "paths.exists(b, paths.exists(c, true))")
    ]

    assert costs[1] > 100 * costs[0]
    assert costs[2] > 100 * costs[1]
