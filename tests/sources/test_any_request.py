"""Whatever a request holds, its sender's reader understands it or refuses it by a sentence, and soon.

Never looks at what an event says; that is each sender's own test. `tests/fuzz/senders.py` searches for more of this.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relay.errors import Refused
from relay.model import Request
from relay.sources import SENDERS
from tests.sources import every_sender
from tests.sources.hostile import WORDS
from tests.sources.posts import WRONG_TYPES, places, posted, swapped

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)
# What HTTP lets through of a header's value, as the door hands it on: bytes that are no UTF-8 among it.
ANY_HEADER = st.text(st.characters(min_codepoint=32, exclude_characters="\x7f", exclude_categories=["Cs"]), max_size=30)

kinds = pytest.mark.parametrize("kind", SENDERS)
quickly = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def judged(kind: str, request: Request) -> None:
    try:
        reading = every_sender.read(kind, request)
    except Refused as refusal:
        sentence = str(refusal)
    else:
        assert 0 < len(reading.delivery) <= 200
        assert reading.events
        for event in reading.events:
            every_sender.assert_sound(event)
        return
    assert 10 < len(sentence) < 300


def stored(kind: str) -> Sequence[Request]:
    return [*every_sender.stored(kind).values()]


@kinds
@given(data=st.data())
@quickly
def test_json_of_any_shape_is_read_or_refused(kind: str, data: st.DataObject) -> None:
    request = data.draw(st.sampled_from(stored(kind)))
    judged(kind, every_sender.with_payload(kind, request, data.draw(ANY_JSON)))


@kinds
@given(data=st.data())
@quickly
def test_a_request_with_values_dropped_doubled_and_of_other_types_is_read_or_refused(
    kind: str, data: st.DataObject
) -> None:
    request = data.draw(st.sampled_from(stored(kind)))
    values = every_sender.payload(kind, request)
    for _ in range(data.draw(st.integers(1, 4))):
        path = data.draw(st.sampled_from(places(values)))
        values = data.draw(st.sampled_from([*_changes(values, path)]))
    judged(kind, every_sender.with_payload(kind, request, values))


def _changes(values: Any, path: tuple[str | int, ...]) -> Iterator[Any]:
    here = values
    for step in path:
        here = here[step]
    yield from (swapped(values, path, other) for other in (*WRONG_TYPES, *WORDS, [here], [here, here], {"a": here}))
    if isinstance(here, dict):
        yield from (swapped(values, path, {key: here[key] for key in here if key != gone}) for gone in here)
        yield swapped(values, path, {f"{key}\0\ud800": value for key, value in here.items()})


@kinds
@given(data=st.data())
@quickly
def test_bytes_that_are_no_json_and_headers_of_any_words_are_read_or_refused(kind: str, data: st.DataObject) -> None:
    request = data.draw(st.sampled_from(stored(kind)))
    cut = data.draw(st.integers(0, len(request.body)))
    more = data.draw(st.binary(max_size=20))
    name, value = data.draw(st.sampled_from([*request.headers])), data.draw(ANY_HEADER)
    judged(kind, replace(request, body=request.body[:cut] + more + request.body[cut + len(more) :]))
    judged(kind, replace(request, headers={**request.headers, name: value.strip()}))


# ── A megabyte in a second ────────────────────────────────────────────────────────────────────────────────────

MEGABYTE = 1_000_000
# What makes a regular expression try again from every sign.
REPEATED = ("(", "<a@", "@a ", "a-", "[a](", "`", "\n", " ", "{A", "https://", "é")


@kinds
def test_a_megabyte_is_read_or_refused_within_a_second(kind: str) -> None:
    for number, request in enumerate(stored(kind)):
        values = every_sender.payload(kind, request)
        texts = [path for path in places(values) if isinstance(_at(values, path), str)]
        path, word = texts[number * 11 % len(texts)], REPEATED[(number + len(kind)) % len(REPEATED)]
        long = every_sender.with_payload(kind, request, swapped(values, path, word * (MEGABYTE // len(word) // 2)))
        assert seconds(kind, long) < 1, (path, word)


def _at(values: Any, path: Sequence[str | int]) -> Any:
    for step in path:
        values = values[step]
    return values


MANY: dict[str, Any] = {
    "keys": {f"key {number}": number for number in range(30_000)},
    "objects": [{"a": 1}] * 60_000,
    "texts": ["a"] * 100_000,
    "levels": json.loads("[" * 99 + "]" * 99),
    "digits": 10**4000,
}


@kinds
def test_a_great_many_small_things_are_read_or_refused_within_a_second(kind: str) -> None:
    for number, (name, many) in enumerate(MANY.items(), start=len(kind)):
        request = stored(kind)[number % len(stored(kind))]
        values = every_sender.payload(kind, request)
        nested = [path for path in places(values) if isinstance(_at(values, path), dict | list)]
        path = nested[number * 7 % len(nested)]
        assert seconds(kind, every_sender.with_payload(kind, request, swapped(values, path, many))) < 1, (path, name)


def seconds(kind: str, request: Request) -> float:
    """What reading takes of the processor: of the clock others may take more."""
    began = time.process_time()
    judged(kind, request)
    return time.process_time() - began


# ── What the search has found ─────────────────────────────────────────────────────────────────────────────────


def test_a_part_of_a_form_without_a_name_is_passed_over() -> None:
    parts = (
        b'--b\r\nContent-Disposition: form-data\r\n\r\nnobody\r\n--b\r\nContent-Disposition: form-data; name=""\r\n\r\n'
    )
    body = parts + b'\r\n--b\r\nContent-Disposition: form-data; name="title"\r\n\r\nlive\r\n--b--\r\n'
    (event,) = every_sender.read("json", posted(body, {"content-type": "multipart/form-data; boundary=b"})).events

    assert event.payload == {"title": "live"}


@pytest.mark.parametrize("sign", ["(", "(a", "(a) "])
def test_a_name_of_brackets_takes_zabbix_no_longer_than_another(sign: str) -> None:
    request = every_sender.stored("zabbix")["zabbix/trigger__update"]
    values = every_sender.payload("zabbix", request) | {"user": sign * 100_000}

    assert seconds("zabbix", every_sender.with_payload("zabbix", request, values)) < 1
