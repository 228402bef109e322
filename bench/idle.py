"""How much of a core a worker takes that has nothing to do.

    python -m bench.idle                                          # SQLite, and a PostgreSQL started for it
    RELAY_TEST_PG_URL=postgresql://… python -m bench.idle         # SQLite, and that PostgreSQL

Prints one line a case: the worker's own time on the processor in ``--seconds`` of waiting, as the kernel counts it
(proc(5), /proc/<pid>/stat: utime and stime, in ticks), its start left out. Linux only. Where others want the processor
too, each waking costs more: their work has driven ours from its caches.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import postgres

TICK = 1 / os.sysconf("SC_CLK_TCK")
STARTED = "work: started"  # the first line that a worker logs
SETTLING = 5.0  # seconds after it that are left out
RULES = """\
version: 1
portal: {webhook: "http://127.0.0.1:1/rest/1/nothing-is-sent/"}
sources: {none: {type: json, open: true}}
people: {ivan: {id: 17}}
rules: []
default: drop
"""


def share(url: str, folder: Path, seconds: float) -> float:
    """Which part of one core `relay work` takes while it waits."""
    rules = folder / "rules.yaml"
    rules.write_text(RULES, encoding="utf-8")
    env = os.environ | {"RELAY_RULES": str(rules), "DATABASE_URL": url, "RELAY_LOG": "text"}
    command = [sys.executable, "-m", "relay", "work"]
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as worker:
        _wait_for_start(worker)
        time.sleep(SETTLING)
        before, began = _processor_seconds(worker.pid), time.monotonic()
        time.sleep(seconds)
        taken = (_processor_seconds(worker.pid) - before) / (time.monotonic() - began)
        worker.terminate()
    return taken


def _wait_for_start(worker: subprocess.Popen[str]) -> None:
    """The import of everything takes a second of processor, and many more where others want it too."""
    said = []
    for line in worker.stderr or ():
        if STARTED in line:
            return
        said.append(line)
    raise SystemExit("".join(said))


def _processor_seconds(pid: int) -> float:
    """The fields after the command's name, which stands in brackets and may hold anything."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK


@contextmanager
def sqlite(folder: Path) -> Iterator[str]:
    yield f"sqlite:///{folder}/relay.db"


@contextmanager
def postgresql(_folder: Path) -> Iterator[str]:
    with postgres.server(durable=True) as server:
        url = server.create()
        yield url.render_as_string(hide_password=False)
        server.drop(url)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    chosen = parser.parse_args()
    for engine in (sqlite, postgresql):
        with tempfile.TemporaryDirectory() as folder, engine(Path(folder)) as url:
            part = share(url, Path(folder), chosen.seconds)
        print(f"relay work, {engine.__name__:10} {part:7.3%} of a core, idle for {chosen.seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
