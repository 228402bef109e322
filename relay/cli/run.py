"""The commands that run something: serve, web, work and sandbox."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Sequence
from typing import NoReturn

import click

from relay import house, lifeline, log, settings, tracing
from relay.cli.supervise import Together
from relay.work import Worker


def prepared() -> tuple[settings.Settings, dict[str, str]]:
    """The settings and the environment they came from, with logging set up and the lifeline held.

    A signal may come before there is anybody to take it. SIGHUP would end us, and the rules are read yet. SIGTERM would
    not be heard where we are the first process of a container: there it has no effect but what it is given (kill(2)).
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    env = house.environment()
    chosen = settings.read(env)
    log.setup(chosen.log)
    lifeline.hold(os.environ)
    return chosen, env


@click.command()
def serve() -> None:
    """Run everything on this machine: the door, the router and the courier."""
    chosen, env = prepared()
    house.build(chosen, env).close()  # so that a fault in the rules is told once, and before anything is started
    with Together([["web", "--checked"], ["work"]], os.environ, run=run_here) as processes:
        sys.exit(processes.wait())


def run_here(command: Sequence[str]) -> NoReturn:
    """Run ``relay <command>`` in this process, which ends by SystemExit, as click ends a command."""
    from relay.cli.main import main  # noqa: PLC0415 - which imports this file

    main.main(list(command), prog_name="relay")


@click.command()
@click.option("--checked", is_flag=True, hidden=True)
def web(*, checked: bool) -> None:
    """Run the door only: requests are taken in and journalled."""
    from relay.web import server  # noqa: PLC0415 - the server's library is loaded only where it serves

    chosen, env = prepared()
    if not checked:  # by whoever has started us, a moment ago
        house.build(chosen, env).close()
    server.serve(chosen)


@click.command()
def work() -> None:
    """Run the router and the courier only: what is journalled is decided and delivered."""
    chosen, env = prepared()
    built = house.build(chosen, env)
    worker = Worker(built)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop())
    signal.signal(signal.SIGHUP, lambda *_: built.rules_file.follow())
    tracing.start(env)
    log.line("work: started", rules=chosen.rules, portals=len(built.rules.portals))
    worker.run()
    built.close()
    tracing.stop()
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
