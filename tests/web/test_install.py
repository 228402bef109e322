"""The installation handler keeps the portal's own tokens and nobody else's, and repeats nothing of what was posted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from relay import authorisation, house
from relay.bitrix import application
from relay.house import House
from relay.sandbox import Portal, Server, serve
from relay.sandbox.context import App
from relay.settings import Secret, Settings
from relay.store import tokens
from relay.store.tokens import Kept
from relay.web import install
from relay.web.app import create_app
from tests import apps

PATH = "/bitrix24/install"
RULES = """\
version: 1
portals:
  hook: {{webhook: "https://hook.bitrix24.ru/rest/1/k/"}}
  main: {{app: {{domain: "{url}", client_id: local.sandbox, client_secret: "${{SECRET}}", oauth: "{url}"{more}}}}}
sources: {{x: {{type: json, open: true}}}}
people: {{}}
rules: []
default: drop
"""


class Door:
    """A relay's door, with its portal behind."""

    def __init__(self, built: House, server: Server) -> None:
        self.house = built
        self.server = server
        self._client: FlaskClient = create_app(built).test_client()

    def post(self, **changes: str | None) -> TestResponse:
        """Post the portal's form; ``changes`` are fields of ``auth``, ``None`` leaves one out."""
        fields = self.server.portal.installation(self.server.url)
        for name, value in changes.items():
            fields[f"auth[{name}]"] = value or ""
            if value is None:
                del fields[f"auth[{name}]"]
        return self._client.post(PATH, data=fields)

    def post_raw(self, body: bytes, kind: str = install.FORM) -> TestResponse:
        return self._client.post(PATH, data=body, content_type=kind)

    def kept(self) -> Kept | None:
        with self.house.database.read() as tx:
            return tokens.get(tx, apps.owner(self.server))


@pytest.fixture
def make_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Door]]:
    monkeypatch.setattr(install, "EVERY", 0.0)
    made: list[Door] = []

    def make(portal: Portal | None = None, more: str = "") -> Door:
        server = serve(portal or Portal(rate="unlimited"))
        rules = tmp_path / "rules.yaml"
        rules.write_text(RULES.format(url=server.url, more=more))
        settings = Settings(rules=rules, database_url=Secret(f"sqlite:///{tmp_path}/relay.db"))
        made.append(Door(house.build(settings, {"SECRET": apps.CLIENT_SECRET}), server))
        return made[-1]

    yield make
    for door in made:
        door.house.close()
        door.server.close()


@pytest.fixture
def door(make_door: Callable[..., Door]) -> Door:
    return make_door()


def test_the_portals_own_installation_is_kept(door: Door) -> None:
    answer = door.post()

    assert (answer.status_code, answer.json) == (200, {"installed": True})
    kept = door.kept()
    assert kept is not None
    assert kept.tokens.access.reveal() == "sandbox-token"
    assert kept.tokens.refresh.reveal() == "sandbox-refresh-token"
    assert kept.application_token.reveal() == apps.APPLICATION_TOKEN
    client = authorisation.caller(door.house.database, "main", door.house.rules.portals["main"])
    assert client.call("profile", {}).status == 200
    client.close()


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"domain": "evil.bitrix24.ru"}, 403),
        ({"domain": "hook.bitrix24.ru"}, 403),
        ({"domain": None}, 403),
        ({"client_endpoint": "https://evil.bitrix24.ru/rest/"}, 403),
        ({"client_endpoint": "not an address"}, 403),
        ({"access_token": "somebody-elses"}, 403),
        ({"access_token": None}, 422),
        ({"refresh_token": ""}, 422),
        ({"refresh_token": "x" * 5000}, 422),
    ],
)
def test_a_strangers_installation_is_refused_and_nothing_of_it_repeated(
    door: Door, changes: dict[str, str | None], status: int
) -> None:
    answer = door.post(**changes)

    assert answer.status_code == status
    assert door.kept() is None
    assert not [value for value in (*changes.values(), *apps.SECRETS) if value and value in answer.text]


def test_tokens_of_another_application_of_the_portal_are_refused(make_door: Callable[..., Door]) -> None:
    door = make_door(Portal(app=App(client_id="local.other")))

    assert door.post().status_code == 403
    assert door.kept() is None


def test_the_first_tokens_must_be_an_administrators(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    bearer = authorisation.Bearer(user_id=17, is_admin=False)
    monkeypatch.setattr(authorisation, "try_out", lambda *_: bearer)

    answer = door.post()

    assert answer.status_code == 403
    assert "relay portal login" in answer.text


def test_later_installations_must_carry_the_same_application_token(door: Door) -> None:
    door.post()
    calls = len(door.server.portal.calls())

    assert door.post(application_token="another", refresh_token="evil").status_code == 403
    assert door.post(application_token=None, refresh_token="evil").status_code == 403
    assert len(door.server.portal.calls()) == calls  # the portal is not even asked
    kept = door.kept()
    assert kept is not None
    assert kept.tokens.refresh.reveal() == "sandbox-refresh-token"
    assert door.post(refresh_token="newer").status_code == 200


def test_a_configured_application_token_is_asked_for_from_the_first(make_door: Callable[..., Door]) -> None:
    door = make_door(more=f", application_token: {apps.APPLICATION_TOKEN}")

    assert door.post(application_token="guessed").status_code == 403
    assert door.post().status_code == 200


def test_tokens_of_a_login_are_not_replaced_by_whoever_posts(door: Door) -> None:
    fresh = application.read({"access_token": "a", "refresh_token": "r"}, now=time.time())
    assert fresh is not None
    authorisation.keep(door.house.database, apps.owner(door.server), fresh)
    assert door.post().status_code == 403

    with door.house.database.write() as tx:
        tokens.forget(tx, "main")
    assert door.post().status_code == 200


def test_an_installation_mends_tokens_that_are_used_up(door: Door) -> None:
    door.post(refresh_token="used-up")
    kept = door.kept()
    assert kept is not None
    with door.house.database.write() as tx:
        tokens.refused(tx, kept)

    assert door.post(application_token="of-the-new-installation").status_code == 200
    kept = door.kept()
    assert kept is not None
    assert (kept.refused_at, kept.application_token.reveal()) == (0.0, "of-the-new-installation")


def test_a_portal_that_does_not_answer_leaves_it_open(door: Door) -> None:
    door.server.portal.fail("reset", method="app.info")

    assert door.post().status_code == 503
    assert door.kept() is None


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{}", "application/json", 415),
        (b"event=ONAPPINSTALL", "text/plain", 415),
        (b"", install.FORM, 422),
        (b"event=ONAPPUNINSTALL", install.FORM, 422),
        (b"event=ONAPPINSTALL&event=x", install.FORM, 422),
        (b"event=ONAPPINSTALL&auth[domain]=%FF", install.FORM, 422),
        (b"\xff\xfe", install.FORM, 422),
        (b"event=ONAPPINSTALL&" + b"a=1&" * 200, install.FORM, 422),
        (b"x" * 20_000, install.FORM, 413),
    ],
)
def test_what_is_no_installation_is_refused(door: Door, body: bytes, kind: str, status: int) -> None:
    answer = door.post_raw(body, kind)

    assert answer.status_code == status
    assert answer.json is not None
    assert answer.json["error"]


def test_only_posting_is_for_here(door: Door) -> None:
    assert door.house.rules
    assert create_app(door.house).test_client().get(PATH).status_code == 405


def test_strangers_cannot_make_the_relay_ask_the_portal_as_often_as_they_like(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "EVERY", 60.0)

    statuses = [door.post(access_token=f"guess-{number}").status_code for number in range(20)]

    assert statuses == [403] + [503] * 19
    assert len(door.server.portal.calls()) <= 2


def test_no_secret_is_logged(door: Door, caplog: Any) -> None:
    caplog.set_level("DEBUG")
    door.post(application_token="another")
    door.post(access_token="wrong-token")
    door.post()

    words = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert "install: tokens kept" in words
    assert [secret for secret in (*apps.SECRETS, "wrong-token") if secret in words] == []
