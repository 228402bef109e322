"""`group:` beside a real Alertmanager with the same wait and interval: the same notifications at the same times."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.conftest import absent
from tests.line.conftest import until
from tests.line.processes import free_port, program
from tests.line.test_real_alertmanager import write
from tests.rules.test_noise import START, play

WAIT, INTERVAL = 2, 4

# Seconds after the start, an alert, and what it does. None stands near a moment at which a group is told.
STREAM: list[tuple[float, str, str]] = [
    (0.0, "A", "firing"),
    (0.4, "B", "firing"),
    (0.8, "A", "firing"),
    (3.0, "C", "firing"),
    (3.4, "A", "firing"),
    (7.5, "A", "resolved"),
    (11.5, "B", "resolved"),
    (12.0, "C", "resolved"),
    (15.9, "D", "firing"),
]

CONFIGURATION = """\
route: {{receiver: here, group_by: [job], group_wait: {wait}s, group_interval: {interval}s, repeat_interval: 1h}}
receivers:
  - name: here
    webhook_configs: [{{url: "http://127.0.0.1:{port}/"}}]
"""

Told = tuple[float, frozenset[tuple[str, str]]]  # seconds after the start, and the alerts with their states


class Listener:
    """What Alertmanager sends, with the time at which it came."""

    def __init__(self) -> None:
        self.came: list[tuple[float, Any]] = []
        listener = self

        class Page(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                listener.came.append((time.monotonic(), body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@contextmanager
def listening() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.server.shutdown()
    listener.server.server_close()


def theirs(folder: Path, expected: int) -> list[Told]:
    """What Alertmanager tells of the stream."""
    alertmanager = shutil.which("prometheus-alertmanager")
    if alertmanager is None:
        absent("Alertmanager", "install Debian's package prometheus-alertmanager")
    with listening() as listener:
        port = free_port()
        words = {"wait": WAIT, "interval": INTERVAL, "port": listener.server.server_port}
        write(folder / "am.yml", CONFIGURATION.format(**words))
        arguments = [alertmanager, f"--config.file={folder}/am.yml", f"--storage.path={folder}/am",
                     f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="]  # fmt: skip
        with program(arguments, folder / "am.log"):
            until(lambda: answers(f"http://127.0.0.1:{port}/-/ready"))
            started = time.monotonic()
            for offset, name, state in STREAM:
                time.sleep(max(0.0, started + offset - time.monotonic()))  # the stream's own time
                post(port, name, state)
            until(lambda: len(listener.came) >= expected, patience=30)
    return [
        (at - started, frozenset((each["labels"]["alertname"], each["status"]) for each in body["alerts"]))
        for at, body in listener.came
    ]


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=1).ok
    except requests.RequestException:
        return False


def post(port: int, name: str, state: str) -> None:
    now = datetime.now(UTC)
    times = {"endsAt": now.isoformat()} if state == "resolved" else {"endsAt": (now + timedelta(hours=1)).isoformat()}
    alert = {"labels": {"alertname": name, "job": "shop"}, **times}
    requests.post(f"http://127.0.0.1:{port}/api/v2/alerts", json=[alert], timeout=5).raise_for_status()


def ours() -> list[Told]:
    """What our group tells of the same stream, with the clock moved by hand."""
    it = play(
        f"group: {{wait: {WAIT}s, interval: {INTERVAL}s}},"
        " template: {text: '{% for each in events %}{{ each.title }}={{ each.state }} {% endfor %}'}"
    )
    told: list[Told] = []
    stream = list(STREAM)
    for tenth in range(int(10 * (STREAM[-1][0] + WAIT + 1))):
        it.now = START + timedelta(seconds=tenth / 10)
        while stream and stream[0][0] <= tenth / 10 + 1e-9:
            _, name, state = stream.pop(0)
            it.comes(title=name, key=name, state=state)
        for name in list(it.memory.changes):
            for ripe in it.ripen(name):
                pairs = (pair.partition("=") for pair in ripe.message.text.split())
                told.append((tenth / 10, frozenset((first, last) for first, _, last in pairs)))
    return told


@pytest.mark.senders
def test_the_same_stream_gives_the_same_notifications_within_a_second(tmp_path: Path) -> None:
    mine = ours()
    alertmanagers = theirs(tmp_path, len(mine))

    assert [alerts for _, alerts in mine] == [alerts for _, alerts in alertmanagers]
    assert [at for at, _ in mine] == pytest.approx([at for at, _ in alertmanagers], abs=1.0)
    assert len(mine) == 5
