"""The command `relay demo`: the relay, a stand-in portal and sample events on this machine, to be watched.

Touches nothing outside: no real portal, no configuration of yours, and its database is thrown away at the end.
"""

from __future__ import annotations

import os
import secrets
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path

import click
import requests

from relay import house, log
from relay.cli import context
from relay.cli.child import Child
from relay.cli.events import post, signed
from relay.sandbox import Portal
from relay.sandbox import serve as serve_portal
from relay.settings import Secret
from relay.store import visitors
from relay.store.database import Database

INVITED = 3600.0  # seconds for which the link to the pages is good
SAMPLES = (  # what is posted, and what there is to see
    ("1-review-request.http", "Olga asks Ivan for a review"),
    ("2-workflow-failed.http", "Ivan's push breaks the main branch"),
    ("3-alert-firing.http", "a disk fills up: Ivan and Olga are told"),
    ("4-alert-resolved.http", "the disk is fine again: the alarm is replaced"),
    ("5-workflow-fixed.http", "the main branch is green again: the failure is replaced"),
)


@click.command()
@click.option("--port", default=8080, show_default=True, help="of the relay")
@click.option("--portal-port", default=8081, show_default=True, help="of the stand-in portal")
@click.option("--pause", default=4.0, show_default=True, help="seconds between two sample events")
def demo(port: int, portal_port: int, pause: float) -> None:
    """Try it: the relay, a stand-in portal with its page, and sample events, all on this machine."""
    log.setup("quiet")
    secret = secrets.token_urlsafe(9)
    with (
        as_file(files("relay.cli") / "samples") as samples,
        tempfile.TemporaryDirectory(prefix="relay-demo-") as folder,
        serve_portal(Portal(token=secret), port=free(portal_port), control=True) as portal,
    ):
        env = environment(folder, samples / "rules.yaml", port=free(port), portal=portal.url, secret=secret)
        with Child("serve", env) as process:
            base = f"http://127.0.0.1:{env['PORT']}"
            if not answers(base, process):
                sys.exit(1)
            introduce(base, portal.url, secret, way_in(env, base))
            for name, story in told(SAMPLES, process, pause):
                entry = context.entry(str(samples / name))
                post(base, signed(entry.source, entry.request, house.read_rules(samples / "rules.yaml", env)))
                click.echo(f"  → {story}")
            click.echo("\nThat was all. The relay goes on until Ctrl-C.\n")
            sys.exit(process.wait())


def free(wished: int) -> int:
    """The wished port of this machine, or another one if somebody listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wished))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def way_in(env: dict[str, str], base: str) -> str:
    """A link to the relay's pages that signs in whoever follows it first."""
    database = Database(Secret(env["DATABASE_URL"]))
    with database.write() as tx:
        secret = visitors.invite(tx, "admin", seconds=INVITED)
    database.close()
    return f"{base}/sign-in/{secret}"


def environment(folder: str, rules: Path, *, port: int, portal: str, secret: str) -> dict[str, str]:
    return os.environ | {
        "RELAY_RULES": str(rules),
        "RELAY_LOG": "quiet",
        "DATABASE_URL": f"sqlite:///{folder}/relay.db",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "DEMO_PORTAL": portal,
        "DEMO_TOKEN": secret,
        "DEMO_SECRET": secret,
        "RELAY_ADMIN_PASSWORD": secrets.token_urlsafe(24),  # nobody needs it: the link signs in
    }


def answers(base: str, process: Child) -> bool:
    """Wait until the relay answers; ``False`` if it ended instead."""
    while process.runs():
        try:
            if requests.get(f"{base}/readyz", timeout=1).ok:
                return True
        except requests.RequestException:
            pass
        time.sleep(0.1)
    return False


def introduce(base: str, portal: str, secret: str, link: str) -> None:
    click.echo(f"""
  The stand-in portal's page, where the notifications appear:  {portal}/
  The relay, which takes the events:                           {base}/
  Its pages (the link signs you in, once):                     {link}

  Post one yourself:

    curl -H 'Authorization: Bearer {secret}' -H 'Content-Type: application/json' \\
      -d '{{"kind": "deployed", "service": "shop", "person": "ivan", "title": "shop 1.4.2 is live"}}' \\
      {base}/in/deploys

  Now a few sample events:
""")


def told(samples: tuple[tuple[str, str], ...], process: Child, pause: float) -> Iterator[tuple[str, str]]:
    """The samples one after another, for as long as the relay runs."""
    for sample in samples:
        if not process.sleep(pause):
            return
        yield sample
