"""The commands about events: send one to a running relay, and look at those in the journal."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import requests

from relay.cli import context
from relay.errors import RelayError
from relay.model import Request
from relay.rules import Rules
from relay.sources import SENDERS
from relay.store import journal, outbox
from relay.store.journal import Entry

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
@click.option("--source", default="", help="only this source")
@click.option("--limit", default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def list_(source: str, limit: int, as_json: bool) -> None:
    """The newest events, newest first."""
    with context.store() as database, database.read() as tx:
        entries = journal.latest(tx, limit=limit, source=source)
    if as_json:
        context.print_json([_brief(entry) for entry in entries])
        return
    for entry in entries:
        outcome = entry.outcome or entry.state
        click.echo(
            f"{entry.id:>6}  {context.when(entry.received_at)}  {entry.source:<14} {entry.kind:<32} "
            f"{outcome:<11} {entry.title[:60]}"
        )


@events.command()
@click.argument("number", type=int)
def show(number: int) -> None:
    """One event as JSON: what came, and the messages it led to."""
    entry = context.entry(str(number))
    with context.store() as database, database.read() as tx:
        led_to = outbox.latest(tx, limit=1000, event_id=number)
    context.print_json(
        _brief(entry)
        | {
            "headers": dict(entry.request.headers),
            "body": entry.request.body.decode("utf-8", "replace"),
            "messages": [
                {"id": record.id, "person": record.message.person, "state": record.state} for record in led_to
            ],
        }
    )


def _brief(entry: Entry) -> dict[str, Any]:
    words = asdict(entry)
    del words["request"]
    return words | {"received_at": context.when(entry.received_at)}
