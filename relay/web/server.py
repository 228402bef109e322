"""The web server around the door: granian, started from Python so that it can be changed in one place.

Never drops a request in flight for being told to stop, but waits for it no longer than ``PATIENCE``.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket

from granian import Granian
from granian.constants import HTTPModes, Interfaces

from relay import house, lifeline, log, settings, tracing
from relay.settings import BadSettings
from relay.web.app import body_limit, create_app
from relay.web.front import Front

THREADS = 32  # a request that waits for the shared commit holds a thread, so there are as many as callers
PATIENCE = 25  # seconds; platforms kill after 30


def serve(chosen: settings.Settings) -> None:
    """Serve until SIGTERM or SIGINT. The worker process builds its own house from the environment.

    Raises:
        BadSettings: nobody can listen there, or somebody does already.
    """
    logging.getLogger("_granian").setLevel(logging.WARNING)
    server = Granian(
        "relay",
        address=free_address(chosen.host, chosen.port),
        port=chosen.port,
        interface=Interfaces.RSGI,
        workers=1,  # one writer of the journal, so that requests share its commits
        http=HTTPModes.http1,
        backlog=1024,
        websockets=False,
        log_enabled=False,
        respawn_failed_workers=False,
        workers_kill_timeout=PATIENCE,
    )
    # It would start its process anew, and end altogether where that cannot start: when the rules file is bad just now.
    # There is nothing to be started anew for: the file is looked at with each request.
    server.on_startup(lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    server.serve(target_loader=_load, wrap_loader=False)


def free_address(host: str, port: int) -> str:
    """The host's numeric address, once it is sure that nobody listens on it: granian shares ports without a word.

    Raises:
        BadSettings: the name is unknown, or the address and port cannot be had.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as fault:
        raise BadSettings(f"cannot listen on HOST {host}, PORT {port}: {fault.strerror}; choose others") from None
    return str(address[0])


def _load() -> Front:
    # A group of its own: Ctrl-C goes to the whole group of a terminal, and granian's worker wants to be told once.
    os.setpgid(0, 0)
    lifeline.follow()
    env = house.environment()
    chosen = settings.read(env)
    log.setup(chosen.log)
    tracing.start(env)
    built = house.build(chosen, env)
    return Served(create_app(built), limit=lambda path: body_limit(built, path), threads=THREADS)


class Served(Front):
    """A front that tells when it is open, and ends well."""

    def __rsgi_init__(self, _loop: asyncio.AbstractEventLoop) -> None:
        """Granian's word that requests are taken from now on."""
        chosen = settings.read(house.environment())
        log.line("relay: serving", address=f"http://{chosen.host}:{chosen.port}", rules=chosen.rules)

    def __rsgi_del__(self, _loop: asyncio.AbstractEventLoop) -> None:
        """Granian's word that the last request is answered: the spans of it are still to be sent."""
        tracing.stop()
