"""The batch: list-or-map answers, order, limits, references and their hazard."""

from __future__ import annotations

import json
from typing import Any

import pytest

from relay.sandbox import Portal
from tests.sandbox.build import APP, SEND, ask, line, reply


def test_results_and_errors_stand_apart_and_the_status_is_200(portal: Portal) -> None:
    answer = reply(portal, "batch", cmd={"a": line(SEND, USER_ID=17, MESSAGE="Hi"), "b": line(SEND), "c": "nope"})
    result = json.loads(answer.body)["result"]

    assert answer.status == 200
    assert result["result"] == {"a": 1}
    assert {key: error["error"] for key, error in result["result_error"].items()} == {
        "b": "USER_ID_EMPTY",
        "c": "ERROR_METHOD_NOT_FOUND",
    }
    assert list(result["result_time"]) == ["a"]
    assert (result["result_total"], result["result_next"]) == ([], [])


@pytest.mark.parametrize(
    ("cmd", "result", "error"),
    [
        ({"n0": "server.time", "n1": "nope"}, dict, dict),
        ({"n0": "server.time"}, dict, list),
        ({"n0": "nope"}, list, dict),
        (["server.time", "server.time"], list, list),
        (["server.time", "nope"], list, dict),
        (["nope", "server.time"], dict, list),
        ({"0": "server.time", "1": "nope"}, list, dict),
    ],
)
def test_numeric_keys_make_lists_and_lose_their_places(portal: Portal, cmd: Any, result: type, error: type) -> None:
    answer = ask(portal, "batch", cmd=cmd)

    assert (type(answer["result"]), type(answer["result_error"])) == (result, error)


@pytest.mark.parametrize("params", [{}, {"cmd": ""}, {"cmd": []}, {"cmd": {"a": {"method": "profile"}}}])
def test_without_commands_all_five_maps_are_empty_lists(portal: Portal, params: dict[str, Any]) -> None:
    answer = reply(portal, "batch", **params)

    assert answer.status == 200
    assert set(map(str, json.loads(answer.body)["result"].values())) == {"[]"}


@pytest.mark.parametrize(
    ("halt", "ran"), [(1, 1), ("1", 1), (True, 1), ("false", 1), (0, 2), ("0", 2), ("", 2), (False, 2)]
)
def test_halt_stops_after_the_first_that_fails_and_the_text_false_is_true(portal: Portal, halt: Any, ran: int) -> None:
    ask(portal, "batch", halt=halt, cmd={"a": "nope", "b": "server.time"})

    assert portal.counters["commands"] == ran


def test_commands_run_in_order(portal: Portal) -> None:
    ask(portal, "batch", cmd={f"n{n}": line(SEND, USER_ID=17, MESSAGE=f"text {n}") for n in range(5)})

    assert [command.params["MESSAGE"] for command in portal.commands()] == [f"text {n}" for n in range(5)]


def test_the_fifty_first_is_refused_and_fifty_run(portal: Portal) -> None:
    answer = ask(portal, "batch", cmd={f"n{n}": "server.time" for n in range(52)})

    assert len(answer["result"]) == 50
    assert {key: error["error"] for key, error in answer["result_error"].items()} == {
        "n50": "ERROR_BATCH_LENGTH_EXCEEDED",
        "n51": "ERROR_BATCH_LENGTH_EXCEEDED",
    }


def test_what_is_not_text_leaves_no_trace_but_is_counted(portal: Portal) -> None:
    answer = ask(portal, "batch", cmd={"object": {"method": "profile"}, **{f"n{n}": "server.time" for n in range(50)}})

    assert len(answer["result"]) == 49
    assert list(answer["result_error"]) == ["n49"]


@pytest.mark.parametrize("method", ["batch", "download", "upload", "BATCH"])
def test_some_methods_are_not_for_batches(portal: Portal, method: str) -> None:
    error = ask(portal, "batch", cmd={"a": method})["result_error"]["a"]

    assert error == {
        "error": "ERROR_BATCH_METHOD_NOT_ALLOWED",
        "error_description": "Method is not allowed for batch usage",
    }


def test_a_missing_scope_inside_has_an_empty_text(portal: Portal) -> None:
    portal.configure(scopes=["im"])

    error = ask(portal, "batch", cmd={"a": "user.get"})["result_error"]["a"]

    assert error == {"error": "insufficient_scope", "error_description": ""}


@pytest.mark.parametrize("command", ["server.time.json", "Server.Time", "server.time?a=1#b", "server.time#x"])
def test_inside_a_suffix_is_part_of_the_name_and_a_hash_cuts(portal: Portal, command: str) -> None:
    answer = ask(portal, "batch", cmd={"a": command})

    assert bool(answer["result_error"]) is command.endswith(".json")


def test_an_unencoded_hash_loses_the_rest_of_the_text(portal: Portal) -> None:
    ask(portal, "batch", cmd={"a": f"{SEND}?USER_ID=17&MESSAGE=issue #5&TAG=x"})

    assert portal.notifications(17)[0].text == "issue"


def test_totals_and_pages_of_lists_stand_beside(portal: Portal) -> None:
    for number in range(100, 160):
        portal.change_person(number, name="x")

    answer = ask(portal, "batch", cmd={"a": "user.get"})

    assert (answer["result_total"], answer["result_next"]) == ({"a": 66}, {"a": 50})


# --- references


def test_a_reference_takes_an_earlier_result(portal: Portal) -> None:
    ask(portal, "batch", cmd={"me": "profile", "a": f"{SEND}?USER_ID=$result[me][ID]&MESSAGE=Hi"})

    assert len(portal.notifications(1)) == 1


@pytest.mark.parametrize(
    ("hostile", "stored"),
    [
        ("costs $result[a] now", "costs 1 now"),
        ("costs $RESULT[a],00 now", "costs 1 now"),
        ("$result[none] x", "x"),
        ("the $results are", "the Array are"),
        ("a $time b", "a Array b"),
        ("$errors: none", "Array none"),
        ("$\u200bresult[a]", "$\u200bresult[a]"),
        ("5 $ result", "5 $ result"),
    ],
)
def test_a_strangers_text_gets_results_pasted_in(portal: Portal, hostile: str, stored: str) -> None:
    """URL-encoding does not protect: the values are decoded before."""
    ask(portal, "batch", cmd={"a": line(SEND, USER_ID=17, MESSAGE="x"), "b": line(SEND, USER_ID=18, MESSAGE=hostile)})

    assert [shown.text for shown in portal.notifications(18)] == [stored]


@pytest.mark.parametrize("hostile", ["$result", "$total", "$result[none]", "$result[me]"])
def test_a_text_that_is_nothing_but_a_reference_becomes_an_array_and_so_empty(portal: Portal, hostile: str) -> None:
    answer = ask(portal, "batch", cmd={"me": "profile", "b": line(SEND, USER_ID=18, MESSAGE=hostile)})

    assert answer["result_error"]["b"]["error"] == "MESSAGE_EMPTY"


def test_references_reach_into_nested_values(portal: Portal) -> None:
    command = f"{SEND}?USER_ID=17&MESSAGE=x&ATTACH[0][MESSAGE]=id $result[me][ID]"
    ask(portal, "batch", cmd={"me": "profile", "a": command})

    attach = portal.notifications(17)[0].attach or {}
    assert attach["BLOCKS"] == [{"MESSAGE": "id 1"}]


def test_outside_a_batch_nothing_is_pasted(portal: Portal) -> None:
    ask(portal, SEND, USER_ID=17, MESSAGE="$result[a]")

    assert portal.notifications(17)[0].text == "$result[a]"


def test_each_command_takes_its_time_and_is_stored_after_it() -> None:
    waits: list[float] = []
    portal = Portal(rate="unlimited", command_seconds=0.25, sleep=waits.append)

    ask(portal, "batch", cmd=[line(SEND, USER_ID=17, MESSAGE="x")] * 3)
    ask(portal, "profile", APP)

    assert waits == [0.25] * 4
