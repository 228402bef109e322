"""Who has an e-mail: only what the portal's answer proves, and what to do about the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from relay.bitrix.users import LookupRefused, Sought, lookup, read
from relay.sandbox import Person, Portal
from tests.sandbox.build import reply

ASKED = lookup(["ivan@example.com", "olga@example.com"])


def user(number: object = "17", email: object = "ivan@example.com", active: object = True) -> dict[str, Any]:
    return {"ID": number, "EMAIL": email, "ACTIVE": active}


def answer(*results: Any, **maps: Any) -> bytes:
    found = {f"n{number}": rows for number, rows in enumerate(results)}
    empty: dict[str, Any] = {"result_error": [], "result_total": [], "result_next": [], "result_time": []}
    return json.dumps({"result": {"result": found, **empty, **maps}, "time": {}}).encode()


def states(body: bytes) -> list[tuple[str, int]]:
    return [(each.state, each.user_id) for each in read(ASKED, 200, body)]


def test_fifty_addresses_are_one_batch_of_exact_conditions() -> None:
    asked = lookup([f"p{number}+x@example.com" for number in range(50)])

    assert (asked.method, asked.payload["halt"], len(asked.payload["cmd"])) == ("batch", 0, 50)
    assert asked.payload["cmd"]["n7"].startswith("user.get?FILTER%5B%3DEMAIL%5D=p7%2Bx%40example.com&")


@pytest.mark.parametrize("count", [0, 51])
def test_no_other_number_of_addresses_is_asked_for(count: int) -> None:
    with pytest.raises(ValueError, match="1 to 50"):
        lookup(["a@b.c"] * count)


ROWS: dict[str, tuple[Any, str, int]] = {
    "one active person": ([user()], "found", 17),
    "written otherwise": ([user(email=" Ivan@EXAMPLE.com ")], "found", 17),
    "a number": ([user(17)], "found", 17),
    "the portal's Y": ([user(active="Y")], "found", 17),
    "nobody": ([], "not_found", 0),
    "somebody else": ([user(email="ivanka@example.com")], "not_found", 0),
    "dismissed": ([user(active=False)], "inactive", 0),
    "dismissed and come again": ([user("9", active=False), user()], "found", 17),
    "two": ([user(), user("18")], "ambiguous", 0),
    "without a word whether active": ([{"ID": "17", "EMAIL": "ivan@example.com"}], "inactive", 0),
    "a strange id": ([user("17; DROP")], "unsure", 0),
    "an id that is none": ([user("0")], "unsure", 0),
    "an id beyond all": ([user("9" * 30)], "unsure", 0),
    "an empty map": ({}, "unsure", 0),
    "nonsense": ("?", "unsure", 0),
    "rows that are none": (["x", None, user()], "found", 17),
}


@pytest.mark.parametrize(("rows", "state", "user_id"), ROWS.values(), ids=ROWS)
def test_what_the_rows_prove(rows: Any, state: str, user_id: int) -> None:
    assert states(answer(rows, [user("18", "olga@example.com")])) == [(state, user_id), ("found", 18)]


def test_an_answer_that_goes_on_proves_nothing() -> None:
    """The condition was left out, and the rest of the portal's people is on further pages."""
    assert states(answer([user()], [], result_next={"n0": 50})) == [("unsure", 0), ("not_found", 0)]


def test_a_command_that_failed_is_unsure() -> None:
    body = answer([user()], result_error={"n1": {"error": "INTERNAL_SERVER_ERROR", "error_description": ""}})

    assert states(body) == [("found", 17), ("unsure", 0)]


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (200, answer(result_error={"n0": {"error": "insufficient_scope", "error_description": ""}}), "user_basic"),
        (200, answer([{"ID": "1", "ACTIVE": True}], [{"ID": "1", "ACTIVE": True}]), "user_brief"),
        (401, b'{"error":"INVALID_CREDENTIALS"}', "secret"),
        (503, b'{"error":"QUERY_LIMIT_EXCEEDED"}', "too many requests"),
        (400, b'{"error":"<b>odd</b>"}', "does not accept"),
        (502, b"<html>", "relay doctor"),
        (200, b'{"result": []}', "relay doctor"),
        (200, b"[]", "relay doctor"),
    ],
)
def test_a_refusal_says_what_to_do_and_never_the_portals_words(status: int, body: bytes, says: str) -> None:
    with pytest.raises(LookupRefused, match=says) as caught:
        read(ASKED, status, body)

    assert "<" not in str(caught.value)


# ── Against the stand-in portal, which has the portal's traps ─────────────────────────────────────────────────────

PEOPLE = [
    Person(1, "Admin", email="admin@example.com"),
    Person(17, "Ivan", email="Ivan@Example.com"),
    Person(18, "Olga", email="olga_s@example.com"),
    Person(19, "Olga", email="olgaxs@example.com"),
    Person(20, "Sergey", email="sergey@example.com", active=False),
    *(Person(number, f"P{number}", email=f"p{number}@example.com") for number in range(100, 160)),
]


def sought(portal: Portal, *emails: str) -> tuple[Sought, ...]:
    asked = lookup(emails)
    answered = reply(portal, asked.method, **asked.payload)
    return read(asked, answered.status, answered.body.encode())


def test_the_stand_in_portal_finds_each_and_no_other() -> None:
    portal = Portal(PEOPLE, rate="unlimited")

    found = sought(portal, "ivan@example.com", "olga_s@example.com", "sergey@example.com", "nobody@example.com")

    assert [(each.state, each.user_id) for each in found] == [
        ("found", 17),
        ("found", 18),
        ("inactive", 0),
        ("not_found", 0),
    ]


@pytest.mark.parametrize("scopes", [["im"], ["im", "user_brief"]])
def test_without_the_right_nobody_is_taken_for_anybody(scopes: list[str]) -> None:
    portal = Portal(PEOPLE, rate="unlimited")
    portal.configure(scopes=scopes)

    with pytest.raises(LookupRefused, match="user_basic"):
        sought(portal, "ivan@example.com")
