"""How long a storm takes to deliver, as a ratio to what the portal's limit allows at the best.

``python -m bench.delivery`` prints, for 10,000 messages at the standard plan (2 a second over 50, 50 in a batch):
with a fresh bucket, with commands of 20 ms, with refusals that fill the bucket too, and with a bucket that starts full.

The optimum is arithmetic, and no sender can beat it, however many calls he has in flight and however fast his machine:
requests are admitted as the limit allows, each brings 50 messages, and the portal carries out the commands of one
request one after another. So it counts also what the last commands take themselves, if each costs the portal time.
What is above it is ours. We stay one request below the threshold, as our clock runs ahead of the portal's: half a
second. A bucket that has refused us is reckoned at one above it, as the documentation can be read: another half. Our
last batches are whole, where smaller ones would end sooner: a quarter of a second, if a batch takes one.
"""

from __future__ import annotations

import argparse
import heapq
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import requests

from relay import house
from relay.bitrix.pace import PLANS
from relay.model import Message
from relay.sandbox import Portal, serve
from relay.settings import Secret, Settings
from relay.store import outbox, portals
from relay.store.database import Database
from relay.work import Worker

BATCH, BURST, RATE = 50, 50, 2
CASES: dict[str, dict[str, Any]] = {
    "a fresh bucket": {},
    "commands of 20 ms": {"command_seconds": 0.02},
    "refusals fill the bucket": {"refused_fills": True},
    "a full bucket": {"full": True},
}
RULES = """\
version: 1
portal: {{domain: "{url}", token: sandbox-token, plan: {plan}}}
sources: {{none: {{type: json, open: true}}}}
people: {{ivan: {{id: 17}}}}
rules: []
default: drop
"""


def deliver(count: int, folder: Path, *, full: bool = False, **switches: Any) -> tuple[float, int]:
    """Deliver ``count`` messages; the seconds it took, and how many requests the portal refused."""
    return through(Portal(**switches), count, folder, full=full)


def through(
    portal: Portal, count: int, folder: Path, *, full: bool = False, plan: str = "standard"
) -> tuple[float, int]:
    """The same, to a portal that is there, by the rate of this plan."""
    with serve(portal) as server:
        rules = folder / "rules.yaml"
        rules.write_text(RULES.format(url=server.url, plan=plan), encoding="utf-8")
        settings = Settings(rules=rules, database_url=Secret(f"sqlite:///{folder}/relay.db"))
        built = house.build(settings, {})
        _enqueue(built, count)
        if full:
            fill_up(built.database, "main", portal, server.webhook)
        worker = Worker(built)
        thread = threading.Thread(target=worker.run)
        refused = portal.counters["refused"]
        started = time.monotonic()
        thread.start()
        while portal.counters["stored"] < count:
            time.sleep(0.01)
        seconds = time.monotonic() - started
        while _waits(built):  # what is to be sent once more
            time.sleep(0.01)
        worker.stop()
        thread.join()
        built.close()
        return seconds, portal.counters["refused"] - refused


def _waits(built: house.House) -> bool:
    with built.database.read() as tx:
        return bool(outbox.counts(tx).keys() & {"queued", "sending"})


def _enqueue(built: house.House, count: int) -> None:
    with built.database.write() as tx:
        outbox.enqueue(tx, None, [message(number) for number in range(count)])


def message(number: int) -> Message:
    """One to Ivan, like no other."""
    key = f"subject {number}"
    return Message(portal="main", user_id=17, person="ivan", rule="", key=key, tag=key, text=f"message {number}")


def fill_up(database: Database, name: str, portal: Portal, webhook: str, *, plan: str = "standard") -> None:
    """Both sides know the bucket to be full: as after a storm that somebody else made, once it was refused."""
    exhaust(portal, webhook)
    with database.write() as tx:  # now and no sooner: it flows off from now on, at theirs and at ours
        portals.get(tx, name)
        portals.fill(tx, name, PLANS[plan].full)


def exhaust(portal: Portal, webhook: str) -> None:
    """Call the portal until it refuses."""
    while portal.counters["refused"] == 0:
        requests.get(f"{webhook}profile", timeout=5)


def optimum(count: int, *, full: bool = False, command_seconds: float = 0.0, **_: Any) -> float:
    """Seconds after which ``count`` messages can be stored at the earliest."""
    at_once = 0 if full else BURST
    admitted = [max(0, number - at_once) / RATE for number in range(1, count + 1)]
    done = [at + place * command_seconds for at in admitted for place in range(1, BATCH + 1)]
    return heapq.nsmallest(count, done)[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--case", choices=CASES, action="append")
    chosen = parser.parse_args()
    for name in chosen.case or CASES:
        with tempfile.TemporaryDirectory() as folder:
            seconds, refused = deliver(chosen.messages, Path(folder), **CASES[name])
        best = optimum(chosen.messages, **CASES[name])
        ratio = f"{seconds / best:5.3f} of" if best else "where"  # what a fresh bucket holds may go at once
        print(f"{name:26} {seconds:7.2f} s, {ratio} the optimum {best:.2f} s, refused {refused}", flush=True)


if __name__ == "__main__":
    main()
