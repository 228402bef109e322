"""The dashboard asks only for what is measured: a real Prometheus scrapes a real door, and every panel has data."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from werkzeug.serving import make_server

from relay import courier, house, router
from relay.courier import Load
from relay.house import House
from relay.model import Answer, Dead, Delivered, PortalTrouble
from relay.settings import Secret, Settings
from relay.web import metrics
from relay.web.app import create_app
from tests.conftest import absent
from tests.line.conftest import until
from tests.line.processes import free_port

DASHBOARD = json.loads(
    (Path(__file__).parents[2] / "examples" / "grafana-dashboard" / "relay.json").read_text(encoding="utf-8")
)
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
CHARTS = [each for each in PANELS if each["type"] != "row"]
EXPRESSIONS = [
    pytest.param(target["expr"], id=f"{panel['title']}-{target['refId']}")
    for panel in CHARTS
    for target in panel["targets"]
]
PASSWORD = "open sesame"
RULES = """\
version: 1
portals:
  main: {webhook: "https://main.bitrix24.ru/rest/1/KEYKEYKEY/", plan: {rate: 0.0001, burst: 50}}  # stands still
  other: {webhook: "https://other.bitrix24.ru/rest/1/KEYKEYKEY/"}
sources: {x: {type: json, open: true, title: payload.title}}
people: {ivan: {id: 17}}
default: {to: ivan, portal: main}
"""


# ── Its shape ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_it_is_a_dashboard_that_grafana_10_imports() -> None:
    assert DASHBOARD["schemaVersion"] == 39
    assert DASHBOARD["title"]
    assert re.fullmatch(r"[\w-]{1,40}", DASHBOARD["uid"])
    assert "id" not in DASHBOARD  # the database's own: an import would overwrite somebody's
    assert [each["name"] for each in DASHBOARD["templating"]["list"]] == ["datasource", "portal"]


def test_panels_have_ids_of_their_own_and_questions_with_refs() -> None:
    assert len({each["id"] for each in PANELS}) == len(PANELS)
    for panel in CHARTS:
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"]) > 0
        assert all(target["expr"] and target["legendFormat"] for target in panel["targets"])


def test_the_grid_has_no_overlaps_and_no_holes_between_rows() -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in PANELS:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        for cell in ((x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])):
            assert taken.setdefault(cell, panel["title"]) == panel["title"]
    rows = {y for _, y in taken}
    assert rows == set(range(len(rows)))


def test_it_asks_in_the_order_in_which_one_wants_to_know() -> None:
    assert [each["title"] for each in PANELS if each["type"] == "row"] == [
        "Is anything lost, or does it wait?",
        "How late?",
        "Which portal is in trouble?",
        "Which rule is loud, and what becomes of what it says?",
        "What comes in?",
        "Who works, and by which rules?",
    ]


# ── Its questions ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, str]]:
    """A house and its door's host and port."""
    folder = tmp_path_factory.mktemp("dashboard")
    (folder / "rules.yaml").write_text(RULES, encoding="utf-8")
    settings = Settings(
        rules=folder / "rules.yaml",
        database_url=Secret(f"sqlite:///{folder}/relay.db"),
        admin_password=Secret(PASSWORD),
    )
    built = house.build(settings, {})
    server = make_server("127.0.0.1", 0, create_app(built), threaded=True)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield built, f"127.0.0.1:{server.server_port}"
    server.shutdown()
    serving.join()
    server.server_close()
    built.close()


def happen(built: House, address: str, number: int) -> None:
    """One event that is delivered, one that is not, and a call that is refused."""
    for title in ("delivered", "dead", "rate"):
        body = {"title": f"{title} {number}"}
        assert requests.post(f"http://{address}/in/x", json=body, timeout=10).ok
    assert router.turn(built.database, built.rules, holder="me", lease_seconds=600)
    came: tuple[Answer, ...] = (
        Answer(verdicts=(Delivered(1),)),
        Answer(verdicts=(Dead("ERROR_ARGUMENT", "w"),)),
        Answer(trouble=PortalTrouble("rate", "QUERY_LIMIT_EXCEEDED", "w", 1.0)),
    )
    to = built.destinations()["main"]
    for answer in came:
        load = courier.claim(built.database, to, holder="me", lease_seconds=600)
        if isinstance(load, Load):
            told = replace(answer, verdicts=answer.verdicts * len(load.parcels))
            courier.settle(built.database, to, load, told, jitter=0.0)


@pytest.fixture(scope="module")
def prometheus(door: tuple[House, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Prometheus that has scraped the door while things happened there."""
    program = shutil.which("prometheus") or absent("prometheus", "install Debian's package prometheus")
    built, address = door
    folder, port = tmp_path_factory.mktemp("prometheus"), free_port()
    job = {
        "job_name": "bitrix24-relay",
        "scrape_interval": "500ms",
        "scrape_timeout": "500ms",
        "basic_auth": {"username": "prometheus", "password": PASSWORD},
        "static_configs": [{"targets": [address, address.replace("127.0.0.1", "localhost")]}],  # as if there were two
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump({"scrape_configs": [job]}), encoding="utf-8")
    happen(built, address, 0)  # so that every series is there at the first scrape, and grows after it
    command = [program, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
    try:
        base = f"http://127.0.0.1:{port}"
        until(lambda: scrapes(base) >= 2)
        happen(built, address, 1)
        seen = scrapes(base)
        until(lambda: scrapes(base) >= seen + 2)
        yield base
    finally:
        running.terminate()
        running.wait(30)


def scrapes(base: str) -> float:
    try:
        found = ask(base, "min(sum_over_time(up[1h]))")
    except requests.RequestException:
        return 0.0
    return float(found[0]["value"][1]) if found else 0.0


def ask(base: str, expression: str) -> list[dict[str, Any]]:
    answer = requests.get(f"{base}/api/v1/query", params={"query": expression}, timeout=10)
    told: Mapping[str, Any] = answer.json()
    assert told["status"] == "success", told.get("error")
    return list(told["data"]["result"])


def as_grafana_asks(expression: str) -> str:
    for name, value in {"$__rate_interval": "1m", "$__range": "1m", "$portal": ".*"}.items():
        expression = expression.replace(name, value)
    assert "$" not in expression
    return expression


@pytest.mark.senders
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_panel_has_data(prometheus: str, expression: str) -> None:
    found = ask(prometheus, as_grafana_asks(expression))

    assert found
    assert [each for each in found if each["value"][1] in ("NaN", "+Inf")] == []


@pytest.mark.senders
def test_the_choice_of_portals_is_that_of_the_rules(prometheus: str) -> None:
    (choice,) = [each for each in DASHBOARD["templating"]["list"] if each["name"] == "portal"]
    metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", choice["query"]["query"]).groups()  # type: ignore[union-attr]

    assert {each["metric"][label] for each in ask(prometheus, metric)} == {"main", "other"}


@pytest.mark.senders
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_two_doors_that_are_scraped_are_counted_once(prometheus: str, door: tuple[House, str], expression: str) -> None:
    asked = as_grafana_asks(expression)
    of_one = re.sub(r"(relay_\w+)(?:{([^}]*)})?", rf'\1{{instance="{door[1]}",\2}}', asked)

    both, one = (values(ask(prometheus, each)) for each in (asked, of_one))
    # The two are not scraped at the same moment, and whoever waits has waited for longer then.
    assert both == pytest.approx(one, rel=0.4, abs=4.0 if "relay_lag" in expression else None)


def values(found: list[dict[str, Any]]) -> dict[str, float]:
    return {json.dumps(each["metric"], sort_keys=True): float(each["value"][1]) for each in found}


def test_every_counter_and_histogram_is_shown() -> None:
    asked = " ".join(str(parameter.values[0]) for parameter in EXPRESSIONS)
    named = {*metrics.COUNTED, *metrics.MEASURED} - {"relay_reloads_total"}
    assert [name for name in named if name not in asked] == []
