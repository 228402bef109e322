"""What a second adversary found, in how the relay starts, ends and listens: each test is one way in which it lied.

Never reaches into a relay that runs: it is told things by signals and by HTTP.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.line.conftest import until
from tests.line.processes import free_port

SOON = 20.0  # seconds, of a machine that does much else
RULES = """\
version: 1
sources:
  deploys: {type: json, open: true, title: payload.title}
portal: {webhook: "http://127.0.0.1:9/rest/1/abcdefghijklmnop/"}
people:
  ivan: {id: 17}
default: {to: ivan}
"""


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES, encoding="utf-8")
    ours = {"RELAY_RULES": str(rules), "DATABASE_URL": f"sqlite:///{tmp_path / 'relay.db'}", "PORT": str(free_port())}
    return {"PATH": os.environ["PATH"], "HOST": "127.0.0.1", **ours}


def end_of(program: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """A program's exit code and what it said; it ends by itself."""
    return subprocess.run(
        [sys.executable, "-c", program], env=dict(env), capture_output=True, text=True, timeout=SOON, check=False
    )


def test_a_signal_in_the_middle_of_a_finalizer_ends_a_relay_that_starts(env: dict[str, str]) -> None:
    program = """
import os, signal
from relay.cli import run
class Finalized:
    def __del__(self):  # Python tells of an exception in here, and goes on
        os.kill(os.getpid(), signal.SIGTERM)
run.prepared()
Finalized()
print("went on")
"""
    ended = end_of(program, env)

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_a_signal_that_comes_while_a_lock_is_held_stops_the_worker_all_the_same(env: dict[str, str]) -> None:
    program = """
import os, signal, threading
from relay.cli import run
from relay.cli.main import main
class Worker:  # the real one's signals have such a lock each, which it takes whenever the database has changed
    def __init__(self, built): self.lock, self.told = threading.Lock(), threading.Event()
    def stop(self):
        with self.lock: self.told.set()
    def run(self):
        with self.lock: os.kill(os.getpid(), signal.SIGTERM)
        print("stopped", self.told.wait(10))
run.Worker = Worker
main(["work"])
"""
    assert end_of(program, env).stdout == "stopped True\n"


def test_a_worker_who_breaks_off_takes_the_door_with_him(env: dict[str, str]) -> None:
    program = """
from relay.cli.main import main
from relay.work import Worker
def run(self): raise ZeroDivisionError
Worker.run = run
main(["serve"])
"""
    ended = end_of(program, env)

    assert ended.returncode == 1
    assert "work: broke off" in ended.stderr
    assert "ZeroDivisionError" in ended.stderr


def test_a_port_that_is_taken_is_said_in_a_sentence_by_the_door_of_serve(env: dict[str, str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        ended = end_of("from relay.cli.main import main; main(['serve'])", env | {"PORT": str(taken)})

    assert ended.returncode == 1
    assert f"cannot listen on HOST 127.0.0.1, PORT {taken}" in ended.stderr
    assert "Traceback" not in ended.stderr


PATIENT = """
from relay.cli.main import main
from relay.web import server
server.PATIENCE = 1
main(["web"])
"""
SLOW = """
import time
from relay.web.front import Front
ask = Front._ask
def slowly(self, environ):
    if environ["PATH_INFO"] == "/slow":
        print("asked", flush=True)
        time.sleep(600)
    return ask(self, environ)
Front._ask = slowly
"""


@contextmanager
def running(
    program: str, env: Mapping[str, str], tmp_path: Path, *, until_said: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A program that has said so much."""
    log = tmp_path / "log"
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, "-c", program], env=dict(env), stdout=out, stderr=out)
    try:
        until(lambda: until_said in log.read_text(encoding="utf-8"), patience=SOON)
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def door(env: Mapping[str, str], tmp_path: Path, *, first: str = "") -> Iterator[subprocess.Popen[bytes]]:
    """`relay web`, ready, with little patience for who does not end his request."""
    with running(first + PATIENT, env, tmp_path, until_said="relay: serving") as process:
        yield process


def test_signals_that_come_in_a_burst_end_the_worker_as_one_does(env: dict[str, str], tmp_path: Path) -> None:
    program = "from relay.cli.main import main; main(['work'])"
    with running(program, env, tmp_path, until_said="work: started") as process:
        for _ in range(300):
            process.send_signal(signal.SIGTERM)
        assert process.wait(SOON) == 0


def test_a_request_that_is_never_answered_does_not_keep_the_door_from_ending(
    env: dict[str, str], tmp_path: Path
) -> None:
    with (
        door(env, tmp_path, first=SLOW) as process,
        socket.create_connection(("127.0.0.1", int(env["PORT"]))) as sender,
    ):
        sender.sendall(b"GET /slow HTTP/1.1\r\nHost: relay\r\n\r\n")
        until(lambda: "asked" in (tmp_path / "log").read_text(encoding="utf-8"), patience=SOON)
        process.send_signal(signal.SIGTERM)
        assert process.wait(SOON) == 0


def sent(env: Mapping[str, str], body: bytes, *, announced: int) -> socket.socket:
    """A request with a body that was said to be longer."""
    sender = socket.create_connection(("127.0.0.1", int(env["PORT"])), timeout=SOON)
    head = "POST /in/deploys HTTP/1.1\r\nHost: relay\r\nContent-Type: application/json\r\nConnection: close\r\n"
    sender.sendall(f"{head}Content-Length: {announced}\r\n\r\n".encode() + body)
    return sender


def test_a_body_that_is_cut_short_is_not_taken_and_who_never_ends_his_does_not_make_the_end_a_failure(
    env: dict[str, str], tmp_path: Path
) -> None:
    whole = b'{"title": "what a proxy lost the rest of"}'
    with door(env, tmp_path) as process:
        with sent(env, whole, announced=len(whole) + 50) as sender:
            sender.shutdown(socket.SHUT_WR)
            assert re.match(rb"HTTP/1.1 400 ", sender.recv(65_536))
        with sent(env, whole, announced=len(whole)) as sender:
            assert re.match(rb"HTTP/1.1 202 ", sender.recv(65_536))
        with sent(env, b"{", announced=10):
            process.send_signal(signal.SIGTERM)
            assert process.wait(SOON) == 0
    told = (tmp_path / "log").read_text(encoding="utf-8")
    assert 'why="the body was cut short"' in told
    assert "Traceback" not in told
