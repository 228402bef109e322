"""CloudEvents: three modes, the attributes in headers, the same event twice, and the handshake."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from relay.errors import NotUnderstood, Refused, Unauthorized, UnsupportedMedia
from relay.model import Event, Request
from relay.sources import cloudevents
from tests.sources.posts import WRONG_TYPES, changed, places, posted, stored, swapped, with_headers

BINARY = stored("cloudevents/binary")
STRUCTURED = stored("cloudevents/structured")
BATCH = stored("cloudevents/batch")
JSON_EVENT = {"content-type": "application/cloudevents+json"}
JSON_BATCH = {"content-type": "application/cloudevents-batch+json"}
LEAST = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}
LEAST_HEADERS = {f"ce-{name}": value for name, value in LEAST.items()}


def options(**values: Any) -> cloudevents.Options:
    proof = {} if {"bearer", "hmac", "standard_webhooks"} & values.keys() else {"open": True}
    return cloudevents.Options.model_validate({"type": "cloudevents", **proof, **values})


def events(request: Request, **values: Any) -> tuple[Event, ...]:
    return cloudevents.read("events", options(**values), request).events


def event(request: Request, **values: Any) -> Event:
    (only,) = events(request, **values)
    return only


def delivery(request: Request) -> str:
    return cloudevents.read("events", options(), request).delivery


# ── Three modes ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_binary_event_has_its_attributes_in_headers() -> None:
    found = event(BINARY)

    assert (found.type, found.event, found.title) == ("cloudevents", "com.example.order.failed", "order № 42")
    assert (found.key, found.severity) == ("events:/shop/orders:order № 42", "error")
    assert found.started_at == "2026-11-23T07:04:50Z"
    assert found.delivery == "1234-5678"
    assert found.payload == {
        "specversion": "1.0",
        "id": "1234-5678",
        "source": "/shop/orders",
        "type": "com.example.order.failed",
        "subject": "order № 42",
        "time": "2026-11-23T07:04:50Z",
        "severitytext": "error",
        "datacontenttype": "application/json",
        "data": {"order": 42, "reason": "карта отклонена", "status": "failed"},
    }


def test_a_structured_event_is_one_object() -> None:
    found = event(STRUCTURED)

    assert (found.event, found.title) == ("com.example.order.paid", "order № 42")
    assert found.payload == json.loads(STRUCTURED.body)


def test_what_a_subject_is_about_is_replaced_by_the_next_event_of_it() -> None:
    assert event(STRUCTURED).key == event(BINARY).key


def test_a_batch_is_several_events_of_one_delivery() -> None:
    reading = cloudevents.read("events", options(), BATCH)

    assert [each.title for each in reading.events] == ["order № 42", "order № 43", "com.example.stock.low"]
    assert [each.delivery for each in reading.events] == ["1234-5679", "1234-5680", "1"]
    assert reading.events[2].text == "только 3 шт."
    assert reading.events[2].key == "events:/shop/stock:com.example.stock.low"
    assert reading.window is None


def test_of_two_events_of_a_batch_with_one_source_and_id_the_first_is_taken() -> None:
    body = [{**LEAST, "subject": "first"}, {**LEAST, "subject": "second"}, {**LEAST, "source": "/other"}]

    assert [each.title for each in events(posted(body, JSON_BATCH))] == ["first", "t"]


def test_an_empty_batch_is_allowed_and_says_so() -> None:
    (found,) = events(posted([], JSON_BATCH))

    assert (found.event, found.action, found.state) == ("batch", "empty", "info")


def test_an_event_is_the_same_whichever_way_it_comes() -> None:
    alone, batched, binary = (
        posted(LEAST, JSON_EVENT),
        posted([LEAST], JSON_BATCH),
        posted(b"", {**LEAST_HEADERS, "content-type": "application/json"}),
    )

    assert delivery(alone) == delivery(batched) == delivery(binary)


@pytest.mark.parametrize("attribute", ["id", "source"])
def test_source_and_id_tell_events_apart_and_nothing_else_does(attribute: str) -> None:
    assert delivery(changed(STRUCTURED, **{attribute: "other"})) != delivery(STRUCTURED)
    assert delivery(changed(STRUCTURED, time="2026-11-24T07:09:50Z", data={})) == delivery(STRUCTURED)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/cloudevents+json; charset=UTF-8",
        "Application/CloudEvents+JSON",
        "application/cloudevents",
        " application/cloudevents+json ",
    ],
)
def test_the_content_type_is_read_as_http_writes_it(content_type: str) -> None:
    assert event(posted(LEAST, {"content-type": content_type})).event == "t"


@pytest.mark.parametrize(
    "content_type",
    ["application/cloudevents+avro", "application/cloudevents-batch+protobuf", "application/cloudevents+xml"],
)
def test_another_format_is_refused_as_the_specification_asks(content_type: str) -> None:
    with pytest.raises(UnsupportedMedia, match="only JSON"):
        events(posted(LEAST, {**LEAST_HEADERS, "content-type": content_type}))


# ── Headers ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),  # HTTP Protocol Binding §3.1.3.2
        ('"Euro € 😀"', "Euro € 😀"),
        (r'"a \"b\" \\ c"', r'a "b" \ c'),
        ('"50%25"', "50%"),
        ("%2541", "%41"),
        ("%e2%82%ac", "€"),
        ("%41", "A"),
        ("100%", "100%"),
        ('"', '"'),
        (" a ", "a"),
    ],
)
def test_a_header_is_unquoted_and_decoded_once(header: str, value: str) -> None:
    assert event(posted(b"", {**LEAST_HEADERS, "ce-subject": header})).title == value


@pytest.mark.parametrize("header", ["%C0%A0", "%FF", "\udcff"])
def test_bytes_that_are_no_utf8_are_refused_by_their_header(header: str) -> None:
    with pytest.raises(NotUnderstood, match="ce-subject is not UTF-8"):
        event(posted(b"", {**LEAST_HEADERS, "ce-subject": header}))


@pytest.mark.parametrize("name", ["ce-some_thing", "ce-", "ce-with-dash", "xce-a"])
def test_a_header_that_names_no_attribute_is_left_out(name: str) -> None:
    assert event(posted(b"", {**LEAST_HEADERS, name: "%FF"})).payload == LEAST


@pytest.mark.parametrize(
    ("content_type", "body", "data"),
    [
        ("application/json", b"[1]", {"data": [1]}),
        ("application/vnd.acme+json", b"{}", {"data": {}}),
        ("text/plain; charset=utf-8", "да".encode(), {"data": "да"}),
        ("text/plain", b"\xff", {"data": "\ufffd"}),
        ("application/xml", b"<a/>", {"data": "<a/>"}),
        ("image/png", b"\x89PNG", {"data_base64": base64.b64encode(b"\x89PNG").decode()}),
        ("application/json", b"", {}),
    ],
)
def test_the_body_is_the_data(content_type: str, body: bytes, data: dict[str, Any]) -> None:
    payload = event(posted(body, {**LEAST_HEADERS, "content-type": content_type})).payload

    assert {key: value for key, value in payload.items() if key.startswith("data") and key != "datacontenttype"} == data


def test_data_in_base64_is_decoded_where_its_type_is_known() -> None:
    encoded = {"data_base64": base64.b64encode(b'{"a": 1}').decode()}

    assert event(posted({**LEAST, **encoded}, JSON_EVENT)).payload["data"] == {"a": 1}
    assert "data" not in event(posted({**LEAST, **encoded, "datacontenttype": "image/png"}, JSON_EVENT)).payload


# ── What is no CloudEvent ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("attribute", LEAST)
@pytest.mark.parametrize("value", [None, "", 5, [], {}])
def test_what_every_event_has_is_asked_for_by_its_place(attribute: str, value: object) -> None:
    with pytest.raises(NotUnderstood, match=f"^{attribute} is not text"):
        event(posted({**LEAST, attribute: value}, JSON_EVENT))
    with pytest.raises(NotUnderstood, match=rf"^1\.{attribute} is not text"):
        events(posted([LEAST, {**LEAST, attribute: value}], JSON_BATCH))


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        (posted({**LEAST, "specversion": "0.3"}, JSON_EVENT), "^specversion is not 1.0"),
        (posted([LEAST], JSON_EVENT), "not an object"),
        (posted(LEAST, JSON_BATCH), "^the body is not a list"),
        (posted([LEAST, 5], JSON_BATCH), "^1 is not an object"),
        (posted({**LEAST, "subject": {}}, JSON_EVENT), r"^payload\.subject is not text"),
        (posted({**LEAST, "data_base64": "?"}, JSON_EVENT), "^data_base64 is not base64"),
        (posted({**LEAST, "data_base64": 5}, JSON_EVENT), "^data_base64 is not text"),
        (posted(LEAST, {"content-type": "application/json"}), "a CloudEvent is expected"),
        (posted(LEAST), "a CloudEvent is expected"),
        (posted(b"{", {**LEAST_HEADERS, "content-type": "application/json"}), "not valid JSON"),
    ],
)
def test_another_body_is_refused_with_the_place(request_: Request, sentence: str) -> None:
    with pytest.raises(NotUnderstood, match=sentence):
        events(request_)


BODY = [{**json.loads(STRUCTURED.body), "data_base64": None}, LEAST]


@given(st.sampled_from(places(BODY)), st.one_of(st.sampled_from(WRONG_TYPES), st.text(max_size=30)))
@settings(deadline=None, max_examples=300)
def test_any_value_anywhere_is_read_or_refused(path: tuple[str | int, ...], value: Any) -> None:
    try:
        found = events(posted(swapped(BODY, path, value), JSON_BATCH), state="payload.data.status")
    except NotUnderstood:
        return
    assert all(len(each.key) <= 200 for each in found)


@given(st.text(max_size=40), st.binary(max_size=40), st.sampled_from(["", "text/x", "application/json", "a/b+json"]))
@settings(deadline=None)
def test_any_header_and_body_are_read_or_refused(header: str, body: bytes, content_type: str) -> None:
    try:
        found = event(posted(body, {**LEAST_HEADERS, "ce-subject": header, "content-type": content_type}))
    except Refused:
        return
    assert found.event == "t"


# ── Words ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_words_of_the_data_are_where_the_source_says() -> None:
    found = event(
        BINARY,
        state="payload.data.status",
        text="payload.data.reason",
        tag="order {{ payload.data.order }}",
        title=["payload.data.missing", "payload.subject"],
    )

    assert (found.state, found.text, found.key) == ("firing", "карта отклонена", "events:order 42")
    assert found.title == "order № 42"


# ── Credentials and the handshake ─────────────────────────────────────────────────────────────────────────────


def test_a_bearer_is_asked_for() -> None:
    chosen = options(bearer="t")

    cloudevents.verify(chosen, with_headers(BINARY, cloudevents.sign(chosen, BINARY, 0)), 0)
    with pytest.raises(Unauthorized):
        cloudevents.verify(chosen, BINARY, 0)


@pytest.mark.parametrize(
    ("values", "asked", "granted"),
    [
        ({}, {"webhook-request-origin": "a.example"}, ("a.example", "*")),
        ({}, {"webhook-request-origin": "a.example", "webhook-request-rate": "120"}, ("a.example", "*")),
        ({"rate": 60}, {"webhook-request-origin": "a.example"}, ("a.example", "60")),
        ({"origins": "A.example"}, {"webhook-request-origin": "a.example"}, ("a.example", "*")),
        ({"origins": ["b.example", "a.example"]}, {"webhook-request-origin": "a.example"}, ("a.example", "*")),
        ({"origins": "b.example"}, {"webhook-request-origin": "a.example"}, None),
        ({}, {}, None),
        ({}, {"webhook-request-origin": ""}, None),
        ({}, {"webhook-request-origin": "a\r\nset-cookie: b"}, None),
        ({}, {"webhook-request-origin": "a" * 254}, None),
        ({}, {"webhook-request-callback": "https://a.example/confirm"}, None),
    ],
)
def test_who_may_post_is_answered(values: Any, asked: dict[str, str], granted: tuple[str, str] | None) -> None:
    answer = cloudevents.handshake(options(**values), asked)

    expected = dict(zip(("WebHook-Allowed-Origin", "WebHook-Allowed-Rate"), granted, strict=True)) if granted else {}
    assert answer == expected


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "no credentials: give bearer"),
        ({"open": True, "origins": []}, "at least 1 item"),
        ({"open": True, "origins": ["a b"]}, "pattern"),
        ({"open": True, "rate": 0}, "greater than or equal to 1"),
        ({"open": True, "key": "payload.id"}, "Extra inputs"),
    ],
)
def test_options_that_contradict_or_say_nothing_are_refused(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        cloudevents.Options.model_validate({"type": "cloudevents", **values})
