"""What the authorisation server says of an application's tokens, and where it is asked."""

from __future__ import annotations

import time
from typing import Any

import pytest
from pydantic import ValidationError

from relay.bitrix import address, application, oauth
from relay.bitrix.application import NotAuthorised, Tokens
from relay.bitrix.options import AppOptions, PortalOptions
from relay.errors import PortalUnreachable
from relay.sandbox import Portal, serve
from relay.settings import Secret
from tests import apps
from tests.bitrix.portal import Deed, ScriptedPortal, answer, close_after_reading

APP = {"domain": "p.bitrix24.ru", "client_id": "local.1", "client_secret": "s3cret"}
GIVEN = {"access_token": "acc3ss", "refresh_token": "r3fresh", "expires_in": 3600, "member_id": "m"}


def app(**more: Any) -> AppOptions:
    return AppOptions.model_validate(APP | more)


def kept(refresh: str = "r3fresh") -> Tokens:
    return Tokens(access=Secret("acc3ss"), refresh=Secret(refresh), expires_at=0.0)


# ── Rules ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_application_is_a_way_in_whose_tags_replace() -> None:
    options = PortalOptions.model_validate({"app": APP})

    assert (options.way_in, options.replaces_by_tag, options.address_key) == ("app", True, ("app", "domain"))
    assert "s3cret" not in repr(options)
    at = address.from_options(options)
    assert (at.base.reveal(), at.shown, at.host) == (*["https://p.bitrix24.ru/rest/"] * 2, "p.bitrix24.ru")
    assert not at.token
    assert at.hide("what /rest/ says") == "what /rest/ says"


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({}, "give one of webhook:"),
        ({"app": APP, "webhook": "https://p.bitrix24.ru/rest/1/k/"}, "give one of webhook:"),
        ({"app": APP, "domain": "p.bitrix24.ru", "token": "t"}, "give one of webhook:"),
        ({"app": APP, "domain": "p.bitrix24.ru"}, "stands under app:"),
        ({"app": {"domain": "p.bitrix24.ru", "client_id": "local.1"}}, "Field required"),
        ({"app": APP | {"client_id": "a b"}}, "should match"),
        ({"app": APP | {"oauth": "http://oauth.bitrix.info"}}, "should match"),
        ({"app": APP | {"oauth": "oauth.bitrix.info/path"}}, "should match"),
        ({"app": APP | {"tokens": "x"}}, "Extra inputs"),
    ],
)
def test_rules_that_cannot_be_meant_are_refused_without_the_secret(given: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint) as refusal:
        PortalOptions.model_validate(given)

    assert "s3cret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("domain", "server"),
    [
        ("p.bitrix24.ru", "oauth.bitrix24.tech"),
        ("https://p.bitrix24.kz:8443/", "oauth.bitrix24.tech"),
        ("p.bitrix24.com", "oauth.bitrix.info"),
        ("p.bitrix24.de", "oauth.bitrix.info"),
        ("http://box.local", "oauth.bitrix.info"),
    ],
)
def test_the_region_tells_the_authorisation_server(domain: str, server: str) -> None:
    assert oauth.server_of(domain) == server
    assert application.server_of(app(domain=domain)) == server


def test_the_configured_server_is_asked_before_the_told_one_and_that_before_the_regions() -> None:
    assert application.server_of(app(oauth="oauth.example.com"), "oauth.bitrix.info") == "oauth.example.com"
    assert application.server_of(app(), "oauth.bitrix.info") == "oauth.bitrix.info"


# ── Answers ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("endpoint", "server"),
    [
        ("https://oauth.bitrix24.tech/rest/", "oauth.bitrix24.tech"),
        ("https://oauth.bitrix.info/rest/", "oauth.bitrix.info"),
        ("https://oauth.bitrix.info.evil.example/rest/", ""),
        ("https://evil.example/oauth.bitrix.info", ""),
        ("https://[", ""),
        (7, ""),
    ],
)
def test_the_clients_secret_goes_to_no_server_on_hearsay(endpoint: object, server: str) -> None:
    tokens = application.read(GIVEN | {"server_endpoint": endpoint}, now=0.0)

    assert tokens is not None
    assert tokens.server == server


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"access_token": "a"},
        GIVEN | {"refresh_token": ""},
        GIVEN | {"access_token": "a b"},
        GIVEN | {"access_token": "é"},
        GIVEN | {"access_token": ["a"]},
        GIVEN | {"refresh_token": "x" * 4097},
    ],
)
def test_what_are_no_tokens_is_not_taken_for_any(told: dict[str, Any]) -> None:
    assert application.read(told, now=0.0) is None


@pytest.mark.parametrize(("expires_in", "lives"), [(60, 60), ("60", 60), (None, 3600), (True, 3600), ("9" * 20, 3600)])
def test_tokens_live_as_long_as_is_told(expires_in: object, lives: float) -> None:
    tokens = application.read(GIVEN | {"expires_in": expires_in}, now=100.0)

    assert tokens is not None
    assert tokens.expires_at == 100.0 + lives


@pytest.mark.parametrize(
    ("status", "code", "kind", "used_up", "said"),
    [
        (400, "invalid_grant", "closed", True, "log in again"),
        (400, "invalid_client", "closed", False, "client_id and client_secret"),
        (200, "wrong_client", "closed", False, "client_id"),
        (400, "invalid_request", "closed", False, "oauth:"),
        (403, "invalid_scope", "closed", False, "right"),
        (401, "insufficient_scope", "closed", False, "right"),
        (401, "NOT_INSTALLED", "closed", False, "not installed"),
        (401, "ERROR_OAUTH", "closed", False, "not installed"),
        (401, "PAYMENT_REQUIRED", "closed", False, "subscription"),
        (401, "NO_AUTH_FOUND", "closed", False, "client_secret"),
        (401, "CONNECTION_ERROR", "down", False, "authorisation server"),
        (503, "QUERY_LIMIT_EXCEEDED", "down", False, "too many"),
        (400, "something_new", "closed", False, "refuses"),
    ],
)
def test_each_refusal_says_who_must_do_what(status: int, code: str, kind: str, used_up: bool, said: str) -> None:
    refused = answer({"error": code, "error_description": "s3cret r3fresh"}, status)
    with ScriptedPortal(refused) as server, pytest.raises(NotAuthorised) as refusal:
        application.renew(app(oauth=server.url("")), kept(), now=0.0)

    assert (refusal.value.trouble.kind, application.is_used_up(refusal.value)) == (kind, used_up)
    assert said in str(refusal.value)
    assert not {"s3cret", "r3fresh"} & {*str(refusal.value).split()}


@pytest.mark.parametrize(
    ("deed", "sent"),
    [
        (close_after_reading, True),
        (answer(b"<html>s3cret</html>", 502), True),
        (answer({"access_token": "only"}), True),
    ],
)
def test_no_answer_leaves_it_open_whether_the_refresh_token_is_used_up(deed: Deed, sent: bool) -> None:
    with ScriptedPortal(deed) as server, pytest.raises(PortalUnreachable) as fault:
        application.renew(app(oauth=server.url("")), kept(), now=0.0)

    assert fault.value.sent is sent
    assert "s3cret" not in f"{fault.value!r} {fault.value.__cause__!r}"


def test_a_server_that_is_not_there_has_used_nothing_up() -> None:
    with ScriptedPortal() as server:
        gone = server.url("")
    with pytest.raises(PortalUnreachable) as fault:
        application.renew(app(oauth=gone), kept(), now=0.0)

    assert not fault.value.sent


def test_the_stand_in_portal_renews_and_takes_the_old_one_no_longer() -> None:
    with serve(Portal()) as server:
        options = apps.options(server).app
        assert options is not None
        first = kept("sandbox-refresh-token")
        fresh = application.renew(options, first, now=time.time())

        with pytest.raises(NotAuthorised):
            application.renew(options, first, now=time.time())
        assert application.renew(options, fresh, now=time.time()).access != fresh.access
