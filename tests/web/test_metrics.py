"""`/metrics` is off without a password, opens to it alone, and tells exactly what the corridors did."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families as read_text
from sqlalchemy import event

from relay import __version__, courier, house, router
from relay.courier import Load
from relay.house import House
from relay.model import Answer, Dead, Delivered, PortalTrouble
from relay.settings import Secret, Settings
from relay.store.counters import CounterName, HistogramName
from relay.store.database import Database
from relay.web import metrics
from relay.web.app import create_app
from tests.conftest import Clock, absent, only_postgresql

RULES = """\
version: 1
portals:
  main: {webhook: "https://main.bitrix24.ru/rest/1/KEYKEYKEY/"}
  other: {webhook: "https://other.bitrix24.ru/rest/1/KEYKEYKEY/"}
sources: {x: {type: json, open: true, title: payload.title}}
people: {ivan: {id: 17}}
rules:
  - {name: 'a "named" rule', when: {source: x, payload.title: for ivan}, to: ivan, portal: main}
default: {to: ivan, portal: main}
"""
PASSWORD = "open sésame"
CLOSED = PortalTrouble("closed", "INVALID_CREDENTIALS", "the webhook's secret is wrong: make a new webhook")
EXAMPLES = Path(__file__).parents[2] / "examples" / "prometheus"
READMES = [Path(__file__).parents[2] / name for name in ("README.md", "README.ru.md")]


@pytest.fixture
def built(database_url: Secret, tmp_path: Path, clock: Clock) -> Iterator[House]:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES, encoding="utf-8")
    made = house.build(Settings(rules=rules, database_url=database_url, admin_password=Secret(PASSWORD)), {})
    made.database.close()
    made.database = Database(database_url, clock=clock)
    yield made
    made.close()


@pytest.fixture
def door(built: House) -> FlaskClient:
    return create_app(built).test_client()


def basic(password: str, user: str = "prometheus") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def bearer(password: str) -> dict[str, str]:
    return {"Authorization": "Bearer " + password.encode().decode("latin-1")}


def scrape(door: FlaskClient) -> dict[str, float]:
    """Every sample, by its name and labels as they are written."""
    answer = door.get("/metrics", headers=basic(PASSWORD))
    assert answer.status_code == 200
    return {
        f"{sample.name}{{{','.join(f'{key}={value}' for key, value in sorted(sample.labels.items()))}}}": sample.value
        for family in read_text(answer.get_data(as_text=True))
        for sample in family.samples
    }


def call(built: House, came: Answer) -> None:
    """A call of the portal that is answered so."""
    to = built.destinations()["main"]
    load = courier.claim(built.database, to, holder="me", lease_seconds=10)
    assert isinstance(load, Load)
    verdicts = came.verdicts * len(load.parcels)
    courier.settle(built.database, to, load, replace(came, verdicts=verdicts), jitter=0.0)


def decide(built: House) -> None:
    assert router.turn(built.database, built.rules, holder="me", lease_seconds=10)


# ── Who may read it ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("headers", [{}, basic(""), basic("x"), bearer("")], ids=["nothing", "empty", "some", "bearer"])
def test_without_a_password_there_is_no_such_page(built: House, headers: dict[str, str]) -> None:
    built.settings = replace(built.settings, admin_password=Secret(""))

    assert create_app(built).test_client().get("/metrics", headers=headers).status_code == 404


@pytest.mark.parametrize(
    "headers",
    [basic(PASSWORD), basic(PASSWORD, user=""), bearer(PASSWORD)],
    ids=["basic", "basic without a user", "bearer"],
)
def test_the_password_opens_it(door: FlaskClient, headers: dict[str, str]) -> None:
    assert door.get("/metrics", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic("wrong"),
        basic(""),
        basic("wrong", user=PASSWORD),
        bearer("wrong"),
        bearer(""),
        {"Authorization": "Basic ?"},
        {"Authorization": f"Digest username={PASSWORD}".encode().decode("latin-1")},
        {"X-Auth": "open sesame"},
    ],
    ids=lambda headers: str(headers)[:50],
)
def test_nothing_else_does(door: FlaskClient, headers: dict[str, str]) -> None:
    answer = door.get("/metrics", headers=headers)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="relay", Bearer'
    assert "relay_" not in answer.get_data(as_text=True)


# ── What is told ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_event_s_way_is_counted_exactly(door: FlaskClient, built: House, clock: Clock) -> None:
    door.post("/in/x", json={"title": "for ivan"})
    door.post("/in/x", json={"title": "for ivan"})  # the same once more
    clock.forward(0.2)
    decide(built)
    clock.forward(2)
    call(built, Answer(verdicts=(Delivered(1),)))

    found = scrape(door)
    assert found["relay_requests_total{result=journalled,source=x}"] == 1
    assert found["relay_requests_total{result=known,source=x}"] == 1
    assert found["relay_events_total{outcome=addressed,source=x}"] == 1
    delivered = 'relay_messages_total{reason=,recipient=person,rule=a "named" rule,verdict=delivered,via=personal}'
    assert found[delivered] == 1
    assert found["relay_calls_total{portal=main,result=answered}"] == 1
    assert (found["relay_decision_seconds_count{}"], found["relay_decision_seconds_bucket{le=0.1}"]) == (1, 0)
    assert found["relay_decision_seconds_bucket{le=0.25}"] == 1
    assert (found["relay_delivery_seconds_count{}"], found["relay_delivery_seconds_bucket{le=2.5}"]) == (1, 1)
    assert found["relay_delivery_seconds_sum{}"] == pytest.approx(2.2, abs=1e-5)


def test_what_was_not_delivered_is_counted_by_its_verdict_and_not_by_its_time(door: FlaskClient, built: House) -> None:
    door.post("/in/x", json={"title": "t"})
    decide(built)
    call(built, Answer(verdicts=(Dead("ERROR_ARGUMENT", "w"),)))

    found = scrape(door)
    dead = "relay_messages_total{reason=ERROR_ARGUMENT,recipient=person,rule=default,verdict=dead,via=personal}"
    assert found[dead] == 1
    assert found["relay_delivery_seconds_count{}"] == 0
    assert found["relay_queue_messages{portal=main,state=dead}"] == 1


def test_what_waits_is_told_with_its_age(door: FlaskClient, built: House, clock: Clock) -> None:
    door.post("/in/x", json={"title": "decided"})
    decide(built)
    clock.forward(30)
    door.post("/in/x", json={"title": "not yet"})
    clock.forward(12)

    found = scrape(door)
    assert found["relay_journal_waiting{}"] == 1
    assert found["relay_lag_seconds{portal=,stage=decide}"] == 12
    assert found["relay_queue_messages{portal=main,state=queued}"] == 1
    assert found["relay_lag_seconds{portal=main,stage=deliver}"] == 42


def test_a_paused_portal_is_told_until_it_works_again(door: FlaskClient, built: House, clock: Clock) -> None:
    door.post("/in/x", json={"title": "t"})
    decide(built)
    call(built, Answer(trouble=CLOSED))

    found = scrape(door)
    assert found["relay_portal_paused{portal=main,trouble=closed}"] == 1
    assert found["relay_portal_paused{portal=main,trouble=down}"] == 0
    assert found["relay_portal_paused{portal=other,trouble=closed}"] == 0
    assert found["relay_calls_total{portal=main,result=closed}"] == 1
    assert found["relay_bucket_level{portal=main}"] == 1

    clock.forward(400)
    call(built, Answer(verdicts=(Delivered(1),)))
    found = scrape(door)
    assert found["relay_portal_paused{portal=main,trouble=closed}"] == 0
    assert found["relay_calls_total{portal=main,result=closed}"] == 1


def test_a_refusal_for_the_rate_shows_the_part_of_the_bucket_that_is_left(
    door: FlaskClient, built: House, clock: Clock
) -> None:
    door.post("/in/x", json={"title": "t"})
    decide(built)
    clock.forward(1)
    call(built, Answer(trouble=PortalTrouble("rate", "QUERY_LIMIT_EXCEEDED", "too many")))

    found = scrape(door)
    assert (found["relay_bucket_share{portal=main}"], found["relay_bucket_share{portal=other}"]) == (0.5, 1)
    assert found["relay_bucket_level{portal=main}"] > 20
    assert found["relay_portal_paused{portal=main,trouble=rate}"] == 1


def test_a_new_relay_tells_zeros_where_an_alert_compares(door: FlaskClient) -> None:
    found = scrape(door)

    for portal in ("main", "other"):
        assert found[f"relay_lag_seconds{{portal={portal},stage=deliver}}"] == 0
        assert found[f"relay_queue_messages{{portal={portal},state=dead}}"] == 0
        assert found[f"relay_bucket_share{{portal={portal}}}"] == 1
    assert found[f"relay_build_info{{version={__version__}}}"] == 1


def test_it_is_one_answer_whichever_process_gives_it(door: FlaskClient, built: House, database_url: Secret) -> None:
    door.post("/in/x", json={"title": "t"})
    twin = replace(built, database=Database(database_url, clock=built.database._clock))

    assert scrape(create_app(twin).test_client()) == scrape(door)
    twin.close()


def test_openmetrics_is_spoken_to_who_asks_for_it(door: FlaskClient) -> None:
    door.post("/in/x", json={"title": "t"})
    accept = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"}
    answer = door.get("/metrics", headers=basic(PASSWORD) | accept)

    assert answer.content_type.startswith("application/openmetrics-text")
    assert "# TYPE relay_requests counter" in answer.get_data(as_text=True)
    assert answer.get_data(as_text=True).endswith("# EOF\n")


def test_no_secret_person_or_word_of_an_event_is_told(door: FlaskClient, built: House) -> None:
    door.post("/in/x", json={"title": "zanzibar"})
    decide(built)
    call(built, Answer(trouble=CLOSED))

    text = door.get("/metrics", headers=basic(PASSWORD)).get_data(as_text=True)
    for word in ("KEYKEYKEY", "zanzibar", "ivan", PASSWORD, "secret is wrong"):
        assert word not in text


def test_all_that_is_counted_is_told() -> None:
    assert set(metrics.COUNTED) == set(get_args(CounterName))
    assert set(metrics.MEASURED) == set(get_args(HistogramName))


@only_postgresql  # to which each is a journey
def test_a_group_of_requests_is_counted_by_one_more_statement(built: House, door: FlaskClient) -> None:
    written: list[str] = []

    def remember(_c: object, _cursor: object, statement: str, _v: Any, _context: object, _many: bool) -> None:
        written.append(statement)

    event.listen(built.database._engine, "before_cursor_execute", remember)
    door.post("/in/x", json={"title": "t"})
    event.remove(built.database._engine, "before_cursor_execute", remember)

    assert len([each for each in written if "counter" in each]) == 1


# ── What is shown and given along ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_every_metric_is_in_the_readme(readme: Path, door: FlaskClient) -> None:
    text = readme.read_text(encoding="utf-8")
    exposed = door.get("/metrics", headers=basic(PASSWORD)).get_data(as_text=True)
    types = [line.split()[2] for line in exposed.splitlines() if line.startswith("# TYPE")]

    assert len(types) == 18
    assert [name for name in types if not re.search(rf"^\| .*`{name}`.* \|", text, re.MULTILINE)] == []


def test_alerts_ask_only_for_metrics_that_there_are(door: FlaskClient) -> None:
    exposed = door.get("/metrics", headers=basic(PASSWORD)).get_data(as_text=True)
    groups = yaml.safe_load((EXAMPLES / "alerts.yml").read_text(encoding="utf-8"))["groups"]

    asked = {word for group in groups for rule in group["rules"] for word in re.findall(r"relay_\w+", rule["expr"])}
    assert {word.removesuffix("_bucket") for word in asked} - set(exposed.split()) == set()


@pytest.mark.senders
@pytest.mark.parametrize("command", ["check rules alerts.yml", "test rules alerts.test.yml"])
def test_prometheus_takes_the_alerts(command: str) -> None:
    promtool = shutil.which("promtool") or absent("promtool", "install Debian's package prometheus")

    done = subprocess.run([promtool, *command.split()], cwd=EXAMPLES, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
