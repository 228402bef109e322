"""The relay as platforms run it: by the Procfile, asked to reload, asked to end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from relay.sandbox import Portal, Server, serve
from tests.line.conftest import until
from tests.line.processes import Process, free_port

ROOT = Path(__file__).parents[2]
RULES = """\
version: 1
portal: {{webhook: "{webhook}"}}
sources: {{deploys: {{type: json, bearer: deploy-token, title: payload.title}}}}
people: {{ivan: {{id: 17}}}}
default: {{to: ivan}}
"""
PATIENCE = 90.0  # seconds to start, on a machine that has other things to do


@pytest.fixture
def portal() -> Iterator[Server]:
    with serve(Portal()) as server:
        yield server


@pytest.fixture
def env(tmp_path: Path, portal: Server) -> dict[str, str]:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES.format(webhook=portal.webhook), encoding="utf-8")
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "RELAY_RULES": str(rules),
        "DATABASE_URL": f"sqlite:///{tmp_path}/relay.db",
        "PORT": str(free_port()),
        "RELAY_LEASE": "2",
    }


def post(port: str | int, title: str) -> int:
    """Post an event; the status, or 0 where nobody answers."""
    try:
        return requests.post(
            f"http://127.0.0.1:{port}/in/deploys",
            json={"title": title},
            headers={"Authorization": "Bearer deploy-token"},
            timeout=10,
        ).status_code
    except requests.RequestException:
        return 0


def is_ready(port: str | int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).ok
    except requests.RequestException:
        return False


def descendants(pid: int) -> set[int]:
    """A process's children, and theirs (proc_pid_task(5))."""
    children = [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return {*children, *(below for child in children for below in descendants(child))}


def told(portal: Server) -> str:
    return " ".join(each.text for each in portal.portal.notifications(17))


def test_the_procfile_starts_door_and_worker_and_both_end_when_told(
    env: dict[str, str], portal: Server, tmp_path: Path
) -> None:
    port, log = free_port(), tmp_path / "log"
    command = [sys.executable, "-m", "honcho", "--env", str(tmp_path / "none"), "--app-root", str(ROOT)]
    with log.open("wb") as out:
        running = subprocess.Popen(
            [*command, "start", "--port", str(port), "web", "worker"], env=env, stdout=out, stderr=out
        )
    try:
        until(lambda: is_ready(port), patience=PATIENCE)
        assert post(port, "by the Procfile") == 202
        until(lambda: "by the Procfile" in told(portal), patience=PATIENCE)
    finally:
        asked = time.monotonic()
        running.send_signal(signal.SIGTERM)
        running.wait(60)

    text = log.read_text(encoding="utf-8")
    assert time.monotonic() - asked < 15
    assert "work: ended" in text
    assert "SIGKILL" not in text
    assert not is_ready(port)


@pytest.fixture
def relay(env: dict[str, str], tmp_path: Path) -> Iterator[Process]:
    """`relay serve`, ready."""
    process = Process(["serve"], env, tmp_path / "log")
    process.start()
    try:
        until(lambda: is_ready(env["PORT"]), patience=PATIENCE)
        until(lambda: "work: started" in process.log.read_text(encoding="utf-8"), patience=PATIENCE)
        yield process
    finally:
        process.end()


def test_no_request_is_dropped_by_a_reload_or_by_the_end(relay: Process, env: dict[str, str], portal: Server) -> None:
    assert relay.running is not None
    rules, answers = Path(env["RELAY_RULES"]), list[int]()

    def reload(text: str, is_done: Callable[[], bool]) -> None:
        rules.write_text(text, encoding="utf-8")

        def asked_again() -> bool:
            relay.running.send_signal(signal.SIGHUP)  # type: ignore[union-attr]  # it is there
            answers.append(post(env["PORT"], f"event {len(answers)}"))
            return is_done()

        until(asked_again, patience=PATIENCE)

    before = descendants(relay.running.pid)
    good = rules.read_text(encoding="utf-8").replace("id: 17", "id: 18")
    reload("version: [", lambda: relay.log.read_text(encoding="utf-8").count("the changed file is refused") == 1)
    assert descendants(relay.running.pid) == before, "a process was started anew: it would end where the file is bad"
    reload(good, lambda: len(portal.portal.notifications(18)) > 0)
    assert set(answers) == {202}
    assert "rules: read anew" in relay.log.read_text(encoding="utf-8")
    with begun(env["PORT"]) as sender:
        relay.running.send_signal(signal.SIGTERM)
        until(lambda: not is_ready(env["PORT"]), patience=PATIENCE)
        sender.sendall(BODY[5:])
        assert b"".join(iter(lambda: sender.recv(65_536), b"")).startswith(b"HTTP/1.1 202")
    assert relay.running.wait(40) == 0


@pytest.mark.parametrize("command", ["serve", "work"])
def test_signals_that_come_while_it_starts_do_not_end_it_but_the_one_that_should(
    command: str, env: dict[str, str], tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "slow.yaml")  # whoever reads it waits for us
    process = Process([command], env | {"RELAY_RULES": str(tmp_path / "slow.yaml")}, tmp_path / "log")
    process.start()
    assert process.running is not None
    with (tmp_path / "slow.yaml").open("wb"):  # now it is read
        process.running.send_signal(signal.SIGHUP)
        time.sleep(0.2)
        assert process.running.poll() is None
        process.running.send_signal(signal.SIGTERM)
        assert process.running.wait(PATIENCE) == 0
    assert "Traceback" not in process.log.read_text(encoding="utf-8")


BODY = b'{"title": "in flight"}'


@contextmanager
def begun(port: str) -> Iterator[socket.socket]:
    """A request of which the door has read the beginning."""
    head = (
        "POST /in/deploys HTTP/1.1\r\nHost: relay\r\nContent-Type: application/json\r\nConnection: close\r\n"
        f"Authorization: Bearer deploy-token\r\nContent-Length: {len(BODY)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", int(port)), 30) as sender:
        sender.sendall(head.encode() + BODY[:5])
        for _ in range(3):  # one that came later is answered: the beginning of ours was read
            until(lambda: is_ready(port))
        yield sender
