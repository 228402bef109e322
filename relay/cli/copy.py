"""`relay db copy`: move an installation from one database to another, of either engine."""

from __future__ import annotations

import sys
from contextlib import closing

import click

from relay.settings import Secret
from relay.store import copy as store
from relay.store.database import Database


@click.command("copy")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option("--force", is_flag=True, help="copy also while a worker holds a lease: one that died, say")
def copy(source: str, target: str, force: bool) -> None:
    """Copy everything from one database into another that is empty.

    FROM and TO are addresses as in DATABASE_URL, for example sqlite:///var/relay.db and postgresql://user@host/relay.
    Stop the relay first: what it takes in afterwards stays behind. FROM is not changed.
    """
    with closing(Database(Secret(source))) as here, closing(Database(Secret(target))) as there:
        there.upgrade()
        rows = store.copy(here, there, anyway=force, tell=show)
        click.echo(f"Copied {rows:,} rows to {there.name}. Set DATABASE_URL to it and start the relay.")


def show(table: str, done: int, total: int) -> None:
    """One line a table: growing on a terminal, else only when the table is done."""
    if sys.stderr.isatty() or done == total:
        line = f"{table:<10} {done:>12,} of {total:,}"
        click.echo(f"\r{line}" if sys.stderr.isatty() else line, nl=done == total, err=True)
