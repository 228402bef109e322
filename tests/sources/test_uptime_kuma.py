"""Uptime Kuma: JSON and form data, a monitor's changes, and notices without a monitor."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from relay.errors import NotUnderstood, Unauthorized
from relay.model import Event, Request
from relay.sources import uptime_kuma
from tests.sources.posts import WRONG_TYPES, changed, places, posted, stored, swapped, with_headers

DOWN = stored("uptime-kuma/monitor__down")
FORM = stored("uptime-kuma/monitor__down_as_form")
UP = stored("uptime-kuma/monitor__up")
BUTTON = stored("uptime-kuma/test_button")
CERTIFICATE = stored("uptime-kuma/notice__certificate")


def options(**values: Any) -> uptime_kuma.Options:
    return uptime_kuma.Options.model_validate({"type": "uptime-kuma", **(values or {"open": True})})


def event(request: Request) -> Event:
    (only,) = uptime_kuma.read("kuma", options(), request).events
    return only


def beat(**values: object) -> Request:
    return changed(DOWN, heartbeat={**json.loads(DOWN.body)["heartbeat"], **values})


def monitor(**values: object) -> Request:
    return changed(DOWN, monitor={**json.loads(DOWN.body)["monitor"], **values})


def test_a_monitor_that_is_down_is_an_alarm() -> None:
    found = event(DOWN)

    assert (found.type, found.event, found.action, found.state) == ("uptime-kuma", "monitor", "down", "firing")
    assert (found.key, found.title) == ("kuma:monitor:3", "Web / Shop front")
    assert (found.text, found.url) == ("connect ECONNREFUSED 192.0.2.7:443", "https://shop.example.com/")
    assert found.labels == {"team": "web", "prod": ""}
    assert found.started_at == "2026-11-23T06:58:10.302Z"


def test_up_replaces_down() -> None:
    found = event(UP)

    assert (found.action, found.state, found.key) == ("up", "resolved", event(DOWN).key)


def test_form_data_says_the_same_as_json() -> None:
    assert "content-length" not in FORM.headers
    assert event(FORM) == event(DOWN)
    assert uptime_kuma.read("kuma", options(), FORM) == uptime_kuma.read("kuma", options(), DOWN)


@pytest.mark.parametrize(
    ("status", "action", "state"),
    [(2, "pending", "info"), (3, "maintenance", "info"), (9, "unknown", "info"), (None, "unknown", "info")],
)
def test_the_other_statuses_are_no_alarm(status: int | None, action: str, state: str) -> None:
    found = event(beat(status=status))

    assert (found.action, found.state) == (action, state)


def test_the_test_button_is_a_test() -> None:
    reading = uptime_kuma.read("kuma", options(), BUTTON)
    (found,) = reading.events

    assert (found.event, found.state, found.title, found.key) == ("test", "info", "Relay Testing", "kuma:test")
    assert reading.window == 60


def test_a_certificate_that_expires_is_a_notice() -> None:
    found = event(CERTIFICATE)

    assert (found.event, found.state, found.url) == ("notice", "info", "https://shop.example.com/")
    assert found.title.endswith("will expire in 7 days")


def test_a_monitor_without_an_address_of_the_web_has_no_link() -> None:
    assert event(monitor(url="https://")).url == ""
    assert event(monitor(url=None)).url == ""


def test_a_reminder_is_another_delivery_and_a_copy_is_not() -> None:
    first, second = (uptime_kuma.read("kuma", options(), each) for each in (DOWN, beat(time="2026-11-23 07:58:10.1")))

    assert first.window is None
    assert first.delivery != second.delivery
    assert first.delivery == uptime_kuma.read("kuma", options(), changed(DOWN, msg="other")).delivery


@pytest.mark.parametrize("body", [{}, {"text": "down"}, {"heartbeat": {}, "monitor": {}}, [], "x", None, 5])
def test_a_custom_body_is_refused_with_the_remedy(body: object) -> None:
    with pytest.raises(NotUnderstood, match=r"use a source of type json|not an object"):
        event(posted(body))


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (("heartbeat",), "down", "heartbeat is not an object"),
        (("heartbeat", "status"), "0", "heartbeat.status is not a whole number"),
        (("heartbeat", "time"), 5, "heartbeat.time is not text"),
        (("monitor",), [], "monitor is not an object"),
        (("monitor", "tags"), {}, "monitor.tags is not a list"),
        (("monitor", "tags", 0, "name"), [], "monitor.tags.0.name is not text"),
    ],
)
def test_another_type_is_refused_by_its_path(path: tuple[str | int, ...], value: Any, sentence: str) -> None:
    with pytest.raises(NotUnderstood, match=sentence):
        event(posted(swapped(json.loads(DOWN.body), path, value)))


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.replace(b'name="data"', b'name="payload"'),
        lambda body: body[: len(body) // 2],
        lambda _: b"",
        lambda body: body.replace(b"Content-Disposition", b"X-Other"),
        lambda body: body.replace(b"Shop", b"\xff\xfe"),
    ],
)
def test_a_form_that_is_not_whole_is_refused(change: Any) -> None:
    with pytest.raises(NotUnderstood):
        event(replace(FORM, body=change(FORM.body)))


BODY = json.loads(DOWN.body)


@given(st.sampled_from(places(BODY)), st.one_of(st.sampled_from(WRONG_TYPES), st.text(max_size=30)))
@settings(deadline=None, max_examples=300)
def test_any_value_anywhere_is_read_or_refused(path: tuple[str | int, ...], value: Any) -> None:
    try:
        found = event(posted(swapped(BODY, path, value)))
    except NotUnderstood:
        return
    assert len(found.key) <= 200


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_any_form_is_read_or_refused(body: bytes) -> None:
    with pytest.raises(NotUnderstood):
        event(replace(FORM, body=body))


@pytest.mark.parametrize("way", [{"bearer": "t"}, {"token": {"header": "X-Relay-Token", "value": "t"}}], ids=str)
def test_an_additional_header_is_believed_and_nothing_without_it(way: dict[str, Any]) -> None:
    chosen = options(**way)

    uptime_kuma.verify(chosen, with_headers(DOWN, uptime_kuma.sign(chosen, DOWN, 0)), 0)
    with pytest.raises(Unauthorized):
        uptime_kuma.verify(chosen, posted(DOWN.body), 0)


def test_a_source_without_credentials_is_refused() -> None:
    with pytest.raises(ValidationError, match="give bearer or basic or token"):
        uptime_kuma.Options.model_validate({"type": "uptime-kuma"})
