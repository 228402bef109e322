"""The commands about events: send one to a running relay, and look at those in the journal."""

from __future__ import annotations

import os
import socket
import sys
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import requests

from relay import redelivery
from relay.cli import context, selection
from relay.cli.following import follow as following
from relay.cli.following import print_line
from relay.cli.replay import replay
from relay.errors import RelayError
from relay.model import Request
from relay.render.bbcode import one_line
from relay.rules import Rules
from relay.sources import SENDERS
from relay.store import search
from relay.store.search import EVENT_STATES, EventRow, Filter

OURS = {"host", "content-length", "connection", "transfer-encoding"}  # set anew for the connection that is made


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.argument("url", default="")
@click.option("--rules", "path", type=click.Path(path_type=Path), help="take the secret from this rules file")
def send(file: str, url: str, path: Path | None) -> None:
    """Post a fixture to a running relay, signed with the secret that the rules give its source.

    FILE holds a whole HTTP request. URL is the relay's address, by default the one of HOST and PORT.
    """
    chosen, rules = context.configured(path)
    entry = context.entry(file)
    answer = post(url or f"http://{chosen.host}:{chosen.port}", signed(entry.source, entry.request, rules))
    click.echo(answer.text.strip())
    click.echo(f"{answer.status_code} {answer.reason}", err=True)
    sys.exit(0 if answer.ok else 1)


def signed(source: str, request: Request, rules: Rules) -> Request:
    """The request with the headers by which its source is believed.

    Raises:
        RelayError: the rules have no such source.
    """
    options = rules.sources.get(source)
    if options is None:
        raise RelayError(f"the rules have no source «{source}»; the fixture's first line names it: POST /in/<source>")
    proof = SENDERS[options.type].sign(options, request, time.time())
    kept = {name: value for name, value in request.headers.items() if name not in OURS}
    headers = kept | {name.lower(): value for name, value in proof.items()}
    return Request(method=request.method, path=request.path, headers=headers, body=request.body)


def post(base: str, request: Request) -> requests.Response:
    """Post a request to a relay.

    Raises:
        RelayError: no relay answers there.
    """
    try:
        return requests.request(
            request.method,
            base.rstrip("/") + request.path,
            headers=dict(request.headers),
            data=request.body,
            timeout=30,
            allow_redirects=False,
        )
    except requests.RequestException as fault:
        raise RelayError(f"no answer from {base}: {type(fault).__name__}; is the relay running there?") from None


@click.group()
def events() -> None:
    """The journal: what came in, and what became of it."""


@events.command("list")
@selection.selecting(EVENT_STATES, limit=20, paged=True)
@selection.as_json
def list_(what: Filter, as_json: bool) -> None:
    """The newest events, newest first."""
    with context.store() as database, database.read() as tx:
        rows = search.events(tx, what)
    if as_json:
        context.print_json([_brief(row) for row in rows])
        return
    for row in rows:
        _print(row)


@events.command()
@selection.selecting(EVENT_STATES, limit=None)
@selection.as_json
def follow(what: Filter, as_json: bool) -> None:
    """New events as they come, until Ctrl-C; with --state, as they come into it. --limit ends after so many."""
    with context.store() as database, suppress(KeyboardInterrupt):
        for row in following(database, what, find=search.events, newest=search.newest_event):
            print_line(_brief(row)) if as_json else _print(row)


@events.command()
@click.argument("number", type=int)
def show(number: int) -> None:
    """One event as JSON: what came, and the messages it led to."""
    entry = context.entry(str(number))
    with context.store() as database, database.read() as tx:
        led_to = search.of_event(tx, number)
    words = asdict(entry) | {"received_at": context.when(entry.received_at)}
    del words["request"], words["pruned_at"]
    if entry.pruned:
        words["payload"] = entry.pruned
    context.print_json(
        words
        | {
            "headers": dict(entry.request.headers),
            "body": entry.request.body.decode("utf-8", "replace"),
            "messages": [
                {"id": row.id, "person": row.person, "rule": row.rule, "state": row.state, "why": row.why}
                for row in led_to
            ],
        }
    )


events.add_command(replay)


@events.command()
@click.option("--source", default="", help="Look for those of this source alone.")
@click.option("--dry-run", is_flag=True, help="Only say what would be asked for.")
def recover(source: str, dry_run: bool) -> None:
    """Ask GitHub for deliveries of the last three days that never came, as a running worker does by itself.

    For sources with `redeliver:`. What comes again is journalled and told as if it had come then.
    """
    plans = redelivery.sources(context.configured()[1])
    if source and source not in plans:
        raise RelayError(f"the rules have no source «{source}» of type github with redeliver:")
    if not plans:
        raise RelayError("no source of the rules has redeliver:; README, «GitHub», says how to set it")
    wrong = False
    with context.store() as database:
        for name in [source] if source else sorted(plans):
            by_hand = f"{socket.gethostname()}:{os.getpid()}:by hand"
            report = redelivery.look(
                database, name, plans[name], holder=by_hand, pause=_wait, by_hand=True, dry_run=dry_run
            )
            _tell(name, report, dry_run=dry_run)
            wrong = wrong or bool(report.whys)
    sys.exit(1 if wrong else 0)


def _wait(seconds: float) -> bool:
    time.sleep(seconds)
    return False


def _tell(source: str, report: redelivery.Report, *, dry_run: bool) -> None:
    done = "would ask" if dry_run else "asked"
    for each in report.asked:
        went = f"GitHub had the answer {each.status}" if each.status else "GitHub reached nobody"
        click.echo(f"{source}: {done} for {each.guid} ({one_line(each.kind)}) of {context.when(each.at)}; {went}")
    if not report.asked and not report.whys:
        click.echo(f"{source}: there is nothing to ask for")
    if report.left:
        click.echo(f"{source}: {report.left:,} more are missing; they are asked for next time", err=True)
    for why in report.whys:
        click.echo(f"{source}: {why}", err=True)


def _print(row: EventRow) -> None:
    click.echo(
        f"{row.id:>6}  {context.when(row.received_at)}  {row.source:<14} {one_line(row.kind):<32} "
        f"{row.outcome or row.state:<11} {one_line(row.title)[:60]}".rstrip()
    )


def _brief(row: EventRow) -> dict[str, Any]:
    decided_at = context.when(row.decided_at) if row.decided_at else None
    return asdict(row) | {"received_at": context.when(row.received_at), "decided_at": decided_at}
