"""Calls as the portal's documentation writes them; the batch is read back by an encoder's opposite, not by ours."""

from __future__ import annotations

import datetime
import decimal
import json
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.bitrix.call import BATCH, TAG_LIMIT, TEXT_LIMIT, build, method_of
from relay.model import Parcel
from tests.bitrix.parcels import parcel

ATTACH: dict[str, Any] = {
    "COLOR_TOKEN": "alert",
    "BLOCKS": [
        {"MESSAGE": "a & b = 100% #1 + [b]ы[/b]\n"},
        {"DELIMITER": {}},
        {"GRID": [{"NAME": "Branch", "VALUE": "main", "DISPLAY": "ROW", "WIDTH": 90}]},
    ],
}


def commands(parcels: list[Parcel]) -> dict[str, tuple[str, list[tuple[str, str]]]]:
    """A batch, read as PHP reads it: method and decoded query of each command."""
    call = build(parcels)
    assert call.method == "batch"
    assert call.payload["halt"] == 0
    read = {}
    for name, command in call.payload["cmd"].items():
        method, _, query = command.partition("?")
        assert "#" not in query
        read[name] = (method, parse_qsl(query, keep_blank_values=True, strict_parsing=True))
    return read


def test_one_parcel_is_a_call_of_its_own() -> None:
    call = build([parcel(tag="pr-1", attach=ATTACH)])

    assert call.method == "im.notify.personal.add"
    assert call.payload == {"USER_ID": 17, "MESSAGE": "hello", "TAG": "pr-1", "ATTACH": ATTACH}


def test_what_there_is_none_of_is_not_sent() -> None:
    assert build([parcel()]).payload == {"USER_ID": 17, "MESSAGE": "hello"}
    assert build([parcel(tag="  ", attach={})]).payload == {"USER_ID": 17, "MESSAGE": "hello"}


def test_a_plain_parcel_goes_without_its_blocks() -> None:
    assert "ATTACH" not in build([parcel(attach=ATTACH, plain=True)]).payload


def test_the_system_channel_is_another_method() -> None:
    assert build([parcel(via="system")]).method == "im.notify.system.add"


def test_a_deletion_names_the_tag_alone() -> None:
    call = build([parcel(tag="pr-1", delete=True, attach=ATTACH)])

    assert (call.method, call.payload) == ("im.notify.delete", {"TAG": "pr-1"})


def test_a_call_holds_no_credentials() -> None:
    assert "auth" not in build([parcel()]).payload
    assert "auth" not in build([parcel(1), parcel(2)]).payload


def test_several_parcels_are_one_batch_in_their_order() -> None:
    read = commands([parcel(1, user_id=5, text="one two"), parcel(2, via="system"), parcel(3, tag="t", delete=True)])

    assert read == {
        "n0": ("im.notify.personal.add", [("USER_ID", "5"), ("MESSAGE", "one two")]),
        "n1": ("im.notify.system.add", [("USER_ID", "17"), ("MESSAGE", "hello")]),
        "n2": ("im.notify.delete", [("TAG", "t")]),
    }


def test_a_command_is_written_as_the_documentation_writes_it() -> None:
    call = build([parcel(1, user_id=5, text="Hi there #1 & +1%"), parcel(2)])

    assert call.payload["cmd"]["n0"] == "im.notify.personal.add?USER_ID=5&MESSAGE=Hi%20there%20%231%20%26%20%2B1%25"


def test_blocks_in_a_batch_are_written_in_brackets() -> None:
    (_, query), _ = commands([parcel(1, attach=ATTACH), parcel(2)]).values()

    assert query[2:] == [
        ("ATTACH[COLOR_TOKEN]", "alert"),
        ("ATTACH[BLOCKS][0][MESSAGE]", "a & b = 100% #1 + [b]ы[/b]\n"),
        ("ATTACH[BLOCKS][1][DELIMITER][SIZE]", "200"),
        ("ATTACH[BLOCKS][2][GRID][0][NAME]", "Branch"),
        ("ATTACH[BLOCKS][2][GRID][0][VALUE]", "main"),
        ("ATTACH[BLOCKS][2][GRID][0][DISPLAY]", "ROW"),
        ("ATTACH[BLOCKS][2][GRID][0][WIDTH]", "90"),
    ]


def test_yes_and_no_are_written_in_brackets_as_php_writes_them() -> None:
    (_, query), _ = commands([parcel(1, attach={"A": True, "B": False, "C": 1.5}), parcel(2)]).values()

    assert query[2:] == [("ATTACH[A]", "1"), ("ATTACH[B]", "0"), ("ATTACH[C]", "1.5")]


def test_what_brackets_cannot_say_leaves_no_gap_in_the_list() -> None:
    blocks: dict[str, Any] = {"BLOCKS": [{}, None, {"MESSAGE": "x"}, []]}
    (_, query), _ = commands([parcel(1, attach=blocks), parcel(2)]).values()

    assert query[2:] == [("ATTACH[BLOCKS][0][MESSAGE]", "x")]


@pytest.mark.parametrize("word", ["result", "NEXT", "total", "Time", "error"])
def test_a_reference_in_a_batch_is_broken_everywhere(word: str) -> None:
    hostile = f"${word}[n0]"
    texts: dict[str, Any] = {"text": hostile, "tag": hostile, "attach": {"BLOCKS": [{"MESSAGE": hostile}]}}
    (_, query), _ = commands([parcel(1, **texts), parcel(2)]).values()

    assert [value for _, value in query[1:]] == [f"$\u200b{word}[n0]"] * 3


def test_other_dollars_are_left_alone() -> None:
    (_, query), _ = commands([parcel(1, text="$5 and $results"), parcel(2, text="x")]).values()

    assert query[1] == ("MESSAGE", "$5 and $\u200bresults")
    assert build([parcel(text="$result")]).payload["MESSAGE"] == "$result"


@pytest.mark.parametrize("tag", ["pr-1", "$result[n0]", "ы" * 300, "\ud800"])
def test_a_tag_is_the_same_alone_in_a_batch_and_when_deleted(tag: str) -> None:
    alone = build([parcel(tag=tag)]).payload["TAG"]
    deleted = build([parcel(tag=tag, delete=True)]).payload["TAG"]
    (_, query), _ = commands([parcel(1, tag=tag), parcel(2)]).values()

    assert alone == deleted == dict(query)["TAG"]
    assert len(alone) <= TAG_LIMIT


def test_long_tags_stay_different() -> None:
    one, two = (build([parcel(tag="x" * 300 + end)]).payload["TAG"] for end in "ab")

    assert one != two
    assert len(one) == len(two) == TAG_LIMIT


def test_the_limits_are_those_of_the_portal() -> None:
    assert BATCH == 50  # Bitrix24 REST docs, batch
    assert TEXT_LIMIT == 20_000  # Bitrix24 REST docs, im.notify.personal.add
    assert TAG_LIMIT == 255 - 9  # a column of 255 and the portal's own prefix: im module, notifyAdd


def test_text_is_never_longer_than_the_portal_takes() -> None:
    text = "$result" * 5000

    assert len(build([parcel(text=text)]).payload["MESSAGE"]) == TEXT_LIMIT
    (_, query), _ = commands([parcel(1, text=text), parcel(2)]).values()
    assert len(query[1][1]) == TEXT_LIMIT
    assert build([parcel(text="x" * TEXT_LIMIT)]).payload["MESSAGE"] == "x" * TEXT_LIMIT


@pytest.mark.parametrize("size", [TAG_LIMIT - 1, TAG_LIMIT])
def test_a_tag_that_the_portal_takes_is_sent_as_it_is(size: int) -> None:
    assert build([parcel(tag="x" * size)]).payload["TAG"] == "x" * size


@pytest.mark.parametrize(
    "parcels",
    [
        [parcel()],
        [parcel(via="system")],
        [parcel(tag="x", delete=True)],
        [parcel(1), parcel(2)],
        [parcel(1, tag="x", delete=True), parcel(2)],
    ],
    ids=["personal", "system", "delete", "two", "two, one a deletion"],
)
def test_the_method_is_known_before_the_call_is_built(parcels: list[Parcel]) -> None:
    assert method_of(parcels) == build(parcels).method


@pytest.mark.parametrize("count", [0, BATCH + 1])
def test_a_call_takes_one_to_fifty(count: int) -> None:
    with pytest.raises(ValueError, match="1 to 50"):
        build([parcel(number) for number in range(count)])


def test_fifty_are_one_call() -> None:
    assert list(build([parcel(number) for number in range(BATCH)]).payload["cmd"]) == [f"n{n}" for n in range(BATCH)]


def test_what_json_cannot_say_becomes_text() -> None:
    odd = {"a": float("nan"), "b": datetime.date(2026, 1, 2), "c": decimal.Decimal("1.50"), 4: ("x", None, True, 0.5)}
    payload = build([parcel(attach={"BLOCKS": [odd]})]).payload

    assert payload["ATTACH"] == {"BLOCKS": [{"a": "nan", "b": "2026-01-02", "c": "1.50", "4": ["x", None, True, 0.5]}]}


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(
    text=st.text(st.characters()),  # lone surrogates too
    tag=st.text(st.characters()),
    attach=st.none() | st.dictionaries(st.text(st.characters()), anything, max_size=4),
    count=st.integers(1, 3),
)
def test_whatever_is_in_a_parcel_makes_a_call_that_json_can_carry(
    text: str, tag: str, attach: dict[str, Any] | None, count: int
) -> None:
    call = build([parcel(number, text=text, tag=tag, attach=attach) for number in range(count)])

    assert json.dumps(call.payload, ensure_ascii=False, allow_nan=False).encode()
    assert len(call.parcels) == count


def test_a_client_id_goes_with_each_tag_and_only_with_a_tag() -> None:
    tagged, plain, deleted = parcel(1, tag="t"), parcel(2, tag=""), parcel(3, tag="t", delete=True)

    alone = [build([one], client_id="relay").payload for one in (tagged, plain, deleted)]
    commands = build([tagged, plain, deleted], client_id="relay").payload["cmd"].values()

    assert [payload.get("CLIENT_ID") for payload in alone] == ["relay", None, "relay"]
    assert ["CLIENT_ID=relay" in command for command in commands] == [True, False, True]
    assert "CLIENT_ID" not in build([tagged]).payload
