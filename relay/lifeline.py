"""Processes that end together: a pipe from the parent that breaks when it dies, however it dies.

Does nothing in a process that nobody gave a lifeline.
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
    try:
        while os.read(descriptor, 1):
            pass
    except OSError:  # it was not inherited this far; then somebody nearer to the parent holds it
        return
    os.kill(os.getpid(), signal.SIGTERM)
