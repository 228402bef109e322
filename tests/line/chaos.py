"""Chaos: doors and workers killed at random while portals fail at random, and what must hold all the same.

Run it long by `make chaos`, or ``python -m tests.line.chaos --seconds 1800 --database postgresql://…``: it prints its
figures, and exits 1 if anything was lost, overtaken, seen twice or sent too fast.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from relay.sandbox import Portal, serve
from tests.line.processes import free_port

BEARER = "chaos"
PERSON = 17
FAULTS: list[dict[str, Any]] = [
    {"kind": "rate"},
    {"kind": "error", "code": "INTERNAL_SERVER_ERROR"},
    {"kind": "html", "status": 502},
    {"kind": "reset", "when": "before"},
    {"kind": "reset", "when": "after"},
    {"kind": "close", "when": "after"},
    {"kind": "garbage"},
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much of it. ``kill_every`` and ``fail_every`` are mean seconds between two kills, and two faults."""

    seconds: float = 20
    doors: int = 2
    workers: int = 2
    portals: int = 10
    keys: int = 10  # for each portal; every other one without a tag, so that none of its messages is superseded
    kill_every: float = 2.0
    fail_every: float = 0.5
    seed: int = 1


@dataclass(slots=True)
class Process:
    """`relay web` or `relay work`, started again whenever it was killed."""

    command: list[str]
    env: dict[str, str]
    log: Path
    running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                [sys.executable, "-m", "relay", *self.command],
                env=self.env,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        assert self.running is not None
        with suppress(ProcessLookupError):
            os.killpg(self.running.pid, how)
        self.running.wait(60)


@dataclass(slots=True)
class Key:
    """One subject at one portal; its events are numbered, and the next is posted when the last was acknowledged."""

    portal: int
    name: str
    tagged: bool
    acknowledged: int = 0


@dataclass(slots=True)
class Report:
    """What came out. ``unknown`` counts answers that were lost after the portal did the work."""

    acknowledged: int = 0
    kills: int = 0
    faults: int = 0
    lost: list[str] = field(default_factory=list)
    overtaken: list[str] = field(default_factory=list)
    sent: int = 0
    twice: int = 0
    seen_twice: list[str] = field(default_factory=list)
    refused_by_itself: int = 0  # by the bucket, and not by a fault of ours
    excess: float = 0.0

    def as_line(self) -> str:
        return (
            f"{self.acknowledged} events acknowledged, {self.kills} kills, {self.faults} faults: "
            f"lost {len(self.lost)}, order violations {len(self.overtaken)}, sent {self.sent}, "
            f"sent twice {self.twice}, seen twice where tags replace {len(self.seen_twice)}, "
            f"refused for the rate {self.refused_by_itself}, excess over burst + rate·t {self.excess:.2f} calls"
        )

    def holds(self) -> bool:
        return not (self.lost or self.overtaken or self.seen_twice or self.refused_by_itself) and self.excess <= 1


class Chaos:
    """One run: ``storm`` for a time, then ``calm`` until everything has arrived, then ``report``."""

    def __init__(self, plan: Plan, database_url: str, folder: Path) -> None:
        self.plan = plan
        self._random = random.Random(plan.seed)
        self.portals = [Portal() for _ in range(plan.portals)]
        self._folder = folder
        self._url = database_url
        self._stack = ExitStack()
        self.keys = [
            Key(portal, f"key-{portal}-{number}", tagged=number % 2 == 0)
            for portal in range(plan.portals)
            for number in range(plan.keys)
        ]
        self.result = Report()
        self._over = threading.Event()

    def __enter__(self) -> Chaos:
        servers = [self._stack.enter_context(serve(portal)) for portal in self.portals]
        rules = self._folder / "rules.yaml"
        rules.write_text(rules_for([server.url for server in servers]), encoding="utf-8")
        env = os.environ | {"RELAY_RULES": str(rules), "DATABASE_URL": self._url, "RELAY_LEASE": "2"}
        ports = [free_port() for _ in range(self.plan.doors)]
        self.urls = [f"http://127.0.0.1:{port}/in/events" for port in ports]
        self.processes = [
            Process(["web"], env | {"PORT": str(port)}, self._folder / f"web-{port}.log") for port in ports
        ] + [Process(["work"], env, self._folder / f"work-{number}.log") for number in range(self.plan.workers)]
        subprocess.run([sys.executable, "-m", "relay", "db", "upgrade"], env=env, check=True, capture_output=True)
        for process in self.processes:
            process.start()
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes:
            process.kill(signal.SIGTERM)
        self._stack.close()

    def storm(self) -> None:
        threads = [
            threading.Thread(target=self._post, args=(self.keys[number :: self.plan.doors * 4],))
            for number in range(self.plan.doors * 4)
        ]
        for thread in threads:
            thread.start()
        end = time.monotonic() + self.plan.seconds
        next_kill = time.monotonic() + 4  # let them start
        while time.monotonic() < end:
            time.sleep(self._random.expovariate(1 / self.plan.fail_every))
            self._fail()
            if time.monotonic() > next_kill:
                self._kill()
                next_kill = time.monotonic() + self._random.uniform(0.5, 1.5) * self.plan.kill_every
        self._over.set()
        for thread in threads:
            thread.join()

    def _fail(self) -> None:
        fault = self._random.choice(FAULTS)
        self._random.choice(self.portals).fail(**fault)
        self.result.faults += 1

    def _kill(self) -> None:
        victim = self._random.choice(self.processes)
        victim.kill()
        victim.start()
        self.result.kills += 1

    def _post(self, keys: list[Key]) -> None:
        """Post each key's next event, again and again as a sender would, until it is acknowledged."""
        doors = itertools.cycle(self.urls)
        while keys and not self._over.is_set():
            for key in keys:
                number = key.acknowledged + 1
                event = {"id": f"{key.name}:{number}", "portal": f"p{key.portal}", "key": key.name, "n": number}
                event["tagged"] = "yes" if key.tagged else "no"
                while not acknowledged(next(doors), event):
                    time.sleep(0.05)
                    if self._over.is_set():
                        return
                key.acknowledged = number
            time.sleep(0.2)

    def calm(self, patience: float) -> bool:
        """Heal the portals and wait until every acknowledged event has arrived; did it?"""
        for portal in self.portals:
            portal.heal()
        for process in self.processes:
            if process.running is None or process.running.poll() is not None:
                process.start()
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if not any(self._missing(key, Arrived(self.portals[key.portal])) for key in self.keys):
                return True
            time.sleep(0.5)
        return False

    def _missing(self, key: Key, arrived: Arrived) -> list[str]:
        wanted = [key.acknowledged] if key.tagged else range(1, key.acknowledged + 1)
        return [f"{key.name} {number}" for number in wanted if number and number not in arrived.numbers(key)]

    def report(self) -> Report:
        result = self.result
        result.acknowledged = sum(key.acknowledged for key in self.keys)
        for number, portal in enumerate(self.portals):
            arrived = Arrived(portal)
            visible = Counter(note.text.partition(" ")[0] for note in portal.notifications(PERSON))
            for key in (key for key in self.keys if key.portal == number):
                result.lost += self._missing(key, arrived)
                order = list(dict.fromkeys(arrived.numbers(key)))
                result.overtaken += [f"{key.name}: {order}"] if order != sorted(order) else []
                result.sent += len(arrived.numbers(key))
                result.twice += len(arrived.numbers(key)) - len(order)
                result.seen_twice += [key.name] if key.tagged and visible[key.name] > 1 else []
            result.refused_by_itself += sum(call.status == 503 and not call.fault for call in portal.calls())
            result.excess = max(result.excess, excess([call.time for call in portal.calls()], rate=2, burst=50))
        return result


class Arrived:
    """What a portal has stored, key by key, in its order."""

    def __init__(self, portal: Portal) -> None:
        self._numbers: dict[str, list[int]] = {}
        for command in portal.commands("im.notify.personal.add"):
            if command.result:
                name, _, number = str(command.params["MESSAGE"]).partition(" ")
                self._numbers.setdefault(name, []).append(int(number))

    def numbers(self, key: Key) -> list[int]:
        return self._numbers.get(key.name, [])


def excess(times: list[float], *, rate: float, burst: float) -> float:
    """By how many calls the worst window exceeds ``burst + rate * its length``."""
    level, last, worst = 0.0, 0.0, 0.0
    for moment in sorted(times):
        level = max(0.0, level - rate * (moment - last)) + 1
        last, worst = moment, max(worst, level - burst)
    return worst


def acknowledged(url: str, event: dict[str, Any]) -> bool:
    try:
        return requests.post(url, json=event, headers={"Authorization": f"Bearer {BEARER}"}, timeout=5).ok
    except requests.RequestException:
        return False


def rules_for(urls: list[str]) -> str:
    template = {"text": "{{ event.key | replace('events:', '') }} {{ event.title }}"}
    rules: dict[str, Any] = {
        "version": 1,
        "portals": {f"p{number}": {"domain": url, "token": "sandbox-token"} for number, url in enumerate(urls)},
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
        chaos.storm()
        chaos.calm(patience)
        return chaos.report()


def _arguments() -> dict[str, Any]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", default="")
    for name, default in (("seconds", 60.0), ("portals", 30), ("keys", 20), ("kill-every", 2.0), ("seed", 1)):
        parser.add_argument(f"--{name}", type=type(default), default=default)
    return vars(parser.parse_args())


def main() -> None:
    chosen = _arguments()
    database = chosen.pop("database")
    with tempfile.TemporaryDirectory(prefix="relay-chaos-") as folder:
        report = run(Plan(**chosen), database or f"sqlite:///{folder}/relay.db", Path(folder), patience=300)
    sys.stdout.write(report.as_line() + "\n")
    sys.exit(0 if report.holds() else 1)


if __name__ == "__main__":
    main()
