"""The relay in a process of its own, started by a command that watches it and ends with it.

Never restarts it: whatever keeps the relay running (systemd, a container, a platform) does that, and sees why.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from relay.lifeline import VARIABLE

GRACE = 30.0  # seconds for requests and calls in flight


class Child:
    """Start ``python -m relay <command>``; a context that ends when it has ended. It ends, too, when we are killed."""

    def __init__(self, command: str, env: Mapping[str, str]) -> None:
        self._asked_to_stop = False
        read_end, self._write_end = os.pipe()
        self._process = subprocess.Popen(  # noqa: S603 - our own program, no shell
            [sys.executable, "-m", "relay", command], env={**env, VARIABLE: str(read_end)}, pass_fds=[read_end]
        )
        os.close(read_end)

    def __enter__(self) -> Self:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self._end()

    def runs(self) -> bool:
        return not self._asked_to_stop and self._process.poll() is None

    def sleep(self, seconds: float) -> bool:
        """Let time pass; ``False``, and earlier, if it ends or we are asked to stop."""
        until = time.monotonic() + seconds
        while self.runs() and time.monotonic() < until:
            time.sleep(0.05)
        return self.runs()

    def wait(self) -> int:
        """Wait until it ends or we are asked to stop; the exit code for our own process."""
        while self.sleep(60.0):
            pass
        code = 0 if self._asked_to_stop else self._process.poll() or 1
        self._end()
        return abs(code)

    def stop(self) -> None:
        """Ask it to end."""
        self._asked_to_stop = True
        self._process.terminate()

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
