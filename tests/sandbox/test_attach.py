"""ATTACH: what the portal keeps of it, drops, and refuses."""

from __future__ import annotations

from typing import Any

import pytest

from relay.sandbox import Portal
from relay.sandbox.attach import LIMIT, normalise, size
from relay.sandbox.php import canonical
from relay.sandbox.refusals import Refusal
from tests.sandbox.build import send

URL = "https://a.b/c"
NOW = 1000.0


def kept(block: Any) -> Any:
    """What is left of one block, beside a delimiter that always stays."""
    attach = normalise(canonical([block, {"DELIMITER": {}}]), now=NOW)
    assert attach is not None
    blocks = attach["BLOCKS"]
    assert isinstance(blocks, list)
    return blocks[0] if len(blocks) == 2 else None


@pytest.mark.parametrize("given", [None, "", [], "0", 0])
def test_an_empty_attach_is_none(given: Any) -> None:
    assert normalise(given, now=NOW) is None


@pytest.mark.parametrize(
    "given",
    [
        [{"MESSAGE": "x"}],
        {"0": {"MESSAGE": "x"}},
        {"BLOCKS": [{"MESSAGE": "x"}]},
        '[{"MESSAGE":"x"}]',
        "[{MESSAGE: 'x',}]",
        "{'BLOCKS': [{\"MESSAGE\": 'x'}]}",
    ],
)
def test_all_forms_say_the_same(given: Any) -> None:
    expected = {"ID": 1000, "COLOR_TOKEN": "base", "BLOCKS": [{"MESSAGE": "x"}]}

    assert normalise(canonical(given), now=NOW) == expected


@pytest.mark.parametrize(
    "given",
    [
        "not an object",
        "[{MESSAGE: 'x'",
        "{MESSAGE}",
        "[1,,2]",
        "[" * 500,
        {"BLOCKS": []},
        [{"MESSAGE": ""}],
        [{"HTML": "<b>x</b>"}],
        {"MESSAGE": "x"},
        ["text"],
        7,
    ],
)
def test_what_cannot_be_read_or_has_nothing_left_is_an_error(given: Any) -> None:
    with pytest.raises(Refusal) as refused:
        normalise(canonical(given), now=NOW)

    assert refused.value.code == "ATTACH_ERROR"


@pytest.mark.parametrize(
    ("look", "expected"),
    [
        ({"ID": 7}, {"ID": 1000, "COLOR_TOKEN": "base"}),
        ({"COLOR_TOKEN": "alert"}, {"COLOR_TOKEN": "alert"}),
        ({"COLOR_TOKEN": "red"}, {"COLOR_TOKEN": "base"}),
        ({"COLOR": "#29619b"}, {"COLOR": "#29619b"}),
        ({"COLOR": "#fff"}, {"COLOR": "#fff"}),
        ({"COLOR": "TRANSPARENT"}, {"COLOR": "transparent"}),
        ({"COLOR": "CHAT"}, {"COLOR": None}),
        ({"DESCRIPTION": "push"}, {"DESCRIPTION": "push"}),
    ],
)
def test_what_stands_round_the_blocks(look: dict[str, Any], expected: dict[str, Any]) -> None:
    attach = normalise(canonical({**look, "BLOCKS": [{"MESSAGE": "x"}]}), now=NOW) or {}

    assert {name: attach.get(name) for name in expected} == expected


def test_an_unknown_colour_becomes_some_colour() -> None:
    attach = normalise({"COLOR": "red", "BLOCKS": [{"MESSAGE": "x"}]}, now=NOW) or {}

    assert str(attach["COLOR"]).startswith("#")


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ({"MESSAGE": "x"}, {"MESSAGE": "x"}),
        ({"MESSAGE": {"TEXT": "x", "AS_DESCRIPTION": "Y"}}, {"MESSAGE": {"TEXT": "x", "AS_DESCRIPTION": "Y"}}),
        ({"MESSAGE": {"TEXT": "x"}}, {"MESSAGE": "x"}),
        ({"MESSAGE": ["x"]}, None),
        ({"MESSAGE": "x", "LINK": {"LINK": URL}}, {"LINK": [{"LINK": URL}]}),
        ({"MESSAGE": "x", "LINK": {"LINK": "ftp://a"}}, None),
        ({"LINK": {"LINK": URL, "NAME": "a\r\nb"}}, {"LINK": [{"LINK": URL, "NAME": "a b"}]}),
        ({"LINK": [{"LINK": URL}, {"LINK": "javascript:x"}]}, {"LINK": [{"LINK": URL}]}),
        ({"LINK": {"LINK": "/company/"}}, {"LINK": [{"LINK": "/company/"}]}),
        ({"LINK": {"NAME": "x"}}, None),
        ({"LINK": {"NAME": "x", "USER_ID": 5}}, {"LINK": [{"USER_ID": 5, "NAME": "x"}]}),
        ({"LINK": {"LINK": URL, "DESC": "d", "HTML": "h"}}, {"LINK": [{"LINK": URL, "HTML": "h"}]}),
        ({"LINK": {"LINK": URL, "PREVIEW": "data:x", "WIDTH": "9"}}, {"LINK": [{"LINK": URL, "WIDTH": 9}]}),
        ({"RICH_LINK": {"LINK": URL, "PREVIEW": URL}}, {"RICH_LINK": [{"LINK": URL, "PREVIEW": URL}]}),
        ({"IMAGE": {"LINK": URL, "NAME": "n"}}, {"IMAGE": [{"LINK": URL, "NAME": "n"}]}),
        ({"IMAGE": {"NAME": "n"}}, None),
        ({"FILE": {"LINK": URL, "SIZE": "10"}}, {"FILE": [{"LINK": URL, "SIZE": 10}]}),
        ({"FILE": {"NAME": "n"}}, None),
        ({"GRID": [{"NAME": "n", "VALUE": "v"}]}, {"GRID": [{"DISPLAY": "BLOCK", "NAME": "n", "VALUE": "v"}]}),
        ({"GRID": [{"DISPLAY": "COLUMN", "VALUE": "v"}]}, {"GRID": [{"DISPLAY": "ROW", "VALUE": "v"}]}),
        ({"GRID": [{"DISPLAY": "CARD", "VALUE": "v"}]}, {"GRID": [{"DISPLAY": "LINE", "VALUE": "v"}]}),
        ({"GRID": [{"DISPLAY": "TABLE", "VALUE": "v"}]}, {"GRID": [{"DISPLAY": "TABLE", "VALUE": "v"}]}),
        ({"GRID": [{"DISPLAY": "odd", "VALUE": "v"}]}, {"GRID": [{"DISPLAY": "BLOCK", "VALUE": "v"}]}),
        ({"GRID": [{"DISPLAY": "ROW"}]}, None),
        ({"GRID": [{"DISPLAY": "LINE"}]}, {"GRID": [{"DISPLAY": "LINE"}]}),
        ({"DELIMITER": {}}, {"DELIMITER": {"SIZE": 200}}),
        ({"DELIMITER": {"SIZE": 5, "COLOR": "#ccc"}}, {"DELIMITER": {"SIZE": 5, "COLOR": "#ccc"}}),
        ({"DELIMITER": {"COLOR": "blue"}}, {"DELIMITER": {"SIZE": 200}}),
        ({"USER": {"NAME": "n", "USER_ID": 3}}, {"USER": [{"NAME": "n", "USER_ID": 3, "AVATAR_TYPE": "USER"}]}),
        ({"USER": {"USER_ID": 3}}, None),
        ({"HTML": "x"}, None),
        ({"message": "lower case"}, None),
        ({}, None),
    ],
)
def test_a_block_is_kept_changed_or_silently_dropped(block: Any, expected: Any) -> None:
    assert kept(block) == expected


@pytest.mark.parametrize(
    ("given", "meant"), [(r"C:\new", "C:\new"), (r"C:\\new", r"C:\new"), (r"a\tb", "a\tb"), (r"a\"b", 'a"b')]
)
def test_a_backslash_and_a_letter_become_the_real_sign(given: str, meant: str) -> None:
    assert kept({"MESSAGE": given}) == {"MESSAGE": meant}


@pytest.mark.parametrize(("sign", "weight"), [("x", 1), ("я", 1), ("/", 2), ("\n", 2)])
def test_the_limit_counts_characters_of_the_normalised_json(sign: str, weight: int) -> None:
    empty = size(normalise([{"MESSAGE": "x"}], now=NOW) or {}) - 1
    fits = (LIMIT - 1 - empty) // weight

    assert normalise([{"MESSAGE": sign * fits}], now=NOW) is not None
    with pytest.raises(Refusal) as refused:
        normalise([{"MESSAGE": sign * (fits + 1)}], now=NOW)
    assert refused.value.code == "ATTACH_OVERSIZE"


def test_what_is_dropped_does_not_count(portal: Portal) -> None:
    assert send(portal, ATTACH=[{"MESSAGE": "x"}, {"FILE": {"NAME": "n" * LIMIT}}]) == 1
