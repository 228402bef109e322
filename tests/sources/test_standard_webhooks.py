"""Standard Webhooks: its signature, to the published vector, and the events of a sender that keeps to it."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from relay.errors import NotUnderstood, Unauthorized
from relay.model import Event, Request
from relay.settings import Secret
from relay.sources import json_source, standard_signature, standard_webhooks
from relay.sources.identity import sha256
from tests.sources.posts import changed, posted, stored, with_headers

# Published: the specification's example, which its libraries and Svix's have as their test.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW = 1_614_265_330
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": str(NOW),
    "webhook-signature": SIGNATURE,
}
VECTOR = posted(b'{"test": 2432232314}', HEADERS)
OTHER = "whsec_" + base64.b64encode(b"another key of 32 bytes, no less").decode()
INVOICE = stored("standard-webhooks/invoice__paid")


def options(**values: Any) -> standard_webhooks.Options:
    given_any = {"secret", "open"} & values.keys()
    return standard_webhooks.Options.model_validate(
        {"type": "standard-webhooks", **({} if given_any else {"secret": SECRET}), **values}
    )


def event(request: Request, **values: Any) -> Event:
    (only,) = standard_webhooks.read("payments", options(**values), request).events
    return only


# ── The signature ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("secret", [SECRET, SECRET.removeprefix("whsec_"), f" {SECRET}\n"])
def test_the_published_vector_is_made_and_accepted(secret: str) -> None:
    made = standard_signature.signature(Secret(secret), HEADERS["webhook-id"], str(NOW), VECTOR.body)

    assert made == SIGNATURE
    standard_webhooks.verify(options(secret=secret), VECTOR, NOW)


def test_svix_s_own_names_of_the_headers_are_known() -> None:
    svix = {name.replace("webhook", "svix"): value for name, value in HEADERS.items()}

    standard_webhooks.verify(options(), posted(VECTOR.body, svix), NOW)


@pytest.mark.parametrize("seconds", [-300, -1, 0, 299.9, 300])
def test_a_signature_of_the_last_and_next_five_minutes_is_good(seconds: float) -> None:
    standard_webhooks.verify(options(), VECTOR, NOW + seconds)


@pytest.mark.parametrize("seconds", [-86400, -301, 301, 3600])
def test_a_replay_is_refused(seconds: float) -> None:
    with pytest.raises(Unauthorized, match="5 minutes off"):
        standard_webhooks.verify(options(), VECTOR, NOW + seconds)


@pytest.mark.parametrize(
    "entries",
    [
        [SIGNATURE, "v1,AAAA"],
        ["v1,AAAA", SIGNATURE],
        ["v1a,AAAA", "v9,AAAA", "nonsense", SIGNATURE],
    ],
)
def test_while_the_sender_changes_its_secret_one_of_its_signatures_is_enough(entries: list[str]) -> None:
    standard_webhooks.verify(options(), with_headers(VECTOR, {"webhook-signature": " ".join(entries)}), NOW)


def test_while_we_change_the_secret_the_old_and_the_new_are_good() -> None:
    both = options(secret=[OTHER, SECRET])
    signed = with_headers(VECTOR, standard_webhooks.sign(both, VECTOR, NOW))

    standard_webhooks.verify(both, VECTOR, NOW)
    standard_webhooks.verify(both, signed, NOW)
    with pytest.raises(Unauthorized):
        standard_webhooks.verify(options(secret=SECRET), signed, NOW)


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("value", [None, "", "  "])
def test_every_header_is_asked_for(header: str, value: str | None) -> None:
    headers = {name: given for name, given in {**HEADERS, header: value}.items() if given is not None}

    with pytest.raises(Unauthorized, match=f"{header} is missing or empty"):
        standard_webhooks.verify(options(), posted(VECTOR.body, headers), NOW)


@pytest.mark.parametrize(
    ("header", "value", "sentence"),
    [
        ("webhook-timestamp", "now", "Unix seconds"),
        ("webhook-timestamp", f"{NOW}.0", "Unix seconds"),
        ("webhook-timestamp", f"-{NOW}", "Unix seconds"),
        ("webhook-timestamp", "١٦١٤٢٦٥٣٣٠", "Unix seconds"),
        ("webhook-timestamp", "9" * 5_000, "Unix seconds"),
        ("webhook-timestamp", str(NOW + 1), "no v1 signature"),
        ("webhook-id", "msg_other", "no v1 signature"),
        ("webhook-signature", SIGNATURE.removeprefix("v1,"), "no v1 signature"),
        ("webhook-signature", SIGNATURE.replace("v1,", "v1a,"), "no v1 signature"),
        ("webhook-signature", SIGNATURE.replace("v1,", "v2,"), "no v1 signature"),
        ("webhook-signature", SIGNATURE[:-1], "no v1 signature"),
        ("webhook-signature", SIGNATURE.lower(), "no v1 signature"),
        ("webhook-signature", "v1,", "no v1 signature"),
        ("webhook-signature", "v1,подпись \udcff", "no v1 signature"),
    ],
)
def test_what_is_not_exactly_right_is_refused(header: str, value: str, sentence: str) -> None:
    with pytest.raises(Unauthorized, match=sentence):
        standard_webhooks.verify(options(), with_headers(VECTOR, {header: value}), NOW)


def test_the_signature_covers_every_byte_of_the_body() -> None:
    with pytest.raises(Unauthorized):
        standard_webhooks.verify(options(), replace(VECTOR, body=VECTOR.body + b" "), NOW)


def test_a_public_key_s_signature_is_passed_over_and_not_believed() -> None:
    with pytest.raises(Unauthorized):
        standard_webhooks.verify(options(), with_headers(VECTOR, {"webhook-signature": "v1a,AAAA"}), NOW)


@pytest.mark.parametrize("request_", [VECTOR, posted(b"{}"), posted(b"")])
def test_what_the_relay_signs_it_accepts(request_: Request) -> None:
    made = standard_webhooks.sign(options(), request_, NOW + 0.9)

    standard_webhooks.verify(options(), with_headers(request_, made), NOW)


def test_a_delivery_s_own_id_is_not_among_the_headers_that_prove_it() -> None:
    """What proves a request is taken away before it is journalled; the id must be there when it is read again."""
    assert "webhook-id" not in standard_webhooks.sign(options(), VECTOR, NOW)
    assert "webhook-id" in standard_webhooks.sign(options(), posted(b"{}"), NOW)


@pytest.mark.parametrize("written", ["whsec_TWE=", "whsec_TWE", "TWE=", "  whsec_TWE=\n"])
def test_a_secret_is_the_same_without_its_padding_and_its_beginning(written: str) -> None:
    assert standard_signature.key_of(Secret(written)) == b"Ma"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "no credentials: give secret, or open: true"),
        ({"secret": ""}, "is empty"),
        ({"secret": "whsec_"}, "is no secret of Standard Webhooks"),
        ({"secret": "whsec_not base64!"}, "is no secret of Standard Webhooks"),
        ({"secret": "whsec_TWFu!"}, "is no secret of Standard Webhooks"),
        ({"secret": "пароль"}, "is no secret of Standard Webhooks"),
        ({"secret": "whpk_AAAA"}, "is a public key"),
        ({"secret": [SECRET, "whsec_?"]}, "is no secret of Standard Webhooks"),
        ({"secret": SECRET, "open": True}, "open: true lets anybody in"),
        ({"secret": SECRET, "bearer": "t"}, "Extra inputs"),
        ({"secret": SECRET, "key": "payload.id"}, "Extra inputs"),
    ],
)
def test_options_that_contradict_or_say_nothing_are_refused(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence) as refusal:
        standard_webhooks.Options.model_validate({"type": "standard-webhooks", **values})
    assert SECRET not in str(refusal.value)


def test_options_that_slipped_past_the_check_still_let_nobody_in() -> None:
    with pytest.raises(Unauthorized):
        standard_webhooks.verify(standard_webhooks.Options.model_construct(type="standard-webhooks"), VECTOR, NOW)


# ── The event ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_type_and_timestamp_are_where_the_convention_has_them() -> None:
    found = event(INVOICE)

    assert (found.type, found.event, found.title) == ("standard-webhooks", "invoice.paid", "invoice.paid")
    assert found.started_at == "2026-11-23T07:04:50.123Z"
    assert (found.state, found.key) == ("info", "")


def test_the_other_words_are_where_the_source_says() -> None:
    found = event(
        INVOICE,
        title="Счёт {{ payload.data.id }}: {{ payload.data.customer }}",
        tag="payload.data.id",
        owner="payload.data.owner",
        state="payload.type",
        states={"invoice.paid": "closed"},
    )

    assert found.title == "Счёт in_42: ООО «Ромашка»"
    assert (found.key, found.owners, found.state) == ("payments:in_42", ("ivan",), "closed")


def test_every_attempt_of_a_delivery_is_the_same_whatever_its_timestamp_says() -> None:
    first = standard_webhooks.read("p", options(), with_headers(INVOICE, {"webhook-timestamp": "1"}))
    second = standard_webhooks.read("p", options(), with_headers(INVOICE, {"webhook-timestamp": "2"}))
    other = standard_webhooks.read("p", options(), with_headers(INVOICE, {"webhook-id": "msg_other"}))

    assert (first.delivery, first.window) == ("msg_p5jXN8AQM9LWM0D4loKWxJek", None)
    assert second.delivery == first.delivery != other.delivery


def test_without_an_id_the_body_tells_for_a_minute() -> None:
    reading = standard_webhooks.read("p", options(open=True), posted(INVOICE.body))

    assert (reading.delivery, reading.window) == (sha256(INVOICE.body), 60)


@pytest.mark.parametrize("value", [{}, [], [1]])
def test_a_type_that_is_no_text_is_refused_by_its_place(value: object) -> None:
    with pytest.raises(NotUnderstood, match=r"^payload\.type is not text"):
        event(changed(INVOICE, type=value))


@given(st.binary(max_size=60), st.text(max_size=20), st.text(max_size=20), st.text(max_size=60))
@settings(deadline=None)
def test_any_headers_are_refused_and_never_a_fault(body: bytes, sent: str, timestamp: str, signature: str) -> None:
    headers = {"webhook-id": sent, "webhook-timestamp": timestamp, "webhook-signature": f"v1,{signature}"}

    with pytest.raises(Unauthorized):
        standard_webhooks.verify(options(), posted(body, headers), NOW)


# ── The same proof for any JSON ───────────────────────────────────────────────────────────────────────────────


def test_any_json_may_be_signed_so() -> None:
    chosen = json_source.Options.model_validate({"type": "json", "standard_webhooks": {"secret": SECRET}})

    json_source.verify(chosen, VECTOR, NOW)
    with pytest.raises(Unauthorized):
        json_source.verify(chosen, VECTOR, NOW + 301)
    with pytest.raises(Unauthorized):
        json_source.verify(chosen, posted(VECTOR.body), NOW)
