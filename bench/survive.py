"""How many acknowledged events are lost when the portal is down, the machine loses power, and both come back.

    python -m bench.survive                        # 1,000 events to each
    python -m bench.survive --events 50            # a try

Nobody listens where the portal should be. Events are posted and each answer is noted; then the program and all that it
has started are killed at one moment (SIGKILL), and started again; then the portal is there. An event is lost if it was
acknowledged and the portal has not heard of it ``--patience`` seconds after the last one that it heard of.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bench import payloads, results
from bench.latency import Sender
from bench.peers import others, ours
from bench.peers.program import Missing, Program, free_port
from bench.results import Row
from bench.sink import Sink

Post = Callable[[Sender, int], object]


def github(sender: Sender, number: int) -> None:
    body = payloads.review(number)
    sender.post(body, payloads.headers(number, body))


def alert(sender: Sender, number: int) -> None:
    """As Prometheus posts one (Alertmanager docs, API v2)."""
    body = json.dumps([{"labels": {"alertname": "DiskFull", "instance": f"change-{number}:9100"}}]).encode()
    sender.post(body, {"Content-Type": "application/json"})


def lost(program: Program, port: int, post: Post, *, events: int, patience: float) -> dict[str, Any]:
    """What became of so many events."""
    program.start()
    sender, acknowledged = Sender(program), []
    for number in range(1, events + 1):
        try:
            post(sender, number)
            acknowledged.append(number)
        except (SystemExit, OSError) as fault:
            print(f"{program.name}: event {number}: {fault}", flush=True)
    program.kill()
    program.start()
    with Sink(port) as sink:
        heard, last = -1, time.monotonic()
        while len(sink.arrived) < len(acknowledged) and time.monotonic() - last < patience:
            if len(sink.arrived) != heard:
                heard, last = len(sink.arrived), time.monotonic()
            time.sleep(0.1)
        program.end()
        missing = set(acknowledged) - sink.arrived.keys()
        repeated = sum(sink.times[number] - 1 for number in sink.arrived)
    return {"acknowledged": len(acknowledged), "lost": len(missing), "repeated": repeated}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1000)
    # The relay takes a killed worker's lease over after 10 s, and asks a portal that is down every 60 s at the latest.
    parser.add_argument("--patience", type=float, default=90.0)
    chosen = parser.parse_args()
    found, missing = {}, {}
    makers: Mapping[str, Any] = {"relay": ours.serve, **others.OTHERS}
    with tempfile.TemporaryDirectory() as folder:
        for name, make in makers.items():
            port = free_port()
            try:
                program = make(Path(folder) / name.replace(" ", "-"), f"http://127.0.0.1:{port}/rest/1/bench-secret/")
            except Missing as fault:
                missing[name] = str(fault)
                continue
            post = alert if name == "Alertmanager" else github
            found[name] = lost(program, port, post, events=chosen.events, patience=chosen.patience)
            print(f"{name}: {found[name]}", flush=True)
    results.keep("survive", rows(found, missing), found)


def rows(found: Mapping[str, Mapping[str, int]], missing: Mapping[str, str]) -> list[Row]:
    made = []
    for name in others.OTHERS:
        mine = found["relay"]["lost"]
        words: dict[str, Any] = {"what": "lost of those acknowledged, after kill -9", "unit": "events", "beside": name}
        if name not in found:
            made.append(Row(ours=mine, why=missing[name], at_most=0.0, **words))
            continue
        other = found[name]["lost"]
        # Where nobody loses anything, the ratio of none to none is none.
        made.append(Row(ours=mine, theirs=other, ratio=mine / other if other else float(mine), at_most=0.0, **words))
    return made


if __name__ == "__main__":
    main()
