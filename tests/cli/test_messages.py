"""The outbox in the operator's hands: what there is and why, and only what was meant is sent again or given up."""

from __future__ import annotations

import json

import pytest

from relay.model import Parcel, PortalTrouble
from relay.store import outbox, portals
from relay.store.outbox import Settlement
from tests.cli.conftest import Desk

WHY = "the portal does not accept the parameters of this call, and says so in a sentence that is longer than a line"


def end(desk: Desk, number: int, state: outbox.State, why: str = WHY) -> None:
    """Let the courier claim all that waits, and settle one message so."""
    with desk.database.write() as tx:
        outbox.claim(tx, "main", 1, 100)
        record = outbox.get(tx, number)
        assert record is not None
        parcel = Parcel(id=number, message=record.message)
        assert outbox.settle(
            tx, "main", 1, Settlement(parcel=parcel, state=state, verdict=state, code="PARAMS_ERROR", why=why)
        )


def states(desk: Desk) -> dict[int, str]:
    return {row["id"]: row["state"] for row in desk.json("messages", "list", "--json", "--limit", "1000")}


def one_of_each(desk: Desk) -> None:
    """Messages 1 dead, 2 held, 3 delivered, 4 queued, each of a stream of its own."""
    for state in ("dead", "held", "delivered"):
        desk.happen(service=state)
        end(desk, len(states(desk)), state)
    desk.happen(service="queued")


def test_a_dead_message_is_listed_with_its_whole_reason(desk: Desk) -> None:
    desk.happen(title="shop 1.4.2")
    end(desk, 1, "dead")

    listed = desk.run("messages", "list", "--state", "dead").stdout
    assert "ivan" in listed
    assert "shop 1.4.2" in listed
    assert f"PARAMS_ERROR: {WHY}\n" in listed
    assert desk.run("messages", "list", "--state", "held").stdout == ""


def test_a_list_is_strict_json_with_the_words_of_the_event(desk: Desk) -> None:
    desk.happen(title="shop 1.4.2", kind="deployed")
    (row,) = desk.json("messages", "list", "--json")

    assert (row["id"], row["event"], row["person"], row["state"]) == (1, 1, "ivan", "queued")
    assert (row["source"], row["kind"], row["title"]) == ("deploys", "deployed", "shop 1.4.2")
    assert row["created_at"].endswith("Z")
    assert desk.json("messages", "list", "--json", "--person", "olga") == []


@pytest.mark.parametrize(
    ("options", "people"),
    [
        (["--person", "olga"], ["olga"]),
        (["--rule", "releases", "--source", "deploys"], ["olga", "ivan"]),
        (["--kind", "chat"], []),
        (["--since", "1h", "--limit", "1"], ["olga"]),
        (["--since", "1h", "--before", "2"], ["ivan"]),
        (["--until", "1h"], []),
        (["--until", "2099-01-01"], ["olga", "ivan"]),
        (["--text", "LIVE"], ["olga", "ivan"]),
    ],
)
def test_messages_are_chosen_by_options(desk: Desk, options: list[str], people: list[str]) -> None:
    desk.happen(kind="release")

    assert [row["person"] for row in desk.json("messages", "list", "--json", *options)] == people


def test_a_time_that_is_none_is_wrong_usage(desk: Desk) -> None:
    done = desk.run("messages", "list", "--since", "yesterday")

    assert done.exit_code == 2
    assert "2h" in done.stderr


def test_a_portal_in_trouble_is_told_beside_the_list_and_not_in_it(desk: Desk) -> None:
    with desk.database.write() as tx:
        trouble = PortalTrouble("closed", "INVALID_CREDENTIALS", "the webhook's secret is wrong")
        portals.in_trouble(tx, portals.get(tx, "main"), trouble, tx.now + 60)

    done = desk.run("messages", "list", "--json")
    assert "«main» has been in trouble since" in done.stderr
    assert json.loads(done.stdout) == []


def test_a_strangers_control_signs_do_not_reach_the_terminal(desk: Desk) -> None:
    desk.happen(title="\x1b[2J\x1b]0;owned\x07deployed\nforged line")

    listed = desk.run("messages", "list").stdout + desk.run("events", "list").stdout
    assert "deployed forged line" in listed
    assert "\x1b" not in listed
    assert listed.count("\n") == 2


def test_one_message_is_shown_with_its_tries(desk: Desk) -> None:
    desk.happen(title="shop 1.4.2")
    end(desk, 1, "dead")
    shown = desk.json("messages", "show", "1")

    assert "shop 1.4.2" in shown["text"]
    assert (shown["state"], shown["tag"], shown["event"]) == ("dead", "deploys:shop", 1)
    assert [(one["verdict"], one["why"]) for one in shown["tries"]] == [("dead", WHY)]
    assert desk.run("messages", "show", "99").exit_code == 1


# ── retry and drop ────────────────────────────────────────────────────────────────────────────────────────────


def test_numbers_are_sent_again_without_a_question(desk: Desk) -> None:
    one_of_each(desk)

    assert desk.run("messages", "retry", "1", "2").exit_code == 0
    assert states(desk) == {1: "queued", 2: "queued", 3: "delivered", 4: "queued"}


def test_a_number_that_cannot_be_sent_again_is_an_error_and_the_others_are_sent(desk: Desk) -> None:
    one_of_each(desk)
    done = desk.run("messages", "retry", "3", "1", "99")

    assert done.exit_code == 1
    assert "3: not sent again" in done.stderr
    assert "99: not sent again" in done.stderr
    assert states(desk)[1] == "queued"


@pytest.mark.parametrize(("answer", "code", "becomes"), [("y\n", 0, "queued"), ("n\n", 1, "dead"), ("", 1, "dead")])
def test_a_selection_is_counted_and_asked_about(desk: Desk, answer: str, code: int, becomes: str) -> None:
    one_of_each(desk)
    done = desk.run("messages", "retry", "--state", "dead", "--since", "2h", answer=answer)

    assert done.exit_code == code
    assert "1 messages would be sent again" in done.stderr
    assert states(desk) == {1: becomes, 2: "held", 3: "delivered", 4: "queued"}


def test_a_selection_without_states_takes_only_what_can_be_sent_again(desk: Desk) -> None:
    one_of_each(desk)
    done = desk.run("messages", "retry", "--person", "ivan", "--yes")

    assert done.exit_code == 0, done.output
    assert "2 messages would be sent again" in done.stderr
    assert states(desk) == {1: "queued", 2: "queued", 3: "delivered", 4: "queued"}


def test_of_a_selection_the_newest_state_alone_is_sent_again(desk: Desk) -> None:
    for number in (1, 2):
        desk.happen(title=f"state {number}")
        end(desk, number, "dead")
    done = desk.run("messages", "retry", "--state", "dead", "--yes")

    assert done.exit_code == 0
    assert "1: not sent again" in done.stderr
    assert states(desk) == {1: "dead", 2: "queued"}


def test_a_selection_of_nothing_is_done_at_once(desk: Desk) -> None:
    done = desk.run("messages", "retry", "--state", "dead")

    assert (done.exit_code, done.stderr) == (0, "0 messages would be sent again.\n")


@pytest.mark.parametrize("command", [["messages", "retry"], ["messages", "drop"], ["events", "replay"]])
@pytest.mark.parametrize("words", [[], ["1", "--person", "ivan"], ["--limit", "3"], ["--yes"]])
def test_either_numbers_or_a_selection_has_to_be_given(desk: Desk, command: list[str], words: list[str]) -> None:
    one_of_each(desk)
    done = desk.run(*command, *words)

    assert done.exit_code == 2
    assert "--since" in done.stderr
    assert states(desk) == {1: "dead", 2: "held", 3: "delivered", 4: "queued"}


def test_what_waits_is_given_up_by_number_or_by_selection(desk: Desk) -> None:
    one_of_each(desk)

    assert desk.run("messages", "drop", "4").exit_code == 0
    assert desk.run("messages", "drop", "3").exit_code == 1
    assert desk.run("messages", "drop", "--source", "deploys", "--yes").exit_code == 0
    assert states(desk) == {1: "dropped", 2: "dropped", 3: "delivered", 4: "dropped"}


def test_what_was_delivered_cannot_even_be_selected_to_be_dropped(desk: Desk) -> None:
    assert desk.run("messages", "drop", "--state", "delivered").exit_code == 2
