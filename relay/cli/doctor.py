"""The command `relay doctor`: examine the portals, a line for each finding, with what to do.

Never prints a secret: the findings hold none.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict

import click

from relay import house
from relay.cli import context
from relay.doctor import Doctor, Finding
from relay.errors import RelayError
from relay.rules import Rules
from relay.store.database import Database

SIGNS = {"good": "✓", "doubt": "!", "fault": "✗"}


@click.command()
@click.argument("name", default="")
@click.option("--no-send", is_flag=True, help="send nothing; whether tags replace is then not measured")
@click.option("--json", "as_json", is_flag=True)
def doctor(name: str, no_send: bool, as_json: bool) -> None:
    """Examine the real portal: address, TLS, credentials, rights, plan, clock, and whether tags replace.

    To see whether tags replace, two notifications are sent to the webhook's owner or the token's user, and taken
    away. The answer is remembered and the courier goes by it. NAME is a portal of the rules; without it, all.
    """
    _, rules = context.configured()
    if name and name not in rules.portals:
        raise RelayError(f"no portal is called so; there are {', '.join(rules.portals)}")
    with context.store() as database:
        found: list[tuple[str, Finding]] = []
        for portal, finding in _examined(database, rules, name, send=not no_send):
            found.append((portal, finding))
            if not as_json:
                click.echo(f"{SIGNS[finding.mark]} {portal:<10} {finding.probe:<12} {_sentence(finding)}")
    if as_json:
        context.print_json([{"portal": portal, **asdict(finding)} for portal, finding in found])
    sys.exit(1 if any(finding.mark == "fault" for _, finding in found) else 0)


def _examined(database: Database, rules: Rules, only: str, *, send: bool) -> Iterator[tuple[str, Finding]]:
    for name, options in rules.portals.items():
        if only in ("", name):
            to = house.destination(database, name, options)
            try:
                for finding in Doctor(database, to, options).examine(send=send):
                    yield name, finding
            finally:
                to.client.close()


def _sentence(finding: Finding) -> str:
    return f"{finding.found} → {finding.advice}" if finding.advice else finding.found
