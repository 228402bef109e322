"""How long an event is under way when nothing else is: from its first byte sent until the portal has the call whole.

    python -m bench.latency                        # 200 events to each, one every 100 ms: a minute and a half
    python -m bench.latency --events 20            # a try

The relay is `relay serve` on SQLite, nothing tuned: the event is on disk before it is answered, and the message before
it is sent. Its peers write nothing. All run all the time; the events go to each of them in turn, over connections that
are kept, so that what else the machine does meets each of them alike. Nothing is pinned.

With `--alerts` it measures instead how long 100 alerts for three people, in one post of Alertmanager's, are under way
to a portal of the standard plan, until the last person is told. The relay tells each of them once, of all the alerts.
"""

from __future__ import annotations

import argparse
import http.client
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from bench import payloads, results
from bench.peers import others, ours
from bench.peers.program import Missing, Program
from bench.results import Row
from bench.sink import Sink
from relay.sandbox import Portal, serve

EVERY = 0.1  # seconds between two events
LOST_AFTER = 60.0  # seconds; the first may meet a worker that is just starting
ALERTS = 100


class Sender:
    """Posts over one connection, which is made again when it was closed."""

    def __init__(self, program: Program) -> None:
        self._path = program.path
        self._connection = http.client.HTTPConnection("127.0.0.1", program.port, timeout=60)

    def post(self, body: bytes, headers: Mapping[str, str], *, path: str = "") -> float:
        """When its first byte was sent, in monotonic seconds.

        Raises:
            SystemExit: it was refused.
        """
        self._connection.connect() if self._connection.sock is None else None
        began = time.monotonic()
        try:
            self._connection.request("POST", path or self._path, body, dict(headers))
            answer = self._connection.getresponse()
        except (http.client.HTTPException, ConnectionError):
            self._connection.close()
            return self.post(body, headers, path=path)
        answer.read()
        if not 200 <= answer.status < 300:
            raise SystemExit(f"{self._path} answers {answer.status}")
        return began


def programs(folder: Path, webhook: str) -> tuple[dict[str, Program], dict[str, str]]:
    """What there is, by name, and why the rest is not."""
    there, missing = {"relay": ours.serve(folder / "relay", webhook)}, {}
    for name in ("Node-RED", "webhook + curl", "n8n"):
        try:
            there[name] = others.OTHERS[name](folder / name.replace(" ", "-"), webhook)
        except Missing as fault:
            missing[name] = str(fault)
            print(f"{name}: {fault}", flush=True)
    return there, missing


def measured(there: Mapping[str, Program], sink: Sink, events: int) -> dict[str, list[float]]:
    """Milliseconds of each event, by whom it went."""
    senders = {name: Sender(program) for name, program in there.items()}
    found: dict[str, list[float]] = {name: [] for name in there}
    number = 0
    for turn in range(events + 5):  # five to warm up
        for name, sender in senders.items():
            number += 1
            body = payloads.review(number)
            began = sender.post(body, payloads.headers(number, body))
            arrived = sink.wait(number, LOST_AFTER)
            if arrived is None:
                raise SystemExit(f"{name} has lost event {number}")
            if turn >= 5:
                found[name].append((arrived - began) * 1000)
            time.sleep(max(0.0, began + EVERY - time.monotonic()))
    return found


def rows(found: Mapping[str, list[float]], missing: Mapping[str, str]) -> list[Row]:
    made = []
    for name in ("Node-RED", "webhook + curl", "n8n"):
        for what, of in (("p50", median), ("p99", _p99)):
            goal = 1.0 if name == "Node-RED" else None
            words: dict[str, Any] = {"what": f"idle, event to call, {what}", "unit": "ms", "beside": name}
            mine = of(found["relay"])
            if name not in found:
                made.append(Row(ours=mine, why=missing[name], at_most=goal, **words))
                continue
            other = of(found[name])
            made.append(Row(ours=mine, theirs=other, ratio=mine / other, at_most=goal, **words))
    return made


def _p99(values: list[float]) -> float:
    return quantiles(values, n=100, method="inclusive")[-1]


def storm_of_alerts(folder: Path, rounds: int) -> list[float]:
    """Seconds from one post of 100 alerts until each of the three has been told at the portal."""
    found = []
    for number in range(rounds):
        portal = Portal()
        with serve(portal) as server:
            program = ours.serve(folder / str(number), server.webhook, plan="standard")
            program.start()
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {payloads.SECRET}"}
            began = Sender(program).post(payloads.alerts(ALERTS), headers, path="/in/alerts")
            while portal.counters["stored"] < len(payloads.PEOPLE) and time.monotonic() < began + 60:
                time.sleep(0.005)
            found.append(time.monotonic() - began)
            program.end()
            print(f"100 alerts for three: {found[-1]:.2f} s, {portal.counters['requests']} requests", flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200)
    parser.add_argument("--alerts", type=int, default=0, metavar="ROUNDS", help="the storm of alerts instead")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as ending:
        folder = Path(name)
        if chosen.alerts:
            found = storm_of_alerts(folder, chosen.alerts)
            row = Row.bound(median(found), 1.0, what="100 alerts for 3 people, one post, until the last", unit="s")
            results.keep("alerts", [row], found)
            return
        sink = ending.enter_context(Sink())
        there, missing = programs(folder, sink.webhook)
        for program in there.values():
            ending.callback(program.end)
            program.start()
        times = measured(there, sink, chosen.events)
    results.keep("latency", rows(times, missing), times)


if __name__ == "__main__":
    main()
