"""How many signed 24 kB GitHub events a second are on disk before they are answered, beside what others answer.

    python -m bench.accept                                # five rounds of five seconds each: some five minutes
    python -m bench.accept --rounds 3 --seconds 2         # a try

The server has one processor and wrk, over 32 connections, the other. All servers run all the time and are asked by
turns, so that what else the machine does meets each of them alike; a ratio is the median of the rounds' ratios.

* unstored: the relay's own server and application, which verify, read and answer, and write nothing.
* in a storm: beside the door, the router decides what comes and the courier drains 10,000 messages to the stand-in
  portal; they have the other processor, together with wrk.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from bench import payloads, results
from bench.peers import others, ours
from bench.peers.program import Missing, Program, cores, pinned
from bench.results import Row
from relay.model import Message
from relay.sandbox import Portal, serve
from relay.settings import Secret
from relay.store import outbox
from relay.store.database import Database

CONNECTIONS = 32
STORM = 10_000
NOBODY = "http://127.0.0.1:9/rest/1/nobody/"  # the discard port: whoever calls the portal finds it closed at once

Found = dict[str, float]
_runs = itertools.count(int(time.time()))


def ask(program: Program, folder: Path, seconds: float) -> Found:
    """Post to a program for so long: requests a second, the 50th and 99th percentile of their milliseconds, and the
    microseconds of processor time that each takes, which do not depend on what else the machine does."""
    body = payloads.review(1)
    (folder / "body").write_bytes(body)
    (folder / "headers").write_text("".join(f"{name}: {value}\n" for name, value in payloads.headers(1, body).items()))
    env = {"BENCH_BODY": str(folder / "body"), "BENCH_HEADERS": str(folder / "headers"), "BENCH_RUN": str(next(_runs))}
    script = Path(__file__).with_name("accept.lua")
    before = program.processor_seconds()
    command = [others.tool("wrk"), "-t1", f"-c{CONNECTIONS}", f"-d{seconds:g}s", "--timeout", "30s", "-s", str(script)]
    said = subprocess.run(
        [*pinned(cores()[1]), *command, program.url],
        env=os.environ | others.libraries() | env,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    found: Found = json.loads(said.rpartition("FOUND ")[2])
    if found["not_2xx"] or found["broken"]:
        raise SystemExit(f"{program.name} did not take everything: {found}")
    took = (program.processor_seconds() - before) / found["requests"]
    return found | {"per_second": found["requests"] / found["seconds"], "cpu": took * 1e6}


def servers(folder: Path, wanted: list[str]) -> tuple[dict[str, Program], dict[str, str]]:
    """What can be asked, and why the rest cannot."""
    core, _ = cores()
    makers: Mapping[str, Any] = {
        "relay": lambda: ours.web(folder / "relay", NOBODY, core=core),
        "unstored": lambda: ours.unstored(folder / "unstored", NOBODY, core=core),
        "storm": lambda: ours.web(folder / "storm", NOBODY, core=core, plan="standard"),
        "Node-RED": lambda: others.node_red(folder / "node-red", NOBODY, path="/check", core=core),
        "Node-RED, forwarding": lambda: others.node_red(folder / "node-red-2", NOBODY, core=core),
        "n8n": lambda: others.n8n(folder / "n8n", NOBODY, core=core),
    }
    there, missing = {}, {}
    for name in wanted or makers:
        try:
            there[name] = makers[name]()
        except Missing as fault:
            missing[name] = str(fault)
            print(f"{name}: {fault}", flush=True)
    return there, missing


@contextmanager
def storm(folder: Path) -> Iterator[None]:
    """The router and the courier of the door in this folder, and 10,000 messages for a portal of the standard plan."""
    with serve(Portal()) as server:
        worker = ours.work(folder, server.webhook, core=cores()[1], plan="standard")
        database = Database(Secret(f"sqlite:///{folder}/relay.db"))
        with database.write() as tx:
            outbox.enqueue(tx, None, [_message(number) for number in range(STORM)])
        database.close()
        worker.start()
        try:
            yield
        finally:
            worker.kill()


def _message(number: int) -> Message:
    key = f"storm {next(_runs)}"
    return Message(portal="main", user_id=17, person="ivan", rule="", key=key, tag=key, text=f"message {number}")


def measured(there: Mapping[str, Program], folder: Path, *, rounds: int, seconds: float) -> dict[str, list[Found]]:
    found: dict[str, list[Found]] = {name: [] for name in there}
    for program in there.values():
        ask(program, folder, min(seconds, 2))  # so that each has compiled and cached what it will
    for number in range(rounds):
        for name, program in there.items():
            if name == "storm":
                with storm(program.folder):
                    found[name].append(ask(program, folder, seconds))
            else:
                found[name].append(ask(program, folder, seconds))
            one = found[name][-1]
            told = f"{one['per_second']:8,.0f}/s, p99 {one['p99']:7.1f} ms, {one['cpu']:7,.0f} µs"
            print(f"round {number + 1}: {name:22} {told}", flush=True)
    return found


GOALS = {"unstored": 0.7, "Node-RED": 1.0, "Node-RED, forwarding": 2.0, "n8n": 30.0}


def rows(found: Mapping[str, list[Found]], missing: Mapping[str, str]) -> list[Row]:
    def row(what: str, mine: str, other: str, figure: str, **words: Any) -> Row:
        one = [each[figure] for each in found[mine]]
        words |= {"what": what, "beside": other, "unit": {"per_second": "/s", "p99": "ms", "cpu": "µs"}[figure]}
        if other not in found:
            return Row(ours=median(one), why=missing.get(other, "not asked for"), **words)
        return Row.of(one, [each[figure] for each in found[other]], **words)

    made = [
        row("accept, on disk before 202", "relay", other, "per_second", at_least=goal) for other, goal in GOALS.items()
    ]
    made.append(row("accept, p99", "relay", "Node-RED", "p99", at_most=1.0))
    made += [row("accept, processor time of an event", "relay", other, "cpu") for other in ("unstored", "Node-RED")]
    if "storm" in found:
        made.append(row("accept while the courier drains a storm", "storm", "relay", "per_second", at_least=0.6))
        worst = median(each["p99"] for each in found["storm"])
        made.append(Row.bound(worst, 100.0, what="accept in a storm, p99", unit="ms"))
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--server", action="append", default=[], help="only these; relay must be among them")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as ending:
        folder = Path(name)
        there, missing = servers(folder, chosen.server)
        for program in there.values():
            ending.callback(program.end)
            program.start()
        found = measured(there, folder, rounds=chosen.rounds, seconds=chosen.seconds)
    results.keep("accept", rows(found, missing), found)


if __name__ == "__main__":
    try:
        main()
    except Missing as fault:
        raise SystemExit(str(fault)) from None
