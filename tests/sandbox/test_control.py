"""The control API and the record behind it; it is shut unless asked for, and holds no secret."""

from __future__ import annotations

import json
from typing import Any

import pytest

from relay.sandbox import Portal, Server, create_app, serve
from relay.sandbox.record import masked
from tests.conftest import Clock
from tests.sandbox.build import APP, SEND, ask, get, line, post, send

SECRETS = ("sandbox-secret", "sandbox-token", "sandbox-refresh-token", "sandbox-client-secret")


def test_without_control_there_is_nothing(portal: Portal) -> None:
    client = create_app(portal).test_client()

    assert [client.get(f"/sandbox/{path}").status_code for path in ("state", "calls")] == [404, 404]
    assert client.post("/sandbox/reset", json={}).status_code == 404


@pytest.mark.parametrize("path", ["faults", "settings", "reset", "people/17"])
@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"{}", "text/plain"), (b"a=1", "application/x-www-form-urlencoded"), (b"[]", "application/json")],
)
def test_only_a_json_object_is_taken_so_that_no_other_site_can_post(
    server: Server, path: str, body: bytes, kind: str
) -> None:
    send(server.portal)

    answer = post(f"{server.url}/sandbox/{path}", body=body, kind=kind)

    assert answer.status == 400
    assert "access-control-allow-origin" not in answer.headers
    assert server.portal.counters["stored"] == 1


def test_the_state_shows_people_notifications_and_counters(server: Server) -> None:
    send(server.portal, "<b>x</b> &amp;", 17, APP, TAG="ci")

    state = json.loads(get(f"{server.url}/sandbox/state").body)

    assert [person["id"] for person in state["people"]] == [1, 17, 18, 19, 20, 21]
    (shown,) = state["notifications"]["17"]
    assert (shown["text"], shown["shown"], shown["tag"][-3:]) == ("[B]x[/B] &amp;", "[B]x[/B] &", "|ci")
    assert (state["counters"]["requests"], state["counters"]["refused"]) == (1, 0)


def test_the_calls_are_all_requests_in_order_with_their_commands(server: Server) -> None:
    ask(server.portal, "profile")
    ask(server.portal, "batch", cmd={"a": line(SEND, USER_ID=17, MESSAGE="x"), "b": "nope"})

    calls = json.loads(get(f"{server.url}/sandbox/calls").body)

    assert [(call["method"], call["status"], call["command_count"]) for call in calls] == [
        ("profile", 200, 1),
        ("batch", 200, 2),
    ]
    assert [(line["key"], line["result"], line["error"]) for line in calls[1]["commands"]] == [
        ("a", 1, ""),
        ("b", None, "ERROR_METHOD_NOT_FOUND"),
    ]
    assert [call["number"] for call in json.loads(get(f"{server.url}/sandbox/calls?since=1").body)] == [2]


def test_a_fault_a_switch_a_person_and_a_fresh_start_by_http(server: Server) -> None:
    portal = server.portal
    orders: list[tuple[str, dict[str, Any]]] = [
        ("faults", {"kind": "error", "code": "ERROR_CORE", "times": 2, "method": SEND}),
        ("settings", {"rate": [3, 1], "webhook_tags": "honour", "command_seconds": 0}),
        ("people/17", {"active": False}),
        ("people/30", {"name": "New"}),
    ]
    for path, order in orders:
        assert post(f"{server.url}/sandbox/{path}", order).body == b'{"ok":true}\n'

    assert portal.counters["faults"] == 2
    assert (portal.settings.rate is not None and portal.settings.rate.threshold) == 3
    assert [person.id for person in portal.people if not person.active] == [17, 20]
    assert post(f"{server.url}/sandbox/reset", {}).status == 200
    assert (portal.counters["faults"], portal.settings.rate, len(portal.people)) == (0, None, 6)


@pytest.mark.parametrize(
    ("path", "order"),
    [
        ("faults", {}),
        ("faults", {"kind": "nope"}),
        ("faults", {"kind": "html", "odd": 1}),
        ("faults", {"kind": "html", "times": "1"}),
        ("settings", {"odd": 1}),
        ("settings", {"rate": "fast"}),
        ("settings", {"rate": [1, -1]}),
        ("settings", {"rate": [1]}),
        ("settings", {"closed": "yes"}),
        ("settings", {"webhook_tags": "maybe"}),
        ("settings", {"scopes": "im"}),
        ("settings", {"command_seconds": True}),
        ("people/17", {"odd": 1}),
        ("people/17", {"active": "no"}),
        ("people/17", {"id": 5}),
        ("people/99", {"active": True}),
    ],
)
def test_a_wrong_order_is_refused_with_a_reason(server: Server, path: str, order: dict[str, Any]) -> None:
    answer = post(f"{server.url}/sandbox/{path}", order)

    assert answer.status == 400
    assert json.loads(answer.body)["error"]


@pytest.mark.parametrize("rate", ["standard", "enterprise", "unlimited", [50, 2]])
def test_a_rate_has_a_name_or_two_numbers(portal: Portal, rate: Any) -> None:
    portal.configure(rate=rate)


def test_a_new_rate_starts_with_an_empty_bucket(clock: Clock) -> None:
    portal = Portal(rate=(1, 0), clock=clock)
    send(portal)
    assert send(portal) == "QUERY_LIMIT_EXCEEDED"

    portal.configure(rate=(1, 0))
    assert send(portal) == 2


def test_no_secret_is_ever_written_down() -> None:
    """They come in the path, in parameters, in the header, and in the middle of texts."""
    with serve(Portal(rate="unlimited"), control=True) as server:
        for secret in SECRETS:
            post(server.webhook + SEND, {"USER_ID": 17, "MESSAGE": "x", "auth": secret, "TAG": f"a{secret}b"})
            post(f"{server.url}/rest/{secret}", {"auth": secret})
            post(f"{server.url}/rest/1/{secret}/", {})
            post(f"{server.url}/rest/{secret}/1/profile", {"ATTACH": [{secret: secret}]})
            post(server.webhook + "batch", {"cmd": {"a": f"{secret}?x={secret}", "b": f"profile?auth={secret}"}})
        record = get(f"{server.url}/sandbox/calls").body.decode()

    assert record.count("***") >= len(SECRETS)
    assert [secret for secret in SECRETS if secret in record] == []


def test_secrets_are_masked_wherever_they_stand() -> None:
    assert masked({"a": ["x1y", 1, None], "1": "2"}, ["1"]) == {"a": ["x***y", 1, None], "***": "2"}
