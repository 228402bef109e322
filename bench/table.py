"""All benchmarks one after the other, and the one table of what they found.

    python -m bench.table                  # measure everything (some two hours), then the table
    python -m bench.table --show           # the table of what was measured last
    python -m bench.table --only accept    # measure some of it anew, then the table

Never fails for a figure that falls short, only for a benchmark that could not be carried out: figures are read by
people, and a machine with other work to do is no reason to stop. What each prints is kept in `var/bench/<name>.txt`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence

from bench import results
from bench.results import FOLDER, HEADER

# What is run, and the names under which it keeps its rows; those that keep none are shown as they print.
RUNS: dict[str, tuple[Sequence[str], Sequence[str]]] = {
    "accept": (["accept"], ["accept"]),
    "latency": (["latency"], ["latency"]),
    "alerts": (["latency", "--alerts", "5"], ["alerts"]),
    "survive": (["survive"], ["survive"]),
    "drain": (["drain_peers"], ["drain"]),
    "growth": (["scale", "growth"], ["growth"]),
    "workers": (["scale", "workers"], ["workers"]),
    "workers-enterprise": (["scale", "workers", "--plan", "enterprise"], ["workers-enterprise"]),
    "decide": (["decide"], []),
    "store": (["store"], []),
    "idle": (["idle"], []),
    "delivery": (["delivery"], []),
    "memory": (["memory"], []),
    "pages": (["pages"], []),
}


def run(name: str) -> bool:
    """Carry one out, showing and keeping what it prints."""
    (module, *words), kept = RUNS[name]
    print(f"── {name} ──", flush=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-u", "-m", f"bench.{module}", *words]
    with (
        (FOLDER / f"{name}.txt").open("w", encoding="utf-8") as out,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running,
    ):
        for line in running.stdout or ():
            print(line, end="", flush=True)
            out.write(line)
    if running.returncode:
        print(f"{name} ended with {running.returncode}", flush=True)
    return running.returncode == 0 or not kept  # those without rows say by their end whether their goals were met


def table() -> str:
    """Every row that is kept, and where the rest stands."""
    lines = [HEADER]
    for name, (_, kept) in RUNS.items():
        for each in kept:
            rows = results.rows_of(each)
            lines += results.lines(rows) or [f"{name}: not measured yet"]
        if not kept:
            text = FOLDER / f"{name}.txt"
            where = text.relative_to(FOLDER.parent.parent)
            lines.append(f"{name}: {f'see {where}' if text.exists() else 'not measured yet'}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--only", choices=RUNS, action="append")
    chosen = parser.parse_args()
    done = [] if chosen.show else [run(name) for name in chosen.only or RUNS]
    print(table())
    sys.exit(0 if all(done) else 1)


if __name__ == "__main__":
    main()
