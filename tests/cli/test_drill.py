"""A drill goes the real road, is marked as one wherever it is seen, and says where it is stuck and what to do."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from werkzeug.serving import make_server

from relay import drill, house, intake, rules
from relay.cli.events import signed
from relay.cli.main import main
from relay.errors import RelayError
from relay.house import House
from relay.model import PortalTrouble
from relay.render import plain
from relay.rules import Rules
from relay.sandbox import Portal, Server, serve
from relay.settings import Secret, Settings
from relay.store import leases, portals
from relay.store.journal import Arrival, Receipt
from relay.web.app import create_app
from relay.work import Worker
from tests.conftest import only_sqlite
from tests.line.processes import Relay

RULES = """\
version: 1
portal: {domain: "PORTAL", token: sandbox-token}
sources:
  github: {type: github, secret: github-secret}
  alertmanager: {type: alertmanager, bearer: alertmanager-token}
  grafana: {type: grafana, hmac: {secret: grafana-secret}, per: alert}
  deploys: {type: json, bearer: deploy-token, event: payload.event.kind, key: header.X-Id, tag: payload.event.service,
            title: payload.title, labels: payload.labels}
  mute: {type: json, open: true}
people:
  ivan: {id: 17, locale: ru}
  olga: {id: 18}
  gone: {id: 20}
rules:
  - {when: {source: github}, to: ivan}
  - {when: {source: alertmanager}, to: olga}
  - {when: {source: grafana}, to: [ivan, olga]}
  - {when: {source: deploys}, to: gone}
default: drop
"""
ENV = {"RELAY_LOG": "quiet"}
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


class Standing:
    """The door, at a real address, the worker if it is wanted, and the stand-in portal behind them."""

    def __init__(self, built: House, server: Server, url: str) -> None:
        self.house = built
        self.server = server
        self.url = url

    def drill(self, *words: str) -> Result:
        return CliRunner().invoke(main, ["drill", *words])

    def through(self, source: str, *words: str) -> Result:
        return self.drill("--source", source, "--url", self.url, *words)

    def texts(self, person: int) -> list[str]:
        return [plain(each.text) for each in self.server.portal.notifications(person)]


@pytest.fixture
def stand(tmp_path: Path, database_url: Secret, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Standing]]:
    with ExitStack() as stack:

        def make(*, rules: str = RULES, works: bool = True) -> Standing:
            server = stack.enter_context(serve(Portal(rate="unlimited")))
            path = tmp_path / "rules.yaml"
            path.write_text(rules.replace("PORTAL", server.url), encoding="utf-8")
            monkeypatch.setenv("RELAY_RULES", str(path))
            monkeypatch.setenv("DATABASE_URL", database_url.reveal())
            built = house.build(Settings(rules=path, database_url=database_url, lease=2.0), {})
            stack.callback(built.close)
            door = make_server("127.0.0.1", 0, create_app(built), threaded=True)
            stack.callback(door.server_close)
            _run(stack, door.serve_forever, door.shutdown)
            if works:
                worker = Worker(built)
                _run(stack, worker.run, worker.stop)
            return Standing(built, server, f"http://127.0.0.1:{door.server_port}")

        yield make


def _run(stack: ExitStack, run: Callable[[], None], stop: Callable[[], None]) -> None:
    """Run something in a thread until the end of the test."""
    thread = threading.Thread(target=run)
    thread.start()
    stack.callback(thread.join, 30)
    stack.callback(stop)


# ── It arrives ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_drill_arrives_by_the_real_road_and_each_step_is_timed(stand: Callable[..., Standing]) -> None:
    standing = stand()
    done = standing.through("github")

    assert done.exit_code == 0, done.output
    head, accepted, decided, answered, end = done.stdout.splitlines()
    assert "through the source github, for ivan" in head
    assert [line.split()[0] for line in (accepted, decided, answered)] == ["accepted", "decided", "answered"]
    assert [line.split()[2] for line in (accepted, decided, answered)] == ["ms", "ms", "ms"]
    (notification,) = standing.server.portal.notifications(17)
    assert answered.endswith(f"notification {notification.id}")
    assert end == "It has arrived."


def test_whoever_gets_it_reads_that_it_is_a_test_in_his_own_language(stand: Callable[..., Standing]) -> None:
    standing = stand()
    for source in ("github", "alertmanager", "grafana"):
        assert standing.through(source).exit_code == 0

    both, russian = standing.texts(17)
    assert "drill " in russian
    assert "проверка связи: ничего не случилось" in russian
    assert "test of the relay" not in russian
    assert "проверка связи" in both
    assert "a test of the relay: nothing has happened" in standing.texts(18)[-1]


def test_without_a_source_the_first_that_reaches_somebody_is_taken(stand: Callable[..., Standing]) -> None:
    standing = stand(rules=RULES.replace("{when: {source: github}, to: ivan}", "{when: {source: github}, to: []}"))
    done = standing.drill("--url", standing.url)

    assert done.exit_code == 0, done.output
    assert "through the source alertmanager, for olga" in done.stdout


def test_one_person_is_reached_straight(stand: Callable[..., Standing]) -> None:
    standing = stand()
    done = standing.drill("--person", "ivan")

    assert done.exit_code == 0, done.output
    assert [line.split()[0] for line in done.stdout.splitlines()[1:-1]] == ["queued", "answered"]
    (text,) = standing.texts(17)
    assert text.startswith("drill ")
    assert "проверка связи: ничего не случилось" in text


def test_json_is_strict_and_tells_the_steps(stand: Callable[..., Standing]) -> None:
    told = json.loads(stand().drill("--person", "olga", "--json").stdout)

    assert (told["arrived"], told["stuck"]) == (True, "")
    assert [step["step"] for step in told["steps"]] == ["queued", "answered"]
    assert all(step["ms"] >= 0 for step in told["steps"])


@only_sqlite
def test_a_drill_through_the_relay_as_its_users_run_it(
    tmp_path: Path, database_url: Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(Portal(rate="unlimited")) as server:
        relay = Relay(tmp_path, RULES.replace("PORTAL", server.url), database_url)
        monkeypatch.setenv("RELAY_RULES", str(tmp_path / "rules.yaml"))
        monkeypatch.setenv("DATABASE_URL", database_url.reveal())
        try:
            relay.start()
            done = CliRunner().invoke(main, ["drill", "--url", relay.url, "--json"])
        finally:
            relay.end()

        assert done.exit_code == 0, done.output
        assert len(server.portal.notifications(17)) == 1


# ── It does not ───────────────────────────────────────────────────────────────────────────────────────────────


def test_no_relay_at_the_address_is_stuck_at_once(stand: Callable[..., Standing]) -> None:
    standing = stand(works=False)
    done = standing.drill("--source", "github", "--url", "http://127.0.0.1:9")

    assert done.exit_code == 1
    assert "Stuck at «accepted»: no answer from http://127.0.0.1:9" in done.stderr
    assert "relay serve" in done.stderr


def test_a_relay_with_other_secrets_is_stuck_at_the_door(stand: Callable[..., Standing], tmp_path: Path) -> None:
    standing = stand(works=False)
    other = tmp_path / "other.yaml"
    other.write_text((tmp_path / "rules.yaml").read_text().replace("github-secret", "another"))
    done = standing.through("github", "--rules", str(other))

    assert done.exit_code == 1
    assert "Stuck at «accepted»" in done.stderr
    assert "401" in done.stderr
    assert "secret" not in done.stdout


def test_without_a_worker_it_is_stuck_at_decided(stand: Callable[..., Standing]) -> None:
    done = stand(works=False).through("github", "--timeout", "0.5")

    assert done.exit_code == 1
    assert "accepted" in done.stdout
    assert "Stuck at «decided»: no worker has taken it" in done.stderr
    assert "relay work" in done.stderr


def test_behind_a_router_at_work_it_waits_for_its_turn(stand: Callable[..., Standing]) -> None:
    standing = stand(works=False)
    with standing.house.database.write() as tx:
        leases.hold(tx, "router", "somebody", 60.0)
    done = standing.through("github", "--timeout", "0.5")

    assert "Stuck at «decided»: the router has not come to it" in done.stderr


def test_without_a_worker_a_straight_one_is_stuck_at_answered(stand: Callable[..., Standing]) -> None:
    done = stand(works=False).drill("--person", "ivan", "--timeout", "0.3")

    assert done.exit_code == 1
    assert "Stuck at «answered»: message 1 to ivan is queued: no worker has taken it" in done.stderr


def test_a_portal_in_trouble_is_named_with_its_reason(stand: Callable[..., Standing]) -> None:
    standing = stand(works=False)
    with standing.house.database.write() as tx:
        trouble = PortalTrouble("closed", "INVALID_CREDENTIALS", "the webhook's secret is wrong")
        portals.in_trouble(tx, portals.get(tx, "main"), trouble, tx.now + 60)
    done = standing.drill("--person", "ivan", "--timeout", "0.3", "--json")

    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert told["arrived"] is False
    assert "the portal «main» is in trouble: the webhook's secret is wrong" in told["stuck"]
    assert "relay doctor main" in told["stuck"]


def test_a_recipient_whom_the_portal_refuses_was_not_reached(stand: Callable[..., Standing]) -> None:
    standing = stand()
    done = standing.through("deploys")

    assert done.exit_code == 1
    assert "Not delivered: message 1 to gone is dead: no such person on the portal" in done.stderr


def test_an_event_of_which_nobody_is_told_has_not_arrived(stand: Callable[..., Standing]) -> None:
    standing = stand(rules=RULES.replace("{when: {source: github}, to: ivan}", "{when: {source: github}, to: []}"))
    done = standing.through("github")

    assert done.exit_code == 1
    assert "for nobody, by the rules" in done.stdout
    assert "Stuck at «decided»: the rules tell nobody of it (dropped)" in done.stderr


def test_a_relay_with_another_database_is_noticed(
    stand: Callable[..., Standing], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    standing = stand(works=False)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/another.db")
    done = standing.through("github", "--timeout", "0.2")

    assert done.exit_code == 1
    assert "is in another database" in done.stderr


def test_one_person_and_a_source_exclude_each_other(stand: Callable[..., Standing]) -> None:
    assert stand(works=False).drill("--person", "ivan", "--source", "github").exit_code == 2


# ── What is posted ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def loaded() -> Rules:
    return rules.load(RULES.replace("PORTAL", "https://acme.bitrix24.ru"), env={})


@pytest.mark.parametrize("source", ["github", "alertmanager", "grafana", "deploys"])
def test_the_event_is_one_of_the_sources_own_and_recognisable(loaded: Rules, source: str) -> None:
    made = drill.through(source, loaded, name="drill 3fa2c1", now=NOW)
    arrivals: list[Arrival] = []

    def keep(arrival: Arrival) -> Receipt:
        arrivals.append(arrival)
        return Receipt(1, duplicate=False)

    request = signed(source, made.request, loaded)
    intake.accept(source, request, rules=loaded, journal=keep, now=NOW.timestamp())

    assert "drill 3fa2c1" in arrivals[0].title
    assert made.messages
    assert all("drill" in each.text for each in made.messages)


def test_two_drills_are_two_deliveries_about_two_things(loaded: Rules) -> None:
    for source in ("github", "alertmanager", "grafana", "deploys"):
        one, two = (drill.through(source, loaded, name=name, now=NOW) for name in ("drill 1", "drill 2"))
        tags = {message.tag for made in (one, two) for message in made.messages if message.user_id in (17, 18, 20)}
        assert one.request.body != two.request.body
        assert len(tags) == 2, source


@pytest.mark.parametrize(
    ("source", "says"),
    [("mute", "needs a title: place"), ("nobody", "the rules have no source «nobody»; they have github")],
)
def test_a_source_that_can_carry_no_mark_is_refused(loaded: Rules, source: str, says: str) -> None:
    with pytest.raises(RelayError, match=says):
        drill.through(source, loaded, name="drill 1", now=NOW)


def test_rules_that_tell_nobody_anything_are_told_before_anything_is_posted() -> None:
    silent = rules.load(
        RULES.replace("PORTAL", "https://a.bitrix24.ru").partition("rules:")[0] + "default: drop\n", env={}
    )

    with pytest.raises(RelayError, match=r"nobody would be told.*--person"):
        drill.through_any(silent, name="drill 1", now=NOW)


def test_words_stand_where_the_source_says_that_they_do(loaded: Rules) -> None:
    made = drill.through("deploys", loaded, name="drill 1", now=NOW)
    body: dict[str, Any] = json.loads(made.request.body)

    assert body["event"] == {"kind": "drill", "service": "drill 1"}
    assert body["labels"] == {"drill": "true"}
    assert made.request.headers["x-id"] == "drill 1"
