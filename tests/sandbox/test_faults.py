"""Every kind of fault, over a real socket; what was stored before it; whom it strikes."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest
import requests

from relay.sandbox import Portal, Server, serve
from relay.sandbox.faults import KINDS
from tests.sandbox.build import APP, SEND, Raw, ask, get, line, post, reply, send

HELLO = {"USER_ID": 17, "MESSAGE": "Hello"}


def said(answer: Raw) -> tuple[int, str]:
    """Status and error code; a body that is no JSON has none."""
    return answer.status, json.loads(answer.body)["error"]


def stored(server: Server) -> int:
    return len(server.portal.notifications(17))


@pytest.mark.parametrize(
    ("kind", "how", "status", "code"),
    [
        ("rate", {}, 503, "QUERY_LIMIT_EXCEEDED"),
        ("operating", {}, 429, "OPERATION_TIME_LIMIT"),
        ("error", {"code": "INTERNAL_SERVER_ERROR"}, 500, "INTERNAL_SERVER_ERROR"),
        ("error", {"code": "INVALID_CREDENTIALS", "status": 403}, 403, "INVALID_CREDENTIALS"),
        ("error", {"code": "SOMETHING_NEW", "text": "?"}, 400, "SOMETHING_NEW"),
    ],
)
def test_errors_in_json_come_before_anything_is_stored(
    server: Server, kind: Any, how: dict[str, Any], status: int, code: str
) -> None:
    server.portal.fail(kind, **how)

    assert said(post(server.webhook + SEND, HELLO)) == (status, code)
    assert stored(server) == 0
    assert post(server.webhook + SEND, HELLO).status == 200


def test_an_ordered_rate_refusal_counts_as_refused(server: Server) -> None:
    server.portal.fail("rate", times=2)
    for _ in range(3):
        post(server.webhook + SEND, HELLO)

    assert server.portal.counters["refused"] == 2


@pytest.mark.parametrize("status", [502, 504, 403, 500])
@pytest.mark.parametrize(("when", "left"), [("before", 0), ("after", 1)])
def test_a_front_ends_page_is_html(server: Server, status: int, when: Any, left: int) -> None:
    server.portal.fail("html", status=status, when=when)

    answer = post(server.webhook + SEND, HELLO)

    assert (answer.status, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert answer.body.startswith(b"<html>")
    assert stored(server) == left


@pytest.mark.parametrize(("when", "left"), [("before", 0), ("after", 1)])
def test_a_reset_connection_says_nothing(server: Server, when: Any, left: int) -> None:
    server.portal.fail("reset", when=when)

    with pytest.raises(ConnectionResetError):
        post(server.webhook + SEND, HELLO)
    assert stored(server) == left
    assert server.portal.calls()[0].status == 0


def test_a_reset_ends_a_connection_that_its_client_would_keep(server: Server) -> None:
    with requests.Session() as client:
        client.post(server.webhook + SEND, json=HELLO, timeout=5)
        server.portal.fail("reset")

        with pytest.raises(requests.ConnectionError):
            client.post(server.webhook + SEND, json=HELLO, timeout=5)


@pytest.mark.parametrize(("when", "left"), [("before", 0), ("after", 1)])
def test_a_closed_connection_ends_without_a_byte(server: Server, when: Any, left: int) -> None:
    server.portal.fail("close", when=when)

    assert post(server.webhook + SEND, HELLO) == Raw(0, {}, b"")
    assert stored(server) == left


@pytest.mark.parametrize(("kind", "body"), [("garbage", b'{"result": ['), ("empty", b"")])
def test_half_an_answer_and_an_empty_one_come_with_200_after_storing(server: Server, kind: Any, body: bytes) -> None:
    server.portal.fail(kind)

    answer = post(server.webhook + SEND, HELLO)

    assert (answer.status, answer.body, stored(server)) == (200, body, 1)


def test_a_slow_answer_comes_after_storing(server: Server) -> None:
    server.portal.fail("slow", seconds=60)
    waiting = threading.Thread(target=post, args=(server.webhook + SEND, HELLO))
    waiting.start()
    while not stored(server):
        time.sleep(0.005)

    assert waiting.is_alive()
    assert server.portal.calls()[0].status == 0
    server.portal.stop()
    waiting.join(10)
    assert server.portal.calls()[0].status == 200


def test_slow_waits_as_long_as_it_was_told() -> None:
    waits: list[float] = []
    portal = Portal(sleep=waits.append)
    portal.fail("slow", seconds=2.5)

    send(portal)
    assert waits == [2.5]


def test_a_renamed_portal_points_to_the_same_path_elsewhere(server: Server) -> None:
    server.portal.fail("moved", location="https://new.example.com/")

    answer = post(server.webhook + SEND + "?a=1", HELLO)

    assert (answer.status, stored(server)) == (302, 0)
    assert answer.headers["location"] == f"https://new.example.com/rest/1/sandbox-secret/{SEND}?a=1"
    assert not answer.body.startswith(b"{")


def test_the_token_expires_on_order(portal: Portal) -> None:
    portal.fail("expire")

    assert ask(portal, "profile", APP) == "expired_token"
    assert ask(portal, "profile") != "expired_token"


# --- whom a fault strikes


def test_faults_are_used_up_one_after_another(portal: Portal) -> None:
    portal.fail("error", 2, code="ERROR_CORE")
    portal.fail("error", code="ACCESS_DENIED")

    assert [ask(portal, "scope") for _ in range(4)] == [
        "ERROR_CORE",
        "ERROR_CORE",
        "ACCESS_DENIED",
        ["im", "user_basic"],
    ]
    assert portal.counters["faults"] == 0


def test_a_fault_may_wait_for_a_method_or_a_person(portal: Portal) -> None:
    portal.fail("error", code="ERROR_CORE", method=SEND, user=18)

    assert [ask(portal, "scope"), send(portal, "x", 17), send(portal, "x", 18)] == [
        ["im", "user_basic"],
        1,
        "ERROR_CORE",
    ]


def test_in_a_batch_an_error_strikes_the_one_command(portal: Portal) -> None:
    portal.fail("error", code="ATTACH_ERROR", user=18)

    answer = ask(portal, "batch", cmd={f"n{to}": line(SEND, USER_ID=to, MESSAGE="x") for to in (17, 18, 19)})

    assert list(answer["result"]) == ["n17", "n19"]
    assert answer["result_error"]["n18"]["error"] == "ATTACH_ERROR"


def test_what_ends_a_connection_strikes_the_whole_batch(portal: Portal) -> None:
    portal.fail("html", user=18, when="after")

    assert reply(portal, "batch", cmd={f"n{to}": line(SEND, USER_ID=to, MESSAGE="x") for to in (17, 18)}).status == 502
    assert portal.counters["stored"] == 2


def test_without_a_filter_a_batch_fails_as_a_whole(portal: Portal) -> None:
    portal.fail("operating")

    assert reply(portal, "batch", cmd={"a": "scope"}).status == 429


def test_a_request_that_the_bucket_refuses_uses_up_no_fault() -> None:
    portal = Portal(rate=(0, 0))
    portal.fail("html")

    assert reply(portal, "scope").status == 503
    assert portal.counters["faults"] == 1


@pytest.mark.parametrize(
    ("kind", "how"), [("nope", {}), ("error", {}), ("moved", {}), ("moved", {"location": "x"}), ("html", {"when": "x"})]
)
def test_a_senseless_order_is_refused(portal: Portal, kind: Any, how: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        portal.fail(kind, **how)


def test_there_is_a_test_for_every_kind() -> None:
    tested = {"rate", "operating", "error", "html", "reset", "close", "garbage", "empty", "slow", "moved", "expire"}

    assert set(KINDS) == tested


# --- the server itself


def test_closing_ends_open_connections_and_long_waits() -> None:
    portal = Portal(rate="unlimited")
    server = serve(portal)
    portal.fail("slow", seconds=600)
    waiting = threading.Thread(target=post, args=(server.webhook + SEND, HELLO))
    waiting.start()
    while not portal.notifications(17):
        time.sleep(0.005)

    server.close()
    waiting.join(10)

    assert not waiting.is_alive()
    assert portal.calls()[0].status == 200
    with pytest.raises(ConnectionRefusedError):
        get(server.url + "/")


def test_a_portal_may_go_and_come_back_at_the_same_address() -> None:
    portal = Portal()
    with serve(portal) as first:
        port = int(first.url.rpartition(":")[2])
    with serve(portal, port=port) as second:
        assert second.url == first.url
        assert get(second.webhook + "profile").status == 200


def test_an_address_in_use_is_an_os_error(server: Server) -> None:
    with pytest.raises(OSError, match="in use"):
        serve(Portal(), port=int(server.url.rpartition(":")[2]))


@pytest.mark.parametrize("threads", [8])
def test_many_at_once_lose_nothing(server: Server, threads: int) -> None:
    def many() -> None:
        for _ in range(20):
            post(server.webhook + SEND, HELLO)

    running = [threading.Thread(target=many) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()

    assert len({shown.id for shown in server.portal.notifications(17)}) == threads * 20
    assert server.portal.counters["requests"] == threads * 20
