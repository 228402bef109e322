"""The errors before a method runs: each with its status and text, in the portal's order."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from relay.sandbox import Portal, Server, serve
from relay.sandbox.gate import Key
from relay.sandbox.refusals import TABLE, Refusal
from tests.conftest import Clock
from tests.sandbox.build import APP, SEND, WEBHOOK, ask, get, reply

NOBODY = Key()
WEBHOOK_TEXT = "The request requires higher privileges than provided by the webhook token"
APP_TEXT = "The request requires higher privileges than provided by the access token"


@pytest.mark.parametrize(
    ("switches", "key", "method", "status", "code", "text"),
    [
        ({"closed": True}, WEBHOOK, "profile", 410, "PORTAL_DELETED", "Portal was deleted"),
        ({}, WEBHOOK, "nope", 404, "ERROR_METHOD_NOT_FOUND", "Method not found!"),
        ({}, NOBODY, "profile", 401, "NO_AUTH_FOUND", "Wrong authorization data"),
        ({"require_https": True}, WEBHOOK, "profile", 400, "INVALID_REQUEST", "Https required."),
        ({}, Key("1", "wrong"), "profile", 401, "INVALID_CREDENTIALS", "Invalid request credentials"),
        ({}, Key("17", WEBHOOK.secret), "profile", 401, "INVALID_CREDENTIALS", "Invalid request credentials"),
        ({}, Key("ёж", "пароль"), "profile", 401, "INVALID_CREDENTIALS", "Invalid request credentials"),
        ({}, Key(token="wrong"), "profile", 401, "invalid_token", "Unable to get application by token"),
        ({"scopes": ["user"]}, WEBHOOK, SEND, 401, "insufficient_scope", WEBHOOK_TEXT),
        ({"scopes": ["user"]}, APP, SEND, 401, "insufficient_scope", APP_TEXT),
        ({"overloaded": True}, WEBHOOK, "profile", 503, "OVERLOAD_LIMIT", "REST API is blocked due to overload."),
        (
            {"plan_ended": True},
            WEBHOOK,
            "profile",
            403,
            "ACCESS_DENIED",
            "REST is available only on commercial plans.",
        ),
    ],
)
def test_each_refusal_has_its_status_and_its_text(
    switches: dict[str, Any], key: Key, method: str, status: int, code: str, text: str
) -> None:
    answer = reply(Portal(**switches), method, key)

    assert (answer.status, json.loads(answer.body)) == (status, {"error": code, "error_description": text})


def test_the_checks_run_in_the_portals_order() -> None:
    """Everything is wrong at once; whatever is mended uncovers the next."""
    portal = Portal(rate="unlimited", closed=True, require_https=True, scopes=[], overloaded=True, plan_ended=True)
    portal.change_person(1, active=False)
    seen = [ask(portal, "nope", NOBODY)]
    portal.configure(closed=False)
    seen += [ask(portal, "nope", NOBODY), ask(portal, SEND, NOBODY), ask(portal, SEND, Key("1", "wrong"))]
    portal.configure(require_https=False)
    seen += [ask(portal, SEND, Key("1", "wrong")), ask(portal, SEND)]
    for mended in ({"scopes": ["im"]}, {"overloaded": False}, {"plan_ended": False}):
        portal.configure(**mended)
        seen.append(ask(portal, SEND))
    portal.change_person(1, active=True)
    seen.append(ask(portal, SEND))

    assert seen == [
        "PORTAL_DELETED",
        "ERROR_METHOD_NOT_FOUND",
        "NO_AUTH_FOUND",
        "INVALID_REQUEST",
        "INVALID_CREDENTIALS",
        "insufficient_scope",
        "OVERLOAD_LIMIT",
        "ACCESS_DENIED",
        "authorization_error",
        "USER_ID_EMPTY",
    ]


def test_a_login_may_stand_for_the_owners_id(portal: Portal) -> None:
    assert ask(portal, "profile", Key("admin", WEBHOOK.secret))["ID"] == "1"


def test_a_parameter_called_token_takes_the_key_away(portal: Portal) -> None:
    assert ask(portal, "profile", token="x") == "NO_AUTH_FOUND"


def test_an_expired_token_is_renewed_by_the_refresh_token(server: Server) -> None:
    portal = server.portal
    portal.expire_token()
    assert ask(portal, "profile", APP) == "expired_token"
    address = f"{server.url}/oauth/token/?grant_type=refresh_token&client_id=local.sandbox"
    address += "&client_secret=sandbox-client-secret&refresh_token="

    fresh = json.loads(get(f"{address}sandbox-refresh-token").body)

    assert fresh["expires_in"] == 3600
    assert fresh["refresh_token"] != "sandbox-refresh-token"
    assert ask(portal, "profile", Key(token=fresh["access_token"]))["ID"] == "1"
    assert ask(portal, "profile", APP) == "invalid_token"
    assert json.loads(get(f"{address}sandbox-refresh-token").body)["error"] == "invalid_grant"


@pytest.mark.parametrize(("spent", "error"), [("refuse", "invalid_grant"), ("accept", None)])
def test_the_refresh_token_before_the_newest_is_refused_or_accepted(
    server: Server, spent: str, error: str | None
) -> None:
    server.portal.configure(spent_refresh=spent)
    address = f"{server.url}/oauth/token/?grant_type=refresh_token&client_id=local.sandbox"
    address += "&client_secret=sandbox-client-secret&refresh_token=sandbox-refresh-token"
    get(address)

    assert json.loads(get(address).body).get("error") == error


def test_a_code_gives_tokens_once_and_for_half_a_minute(clock: Clock) -> None:
    with serve(Portal(clock=clock)) as server:
        address = f"{server.url}/oauth/token/?grant_type=authorization_code&client_id=local.sandbox"
        address += "&client_secret=sandbox-client-secret&code="
        seen = []
        for wait in (30, 31):
            back = get(f"{server.url}/oauth/authorize/?client_id=local.sandbox&state=a%26b").headers["location"]
            query = parse_qs(urlsplit(back).query)
            clock.forward(wait)
            seen += [json.loads(get(address + query["code"][0]).body).get("error") for _ in range(2)]

    assert (query["state"], query["member_id"]) == (["a&b"], ["sandbox"])
    assert seen == [None, "invalid_grant", "invalid_grant", "invalid_grant"]


def test_an_unknown_application_is_shown_a_page_and_not_sent_back(server: Server) -> None:
    answer = get(f"{server.url}/oauth/authorize/?client_id=other")

    assert (answer.status, "location" in answer.headers) == (400, False)


def test_an_installation_posts_the_tokens_of_the_moment(portal: Portal) -> None:
    form = portal.installation("https://p.bitrix24.ru")

    assert form["event"] == "ONAPPINSTALL"
    assert ask(portal, "profile", Key(token=form["auth[access_token]"]))["ID"] == "1"
    assert (form["auth[domain]"], form["auth[client_endpoint]"]) == ("p.bitrix24.ru", "https://p.bitrix24.ru/rest/")


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 400, "invalid_request"),
        ("grant_type=refresh_token&refresh_token=x&client_id=other", 200, "wrong_client"),
        ("grant_type=refresh_token&refresh_token=x&client_id=local.sandbox", 400, "invalid_client"),
    ],
)
def test_the_authorisation_server_refuses(server: Server, query: str, status: int, code: str) -> None:
    answer = get(f"{server.url}/oauth/token/?{query}")

    assert (answer.status, json.loads(answer.body)["error"]) == (status, code)


@pytest.mark.parametrize("code", sorted(TABLE))
def test_every_error_of_the_table_can_be_ordered(portal: Portal, code: str) -> None:
    status, text = TABLE[code]
    portal.fail("error", code=code)

    answer = reply(portal, "profile")

    assert (answer.status, json.loads(answer.body)) == (status, {"error": code, "error_description": text})
    assert Refusal(code).status == status


def test_success_has_a_time_and_the_limiters_fields_only_if_switched_on(portal: Portal) -> None:
    with_fields = json.loads(reply(portal, "profile").body)["time"]
    portal.configure(operating_fields=False)
    without = json.loads(reply(portal, "profile").body)["time"]

    assert set(with_fields) - set(without) == {"operating", "operating_reset_at"}
    assert set(without) == {"start", "finish", "duration", "processing", "date_start", "date_finish"}
    assert with_fields["operating_reset_at"] > with_fields["start"]
