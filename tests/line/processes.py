"""The relay as its users run it: `relay serve`, `web` or `work`, in processes of their own.

Never reaches into them: they are told things by signals and by HTTP.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import requests

from relay import lifeline
from relay.settings import Secret
from tests.line.conftest import until

RELAY = ("-m", "relay")
_LIFELINE = os.pipe()  # breaks when the tests end, however they do, and the relay's processes with it


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True)
class Process:
    """One command of the relay, as a platform runs it: started again when it has ended."""

    command: Sequence[str]
    env: Mapping[str, str]
    log: Path
    program: Sequence[str] = RELAY  # what Python is given before the command
    running: subprocess.Popen[bytes] | None = None
    starts: int = 0

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                [sys.executable, *self.program, *self.command],
                env={**self.env, lifeline.VARIABLE: str(_LIFELINE[0])},
                pass_fds=[_LIFELINE[0]],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.starts += 1

    def runs(self) -> bool:
        return self.running is not None and self.running.poll() is None

    def members(self) -> list[int]:
        """Its process ids: its own first, then its children's (Linux; elsewhere only its own)."""
        if self.running is None or not self.runs():
            return []
        pid = self.running.pid
        with suppress(OSError):
            return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
        return [pid]

    def end(self, patience: float = 60) -> None:
        """Ask it to stop, as a platform does, and wait for it; it may not be patient for ever."""
        if self.running is None:
            return
        self.running.terminate()
        try:
            self.running.wait(patience)
        except subprocess.TimeoutExpired:
            self.running.kill()
            self.running.wait()
            raise


@contextmanager
def program(arguments: Sequence[str], log: Path) -> Iterator[None]:
    """A program that is not the relay, for as long as the block lasts."""
    with log.open("wb") as output:
        process = subprocess.Popen(arguments, stdout=output, stderr=output)
        try:
            yield
        finally:
            process.terminate()
            process.wait(20)


def kill(pid: int) -> None:
    """As a power cut, or a machine out of memory."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


class Relay:
    """`relay serve` as its own processes, on one database file over all its lives."""

    def __init__(self, folder: Path, rules: str, database_url: Secret, **more: str) -> None:
        path = folder / "rules.yaml"
        path.write_text(rules, encoding="utf-8")
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._env = os.environ | {
            "RELAY_RULES": str(path),
            "DATABASE_URL": database_url.reveal(),
            "PORT": str(port),
            "RELAY_LEASE": "1",
            **more,
        }
        self.log = folder / "log"
        self._log = self.log.open("ab")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, die_at: str = "") -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "relay", "serve"],
            env=self._env | {"RELAY_FAILPOINT": die_at},
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        until(lambda: self.answers() or not self.runs())

    def said(self) -> str:
        """What it has logged."""
        return self.log.read_text(encoding="utf-8")

    def answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/readyz", timeout=5).ok
        except requests.RequestException:
            return False

    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def post(self, path: str, payload: object, *, bearer: str) -> bool:
        """Post JSON; was it acknowledged?"""
        try:
            headers = {"Authorization": f"Bearer {bearer}"}
            return requests.post(self.url + path, json=payload, headers=headers, timeout=10).ok
        except requests.RequestException:
            return False

    def end(self) -> None:
        if self.process is not None:
            if self.runs():
                os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(40)
        self._log.close()
