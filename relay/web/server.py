"""The web server around the door: granian, started from Python so that it can be changed in one place.

Never drops a request in flight for being told to stop, but waits for it no longer than ``PATIENCE``.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from functools import partial

from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

from relay import log
from relay.house import House
from relay.settings import BadSettings
from relay.web.app import body_limit, create_app
from relay.web.front import Front

THREADS = 8  # for the pages and what is heavy; events are taken in the loop, and wait for their commit there
PATIENCE = 25  # seconds; platforms kill after 30


def serve(built: House) -> None:
    """Serve until SIGTERM or SIGINT, in this process: all doors of one house share its commits.

    Raises:
        BadSettings: nobody can listen there, or somebody does already.
    """
    logging.getLogger("_granian").setLevel(logging.CRITICAL)  # it warns that being embedded is new to it
    address = free_address(built.settings.host, built.settings.port)
    asyncio.run(_serve(built, address))


class Served(Front):
    """The front of a house, which tells when it is open."""

    def __init__(self, built: House) -> None:
        super().__init__(create_app(built), limit=partial(body_limit, built), threads=THREADS)
        self._house = built

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Granian's word that requests are taken from now on."""
        self._house.journal.commit_between(loop.call_soon_threadsafe)
        chosen = self._house.settings
        log.line("relay: serving", address=f"http://{chosen.host}:{chosen.port}", rules=chosen.rules)


async def _serve(built: House, address: str) -> None:
    server = Server(
        Served(built),
        address=address,
        port=built.settings.port,
        interface=Interfaces.RSGI,
        http=HTTPModes.http1,
        backlog=1024,
        websockets=False,
        log_enabled=False,
    )
    server.workers_kill_timeout = PATIENCE
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    await server.serve()


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
