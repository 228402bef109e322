"""What holds for every page, from the table of routes itself: who may enter, what a change must carry, what a browser
is told, and that scripts are promised what there is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from tests.web.pages.conftest import ADMIN_TOKEN, READER_TOKEN, bearer, post, token_of

OPEN = {"/sign-in", "/sign-in/<secret>", "/static/<name>"}  # to those who have not signed in
READERS_MAY = {"/sign-out", "/playground", "/api/v1/playground", "/silences/look"}  # not safe, and change nothing
SAFE = {"GET", "HEAD", "OPTIONS"}


def every(app: Flask) -> Iterator[tuple[Rule, str, str]]:
    """Each route of the pages, with a method and an address of it."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("pages."):
            address = re.sub(r"<int[^>]*>", "1", rule.rule)
            address = re.sub(r"<[^>]*>", "x", address)
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield rule, method, address


def ask(client: FlaskClient, method: str, address: str, **more: Any) -> Any:
    body: dict[str, Any] = {"json": {}} if address.startswith("/api/") and method not in SAFE else {}
    return client.open(address, method=method, **{**body, **more})


def test_the_table_of_routes_is_not_empty(app: Flask) -> None:
    found = {rule.rule for rule, *_ in every(app)}

    assert {"/events", "/api/v1/events", *OPEN} <= found


def test_nobody_enters_without_signing_in(app: Flask, stranger: FlaskClient) -> None:
    for rule, method, address in every(app):
        if rule.rule in OPEN:
            continue
        answer = ask(stranger, method, address)
        if method == "GET" and not address.startswith("/api/"):
            assert (answer.status_code, answer.headers["Location"][:9]) == (303, "/sign-in?"), rule
        else:
            assert answer.status_code == 401, rule


def test_a_wrong_token_opens_nothing(app: Flask, stranger: FlaskClient) -> None:
    wrong = {"Authorization": "Bearer wrong"}
    for place, (rule, method, address) in enumerate(every(app)):
        if rule.rule not in OPEN and address.startswith("/api/"):
            elsewhere = {"REMOTE_ADDR": f"192.0.2.{place}"}  # or it would be throttled
            answer = ask(stranger, method, address, headers=wrong, environ_base=elsewhere)
            assert answer.status_code == 401, rule


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-CSRF-Token": "0" * 64},
        {"X-CSRF-Token": "\xe9"},
        {"X-CSRF-Token": "right", "Origin": "https://evil.example"},
        {"X-CSRF-Token": "right", "Origin": "null"},
        {"X-CSRF-Token": "right", "Sec-Fetch-Site": "cross-site"},
        {"X-CSRF-Token": "right", "Sec-Fetch-Site": "same-site"},
    ],
    ids=["no token", "wrong token", "no text", "another origin", "no origin", "cross-site", "a neighbour"],
)
def test_no_change_without_the_token_and_from_our_own_page(
    app: Flask, site: FlaskClient, headers: dict[str, str]
) -> None:
    right = token_of(site)
    shown = {name: right if value == "right" else value for name, value in headers.items()}
    for rule, method, address in every(app):
        if method not in SAFE and rule.rule not in OPEN:
            assert ask(site, method, address, headers=shown).status_code == 403, rule


def test_with_the_token_a_change_gets_through_to_its_view(app: Flask, site: FlaskClient) -> None:
    post(site, {"event": "alarm"})
    shown = {"X-CSRF-Token": token_of(site), "Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    for rule, method, address in every(app):
        if method not in SAFE and rule.rule not in OPEN | {"/sign-out"}:
            assert ask(site, method, address, headers=shown).status_code not in (401, 403, 500), rule


def test_a_token_of_one_session_is_of_no_use_in_another(app: Flask, site: FlaskClient, reader: FlaskClient) -> None:
    theirs = {"X-CSRF-Token": token_of(reader)}
    for rule, method, address in every(app):
        if method not in SAFE and rule.rule not in OPEN:
            assert ask(site, method, address, headers=theirs).status_code == 403, rule


def test_a_reader_changes_nothing(app: Flask, reader: FlaskClient) -> None:
    shown = {"X-CSRF-Token": token_of(reader)}
    for rule, method, address in every(app):
        if method not in SAFE and rule.rule not in OPEN | READERS_MAY:
            assert ask(reader, method, address, headers=shown).status_code == 403, rule
            if address.startswith("/api/"):
                script = app.test_client()
                assert ask(script, method, address, headers=bearer(READER_TOKEN)).status_code == 403, rule


def test_every_answer_forbids_what_is_not_ours(app: Flask, site: FlaskClient, stranger: FlaskClient) -> None:
    post(site, {"event": "alarm"})
    for rule, method, address in every(app):
        for client in (site, stranger):
            answer = ask(client, method, address)
            policy = answer.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'"), rule
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "same-origin"
            assert answer.headers["Cache-Control"] == "no-store"


def test_no_page_fails_in_either_language(app: Flask, site: FlaskClient) -> None:
    post(site, {"event": "alarm"})
    for rule, method, address in every(app):
        if method == "GET" and rule.rule not in OPEN:
            for language in ("en", "ru"):
                answer = site.get(address, headers={"Accept-Language": language})
                assert answer.status_code in (200, 404), rule
                if answer.mimetype == "text/html":
                    assert f'<html lang="{language}">' in answer.text
                    assert not re.search(r'<[^>]+\s(?:style|on\w+)=["\']', answer.text), rule


def test_scripts_are_promised_what_there_is_and_nothing_else(app: Flask, site: FlaskClient) -> None:
    document: Any = site.get("/api/v1/openapi.json", headers=bearer(ADMIN_TOKEN)).json
    promised = {
        (method.upper(), address)
        for address, methods in document["paths"].items()
        for method in methods
        if method != "parameters"
    }
    there = {
        (method, re.sub(r"<(?:[^:>]*:)?(\w+)>", r"{\1}", rule.rule))
        for rule, method, _ in every(app)
        if rule.rule.startswith("/api/")
    }

    assert promised == there


def test_what_stands_beside_the_pages_is_kept_for_ever(stranger: FlaskClient) -> None:
    page = stranger.get("/sign-in").text
    for address in re.findall(r'"(/static/[^"]+)"', page):
        answer = stranger.get(address)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_an_unknown_thing_is_told_in_the_visitors_language(site: FlaskClient) -> None:
    assert "Такого здесь нет." in site.get("/events/999?lang=ru").text
    assert site.get("/api/v1/events/999").json == {"error": "not found"}
