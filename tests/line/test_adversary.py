"""What an adversary found in the joins: each test is one way in which the relay stopped, lied or leaked."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from relay import courier, log, router, settings
from relay.cli.events import signed
from relay.courier import Load, Wait
from relay.errors import StoreUnavailable
from relay.house import House
from relay.model import Later, PortalTrouble, Request
from relay.rules import decide
from relay.store import journal, leases, portals, sqlite
from relay.store.database import Database
from relay.store.group_commit import GroupCommit
from relay.work import Worker
from tests.conftest import only_sqlite
from tests.line.conftest import RULES, TOKEN, Line, until
from tests.line.processes import free_port
from tests.store.build import message, put, take

SOON = 20.0  # seconds, of a machine that does much else


# ── One event, one message, one answer must not stop the others ───────────────────────────────────────────────

RULES_BY_FIELD = RULES.replace("to: owner, fallback: olga", "to: {{field: payload.person}}, fallback: olga")


def test_a_name_that_no_database_can_keep_does_not_stop_the_router(make_line: Callable[..., Line]) -> None:
    line = make_line(rules=RULES_BY_FIELD)
    line.start()
    for body in (rb'{"id": "1", "person": "half a pair: \ud800"}', b'{"id": "2", "person": 17, "title": "behind it"}'):
        answer = line.door.post("/in/deploys", data=body, headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 202

    until(lambda: any("behind it" in note.text for note in line.notifications(17)), patience=SOON)


def test_an_event_on_which_a_rule_breaks_does_not_stop_the_router(
    make_line: Callable[..., Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(event: Any, *rest: Any) -> Any:
        if event.title == "breaks":
            raise RecursionError
        return decide(event, *rest)

    monkeypatch.setattr(router, "decide", breaks)
    line = make_line()
    line.deploy(title="breaks", service="first")
    line.deploy(title="the one behind it", service="second")
    line.start()

    until(lambda: any("behind it" in note.text for note in line.notifications(17)), patience=SOON)
    with line.house.database.read() as tx:
        broken = journal.get(tx, 1)
    assert broken is not None
    assert broken.state == "unreadable"


def test_an_answer_that_could_not_be_written_down_is_not_left_in_the_middle(
    make_line: Callable[..., Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    honest, failures = courier.settle, iter([RuntimeError])

    def settle(*args: Any, **words: Any) -> Any:
        for failure in failures:  # as psycopg's ReadOnlySqlTransaction, which is no OperationalError
            raise failure
        return honest(*args, **words)

    monkeypatch.setattr(courier, "settle", settle)
    line = make_line()
    line.start()
    line.deploy()

    until(lambda: line.states() in ({"delivered": 1}, {"held": 1}), patience=SOON)


# ── Two workers, and a worker that ends ───────────────────────────────────────────────────────────────────────


def test_a_call_in_flight_keeps_its_lease_while_the_worker_ends(make_line: Callable[..., Line]) -> None:
    line = make_line()
    hasty = replace(line.house, settings=replace(line.house.settings, lease=0.5))
    line.portal.fail("slow", seconds=1.5)
    line.deploy()
    with running(hasty) as first:
        until(lambda: line.states() == {"sending": 1})
        first.stop()
        with running(hasty):
            line.until(line.settled)

    assert len(line.portal.commands("im.notify.personal.add")) == 1


class running:
    """A worker of its own on a house, ended with the block."""

    def __init__(self, house: House) -> None:
        self.worker = Worker(house)
        self.thread = threading.Thread(target=self.worker.run)

    def __enter__(self) -> Worker:
        self.thread.start()
        return self.worker

    def __exit__(self, *_: object) -> None:
        self.worker.stop()
        self.thread.join()


def test_slow_rules_and_two_routers_get_on_all_the_same(
    make_line: Callable[..., Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    line = make_line()
    for number in range(3):
        line.deploy(service=f"service {number}")
    honest = router.plan

    def slow(*args: Any) -> Any:
        time.sleep(0.2)
        with line.house.database.write() as tx:  # the other router, which wants the lease as soon as it may have it
            leases.hold(tx, router.LEASE, "the other", 0.3)
        return honest(*args)

    monkeypatch.setattr(router, "plan", slow)
    plans = router.turn(line.house.database, line.house.rules, holder="slow", lease_seconds=0.3)

    assert plans, "what was decided was thrown away, and will be each time"


# ── Waiting must cost nothing ─────────────────────────────────────────────────────────────────────────────────


@only_sqlite
def test_a_courier_that_has_to_wait_writes_nothing(make_line: Callable[..., Line]) -> None:
    """Each commit wakes both loops, and these would commit again: fifty times a second, each with its fsync."""
    line = make_line()
    database, to = line.house.database, line.house.destinations()["main"]
    put(database, message())
    with database.write() as tx:
        trouble = PortalTrouble("closed", "INVALID_CREDENTIALS", "the secret is wrong")
        portals.in_trouble(tx, portals.get(tx, "main"), trouble, tx.now + 300)

    def wait() -> None:
        assert isinstance(courier.claim(database, to, holder="one", lease_seconds=10), Wait)

    wait()
    with ExitStack() as stack:
        version = watched(stack, database)
        seen = [version()]
        for _ in range(10):
            wait()
            seen.append(version())
    assert len(set(seen)) <= 2, "it commits whenever it looks"


def watched(stack: ExitStack, database: Database) -> Callable[[], int]:
    """A number that changes when another connection has committed, as one connection sees it."""
    raw = sqlite_connection(database)
    stack.callback(raw.close)
    return lambda: int(raw.execute("PRAGMA data_version").fetchone()[0])


def sqlite_connection(database: Database) -> Any:
    with database.read() as tx:
        path = tx.connection.exec_driver_sql("PRAGMA database_list").all()[0][2]
    return sqlite3.connect(path)


# ── Time ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_message_that_waited_for_its_portal_is_not_given_up_at_its_first_own_failure(
    make_line: Callable[..., Line],
) -> None:
    line = make_line()
    to = line.house.destinations()["main"]
    put(line.house.database, message())
    (parcel,) = take(line.house.database)
    late = parcel.created_at + courier.GIVE_UP_AFTER + 1  # the portal was closed over a long weekend

    ruled = courier.rule(parcel, Later("OPERATION_TIME_LIMIT", "it rests"), to=to, now=late, jitter=0.0)

    assert ruled.state == "queued"


@pytest.mark.parametrize("what", ["the bucket", "a dead worker's lease"])
def test_a_clock_that_was_an_hour_fast_does_not_stop_the_courier_for_an_hour(
    make_line: Callable[..., Line], tmp_path: Path, what: str
) -> None:
    now = [1_795_000_000.0]
    database = Database(settings.Secret(f"sqlite:///{tmp_path}/clock.db"), clock=lambda: now[0])
    database.upgrade()
    to = make_line().house.destinations()["main"]
    put(database, message())
    with database.write() as tx:
        if what == "the bucket":
            portals.get(tx, "main")
            portals.fill(tx, "main", to.pace.full)
        else:
            leases.hold(tx, to.lease, "killed", 10)
    now[0] -= 3600

    def claimed() -> bool:
        return isinstance(courier.claim(database, to, holder="one", lease_seconds=10), Load)

    for _ in range(60):
        if claimed():
            break
        now[0] += 1
    else:
        pytest.fail("a minute later nothing can be sent yet")
    database.close()


# ── The door ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_locked_database_is_told_to_all_who_wait_after_one_try() -> None:
    entered, gate, tries = threading.Event(), threading.Event(), []

    def commit(given: Sequence[int]) -> list[int]:
        tries.append(len(given))
        entered.set()
        assert gate.wait(SOON)
        raise StoreUnavailable  # after BUSY_SECONDS: with one more try for each the last waits a quarter of an hour

    grouped = GroupCommit(commit)
    callers = [grouped(0)]
    assert entered.wait(SOON)
    callers += [grouped(number) for number in range(1, 11)]
    gate.set()

    assert all(isinstance(caller.exception(SOON), StoreUnavailable) for caller in callers)
    assert tries == [1, 10]


@only_sqlite
def test_readiness_does_not_wait_for_a_writer(make_line: Callable[..., Line], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.1)
    line = make_line()
    with line.house.database.write():
        answer = line.door.get("/readyz")

    assert answer.status_code == 200


def test_a_doubled_slash_is_answered_by_a_sentence_and_no_redirect(make_line: Callable[..., Line]) -> None:
    answer = make_line().door.post("/in//github", data=b"{}")

    assert answer.status_code == 404
    assert "localhost" not in answer.text
    assert answer.json == {"error": "not found"}


def test_a_method_that_is_not_allowed_is_told_those_that_are(make_line: Callable[..., Line]) -> None:
    answer = make_line().door.get("/in/github")

    assert answer.status_code == 405
    assert "POST" in answer.headers.get("Allow", "")  # RFC 9110 §15.5.6


RULES_WITH_OWN_HEADERS = RULES.replace(
    "  deploys:",
    "  own: {{type: json, token: {{header: X-Deploy-Key, value: t0ken-of-its-own}}, title: payload.title}}\n"
    "  mac: {{type: json, hmac: {{header: X-Digest, secret: s3cret-of-its-own}}, title: payload.title}}\n"
    "  deploys:",
)


@pytest.mark.parametrize("source", ["own", "mac"])
def test_the_header_that_the_rules_name_as_proof_is_not_journalled(make_line: Callable[..., Line], source: str) -> None:
    line = make_line(rules=RULES_WITH_OWN_HEADERS)
    body = b'{"title": "live"}'
    plain = Request(method="POST", path=f"/in/{source}", headers={"content-type": "application/json"}, body=body)
    request = signed(source, plain, line.house.rules)
    answer = line.door.post(request.path, data=request.body, headers=dict(request.headers))

    assert answer.status_code == 202
    with line.house.database.read() as tx:
        (entry,) = journal.latest(tx, limit=1)
    assert {"x-deploy-key", "x-digest"} & set(entry.request.headers) == set()


@pytest.mark.parametrize("path", ["/in/\x1b[31m\x00", "/in/\x9b2J\u2028"])
def test_a_strangers_path_cannot_command_the_operators_terminal(path: str) -> None:
    record = logging.LogRecord("relay", logging.INFO, "", 0, "intake: refused", (), None)
    record.words = {"path": path}

    assert [sign for sign in log.Text().format(record) if not sign.isprintable()] == []


# ── Processes ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start `relay web` in a process group of its own; ``web(port)``, with settings by name."""
    rules = RULES.format(portal='{webhook: "https://p.bitrix24.ru/rest/1/abc/"}')
    (tmp_path / "rules.yaml").write_text(rules, encoding="utf-8")
    started: list[subprocess.Popen[bytes]] = []

    def start(port: int, **more: str) -> subprocess.Popen[bytes]:
        env = os.environ | {
            "RELAY_RULES": str(tmp_path / "rules.yaml"),
            "DATABASE_URL": f"sqlite:///{tmp_path}/relay.db",
            "PORT": str(port),
            "GITHUB_SECRET": "x1y2",
            "BEARER": TOKEN,
        }
        with (tmp_path / "log").open("ab") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "relay", "web"], env=env | more, stdout=out, stderr=out, start_new_session=True
            )
        started.append(process)
        return process

    yield start
    for process in started:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
        process.wait()


def healthy(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=1).ok
    except requests.RequestException:
        return False


def test_senders_who_never_finish_do_not_close_the_door_to_others(web: Callable[..., Any]) -> None:
    port = free_port()
    web(port)
    until(lambda: healthy(port))
    with ExitStack() as stack:
        for _ in range(40):
            slow = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            slow.sendall(b"POST /in/deploys HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")

        until(lambda: healthy(port), patience=12)


def test_a_port_that_is_taken_is_told_in_a_sentence(web: Callable[..., Any], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        assert web(other.getsockname()[1]).wait(20) == 1

    said = (tmp_path / "log").read_text()
    assert "PORT" in said
    assert "Traceback" not in said


def test_a_second_relay_does_not_share_the_port_of_the_first(web: Callable[..., Any]) -> None:
    port = free_port()
    web(port)
    until(lambda: healthy(port))

    second = web(port)
    until(lambda: second.poll() is not None, patience=SOON)
    assert second.returncode == 1


def test_localhost_is_a_host(web: Callable[..., Any]) -> None:
    port = free_port()
    process = web(port, HOST="localhost")

    until(lambda: healthy(port) or process.poll() is not None)
    assert process.poll() is None


def test_a_door_whose_master_is_killed_ends(web: Callable[..., Any]) -> None:
    port = free_port()
    process = web(port)
    until(lambda: healthy(port))
    process.kill()
    process.wait()

    until(lambda: not healthy(port), patience=SOON)


def test_a_database_that_is_none_is_told_in_a_sentence(web: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "relay.db").write_bytes(b"this is no database " * 100)

    assert web(free_port()).wait(20) == 1
    assert "Traceback" not in (tmp_path / "log").read_text()
