"""A stranger's calendar, read in a process of its own that may be killed: `python -m relay.feed_reading`.

Never lets a calendar keep the relay from its work: a rule that repeats without end, or that never comes true, costs a
few seconds of one core and then nothing.
"""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from relay.rules.feed import BadFeed, Feed, from_json, to_json

SECONDS = 20.0  # for a megabyte of events a few are needed
MEMORY = 1 << 30  # bytes
REFUSED = 3  # the exit code when standard error holds our own sentence

_KEPT = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "SYSTEMROOT", "LANG", "LC_ALL", "TZDIR", "PYTHONTZPATH")


def read(text: str, since: datetime, until: datetime, zone: ZoneInfo, *, seconds: float = SECONDS) -> Feed:
    """Read a calendar as `relay.rules.ical.read` does, but for no longer than ``seconds``.

    Raises:
        BadFeed: as there, or it takes too long or too much memory.
    """
    asked = [sys.executable, "-m", __name__, str(since.timestamp()), str(until.timestamp()), zone.key]
    root = str(Path(__file__).parent.parent)
    paths = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    env = {name: os.environ[name] for name in _KEPT if name in os.environ} | {"PYTHONPATH": paths, "PYTHONUTF8": "1"}
    try:
        done = subprocess.run(  # noqa: S603 - our own program, no shell, and none of our secrets in its environment
            asked, input=text.encode(), capture_output=True, timeout=seconds, env=env, check=False
        )
    except subprocess.TimeoutExpired:
        raise BadFeed(f"cannot be read in {seconds:g} seconds") from None
    if done.returncode == REFUSED:
        raise BadFeed(done.stderr.decode(errors="replace"))
    if done.returncode != 0:
        raise BadFeed("cannot be read: too much memory is needed, or it makes the reader fail")
    return from_json(done.stdout.decode())


def main(since: str, until: str, zone: str) -> int:
    """Read the calendar on standard input; its shifts as JSON on standard output, or why not on standard error."""
    from relay.rules import ical  # noqa: PLC0415 - its library is five megabytes, and is needed in this process alone

    _limit_memory()
    first, last = (datetime.fromtimestamp(float(each), UTC) for each in (since, until))
    try:
        feed = ical.read(sys.stdin.read(), first, last, ZoneInfo(zone))
    except BadFeed as fault:
        sys.stderr.write(str(fault))
        return REFUSED
    sys.stdout.write(to_json(feed))
    return 0


def _limit_memory() -> None:
    if sys.platform == "linux":
        import resource  # noqa: PLC0415 - not there on every platform

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
