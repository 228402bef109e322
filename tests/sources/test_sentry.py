"""Sentry: whom the relay believes, what each webhook becomes, and payloads of any other shape."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from relay.errors import NotUnderstood, Unauthorized
from relay.model import Event
from relay.sources import sentry
from relay.sources.sentry import Options
from relay.sources.sentry_events import ROWS
from tests.sources.hostile import assert_sound, read_or_refused
from tests.sources.posts import FIXTURES, changed, posted, stored, with_headers

Json = dict[str, Any]

NOW = 0.0
STORED = sorted(f"sentry/{path.stem}" for path in (FIXTURES / "sentry").glob("*.http"))

# RFC 4231 §4.3, which is how Sentry signs: hex, without a prefix, over the raw body.
SECRET, BODY = "Jefe", b"what do ya want for nothing?"
DIGEST = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


def options(**given: object) -> Options:
    return Options.model_validate({"type": "sentry"} | (given or {"secret": SECRET}))


def read(resource: str, payload: Json, headers: Mapping[str, str] | None = None) -> Event:
    request = posted(payload, {"sentry-hook-resource": resource, **(headers or {})})
    (event,) = sentry.read("sentry", options(), request).events
    return event


def of(name: str) -> Event:
    (event,) = sentry.read("sentry", options(), stored(f"sentry/{name}")).events
    return event


# ── Options and proof ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("given", "sentence"),
    [({"open": False}, "give secret"), ({"open": True, "secret": "s"}, "keep one"), ({"secret": ""}, "is empty")],
)
def test_options_that_cannot_be_are_refused(given: Json, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        options(**given)


def test_the_signature_of_the_raw_body_is_believed_and_made() -> None:
    request = posted(BODY, {"sentry-hook-signature": DIGEST})

    sentry.verify(options(), request, NOW)
    sentry.verify(options(secret=["new", SECRET]), request, NOW)

    assert sentry.sign(options(), request, NOW) == {"sentry-hook-signature": DIGEST}


@pytest.mark.parametrize("given", ["", DIGEST[:-1], DIGEST.upper(), "sha256=" + DIGEST, "0" * 64, "пусто", "\udcff"])
def test_a_signature_that_is_not_exactly_right_is_refused(given: str) -> None:
    with pytest.raises(Unauthorized, match="Sentry-Hook-Signature"):
        sentry.verify(options(), posted(BODY, {"sentry-hook-signature": given}), NOW)


def test_a_body_that_was_written_anew_is_refused() -> None:
    body = b'{"action":  "created"}'
    headers = sentry.sign(options(), posted(body), NOW)

    sentry.verify(options(), posted(body, headers), NOW)
    with pytest.raises(Unauthorized):
        sentry.verify(options(), posted(json.loads(body), headers), NOW)


def test_an_open_source_takes_unsigned_requests_only() -> None:
    sentry.verify(options(open=True), posted(BODY), NOW)

    assert sentry.sign(options(open=True), posted(BODY), NOW) == {}
    with pytest.raises(Unauthorized, match="no secret"):
        sentry.verify(options(open=True), posted(BODY, {"sentry-hook-signature": DIGEST}), NOW)


def test_nothing_is_believed_where_the_secret_got_lost() -> None:
    with pytest.raises(Unauthorized, match="no secret"):
        sentry.verify(Options.model_construct(type="sentry", secret=None, open=False), posted(BODY), NOW)


# ── Requests ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_request_is_known_by_its_id_for_ever_and_without_one_for_minutes() -> None:
    known = sentry.read("s", options(), posted({}, {"sentry-hook-resource": "issue", "request-id": "abc"}))
    unknown = sentry.read("s", options(), posted({}, {"sentry-hook-resource": "issue"}))

    assert (known.delivery, known.window) == ("abc", None)
    assert unknown.window == 300.0


@pytest.mark.parametrize("resource", ["", " ", "Issue", "../x", "ошибка", "a" * 101])
def test_a_request_must_name_its_resource(resource: str) -> None:
    with pytest.raises(NotUnderstood, match="Sentry-Hook-Resource"):
        read(resource, {})


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"\xff", b'{"a": NaN}'])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(NotUnderstood):
        sentry.read("s", options(), posted(body, {"sentry-hook-resource": "issue"}))


@pytest.mark.parametrize("name", STORED)
def test_a_stored_request_is_read_once_it_is_signed(name: str) -> None:
    request = stored(name)
    with pytest.raises(Unauthorized):
        sentry.verify(options(), request, NOW)

    sentry.verify(options(), with_headers(request, sentry.sign(options(), request, NOW)), NOW)
    (event,) = sentry.read("sentry", options(), request).events
    assert event.event == name.removeprefix("sentry/").partition("__")[0]
    assert (event.type, event.repo) == ("sentry", "shop")
    assert_sound(event)


# ── The table ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "issue__created",
            {
                "key": "sentry:issue:1170820242", "state": "firing", "severity": "error", "text": "cart.total",
                "actor": "",
            },
        ),
        ("issue__assigned", {"state": "firing", "assignees": ("ivan@example.com",), "actor": "olga@example.com"}),
        ("issue__resolved", {"key": "sentry:issue:1170820242", "state": "resolved"}),
        (
            "event_alert__triggered",
            {
                "key": "sentry:issue:1170820242", "state": "firing", "owners": ("ivan@example.com",),
                "labels": {"environment": "prod", "release": "2.4"}, "started_at": "2026-11-23T06:41:00Z",
            },
        ),
        ("metric_alert__critical", {"key": "sentry:metric:4:7", "state": "firing", "severity": "critical"}),
        ("comment__created", {"key": "sentry:issue:1170820242:comment:1234", "text": "Seen it too"}),
        ("plugin__old", {"key": "sentry:issue:1170820242", "state": "firing", "labels": {"environment": "prod"}}),
    ],
)  # fmt: skip
def test_a_webhook_is_understood_by_its_row(name: str, expected: Json) -> None:
    event = of(name)

    assert {word: getattr(event, word) for word in expected} == expected


@pytest.mark.parametrize(
    ("action", "state"),
    [("unresolved", "firing"), ("resolved", "resolved"), ("archived", "closed"), ("ignored", "closed"), ("x", "info")],
)
def test_what_was_done_to_an_issue_is_its_state(action: str, state: str) -> None:
    event = read("issue", {"action": action, "data": {"issue": {"id": "1", "title": "t", "status": "unresolved"}}})

    assert (event.state, event.key) == (state, "sentry:issue:1")


def test_a_resolved_metric_replaces_its_alarm() -> None:
    fired = of("metric_alert__critical")
    request = changed(stored("sentry/metric_alert__critical"), action="resolved")
    (over,) = sentry.read("sentry", options(), request).events

    assert (over.key, over.state, over.severity) == (fired.key, "resolved", "")


@pytest.mark.parametrize(
    ("assigned", "people"),
    [
        ({"type": "user", "name": "Ivan", "email": "ivan@example.com"}, ("ivan@example.com",)),
        ({"type": "user", "name": "Ivan", "email": None}, ("Ivan",)),
        ({"type": "team", "id": "4", "name": "backend"}, ("team/backend",)),
        (None, ()),
    ],
)
def test_an_issue_is_a_person_s_or_a_team_s(assigned: object, people: tuple[str, ...]) -> None:
    assert read("issue", {"action": "created", "data": {"issue": {"assignedTo": assigned}}}).assignees == people


@pytest.mark.parametrize(
    ("resource", "payload"),
    [
        ("error", {"action": "created", "data": {"error": {"title": "t", "issue_id": "1", "level": "fatal"}}}),
        ("activity_alert", {"action": "triggered", "data": {"issue": {"id": "1", "title": "t", "level": "fatal"}}}),
    ],
)
def test_an_error_and_an_activity_are_their_issue_s(resource: str, payload: Json) -> None:
    event = read(resource, payload)

    assert (event.key, event.state, event.severity) == ("sentry:issue:1", "firing", "fatal")


def test_an_uninstalled_integration_is_closed() -> None:
    payload = {"action": "deleted", "data": {"installation": {"uuid": "u", "app": {"slug": "relay"}}}}

    assert (read("installation", payload).state, read("installation", payload).title) == ("closed", "relay")


def test_every_row_is_tried_here() -> None:
    tried = {name.partition("/")[2].partition("__")[0] for name in STORED} | {"error", "activity_alert", "installation"}

    assert {name.partition(".")[0] for name in ROWS} == tried


# ── Any other payload ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_resource_of_the_future_says_what_it_can() -> None:
    event = read("seer", {"action": "root_cause_started", "data": {"run_id": 1}, "installation": {"uuid": "u"}})

    assert (event.event, event.action, event.state) == ("seer", "root_cause_started", "info")
    assert (event.title, event.key) == ("seer root_cause_started", "sentry::seer:u")


@pytest.mark.parametrize(
    ("payload", "path"),
    [
        ({"data": []}, "data"),
        ({"data": {"issue": {"title": 7.5}}}, "data.issue.title"),
        ({"data": {"issue": {"assignedTo": {"name": []}}}}, "data.issue.assignedTo.name"),
        ({"data": {"event": {"tags": {}}}}, "data.event.tags"),
        ({"data": {"event": {"tags": [["a", 1]]}}}, "data.event.tags.0.1"),
        ({"action": None, "actor": "olga"}, "actor"),
    ],
)
def test_a_wrong_type_is_refused_by_its_path(payload: Json, path: str) -> None:
    with pytest.raises(NotUnderstood, match=rf"^{path} is not "):
        read("issue", payload)


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_a_payload_of_any_shape_is_read_or_refused(data: st.DataObject) -> None:
    read_or_refused(data, [*map(stored, STORED)], lambda request: sentry.read("sentry", options(), request))
