"""Chaos: doors and workers killed at random while portals fail at random, and what must hold all the same.

Never looks into the relay: it posts, kills, and judges by what the portals saw. Long by `make chaos`, or by
``python -m tests.line.chaos --seconds 1800 --database postgresql``: it tells of each promise whether it holds, and
exits 1 if one does not.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import requests

from relay.courier import LANES
from relay.sandbox import Portal, serve
from relay.settings import Secret
from relay.store.database import Database
from tests import postgres
from tests.line.audit import Findings, Key, arrived, audit, missing, unknown_ends
from tests.line.processes import Process, free_port, kill

BEARER = "chaos"
PERSON = 17
BURST, RATE = 5, 0.5  # of each portal: small, so that the pace is what limits, all the time
ANSWER_WITHIN = 3.0  # seconds that workers wait for an answer here; in earnest 65, longer than a process lives here
RESTART_AFTER = 0.7  # seconds, as platforms do; a door's child needs half of one to notice that its parent is gone
SETTLED = 3.0  # seconds after which a process that has started is worth killing
FAULTS: list[dict[str, Any]] = [
    {"kind": "rate"},  # 503 QUERY_LIMIT_EXCEEDED
    {"kind": "error", "code": "INTERNAL_SERVER_ERROR"},
    {"kind": "html", "status": 500},
    {"kind": "html", "status": 502},
    {"kind": "html", "status": 504, "when": "after"},
    {"kind": "reset", "when": "before"},
    {"kind": "reset", "when": "after"},
    {"kind": "close", "when": "after"},
    {"kind": "garbage"},
    {"kind": "empty"},
    {"kind": "slow", "seconds": 1.0},
    {"kind": "slow", "seconds": ANSWER_WITHIN + 2},
]
IMPATIENT = f"""\
from relay.bitrix.client import Client
Client.__init__.__kwdefaults__["timeout"] = (2.0, {ANSWER_WITHIN})
from relay.cli.main import main
main()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much of it. ``kill_every`` and ``fail_every`` are mean seconds between two kills, and two faults."""

    seconds: float = 20
    least: int = 0  # events that must be acknowledged before it ends, on a machine however slow
    doors: int = 2
    workers: int = 2
    portals: int = 10
    keys: int = 10  # for each portal; every other one without a tag, so that none of its messages is superseded
    events: float = 30  # a second, all together
    kill_every: float = 2.0
    fail_every: float = 0.5
    lease: float = 2.0
    seed: int = 1


LONG = Plan(seconds=60, doors=3, workers=4, portals=30, keys=20, kill_every=1.0)


@dataclass(slots=True)
class Storm:
    """What was done to the relay."""

    kills: Counter[str] = field(default_factory=Counter)
    faults: int = 0
    starts: int = 0
    calm_after: float = 0.0  # seconds until everything had arrived
    late: int = (
        0  # answers to workers that lived, and had lost the lease: where there are many, the machine is too slow
    )
    failures: list[str] = field(default_factory=list)  # that the relay told of itself

    def as_line(self) -> str:
        killed = ", ".join(f"{number} {kind}" for kind, number in sorted(self.kills.items()))
        return (
            f"{self.kills.total()} kills ({killed}), {self.starts} starts, {self.faults} faults ordered; "
            f"{self.late} answers came after the lease; all had arrived {self.calm_after:.0f} s after the storm"
        )


@dataclass(slots=True)
class Report:
    """A run's outcome, promise by promise."""

    storm: Storm
    found: Findings

    def promises(self) -> list[tuple[str, str, bool]]:
        failures = self.storm.failures
        own = ("the relay tells of no fault of its own", "; ".join([str(len(failures)), *failures[:3]]), not failures)
        return [*self.found.promises(lanes=LANES), own]

    def holds(self) -> bool:
        return all(held for _, _, held in self.promises())

    def as_text(self) -> str:
        rows = (f"{'pass' if held else 'FAIL'}  {promise}: {figure}" for promise, figure, held in self.promises())
        return "\n".join([self.storm.as_line(), *rows])


class Chaos:
    """One run: ``rage`` for a time, then ``calm`` until everything has arrived, then ``report``."""

    def __init__(self, plan: Plan, database_url: str, folder: Path) -> None:
        self.plan = plan
        self.portals = [Portal(rate=(BURST, RATE)) for _ in range(plan.portals)]
        self.keys = [
            Key(portal, f"key-{portal}-{number}", tagged=number % 2 == 0)
            for portal in range(plan.portals)
            for number in range(plan.keys)
        ]
        self.storm = Storm()
        self._random = random.Random(plan.seed)
        self._folder = folder
        self._url = database_url
        self._stack = ExitStack()
        self._over = threading.Event()

    def __enter__(self) -> Chaos:
        servers = [self._stack.enter_context(serve(portal)) for portal in self.portals]
        rules = self._folder / "rules.yaml"
        rules.write_text(rules_for([server.url for server in servers]), encoding="utf-8")
        env = os.environ | {
            "RELAY_RULES": str(rules),
            "DATABASE_URL": self._url,
            "RELAY_LEASE": str(self.plan.lease),
        }
        ports = [free_port() for _ in range(self.plan.doors)]
        self.urls = [f"http://127.0.0.1:{port}/in/events" for port in ports]
        self.processes = [
            Process(["web"], env | {"PORT": str(port)}, self._folder / f"web-{number}.log")
            for number, port in enumerate(ports)
        ] + [
            Process(["work"], env, self._folder / f"work-{number}.log", program=("-c", IMPATIENT))
            for number in range(self.plan.workers)
        ]
        subprocess.run([sys.executable, "-m", "relay", "db", "upgrade"], env=env, check=True, capture_output=True)
        self._keeper = threading.Thread(target=self._keep_running, name="platform")
        self._keeping = True
        self._keeper.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._keeping = False
        self._keeper.join()
        for process in self.processes:
            process.end()
        self._stack.close()

    def _keep_running(self) -> None:
        """The platform: whatever has ended is started again after a moment."""
        ended = dict.fromkeys(range(len(self.processes)), 0.0)
        while self._keeping:
            for number, process in enumerate(self.processes):
                if process.runs():
                    ended[number] = 0.0
                elif not ended[number]:
                    ended[number] = time.monotonic()
                elif time.monotonic() - ended[number] >= RESTART_AFTER or not process.starts:
                    process.start()
            time.sleep(0.05)

    def rage(self) -> None:
        lanes = self.plan.doors * 4
        threads = [threading.Thread(target=self._post, args=(number, lanes)) for number in range(lanes)]
        for thread in threads:
            thread.start()
        end = time.monotonic() + self.plan.seconds
        next_kill = time.monotonic() + SETTLED
        while time.monotonic() < end or sum(key.acknowledged for key in self.keys) < self.plan.least:
            time.sleep(self._random.expovariate(1 / self.plan.fail_every))
            self._fail()
            while next_kill < time.monotonic():
                self._kill()
                next_kill += self._random.uniform(0.5, 1.5) * self.plan.kill_every
        self._over.set()
        for thread in threads:
            thread.join()

    def _fail(self) -> None:
        """Order a fault, unless one is waiting there: a portal that only ever fails is asked once a minute."""
        portal, fault = self._random.choice(self.portals), self._random.choice(FAULTS)
        if not portal.counters["faults"]:
            portal.fail(**fault)
            self.storm.faults += 1

    def _kill(self) -> None:
        """Kill one process, whichever: a worker, a door's parent, its child, or both of them at once."""
        process = self._random.choice([each for each in self.processes if each.runs()] or self.processes)
        members = process.members()
        if not members:
            return
        if process.command == ["work"]:
            kind, victims = "workers", members[:1]
        else:
            kinds = {"doors' parents": members[:1], "doors' children": members[1:], "whole doors": members}
            kind, victims = self._random.choice([each for each in kinds.items() if each[1]])
        for pid in victims:
            kill(pid)
        self.storm.kills[kind] += 1

    def _post(self, number: int, lanes: int) -> None:
        """Post the next event of one key after the other, again and again as a sender would, until acknowledged."""
        keys, chance = self.keys[number::lanes], random.Random(self.plan.seed + number)
        doors = itertools.cycle(self.urls)
        while keys and not self._over.wait(chance.expovariate(self.plan.events / lanes)):
            key = chance.choice(keys)
            event = {
                "id": f"{key.name}:{key.acknowledged + 1}",
                "portal": f"p{key.portal}",
                "key": key.name,
                "n": key.acknowledged + 1,
                "tagged": "yes" if key.tagged else "no",
            }
            while not acknowledged(next(doors), event):
                if self._over.wait(0.05):
                    return
            key.acknowledged += 1

    def calm(self, patience: float) -> bool:
        """Heal the portals and wait until every acknowledged event has arrived; did it?"""
        for portal in self.portals:
            portal.heal()
        started = time.monotonic()
        waiting = set(range(len(self.portals)))
        while waiting and time.monotonic() < started + patience:
            waiting -= {number for number in waiting if not self._missing(number)}
            time.sleep(0.5)
        self.storm.calm_after = time.monotonic() - started
        return not waiting

    def _missing(self, portal: int) -> bool:
        found = arrived(self.portals[portal])
        return any(missing(key, found.get(key.name, [])) for key in self.keys if key.portal == portal)

    def report(self) -> Report:
        self.storm.starts = sum(process.starts for process in self.processes)
        self.storm.late = sum(late_answers(process.log) for process in self.processes)
        self.storm.failures = [line for process in self.processes for line in failures(process.log)]
        database = Database(Secret(self._url))
        ends = unknown_ends(database)
        database.close()
        found = audit(self.portals, self.keys, person=PERSON, ends=ends, patience=ANSWER_WITHIN, rate=RATE, burst=BURST)
        return Report(self.storm, found)


def acknowledged(url: str, event: dict[str, Any]) -> bool:
    try:
        return requests.post(url, json=event, headers={"Authorization": f"Bearer {BEARER}"}, timeout=5).ok
    except requests.RequestException:
        return False


def failures(log: Path) -> list[str]:
    """What a process told of itself that is a fault of the program: an error, or a traceback."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return [f"{log.name}: {line}" for line in lines if re.search(r"\bERROR\b|Traceback", line)]


def late_answers(log: Path) -> int:
    """Answers that a worker could not write down any more: the line of the call has no verdicts."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return sum("courier: called" in line and " verdicts=" not in line for line in lines)


def rules_for(urls: list[str], **portal: Any) -> str:
    """A rules file for these portals; ``portal`` is said of each of them."""
    template = {"text": "{{ event.key | replace('events:', '') }} {{ event.title }}"}
    way_in = {"token": "sandbox-token", "plan": {"rate": RATE, "burst": BURST}, **portal}
    rules: dict[str, Any] = {
        "version": 1,
        "portals": {f"p{number}": {"domain": url, **way_in} for number, url in enumerate(urls)},
        "sources": {
            "events": {
                "type": "json", "bearer": BEARER, "key": "payload.id", "tag": "payload.key", "title": "payload.n"
            }
        },
        "people": {"ivan": {"id": PERSON}},
        "rules": [
            {
                "name": f"p{number}", "when": {"payload.portal": f"p{number}"}, "portal": f"p{number}", "to": "ivan",
                "template": template,
                # Without a tag an unknown outcome is held for a person, unless the message is urgent.
                "rules": [{"name": f"p{number} untagged", "when": {"payload.tagged": "no"}, "tag": "", "urgent": True}],
            }
            for number in range(len(urls))
        ],
        "default": "drop",
    }  # fmt: skip
    return json.dumps(rules)  # JSON is YAML


def run(plan: Plan, database_url: str, folder: Path, *, patience: float = 120) -> Report:
    with Chaos(plan, database_url, folder) as chaos:
        chaos.rage()
        chaos.calm(patience)
        return chaos.report()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", default="sqlite", help="sqlite, postgresql (a server of our own), or a URL")
    parser.add_argument("--folder", type=Path, help="where rules, logs and the SQLite file are kept")
    for each in fields(Plan):
        default = getattr(LONG, each.name)
        parser.add_argument(f"--{each.name.replace('_', '-')}", type=type(default), default=default)
    chosen = vars(parser.parse_args())
    database, folder = chosen.pop("database"), chosen.pop("folder")
    with ExitStack() as stack:
        folder = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="relay-chaos-")))
        folder.mkdir(parents=True, exist_ok=True)
        if database == "postgresql":
            server = stack.enter_context(postgres.server(durable=True, more={"max_connections": "200"}))
            database = server.url.render_as_string(hide_password=False)
        elif database == "sqlite":
            database = f"sqlite:///{folder}/relay.db"
        plan = Plan(**chosen)
        sys.stdout.write(f"{plan}\n")
        sys.stdout.flush()
        report = run(plan, database, folder, patience=600)
    sys.stdout.write(report.as_text() + "\n")
    sys.exit(0 if report.holds() else 1)


if __name__ == "__main__":
    main()
