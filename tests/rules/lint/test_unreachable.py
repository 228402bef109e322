"""A rule that is called unreachable is never reached; and those that people write by mistake are found."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from relay.model import Event
from relay.rules.lint import check
from relay.rules.routing import route
from tests.rules.books import ENV, HEAD

TYPES = {"github": "github", "alerts": "alertmanager", "deploys": "json"}


def unreachable(rules: list[dict[str, Any]] | str, default: Any = None) -> list[str]:
    """The paths of the rules that are called unreachable."""
    text = rules if isinstance(rules, str) else json.dumps(rules)
    end = "" if default is None else f"\ndefault: {json.dumps(default)}"
    found = check(f"{HEAD}\nrules: {text}{end}\n", env=ENV)
    assert found.rules is not None, found.complaints
    return [each.path for each in found.complaints if each.code in ("shadowed", "contradiction")]


# ── Never a false alarm ───────────────────────────────────────────────────────────────────────────────────────────

EVENTS = ("push", "release", "issues")
ACTIONS = ("opened", "closed", "")
BRANCHES = ("main", "dev", "release/1", "release/2", "")
PATHS = ("a.py", "b/c.py", "d.md")
NUMBERS: tuple[Any, ...] = (1, "1", 2, 1.5, "x", "", None, True)


def asked_of(values: tuple[Any, ...], *patterns: str) -> st.SearchStrategy[Any]:
    """What may stand to the right of a word."""
    value = st.sampled_from([each for each in values if each is not None])
    pattern = st.sampled_from(patterns)
    operators = st.one_of(
        st.fixed_dictionaries({"glob": pattern}),
        st.fixed_dictionaries({"glob": st.lists(pattern, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"regex": pattern.map(lambda text: text.replace("*", ".*"))}),
        st.fixed_dictionaries({"contains": pattern.map(lambda text: text.strip("*/") or "a")}),
        st.fixed_dictionaries({"exists": st.booleans()}),
        st.fixed_dictionaries({"glob": pattern, "not": value}),
    )
    several = st.lists(value, min_size=1, max_size=3)
    return st.one_of(
        value,
        several,
        operators,
        st.fixed_dictionaries({"not": st.one_of(value, several, operators)}),
        st.lists(st.one_of(value, operators), min_size=1, max_size=3),
    )


def numeric() -> st.SearchStrategy[Any]:
    return st.one_of(
        asked_of(NUMBERS, "1*", "*"),
        st.dictionaries(st.sampled_from(["gt", "gte", "lt", "lte"]), st.sampled_from([0, 1, 1.5, 2]), min_size=1),
    )


WORDS: dict[str, st.SearchStrategy[Any]] = {
    "source": st.sampled_from(["github", "alerts", ["github", "deploys"], {"not": "github"}]),
    "type": st.sampled_from(["github", "alertmanager", ["json", "github"]]),
    "event": asked_of(EVENTS, "pu*", "*"),
    "action": asked_of(ACTIONS, "open*", "*d"),
    "branch": asked_of(BRANCHES, "release/*", "*", "**", "m*"),
    "paths": asked_of(PATHS, "*.py", "**/*.py", "*"),
    "labels.env": asked_of(("prod", "dev", ""), "pr*", "*"),
    "payload.n": numeric(),
    "number": st.one_of(st.sampled_from([1, 2, [1, 2]]), st.fixed_dictionaries({"gt": st.sampled_from([0, 1])})),
    "draft": st.sampled_from([True, False, {"not": True}]),
    "match": st.sampled_from(['env="prod"', 'env!="prod"', 'env=~"pr.*|dev"', ['env!~"pr.*"', 'team=""'], 'team=~""']),
}
ATOMS = st.lists(st.sampled_from(sorted(WORDS)), max_size=3, unique=True).flatmap(
    lambda words: st.fixed_dictionaries({word: WORDS[word] for word in words})
)
WHEN = st.recursive(
    ATOMS,
    lambda inner: st.builds(
        lambda atoms, group, branches: {**atoms, group: branches},
        ATOMS,
        st.sampled_from(["any", "all", "none"]),
        st.lists(inner, min_size=1, max_size=2),
    ),
    max_leaves=4,
)
RULE = st.recursive(
    st.builds(lambda when, goes_on: {"when": when, "continue": goes_on, "to": "ivan"}, WHEN, st.booleans()),
    lambda inner: st.builds(
        lambda when, finer: {"when": when, "to": "ivan", "rules": finer}, WHEN, st.lists(inner, min_size=1, max_size=3)
    ),
    max_leaves=4,
)


def some_event(choice: random.Random) -> Event:
    source = choice.choice(sorted(TYPES))
    labels = {"env": choice.choice(["prod", "dev", "", None]), "team": choice.choice(["db", "", None])}
    n = choice.choice([*NUMBERS, choice.choices(NUMBERS, k=choice.randrange(3))])
    return Event(
        source=source,
        type=TYPES[source],
        event=choice.choice(EVENTS),
        action=choice.choice(ACTIONS),
        branch=choice.choice(BRANCHES),
        paths=tuple(choice.sample(PATHS, choice.randrange(3))),
        labels={name: value for name, value in labels.items() if value is not None},
        payload=choice.choice([{"n": n}, {}]),
        number=choice.choice([None, 1, 2]),
        draft=choice.choice([None, True, False]),
    )


MANY_EVENTS = [some_event(random.Random(seed)) for seed in range(400)]


@settings(max_examples=100, deadline=None)
@given(st.lists(RULE, min_size=2, max_size=5))
def test_a_rule_that_is_called_unreachable_answers_no_event(rules: list[dict[str, Any]]) -> None:
    found = check(f"{HEAD}\nrules: {json.dumps(rules)}\ndefault: {{to: olga}}\n", env=ENV)
    assert found.rules is not None, found.complaints
    dead = [each.path.partition(".when")[0] for each in found.complaints if each.code in ("shadowed", "contradiction")]
    event(f"{min(len(dead), 3)} called unreachable")

    answering = (
        {f"{rule.path}.": each for each in MANY_EVENTS for rule in route(each, found.rules).answers} if dead else {}
    )

    assert {path: each for path, each in answering.items() if path.startswith(tuple(f"{one}." for one in dead))} == {}


# ── What is found ─────────────────────────────────────────────────────────────────────────────────────────────────

SHADOWED: dict[str, tuple[Any, Any]] = {  # an earlier rule's condition, and one that it takes all of
    "the same": ({"event": "push"}, {"event": "push"}),
    "one of a list": ({"event": ["push", "release"]}, {"event": "push"}),
    "a shorter list": ({"event": ["push", "release"]}, {"event": ["release", "push"]}),
    "with more conditions": ({"event": "push"}, {"event": "push", "branch": "main"}),
    "without any": ({}, {"event": "push"}),
    "a text under a glob": ({"branch": {"glob": "release/*"}}, {"branch": "release/1"}),
    "texts under a regex": ({"branch": {"regex": "ma.*|dev"}}, {"branch": ["main", "dev"]}),
    "the same glob": ({"branch": {"glob": "r/*"}}, {"branch": {"glob": "r/*"}, "event": "push"}),
    "one of the globs": ({"branch": {"glob": ["a/*", "b/*"]}}, {"branch": {"glob": "b/*"}}),
    "a glob and more": ({"branch": {"glob": "a/*"}}, {"branch": {"glob": "a/*", "not": "a/b"}}),
    "a text that is not another": ({"event": {"not": "push"}}, {"event": "release"}),
    "a text that exists": ({"labels.env": {"exists": True}}, {"labels.env": "prod"}),
    "one of a list of paths": ({"paths": {"glob": "**/*.py"}}, {"paths": "a/b.py"}),
    "a matcher": ({"labels.env": ["prod", "dev"]}, {"match": 'env="prod"'}),
    "a matcher's pattern": ({"match": 'env=~"pr.*"'}, {"labels.env": "prod"}),
    "a branch of any": ({"any": [{"event": "push"}, {"event": "release"}]}, {"event": "release"}),
    "the same any": ({"any": [{"event": "push"}, {"branch": "x"}]}, {"any": [{"event": "push"}, {"branch": "x"}]}),
    "none that cannot be": ({"none": [{"event": "push"}]}, {"event": "release"}),
    "all of them": ({"all": [{"event": "push"}, {"branch": "main"}]}, {"branch": "main", "event": "push"}),
    "a number as text": ({"payload.n": {"gte": 1}}, {"payload.n": "2"}),
}


@pytest.mark.parametrize(("first", "second"), SHADOWED.values(), ids=SHADOWED)
def test_a_rule_after_one_that_takes_all_it_would_is_found(first: Any, second: Any) -> None:
    assert unreachable([{"when": first, "to": "ivan"}, {"when": second, "to": "olga"}]) == ["rules.1"]


NOT_SHADOWED: dict[str, tuple[Any, Any]] = {
    "another value": ({"event": "push"}, {"event": "release"}),
    "fewer conditions": ({"event": "push", "branch": "main"}, {"event": "push"}),
    "a longer list": ({"event": "push"}, {"event": ["push", "release"]}),
    "nothing is like a glob of anything": ({"branch": {"glob": "?*"}}, {"event": "push"}),
    "several paths, one of which is not": ({"paths": {"not": "b.py"}}, {"paths": "a.py"}),
    "an empty label may be there or not": ({"labels.env": {"exists": True}}, {"labels.env": ""}),
    "a pattern under a text": ({"branch": "main"}, {"branch": {"glob": "main"}}),
}


@pytest.mark.parametrize(("first", "second"), NOT_SHADOWED.values(), ids=NOT_SHADOWED)
def test_a_rule_that_some_event_reaches_is_not_complained_of(first: Any, second: Any) -> None:
    assert unreachable([{"when": first, "to": "ivan"}, {"when": second, "to": "olga"}]) == []


def test_a_rule_that_lets_the_event_go_on_shadows_nothing() -> None:
    assert unreachable([{"to": "ivan", "continue": True}, {"when": {"event": "push"}, "to": "olga"}]) == []


def test_finer_rules_are_compared_with_what_the_rules_above_them_ask() -> None:
    finer = [{"when": {"event": ["push", "release"]}, "to": "ivan"}, {"when": {"branch": "main"}, "to": "olga"}]

    assert unreachable([{"when": {"event": "push"}, "to": "petr", "rules": finer}]) == ["rules.0.rules.1"]


def test_of_what_is_below_an_unreachable_rule_nothing_is_said() -> None:
    finer = [{"when": {"source": "alerts"}, "to": "ivan"}]

    assert unreachable([{"to": "ivan"}, {"when": {"source": "github"}, "to": "olga", "rules": finer}]) == ["rules.1"]


def test_a_rule_shadowed_by_one_that_is_dead_itself_is_reached() -> None:
    dead = {"when": {"all": [{"event": "push"}, {"event": "release"}]}, "to": "ivan"}

    assert unreachable([dead, {"when": {"event": "push", "branch": "main"}, "to": "olga"}]) == [
        "rules.0.when.all.1.event"
    ]


def test_a_default_after_a_rule_for_everything_is_never_asked() -> None:
    assert unreachable([{"to": "ivan", "continue": True}], default={"to": "olga"}) == ["default"]
    assert unreachable([{"when": {"event": "push"}, "to": "ivan"}], default={"to": "olga"}) == []


CONTRADICTIONS: dict[str, tuple[Any, str]] = {
    "a label twice": ({"labels.env": "prod", "match": 'env="dev"'}, "rules.0.when.match"),
    "a text and a pattern": (
        {"all": [{"branch": "main"}, {"branch": {"glob": "release/*"}}]},
        "rules.0.when.all.1.branch",
    ),
    "a text and its negation": ({"all": [{"event": "push"}, {"event": {"not": "push"}}]}, "rules.0.when.all.1.event"),
    "each of any": ({"event": "push", "any": [{"event": "release"}, {"event": "x"}]}, "rules.0.when.event"),
    "what none excludes": ({"event": "push", "none": [{"event": ["push", "release"]}]}, "rules.0.when.event"),
    "source and type": ({"source": "github", "type": "alertmanager"}, "rules.0"),
}


@pytest.mark.parametrize(("when", "path"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_a_condition_that_contradicts_itself_is_found(when: Any, path: str) -> None:
    assert unreachable([{"when": when, "to": "ivan"}]) == [path]


def test_a_finer_rule_that_contradicts_the_rule_above_it_is_found() -> None:
    finer = [{"when": {"source": "alerts"}, "to": "ivan"}]

    assert unreachable([{"when": {"source": "github"}, "to": "olga", "rules": finer}]) == [
        "rules.0.rules.0.when.source"
    ]


def test_two_values_of_a_word_with_several_are_no_contradiction() -> None:
    assert unreachable([{"when": {"all": [{"paths": "a.py"}, {"paths": "b.py"}]}, "to": "ivan"}]) == []


def test_thousands_of_rules_are_compared_in_time_that_grows_with_their_number() -> None:
    """Each with each would be 4,500,000 comparisons; the test's time limit holds it."""
    rules = [{"when": {"source": "alerts", "labels.service": f"s{number}"}, "to": "ivan"} for number in range(3000)]

    assert unreachable([*rules, {"when": {"source": "alerts", "labels.service": "s7"}, "to": "olga"}]) == ["rules.3000"]


def test_the_finding_names_the_rule_that_is_in_the_way_and_its_line() -> None:
    found = check(f"{HEAD}rules:\n- {{name: first, to: ivan}}\n- {{to: olga}}\n", env=ENV)

    (finding,) = [each for each in found.complaints if each.code == "shadowed"]
    assert (finding.line, "first (line 16)" in finding.message, "continue: true" in finding.message) == (17, True, True)
