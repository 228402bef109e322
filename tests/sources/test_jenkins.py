"""Jenkins's Notification plugin: whom the relay believes, what a build becomes, and payloads of any other shape."""

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
from relay.sources import jenkins
from relay.sources.jenkins import Options
from tests.sources.hostile import assert_sound, read_or_refused
from tests.sources.posts import FIXTURES, posted, stored, swapped

Json = dict[str, Any]

NOW = 0.0
STORED = sorted(f"jenkins/{path.stem}" for path in (FIXTURES / "jenkins").glob("*.http"))
BASIC = {"username": "relay", "password": "example-token"}
FAILED: Json = json.loads(stored("jenkins/build__failure").body)


def options(**given: object) -> Options:
    return Options.model_validate({"type": "jenkins"} | (given or {"basic": BASIC}))


def build(**values: Any) -> Json:
    return FAILED | {"build": FAILED["build"] | values}


def read(payload: Json) -> Event:
    (event,) = jenkins.read("jenkins", options(), posted(payload)).events
    return event


# ── Proof ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"open": False}, "give bearer or basic"),
        ({"open": True, "basic": BASIC}, "keep one"),
        ({"secret": "s"}, "Extra inputs"),
    ],
)
def test_options_that_cannot_be_are_refused(given: Json, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        options(**given)


@pytest.mark.parametrize("name", STORED)
def test_a_stored_request_is_believed_and_read(name: str) -> None:
    request = stored(name)
    jenkins.verify(options(), request, NOW)
    for headers in ({}, {"authorization": "Basic cmVsYXk6b3RoZXI="}, {"authorization": "Bearer example-token"}):
        with pytest.raises(Unauthorized):
            jenkins.verify(options(), replace(request, headers=headers), NOW)

    (event,) = jenkins.read("jenkins", options(), request).events
    assert (event.event, event.repo, event.branch) == ("build", "acme/shop", "main")
    assert_sound(event)


@pytest.mark.parametrize("given", [{"basic": BASIC}, {"bearer": "t0ken"}, {"token": {"header": "X-T", "value": "t"}}])
def test_what_is_signed_is_believed(given: Json) -> None:
    asked = options(**given)

    jenkins.verify(asked, posted({}, jenkins.sign(asked, posted({}), NOW)), NOW)
    with pytest.raises(Unauthorized):
        jenkins.verify(asked, posted({}), NOW)


# ── Builds ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_failed_build() -> None:
    event = read(FAILED)

    assert (event.action, event.state, event.conclusion) == ("finalized", "firing", "failure")
    assert (event.title, event.number, event.key) == ("shop/main #45", 45, "jenkins:job/shop/job/main")
    assert (event.committers, event.labels) == (("kolya",), {"DEPLOY_TO": "staging"})
    assert (event.paths, event.url) == (("src/parser.py",), "https://ci.example.com/job/shop/job/main/45/")


@pytest.mark.parametrize(
    ("status", "state", "conclusion", "severity"),
    [
        ("SUCCESS", "resolved", "success", ""),
        ("UNSTABLE", "firing", "unstable", "warning"),
        ("FAILURE", "firing", "failure", ""),
        ("ABORTED", "info", "cancelled", ""),
        ("NOT_BUILT", "info", "skipped", ""),
        (None, "info", "", ""),
        ("SOME_DAY_NEW", "info", "some_day_new", ""),
    ],
)
def test_how_a_build_ended(status: object, state: str, conclusion: str, severity: str) -> None:
    event = read(build(status=status))

    assert (event.state, event.conclusion, event.severity) == (state, conclusion, severity)


@pytest.mark.parametrize("phase", ["QUEUED", "STARTED"])
def test_the_former_build_s_status_is_not_this_one_s(phase: str) -> None:
    event = read(build(phase=phase, status="FAILURE"))

    assert (event.action, event.state, event.conclusion) == (phase.lower(), "info", "")


def test_one_build_alarms_once() -> None:
    event = read(build(phase="COMPLETED"))

    assert (event.state, event.conclusion, event.key) == ("info", "failure", read(FAILED).key)


def test_a_later_success_replaces_the_failure() -> None:
    one, other = (
        jenkins.read("j", options(), stored(f"jenkins/build__{name}")).events[0] for name in ("failure", "success")
    )

    assert one.key == other.key
    assert (one.state, other.state) == ("firing", "resolved")


@pytest.mark.parametrize(
    ("url", "title"),
    [
        ("job/nightly/", "Nightly run #45"),
        ("job/shop/job/feature%2Flogin/", "shop/feature/login #45"),
        ("job/acme/job/shop/job/main/", "acme/shop/main #45"),
        ("view/all/job/x/", "Nightly run #45"),
        ("", "Nightly run #45"),
    ],
)
def test_a_job_in_folders_is_called_by_its_whole_way(url: str, title: str) -> None:
    assert read(FAILED | {"url": url, "display_name": "Nightly run"}).title == title


@pytest.mark.parametrize("branch", ["main", "origin/main", "refs/remotes/origin/main"])
def test_a_branch_stands_without_its_remote(branch: str) -> None:
    assert read(build(scm={"branch": branch})).branch == "main"


# ── Deliveries ────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_build_in_the_same_phase_is_the_same_delivery() -> None:
    first = jenkins.read("j", options(), posted(FAILED))

    assert first.window is None
    assert jenkins.read("j", options(), posted(build(log="more of it"))).delivery == first.delivery
    for other in ({"phase": "COMPLETED"}, {"number": 46}, {"status": "SUCCESS"}, {"timestamp": "2026-11-24T00:00:00Z"}):
        assert jenkins.read("j", options(), posted(build(**other))).delivery != first.delivery


def test_without_a_timestamp_it_is_the_same_for_a_minute() -> None:
    assert jenkins.read("j", options(), posted(build(timestamp=None))).window == 60.0


# ── Any other payload ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("body", [b"", b"[]", b"<job><name>x</name></job>", b"{}", b'{"build": {}}'])
def test_a_body_that_is_not_the_plugin_s_json_is_refused(body: bytes) -> None:
    with pytest.raises(NotUnderstood):
        jenkins.read("j", options(), posted(body))


@pytest.mark.parametrize(
    ("place", "path"),
    [
        (("build",), "build"),
        (("build", "number"), "build.number"),
        (("build", "phase"), "build.phase"),
        (("build", "scm", "culprits"), "build.scm.culprits"),
        (("build", "parameters", "DEPLOY_TO"), "build.parameters.DEPLOY_TO"),
    ],
)
def test_a_wrong_type_is_refused_by_its_path(place: tuple[str | int, ...], path: str) -> None:
    with pytest.raises(NotUnderstood, match=rf"^{path} is not "):
        read(swapped(FAILED, place, 1.5))


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_payload_of_any_shape_is_read_or_refused(data: st.DataObject) -> None:
    read_or_refused(data, [*map(stored, STORED)], lambda request: jenkins.read("j", options(), request))
