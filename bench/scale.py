"""Whether the relay stays as fast when a million events are stored, and where more workers stop to help.

    python -m bench.scale growth                       # 10 thousand against a million events: some ten minutes
    python -m bench.scale growth --large 100000
    python -m bench.scale workers                      # 1, 2 and 4 workers on PostgreSQL, 10 portals: five minutes
    python -m bench.scale workers --plan enterprise    # the same, where a portal takes two and a half times as much

* growth: in two SQLite files, one small and one large (bench.filling), by turns: eight requests written down in one
  commit, and fifty messages claimed. Each figure is a whole transaction, its commit on disk included.
* workers: messages wait for ten portals whose buckets are full; of the standard plan each takes 100 a second. Beside
  each figure stands how busy all processors of the machine were meanwhile: the portals and PostgreSQL run on them as
  well. The PostgreSQL is the one that RELAY_TEST_PG_URL names, or one that is started for it.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench import delivery, payloads, results
from bench.filling import fill
from bench.peers.ours import TREE
from bench.peers.program import PYTHON, Program, until
from bench.results import Row
from relay.bitrix.pace import PLANS
from relay.model import Message
from relay.sandbox import Portal, serve
from relay.settings import Secret
from relay.store import journal, outbox
from relay.store.database import Database
from relay.store.journal import Arrival
from relay.store.outbox import Settlement
from tests import postgres

TOGETHER = 8  # requests that share a commit
BATCH = 50
EPOCH = 1
PORTALS = 10


# ── Growth ───────────────────────────────────────────────────────────────────────────────────────────────────────


def growth(small: int, large: int, rounds: int) -> None:
    found: dict[str, dict[int, list[float]]] = {"accept": {}, "claim": {}}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as ending:
        there = {}
        for size in (small, large):
            began = time.monotonic()
            database = Database(Secret(f"sqlite:///{folder}/{size}.db"))
            ending.callback(database.close)
            database.upgrade()
            fill(database, size)
            database.checkpoint()
            there[size] = database
            print(f"{size:,} events filled in {time.monotonic() - began:.0f} s", flush=True)
        for number in range(rounds + 5):  # five to warm up
            for size, database in there.items():
                accepted, claimed = _accept(database, number), _claim(database, number)
                if number >= 5:
                    found["accept"].setdefault(size, []).append(accepted)
                    found["claim"].setdefault(size, []).append(claimed)
    rows = [
        Row.of(of[large], of[small], what=f"{what}, {large:,} events", unit="ms", beside=f"{small:,}", at_most=1.3)
        for what, of in found.items()
    ]
    results.keep("growth", rows, found)


def _accept(database: Database, number: int) -> float:
    arrivals = [_arrival(number * TOGETHER + each) for each in range(TOGETHER)]
    began = time.perf_counter()
    with database.write() as tx:
        journal.append(tx, arrivals)
    return (time.perf_counter() - began) * 1000


def _arrival(number: int) -> Arrival:
    body = payloads.review(number)
    return Arrival(
        source="github",
        method="POST",
        headers=payloads.headers(number, body),
        body=body,
        delivery=f"bench {number}",
        window=None,
        kind="pull_request.review_requested",
        title=f"change-{number}",
    )


def _claim(database: Database, number: int) -> float:
    with database.write() as tx:
        outbox.enqueue(tx, None, [_message("bench", number * BATCH + each) for each in range(BATCH)])
    began = time.perf_counter()
    with database.write() as tx:
        parcels = outbox.claim(tx, "bench", EPOCH, BATCH)
    seconds = time.perf_counter() - began
    with database.write() as tx:
        done = [Settlement(parcel=each, state="delivered", verdict="delivered") for each in parcels]
        outbox.settle_all(tx, "bench", EPOCH, done)
    return seconds * 1000


def _message(portal: str, number: int) -> Message:
    key = f"subject {number}"
    return Message(portal=portal, user_id=17, person="ivan", rule="", key=key, tag=key, text=f"message {number}")


# ── Workers ──────────────────────────────────────────────────────────────────────────────────────────────────────


def workers(counts: list[int], plan: str, messages: int, rounds: int) -> None:
    limit = PORTALS * PLANS[plan].rate * BATCH  # notifications a second that these portals take in the long run
    found: dict[int, list[Drained]] = {count: [] for count in counts}
    with postgres.server(durable=True) as server:
        for _ in range(rounds):
            for count in counts:
                url = server.create()
                found[count].append(one := _drained(url.render_as_string(hide_password=False), count, plan, messages))
                server.drop(url)
                print(f"{count} workers: {one.rate:,.0f}/s, processors busy {one.busy:.0%}, ", end="")
                print(f"of that the workers {one.workers:.0%}, the portals {one.portals:.0%}", flush=True)
    rows = []
    for count, each in found.items():
        what = f"PostgreSQL, {PORTALS} portals, {plan}, {count} worker(s)"
        rates, busy = [one.rate for one in each], [one.busy * 100 for one in each]
        limits, whole = [limit] * len(each), [100] * len(each)
        rows.append(Row.of(rates, limits, what=what, unit="/s", beside=f"the portals' limit, {limit:,.0f}/s"))
        rows.append(Row.of(busy, whole, what=f"{what}: processors", unit="%", beside="all of them"))
    results.keep(
        "workers" if plan == "standard" else f"workers-{plan}",
        rows,
        {count: [asdict(one) for one in each] for count, each in found.items()},
    )


@dataclass(frozen=True, slots=True)
class Drained:
    """Notifications a second, from the first at a portal to the last; and parts of all processors' time meanwhile."""

    rate: float
    busy: float
    workers: float
    portals: float


def _drained(url: str, count: int, plan: str, messages: int) -> Drained:
    """What so many workers deliver."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as ending:
        folder = Path(name)
        there = [Portal(rate=plan) for _ in range(PORTALS)]
        servers = [ending.enter_context(serve(portal)) for portal in there]
        (folder / "rules.yaml").write_text(_rules(plan, [server.webhook for server in servers]), encoding="utf-8")
        database = Database(Secret(url))
        database.upgrade()
        with database.write() as tx:
            for number in range(PORTALS):
                outbox.enqueue(tx, None, [_message(f"p{number}", each) for each in range(messages)])
        for number, (portal, server) in enumerate(zip(there, servers, strict=True)):
            delivery.fill_up(database, f"p{number}", portal, server.webhook, plan=plan)
        database.close()
        env = {"RELAY_RULES": str(folder / "rules.yaml"), "DATABASE_URL": url, "PYTHONPATH": str(TREE)}
        command = [PYTHON, "-m", "relay", "work"]
        programs = [Program(f"worker {each}", command, folder / str(each), 0, "", env) for each in range(count)]
        for program in programs:
            ending.callback(program.end)
            program.start()

        def stored() -> int:
            return sum(portal.counters["stored"] for portal in there)

        until(lambda: stored() > 0, "no worker delivers")
        before = _seconds(programs), stored()
        until(lambda: stored() >= messages * PORTALS, "the workers have lost some", patience=600)
        seconds, busy, worked, here = (now - then for now, then in zip(_seconds(programs), before[0], strict=True))
        whole = seconds * (os.cpu_count() or 1)
        return Drained(
            rate=(stored() - before[1]) / seconds, busy=busy / whole, workers=worked / whole, portals=here / whole
        )


def _seconds(programs: list[Program]) -> tuple[float, float, float, float]:
    """So far: of the clock, and of processors that all of the machine have taken, these programs, and this one."""
    programs_took = sum(program.processor_seconds() for program in programs)
    return time.monotonic(), _busy_seconds(), programs_took, time.process_time()


def _busy_seconds() -> float:
    """What all processors of the machine have worked so far (proc(5), stat: all but idle and iowait, in ticks)."""
    user, nice, system, _, _, *interrupts = map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:8])
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")


def _rules(plan: str, webhooks: list[str]) -> str:
    entered = "".join(
        f'  p{number}: {{webhook: "{webhook}", plan: {plan}}}\n' for number, webhook in enumerate(webhooks)
    )
    rest = "people: {ivan: {id: 17}}\nsources: {none: {type: json, open: true}}\nrules: []\ndefault: drop\n"
    return f"version: 1\nportals:\n{entered}{rest}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["growth", "workers"])
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--large", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--workers", type=int, action="append")
    parser.add_argument("--plan", choices=["standard", "enterprise"], default="standard", help="of the portals")
    parser.add_argument("--messages", type=int, default=1_500, help="for each portal")
    parser.add_argument("--turns", type=int, default=3, help="of each number of workers")
    chosen: Any = parser.parse_args()
    if chosen.what == "growth":
        growth(chosen.small, chosen.large, chosen.rounds)
    else:
        workers(chosen.workers or [1, 2, 4], chosen.plan, chosen.messages, chosen.turns)


if __name__ == "__main__":
    main()
