"""``im.notify.*``: sending, its answers and errors, and the caller's own list."""

from __future__ import annotations

from typing import Any

import pytest

from relay.sandbox import Person, Portal
from relay.sandbox.bell import SYSTEM, USER
from tests.conftest import Clock
from tests.sandbox.build import APP, SEND, WEBHOOK, ask, send

ADD_SYSTEM = "im.notify.system.add"


def test_ids_grow_and_the_newest_stands_first(portal: Portal) -> None:
    numbers = [send(portal, f"text {n}") for n in range(3)]

    assert numbers == sorted(set(numbers))
    assert [shown.id for shown in portal.notifications(17)] == numbers[::-1]


@pytest.mark.parametrize(
    ("method", "params", "author", "kind"),
    [
        (SEND, {}, 1, USER),
        (SEND, {"TYPE": "SYSTEM"}, 1, USER),
        (ADD_SYSTEM, {}, 0, SYSTEM),
        ("im.notify", {}, 1, USER),
        ("im.notify", {"TYPE": "SYSTEM"}, 0, SYSTEM),
        ("im.notify", {"TYPE": "odd"}, 1, USER),
    ],
)
def test_one_method_has_three_names(
    portal: Portal, method: str, params: dict[str, Any], author: int, kind: int
) -> None:
    ask(portal, method, USER_ID=17, MESSAGE="x", **params)

    (shown,) = portal.notifications(17)
    assert (shown.author, shown.type, shown.text) == (author, kind, "x")


def test_an_apps_system_notification_begins_with_its_name(portal: Portal) -> None:
    ask(portal, ADD_SYSTEM, APP, USER_ID=17, MESSAGE="x")
    ask(portal, SEND, APP, USER_ID=17, MESSAGE="x")

    assert [shown.text for shown in portal.notifications(17)] == ["x", "Relay\nx"]


def test_system_notifications_name_no_people(portal: Portal) -> None:
    for method in (SEND, ADD_SYSTEM):
        ask(portal, method, USER_ID=17, MESSAGE="[user=18]Olga[/user]")

    assert [shown.text for shown in portal.notifications(17)] == ["Olga", "[user=18]Olga[/user]"]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({}, "USER_ID_EMPTY"),
        ({"USER_ID": "ivan", "MESSAGE": "x"}, "USER_ID_EMPTY"),
        ({"USER_ID": -1, "MESSAGE": "x"}, "USER_ID_EMPTY"),
        ({"USER_ID": 17}, "MESSAGE_EMPTY"),
        ({"USER_ID": 17, "MESSAGE": " \n"}, "MESSAGE_EMPTY"),
        ({"USER_ID": 17, "MESSAGE": ["x"]}, "MESSAGE_EMPTY"),
        ({"USER_ID": 17, "MESSAGE": 5}, "MESSAGE_EMPTY"),
        ({"USER_ID": 17, "ATTACH": [{"MESSAGE": "x"}]}, "MESSAGE_EMPTY"),
        ({"USER_ID": 17, "MESSAGE": "x", "ATTACH": "odd"}, "ATTACH_ERROR"),
        ({"USER_ID": 17, "MESSAGE": "x", "ATTACH": [{"MESSAGE": "x" * 60_000}]}, "ATTACH_OVERSIZE"),
        ({"USER_ID": 99, "MESSAGE": "x", "ATTACH": "odd"}, "ATTACH_ERROR"),
    ],
)
def test_wrong_parameters_are_refused_in_order(portal: Portal, params: dict[str, Any], code: str) -> None:
    assert ask(portal, SEND, WEBHOOK, **params) == code
    assert portal.counters["stored"] == 0


def test_to_is_another_name_of_the_recipient_and_wins(portal: Portal) -> None:
    send(portal, "x", 17, TO="18")

    assert [len(portal.notifications(number)) for number in (17, 18)] == [0, 1]


@pytest.mark.parametrize("person", [Person(5, "Bot", bot=True), Person(5, "Gone", active=False), Person(6, "Other")])
def test_nobody_a_dismissed_one_and_a_bot_give_false_without_an_error(clock: Clock, person: Person) -> None:
    portal = Portal([Person(1, "Admin"), person], clock=clock)

    assert send(portal, "x", 5) is False
    assert portal.counters["not_accepted"] == 1


def test_who_has_muted_gives_the_current_unix_time_and_stores_nothing(portal: Portal, clock: Clock) -> None:
    clock.now = 1_795_000_123.9

    assert send(portal, "x", 21) == 1_795_000_123
    assert portal.notifications(21) == []


def test_a_text_that_is_too_long_is_cut_with_a_mark(portal: Portal) -> None:
    send(portal, "x" * 25_000)

    assert portal.notifications(17)[0].text == "x" * 20_000 + " (...)"


# --- the caller's own list


def test_one_sees_only_ones_own_list(portal: Portal, clock: Clock) -> None:
    send(portal, "not mine", 17)
    mine = send(portal, "[b]mine[/b] https://a.b &amp;", 1, ATTACH=[{"MESSAGE": "x"}])

    found = ask(portal, "im.notify.get")

    (shown,) = found["notifications"]
    assert (shown["id"], shown["text"]) == (mine, "[b]mine[/b] [URL]https://a.b[/URL] &")
    assert (shown["notify_read"], shown["notify_type"], shown["author_id"]) == ("N", 2, 1)
    assert shown["date"] == "2026-11-18T11:06:40+00:00"
    assert shown["params"]["ATTACH"][0]["BLOCKS"] == [{"MESSAGE": "x"}]
    assert (found["total_count"], found["total_unread_count"]) == (1, 1)
    assert [person["id"] for person in found["users"]] == [1]


def test_an_empty_list_is_two_empty_lists(portal: Portal) -> None:
    assert ask(portal, "im.notify.get") == {"notifications": [], "users": []}


def test_the_list_comes_in_pages_of_fifty_at_most(portal: Portal) -> None:
    numbers = [send(portal, "x", 1) for _ in range(60)]

    first = ask(portal, "im.notify.get", LIMIT=100)["notifications"]
    rest = ask(portal, "im.notify.get", LAST_ID=first[-1]["id"], LAST_TYPE=3)["notifications"]

    assert [shown["id"] for shown in first + rest] == numbers[::-1]
    assert len(first) == 50


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("im.notify.get", {"LAST_ID": 5}, "LAST_ID_AND_LAST_TYPE"),
        ("im.notify.get", {"LAST_TYPE": 3}, "LAST_ID_AND_LAST_TYPE"),
        ("im.notify.get", {"LAST_ID": "x", "LAST_TYPE": 3}, "LAST_ID_STRING"),
        ("im.notify.delete", {}, "PARAMS_ERROR"),
        ("im.notify.delete", {"TAG": "x"}, "ACCESS_DENIED"),
        ("im.notify.read.list", {}, "PARAMS_ERROR"),
        ("im.notify.confirm", {}, "ID_ERROR"),
        ("im.notify.confirm", {"NOTIFY_ID": 1}, "NOTIFY_VALUE_ERROR"),
        ("im.notify.answer", {"NOTIFY_ID": 1}, "ANSWER_TEXT_ERROR"),
    ],
)
def test_each_method_refuses_in_its_own_words(portal: Portal, method: str, params: dict[str, Any], code: str) -> None:
    assert ask(portal, method, **params) == code


def test_only_ones_own_can_be_deleted_by_id(portal: Portal) -> None:
    others, mine = send(portal, "x", 17), send(portal, "x", 1)

    assert [ask(portal, "im.notify.delete", ID=number) for number in (others, mine, mine)] == [False, True, False]
    assert [len(portal.notifications(number)) for number in (17, 1)] == [1, 0]


def test_several_can_be_deleted_by_a_list_of_ids(portal: Portal) -> None:
    numbers = [send(portal, "x", 1) for _ in range(3)]

    assert ask(portal, "im.notify.delete", ID=numbers[:2]) is True
    assert [shown.id for shown in portal.notifications(1)] == numbers[2:]


@pytest.mark.parametrize(
    ("params", "read"),
    [
        ({"ID": 2}, [False, True, True]),
        ({"ID": 2, "ONLY_CURRENT": "Y"}, [False, True, False]),
        ({"ID": 0}, [True, True, True]),
        ({}, [False, False, False]),
    ],
)
def test_reading_marks_this_and_all_newer_ones(portal: Portal, params: dict[str, Any], read: list[bool]) -> None:
    for _ in range(3):
        send(portal, "x", 1)

    assert ask(portal, "im.notify.read", **params) is True
    assert [shown.read for shown in reversed(portal.notifications(1))] == read


def test_read_ones_can_be_marked_unread_and_lists_end_at_a_zero(portal: Portal) -> None:
    for _ in range(3):
        send(portal, "x", 1)

    assert ask(portal, "im.notify.read.all") == {"result": True, "newCounter": 0}
    assert ask(portal, "im.notify.read.list", IDS=[1, 0, 2], ACTION="N") is True
    assert [shown.read for shown in reversed(portal.notifications(1))] == [False, True, True]
