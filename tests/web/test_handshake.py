"""OPTIONS: the door answers who asks whether he may post, and tells others what may be posted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from relay import house
from relay.settings import Secret, Settings
from relay.web.app import create_app

RULES = """\
version: 1
portal: {webhook: "https://main.bitrix24.ru/rest/1/KEYKEYKEY/"}
sources:
  events: {type: cloudevents, bearer: "${TOKEN}", origins: eventgrid.azure.net, rate: 100}
  other: {type: json, open: true, title: payload.title}
people: {ivan: {id: 17}}
rules: []
default: {to: ivan}
"""
ASKED = {"WebHook-Request-Origin": "eventgrid.azure.net", "WebHook-Request-Rate": "120"}


@pytest.fixture
def door(database_url: Secret, tmp_path: Path) -> Iterator[FlaskClient]:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES, encoding="utf-8")
    made = house.build(Settings(rules=rules, database_url=database_url), {"TOKEN": "example-token"})
    yield create_app(made).test_client()
    made.close()


def test_a_sender_of_cloudevents_is_answered_without_credentials(door: FlaskClient) -> None:
    answer = door.options("/in/events", headers=ASKED)

    assert answer.status_code == 200
    assert answer.headers["WebHook-Allowed-Origin"] == "eventgrid.azure.net"
    assert answer.headers["WebHook-Allowed-Rate"] == "100"
    assert "POST" in answer.headers["Allow"]


def test_the_answer_gives_no_access(door: FlaskClient) -> None:
    door.options("/in/events", headers=ASKED)

    assert door.post("/in/events", json={}, headers={"Origin": "eventgrid.azure.net"}).status_code == 401


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/in/events", {}),
        ("/in/events", {"WebHook-Request-Origin": "elsewhere.example"}),
        ("/in/other", ASKED),
    ],
)
def test_no_other_answer_is_a_consent(door: FlaskClient, path: str, headers: dict[str, str]) -> None:
    answer = door.options(path, headers=headers)

    assert answer.status_code == 200
    assert not [name for name, _ in answer.headers if name.lower().startswith("webhook")]


def test_an_unknown_source_is_not_found_and_another_method_not_allowed(door: FlaskClient) -> None:
    assert door.options("/in/nothing", headers=ASKED).status_code == 404
    answer = door.delete("/in/events")
    assert answer.status_code == 405
    assert {"POST", "PUT", "OPTIONS"} <= {method.strip() for method in answer.headers["Allow"].split(",")}
