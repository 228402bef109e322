"""People: what each got is told, who is on duty is drawn and written, and a name that means nobody has its line."""

from __future__ import annotations

import re
from datetime import datetime
from html import unescape
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml
from flask import Flask
from flask.testing import FlaskClient

from relay import house
from relay.house import House
from relay.model import Delivered
from relay.rules.calendar import Window
from relay.store import daily, journal
from relay.web.app import create_app
from relay.web.pages import people
from tests.conftest import Clock
from tests.rules.books import book
from tests.web.pages.conftest import ADMIN, READER_TOKEN, bearer, decide, post, send, signed_in

RULES = """\
version: 1
portal: {webhook: "https://acme.bitrix24.ru/rest/1/KEYKEYKEY/"}
sources: {x: {type: json, open: true, title: payload.title, event: payload.event}, github: {type: github, open: true}}
people:
  ivan: {id: 17, github: ivan-petrov, locale: ru, timezone: Europe/Moscow, quiet: "22:00-08:00"}
  olga: {id: 18, quiet: [weekends]}
  dana: {email: dana@example.com}
times: {weekends: {weekdays: [sat, sun]}}
oncall:
  sre: {timezone: Europe/Moscow, handoff: "Mon 10:00", rotation: [ivan, olga], from: 2026-01-05}
rules:
  - {name: alarms, when: {event: alarm}, to: ivan}
"""
NOON = datetime(2026, 11, 25, 12, tzinfo=ZoneInfo("Europe/Moscow"))  # a Wednesday


@pytest.fixture
def client(built: House, tmp_path: Path, clock: Clock) -> FlaskClient:
    clock.now = NOON.timestamp()
    path = tmp_path / "rules.yaml"
    path.write_text(RULES, encoding="utf-8")
    built.rules_file = house.RulesFile(path, {})
    return signed_in(create_app(built, clock=clock), ADMIN)


def text(client: FlaskClient, address: str) -> str:
    """What a page says, without its tags."""
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True))).split())


def unmapped(built: House, *names: str) -> None:
    with built.database.write() as tx:
        journal.count_unmapped(tx, "github", names)


def test_each_person_stands_there_with_what_the_rules_say_of_him(client: FlaskClient) -> None:
    page = text(client, "/people")

    assert "ivan 17 ru Europe/Moscow 22:00–08:00 nothing" in page
    assert "olga 18 en UTC 00:00–24:00 on some days nothing" in page
    assert "dana no id: gets nothing en UTC none nothing" in page


def test_what_a_person_got_in_a_week_is_counted_by_what_became_of_it(built: House, client: FlaskClient) -> None:
    with built.database.write() as tx:
        daily.add(tx, "person", [("ivan", "delivered")] * 3 + [("ivan", "dead")])

    assert "✗ dead 1 ✓ delivered 3" in text(client, "/people")
    assert "✗ dead 1 ✓ delivered 3" in text(client, "/people/ivan")


def test_a_person_s_page_shows_the_last_messages_and_the_way_to_all(built: House, client: FlaskClient) -> None:
    for number in range(12):
        post(client, {"event": "alarm", "title": f"alarm {number:02}"})
    decide(built)
    send(built, *[Delivered(1)] * 12)
    page = client.get("/people/ivan").get_data(as_text=True)

    assert re.findall(r"alarm (\d\d)", page) == [f"{number:02}" for number in range(11, 1, -1)]
    assert 'href="/events?person=ivan"' in page
    assert client.get("/events?person=ivan").status_code == 200


def test_a_person_s_own_shifts_stand_on_his_page(client: FlaskClient) -> None:
    assert "2026-11-30 10:00 – 2026-12-07 10:00 by rotation" in text(client, "/people/olga")
    assert "2026-12-07 10:00 – 2026-12-09 00:00 by rotation" in text(client, "/people/ivan")


def test_nobody_of_such_a_name_is_not_there(client: FlaskClient) -> None:
    assert client.get("/people/nobody").status_code == 404
    assert client.get("/api/v1/people/nobody").status_code == 404


def test_the_next_two_weeks_of_a_schedule_are_written_by_its_own_clock(client: FlaskClient) -> None:
    page = text(client, "/people")
    found = re.findall(r"(\d{4}-\d\d-\d\d \d\d:\d\d) – (\d{4}-\d\d-\d\d \d\d:\d\d) (\w+)", page)

    assert [each[2] for each in found] == ["ivan", "olga", "ivan"]
    assert found[0][:2] == ("2026-11-25 00:00", "2026-11-30 10:00")
    assert found[2][1] == "2026-12-09 00:00"
    assert "ivan by rotation now" in page


def test_the_picture_of_a_schedule_fills_its_width_without_gaps() -> None:
    rules = book(RULES.partition("oncall:")[2].join(["rules: []\noncall:", ""]).partition("rules:\n")[0])
    roster = people.roster(rules.oncall["sre"], rules, NOON.timestamp())
    edges = [(duty.x, round(duty.x + duty.width, 1)) for duty in roster.duties]

    assert edges[0][0] == 0
    assert edges[-1][1] == people.WIDTH
    assert all(one[1] == other[0] for one, other in pairwise(edges))
    assert [duty.now for duty in roster.duties] == [True, False, False]


def test_days_on_which_the_clocks_change_are_as_long_as_they_are() -> None:
    midnight = datetime(2026, 10, 20, tzinfo=ZoneInfo("Europe/Berlin"))  # on the 25th the clocks go back
    frame = people.Frame(first=midnight, now=midnight, zone=ZoneInfo("Europe/Berlin"))
    places = [x for x, _ in frame.midnights]

    assert [round(later - earlier, 1) for earlier, later in pairwise(places)][4:7] == [
        50.0,
        52.1,
        50.0,
    ]


@pytest.mark.parametrize(
    ("window", "said"),
    [
        (Window(hours=((1320, 1920),)), "22:00–08:00"),
        (Window(hours=((0, 480), (1200, 1440))), "00:00–08:00, 20:00–24:00"),
        (Window(weekdays=frozenset({5})), "00:00–24:00"),
    ],
)
def test_quiet_hours_are_told_as_clocks_show_them(window: Window, said: str) -> None:
    assert people.hours(window) == said


def test_a_name_that_means_nobody_has_a_line_that_is_yaml(built: House, client: FlaskClient) -> None:
    unmapped(built, "new-hand", "ann@example.com")
    page = client.get("/people").get_data(as_text=True)
    lines = [unescape(each) for each in re.findall(r'readonly value="([^"]*)"', page)]

    assert "new-hand: {id: , github: new-hand}" in lines
    assert yaml.safe_load(lines[0]) is not None
    assert "Every name of the last 7 days" not in page


def test_a_name_is_forgotten_after_a_week(built: House, client: FlaskClient, clock: Clock) -> None:
    clock.forward(-8 * 86_400)
    unmapped(built, "new-hand")
    clock.forward(8 * 86_400)

    assert "Every name of the last 7 days means somebody." in text(client, "/people")


def test_a_stranger_s_name_is_text(built: House, client: FlaskClient) -> None:
    unmapped(built, '"><script>alert(1)</script>')

    assert "<script>alert" not in client.get("/people").get_data(as_text=True)


def test_both_pages_speak_russian(built: House, client: FlaskClient) -> None:
    unmapped(built, "new-hand")
    page = text(client, "/people?lang=ru")

    assert "Имена, которые никого не значат" in page
    assert "по очереди сейчас" in page
    assert "Тихие часы" in text(client, "/people/ivan?lang=ru")


def test_scripts_are_told_the_same(built: House, client: FlaskClient, app: Flask) -> None:
    unmapped(built, "new-hand")
    with built.database.write() as tx:
        daily.add(tx, "person", [("ivan", "delivered")])
    script = client.application.test_client()

    def ask(address: str) -> object:
        answer = script.get(f"/api/v1/{address}", headers=bearer(READER_TOKEN))
        assert answer.status_code == 200, answer.text
        return answer.json

    one = ask("people/ivan")
    assert isinstance(one, dict)
    assert (one["id"], one["id_from"], one["quiet"], one["last_week"], one["messages"]) == (
        17, "file", ["22:00–08:00"], {"delivered": 1}, [],
    )  # fmt: skip
    everybody = ask("people")
    assert isinstance(everybody, dict)
    assert [each["name"] for each in everybody["people"]] == ["ivan", "olga", "dana"]
    duty = ask("oncall")
    assert isinstance(duty, dict)
    assert duty["schedules"][0]["shifts"][0]["persons"] == ["ivan"]
    nobody = ask("unmapped")
    assert isinstance(nobody, dict)
    assert nobody["unmapped"][0]["paste"] == "new-hand: {id: , github: new-hand}"
