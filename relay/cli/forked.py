"""A child that was forked, with the few words of `subprocess.Popen` that whoever looks after children needs.

Never starts a program: the child is this one, as far as it has come, and shares with its parent what both leave as it
is.
"""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress

LOOK_EVERY = 0.02  # seconds, while its end is waited for


class Forked:
    """Runs ``deed`` in a child; its exit code is the deed's, or 1 when the deed fails.

    To be made before there are threads: of these a child has only the one that forks.
    """

    def __init__(self, deed: Callable[[], int]) -> None:
        self._code: int | None = None
        self._asking = threading.Lock()
        gc.collect()
        gc.freeze()  # a child that looks for garbage would write to every page that it shares (Python docs, gc.freeze)
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            os._exit(_ended(deed))

    def poll(self) -> int | None:
        """The exit code, negative for a signal; ``None`` while it runs."""
        if self._code is None and self._asking.acquire(blocking=False):  # the end is told to one alone (waitpid(2))
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                self._code = os.waitstatus_to_exitcode(status) if pid else None
            finally:
                self._asking.release()
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; the exit code.

        Raises:
            subprocess.TimeoutExpired: it runs for longer than so many seconds.
        """
        until = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if until is not None and time.monotonic() >= until:
                raise subprocess.TimeoutExpired([], timeout or 0.0)
            time.sleep(LOOK_EVERY)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):  # somebody else has just been told of its end
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _ended(deed: Callable[[], int]) -> int:
    """Whatever happens, the child does not go on in the parent's place."""
    try:
        return deed()
    except SystemExit as asked:
        return asked.code if isinstance(asked.code, int) else int(asked.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
