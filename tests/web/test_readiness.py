"""`/readyz` tells whether the door can do its work, and names portals in trouble without refusing events."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from relay import house
from relay.house import House
from relay.model import PortalTrouble
from relay.settings import Secret, Settings
from relay.store import portals
from relay.store.database import Database
from relay.web.app import create_app

RULES = """\
version: 1
portals:
  main: {webhook: "https://main.bitrix24.ru/rest/1/KEYKEYKEY/"}
  other: {webhook: "https://other.bitrix24.ru/rest/1/KEYKEYKEY/"}
sources: {x: {type: json, open: true, title: payload.title}}
people: {ivan: {id: 17}}
rules: []
default: {to: ivan}
"""
CLOSED = PortalTrouble("closed", "INVALID_CREDENTIALS", "the webhook's secret is wrong: make a new webhook")


@pytest.fixture
def built(database_url: Secret, tmp_path: Path) -> Iterator[House]:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES, encoding="utf-8")
    made = house.build(Settings(rules=rules, database_url=database_url), {})
    yield made
    made.close()


@pytest.fixture
def door(built: House) -> FlaskClient:
    return create_app(built).test_client()


def break_down(database: Database, name: str, trouble: PortalTrouble) -> float:
    """Write trouble down as the courier does; when it began."""
    with database.write() as tx:
        portals.in_trouble(tx, portals.get(tx, name), trouble, tx.now + 60)
        return tx.now


def test_a_relay_without_trouble_is_ready(door: FlaskClient) -> None:
    answer = door.get("/readyz")

    assert (answer.status_code, answer.json) == (200, {"status": "ok", "portals": {}})


def test_a_portal_in_trouble_is_named_and_events_are_accepted_all_the_same(door: FlaskClient, built: House) -> None:
    began = break_down(built.database, "main", CLOSED)
    break_down(built.database, "main", CLOSED)

    answer = door.get("/readyz")
    since = datetime.fromtimestamp(began, UTC).isoformat(timespec="seconds")
    trouble = {"trouble": "closed", "since": since, "why": CLOSED.why}
    assert (answer.status_code, answer.json) == (200, {"status": "ok", "portals": {"main": trouble}})
    assert door.post("/in/x", json={"title": "t"}).status_code == 202


def test_a_portal_that_works_again_is_named_no_more(door: FlaskClient, built: House) -> None:
    break_down(built.database, "other", CLOSED)
    with built.database.write() as tx:
        portals.recovered(tx, "other")

    assert door.get("/readyz").json == {"status": "ok", "portals": {}}


def test_a_portal_that_the_rules_do_not_have_any_more_troubles_nobody(door: FlaskClient, built: House) -> None:
    break_down(built.database, "gone", CLOSED)

    assert door.get("/readyz").json == {"status": "ok", "portals": {}}


def test_no_secret_of_a_webhook_is_told(door: FlaskClient, built: House) -> None:
    why = "no answer from https://main.bitrix24.ru/rest/1/KEYKEYKEY/im.notify.personal.add"
    break_down(built.database, "main", PortalTrouble("down", "UNREACHABLE", why))

    answer = door.get("/readyz")
    assert "no answer from https://main.bitrix24.ru/rest/1/***/" in answer.get_data(as_text=True)
    assert "KEYKEYKEY" not in answer.get_data(as_text=True)


def test_tables_of_another_version_are_not_ready(door: FlaskClient, built: House) -> None:
    with built.database.write() as tx:
        tx.connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")

    answer = door.get("/readyz")
    assert answer.status_code == 503
    assert "relay db upgrade" in answer.get_data(as_text=True)


def test_a_door_stays_ready_while_machines_are_upgraded_one_after_another(door: FlaskClient, built: House) -> None:
    with built.database.write() as tx:
        tx.connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    assert door.get("/readyz").status_code == 200

    with built.database.write() as tx:
        tx.connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    assert door.get("/readyz").status_code == 503
