"""A relay with pages: its house, and clients for each kind of visitor."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import WSGIRequestHandler, make_server

from relay import courier, house, router
from relay.courier import Load
from relay.house import House
from relay.model import Answer, Verdict
from relay.settings import Secret, Settings
from relay.store.database import Database
from relay.web.app import create_app
from tests.conftest import Clock

ADMIN, READER = Secret("open sesame"), Secret("only looking")
ADMIN_TOKEN, READER_TOKEN = Secret("of a script"), Secret("of a script that reads")
RULES = """\
version: 1
portal: {webhook: "https://acme.bitrix24.ru/rest/1/KEYKEYKEY/"}
sources:
  x: {type: json, open: true, title: payload.title, text: payload.text, event: payload.event, tag: payload.tag}
people: {ivan: {id: 17, locale: ru}, olga: {id: 18}, dana: {}}
rules:
  - {name: drop drafts, when: {payload.draft: true}, to: []}
  - {name: deploys, when: {event: deployed, payload.service: shop}, to: [ivan, olga]}
  - {name: alarms, when: {event: alarm}, to: ivan, urgent: true}
"""


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with its tables, to be copied: a copy is made faster than tables."""
    path = tmp_path_factory.mktemp("pages") / "empty.db"
    made = Database(Secret(f"sqlite:///{path}"))
    made.upgrade()
    made.close()
    return path


@pytest.fixture
def built(empty_file: Path, tmp_path: Path, clock: Clock) -> Iterator[House]:
    """A house on SQLite with RULES, whose database and sessions keep the test's time."""
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES, encoding="utf-8")
    (tmp_path / "relay.db").write_bytes(empty_file.read_bytes())
    url = Secret(f"sqlite:///{tmp_path}/relay.db")
    settings = Settings(
        rules=rules,
        database_url=url,
        admin_password=ADMIN,
        reader_password=READER,
        admin_token=ADMIN_TOKEN,
        reader_token=READER_TOKEN,
    )
    made = House(settings=settings, rules_file=house.RulesFile(rules, {}), database=Database(url, clock=clock))
    yield made
    made.close()


@pytest.fixture
def app(built: House, clock: Clock) -> Flask:
    return create_app(built, clock=clock)


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """Where a browser finds the pages."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - Werkzeug's name
        """Nothing: a test's output is what it asserts."""


@pytest.fixture
def stranger(app: Flask) -> FlaskClient:
    """Nobody has signed in."""
    return app.test_client()


@pytest.fixture
def site(app: Flask) -> FlaskClient:
    """Somebody who may change things has signed in."""
    return signed_in(app, ADMIN)


@pytest.fixture
def reader(app: Flask) -> FlaskClient:
    """Somebody who may look has signed in."""
    return signed_in(app, READER)


def signed_in(app: Flask, password: Secret) -> FlaskClient:
    client = app.test_client()
    assert client.post("/sign-in", data={"password": password.reveal()}).status_code == 303
    return client


def bearer(token: Secret) -> dict[str, str]:
    return {"Authorization": f"Bearer {token.reveal()}"}


def token_of(client: FlaskClient) -> str:
    """The CSRF token of a client's forms: that of «Sign out», which is on every page."""
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', client.get("/events").get_data(as_text=True))
    assert found is not None
    return found[1]


def post(client: FlaskClient, payload: object) -> int:
    """Post an event to the source x; its number in the journal."""
    answer = client.post("/in/x", data=json.dumps(payload), content_type="application/json")
    assert answer.status_code in (200, 202), answer.text
    number: int = answer.json["event"] if answer.json else 0
    return number


def decide(built: House) -> None:
    """Decide what waits in the journal."""
    assert router.turn(built.database, built.rules, holder="me", lease_seconds=10)


def send(built: House, *verdicts: Verdict) -> None:
    """Calls of the portal, until each message that may be sent now has had its verdict."""
    to, left = built.destinations()["main"], list(verdicts)
    while left:
        load = courier.claim(built.database, to, holder="me", lease_seconds=10)
        assert isinstance(load, Load)
        these, left = left[: len(load.parcels)], left[len(load.parcels) :]
        assert len(these) == len(load.parcels)
        courier.settle(built.database, to, load, Answer(verdicts=tuple(these)), jitter=0.0)


def with_settings(built: House, **changes: object) -> None:
    built.settings = replace(built.settings, **changes)  # type: ignore[arg-type]  # each test names a setting
