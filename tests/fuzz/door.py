"""Requests without number against a running door: `relay web` in its own processes, with every kind of sender.

Never part of the test run but for a few hundred. `make fuzz-door` posts 20,000; `ARGS="--requests 1000000"` a million.

Captures of every sender are changed at random and mostly signed anew, so that they are believed and read; requests for
pages and HTTP itself are changed, too. It ends with 1 if an answer was 5xx, if a request that was HTTP as it should be
was not answered, if the door tells of a fault of its own, if it has died, or if, in a run of half a million or more,
its memory has grown by more than a tenth since a fifth of the run.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from relay import house
from relay.settings import Secret, Settings
from relay.web.app import create_app
from tests.fuzz.framing import Shot
from tests.fuzz.shots import ADMIN, ADMIN_TOKEN, ENV, RULES, Kit, addresses
from tests.fuzz.wire import NO_ANSWER, Connection
from tests.line.conftest import until
from tests.line.processes import Process, free_port

MARKS = (0.1, 0.2, 0.5, 1.0)  # of the run, at which memory is looked at
WARM = 0.2  # of the run, from which on memory may not grow
GROWTH = 1.10
# Requests, below which growth is told and is no fault: the store's connections, each with two megabytes of pages
# (sqlite.org/pragma.html#pragma_cache_size), and its statements fill one by one.
ENOUGH = 500_000
MOST_SAVED = 20
SLOW = 5  # of the slowest answers are told


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much of it; it ends with the requests or with the seconds, whichever are over first."""

    requests: int = 20_000
    seconds: float = 86_400.0
    seed: int = 1
    clients: int = 24


@dataclass(frozen=True, slots=True)
class Finding:
    """A request that was answered as none may be."""

    number: int
    status: int
    shot: Shot

    def save(self, folder: Path, seed: int) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"door-{seed}-{self.number}.http"
        path.write_bytes(self.shot.raw)
        return path


@dataclass(slots=True)
class Report:
    """What came of it. ``statuses`` counts answers by what was asked and the status."""

    seed: int
    seconds: float = 0.0
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    hung_up: int = 0  # on requests that were not HTTP as it should be, which a server may
    findings: list[Finding] = field(default_factory=list)
    memory: dict[float, int] = field(default_factory=dict)  # bytes, by the part of the run
    slowest: list[tuple[float, int, str]] = field(default_factory=list)  # seconds, number, the request's first words
    died: bool = False
    complaints: list[str] = field(default_factory=list)  # the door's own, where no answer was waited for

    @property
    def requests(self) -> int:
        return self.statuses.total() + self.hung_up

    @property
    def growth(self) -> float:
        return self.memory.get(1.0, 0) / max(1, self.memory.get(WARM, 0))

    @property
    def faults(self) -> list[str]:
        """What must not be."""
        grown = f"memory has grown to {self.growth:.2f} of what it was after a fifth of the run"
        return [
            *(["the door has died"] if self.died else []),
            *([f"{len(self.findings)} requests were answered 5xx, or not at all"] if self.findings else []),
            *(f"the door tells of a fault of its own: {each}" for each in self.complaints),
            *([grown] if self.requests >= ENOUGH and self.growth > GROWTH else []),
        ]

    def as_text(self) -> str:
        asked = sorted({about for about, _ in self.statuses})
        codes = sorted({status for _, status in self.statuses})
        rows = [[about, *(str(self.statuses[about, code] or "") for code in codes)] for about in asked]
        rows.append(["together", *(str(sum(self.statuses[about, code] for about in asked)) for code in codes)])
        table = [["", *("no answer" if code == NO_ANSWER else str(code) for code in codes)], *rows]
        memory = ", ".join(f"{size / 1e6:.1f} MB at {part:.0%}" for part, size in sorted(self.memory.items()))
        slow = (f"  {seconds:.2f} s  {number}  {what}" for seconds, number, what in self.slowest)
        return "\n".join(
            [
                *("".join(f"{cell:>{18 if at == 0 else 9}}" for at, cell in enumerate(row)) for row in table),
                f"{self.requests:,} requests in {self.seconds:.0f} s, {self.requests / max(self.seconds, 1e-9):.0f} a"
                f" second; hung up on {self.hung_up} that were not HTTP as it should be; seed {self.seed}",
                f"the door's memory: {memory}; {self.growth:.2f} from {WARM:.0%} to the end",
                "the slowest answers, with the request's number:",
                *slow,
                *(f"FAULT: {fault}" for fault in self.faults),
            ]
        )


class Door:
    """`relay web` in a folder of its own, and what requests for it are made of."""

    def __init__(self, folder: Path) -> None:
        rules = folder / "rules.yaml"
        rules.write_text(RULES, encoding="utf-8")
        settings = Settings(
            rules=rules, database_url=Secret(f"sqlite:///{folder}/asked.db"), admin_password=Secret(ADMIN)
        )
        built = house.build(settings, ENV)  # never asked: it knows the addresses, and signs
        self.kit = Kit(built.rules.sources, addresses(create_app(built)))
        built.close()
        self.port = free_port()
        env = (
            os.environ
            | ENV
            | {
                "RELAY_RULES": str(rules),
                "DATABASE_URL": f"sqlite:///{folder}/relay.db",
                "PORT": str(self.port),
                "RELAY_LOG": "quiet",
                "RELAY_ADMIN_PASSWORD": ADMIN,
                "RELAY_ADMIN_TOKEN": ADMIN_TOKEN,
                "RELAY_PROXIES": "1",
            }
        )
        self.log = folder / "log"
        self.process = Process(["web"], env, self.log)

    def is_well(self) -> bool:
        asked = Shot(raw=b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", about="http")
        with closing(Connection(self.port)) as connection:
            return self.process.runs() and connection.ask(asked) == 200

    def complaints(self) -> list[str]:
        """The faults of its own that it has told of, each kind once."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        found = (re.search(r" ERROR (.*?)(?: request=| path=|$).*?((?:fault=\S+)?)", line) for line in lines)
        return [*dict.fromkeys(" ".join(match.groups()).strip() for match in found if match)]

    def memory(self) -> int:
        """Resident bytes of all of its processes (proc(5); Linux)."""
        return sum(_resident(pid) for pid in self.process.members())


def _resident(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS:")), 0)


@contextmanager
def opened(folder: Path) -> Iterator[Door]:
    """A door that answers."""
    door = Door(folder)
    door.process.start()
    try:
        until(lambda: door.is_well() or not door.process.runs())
        yield door
    finally:
        door.process.end()


class Run:
    """The requests of a plan, sent by several clients at once."""

    def __init__(self, door: Door, plan: Plan) -> None:
        self._door, self._plan = door, plan
        self._numbers = itertools.count()  # its next() is one step of the interpreter, and so safe between threads
        self._guard = threading.Lock()
        self._ends = time.monotonic() + plan.seconds
        self.report = Report(plan.seed)

    def go(self) -> Report:
        began = time.monotonic()
        clients = [threading.Thread(target=self._client) for _ in range(self._plan.clients)]
        for each in clients:
            each.start()
        for part in MARKS:
            while any(each.is_alive() for each in clients) and self._part(began) < part:
                time.sleep(0.02)
            self.report.memory[part] = self._door.memory()
        for each in clients:
            each.join()
        self.report.seconds = time.monotonic() - began
        self.report.died = not self._door.is_well()
        self.report.complaints = self._door.complaints()
        return self.report

    def _part(self, began: float) -> float:
        """How much of the run is over."""
        asked = self.report.requests / max(1, self._plan.requests)
        return max(asked, (time.monotonic() - began) / self._plan.seconds)

    def _client(self) -> None:
        with closing(Connection(self._door.port)) as connection:
            self._ask_all(connection)

    def _ask_all(self, connection: Connection) -> None:
        while (number := next(self._numbers)) < self._plan.requests and time.monotonic() < self._ends:
            shot = self._door.kit.shot(self._plan.seed, number, time.time())
            began = time.monotonic()
            status = connection.ask(shot)
            self._count(number, shot, status, time.monotonic() - began)

    def _count(self, number: int, shot: Shot, status: int, seconds: float) -> None:
        with self._guard:
            if status == NO_ANSWER and not shot.whole:
                self.report.hung_up += 1
            else:
                self.report.statuses[shot.about, status] += 1
                if status >= 500 or status == NO_ANSWER:
                    self.report.findings.append(Finding(number, status, shot))
            slowest = self.report.slowest
            if len(slowest) < SLOW or seconds > slowest[-1][0]:
                slowest.append((seconds, number, shot.raw[:60].partition(b"\r")[0].decode("latin-1")))
                slowest.sort(reverse=True)
                del slowest[SLOW:]


def main() -> None:
    usual = Plan()
    asked = argparse.ArgumentParser(prog="python -m tests.fuzz.door", description=__doc__)
    asked.add_argument("--requests", type=int, default=usual.requests)
    asked.add_argument("--seconds", type=float, default=usual.seconds, help="end then, with fewer requests")
    asked.add_argument("--seed", type=int, default=usual.seed)
    asked.add_argument("--clients", type=int, default=usual.clients)
    asked.add_argument("--only", type=int, help="send the request of this number alone, and tell the answer's status")
    chosen = asked.parse_args()
    plan = Plan(requests=chosen.requests, seconds=chosen.seconds, seed=chosen.seed, clients=chosen.clients)
    with tempfile.TemporaryDirectory(prefix="relay-fuzz-") as folder, opened(Path(folder)) as door:
        if chosen.only is not None:
            shot = door.kit.shot(plan.seed, chosen.only, time.time())
            with closing(Connection(door.port)) as connection:
                status = connection.ask(shot)
            _say(f"{shot.raw[:2000]!r}\n{status}\n{door.log.read_text()[-5000:]}")
            sys.exit(status >= 500)
        report = Run(door, plan).go()
        _say(report.as_text())
        for finding in report.findings[:MOST_SAVED]:
            saved = finding.save(Path("var/fuzz"), plan.seed)
            _say(f"{finding.status}: {saved}; again with --seed {plan.seed} --only {finding.number}")
        if report.faults:
            _say(f"what the door said:\n{door.log.read_text()[-5000:]}")
    sys.exit(bool(report.faults))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
