"""A whole HTTP request in a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay import fixture
from relay.fixture import BadFixture
from relay.model import Request

FIXTURES = sorted((Path(__file__).parent / "fixtures").rglob("*.http"))

HEAD = b"POST /in/github HTTP/1.1\nX-GitHub-Event: push\nContent-Type: application/json\n"


def test_a_request_is_read_from_its_lines() -> None:
    expected = Request(
        method="POST",
        path="/in/github",
        headers={"x-github-event": "push", "content-type": "application/json"},
        body=b'{"a": 1}',
    )

    assert fixture.parse(HEAD + b'\n{"a": 1}\n') == expected
    assert fixture.parse((HEAD + b'\n{"a": 1}\n').replace(b"\n", b"\r\n")) == expected


def test_an_empty_line_in_the_body_does_not_end_it() -> None:
    assert fixture.parse(HEAD + b"\n{\n\n}\n").body == b"{\n\n}"
    assert fixture.parse(HEAD.replace(b"\n", b"\r\n") + b"\r\n{\n\n}\n").body == b"{\n\n}"


def test_crlf_in_the_body_of_a_file_with_lf_is_the_body_s_own() -> None:
    assert fixture.parse(HEAD + b"\na\r\n\r\nb").body == b"a\r\n\r\nb"


@pytest.mark.parametrize(
    ("length", "body", "kept"),
    [
        (b"", b"{}\n", b"{}"),
        (b"", b"{}\r\n", b"{}"),
        (b"", b"{}\n\n", b"{}\n"),
        (b"", b"{}", b"{}"),
        (b"", b"", b""),
        (b"Content-Length: 3\n", b"{}\n", b"{}\n"),
        (b"Content-Length: 2\n", b"{}\n", b"{}"),
        (b"Content-Length: many\n", b"{}\n", b"{}"),
    ],
)
def test_one_final_line_break_belongs_to_the_file_unless_it_is_counted(length: bytes, body: bytes, kept: bytes) -> None:
    assert fixture.parse(HEAD + length + b"\n" + body).body == kept


def test_headers_keep_colons_and_lose_blanks_and_case() -> None:
    request = fixture.parse(b"post /in/x?y=1 HTTP/1.1\nHost:  relay.example.com:8080 \nX-Empty:\n\n")

    assert request.method == "POST"
    assert request.path == "/in/x?y=1"
    assert request.headers == {"host": "relay.example.com:8080", "x-empty": ""}


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"", "empty line"),
        (b'{"a": 1}', "empty line"),
        (b"POST /in/x HTTP/1.1\nHost: a\n", "empty line"),
        (b"\n\n{}", "line 1"),
        (b'{"a":\n\n1}', "line 1"),
        (b"POST\n\n{}", "line 1"),
        (b"POST in/x HTTP/1.1\n\n{}", "line 1"),
        (b"POST http://relay.example.com/in/x HTTP/1.1\n\n{}", "line 1"),
        (b"POST /in/x HTTP/1.1\nHost: a\nno header\n\n{}", "line 3"),
        (b"POST /in/x HTTP/1.1\n: no name\n\n{}", "line 2"),
    ],
)
def test_what_is_no_request_is_refused_with_its_line(raw: bytes, sentence: str) -> None:
    with pytest.raises(BadFixture, match=sentence):
        fixture.parse(raw)


@given(st.binary(max_size=120) | st.binary(max_size=80).map(lambda tail: HEAD + tail))
@settings(deadline=None)
def test_any_file_is_a_request_or_a_bad_fixture(raw: bytes) -> None:
    try:
        request = fixture.parse(raw)
    except BadFixture:
        return
    assert request.path.startswith("/")


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_stored_fixture_is_a_request_to_a_source(path: Path) -> None:
    request = fixture.parse(path.read_bytes())

    assert request.path.startswith("/in/")
    assert request.headers.get("host", "relay.example.com") == "relay.example.com"
    assert request.method in ("POST", "PUT")
    if request.headers.get("content-type") == "application/json":
        json.loads(request.body)


# ── Writing one ──────────────────────────────────────────────────────────────────────────────────────────────

HEADER_TEXT = st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=20)


@given(
    st.dictionaries(st.from_regex(r"[a-z][a-z0-9-]{0,10}", fullmatch=True), HEADER_TEXT, max_size=4),
    st.binary(max_size=60),
    st.sampled_from([b"", b"\n", b"\r", b"\r\n", b"\n\n", b"\r\n\r\n"]),
)
@settings(deadline=None)
def test_a_request_that_is_written_is_read_again(headers: dict[str, str], body: bytes, end: bytes) -> None:
    headers.pop("content-length", None)
    request = Request(method="POST", path="/in/x?y=1", headers=headers, body=body + end)

    again = fixture.parse(fixture.write(request))

    again.headers.pop("content-length", None)  # type: ignore[attr-defined]  # a dict, which the type does not promise
    assert again == request


def test_a_fixture_is_written_as_people_write_it() -> None:
    request = Request(
        method="POST", path="/in/x", headers={"x-github-event": "push", "content-length": "9"}, body=b"{}"
    )

    assert fixture.write(request) == b"POST /in/x HTTP/1.1\nX-Github-Event: push\n\n{}\n"


def test_a_header_that_is_utf_8_stays_one_line() -> None:
    assert fixture.parse("POST /in/x HTTP/1.1\nX-Name: хх\n\n{}".encode()).headers == {
        "x-name": "хх".encode().decode("latin-1")
    }
