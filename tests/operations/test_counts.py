"""What operations are counted by: commits, leases, readings of the rules, and a verdict's recipient and reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families as read_text

from relay import courier, house, router
from relay.bitrix import refusals
from relay.courier import Load
from relay.house import House
from relay.model import Answer, Message, Refused
from relay.settings import Secret, Settings
from relay.store import counters, leases
from relay.web.app import create_app
from tests.conftest import only_sqlite
from tests.store.build import arrival

RULES = """\
version: 1
portal: {webhook: "https://main.bitrix24.ru/rest/1/KEYKEYKEY/"}
sources: {x: {type: json, open: true, title: payload.title}}
people: {ivan: {id: 17}, olga: {id: 18}}
rules: [{name: all, to: ivan, fallback: olga}]
default: {to: ivan}
"""
PASSWORD = "open sesame"


@pytest.fixture
def built(database_url: Secret, tmp_path: Path) -> Iterator[House]:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES, encoding="utf-8")
    made = house.build(Settings(rules=rules, database_url=database_url, admin_password=Secret(PASSWORD)), {})
    yield made
    made.close()


@pytest.fixture
def door(built: House) -> FlaskClient:
    return create_app(built).test_client()


def scrape(door: FlaskClient) -> dict[str, float]:
    answer = door.get("/metrics", headers={"Authorization": f"Bearer {PASSWORD}"})
    return {
        f"{sample.name}{{{','.join(f'{key}={value}' for key, value in sorted(sample.labels.items()))}}}": sample.value
        for family in read_text(answer.get_data(as_text=True))
        for sample in family.samples
    }


@only_sqlite
def test_requests_that_come_together_save_commits(door: FlaskClient, built: House) -> None:
    door.post("/in/x", json={"title": "one"})
    assert "relay_commits_saved_total{}" not in scrape(door)
    built.journal._commit([arrival(delivery=each, source="x") for each in ("two", "three", "four")])

    found = scrape(door)
    assert found["relay_requests_total{result=journalled,source=x}"] == 4
    assert found["relay_commits_saved_total{}"] == 2


@only_sqlite
def test_a_changed_rules_file_is_counted_once_whoever_reads_it(
    door: FlaskClient, built: House, database_url: Secret
) -> None:
    twin = house.build(built.settings, {})
    assert scrape(door)["relay_reloads_total{result=taken}"] == 1
    for text in (RULES + "# more\n", RULES + "# and more\n"):
        built.settings.rules.write_text(text, encoding="utf-8")
        assert built.rules_file.refresh()
        assert twin.rules_file.refresh()

    assert scrape(door)["relay_reloads_total{result=taken}"] == 3
    twin.close()


@only_sqlite
def test_a_bad_rules_file_is_told_until_it_is_good_again(door: FlaskClient, built: House) -> None:
    assert scrape(door)["relay_rules_refused{}"] == 0
    built.settings.rules.write_text("version: [", encoding="utf-8")
    built.rules_file.refresh()

    found = scrape(door)
    assert (found["relay_rules_refused{}"], found["relay_reloads_total{result=refused}"]) == (1, 1)
    built.settings.rules.write_text(RULES, encoding="utf-8")
    built.rules_file.refresh()
    assert scrape(door)["relay_rules_refused{}"] == 0


def test_a_lease_is_told_with_how_often_somebody_new_has_taken_it(door: FlaskClient, built: House) -> None:
    with built.database.write() as tx:
        leases.hold(tx, "router", "me", 60)
    with built.database.write() as tx:
        leases.hold(tx, "router", "me", 60)
        leases.release(tx, "router", "me")
    assert scrape(door)["relay_lease_held{lease=router}"] == 0
    with built.database.write() as tx:
        leases.hold(tx, "router", "another", 60)

    found = scrape(door)
    assert (found["relay_lease_held{lease=router}"], found["relay_lease_epochs_total{lease=router}"]) == (1, 2)


@only_sqlite
def test_a_fallback_is_counted_as_such_and_the_first_with_its_reason(door: FlaskClient, built: House) -> None:
    door.post("/in/x", json={"title": "t"})
    assert router.turn(built.database, built.rules, holder="me", lease_seconds=60)
    to = built.destinations()["main"]
    for _ in range(2):
        load = courier.claim(built.database, to, holder="me", lease_seconds=60)
        assert isinstance(load, Load)
        courier.settle(built.database, to, load, Answer(verdicts=(Refused("nobody"),)), jitter=0.0)

    told = {name for name, value in scrape(door).items() if name.startswith("relay_messages_total") and value == 1}
    labels = "reason=REFUSED,recipient={},rule=all,verdict=refused,via=personal"
    assert told == {f"relay_messages_total{{{labels.format(who)}}}" for who in ("person", "fallback")}


@pytest.mark.parametrize(
    ("person", "who"), [("ivan", "person"), ("17", "id"), ("18", "person"), ("instead of ivan", "fallback")]
)
def test_whom_a_message_was_meant_for(person: str, who: str) -> None:
    message = Message(portal="main", user_id=17, person=person, rule="r", key="k", tag="", text="t")

    assert courier.recipient(message) == who


@pytest.mark.parametrize(
    ("code", "label"),
    [
        ("", ""),
        ("ERROR_ARGUMENT", "ERROR_ARGUMENT"),
        ("HTTP_502", "HTTP_502"),
        ("HTTP_429", "HTTP_429"),
        ("HTTP_599", "other"),
        ("UNREACHABLE", "UNREACHABLE"),
        ("WHATEVER_A_PORTAL_MAY_SAY", "other"),
    ],
)
def test_a_reason_is_a_word_of_the_tables(code: str, label: str) -> None:
    assert courier.reason(code) == label


def test_there_are_no_more_reasons_than_prometheus_likes() -> None:
    assert len(refusals.ERRORS) + len(courier.OUR_CODES) + len(courier.HTTP_STATUSES) < 80


def test_every_code_that_our_own_code_gives_is_known() -> None:
    given = set()
    for path in Path(courier.__file__).parent.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        given |= set(re.findall(r'(?:Dead|Later|PortalTrouble|WithoutBlocks)\((?:"\w+", )?"([A-Z_]{4,})"', text))

    assert {courier.reason(code) for code in given} - given == set()


@only_sqlite
def test_what_an_earlier_version_counted_with_fewer_labels_is_still_told(door: FlaskClient, built: House) -> None:
    tally = counters.Tally()
    tally.count("relay_messages_total", verdict="delivered", rule="all", via="personal")
    with built.database.write() as tx:
        counters.write(tx, tally)

    name = "relay_messages_total{reason=,recipient=,rule=all,verdict=delivered,via=personal}"
    assert scrape(door)[name] == 1
