"""The commands that run something: serve, web, work and sandbox."""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import signal
import sys
import threading
from contextlib import suppress

import click

from relay import house, lifeline, log, settings, tracing
from relay.work import Worker

M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8  # malloc.h
LARGE = 128 * 1024  # bytes; glibc's own first threshold


def prepared() -> tuple[settings.Settings, dict[str, str]]:
    """The settings and the environment they came from, with logging set up and the lifeline held.

    A signal may come before there is anybody to take it. SIGHUP would end us, and the rules are read yet. SIGTERM would
    not be heard where we are the first process of a container: there it has no effect but what it is given (kill(2)).
    An exception would not do: where it comes in the middle of a finalizer, Python tells of it and goes on.
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    give_memory_back()
    env = house.environment()
    chosen = settings.read(env)
    log.setup(chosen.log)
    lifeline.hold(os.environ)
    return chosen, env


def give_memory_back() -> None:
    """Let glibc keep less of what is freed (mallopt(3)).

    It gives each thread a heap, up to eight for each processor, and keeps in every one of them what was once needed
    there: all threads share two. A large block is a mapping of its own and goes back when it is freed; but with each
    that is freed glibc takes larger ones from the heaps, too, where a small neighbour that stays keeps megabytes from
    going back. To set the threshold, even to what it is, holds it.
    """
    with suppress(OSError, AttributeError, TypeError):  # no glibc
        libc = ctypes.CDLL(None)
        libc.mallopt(M_ARENA_MAX, 2)
        libc.mallopt(M_MMAP_THRESHOLD, LARGE)


@click.command()
def serve() -> None:
    """Run everything on this machine: the door, the router and the courier."""
    built, env = _built()
    _serve(built, env, beside=AtWork(built.with_connections_of_its_own()))


@click.command()
def web() -> None:
    """Run the door only: requests are taken in and journalled."""
    _serve(*_built())


@click.command()
def work() -> None:
    """Run the router and the courier only: what is journalled is decided and delivered."""
    built, env = _built()
    at_work = AtWork(built)
    for number in (signal.SIGTERM, signal.SIGINT):
        # In a thread: a second signal may come while the first one's holds the lock that stopping wants, an event's.
        signal.signal(number, lambda *_: threading.Thread(target=at_work.stop, name="stop").start())
    _follow_on_hangup(built)
    tracing.start(env)
    at_work.start()
    at_work.join()
    tracing.stop()
    sys.exit(at_work.exit_code)


def _built() -> tuple[house.House, dict[str, str]]:
    chosen, env = prepared()
    built = house.build(chosen, env)
    gc.collect()
    gc.freeze()  # what has been loaded stays, and need not be looked through for garbage again
    return built, env


def _serve(built: house.House, env: dict[str, str], *, beside: AtWork | None = None) -> None:
    """Take requests in until told to stop, and end the process."""
    from relay.web import server  # noqa: PLC0415 - the server's library is loaded only where it serves

    _follow_on_hangup(built)
    tracing.start(env)
    server.serve(built, beside=beside)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # it is ending
    built.close()
    tracing.stop()
    logging.shutdown()
    os._exit(beside.exit_code if beside else 0)  # Python would wait for requests with which the server had no patience


def _follow_on_hangup(built: house.House) -> None:
    """Look at the rules at once on SIGHUP. In a thread: reading very many takes a second."""
    signal.signal(signal.SIGHUP, lambda *_: threading.Thread(target=built.rules_file.follow, name="rules").start())


class AtWork:
    """A worker in a thread of its own; if he breaks off, he takes the process with him rather than leave it deaf."""

    def __init__(self, built: house.House) -> None:
        self.exit_code = 0
        self._built = built
        self._worker = Worker(built)
        self._thread = threading.Thread(target=self._run, name="work")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask him to; does not wait for it."""
        self._worker.stop()

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        log.line("work: started", rules=self._built.settings.rules, portals=len(self._built.rules.portals))
        try:
            self._worker.run()
        except Exception as fault:
            self.exit_code = 1
            log.failure("work: broke off", fault)
            os.kill(os.getpid(), signal.SIGTERM)
        self._built.close()
        log.line("work: ended")


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
