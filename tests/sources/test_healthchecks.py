"""Healthchecks: the body of the example, with and without the whole check."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from relay.errors import NotUnderstood, Unauthorized
from relay.model import Event, Request
from relay.sources import healthchecks
from relay.sources.identity import sha256
from tests.sources.posts import WRONG_TYPES, changed, places, posted, stored, swapped, with_headers

DOWN = stored("healthchecks/check__down")
UP = stored("healthchecks/check__up")
WHOLE = stored("healthchecks/check__down_whole")
CODE = "6e1f2f6e-2a1b-4c63-9d8e-0a1b2c3d4e5f"


def options(**values: Any) -> healthchecks.Options:
    return healthchecks.Options.model_validate({"type": "healthchecks", **(values or {"open": True})})


def event(request: Request) -> Event:
    (only,) = healthchecks.read("checks", options(), request).events
    return only


def test_a_check_that_is_down_is_an_alarm_without_a_content_type() -> None:
    found = event(DOWN)

    assert "content-type" not in DOWN.headers
    assert (found.type, found.event, found.action, found.state) == ("healthchecks", "check", "down", "firing")
    assert (found.key, found.title) == (f"checks:{CODE}", "Nightly «backup» — БД")
    assert (found.text, found.labels) == ("dump failed: disk full", {"prod": "prod", "db": "db"})
    assert found.url == f"https://healthchecks.example.com/checks/{CODE}/details/"
    assert found.started_at == "2026-11-23T06:59:12+00:00"


def test_up_replaces_down() -> None:
    assert (event(UP).state, event(UP).key) == ("resolved", event(DOWN).key)


def test_a_status_that_nobody_knows_is_no_alarm() -> None:
    assert (event(changed(DOWN, status="paused")).state, event(changed(DOWN, status="paused")).action) == (
        "info",
        "paused",
    )


def test_the_check_s_secret_addresses_go_nowhere() -> None:
    found = event(WHOLE)

    assert found.payload["check"]["desc"] == "pg_dump every night"
    assert "/ping/" not in json.dumps(found.payload)
    assert "/api/" not in json.dumps(found.payload)


def test_the_status_is_what_the_notification_says_and_not_the_check() -> None:
    assert json.loads(WHOLE.body)["check"]["status"] == "grace"
    assert event(WHOLE).state == "firing"


def test_its_three_quick_tries_are_one_delivery() -> None:
    first, second = healthchecks.read("checks", options(), DOWN), healthchecks.read("checks", options(), WHOLE)
    later = healthchecks.read("checks", options(), changed(DOWN, now="2026-11-24T06:59:12+00:00"))

    assert (first.delivery, first.window) == (second.delivery, None)
    assert later.delivery != first.delivery
    assert healthchecks.read("checks", options(), UP).delivery != first.delivery


def test_without_the_moment_the_body_tells_for_a_minute() -> None:
    request = changed(DOWN, now="")
    reading = healthchecks.read("checks", options(), request)

    assert (reading.delivery, reading.window) == (sha256(request.body), 60)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("Nightly «backup» is down".encode(), "not valid JSON"),
        ({}, "status is not there: use the request body of examples/healthchecks"),
        ({"status": "down"}, "code is not there"),
        ({"code": CODE, "status": 1}, "status is not text"),
        ({"code": CODE, "status": "down", "tags": ["prod"]}, "tags is not text"),
        ({"code": CODE, "status": "down", "name": {}}, "name is not text"),
    ],
)
def test_another_body_is_refused_with_the_remedy(body: object, sentence: str) -> None:
    with pytest.raises(NotUnderstood, match=sentence):
        event(posted(body))


BODY = json.loads(WHOLE.body)


@given(st.sampled_from(places(BODY)), st.one_of(st.sampled_from(WRONG_TYPES), st.text(max_size=30)))
@settings(deadline=None, max_examples=200)
def test_any_value_anywhere_is_read_or_refused(path: tuple[str | int, ...], value: Any) -> None:
    try:
        found = event(posted(swapped(BODY, path, value)))
    except NotUnderstood:
        return
    assert len(found.key) <= 200


def test_the_integration_s_header_is_believed_and_nothing_without_it() -> None:
    chosen = options(bearer=["new", "old"])

    healthchecks.verify(chosen, with_headers(DOWN, healthchecks.sign(chosen, DOWN, 0)), 0)
    with pytest.raises(Unauthorized):
        healthchecks.verify(chosen, DOWN, 0)
    with pytest.raises(ValidationError, match="give bearer or basic or token"):
        healthchecks.Options.model_validate({"type": "healthchecks"})


def test_the_body_to_paste_is_read_and_short_enough() -> None:
    """Healthchecks takes 1000 signs; the placeholders that end in JSON bring their own quotes."""
    example = Path(__file__).parents[2] / "examples" / "healthchecks" / "body.json.txt"
    template = example.read_text(encoding="utf-8")
    for name, value in {
        "$NAME_JSON": '"Nightly \\"backup\\""',
        "$BODY_JSON": '"disk\\nfull"',
        "$CODE": CODE,
        "$STATUS": "down",
        "$NOW": "2026-11-23T06:59:12+00:00",
        "$TAGS": "prod",
        "$EXITSTATUS": "3",
    }.items():
        template = template.replace(name, value)

    found = event(posted(template.encode()))

    assert len(example.read_text(encoding="utf-8")) <= 1000
    assert "$" not in template
    assert (found.title, found.text, found.state) == ('Nightly "backup"', "disk\nfull", "firing")
