"""Install the peers into `var/peers` (or where BENCH_PEERS says): from Debian, from PyPI and from npm.

    make bench-peers

Never changes the machine: Debian's packages are fetched and unpacked, not installed, so nobody need be root. What
cannot be had is told and left out; its figures stay empty then.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.peers.others import DEBIAN, FOLDER, NPM, PYTHON

# wrk asks, the others are asked; wrk is linked with LuaJIT.
PACKAGES = ("wrk", "libluajit-5.1-2", "webhook", "prometheus-alertmanager")
LIBRARIES = ("fast_bitrix24", "b24pysdk")
# n8n names one library by an address that is no registry's; the newest of that name in the registry does for a webhook.
NODE: dict[str, dict[str, str]] = {"node-red": {}, "n8n": {"xlsx": "0.18.5"}}
MOST = 900  # seconds for one of them; n8n is some two thousand packages


def debian() -> None:
    fetched = FOLDER / "fetched"
    fetched.mkdir(parents=True, exist_ok=True)
    _run(["apt-get", "download", *PACKAGES], fetched)
    for package in fetched.glob("*.deb"):
        _run(["dpkg-deb", "--extract", str(package), str(DEBIAN)], fetched)


def python() -> None:
    if not PYTHON.exists():
        _run([sys.executable, "-m", "venv", "--without-pip", str(PYTHON.parent.parent)], FOLDER)
    # The machine's own pip fills it: the relay's environment has none in it.
    _run(["python3", "-m", "pip", "--python", str(PYTHON), "install", "--quiet", *LIBRARIES], FOLDER)


def node(package: str) -> None:
    folder = NPM / package
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {"private": True, "dependencies": {package: "*"}, "overrides": NODE[package]}
    (folder / "package.json").write_text(json.dumps(wanted), encoding="utf-8")
    _run(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"], folder)


def _run(command: Sequence[str], folder: Path) -> None:
    if shutil.which(command[0]) is None:
        raise OSError(f"there is no {command[0]} here")
    subprocess.run(command, cwd=folder, check=True, timeout=MOST, stdin=subprocess.DEVNULL)


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    steps: dict[str, Callable[[], None]] = {"Debian: " + ", ".join(PACKAGES): debian}
    steps["PyPI: " + ", ".join(LIBRARIES)] = python
    steps |= {f"npm: {package}": lambda package=package: node(package) for package in NODE}
    failed = 0
    for what, install in steps.items():
        try:
            install()
            print(f"{what}: here", flush=True)
        except (OSError, subprocess.SubprocessError) as fault:
            failed += 1
            print(f"{what}: cannot be had: {fault}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
