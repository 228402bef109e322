"""The commands that run something: serve, web, work and sandbox."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress

import click

from relay import house, lifeline, log, settings, tracing
from relay.cli.supervise import Together
from relay.errors import RelayError
from relay.work import Worker

M_ARENA_MAX = -8  # malloc.h


def prepared() -> tuple[settings.Settings, dict[str, str]]:
    """The settings and the environment they came from, with logging set up and the lifeline held.

    A signal may come before there is anybody to take it. SIGHUP would end us, and the rules are read yet. SIGTERM would
    not be heard where we are the first process of a container: there it has no effect but what it is given (kill(2)).
    An exception would not do: where it comes in the middle of a finalizer or of a fork, Python tells of it and goes on.
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    _share_arenas()
    env = house.environment()
    chosen = settings.read(env)
    log.setup(chosen.log)
    lifeline.hold(os.environ)
    return chosen, env


def _share_arenas() -> None:
    """Let all threads take their memory from two heaps: glibc gives each its own, up to eight for each processor, and
    keeps in every one of them what was once needed there (mallopt(3), M_ARENA_MAX)."""
    with suppress(OSError, AttributeError, TypeError):  # no glibc
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)


@click.command()
def serve() -> None:
    """Run everything on this machine: the door, the router and the courier."""
    chosen, env = prepared()
    built = house.build(chosen, env)  # once for both halves, which share it in memory
    built.close()  # no connection may be taken through a fork; each half opens its own

    def door(_command: Sequence[str]) -> int:
        lifeline.hold(os.environ)
        try:
            return _serve(built, env)
        except RelayError as fault:  # as the command line tells it
            click.echo(log.mask(str(fault)), err=True)
            return 1

    with Together([["web"]], os.environ, run=door) as beside:
        sys.exit(_work(built, env, beside=beside))


@click.command()
def web() -> None:
    """Run the door only: requests are taken in and journalled."""
    chosen, env = prepared()
    _serve(house.build(chosen, env), env)


@click.command()
def work() -> None:
    """Run the router and the courier only: what is journalled is decided and delivered."""
    chosen, env = prepared()
    _work(house.build(chosen, env), env)


def _serve(built: house.House, env: dict[str, str]) -> int:
    """Take requests in until told to stop; the exit code."""
    from relay.web import server  # noqa: PLC0415 - the server's library is loaded only where it serves

    tracing.start(env)
    server.serve(built)
    built.close()
    tracing.stop()
    return 0


def _work(built: house.House, env: dict[str, str], *, beside: Together | None = None) -> int:
    """Decide and deliver until told to stop, or until one of those beside us ends; the exit code."""
    worker = Worker(built)

    def halt() -> None:
        try:
            if beside:
                beside.stop()
        finally:
            worker.stop()

    def stop(*_: object) -> None:
        # Not here: what the signal interrupted may hold a lock that stopping wants, such as an event's own.
        threading.Thread(target=halt, name="stop").start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    signal.signal(signal.SIGHUP, lambda *_: built.rules_file.follow())
    if beside:
        threading.Thread(target=_stop_with, args=(beside, worker), daemon=True, name="beside").start()
    tracing.start(env)
    log.line("work: started", rules=built.settings.rules, portals=len(built.rules.portals))
    worker.run()
    built.close()
    tracing.stop()
    log.line("work: ended")
    return beside.wait() if beside else 0


def _stop_with(beside: Together, worker: Worker) -> None:
    beside.wait_for_any()
    worker.stop()


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8081, show_default=True, help="0 takes a free one")
def sandbox(host: str, port: int) -> None:
    """Run the stand-in Bitrix24 portal, with its page, to try things against."""
    from relay.sandbox import Portal, serve  # noqa: PLC0415 - the portal is loaded only where it is served

    server = serve(Portal(), host=host, port=port, control=True)
    click.echo(f"The stand-in portal's page:  {server.url}/")
    click.echo(f"Its incoming webhook:        {server.webhook}")
    click.echo("It keeps everything in memory. Ctrl-C ends it.")
    until_asked_to_stop().wait()
    server.close()


def until_asked_to_stop() -> threading.Event:
    """An event that SIGTERM or Ctrl-C sets."""
    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    return asked
