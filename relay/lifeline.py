"""Processes that end together: each notices when the one that started it is gone, however it went.

Never ends a process whose parent lives: what it holds is a pipe from its parent, which breaks with it.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Mapping

VARIABLE = "RELAY_LIFELINE"


def hold(env: Mapping[str, str]) -> None:
    """If the environment names a lifeline, end this process as SIGTERM does once it breaks."""
    if descriptor := env.get(VARIABLE, ""):
        threading.Thread(target=_wait, args=(int(descriptor),), daemon=True, name="lifeline").start()


def _wait(descriptor: int) -> None:
    while os.read(descriptor, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
