"""Every fault of a file of tests is told at its line and column, in a sentence, together with all the others."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay import trial
from relay.model import Request
from relay.rules import Rules
from relay.trial import BadTests
from relay.trial.changes import changed
from tests.rules.books import book
from tests.trial.requests import RULES, cases, read, request

BOOK: Rules = book(RULES)

WORDS = """version tests name fixture set at before expect because signed person rule tag contains blocks none ivan 1
no_rule alarm.http text.http broken.http payload.kind payload.* header.X true 2026-11-23T10:00Z"""
PIECES = st.sampled_from(WORDS.split())
FILE = st.recursive(
    st.none() | st.booleans() | st.integers() | PIECES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(PIECES, inner, max_size=6),
    max_leaves=25,
)


def complaints(text: str) -> list[str]:
    with pytest.raises(BadTests) as caught:
        trial.load(text, rules=BOOK, read=read)
    return str(caught.value).splitlines()


HEAD = "version: 1\ntests:\n- name: it\n  fixture: alarm.http\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a\n", ["1:1: must be a mapping: version: 1, and tests:"]),
        ("# nothing\n", ["1:1: the file is empty"]),
        ("a\n---\nb\n", ["2:1: a second document begins here: one file, one document"]),
        (
            "version: 2\ntest: []\n",
            [
                "1:1: tests: must be a list of tests, each beginning with a dash",
                "1:10: version: begin the file with version: 1, the only one there is",
                "2:1: test: unknown section test; did you mean tests?",
            ],
        ),
        ("version: 1\ntests:\n", ["2:1: tests: has no value: give one, or take it out"]),
        ("version: 1\ntests: [x]\n", ["2:9: tests.0: must be a mapping (key: value)"]),
        (
            "version: 1\ntests:\n- {fixture: alarm.http, expect: none}\n",
            ["3:3: tests.0.name: is missing"],
        ),
        (HEAD, ["3:3: tests.0.expect: is missing"]),
        (
            HEAD + "  expect: nobody\n",
            ["5:11: tests.0.expect: must be none, or a list of messages such as [{person: ivan}]"],
        ),
        (
            HEAD + "  expect: []\n",
            ["5:11: tests.0.expect: must be none, or a list of messages such as [{person: ivan}]"],
        ),
        (HEAD + "  expect: [{rule: alarms}]\n", ["5:12: tests.0.expect.0.person: is missing"]),
        (
            HEAD + "  expect: [{person: iwan}]\n",
            ["5:21: tests.0.expect.0.person: nobody is called iwan; did you mean ivan?"],
        ),
        (
            HEAD + "  expect: [{person: ivan, rule: alarm}]\n",
            ["5:33: tests.0.expect.0.rule: no rule is called alarm; did you mean alarms?"],
        ),
        (
            HEAD + "  expect: [{person: ivan, contain: x}]\n",
            ["5:27: tests.0.expect.0.contain: unknown key contain; did you mean contains?"],
        ),
        (HEAD + "  expect: [{person: ivan}]\n  because: no_rule\n", ["6:3: tests.0.because: is only for expect: none"]),
        (
            HEAD + "  expect: none\n  because: own_akt\n",
            ["6:12: tests.0.because: there is no such reason; did you mean own_act?"],
        ),
        (
            HEAD + "  expect: none\n  at: 2026-11-23 10:00\n",
            ["6:7: tests.0.at: must be a time with its zone, such as 2026-11-23 10:00 Europe/Moscow"],
        ),
        (
            HEAD + "  expect: none\n  before: [{fixture: alarm.http, at: 2026-11-23T12:01Z}]\n",
            ["6:38: tests.0.before.0.at: is later than the event that comes after it"],
        ),
        (
            HEAD + "  expect: none\n  before: [{fixture: x.http}]\n",
            ["6:22: tests.0.before.0.fixture: cannot be read: No such file or directory"],
        ),
        (
            HEAD.replace("alarm", "broken") + "  expect: none\n",
            ["4:12: tests.0.fixture: is not an HTTP request: the empty line between headers and body is missing"],
        ),
        (
            HEAD.replace("alarm", "nobody") + "  expect: none\n",
            ["4:12: tests.0.fixture: posts to a source that the rules do not have; known: alerts, deploys, github"],
        ),
        (
            HEAD + "  expect: none\n  set: {payload.hots.0.name: x, kind: y, header.X: [1]}\n",
            [
                "6:30: tests.0.set.payload.hots.0.name: the fixture's body has no hots; did you mean hosts?",
                "6:39: tests.0.set.kind: must begin with payload. (what is in the body) or header.",
                "6:52: tests.0.set.header.X: a header is text",
            ],
        ),
        (
            HEAD + "  expect: none\n  set: {payload.hosts.7.name: x, payload.kind.x: y}\n",
            [
                "6:31: tests.0.set.payload.hosts.7.name: the fixture's body has no hosts.7",
                "6:50: tests.0.set.payload.kind.x: the fixture's body has no kind.x",
            ],
        ),
        (
            HEAD.replace("alarm", "text") + "  expect: none\n  set: {payload.x: 1}\n",
            ["6:20: tests.0.set.payload.x: cannot be set: the body is not valid JSON"],
        ),
        (
            HEAD + "  expect: none\n- {name: it, fixture: alarm.http, expect: none}\n",
            ["6:10: tests.1.name: is also the name of the test at line 3"],
        ),
    ],
)
def test_a_bad_file_is_complained_of_at_the_place(text: str, said: list[str]) -> None:
    assert complaints(text) == [f"tests.yml:{line}" for line in said]


def test_all_faults_are_told_at_once() -> None:
    text = HEAD + "  expect: [{person: x}, {person: y}]\n  at: never\n- {name: it, fixture: z, expect: 1}\n- 7\n"

    assert len(complaints(text)) == 7


@settings(deadline=None)
@given(FILE)
def test_any_data_is_complained_of(data: object) -> None:
    text = f"version: 1\ntests: [{json.dumps(data)}, {json.dumps([data])}]"

    assert all(re.match(r"tests.yml:[1-9][0-9]*:[1-9][0-9]*: .", line) for line in complaints(text))


# ── set: ─────────────────────────────────────────────────────────────────────────────────────────────────────


def body_after(name: str, **changes: object) -> object:
    lines = "\n".join(f"    {key}: {json.dumps(value)}" for key, value in changes.items())
    (case,) = cases(f"- name: it\n  fixture: {name}\n  expect: none\n  set:\n{lines}\n")
    return json.loads(case.step.entry.request.body)


@pytest.mark.parametrize(
    ("changes", "hosts"),
    [
        ({"payload.hosts.0.up": True}, [{"name": "db-1", "up": True}, {"name": "db-2", "up": True}]),
        ({"payload.hosts.*.up": 3}, [{"name": "db-1", "up": 3}, {"name": "db-2", "up": 3}]),
        ({"payload.hosts.1": {"name": "ы"}}, [{"name": "db-1", "up": False}, {"name": "ы"}]),
        ({"payload.hosts.*": 1}, [1, 1]),
        ({"payload.hosts.0.*": 1}, [{"name": 1, "up": 1}, {"name": "db-2", "up": True}]),
        ({"payload.hosts": []}, []),
        ({"payload.hosts": None}, None),
        ({"payload.hosts": {"a": {"b": None}}}, {"a": {"b": None}}),
        ({"payload.hosts.2": "x"}, [{"name": "db-1", "up": False}, {"name": "db-2", "up": True}, "x"]),
    ],
)
def test_a_value_is_set_by_its_path(changes: dict[str, object], hosts: object) -> None:
    assert body_after("alarm.http", **changes) == {"kind": "alarm", "day": "mon", "hosts": hosts}


def test_a_new_last_step_is_added() -> None:
    assert body_after("other.http", **{"payload.new": "x"}) == {"kind": "other", "new": "x"}


def test_a_header_is_set_without_regard_to_case_and_a_count_of_the_old_body_goes() -> None:
    before = Request(method="POST", path="/in/x", headers={"content-length": "2", "x-event": "a"}, body=b"{}")

    after = changed(before, {"header.X-Event": 7, "payload.b": 1}, lambda key, sentence: None)

    assert after.headers == {"x-event": "7"}
    assert after.body == b'{"b": 1}'


def test_half_a_surrogate_pair_is_dropped() -> None:
    before = Request(method="POST", path="/in/x", headers={}, body=b'{"a": "x\\ud800y"}')

    assert changed(before, {"payload.b": 1}, lambda key, sentence: None).body == b'{"a": "xy", "b": 1}'


def test_a_body_that_is_not_changed_stays_byte_for_byte() -> None:
    before = request("text.http")

    assert changed(before, {"header.X": "y"}, lambda key, sentence: None).body == before.body
