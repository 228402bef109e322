"""Whatever is posted, the answer is a sentence and a 4xx: nothing is journalled, repeated or broken."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from relay.store import journal
from tests.line.conftest import SECRET, TOKEN, Line

BEARER = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
MARK = "hostile-words-that-must-not-come-back"


@pytest.fixture
def door(make_line: Callable[..., Line]) -> Line:
    """A line whose worker does not run: what is journalled stays as it came."""
    return make_line()


def entries(line: Line) -> int:
    with line.house.database.read() as tx:
        return len(journal.latest(tx, limit=1000))


def alertmanager(**changes: Any) -> dict[str, Any]:
    times = {"startsAt": "2026-11-23T09:00:00Z", "endsAt": "0001-01-01T00:00:00Z"}
    alert = times | {"status": "firing", "labels": {"alertname": "Down"}, "annotations": {}, "fingerprint": "ab"}
    return {"version": "4", "status": "firing", "receiver": "r", "groupKey": "{}", "alerts": [alert]} | changes


def sentence(answer: TestResponse) -> str:
    assert answer.json is not None
    return str(answer.json["error"])


BAD_BODIES = {
    "not JSON": b"{" + MARK.encode(),
    "empty": b"",
    "a list": b"[]",
    "a number": b"1",
    "null": b"null",
    "NaN": b'{"version": NaN}',
    "10,000 deep": b"[" * 10_000 + b"]" * 10_000,
    "10,000 deep inside": b'{"version":"4","alerts":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "invalid UTF-8": b'{"version": "\xff\xfe"}',
    "NUL bytes": b"\x00" * 100,
    "UTF-16": '{"version": "4"}'.encode("utf-16"),
    "another version": json.dumps(alertmanager(version="3")).encode(),
    "alerts a text": json.dumps(alertmanager(alerts=MARK)).encode(),
    "an alert a text": json.dumps(alertmanager(alerts=[MARK])).encode(),
    "labels a list": json.dumps(alertmanager(alerts=[{"status": "firing", "labels": [MARK]}])).encode(),
    "a label a number": json.dumps(alertmanager(alerts=[{"status": "firing", "labels": {"a": 1}}])).encode(),
    "status an object": json.dumps(alertmanager(status={MARK: 1})).encode(),
}


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_a_body_that_is_not_understood_is_a_sentence_and_422(door: Line, body: bytes) -> None:
    answer = door.door.post("/in/alertmanager", data=body, headers=BEARER)

    assert answer.status_code == 422
    assert 10 < len(sentence(answer)) < 200
    assert MARK not in answer.text
    assert entries(door) == 0


def test_thirty_megabytes_are_too_large_with_a_length_and_without(door: Line) -> None:
    body = b" " * 30_000_000
    with_length = door.door.post("/in/github", data=body, headers={"Content-Type": "application/json"})
    chunked = door.door.post(
        "/in/github",
        input_stream=io.BytesIO(body),
        headers={"Content-Type": "application/json", "Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )

    assert (with_length.status_code, chunked.status_code) == (413, 413)
    assert entries(door) == 0


def test_nul_characters_in_good_json_are_left_out_and_the_event_is_taken(door: Line) -> None:
    answer = door.deploy(title="a\x00b")

    assert answer.status_code == 202


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/in/nothing", 404),
        ("POST", "/in/", 404),
        ("POST", "/nowhere", 404),
        ("GET", "/in/github", 405),
        ("DELETE", "/in/github", 405),
        ("GET", "/in/%00%ff", 405),
    ],
)
def test_a_wrong_address_is_told_so(door: Line, method: str, path: str, status: int) -> None:
    answer = door.door.open(path, method=method)

    assert answer.status_code == status
    assert sentence(answer)


def test_a_form_that_github_never_sends_is_an_unsupported_type(door: Line) -> None:
    answer = door.door.post("/in/github", data=b"<xml/>", headers=signed(b"<xml/>", "text/xml"))

    assert answer.status_code == 415


def signed(body: bytes, content_type: str) -> dict[str, str]:
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return {"Content-Type": content_type, "X-GitHub-Event": "push", "X-Hub-Signature-256": f"sha256={digest}"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Hub-Signature-256": ""},
        {"X-Hub-Signature-256": "sha256="},
        {"X-Hub-Signature-256": "sha256=" + "0" * 64},
        {"X-Hub-Signature-256": signed(b"{}", "")["X-Hub-Signature-256"][:-1]},
        {"X-Hub-Signature-256": signed(b"{}", "")["X-Hub-Signature-256"].removeprefix("sha256=")},
        {"X-Hub-Signature-256": signed(b"{ }", "")["X-Hub-Signature-256"]},
        {"X-Hub-Signature": "sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59"},
        {"Authorization": f"Bearer {TOKEN}"},
    ],
)
def test_without_the_right_signature_nothing_is_journalled(door: Line, headers: dict[str, str]) -> None:
    good = {"Content-Type": "application/json", "X-GitHub-Event": "push", "X-GitHub-Delivery": "1"}
    answer = door.door.post("/in/github", data=b"{}", headers=good | headers)

    assert answer.status_code == 401
    assert "WWW-Authenticate" in answer.headers
    assert entries(door) == 0


def test_what_is_not_verified_is_not_parsed(door: Line) -> None:
    answer = door.door.post("/in/github", data=b"[" * 100_000, headers={"Content-Type": "application/json"})

    assert answer.status_code == 401


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, child in children:
        yield from places(child, (*path, name))


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


@given(data=st.data())
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_wrong_type_at_any_depth_is_never_a_5xx(door: Line, data: st.DataObject) -> None:
    good = alertmanager()
    path = data.draw(st.sampled_from(list(places(good))))
    body = json.dumps(replaced(good, path, data.draw(JSON_VALUES))).encode()
    answer = door.door.post("/in/alertmanager", data=body, headers=BEARER)

    assert answer.status_code in (200, 202, 422)
