"""A portal that answers with whatever comes to mind, and the real courier before it: no message may be lost.

Never part of the test run but for a few dozen. `make fuzz-answers` gives 1,000; `ARGS="--count 20000 --seed 2"` others.

`relay.work.Worker` runs here with all its threads on a SQLite file, and its clock is pushed on, so that it need not
wait. Once the answers are good, every message must have its end: delivered, or put aside with a reason; and the portal
must have seen those of one key in their order.
"""

from __future__ import annotations

import argparse
import json
import logging
import socketserver
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, ClassVar
from urllib.parse import parse_qs

from relay.bitrix.client import Client
from relay.house import House, RulesFile
from relay.model import Message
from relay.settings import Secret, Settings
from relay.store import counters, outbox
from relay.store.database import Database
from relay.work import Worker
from tests.conftest import Clock
from tests.fuzz import answers
from tests.fuzz.answers import Asked
from tests.fuzz.changes import drawn

ANSWER_WITHIN = 0.3  # seconds that the courier waits here; in earnest 65
DRIP = 0.05  # seconds between the last bytes of an answer that takes its time
PUSH = 20.0  # seconds by which the clock goes on at a time: no wait of the courier's is longer than fifteen minutes
PUSH_EVERY = 0.02  # seconds
BACKLOG = 80  # messages that wait, at the most
SETTLED_WITHIN = 90.0  # seconds after the last odd answer
PORTALS = ("token", "hook")
PEOPLE = (17, 18, 19, 20)
KEYS = 6  # for each person, and half of them without a tag
ENDS = {"delivered", "muted", "dead", "held", "superseded"}
SAID_WHY = {"dead", "held"}
RULES = """\
version: 1
portals:
  token: {{domain: "{url}", token: TOKENTOKEN, plan: unlimited}}
  hook: {{webhook: "{url}/rest/1/KEYKEYKEY/", plan: unlimited}}
sources: {{x: {{type: json, open: true}}}}
people: {{ivan: {{id: 17}}, nina: {{email: nina@example.com}}}}
rules: [{{to: nina}}]
default: {{to: ivan}}
"""

Stream = tuple[str, int, str]  # portal, person, key


@dataclass(slots=True)
class Portal:
    """What it answers with, and what it has seen."""

    seed: int
    is_odd: bool = True
    calls: int = 0
    odd_answers: int = 0
    seen: dict[Stream, list[int]] = field(default_factory=lambda: defaultdict(list))
    guard: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, path: str, body: bytes) -> tuple[answers.Told, bool]:
        """What to write, and whether to hang up then."""
        portal = "hook" if "/KEYKEYKEY/" in path else "token"
        method = path.rpartition("/")[2]
        payload = json.loads(body)
        commands = payload.get("cmd", {}) if method == "batch" else {}
        with self.guard:
            self.calls += 1
            for parameters in _parameters(payload, commands):
                if "MESSAGE" in parameters:
                    _, key, sent = parameters["MESSAGE"].split("|")
                    self.seen[portal, int(parameters["USER_ID"]), key].append(int(sent))
            number = self.odd_answers
            self.odd_answers += self.is_odd
        asked = Asked(method, {name: command.partition("?")[0] for name, command in commands.items()})
        now = time.time()
        if not self.is_odd:
            return answers.Told(answers.written(json.dumps(answers.good(asked, now)).encode())), False
        draw = drawn(self.seed, number)
        return answers.odd(draw, asked, now), draw.random() < 0.7

    def out_of_order(self) -> list[str]:
        """Streams in which an older message came after a newer one; a repeat of one is none."""
        return [f"{stream}: {seen}" for stream, seen in self.seen.items() if seen != sorted(seen)]


def _parameters(payload: Mapping[str, Any], commands: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    if not commands:
        yield {name: str(value) for name, value in payload.items()}
    for command in commands.values():
        yield {name: values[0] for name, values in parse_qs(command.partition("?")[2]).items()}


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64
    portal: ClassVar[Portal]


class _Handler(socketserver.StreamRequestHandler):
    server: _Server
    timeout = 30.0

    def handle(self) -> None:
        with suppress(OSError, ValueError):
            while line := self.rfile.readline().decode("latin-1"):
                length = 0
                while (header := self.rfile.readline()) not in (b"\r\n", b""):
                    name, _, value = header.decode("latin-1").partition(":")
                    length = int(value) if name.lower() == "content-length" else length
                told, hang_up = self.server.portal.answer(line.split()[1], self.rfile.read(length))
                self._write(told)
                if hang_up or told.slowly:
                    return

    def _write(self, told: answers.Told) -> None:
        if not told.slowly:
            self.request.sendall(told.raw)
            return
        self.request.sendall(told.raw[:-4])
        for at in range(len(told.raw[-4:])):
            time.sleep(DRIP)
            self.request.sendall(told.raw[-4:][at : at + 1])


@contextmanager
def listening(portal: Portal) -> Iterator[str]:
    """The portal on a socket; its address."""
    made = type("Server", (_Server,), {"portal": portal})(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=made.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{made.server_address[1]}"
    finally:
        made.shutdown()
        thread.join()
        made.server_close()


# ── The courier ───────────────────────────────────────────────────────────────────────────────────────────────


class _Faults(logging.Handler):
    """What the relay tells of faults of its own, and of answers that it could not write down."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.ERROR or "waits" in record.getMessage():
            self.told.append(f"{record.getMessage()} {getattr(record, 'words', {})}")


@contextmanager
def _impatient() -> Iterator[None]:
    usual = Client.__init__.__kwdefaults__ or {}
    Client.__init__.__kwdefaults__ = {**usual, "timeout": (2.0, ANSWER_WITHIN)}
    try:
        yield
    finally:
        Client.__init__.__kwdefaults__ = usual


@dataclass(slots=True)
class Report:
    """What came of it."""

    seed: int
    answers: int = 0
    calls: int = 0
    seconds: float = 0.0
    clock: float = 0.0  # seconds by which it was pushed on
    messages: int = 0
    states: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def as_text(self) -> str:
        states = ", ".join(f"{number:,} {state}" for state, number in self.states.most_common())
        codes = ", ".join(f"{code} {number}" for code, number in self.codes.most_common(12))
        return "\n".join(
            [
                f"{self.answers:,} odd answers in {self.calls:,} calls, {self.seconds:.0f} s"
                f" ({self.clock / 3600:.0f} hours of the courier's clock); seed {self.seed}",
                f"{self.messages:,} messages: {states}",
                f"of those that were put aside: {codes}",
                *(f"FAULT: {fault}" for fault in self.faults[:20]),
            ]
        )


class Run:
    """The worker before an odd portal."""

    def __init__(self, folder: Path, url: str, portal: Portal) -> None:
        path = folder / "rules.yaml"
        path.write_text(RULES.format(url=url), encoding="utf-8")
        self.clock, self.portal = Clock(time.time()), portal
        database = Database(Secret(f"sqlite:///{folder}/relay.db"), clock=self.clock)
        database.upgrade()
        self.house = House(settings=Settings(rules=path), rules_file=RulesFile(path, {}), database=database)
        self._numbers = 0
        self._draw = Random(portal.seed)

    def go(self, count: int) -> Report:
        report, faults = Report(self.portal.seed), _Faults()
        began, at = time.monotonic(), self.clock.now
        logging.getLogger("relay").addHandler(faults)
        worker = Worker(self.house)
        thread = threading.Thread(target=worker.run, name="worker")
        thread.start()
        try:
            while self.portal.odd_answers < count and thread.is_alive():
                self._feed()
                self._push()
            self.portal.is_odd = False
            until = time.monotonic() + SETTLED_WITHIN
            while self._waiting() and thread.is_alive() and time.monotonic() < until:
                self._push()
            if not (thread.is_alive() and {"route", "carry"} <= {each.name for each in threading.enumerate()}):
                report.faults.append("a thread of the worker has ended")
        finally:
            worker.stop()
            thread.join(30)
            logging.getLogger("relay").removeHandler(faults)
        report.faults += faults.told
        if thread.is_alive():
            report.faults.append("the worker does not end")
        report.answers, report.calls = self.portal.odd_answers, self.portal.calls
        report.seconds, report.clock = time.monotonic() - began, self.clock.now - at
        self._judge(report)
        return report

    def _push(self) -> None:
        """Let time pass, and wake the worker, who waits by a clock that nobody can push."""
        time.sleep(PUSH_EVERY)
        self.clock.forward(PUSH)
        tally = counters.Tally()
        tally.probe()
        with self.house.database.write() as tx:
            counters.write(tx, tally)
            tx.news = True

    def _waiting(self) -> int:
        with self.house.database.read() as tx:
            states = outbox.counts(tx)
        return states.get("queued", 0) + states.get("sending", 0)

    def _feed(self) -> None:
        if self._waiting() >= BACKLOG:
            return
        with self.house.database.write() as tx:
            outbox.enqueue(tx, None, [self._message() for _ in range(10)])

    def _message(self) -> Message:
        draw = self._draw
        self._numbers += 1
        person, number = draw.choice(PEOPLE), draw.randrange(KEYS)
        key = f"{person}.{number}"  # a person's own, so that what goes to another instead is a stream of its own
        return Message(
            portal=draw.choice(PORTALS),
            user_id=person,
            person=str(person),
            rule="x",
            key=key,
            tag=key if number % 2 else "",
            text=f"m|{key}|{self._numbers}",
            attach={"BLOCKS": [{"MESSAGE": "x"}]} if draw.random() < 0.3 else None,
            via="system" if draw.random() < 0.1 else "personal",
            urgent=draw.random() < 0.2,
            fallback=(draw.choice((31, 32)),) if draw.random() < 0.2 else (),
            delete=bool(number % 2) and draw.random() < 0.1,
        )

    # ── Judging ───────────────────────────────────────────────────────────────────────────────────────────────

    def _judge(self, report: Report) -> None:
        with self.house.database.read() as tx:
            found = outbox.latest(tx, limit=10**6)
        report.messages, report.states = len(found), Counter(each.state for each in found)
        report.codes = Counter(each.code or each.why for each in found if each.state in SAID_WHY)
        first = {each.message.text for each in found if not each.message.person.startswith("instead")}
        if len(first) != self._numbers:
            report.faults.append(f"{self._numbers - len(first)} messages are gone from the outbox")
        for each in found:
            if (why := self._wrong(each)) is not None:
                report.faults.append(f"message {each.id}: {why}")
        report.faults += [f"out of order: {each}" for each in self.portal.out_of_order()]

    def _wrong(self, record: outbox.Record) -> str | None:
        """What is wrong with a message's end."""
        told = record.message
        if record.state not in ENDS:
            return f"is still {record.state} after {record.attempts} tries"
        if record.state in SAID_WHY and not record.why:
            return f"is {record.state} and nobody says why"
        if record.code == "RELAY":
            return record.why
        seen = self.portal.seen.get((told.portal, told.user_id, told.key), ())
        if record.state == "delivered" and not told.delete and int(told.text.rpartition("|")[2]) not in seen:
            return "is delivered, and the portal has never seen it"
        return None


def run(*, count: int, seed: int) -> Report:
    """Give so many odd answers, and good ones after them."""
    with tempfile.TemporaryDirectory(prefix="relay-fuzz-") as folder, _impatient():
        portal = Portal(seed)
        with listening(portal) as url:
            made = Run(Path(folder), url, portal)
            try:
                return made.go(count)
            finally:
                made.house.close()


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m tests.fuzz.portal_answers", description=__doc__)
    asked.add_argument("--count", type=int, default=1000)
    asked.add_argument("--seed", type=int, default=1)
    chosen = asked.parse_args()
    logging.basicConfig(level=logging.CRITICAL)
    report = run(count=chosen.count, seed=chosen.seed)
    sys.stdout.write(f"{report.as_text()}\n")
    sys.exit(bool(report.faults))


if __name__ == "__main__":
    main()
