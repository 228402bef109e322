"""Processes that end together: each notices when the one that started it is gone, however it went.

Never ends a process whose parent lives. `hold` is for a process that was given a lifeline, a pipe from its parent that
breaks with it; `follow` for one that was forked and can look who its parent is.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Mapping

VARIABLE = "RELAY_LIFELINE"
LOOK_EVERY = 0.5  # seconds


def hold(env: Mapping[str, str]) -> None:
    """If the environment names a lifeline, end this process as SIGTERM does once it breaks."""
    if descriptor := env.get(VARIABLE, ""):
        threading.Thread(target=_wait, args=(int(descriptor),), daemon=True, name="lifeline").start()


def follow() -> None:
    """End this process as SIGTERM does once its parent is gone."""
    threading.Thread(target=_look, args=(os.getppid(),), daemon=True, name="follow").start()


def _wait(descriptor: int) -> None:
    while os.read(descriptor, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _look(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_EVERY)
    os.kill(os.getpid(), signal.SIGTERM)
