"""A few processes started together that end together.

Never restarts one: whatever keeps the relay running (systemd, a container, a platform) does that, and sees why.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from types import FrameType, TracebackType
from typing import Self

from relay.cli.forked import Forked
from relay.lifeline import VARIABLE

GRACE = 30.0  # seconds for requests and calls in flight
FORKS = sys.platform == "linux"  # elsewhere the system's own libraries do not bear it (macOS), or there is no fork


class Together:
    """Start ``python -m relay <command>`` for each command; a context that ends with all of them ended.

    ``run`` runs a command in this program, and is a way to start it without loading everything once more; where it
    is given, and forking is sound, children are forked. There must be no threads then.
    """

    def __init__(
        self,
        commands: Sequence[Sequence[str]],
        env: Mapping[str, str],
        *,
        run: Callable[[Sequence[str]], int] | None = None,
    ) -> None:
        self._read_end, self._write_end = os.pipe()
        self._asked_to_stop = False
        self._children = [
            self._fork(command, env, run) if run is not None and FORKS else self._start(command, env)
            for command in commands
        ]
        os.close(self._read_end)

    def _fork(self, command: Sequence[str], env: Mapping[str, str], run: Callable[[Sequence[str]], int]) -> Forked:
        theirs = {**env, VARIABLE: str(self._read_end)}

        def deed() -> int:
            os.close(self._write_end)  # the lifeline is to break with the parent
            os.environ.clear()
            os.environ.update(theirs)
            return run(command)

        return Forked(deed)

    def _start(self, command: Sequence[str], env: Mapping[str, str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - our own program, no shell
            [sys.executable, "-m", "relay", *command],
            env={**env, VARIABLE: str(self._read_end)},
            pass_fds=[self._read_end],
        )

    def __enter__(self) -> Self:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())
        signal.signal(signal.SIGHUP, self._hand_on)
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self._end()

    def wait_for_any(self) -> None:
        """Wait until one of them ends or we are asked to stop."""
        while self.sleep(60.0):
            pass

    def wait(self) -> int:
        """Wait for that, and until all have ended; the exit code for our own process."""
        self.wait_for_any()
        code = 0 if self._asked_to_stop else next((c for child in self._children if (c := child.poll())), 1)
        self._end()
        return abs(code)

    def all_run(self) -> bool:
        return not self._asked_to_stop and all(child.poll() is None for child in self._children)

    def sleep(self, seconds: float) -> bool:
        """Let time pass; ``False``, and earlier, if one of them ends or we are asked to stop."""
        until = time.monotonic() + seconds
        while self.all_run() and time.monotonic() < until:
            time.sleep(0.05)
        return self.all_run()

    def stop(self) -> None:
        """Ask them all to stop."""
        self._asked_to_stop = True
        for child in self._children:
            child.terminate()

    def _hand_on(self, number: int, _frame: FrameType | None) -> None:
        for child in self._children:
            if child.poll() is None:
                child.send_signal(number)

    def _end(self) -> None:
        for child in self._children:
            child.terminate()
        deadline = time.monotonic() + GRACE
        for child in self._children:
            try:
                child.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
