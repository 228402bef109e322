"""A program that receives events, ours or another's, in processes of its own: started, pinned, killed, ended.

Never reaches into it: it is told things by its environment, by signals and by HTTP.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE = 120.0  # seconds until somebody listens: a machine may have much else to do


class Missing(Exception):
    """What should be measured is not installed; the text says what to do."""


@dataclass(slots=True)
class Program:
    """One program. ``url`` is where its events are posted, ``core`` the one processor that it may use."""

    name: str
    command: Sequence[str]
    folder: Path
    port: int
    path: str
    env: Mapping[str, str] = field(default_factory=dict)
    core: int | None = None
    running: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.path}"

    def start(self) -> None:
        """Start it and wait until it knows its path (port 0: it has none).

        Raises:
            SystemExit: it ended or did not listen; with what it wrote.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        log = self.folder / "log"
        with log.open("ab") as out:
            self.running = subprocess.Popen(
                [*pinned(self.core), *self.command],
                env=os.environ | self.env,
                cwd=self.folder,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        for _ in range(3):  # n8n answers 200, then 404, and only then knows its path
            until(lambda: self.knows_its_path() or not self.runs(), f"{self.name} does not listen; see {log}")
            time.sleep(0.5)
        if not self.runs():
            raise SystemExit(f"{self.name} ended:\n{log.read_text()[-3000:]}")

    def listens(self) -> bool:
        if not self.port:
            return True
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

    def knows_its_path(self) -> bool:
        """Some listen before they have read what they are to do, and answer 404 until then. What is posted is empty,
        and refused by all who check it."""
        if not self.port:
            return True
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with suppress(OSError, http.client.HTTPException), closing(connection):
            connection.request("POST", self.path, b"", {"Content-Type": "application/json"})
            return connection.getresponse().status not in (404, 503)
        return False

    def runs(self) -> bool:
        return self.running is not None and self.running.poll() is None

    def processor_seconds(self) -> float:
        """What it and its processes have taken so far (proc(5), stat: utime and stime, in ticks)."""
        ticks = 0
        for pid in family(self.running.pid) if self.running is not None else ():
            with suppress(OSError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        """As a power cut: it and all that it has started, at one moment."""
        if self.running is not None and self.runs():
            for pid in family(self.running.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.running.wait()
            until(lambda: not self.listens() or not self.port, f"{self.name} still listens")

    def end(self) -> None:
        if self.running is not None and self.runs():
            self.running.terminate()
            try:
                self.running.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()


def pinned(core: int | None) -> list[str]:
    """What a command begins with that is to run on one processor only (taskset(1))."""
    return [] if core is None else ["taskset", "--cpu-list", str(core)]


def cores() -> tuple[int, int]:
    """A processor for the server, and one for who asks it; the same one where there is no second."""
    there = sorted(os.sched_getaffinity(0))
    return there[0], there[-1]


def family(pid: int) -> list[int]:
    """A process and all that come from it (proc(5); Linux)."""
    found, wait = [], [pid]
    while wait:
        found.append(one := wait.pop())
        with suppress(OSError):
            for task in Path(f"/proc/{one}/task").iterdir():
                wait += map(int, (task / "children").read_text().split())
    return found


def until(true: Callable[[], bool], otherwise: str, patience: float = PATIENCE) -> None:
    end = time.monotonic() + patience
    while not true():
        if time.monotonic() > end:
            raise SystemExit(otherwise)
        time.sleep(0.01)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


PYTHON = sys.executable
