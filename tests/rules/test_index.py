"""The index leaves out only rules that cannot match: with it and without it, the same rules answer."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.model import Event
from relay.rules import Memory, Rule, Rules, Telling, decide
from relay.rules.conditions import Condition, Failed, Need, Vocabulary, compile_when
from relay.rules.index import COPIES, Index, indexed
from relay.rules.routing import route
from tests.rules.books import NOW, book, event

VOCABULARY = Vocabulary(sources=("github", "alerts"), types=("github", "alertmanager"))
BOOK = book("rules: []")
NOBODY = Telling(to=(), portal="main")


def compiled(when: dict[str, Any]) -> Condition:
    return compile_when(when, VOCABULARY, (), lambda path, message: None)


def index_of(whens: Iterable[dict[str, Any]]) -> Index:
    return indexed([compiled(when).needs for when in whens])


# ── Any rules, any event ─────────────────────────────────────────────────────────────────────────────────────

# So few values that rules share them and events meet them, in every guise in which they are equal or nearly so.
VALUES = st.sampled_from(["a", "A", "b", "c", "", "5", 5, 5.0, "5.0", True, "true", "True", "1.10", 1.1, "a b"])
FIELDS = st.sampled_from(
    """event action repo branch number draft actor_is_bot assignees paths labels labels.team labels.env labels.5
    payload.x payload.x.*.y payload.list payload.x.0""".split()  # noqa: SIM905
)
OPERATORS = (
    st.fixed_dictionaries({"glob": st.sampled_from(["a", "a*", "?", "**", "[ab]"])})
    | st.fixed_dictionaries({"regex": st.sampled_from(["a|b", ".*", "[a-c]"])})
    | st.fixed_dictionaries({"exists": st.booleans()})
    | st.fixed_dictionaries({"gte": st.just(2)}, optional={"lt": st.just(5.5)})
    | st.fixed_dictionaries({"contains": st.sampled_from(["a", "5"])}, optional={"exists": st.just(True)})
)
SIMPLE = VALUES | VALUES | OPERATORS
COMPARISONS = SIMPLE | st.lists(SIMPLE, min_size=1, max_size=3) | st.fixed_dictionaries({"not": SIMPLE})
MATCHERS = st.sampled_from(
    ['team="a"', "team=", 'team=~"a|b"', 'team=~"(a|)"', 'team!="a"', "env!~a", 'env=~"|b"', 'env=~"a.*"', "team=5"]
)
PLAIN_WHENS = st.dictionaries(FIELDS, COMPARISONS, max_size=3) | st.fixed_dictionaries(
    {"match": MATCHERS | st.lists(MATCHERS, min_size=1, max_size=2)}
)
SEVERAL = st.lists(PLAIN_WHENS, min_size=1, max_size=3)
WHENS = PLAIN_WHENS | st.fixed_dictionaries(
    {},
    optional={
        "event": VALUES,
        "any": SEVERAL,
        "all": st.lists(PLAIN_WHENS | st.fixed_dictionaries({"any": SEVERAL}), min_size=1, max_size=2),
        "none": SEVERAL,
    },
)
TEXTS = st.sampled_from(["a", "A", "b", "c", "", "5", "5.0", "true", "True", "1.10", "1.1", "a b"])
SCALARS = VALUES | st.none()
ANYTHING = SCALARS | st.lists(SCALARS | st.fixed_dictionaries({"y": SCALARS}), max_size=3)
EVENTS = st.builds(
    Event,
    source=st.just("github"),
    type=st.just("github"),
    event=TEXTS,
    action=TEXTS,
    repo=TEXTS,
    branch=TEXTS,
    number=st.none() | st.just(5),
    draft=st.none() | st.booleans(),
    actor_is_bot=st.booleans(),
    assignees=st.lists(TEXTS, max_size=3).map(tuple),
    paths=st.lists(TEXTS, max_size=3).map(tuple),
    labels=st.dictionaries(st.sampled_from(["team", "env", "5"]), TEXTS),
    payload=st.fixed_dictionaries({}, optional={"x": ANYTHING, "list": st.lists(VALUES, max_size=3)}),
)


def tree(chance: random.Random, conditions: Sequence[Condition], path: str = "rules") -> tuple[Rule, ...]:
    """Rules of these conditions, many of them of the same: up to twelve, some with others under them."""
    deep = path.count("rules")
    return tuple(
        Rule(
            name=f"{path}.{place}",
            path=f"{path}.{place}",
            condition=chance.choice(conditions),
            telling=NOBODY,
            goes_on=chance.random() < 0.7,
            rules=tree(chance, conditions, f"{path}.{place}.rules") if chance.random() < 0.4 / deep else (),
        )
        for place in range(chance.randrange(1, 13))
    )


def asked_one_by_one(rules: Sequence[Rule], about: Event) -> list[Rule]:
    """What the README says of the order of rules, without any index."""
    answers: list[Rule] = []
    for rule in rules:
        if rule.condition.holds(about):
            answers += asked_one_by_one(rule.rules, about) or [rule]
            if not rule.goes_on:
                break
    return answers


def rules_of(rules: tuple[Rule, ...], default: Rule | None = None) -> Rules:
    return Rules(portals=BOOK.portals, sources=BOOK.sources, directory=BOOK.directory, rules=rules, default=default)


LAST = Rule(name="default", path="default", condition=compiled({}), telling=NOBODY)


@settings(deadline=None, max_examples=300)
@given(st.lists(WHENS, min_size=1, max_size=10), st.integers(0, 2**32), EVENTS, st.sampled_from([None, LAST]))
def test_the_same_rules_answer_as_without_an_index(
    whens: list[dict[str, Any]], seed: int, about: Event, default: Rule | None
) -> None:
    rules = rules_of(tree(random.Random(seed), [compiled(when) for when in whens]), default)
    expected = asked_one_by_one(rules.rules, about) or ([default] if default else [])

    found = route(about, rules)

    assert [rule.path for rule in found.answers] == [rule.path for rule in expected]
    told = {step.path: step for step in found.steps()}
    assert all(told[rule.path].matched for rule in expected)
    assert all(step.matched or step.failed or step.note == "not reached" for step in told.values())


@settings(deadline=None, max_examples=300)
@given(st.lists(WHENS, max_size=30), EVENTS)
def test_the_candidates_are_in_order_each_once_and_all_that_hold(whens: list[dict[str, Any]], about: Event) -> None:
    conditions = [compiled(when) for when in whens]

    candidates = [*indexed([condition.needs for condition in conditions]).candidates(about)]

    assert candidates == sorted(set(candidates))
    assert {place for place, condition in enumerate(conditions) if condition.holds(about)} <= set(candidates)


# ── How few are left ─────────────────────────────────────────────────────────────────────────────────────────

PUSH = {"source": "github", "event": "push"}
NUMBERS = range(400)
EVERY_REPO = [f"r{n}" for n in NUMBERS]


@pytest.mark.parametrize(
    ("whens", "about", "left"),
    [
        ([PUSH | {"repo": f"r{n}"} for n in NUMBERS], event(repo="r7"), 1),
        ([PUSH | {"repo": f"r{n}"} for n in NUMBERS], event(repo="other"), 0),
        ([PUSH | {"repo": [f"r{n}", f"old{n}"]} for n in NUMBERS], event(repo="old7"), 1),
        ([{"labels.team": f"t{n}"} for n in NUMBERS], event(labels={"team": "t7"}), 1),
        ([{"labels.team": n} for n in NUMBERS], event(labels={"team": "7"}), 1),
        ([{"number": str(n)} for n in NUMBERS], event(number=7), 1),
        ([{"match": f'team="t{n}"'} for n in NUMBERS], event(labels={"team": "t7"}), 1),
        ([{"match": f'team=~"t{n}|s{n}"'} for n in NUMBERS], event(labels={"team": "s7"}), 1),
        ([{"any": [{"repo": f"r{n}"}, {"repo": f"s{n}"}]} for n in NUMBERS], event(repo="s7"), 1),
        ([{"all": [{"event": "push"}, {"repo": f"r{n}"}]} for n in NUMBERS], event(repo="r7"), 1),
        ([{"assignees": f"a{n}"} for n in NUMBERS], event(assignees=("a7", "a8", "x")), 2),
        ([{"payload.ids.*": n} for n in NUMBERS], event(payload={"ids": [7] * 500}), 1),
        ([{"assignees": [f"a{n}", f"b{n}"]} for n in NUMBERS], event(assignees=("a7", "b7")), 1),
        ([{"payload.x": True if n == 7 else n} for n in NUMBERS], event(payload={"x": True}), 1),
        ([{"payload.x": n} for n in NUMBERS], event(payload={"x": 7.0}), 1),
        ([{"all": [{"repo": EVERY_REPO}, {"repo": f"r{n}"}]} for n in NUMBERS], event(repo="r7"), 1),
        # No word alone tells these apart, the two together do.
        ([{"repo": f"r{n % 20}", "branch": f"b{n // 20}"} for n in NUMBERS], event(repo="r7", branch="b3"), 1),
        # Each third of them differs by another word.
        ([{("repo", "branch", "labels.team")[n % 3]: f"x{n}"} for n in NUMBERS], event(branch="x7"), 1),
        # Those that ask nothing by equality are left, and no others.
        ([{"repo": f"r{n}"} if n % 100 else {"branch": {"glob": "b*"}} for n in NUMBERS], event(repo="r7"), 5),
        ([{"repo": {"not": f"r{n}"}} for n in NUMBERS], event(repo="r7"), 400),
        ([{"none": [{"repo": f"r{n}"}]} for n in NUMBERS], event(repo="r7"), 400),
        ([{"any": [{"repo": f"r{n}"}, {"draft": True}]} for n in NUMBERS], event(repo="r7"), 400),
    ],
)
def test_so_few_are_left_to_be_asked(whens: list[dict[str, Any]], about: Event, left: int) -> None:
    assert len([*index_of(whens).candidates(about)]) == left


def test_a_missing_field_finds_the_rules_that_ask_for_nothing_there() -> None:
    index = index_of([{"labels.team": "" if n == 3 else f"t{n}"} for n in NUMBERS])

    assert [*index.candidates(event(labels={}))] == [3]
    assert [*index.candidates(event(labels={"team": ""}))] == [3]


def test_the_word_that_tells_most_apart_is_looked_up_first() -> None:
    index = index_of([PUSH | {"action": f"a{n % 2}", "repo": f"r{n}"} for n in NUMBERS])

    (shelf,) = index.shelves
    assert len(shelf.buckets) == len(NUMBERS)


def test_a_word_that_many_ask_for_in_vain_is_not_looked_up_before_one_that_tells_them_apart() -> None:
    """Of the branches two thirds are the same, so of them more may be left than of the fewer repositories."""
    same = [{"branch": "main" if n < 14 else f"b{n}"} for n in range(20)]
    index = index_of([{**branch, "repo": f"r{n}"} if n < 10 else branch for n, branch in enumerate(same)])

    assert [len(shelf.buckets) for shelf in index.shelves] == [10, 7]


def test_what_one_shelf_can_hold_is_not_put_on_two() -> None:
    index = index_of([{"branch": f"b{n}"} | ({"repo": f"r{n}"} if n < 5 else {}) for n in range(10)])

    assert [len(shelf.buckets) for shelf in index.shelves] == [10]


def test_lists_within_lists_do_not_multiply() -> None:
    chance = random.Random(1)
    whens = [
        {word: [f"v{n}" for n in chance.sample(range(60), 20)] for word in ("repo", "branch", "labels.team")}
        for _ in range(100)
    ]
    written = 100 * 3 * 20

    assert size(index_of(whens)) <= COPIES * written  # and not 800,000


def size(index: Index | tuple[int, ...]) -> int:
    if isinstance(index, tuple):
        return len(index)
    return len(index.others) + sum(size(bucket) for shelf in index.shelves for bucket in shelf.buckets.values())


# ── What is not done for every event ─────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Counted(Condition):
    """Notes whenever it is asked."""

    condition: Condition
    asked: list[str] = field(default_factory=list)

    @property
    def says(self) -> str:
        return self.condition.says

    @property
    def needs(self) -> dict[str, Need]:
        return dict(self.condition.needs)

    def holds(self, about: Event) -> bool:
        self.asked.append("whether")
        return self.condition.holds(about)

    def fault(self, about: Event) -> Failed:
        self.asked.append("why not")
        return self.condition.fault(about)


def test_only_a_rule_that_can_match_is_asked_and_its_reason_only_when_the_trace_is() -> None:
    asked: list[str] = []
    rules = tuple(
        Rule(
            name=f"{n}",
            path=f"rules.{n}",
            condition=Counted(compiled({"repo": f"r{n}", "branch": {"glob": "m*"}}), asked),
            telling=NOBODY,
        )
        for n in NUMBERS
    )

    decision = decide(event(repo="r390", branch="dev"), rules_of(rules), Memory(), NOW)

    assert (decision.outcome, asked) == ("no_rule", ["whether"])
    assert [step.rule for step in decision.trace if step.failed and step.failed.field == "branch"] == ["390"]
    assert asked.count("why not") == len(NUMBERS)


def test_finer_rules_have_an_index_of_their_own() -> None:
    finer = json.dumps([{"when": {"branch": f"b{n}"}} for n in NUMBERS])
    (rule,) = book(f"rules: [{{to: ivan, rules: {finer}}}]").rules

    assert [*rule.index.candidates(event(branch="b7"))] == [7]
