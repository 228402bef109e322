"""People as the portal tells of them, and the pitfalls of looking for one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from relay.sandbox import Person, Portal
from tests.sandbox.build import APP, ask, reply

PEOPLE = [
    Person(1, "Admin", email="admin@example.com"),
    Person(2, "Ivan", "Petrov", "Ivan@Example.com"),
    Person(3, "Ivanka", "Sidorova", "ivanka@example.com", active=False),
    Person(4, "Guest", email="guest@example.com", extranet=True),
    Person(5, "Bot", bot=True),
    Person(6, "A_b", email="a_b@example.com"),
    Person(7, "Axb", email="axb@example.com"),
]
EVERYBODY = ["1", "2", "3", "4", "6", "7"]


@pytest.fixture
def portal() -> Portal:
    return Portal(PEOPLE, rate="unlimited")


def found(portal: Portal, **params: Any) -> list[str]:
    return [row["ID"] for row in ask(portal, "user.get", **params)]


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"=EMAIL": "ivan@example.com"}, ["2"]),
        ({"EMAIL": "ivan@example.com"}, ["2"]),
        ({"EMAIL": "a_b@example.com"}, ["6", "7"]),
        ({"=EMAIL": "a_b@example.com"}, ["6"]),
        ({"@EMAIL": ["ivan@example.com", "guest@example.com"]}, ["2", "4"]),
        ({"NAME": "Iv%"}, ["2", "3"]),
        ({"%NAME": "van"}, ["2", "3"]),
        ({"=%NAME": "Ivan_a"}, ["3"]),
        ({"!=NAME": "Admin", "ID": ["1", "2"]}, ["2"]),
        ({"!@ID": [1, 2, 3, 4]}, ["6", "7"]),
        ({">=ID": 6}, ["6", "7"]),
        ({"ACTIVE": False}, ["3"]),
        ({"ACTIVE": "Y", "%NAME": "van"}, ["2"]),
        ({"USER_TYPE": "extranet"}, ["4"]),
        ({"UF_DEPARTMENT": 1, "ACTIVE": True}, ["1", "2", "6", "7"]),
        ({"=E_MAIL": "ivan@example.com"}, EVERYBODY),
        ({"=UF_SECRET": "x"}, EVERYBODY),
        ({}, EVERYBODY),
    ],
)
def test_the_filter_and_its_pitfalls(portal: Portal, conditions: dict[str, Any], expected: list[str]) -> None:
    assert found(portal, FILTER=conditions) == expected


def test_flat_conditions_count_only_without_filter(portal: Portal) -> None:
    assert found(portal, **{"=EMAIL": "ivan@example.com"}) == ["2"]
    assert found(portal, **{"=EMAIL": "ivan@example.com", "FILTER": {"ID": 1}}) == ["1"]


def test_the_brief_scope_neither_shows_nor_filters_e_mail(portal: Portal) -> None:
    portal.configure(scopes=["user_brief"])

    assert found(portal, FILTER={"=EMAIL": "ivan@example.com"}) == EVERYBODY
    assert all("EMAIL" not in row for row in ask(portal, "user.get"))


def test_an_empty_filter_as_php_sends_it_lets_everybody_through(portal: Portal) -> None:
    assert found(portal, FILTER=[]) == EVERYBODY


def test_lists_come_in_pages_of_fifty_with_total_and_next(portal: Portal) -> None:
    for number in range(100, 160):
        portal.change_person(number, name="x")

    pages = [json.loads(reply(portal, "user.get", START=start).body) for start in (0, 50, -1)]

    assert [len(page["result"]) for page in pages] == [50, 16, 50]
    assert [(page.get("total"), page.get("next")) for page in pages] == [(66, 50), (66, None), (None, None)]


def test_order_and_select(portal: Portal) -> None:
    assert found(portal, sort="ID", order="desc") == EVERYBODY[::-1]
    assert ask(portal, "user.get", FILTER={"ID": 2}, select=["ID", "EMAIL"]) == [
        {"ID": "2", "EMAIL": "Ivan@Example.com"}
    ]


def test_the_callers_own_profile(portal: Portal) -> None:
    assert ask(portal, "profile") == {
        "ID": "1",
        "ADMIN": True,
        "NAME": "Admin",
        "LAST_NAME": "",
        "PERSONAL_GENDER": "",
        "TIME_ZONE": "",
    }
    assert ask(portal, "user.current")["EMAIL"] == "admin@example.com"


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("im.user.get", {"ID": "x"}, "ID_EMPTY"),
        ("im.user.get", {"ID": 99}, "USER_NOT_EXISTS"),
        ("im.user.list.get", {}, "ID_EMPTY"),
        ("im.user.list.get", {"ID": ["x"]}, "ID_EMPTY"),
        ("im.user.list.get", {"ID": "{odd"}, "INVALID_FORMAT"),
        ("im.user.list.get", {"ID": 5}, "INVALID_FORMAT"),
    ],
)
def test_asking_for_nobody(portal: Portal, method: str, params: dict[str, Any], code: str) -> None:
    assert ask(portal, method, **params) == code


def test_people_as_the_messenger_shows_them(portal: Portal) -> None:
    assert ask(portal, "im.user.get")["id"] == 1
    person = ask(portal, "im.user.get", ID="3")
    assert (person["name"], person["active"], person["bot"], person["absent"]) == (
        "Ivanka Sidorova",
        False,
        False,
        False,
    )


@pytest.mark.parametrize("given", [[2, 99, 5], "[2, 99, 5]"])
def test_several_people_are_a_map_by_id_or_a_list(portal: Portal, given: Any) -> None:
    assert list(ask(portal, "im.user.list.get", ID=given)) == ["2", "5"]
    assert [one["id"] for one in ask(portal, "im.user.list.get", ID=given, RESULT_TYPE="array")] == [2, 5]


def test_the_portal_about_itself(portal: Portal) -> None:
    assert ask(portal, "scope") == ["im", "user_basic"]
    assert ask(portal, "method.get", name="im.notify.get") == {"isExisting": True, "isAvailable": True}
    assert ask(portal, "method.get", name="nope") == {"isExisting": False, "isAvailable": False}
    portal.configure(scopes=["user"])
    assert ask(portal, "method.get", name="im.notify.get") == {"isExisting": True, "isAvailable": False}
    assert ask(portal, "server.time").endswith("+00:00")


def test_only_an_app_knows_about_itself(portal: Portal) -> None:
    assert ask(portal, "app.info") == "ACCESS_DENIED"
    assert reply(portal, "app.info").status == 403
    assert ask(portal, "app.info", APP)["INSTALLED"] is True


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"FIND": "ivan"}, ["2", "3"]),
        ({"FILTER": {"FIND": "iv pet"}}, ["2"]),
        ({"FILTER": {"FIND": "bot"}}, []),
        ({"FIND": "ivan@example.com"}, []),  # names and positions, not e-mails
        ({"FILTER": {"NAME": "Iv%", "ACTIVE": True}}, ["2"]),
        ({}, EVERYBODY),
    ],
)
def test_the_search_by_beginnings_of_words(portal: Portal, params: dict[str, Any], expected: list[str]) -> None:
    assert [row["ID"] for row in ask(portal, "user.search", **params)] == expected
