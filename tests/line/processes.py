"""The relay as its users run it: `relay serve`, in processes of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import requests

from relay.settings import Secret
from tests.line.conftest import until


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Relay:
    """`relay serve` as its own processes, on one database file over all its lives."""

    def __init__(self, folder: Path, rules: str, database_url: Secret) -> None:
        path = folder / "rules.yaml"
        path.write_text(rules, encoding="utf-8")
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._env = os.environ | {
            "RELAY_RULES": str(path),
            "DATABASE_URL": database_url.reveal(),
            "PORT": str(port),
            "RELAY_LEASE": "1",
        }
        self._log = (folder / "log").open("ab")
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
