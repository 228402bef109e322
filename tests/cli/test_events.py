"""The journal in the operator's hands: what came, and the same again as a dry run, as a test to one, or for real."""

from __future__ import annotations

import json
import subprocess
import sys
import threading

import pytest

from relay.cli.following import follow
from relay.render import plain
from relay.store import outbox, search
from relay.store.database import Transaction
from relay.store.outbox import Record
from relay.store.search import EventRow, Filter
from tests.cli.conftest import RULES, Desk
from tests.line.conftest import until


def records(desk: Desk) -> list[Record]:
    """Everything in the outbox, the oldest first."""
    with desk.database.read() as tx:
        return outbox.latest(tx, limit=1000)[::-1]


# ── list, show, follow ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        ([], [4, 3, 2, 1]),
        (["--limit", "2"], [4, 3]),
        (["--before", "3"], [2, 1]),
        (["--kind", "release"], [2]),
        (["--state", "dropped"], [3]),
        (["--state", "addressed", "--state", "new"], [4, 2, 1]),
        (["--person", "olga"], [2]),
        (["--rule", "deploys"], [1]),
        (["--text", "СКЛАД"], [1]),
        (["--since", "10m"], [4, 3, 2, 1]),
        (["--until", "10m"], []),
        (["--source", "none"], []),
    ],
)
def test_events_are_chosen_by_options(desk: Desk, options: list[str], numbers: list[int]) -> None:
    desk.happen(title="Склад обновлён")
    desk.happen(kind="release")
    desk.happen(kind="chat")
    desk.take_in(kind="late")

    assert [row["id"] for row in desk.json("events", "list", "--json", *options)] == numbers


def test_a_list_says_in_a_line_what_came_and_what_became_of_it(desk: Desk) -> None:
    desk.happen(kind="release", title="shop 1.4.2")

    (line,) = desk.run("events", "list").stdout.splitlines()
    assert [word in line for word in ("1", "deploys", "release", "addressed", "shop 1.4.2")] == [True] * 5


def test_an_event_is_shown_with_what_came_and_whom_it_was_told(desk: Desk) -> None:
    desk.happen(kind="release", title="shop 1.4.2")
    shown = desk.json("events", "show", "1")

    assert json.loads(shown["body"])["title"] == "shop 1.4.2"
    assert shown["headers"] == {"x-trace": "1"}
    assert [(row["person"], row["rule"], row["state"]) for row in shown["messages"]] == [
        ("ivan", "releases", "queued"),
        ("olga", "releases", "queued"),
    ]
    assert desk.run("events", "show", "9").exit_code == 1


def test_new_events_are_told_one_a_line_as_they_come(desk: Desk) -> None:
    desk.happen(title="before")
    command = [sys.executable, "-m", "relay", "events", "follow", "--json", "--limit", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as following:
        until(lambda: desk.take_in(title="new") > 0 and following.poll() is not None, patience=60)
        printed = following.communicate()[0]

    told = [json.loads(line) for line in printed.splitlines()]
    assert [row["title"] for row in told] == ["new", "new"]
    assert told[1]["id"] == told[0]["id"] + 1


class Following:
    """Someone who follows the journal, from the moment at which the fixture is there."""

    def __init__(self, desk: Desk, what: Filter) -> None:
        self._begun = threading.Event()
        self.told: list[EventRow] = []
        self._desk, self._what = desk, what
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._begun.wait(30)

    def _newest(self, tx: Transaction) -> int:
        self._begun.set()
        return search.newest_event(tx)

    def _run(self) -> None:
        self.told.extend(follow(self._desk.database, self._what, find=search.events, newest=self._newest))

    def end(self) -> list[EventRow]:
        self._thread.join(30)
        assert not self._thread.is_alive(), "it still waits"
        return self.told


def test_a_state_is_told_when_an_event_comes_into_it_even_after_newer_ones(desk: Desk) -> None:
    with_state = Following(desk, Filter(states=("addressed",), limit=2))
    desk.happen(kind="chat")
    desk.happen(title="one")
    desk.happen(title="two")

    assert [row.title for row in with_state.end()] == ["one", "two"]


def test_each_is_told_once_however_often_it_is_looked(desk: Desk) -> None:
    everything = Following(desk, Filter(limit=30))
    for _ in range(30):
        desk.take_in()

    assert [row.id for row in everything.end()] == list(range(1, 31))


# ── replay: dry ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_dry_run_says_what_explain_says_and_sends_nothing(desk: Desk) -> None:
    desk.happen(kind="release", title="shop 1.4.2")
    before = records(desk)
    done = desk.run("events", "replay", "1", "--dry-run")

    assert done.exit_code == 0
    assert desk.run("explain", "1").stdout.strip() in done.stdout
    assert records(desk) == before


def test_a_dry_run_is_decided_by_the_rules_of_now(desk: Desk) -> None:
    desk.happen(title="shop 1.4.2")
    desk.write_rules(RULES.replace("to: owner, fallback: olga", "to: olga"))
    (told,) = desk.json("events", "replay", "1", "--dry-run", "--json")

    assert told["event"] == 1
    assert [(each["person"], each["message"], each["tag"]) for each in told["messages"]] == [
        ("olga", None, "deploys:shop")
    ]
    assert [record.message.person for record in records(desk)] == ["ivan"]


def test_a_dry_run_of_a_selection_goes_from_the_oldest_to_the_newest_and_asks_nothing(desk: Desk) -> None:
    for kind in ("release", "chat", "release"):
        desk.happen(kind=kind)
    told = desk.json("events", "replay", "--since", "1h", "--dry-run", "--json")

    assert [(each["event"], each["outcomes"]) for each in told] == [
        (1, ["addressed"]),
        (2, ["dropped"]),
        (3, ["addressed"]),
    ]


def test_an_event_whose_source_is_gone_is_told_and_the_others_are_decided(desk: Desk) -> None:
    desk.happen()
    desk.write_rules(RULES.replace("  deploys: {type", "  builds: {type").replace("source: deploys", "source: builds"))
    done = desk.run("events", "replay", "1", "--dry-run")

    assert done.exit_code == 1
    assert "no source of this name" in done.stderr


# ── replay: to one, as a test ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("person", "user_id", "mark"),
    [
        ("olga", 18, "Test: a repeat of event 1 for ivan, by the rule releases"),
        ("ivan", 17, "Проверка: повтор события 1 для ivan, по правилу releases"),
    ],
)
def test_a_test_goes_to_one_person_marked_in_his_language(desk: Desk, person: str, user_id: int, mark: str) -> None:
    desk.happen(kind="release", title="shop 1.4.2")
    done = desk.run("events", "replay", "1", "--to", person, "--yes")

    assert done.exit_code == 0, done.output
    tests = records(desk)[2:]
    assert [record.message.user_id for record in tests] == [user_id, user_id]
    assert plain(tests[0].message.text).splitlines()[0] == mark
    assert "shop 1.4.2" in tests[0].message.text
    assert {record.event_id for record in tests} == {1}


def test_a_test_replaces_nothing_that_is_real(desk: Desk) -> None:
    desk.happen(title="shop 1.4.2")
    (real,) = records(desk)
    desk.run("events", "replay", "1", "--to", "ivan")

    real_now, test = records(desk)
    assert (real_now.state, test.state) == ("queued", "queued")
    assert real.message.tag != test.message.tag
    assert real.message.key != test.message.key


def test_a_test_once_more_replaces_the_test(desk: Desk) -> None:
    desk.happen(title="shop 1.4.2")
    for _ in range(2):
        desk.run("events", "replay", "1", "--to", "olga")

    assert [record.state for record in records(desk)] == ["queued", "superseded", "queued"]


def test_a_test_has_no_fallback_and_takes_nothing_away(desk: Desk) -> None:
    desk.write_rules(
        RULES.replace("title: payload.title,", "title: payload.title, state: payload.state,").replace(
            "to: owner, fallback: olga", "to: owner, fallback: olga, on_resolve: delete"
        ),
        portal='{domain: "https://acme.bitrix24.ru", token: t}',
    )
    desk.happen(state="ok")
    desk.run("events", "replay", "1", "--to", "olga")

    real, test = records(desk)
    assert (real.message.delete, real.message.fallback) == (True, (18,))
    assert (test.message.delete, test.message.fallback) == (False, ())
    assert "takes the notification of this tag away" in test.message.text


@pytest.mark.parametrize(
    ("name", "says"), [("oleg", "did you mean olga?"), ("idle", "idle has no id"), ("team/none", "nobody is called")]
)
def test_somebody_who_cannot_be_told_is_refused_before_anything_is_sent(desk: Desk, name: str, says: str) -> None:
    desk.happen()
    done = desk.run("events", "replay", "1", "--to", name)

    assert done.exit_code == 1
    assert says in done.stderr
    assert len(records(desk)) == 1


def test_a_test_to_one_and_a_dry_run_exclude_each_other(desk: Desk) -> None:
    assert desk.run("events", "replay", "1", "--to", "olga", "--dry-run").exit_code == 2


# ── replay: for real ──────────────────────────────────────────────────────────────────────────────────────────


def test_for_real_the_message_has_its_own_tag_and_replaces_the_one_before(desk: Desk) -> None:
    desk.happen(title="shop 1.4.2")
    done = desk.run("events", "replay", "1")

    assert done.exit_code == 0
    assert "event 1: queued message 2 to ivan, by deploys" in done.stdout
    first, again = records(desk)
    assert (first.state, first.superseded_by) == ("superseded", again.id)
    assert (again.event_id, again.message) == (1, first.message)


def test_nobody_is_told_an_older_state_than_he_knows(desk: Desk) -> None:
    for title in ("old", "new"):
        desk.happen(title=title)
    done = desk.run("events", "replay", "1")

    assert done.exit_code == 0
    assert "not sent to ivan, by deploys: message 2 tells a later state" in done.stdout
    assert len(records(desk)) == 2


def test_of_several_events_of_one_thing_the_newest_is_told(desk: Desk) -> None:
    for title in ("old", "new"):
        desk.happen(title=title)
    (old, new) = desk.json("events", "replay", "1", "2", "--yes", "--json")

    assert [each["newer"] for each in old["messages"]] == [2]
    assert [each["message"] for each in new["messages"]] == [3]


@pytest.mark.parametrize(("answer", "code", "messages"), [("y\n", 0, 4), ("n\n", 1, 2)])
def test_more_than_one_message_is_asked_about(desk: Desk, answer: str, code: int, messages: int) -> None:
    desk.happen(kind="release")
    done = desk.run("events", "replay", "1", answer=answer)

    assert done.exit_code == code
    assert "2 messages of 1 events would be sent" in done.stderr
    assert len(records(desk)) == messages


def test_an_event_that_nobody_is_told_of_queues_nothing_and_says_why(desk: Desk) -> None:
    desk.happen(kind="chat")
    done = desk.run("events", "replay", "1")

    assert done.exit_code == 0
    assert "event 1: nothing is queued (dropped)" in done.stdout


def test_an_event_that_waits_for_the_router_is_left_to_it(desk: Desk) -> None:
    desk.take_in()
    done = desk.run("events", "replay", "1")

    assert done.exit_code == 1
    assert "its first decision is still to come" in done.stderr
    assert records(desk) == []
    assert desk.run("events", "replay", "1", "--dry-run").exit_code == 0


def test_an_event_that_is_not_there_is_named(desk: Desk) -> None:
    done = desk.run("events", "replay", "7")

    assert done.exit_code == 1
    assert "no event 7" in done.stderr
