"""The web server around the door: granian, started from Python so that it can be changed in one place.

Never drops a request in flight for being told to stop, but waits for it no longer than ``PATIENCE``.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, Protocol

from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

from relay import log
from relay.house import House
from relay.settings import BadSettings
from relay.web.app import body_limit, create_app
from relay.web.front import Front

THREADS = 8  # for the pages and what is heavy; events are taken in the loop, and wait for their commit there
PATIENCE = 25  # seconds; platforms kill after 30


class Beside(Protocol):
    """What runs in this process while the door is open. ``stop`` asks it to end, and ``join`` waits until it has."""

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def join(self) -> None: ...


def serve(built: House, *, beside: Beside | None = None) -> None:
    """Serve until SIGTERM or SIGINT, in this process: all doors of one house share its commits.

    Args:
        beside: started when a signal can end it, asked to end by the same signals, and awaited.

    Raises:
        BadSettings: nobody can listen there, or somebody does already.
    """
    logging.getLogger("_granian").setLevel(logging.CRITICAL)  # it warns that being embedded is new to it
    address = free_address(built.settings.host, built.settings.port)
    asyncio.run(_serve(built, address, beside))


async def _serve(built: House, address: str, beside: Beside | None) -> None:
    server = Server(
        Front(create_app(built), limit=partial(body_limit, built), threads=THREADS),
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
    close: Callable[[], object] = server.stop

    def stop() -> None:
        close()
        if beside:
            beside.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    loop.set_exception_handler(_heard)
    built.journal.begin_between(loop.call_soon_threadsafe)
    telling = asyncio.create_task(_tell_when_open(built, address))
    async with _running(beside):
        with suppress(TimeoutError):  # whoever began a request and has not ended it is waited for no longer
            await server.serve()
    telling.cancel()


@asynccontextmanager
async def _running(beside: Beside | None) -> AsyncIterator[None]:
    if beside is None:
        yield
        return
    beside.start()
    try:
        yield
    finally:
        beside.stop()
        await asyncio.to_thread(beside.join)


def _heard(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Granian says that it has ended to a future, even to one that was given up when `PATIENCE` was over."""
    if not isinstance(context.get("exception"), asyncio.InvalidStateError):
        loop.default_exception_handler(context)


async def _tell_when_open(built: House, address: str) -> None:
    """Granian says that it begins, and not when it listens: a look at the door says so."""
    chosen = built.settings
    while True:
        try:
            _, writer = await asyncio.open_connection(address, chosen.port)
            break
        except OSError:
            await asyncio.sleep(0.01)
    writer.close()
    log.line("relay: serving", address=f"http://{chosen.host}:{chosen.port}", rules=chosen.rules)


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
