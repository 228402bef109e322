"""GitHub at the door: whom it believes, and which bodies it can read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote_plus

import pytest
from pydantic import ValidationError

from relay.errors import NotUnderstood, Unauthorized, UnsupportedMedia
from relay.model import Reading, Request
from relay.sources import github
from relay.sources.github import Options
from tests.sources.github_cases import CASES, OPTIONS, Case, posted
from tests.sources.posts import FIXTURES, stored

NOW = 0.0
STORED = sorted(f"github/{path.stem}" for path in (FIXTURES / "github").glob("*.http"))


def options(**given: object) -> Options:
    return Options.model_validate({"type": "github"} | given)


def signed(body: bytes, signature: str, *, header: str = "x-hub-signature-256") -> Request:
    return Request(method="POST", path="/in/github", headers={header: signature}, body=body)


# ── Options ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_source_without_a_secret_must_say_that_it_is_open() -> None:
    with pytest.raises(ValidationError, match="say open: true"):
        options()

    assert options(open=True).secret is None


def test_a_secret_on_an_open_source_is_refused() -> None:
    with pytest.raises(ValidationError, match="contradict"):
        options(open=True, secret="s")


def test_an_empty_secret_is_refused() -> None:
    with pytest.raises(ValidationError, match="is empty"):
        options(secret="")


def test_the_largest_body_is_github_s_own_limit() -> None:
    assert options(open=True).max_body == 26_214_400
    assert options(open=True, max_body=5_000).max_body == 5_000


def test_a_secret_is_not_printed() -> None:
    assert "hunter2" not in repr(options(secret="hunter2"))


# ── Signatures ────────────────────────────────────────────────────────────────────────────────────────────────

# Published: GitHub docs, «Validating webhook deliveries»; gidgethub, tests/test_sansio.py. The last one, a form, was
# computed with `openssl dgst -sha256 -hmac`: its signed bytes are the form, not the JSON in it.
PUBLIC = "It's a Secret to Everybody"
VECTORS = [
    (PUBLIC, b"Hello, World!", "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"),
    ("123456", b"gidget", "091319196718d5bcb1c20ad25fc890597423ecdbad1f947f560afd643b5000de"),
    ("123456", b'{"action": "opened"}', "0340d06469a1b35662ebd7a67ea2c0c328239f319f1cfafb221451de629e0430"),
    (
        PUBLIC,
        b"payload=%7B%22action%22%3A%22opened%22%7D",
        "6ca9a7b0ffc25544d6e409d862ed7ce81d0238216795a855203f96f94d1b36c6",
    ),
]
HELLO, GOOD = VECTORS[0][1], "sha256=" + VECTORS[0][2]


@pytest.mark.parametrize(("secret", "body", "digest"), VECTORS)
def test_published_signatures_are_believed_and_made(secret: str, body: bytes, digest: str) -> None:
    request = signed(body, "sha256=" + digest)

    github.verify(options(secret=secret), request, NOW)

    assert github.sign(options(secret=secret), request, NOW) == {"x-hub-signature-256": "sha256=" + digest}


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "sha256=",
        GOOD[:-1],
        GOOD[:20],
        GOOD + "0",
        GOOD.removeprefix("sha256="),
        GOOD.replace("sha256=", "sha1="),
        GOOD.replace("sha256=", "SHA256="),
        GOOD.replace("sha256=", "sha256:"),
        "sha256=" + GOOD,
        "sha256=" + "0" * 64,
        "sha256=пусто",
        "sha256=\udcff",
        "sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59",
    ],
)
def test_a_signature_that_is_not_exactly_right_is_refused(signature: str) -> None:
    with pytest.raises(Unauthorized):
        github.verify(options(secret=PUBLIC), signed(HELLO, signature), NOW)


def test_an_unsigned_delivery_is_refused() -> None:
    with pytest.raises(Unauthorized, match="X-Hub-Signature-256 is missing"):
        github.verify(options(secret=PUBLIC), posted("ping", HELLO), NOW)


def test_sha_1_alone_is_refused() -> None:
    request = signed(HELLO, "sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59", header="x-hub-signature")

    with pytest.raises(Unauthorized):
        github.verify(options(secret=PUBLIC), request, NOW)


def test_a_changed_body_is_refused() -> None:
    with pytest.raises(Unauthorized, match="does not match"):
        github.verify(options(secret=PUBLIC), signed(HELLO + b" ", GOOD), NOW)


def test_another_secret_is_refused_and_not_told() -> None:
    with pytest.raises(Unauthorized) as refusal:
        github.verify(options(secret="hunter2"), signed(HELLO, GOOD), NOW)

    assert "hunter2" not in str(refusal.value)
    assert GOOD not in str(refusal.value)


def test_while_a_secret_is_changed_both_are_good() -> None:
    old, new = signed(HELLO, GOOD), posted("ping", HELLO)
    both = options(secret=["new", PUBLIC])

    github.verify(both, old, NOW)
    github.verify(both, replace(new, headers=github.sign(both, new, NOW)), NOW)
    with pytest.raises(Unauthorized):
        github.verify(options(secret="new"), old, NOW)


def test_an_open_source_takes_unsigned_deliveries_only() -> None:
    github.verify(options(open=True), posted("ping", HELLO), NOW)

    for header in ("x-hub-signature-256", "x-hub-signature"):
        with pytest.raises(Unauthorized, match="no secret"):
            github.verify(options(open=True), signed(HELLO, GOOD, header=header), NOW)


def test_nothing_is_believed_where_the_secret_got_lost() -> None:
    lost = Options.model_construct(type="github", secret=None, open=False)

    with pytest.raises(Unauthorized, match="no secret"):
        github.verify(lost, posted("ping", HELLO), NOW)


def test_an_open_source_signs_nothing() -> None:
    assert github.sign(options(open=True), posted("ping", HELLO), NOW) == {}


# ── Bodies ────────────────────────────────────────────────────────────────────────────────────────────────────


def as_form(payload: object, *, before: bytes = b"", after: bytes = b"") -> bytes:
    return before + b"payload=" + quote_plus(json.dumps(payload, ensure_ascii=False)).encode() + after


def read(body: bytes, headers: Mapping[str, str]) -> Reading:
    return github.read("github", OPTIONS, replace(posted("push", body), headers={"x-github-event": "push", **headers}))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_form_says_the_same_as_json(case: Case) -> None:
    delivery = {"x-github-delivery": "d-1", "x-github-event": case.event}

    form = read(as_form(case.payload), delivery | {"content-type": "application/x-www-form-urlencoded"})
    plain = read(json.dumps(case.payload).encode(), delivery | {"content-type": "application/json"})

    assert form == plain


@pytest.mark.parametrize(
    "content_type", ["application/json", "Application/JSON; charset=utf-8", "application/json;", "", None]
)
def test_json_is_read_by_its_type_and_without_one(content_type: str | None) -> None:
    headers = {} if content_type is None else {"content-type": content_type}

    assert read(b'{"ref": "refs/heads/main"}', headers).events[0].branch == "main"


@pytest.mark.parametrize(
    "content_type", ["text/plain", "text/json", "application/xml", "multipart/form-data", "json", "application/jsonx"]
)
def test_another_content_type_is_refused(content_type: str) -> None:
    with pytest.raises(UnsupportedMedia, match="content type"):
        read(b"{}", {"content-type": content_type})


@pytest.mark.parametrize(
    "body", [as_form({"ref": "x+y & zé"}, before=b"a=b&"), as_form({"ref": "x+y & zé"}, after=b"&a")]
)
def test_a_form_s_other_fields_do_not_matter(body: bytes) -> None:
    event = read(body, {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}).events[0]

    assert event.payload == {"ref": "x+y & zé"}


@pytest.mark.parametrize("body", [b"", b"payload", b"payload=", b"other=%7B%7D", b"payload=%FF", b"payload=%7B", b"{}"])
def test_a_form_without_json_is_refused(body: bytes) -> None:
    with pytest.raises(NotUnderstood):
        read(body, {"content-type": "application/x-www-form-urlencoded"})


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"text"', b"1", b"\xff", b'{"a": NaN}', b"[" * 5000])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(NotUnderstood):
        read(body, {})


# ── Headers ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("event", [None, "", " ", "Push", "pull request", "a" * 101, "push\x00", "../push", "событие"])
def test_a_delivery_must_name_its_event(event: str | None) -> None:
    headers = {} if event is None else {"x-github-event": event}
    request = Request(method="POST", path="/in/github", headers=headers, body=b"{}")

    with pytest.raises(NotUnderstood, match="X-GitHub-Event"):
        github.read("github", OPTIONS, request)


def test_a_delivery_is_known_by_its_id_for_ever() -> None:
    reading = read(b"{}", {"x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958"})

    assert (reading.delivery, reading.window) == ("72d3162e-cc78-11e3-81ab-4c9367dc0958", None)
    assert reading.events[0].delivery == reading.delivery


def test_without_an_id_the_same_body_is_the_same_delivery_for_minutes() -> None:
    reading = read(b"{}", {})

    assert reading.delivery == "sha256:" + hashlib.sha256(b"{}").hexdigest()
    assert reading.window is not None
    assert 60 <= reading.window <= 600
    assert read(b"{ }", {}).delivery != reading.delivery


@pytest.mark.parametrize("delivery", ["a b", "a" * 129, "\x00", "ид"])
def test_an_id_that_is_none_is_refused(delivery: str) -> None:
    with pytest.raises(NotUnderstood, match="X-GitHub-Delivery"):
        read(b"{}", {"x-github-delivery": delivery})


# ── The stored requests ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", STORED)
def test_a_stored_request_is_read_once_it_is_signed(name: str) -> None:
    request = stored(name)
    with pytest.raises(Unauthorized):
        github.verify(OPTIONS, request, NOW)

    request = replace(request, headers={**request.headers, **github.sign(OPTIONS, request, NOW)})
    github.verify(OPTIONS, request, NOW)

    (event,) = github.read("github", OPTIONS, request).events
    assert event.event == name.removeprefix("github/").partition("__")[0]
    assert (event.source, event.type) == ("github", "github")
    assert event.repo == "acme/shop"
    assert event.title


def test_a_comment_calls_its_people_but_not_those_in_its_code() -> None:
    (event,) = github.read("github", OPTIONS, stored("github/issue_comment__mention")).events

    assert event.mentioned == ("bob-dev", "acme/backend")
