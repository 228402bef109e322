"""Buildbot's HttpStatusPush: whom the relay believes, what a build becomes, and payloads of any other shape."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from relay.errors import NotUnderstood, Unauthorized
from relay.model import Event
from relay.sources import buildbot
from relay.sources.buildbot import Options
from tests.sources.hostile import assert_sound, read_or_refused
from tests.sources.posts import FIXTURES, posted, stored, swapped

Json = dict[str, Any]

NOW = 0.0
STORED = sorted(f"buildbot/{path.stem}" for path in (FIXTURES / "buildbot").glob("*.http"))
BASIC = {"username": "relay", "password": "example-token"}
FAILED: Json = json.loads(stored("buildbot/build__failure").body)

# What Buildbot 4.3 sent of a periodic build without sources, less what is not looked at.
CAPTURED: Json = {
    "buildid": 1, "number": 1, "started_at": 1795417588, "complete": True, "results": 2,
    "state_string": "failed 'sh -c ...' (failure)",
    "properties": {"branch": [None, "Build"], "repository": ["", "Build"], "buildnumber": [1, "Build"]},
    "buildset": {"sourcestamps": [{"ssid": 1, "branch": None, "repository": "", "patch": None}]},
    "builder": {"builderid": 1, "name": "tests", "description": None, "tags": []},
    "url": "http://127.0.0.1:18010/#/builders/1/builds/1",
}  # fmt: skip


def options(**given: object) -> Options:
    return Options.model_validate({"type": "buildbot"} | (given or {"basic": BASIC}))


def read(payload: Json) -> Event:
    (event,) = buildbot.read("buildbot", options(), posted(payload)).events
    return event


# ── Proof ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("given", "sentence"), [({"open": False}, "give bearer or basic"), ({"auth": "s"}, "Extra")])
def test_options_that_cannot_be_are_refused(given: Json, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        options(**given)


@pytest.mark.parametrize("name", STORED)
def test_a_stored_request_is_believed_and_read(name: str) -> None:
    request = stored(name)
    buildbot.verify(options(), request, NOW)
    for headers in ({}, {"authorization": "Basic dTpw"}):
        with pytest.raises(Unauthorized):
            buildbot.verify(options(), replace(request, headers=headers), NOW)

    (event,) = buildbot.read("buildbot", options(), request).events
    assert (event.event, event.repo, event.branch) == ("build", "acme/shop", "main")
    assert_sound(event)


@pytest.mark.parametrize("given", [{"basic": BASIC}, {"bearer": "t0ken"}])
def test_what_is_signed_is_believed(given: Json) -> None:
    asked = options(**given)

    buildbot.verify(asked, posted({}, buildbot.sign(asked, posted({}), NOW)), NOW)
    with pytest.raises(Unauthorized):
        buildbot.verify(asked, posted({}), NOW)


# ── Builds ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_build_that_the_real_program_sent() -> None:
    event = read(CAPTURED)

    assert (event.action, event.state, event.conclusion) == ("finished", "firing", "failure")
    assert (event.title, event.text, event.number) == ("tests #1", "failed 'sh -c ...' (failure)", 1)
    assert (event.key, event.repo, event.branch) == ("buildbot:tests:", "", "")
    assert (event.url, event.started_at) == (CAPTURED["url"], "2026-11-23T07:06:28+00:00")


@pytest.mark.parametrize(
    ("results", "state", "conclusion"),
    [
        (0, "resolved", "success"),
        (1, "resolved", "warnings"),
        (2, "firing", "failure"),
        (3, "info", "skipped"),
        (4, "firing", "error"),
        (5, "info", "retry"),
        (6, "info", "cancelled"),
        (7, "info", "7"),
        (None, "info", ""),
    ],
)
def test_how_a_build_ended(results: object, state: str, conclusion: str) -> None:
    event = read(FAILED | {"results": results})

    assert (event.state, event.conclusion) == (state, conclusion)


def test_a_build_that_started_has_not_ended() -> None:
    event = read(FAILED | {"complete": False})

    assert (event.action, event.state, event.conclusion) == ("started", "info", "")


def test_a_later_success_replaces_the_failure_of_the_same_branch() -> None:
    (mended,) = buildbot.read("buildbot", options(), stored("buildbot/build__success")).events

    assert (mended.key, mended.state) == (read(FAILED).key, "resolved")
    assert read(swapped(FAILED, ("buildset", "sourcestamps", 0, "branch"), "fix")).key != mended.key


@pytest.mark.parametrize(
    ("properties", "owners"),
    [
        ({"owner": ["ivan", "Force"]}, ("ivan",)),
        ({"owner": ["Ivan Petrov <ivan@example.com>", "Force"]}, ("ivan@example.com",)),
        ({"owners": [["a@example.com", "B <b@example.com>", 7], "Build"]}, ("a@example.com", "b@example.com")),
        ({"owner": ["Ivan Petrov", "Force"]}, ()),
        ({"owner": ["Ivan <ivan>", "Force"]}, ()),  # git lets anybody write this
        ({"owner": [None, "Force"], "owners": [None, "Build"]}, ()),
    ],
)
def test_whose_a_build_is(properties: Json, owners: tuple[str, ...]) -> None:
    assert read(FAILED | {"properties": properties}).owners == owners


def test_properties_that_are_words_are_labels() -> None:
    given = {"a": ["x", "S"], "n": [7, "S"], "flag": [True, "S"], "list": [["x"], "S"], "none": [None, "S"]}

    assert read(FAILED | {"properties": given}).labels == {"a": "x", "n": "7"}


# ── Deliveries ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_build_s_start_and_its_end_are_two_deliveries() -> None:
    first = buildbot.read("b", options(), posted(FAILED))

    assert first.window is None
    assert buildbot.read("b", options(), posted(FAILED | {"state_string": "x"})).delivery == first.delivery
    assert buildbot.read("b", options(), posted(FAILED | {"complete": False})).delivery != first.delivery


# ── Any other payload ─────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_no_build_is_an_event_all_the_same() -> None:
    reading = buildbot.read("buildbot", options(), posted({"name": "worker1", "state_string": "lost"}))

    assert (reading.events[0].event, reading.events[0].title, reading.events[0].text) == ("event", "worker1", "lost")
    assert reading.window == 60.0


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"\xff"])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(NotUnderstood):
        buildbot.read("b", options(), posted(body))


@pytest.mark.parametrize(
    ("place", "path"),
    [
        (("number",), "number"),
        (("complete",), "complete"),
        (("builder", "name"), "builder.name"),
        (("properties",), "properties"),
        (("properties", "owner"), "properties.owner"),
        (("buildset", "sourcestamps"), "buildset.sourcestamps"),
        (("buildset", "sourcestamps", 0, "branch"), "buildset.sourcestamps.0.branch"),
    ],
)
def test_a_wrong_type_is_refused_by_its_path(place: tuple[str | int, ...], path: str) -> None:
    with pytest.raises(NotUnderstood, match=rf"^{path} is not "):
        read(swapped(FAILED, place, 1.5))


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_payload_of_any_shape_is_read_or_refused(data: st.DataObject) -> None:
    requests = [*map(stored, STORED), posted(CAPTURED)]

    read_or_refused(data, requests, lambda request: buildbot.read("b", options(), request))
