"""The web server around the door: granian, started from Python so that it can be changed in one place.

Never returns before the requests in flight are answered.
"""

from __future__ import annotations

import logging
import os

from flask import Flask
from granian import Granian
from granian.constants import Interfaces

from relay import house, lifeline, log, settings
from relay.web.app import create_app

THREADS = 32  # a request that waits for the shared commit holds a thread, so there are as many as callers


def serve(chosen: settings.Settings) -> None:
    """Serve until SIGTERM or SIGINT. Each worker process builds its own house from the environment."""
    logging.getLogger("_granian").setLevel(logging.WARNING)
    server = Granian(
        "relay",
        address=chosen.host,
        port=chosen.port,
        interface=Interfaces.WSGI,
        workers=1,  # one writer of the journal, so that requests share its commits
        blocking_threads=THREADS,
        backlog=1024,
        websockets=False,
        log_enabled=False,
        respawn_failed_workers=False,
        workers_kill_timeout=25,  # platforms kill after 30
    )
    server.serve(target_loader=_load, wrap_loader=False)


def _load() -> Flask:
    env = house.environment()
    chosen = settings.read(env)
    log.setup(chosen.log)
    lifeline.hold(os.environ)
    return create_app(house.build(chosen, env))
