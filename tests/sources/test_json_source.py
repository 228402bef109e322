"""Any JSON: where its words are found, and by what its sender is believed."""

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
from relay.sources import json_source
from relay.sources.identity import sha256
from tests.sources.posts import WRONG_TYPES, changed, places, posted, stored, swapped, with_headers

DEPLOY = stored("json/deploy__failed")
WORDS = ("event", "action", "key", "tag", "state", "severity", "title", "text", "url", "actor", "author")
MORE_WORDS = (
    "repo",
    "branch",
    "base_branch",
    "conclusion",
    "started_at",
    "reviewers",
    "mentioned",
    "committers",
    "paths",
)
ALL_WORDS = (*WORDS, "assignees", "owner", "number", *MORE_WORDS)
PROOF = {"bearer", "basic", "hmac", "token", "standard_webhooks"}


def options(**values: Any) -> json_source.Options:
    proof = {} if PROOF & values.keys() else {"open": True}
    return json_source.Options.model_validate({"type": "json", **proof, **values})


def event(request: Request, **values: Any) -> Event:
    (only,) = json_source.read("deploys", options(**values), request).events
    return only


# ── Places ────────────────────────────────────────────────────────────────────────────────────────────────────

PLACED = {
    "event": "payload.kind",
    "action": "payload.phase",
    "key": "header.X-Delivery",
    "tag": "payload.service",
    "state": "payload.status",
    "severity": "payload.urgency",
    "title": "payload.title",
    "text": "payload.log",
    "url": "payload.link",
    "actor": "payload.by.login",
    "author": "payload.by.login",
    "assignees": "payload.watchers",
    "owner": "payload.watchers.1",
    "repo": "payload.repo",
    "branch": "payload.branch",
    "labels": "payload.labels",
}


def test_every_word_is_found_where_the_source_says() -> None:
    reading = json_source.read("deploys", options(**PLACED), DEPLOY)

    assert reading.delivery == "7f0c"
    assert reading.window is None
    assert reading.events == (
        Event(
            source="deploys",
            type="json",
            event="deploy",
            action="finished",
            delivery="7f0c",
            key="deploys:shop",
            state="firing",
            severity="high",
            title="Deploy of shop failed",
            text="миграция 0042: нет таблицы",
            url="https://ci.example.com/deploys/1841",
            repo="acme/shop",
            branch="main",
            labels={"env": "prod", "attempt": "2", "canary": "false"},
            actor="ivan-petrov",
            author="ivan-petrov",
            assignees=("olga@example.com", "acme/backend"),
            owners=("acme/backend",),
            payload=json.loads(DEPLOY.body),
        ),
    )


def test_a_source_that_places_nothing_gives_an_honest_event() -> None:
    reading = json_source.read("deploys", options(), DEPLOY)

    assert reading.delivery == sha256(DEPLOY.body)
    assert reading.window == 60
    assert reading.events == (
        Event(
            source="deploys",
            type="json",
            event="event",
            delivery=sha256(DEPLOY.body),
            payload=json.loads(DEPLOY.body),
        ),
    )


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("payload.title", "Deploy of shop failed"),
        ("payload.steps.1.name", "migrate"),
        ("payload.steps.7.name", ""),
        ("payload.steps.-1.name", ""),
        ("payload.steps.name", ""),
        ("payload.steps.00.name", "build"),
        ("payload.steps.²", ""),
        ("payload.steps." + "9" * 5_000, ""),
        ("payload.title.deeper.0", ""),
        ("payload.missing", ""),
        ("payload.id", "1841"),
        ("payload.steps.0.ok", "true"),
        ("header.x-delivery", "7f0c"),
        ("header.X-DELIVERY", "7f0c"),
        ("header.X-Missing", ""),
        ("a word of one's own", "a word of one's own"),
        ("payloads.title", "payloads.title"),
        ("", ""),
    ],
)
def test_a_place_leads_to_a_word_or_to_nothing(place: str, found: str) -> None:
    assert event(DEPLOY, title=place).title == found


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("text", "text"),
        ("a\0b\ud83d", "ab"),
        (5, "5"),
        (-0.5, "-0.5"),
        (10**400, str(10**400)),
        (True, "true"),
        (False, "false"),
        (None, ""),
    ],
)
def test_numbers_and_booleans_become_text(value: object, text: str) -> None:
    assert event(posted({"a": value}), title="payload.a").title == text


@pytest.mark.parametrize("place", ["payload.0", "payload.0.name", "payload.name"])
@pytest.mark.parametrize("body", ["text", 5, None, True, [], [None], 1.5])
def test_a_place_in_what_has_no_places_is_empty(body: object, place: str) -> None:
    assert event(posted(body), title=place).title == ""


def test_a_list_may_be_the_whole_body() -> None:
    found = event(stored("json/list__top_level"), title="payload.1.name")

    assert found.title == "second"
    assert found.payload == [{"name": "first"}, {"name": "second"}]


def test_a_number_may_be_a_key_of_an_object() -> None:
    assert event(posted({"0": {"a": "b"}}), title="payload.0.a").title == "b"


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("payload", "payload. goes on with a key"),
        ("payload.", "payload. goes on with a key"),
        ("payload..a", "payload. goes on with a key"),
        ("payload.a.", "payload. goes on with a key"),
        ("header", "header. goes on with the name of a header"),
        ("header.", "header. goes on with the name of a header"),
        ("header.X Name", "header. goes on with the name of a header"),
        ("header.X-Name:", "header. goes on with the name of a header"),
        ("header.Authorization", "holds a credential"),
        ("header.cookie", "holds a credential"),
        (5, "must be text"),
        (None, "must be text"),
        (["payload.a", 5], "must be text"),
        ([], "must be a list of one to 20 places"),
        (["payload.a"] * 21, "must be a list of one to 20 places"),
        ([["payload.a"]], "is a list in a list"),
        (["payload.a", "header.Cookie"], "holds a credential"),
        ("{{ payload.a", "double braces that do not pair"),
        ("payload.a }}", "double braces that do not pair"),
        ("{{ payload.a }} }}", "double braces that do not pair"),
        ("{{ payload.a | upper }}", "filters are for templates"),
        ("{{ payload.a or payload.b }}", "filters are for templates"),
        ("{{ event.title }}", "filters are for templates"),
        ("{{ }}", "filters are for templates"),
        ("{{ payload. }}", "payload. goes on with a key"),
        ("{{ header.Cookie }}", "holds a credential"),
        ("{{ payload.a }}" * 41, "has more than 20 places"),
    ],
)
@pytest.mark.parametrize("word", ["event", "title", "labels"])
def test_a_malformed_place_is_refused_at_load(word: str, written: object, sentence: str) -> None:
    if (word, written) == ("labels", None):
        return
    with pytest.raises(ValidationError, match=sentence):
        options(**{word: written})


@pytest.mark.parametrize("written", ["labels", "header.X-Labels", "", "payload.*", "{{ payload.a }}", ["payload.a"]])
def test_labels_are_an_object_of_the_body(written: str) -> None:
    with pytest.raises(ValidationError, match=r"such as payload\.labels"):
        options(labels=written)


def test_the_options_have_a_json_schema_and_print_as_they_were_written() -> None:
    schema = json_source.Options.model_json_schema()["properties"]["title"]
    assert [each["type"] for each in schema["anyOf"]] == ["string", "array"]
    for written in ("payload.a.0", "{{ payload.a }}!", ["payload.a", "header.X-A", "nothing"]):
        assert options(title=written).model_dump(mode="json")["title"] == written
        assert options(title=options(title=written).title) == options(title=written)


# ── Several values, several places ────────────────────────────────────────────────────────────────────────────

BUILD = posted(
    {
        "id": 7,
        "reviews": [{"user": {"email": "ivan@example.com"}}, {"user": {"email": "olga@example.com"}}, {"user": None}],
        "teams": {"web": {"owner": "dana"}, "db": {"owner": "ivan, olga"}},
        "commits": [{"files": ["a.py", "b.py"]}, {"files": ["b.py"]}],
        "when": 1795417478,
        "empty": "",
    }
)


@pytest.mark.parametrize(
    ("place", "people"),
    [
        ("payload.reviews.*.user.email", ("ivan@example.com", "olga@example.com")),
        ("payload.teams.*.owner", ("dana", "ivan", "olga")),
        ("payload.commits.*.files", ("a.py", "b.py")),
        ("payload.commits.*.files.*", ("a.py", "b.py")),
        ("payload.*.web.owner", ("dana",)),
        ("payload.missing.*.x", ()),
        ("payload.id.*", ()),
        (["payload.missing.*", "payload.teams.web.owner", "payload.id"], ("dana",)),
        ("{{ payload.teams.web.owner }}@example.com", ("dana@example.com",)),
    ],
)
def test_people_may_stand_in_several_places(place: str | list[str], people: tuple[str, ...]) -> None:
    assert event(BUILD, reviewers=place).reviewers == people


@pytest.mark.parametrize(
    ("place", "word"),
    [
        ("payload.reviews.*.user.email", "ivan@example.com, olga@example.com"),
        ("Build {{ payload.id }}", "Build 7"),
        ("{{payload.id}}/{{  payload.teams.web.owner  }}", "7/dana"),
        ("{{ payload.missing }}/{{ payload.id }}", "/7"),
        ("Build {{ payload.missing }} of {{ payload.empty }}", ""),
        ("a { brace } stays: {{ payload.id }}", "a { brace } stays: 7"),
        (["payload.missing", "payload.empty", "payload.id"], "7"),
        (["payload.missing", "Build {{ payload.empty }}", "nothing found"], "nothing found"),
        (["payload.missing", "payload.empty"], ""),
        ("payload.when.*", ""),
    ],
)
def test_a_word_may_be_made_of_several_places_or_the_first_of_them(place: str | list[str], word: str) -> None:
    assert event(BUILD, title=place).title == word


def test_the_tag_of_nothing_is_nothing_and_replaces_nothing() -> None:
    assert event(BUILD, tag="build {{ payload.missing }}").key == ""
    assert event(BUILD, tag="build {{ payload.id }}").key == "deploys:build 7"


@pytest.mark.parametrize("value", [5, "5", "-5"])
def test_a_number_is_a_whole_number(value: object) -> None:
    assert event(posted({"n": value}), number="payload.n").number == int(str(value))


@pytest.mark.parametrize("value", ["PR-5", 1.5, True, "5" * 19, "٥"])
def test_what_is_no_whole_number_is_refused_by_its_place(value: object) -> None:
    with pytest.raises(NotUnderstood, match=r"^payload\.n is not a whole number"):
        event(posted({"n": value}), number="payload.n")


def test_the_remaining_words_are_taken_as_they_stand() -> None:
    found = event(
        BUILD,
        started_at="payload.when",
        conclusion="payload.id",
        base_branch="main",
        paths="payload.commits.*.files",
        mentioned="payload.teams.*.owner",
        committers="ivan, olga",
    )

    assert found.started_at == "2026-11-23T07:04:38+00:00"
    assert (found.conclusion, found.base_branch, found.paths) == ("7", "main", ("a.py", "b.py"))
    assert (found.mentioned, found.committers, found.number) == (("dana", "ivan", "olga"), ("ivan", "olga"), None)


# ── Forms ─────────────────────────────────────────────────────────────────────────────────────────────────────

FORM = stored("json/form__urlencoded")


def test_the_fields_of_a_form_are_texts() -> None:
    found = event(FORM, title="payload.title", state="payload.status", actor="payload.by")

    assert (found.title, found.state, found.actor) == ("Deploy of shop упал", "firing", "ivan")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", b"other=1&payload=%7B%22a%22%3A+%22b%22%7D&payload=second"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n\xff\r\n'
            b'--x\r\nContent-Disposition: form-data; name="payload"\r\n\r\n{"a": "b"}\r\n--x--\r\n',
        ),
        ("application/json", b'{"a": "b"}'),
        ("application/x-www-form-urlencoded", b' {"a": "b"}'),  # as `curl --data` says
        ("", b'{"a": "b"}'),
    ],
)
def test_the_json_in_a_form_is_taken_from_the_field_that_is_named(content_type: str, body: bytes) -> None:
    found = event(posted(body, {"content-type": content_type}), form="payload", title="payload.a")

    assert (found.title, found.payload) == ("b", {"a": "b"})


@pytest.mark.parametrize(
    ("content_type", "body", "sentence"),
    [
        ("application/x-www-form-urlencoded", b"other=1", "the form has no field payload"),
        ("application/x-www-form-urlencoded", b"payload=text", "not valid JSON"),
        ("application/x-www-form-urlencoded", b"payload=%FF", "the form cannot be read"),
        ("application/x-www-form-urlencoded", b"a=1&" * 201, "the form cannot be read"),
        ("multipart/form-data", b"--x--", "the form cannot be read|no field"),
        ("multipart/form-data; boundary=x", b"nothing of the kind", "the form cannot be read|no field"),
    ],
)
def test_a_form_that_holds_no_json_is_refused(content_type: str, body: bytes, sentence: str) -> None:
    with pytest.raises(NotUnderstood, match=sentence):
        event(posted(body, {"content-type": content_type}), form="payload")


# ── Words ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("firing", ["firing", "Alerting", "PROBLEM", "down", "failed", "failure", "error", " Down "]),
        ("resolved", ["resolved", "OK", "up", "Recovery", "recovered", "success"]),
        ("open", ["open", "opened", "reopened"]),
        ("closed", ["closed", "Closed"]),
        ("info", ["", "info", "1", "started", "okay", "сбой"]),
    ],
)
def test_the_senders_words_become_five_states(state: str, words: list[str]) -> None:
    for word in words:
        assert event(posted({"s": word}), state="payload.s").state == state


def test_a_sender_s_own_words_become_states_as_the_source_says() -> None:
    own: dict[object, str] = {2: "firing", "Critical": "firing", True: "open", "ok": "info"}

    for said, state in [(2, "firing"), ("2", "firing"), (" CRITICAL ", "firing"), (True, "open"), ("ok", "info")]:
        assert event(posted({"s": said}), state="payload.s", states=own).state == state
    assert event(posted({"s": "down"}), state="payload.s", states=own).state == "firing"


@pytest.mark.parametrize("states", [{"2": "on fire"}, ["firing"], "firing", {"2": None}])
def test_states_are_the_relay_s_five(states: object) -> None:
    with pytest.raises(ValidationError, match="states"):
        options(state="payload.s", states=states)


@pytest.mark.parametrize("address", ["javascript:alert(1)", "ftp://example.com", "https://", "example.com/x"])
def test_an_address_that_is_not_of_the_web_is_left_out(address: str) -> None:
    assert event(posted({"u": address}), url="payload.u").url == ""


@pytest.mark.parametrize(
    ("value", "people"),
    [
        (["ivan", "olga@example.com"], ("ivan", "olga@example.com")),
        ("ivan, acme/backend,", ("ivan", "acme/backend")),
        (["ivan", "", None, " olga "], ("ivan", "olga")),
        (17, ("17",)),
        ([17], ("17",)),
        (None, ()),
        ("", ()),
        ([], ()),
    ],
)
def test_people_are_a_list_or_a_text_with_commas(value: object, people: tuple[str, ...]) -> None:
    found = event(posted({"p": value}), assignees="payload.p", owner="payload.p")

    assert found.assignees == people
    assert found.owners == people


@pytest.mark.parametrize(
    ("labels", "kept"),
    [
        ({"a": "b", "n": 1, "t": True, "none": None}, {"a": "b", "n": "1", "t": "true", "none": ""}),
        ({"a": "b", "deep": {"c": 1}, "list": [1]}, {"a": "b"}),
        ({}, {}),
        (None, {}),
    ],
)
def test_labels_are_the_flat_values_of_an_object(labels: object, kept: dict[str, str]) -> None:
    assert event(posted({"l": labels}), labels="payload.l").labels == kept


@pytest.mark.parametrize("word", ALL_WORDS)
@pytest.mark.parametrize("value", [{}, {"a": 1}])
def test_an_object_where_a_word_should_be_is_refused_by_its_place(word: str, value: object) -> None:
    with pytest.raises(NotUnderstood, match=r"^payload\.a\.b is not text"):
        event(posted({"a": {"b": value}}), **{word: "payload.a.b"})


@pytest.mark.parametrize("value", [[], "text", 5, [{"tag": "team", "value": "ops"}]])
def test_labels_that_are_no_object_are_refused_by_their_place(value: object) -> None:
    with pytest.raises(NotUnderstood, match=r"^payload\.a is not an object"):
        event(posted({"a": value}), labels="payload.a")


# ── The same delivery, the same thing ─────────────────────────────────────────────────────────────────────────


def test_a_sender_s_own_id_tells_deliveries_apart_for_good() -> None:
    reading = json_source.read("deploys", options(key="payload.id"), DEPLOY)
    other = json_source.read("deploys", options(key="payload.id"), changed(DEPLOY, title="other", phase="x"))

    assert (reading.delivery, reading.window) == ("1841", None)
    assert other.delivery == reading.delivery


def test_where_the_id_is_missing_the_body_tells_for_a_minute() -> None:
    for request in (changed(DEPLOY, id=None), changed(DEPLOY, id="")):
        reading = json_source.read("deploys", options(key="payload.id"), request)

        assert (reading.delivery, reading.window) == (sha256(request.body), 60)


def test_what_an_event_is_about_is_told_within_its_source() -> None:
    assert event(DEPLOY, tag="payload.service").key == "deploys:shop"
    assert event(DEPLOY, tag="").key == ""
    assert event(DEPLOY, tag="payload.missing").key == ""


def test_no_id_and_no_key_is_longer_than_an_index_takes() -> None:
    found = event(posted({"k": "я" * 5_000}), key="payload.k", tag="payload.k")

    assert len(found.key) <= 200
    assert len(found.delivery) <= 200
    assert found.key != event(posted({"k": "я" * 5_001}), tag="payload.k").key


# ── Real shapes ───────────────────────────────────────────────────────────────────────────────────────────────


def test_healthchecks_sends_no_content_type() -> None:
    request = stored("json/healthchecks__down")
    found = event(request, event="check", state="payload.status", tag="payload.code", title="payload.name")

    assert "content-type" not in request.headers
    assert (found.event, found.state, found.title) == ("check", "firing", "Nightly «backup» — БД")


def test_zabbix_sends_the_person_in_the_body() -> None:
    found = event(
        stored("json/zabbix__problem"),
        state="payload.event_status",
        severity="payload.event_severity",
        owner="payload.to",
        tag="payload.event_id",
    )

    assert (found.state, found.severity, found.owners, found.key) == (
        "firing",
        "High",
        ("ivan@example.com",),
        "deploys:17",
    )


def test_uptime_kuma_s_monitor_is_a_tag() -> None:
    found = event(stored("json/uptime_kuma__down"), tag="payload.monitor.id", title="payload.msg")

    assert (found.key, found.title) == ("deploys:3", "[Shop front] [🔴 Down] connect ECONNREFUSED")


# ── Credentials ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "no credentials: give bearer or basic or token or hmac or standard_webhooks, or open: true"),
        ({"open": True, "bearer": "t"}, "open: true lets anybody in, bearer does not"),
        ({"bearer": "t", "basic": {"username": "u", "password": "p"}}, "fill the same Authorization header"),
        ({"bearer": "t", "token": {"header": "authorization", "value": "v"}}, "token.header is Authorization"),
        ({"hmac": {"secret": "s"}}, "header"),
        ({"hmac": {"secret": "s", "header": "X", "algorithm": "md5"}}, "'sha256', 'sha1', 'sha384' or 'sha512'"),
        ({"hmac": {"secret": "s", "header": "X", "encoding": "hexx"}}, "'hex' or 'base64'"),
        ({"bearer": "t", "hmac": {"secret": "s", "header": "Authorization"}}, "hmac.header is a header that another"),
        (
            {"token": {"header": "X-A", "value": "v"}, "hmac": {"secret": "s", "header": "x-a"}},
            "hmac.header is a header that another",
        ),
        (
            {"standard_webhooks": {"secret": "whsec_MDEy"}, "hmac": {"secret": "s", "header": "Webhook-Signature"}},
            "hmac.header is a header that another",
        ),
        ({"standard_webhooks": {"secret": "short?"}}, "is no secret of Standard Webhooks"),
        ({"hmac": {"secret": "", "header": "X-Sign"}}, "is empty"),
        ({"token": {"header": "X-Token", "value": ""}}, "is empty"),
        ({"token": {"header": "X Token", "value": "v"}}, "pattern"),
        ({"open": True, "tittle": "payload.a"}, "Extra inputs"),
    ],
)
def test_options_that_contradict_or_say_nothing_are_refused(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        json_source.Options.model_validate({"type": "json", **values})


WAYS: list[dict[str, Any]] = [
    {"bearer": ["new", "old"]},
    {"basic": {"username": "deployer", "password": "p:ароль"}},
    {"hmac": {"secret": ["new", "old"], "header": "X-Signature"}},
    {"hmac": {"secret": "s", "header": "X-Hub-Signature-256", "prefix": "sha256="}},
    {"hmac": {"secret": "s", "header": "X-Shopify-Hmac-Sha256", "encoding": "base64"}},
    {"hmac": {"secret": "s", "header": "X-Hub-Signature", "prefix": "sha1=", "algorithm": "sha1"}},
    {"hmac": {"secret": ["new", "old"], "header": "X-S", "algorithm": "sha512", "encoding": "base64"}},
    {"standard_webhooks": {"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, "bearer": "t"},
    {"token": {"header": "X-Relay-Token", "value": ["new", "old"]}},
    {"token": {"header": "Authorization", "value": "zabbix-token"}},
    {"hmac": {"secret": "s", "header": "X-Signature"}, "bearer": "t"},
    {"open": True},
]


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_request_is_believed_as_the_sender_would_sign_it(way: dict[str, Any]) -> None:
    chosen = options(**way)

    json_source.verify(chosen, with_headers(DEPLOY, json_source.sign(chosen, DEPLOY, 0)), 0)


@pytest.mark.parametrize("way", WAYS[:-1], ids=str)
def test_every_header_that_is_signed_is_asked_for_whole(way: dict[str, Any]) -> None:
    chosen = options(**way)
    signed = json_source.sign(chosen, DEPLOY, 0)

    for name, value in signed.items():
        for wrong in ("", value[:-1], value + "0", "sha256="):
            with pytest.raises(Unauthorized):
                json_source.verify(chosen, posted(DEPLOY.body, {**signed, name: wrong}), 0)
        with pytest.raises(Unauthorized):
            json_source.verify(chosen, posted(DEPLOY.body, {k: v for k, v in signed.items() if k != name}), 0)


def test_a_signature_without_its_prefix_is_refused() -> None:
    chosen = options(hmac={"secret": "s", "header": "X-Signature", "prefix": "sha256="})
    (signature,) = json_source.sign(chosen, DEPLOY, 0).values()

    for wrong in (signature.removeprefix("sha256="), signature.replace("sha256=", "sha1=")):
        with pytest.raises(Unauthorized, match="prefix"):
            json_source.verify(chosen, posted(DEPLOY.body, {"x-signature": wrong}), 0)


def test_a_signature_covers_every_byte_of_the_body() -> None:
    chosen = options(hmac={"secret": "s", "header": "X-Signature"})
    signed = with_headers(DEPLOY, json_source.sign(chosen, DEPLOY, 0))

    with pytest.raises(Unauthorized):
        json_source.verify(chosen, replace(signed, body=signed.body + b"\n"), 0)


def test_options_that_slipped_past_the_check_still_let_nobody_in() -> None:
    with pytest.raises(Unauthorized):
        json_source.verify(json_source.Options.model_construct(type="json"), DEPLOY, 0)


# ── Anything at all ───────────────────────────────────────────────────────────────────────────────────────────

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=15,
)
ANY_PLACE = st.lists(st.sampled_from(["a", "b", "0", "1"]), min_size=1, max_size=3).map(
    lambda steps: "payload." + ".".join(steps)
)


@given(ANY_JSON, st.fixed_dictionaries(dict.fromkeys((*ALL_WORDS, "labels"), ANY_PLACE)))
@settings(deadline=None, max_examples=200)
def test_any_json_is_read_or_refused_by_any_places(data: Any, chosen: dict[str, str]) -> None:
    try:
        found = event(posted(data), **chosen)
    except NotUnderstood:
        return
    assert found.payload == data
    assert len(found.key) <= 200


BODY = json.loads(DEPLOY.body)


@given(st.sampled_from(places(BODY)), st.sampled_from(WRONG_TYPES))
@settings(deadline=None, max_examples=300)
def test_a_body_with_one_value_of_another_type_is_read_or_refused(path: tuple[str | int, ...], value: object) -> None:
    try:
        found = event(posted(swapped(BODY, path, value)), **PLACED)
    except NotUnderstood:
        return
    assert found.source == "deploys"


@given(st.binary(max_size=100))
@settings(deadline=None)
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        found = event(posted(body), **PLACED)
    except NotUnderstood:
        return
    assert found.type == "json"
