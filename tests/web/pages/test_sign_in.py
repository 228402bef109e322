"""Signing in: by which password as whom, for how long, how often one may guess, and where it leads."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from relay.cli import demo
from relay.house import House
from relay.settings import NO_SECRET, Secret
from relay.store import visitors
from relay.store.visitors import OF_ONE_ADDRESS, WINDOW
from relay.web.pages import sessions
from relay.web.pages.access import COOKIE, SECURE_COOKIE
from tests.conftest import Clock
from tests.web.pages.conftest import (
    ADMIN,
    ADMIN_TOKEN,
    READER,
    READER_TOKEN,
    bearer,
    signed_in,
    token_of,
    with_settings,
)

ENTERED = 303


def enter(client: FlaskClient, password: str, **more: Any) -> Any:
    return client.post("/sign-in", data={"password": password}, **more)


# ── By which password ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("password", "status"),
    [
        (ADMIN.reveal(), ENTERED),
        (READER.reveal(), ENTERED),
        ("", 401),
        ("open sesam", 401),
        ("OPEN SESAME", 401),
        (ADMIN_TOKEN.reveal(), 401),  # a script's, and no password
        ("\x00", 401),
        ("é" * 50_000, 401),
    ],
)
def test_a_password_signs_in_or_does_not(stranger: FlaskClient, password: str, status: int) -> None:
    answer = enter(stranger, password)

    assert answer.status_code == status
    assert ("Set-Cookie" in answer.headers) == (status == ENTERED)


def test_a_password_that_is_not_set_signs_nobody_in(app: Flask, built: House) -> None:
    with_settings(built, reader_password=NO_SECRET, admin_token=NO_SECRET, reader_token=NO_SECRET)

    assert enter(app.test_client(), "").status_code == 401
    assert app.test_client().get("/api/v1/events", headers={"Authorization": "Bearer "}).status_code == 401


def test_without_an_admin_password_there_are_no_pages(app: Flask, built: House) -> None:
    with_settings(built, admin_password=NO_SECRET)
    client = app.test_client()

    for address in ("/events", "/sign-in", "/api/v1/events", "/static/page.css"):
        answer = client.get(address, headers=bearer(READER_TOKEN))
        assert answer.status_code == 404
        assert "RELAY_ADMIN_PASSWORD is not set" in answer.text
    assert client.get("/").text.startswith("The Bitrix24 relay is running.")


def test_a_wrong_password_is_not_told_what_was_wrong_with_it(stranger: FlaskClient) -> None:
    answer = enter(stranger, "my dog's name")

    assert "That is not the password." in answer.text
    assert "my dog" not in answer.text


# ── The session ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_cookie_is_kept_from_scripts_and_other_sites(stranger: FlaskClient) -> None:
    cookie = enter(stranger, ADMIN.reveal()).headers["Set-Cookie"]

    assert cookie.startswith(f"{COOKIE}=")
    assert "; HttpOnly" in cookie
    assert "; SameSite=Lax" in cookie
    assert "; Path=/" in cookie
    assert "Max-Age=43200" in cookie
    assert "Secure" not in cookie  # it would never come back over http
    assert ADMIN.reveal() not in cookie


@pytest.mark.parametrize(
    ("proxies", "forwarded", "secure"),
    [(0, "https", False), (1, "https", True), (1, "http", False), (1, "https, http", False), (2, "https, http", True)],
)
def test_https_is_known_from_a_proxy_that_is_believed(
    app: Flask, built: House, proxies: int, forwarded: str, secure: bool
) -> None:
    with_settings(built, proxies=proxies)

    cookie = enter(app.test_client(), ADMIN.reveal(), headers={"X-Forwarded-Proto": forwarded}).headers["Set-Cookie"]

    assert ("; Secure" in cookie) == secure
    assert cookie.startswith(f"{SECURE_COOKIE}=") == secure


def test_a_session_lasts_twelve_hours_and_no_longer(site: FlaskClient, clock: Clock) -> None:
    clock.forward(sessions.LASTS - 1)
    assert site.get("/events").status_code == 200
    clock.forward(1)

    assert site.get("/events").status_code == 303


def test_a_new_password_ends_its_sessions_and_no_others(site: FlaskClient, reader: FlaskClient, built: House) -> None:
    with_settings(built, admin_password=Secret("another"))

    assert site.get("/events").status_code == 303
    assert reader.get("/events").status_code == 200


def test_another_process_knows_the_session(site: FlaskClient, built: House, clock: Clock) -> None:
    from relay.web.app import create_app  # noqa: PLC0415 - a second application on the same database

    other = create_app(built, clock=clock).test_client()
    kept = site.get_cookie(COOKIE)
    assert kept is not None
    other.set_cookie(COOKIE, kept.value)

    assert other.get("/events").status_code == 200


@pytest.mark.parametrize("change", [lambda value: value[:-2], lambda value: "x" + value, lambda _: "", lambda _: "a.b"])
def test_a_cookie_that_is_not_as_we_made_it_is_nobodys(app: Flask, site: FlaskClient, change: Any) -> None:
    kept = site.get_cookie(COOKIE)
    assert kept is not None
    thief = app.test_client()
    thief.set_cookie(COOKIE, change(kept.value))

    assert thief.get("/events").status_code == 303


def test_signing_out_ends_it_in_this_browser(site: FlaskClient) -> None:
    answer = site.post("/sign-out", data={"csrf": token_of(site)})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")
    assert site.get("/events").status_code == 303


# ── Where it leads ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("back", "where"),
    [
        ("/events/7?lang=ru", "/events/7?lang=ru"),
        ("", "/events"),
        ("events", "/events"),
        ("//evil.example/", "/events"),
        ("/\\evil.example/", "/events"),
        ("\\\\evil.example", "/events"),
        ("https://evil.example/", "/events"),
        ("javascript:alert(1)", "/events"),
        ("/\n/evil.example", "/events"),
        ("/\t/evil.example", "/events"),
        ("///evil.example", "/events"),
        ("http://[", "/events"),
    ],
)
def test_it_leads_back_into_the_site_and_nowhere_else(stranger: FlaskClient, back: str, where: str) -> None:
    answer = enter(stranger, ADMIN.reveal(), query_string={"next": back})

    assert answer.headers["Location"] == where


def test_a_page_that_wants_a_visitor_asks_him_in_and_comes_back(stranger: FlaskClient) -> None:
    answer = stranger.get("/events?state=dead&person=ivan")

    assert answer.headers["Location"] == "/sign-in?next=%2Fevents%3Fstate%3Ddead%26person%3Divan"
    entered = stranger.post(answer.headers["Location"], data={"password": ADMIN.reveal()})
    assert entered.headers["Location"] == "/events?state=dead&person=ivan"


# ── The link that works once ──────────────────────────────────────────────────────────────────────────────────────


def test_a_link_signs_in_once_and_then_asks_for_the_password(app: Flask, built: House) -> None:
    with built.database.write() as tx:
        secret = visitors.invite(tx, "reader", seconds=60)
    first, second = app.test_client(), app.test_client()

    assert first.get(f"/sign-in/{secret}").headers["Location"] == "/events"
    assert first.get("/events").status_code == 200
    answer = second.get(f"/sign-in/{secret}")
    assert answer.status_code == 403
    assert "used already" in answer.text
    assert second.get("/events").status_code == 303


def test_the_demo_prints_such_a_link(app: Flask, built: House) -> None:
    link = demo.way_in({"DATABASE_URL": built.settings.database_url.reveal()}, "http://127.0.0.1:8080")
    client = app.test_client()

    assert client.get(link.removeprefix("http://127.0.0.1:8080")).headers["Location"] == "/events"
    assert "Sign out" in client.get("/events").text


# ── Guessing ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_guesses_too_often_waits_even_with_the_right_password(app: Flask, clock: Clock) -> None:
    client = app.test_client()
    for _ in range(OF_ONE_ADDRESS):
        assert enter(client, "wrong").status_code == 401
    clock.forward(100)

    answer = enter(client, ADMIN.reveal())
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == str(int(WINDOW - 100))
    assert "Try again in 9 minutes." in answer.text

    elsewhere = enter(client, ADMIN.reveal(), environ_base={"REMOTE_ADDR": "192.0.2.9"})
    assert elsewhere.status_code == ENTERED
    clock.forward(WINDOW)
    assert enter(client, ADMIN.reveal()).status_code == ENTERED


@pytest.mark.parametrize("way", ["bearer", "metrics bearer", "metrics basic"])
def test_every_way_in_counts_guesses_together(app: Flask, way: str) -> None:
    def guess(secret: str) -> int:
        client = app.test_client()
        if way == "metrics basic":
            return client.get("/metrics", auth=("me", secret)).status_code
        address = "/metrics" if way == "metrics bearer" else "/api/v1/events"
        return client.get(address, headers=bearer(Secret(secret))).status_code

    assert [guess("wrong") for _ in range(OF_ONE_ADDRESS)] == [401] * OF_ONE_ADDRESS

    assert guess(ADMIN.reveal()) == 429
    assert enter(app.test_client(), ADMIN.reveal()).status_code == 429


def test_who_has_signed_in_already_is_not_kept_out_by_others_guesses(app: Flask, site: FlaskClient) -> None:
    for _ in range(OF_ONE_ADDRESS):
        enter(app.test_client(), "wrong")

    assert site.get("/events").status_code == 200


@pytest.mark.parametrize(
    ("proxies", "forwarded", "together"),
    [
        (0, ["1.1.1.1", "2.2.2.2"], True),  # nobody's word but the connection's
        (1, ["1.1.1.1", "2.2.2.2"], False),
        (1, ["1.1.1.1, 9.9.9.9", "2.2.2.2, 9.9.9.9"], True),  # the guesser wrote what stands first
        (2, ["5.5.5.5, 1.1.1.1, 9.9.9.9", "6.6.6.6, 1.1.1.1, 9.9.9.9"], True),
    ],
)
def test_addresses_are_those_that_our_own_proxies_saw(
    app: Flask, built: House, proxies: int, forwarded: list[str], together: bool
) -> None:
    with_settings(built, proxies=proxies)
    client = app.test_client()
    for _ in range(OF_ONE_ADDRESS):
        enter(client, "wrong", headers={"X-Forwarded-For": forwarded[0]})

    answer = enter(client, ADMIN.reveal(), headers={"X-Forwarded-For": forwarded[1]})

    assert answer.status_code == (429 if together else ENTERED)


# ── A name from the proxy ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_name_in_a_header_is_believed_only_when_the_settings_say_so(app: Flask, built: House) -> None:
    named = {"X-Forwarded-User": "olga"}
    assert app.test_client().get("/events", headers=named).status_code == 303

    with_settings(built, trusted_header="X-Forwarded-User", trusted_admins=("olga",))

    assert "olga" in app.test_client().get("/events", headers=named).text


@pytest.mark.parametrize(
    ("name", "status"), [("olga", 303), ("ivan", 403), ("Olga", 403), ("ivan,olga", 401), ("", 401)]
)
def test_a_name_may_change_things_if_it_is_an_admins(app: Flask, built: House, name: str, status: int) -> None:
    with_settings(built, trusted_header="X-Forwarded-User", trusted_admins=("olga",))
    client = app.test_client()
    number = client.post("/in/x", json={"event": "alarm"}).json["event"]  # type: ignore[index]  # it is there
    named = {"X-Forwarded-User": name}
    page = client.get("/events", headers=named).text
    token = page.partition('name="csrf" value="')[2].partition('"')[0]
    if not token and status != 401:  # he has no form to sign out with
        token = sessions.token(_key(built), f"proxy {name}")

    answer = client.post(
        f"/events/{number}/replay", data={"csrf": token, "strength": "test", "to": "ivan"}, headers=named
    )

    assert answer.status_code == status


def _key(built: House) -> bytes:
    with built.database.write() as tx:
        return visitors.key(tx)


def test_another_sites_page_cannot_sign_somebody_in_as_itself(stranger: FlaskClient) -> None:
    answer = enter(stranger, ADMIN.reveal(), headers={"Origin": "https://evil.example"})

    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers


def test_a_script_has_the_role_of_its_token(app: Flask, site: FlaskClient) -> None:
    number = site.post("/in/x", json={"event": "alarm"}).json["event"]  # type: ignore[index]  # it is there
    wish = {"strength": "test", "to": "ivan"}

    def ask(token: Secret) -> int:
        return app.test_client().post(f"/api/v1/events/{number}/replay", json=wish, headers=bearer(token)).status_code

    assert [ask(each) for each in (ADMIN_TOKEN, ADMIN, READER_TOKEN, READER)] == [200, 200, 403, 403]


def test_signing_in_with_each_password_gives_its_role(app: Flask) -> None:
    assert "change nothing" not in signed_in(app, ADMIN).get("/events").text
    assert "you may look, and change nothing" in signed_in(app, READER).get("/events").text
