"""How the relay's courier and the libraries for Bitrix24 send thousands of notifications to one and the same portal.

    python -m bench.drain_peers                                  # 5,000 and 10,000: some half an hour
    python -m bench.drain_peers --messages 300 --case lost       # a try

The stand-in portal has the documented limits (2 a second over 50, 50 in a batch). Beside each figure stands the
optimum (see `bench.delivery`): no sender can be faster. Libraries start with nothing known of the bucket, as their
users do; the relay knows it to be full where it is, as after a refusal. Cases:

* fresh, full: the bucket at the start.  * slow: each command takes the portal 20 ms.
* lost: of each tenth call the answer is lost after the portal has carried it out. A library that repeats it shows each
  of its fifty notifications twice; one that gives up loses what comes after. The relay's tags let it replace them.
* unlimited: no bucket; what is measured is the sender, each in a process of his own, from his first request until his
  last answer.
* line: the relay alone, from the journal through the router and the outbox to the portal, by `relay serve`.
"""

from __future__ import annotations

import argparse
import itertools
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

from bench import delivery, payloads, results
from bench.latency import Sender
from bench.peers import others, ours
from bench.peers.program import until
from bench.results import Row
from relay.sandbox import Portal, serve
from relay.sandbox.portal import Call, Reply
from relay.settings import Secret
from relay.store import outbox
from relay.store.database import Database

HERE = Path(__file__).resolve().parent / "peers"
LIBRARIES: dict[str, tuple[str, Sequence[str]]] = {
    "fast_bitrix24": ("fast_bitrix24_sender.py", ()),
    "fast_bitrix24, by fifties": ("fast_bitrix24_sender.py", ("--chunks",)),
    "b24pysdk": ("b24pysdk_sender.py", ()),
}
SWITCHES: dict[str, dict[str, Any]] = {
    "fresh": {},
    "full": {"full": True},
    "slow": {"command_seconds": 0.02},
    "lost": {},
    "unlimited": {"rate": "unlimited"},
}
EVERY = 10  # the answer to each call of this number is lost
CONNECTIONS = 16  # over which the line's events come
PATIENCE = 900  # seconds for a library


class Forgetful(Portal):
    """Each tenth answer is lost on its way, when what was asked for is done."""

    def __init__(self, **switches: Any) -> None:
        super().__init__(**switches)
        self._numbers = itertools.count(1)
        self.lost = 0

    def answer(self, call: Call) -> Reply:
        if call.method == "batch" and next(self._numbers) % EVERY == 0:
            self.fail("close", when="after")
            self.lost += 1
        return super().answer(call)


class Timed(Portal):
    """Knows when the first request came and when the last answer was ready; monotonic seconds."""

    first = last = 0.0

    def answer(self, call: Call) -> Reply:
        self.first = self.first or time.monotonic()
        reply = super().answer(call)
        self.last = time.monotonic()
        return reply


def portal_for(case: str) -> Portal:
    switches = {name: value for name, value in SWITCHES[case].items() if name != "full"}
    return {"lost": Forgetful, "unlimited": Timed}.get(case, Portal)(**switches)


def library(name: str, count: int, case: str) -> dict[str, Any] | None:
    """How a library sent so many: seconds, refusals, how many it lost and how many stand there twice."""
    script, options = LIBRARIES[name]
    if not others.PYTHON.exists():
        return None
    portal = portal_for(case)
    with serve(portal) as server:
        if case == "full":
            delivery.exhaust(portal, server.webhook)
        refused = portal.counters["refused"]
        began = time.monotonic()
        more = ["--unlimited"] if case == "unlimited" and name.startswith("fast") else []
        command = [str(others.PYTHON), str(HERE / script), server.webhook, str(count), *options, *more]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        seconds = time.monotonic() - began
        return _judged(portal, count) | {
            "seconds": portal.last - portal.first if isinstance(portal, Timed) else seconds,
            "refused": portal.counters["refused"] - refused,
            "ended": (done.stderr.strip().splitlines() or [""])[-1][:200] if done.returncode else "",
        }


def courier(count: int, case: str) -> dict[str, Any]:
    """How the relay's courier did."""
    portal = portal_for(case)
    with tempfile.TemporaryDirectory() as folder:
        if isinstance(portal, Timed):
            return _alone(portal, count, Path(folder))
        seconds, refused = delivery.through(portal, count, Path(folder), full=case == "full")
    return _judged(portal, count) | {"seconds": seconds, "refused": refused}


def _alone(portal: Timed, count: int, folder: Path) -> dict[str, Any]:
    """The courier in a process of its own, `relay work`, as the libraries are."""
    with serve(portal) as server:
        worker = ours.work(folder, server.webhook)
        database = Database(Secret(f"sqlite:///{folder}/relay.db"))
        database.upgrade()
        with database.write() as tx:
            outbox.enqueue(tx, None, [delivery.message(number) for number in range(count)])
        database.close()
        worker.start()
        until(lambda: portal.counters["stored"] >= count, "the courier has lost some", patience=600)
        worker.end()
    return _judged(portal, count) | {"seconds": portal.last - portal.first, "refused": portal.counters["refused"]}


def _judged(portal: Portal, count: int) -> dict[str, Any]:
    texts = [each.text for person in portal.people for each in portal.notifications(person.id)]
    return {
        "lost": count - len(set(texts)),
        "twice": len(texts) - len(set(texts)),
        "replaced": portal.counters["replaced"],
        "calls": portal.counters["requests"],
        "answers_lost": getattr(portal, "lost", 0),
    }


def line(count: int) -> dict[str, Any]:
    """Notifications a second from the first event's POST to the last call, one event each, by `relay serve`."""
    portal = Portal(rate="unlimited")
    bodies = [payloads.review(number) for number in range(1, count + 1)]
    posts = [(body, payloads.headers(number, body)) for number, body in enumerate(bodies, start=1)]
    with tempfile.TemporaryDirectory() as folder, serve(portal) as server:
        program = ours.serve(Path(folder), server.webhook)
        program.start()
        mine = threading.local()

        def post(each: tuple[bytes, dict[str, str]]) -> None:
            mine.sender = getattr(mine, "sender", None) or Sender(program)
            mine.sender.post(*each)

        began = time.monotonic()
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            list(pool.map(post, posts))
        until(lambda: portal.counters["stored"] >= count, "the line has lost some", patience=600)
        seconds = time.monotonic() - began
        program.end()
    return _judged(portal, count) | {"seconds": seconds}


def rows(found: dict[str, dict[str, Any]]) -> list[Row]:
    made = []
    for each in found.values():
        count, case, mine = each["count"], each["case"], each["relay"]
        name = f"{count:,} to one portal, {case}"
        if case == "line":
            per_second = count / mine["seconds"]
            beside = "the bound, 500 /s"
            words: dict[str, Any] = {"what": name, "unit": "/s", "beside": beside, "at_least": 1.0}
            made.append(Row(ours=per_second, theirs=500.0, ratio=per_second / 500, **words))
            continue
        if case == "unlimited":
            made += [
                Row.of(
                    [count / mine["seconds"]],
                    [(count - theirs["lost"]) / theirs["seconds"]],
                    what=name,
                    unit="/s",
                    beside=library,
                    at_least=1.0,
                )
                for library, theirs in each["libraries"].items()
            ]
            continue
        best = delivery.optimum(count, **SWITCHES[case])
        for_optimum: dict[str, Any] = {} if case == "lost" else {"at_most": 1.03}
        if best:  # so few that all go at once have no optimum to be measured by
            made.append(Row.of([mine["seconds"]], [best], what=name, unit="s", beside="the optimum", **for_optimum))
        made.append(_none(f"{name}: refused", mine["refused"], {k: v["refused"] for k, v in each["libraries"].items()}))
        made.append(_none(f"{name}: lost", mine["lost"], {k: v["lost"] for k, v in each["libraries"].items()}))
        made.append(_none(f"{name}: shown twice", mine["twice"], {k: v["twice"] for k, v in each["libraries"].items()}))
        if case == "lost":
            most = 50 * mine["answers_lost"]
            made.append(Row.bound(mine["replaced"], most, what=f"{name}: repeated, and replaced", unit="messages"))
    return made


def _none(what: str, mine: int, theirs: dict[str, int]) -> Row:
    """A row of what must not happen, beside how often it does to the libraries."""
    beside = ", ".join(f"{name} {number}" for name, number in theirs.items()) or "nobody"
    other = float(median(theirs.values())) if theirs else None
    return Row(what=what, unit="", ours=mine, beside=beside, theirs=other, ratio=float(mine), at_most=0.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, action="append", help="how many; may be given several times")
    parser.add_argument("--case", choices=[*SWITCHES, "line"], action="append")
    parser.add_argument("--library", choices=LIBRARIES, action="append")
    chosen = parser.parse_args()
    if not others.PYTHON.exists():
        print("the libraries are not installed: make bench-peers; the relay is measured alone", flush=True)
    found: dict[str, dict[str, Any]] = {}
    for count in chosen.messages or (5_000, 10_000):
        for case in chosen.case or [*SWITCHES, "line"]:
            mine = line(count) if case == "line" else courier(count, case)
            one: dict[str, Any] = {"count": count, "case": case, "relay": mine, "libraries": {}}
            print(f"{count:,}, {case}: relay {mine}", flush=True)
            for name in (chosen.library or LIBRARIES) if case != "line" else ():
                if (theirs := library(name, count, case)) is not None:
                    one["libraries"][name] = theirs
                    print(f"{count:,}, {case}: {name} {theirs}", flush=True)
            found[f"{count} {case}"] = one
    results.keep("drain", rows(found), found)


if __name__ == "__main__":
    main()
