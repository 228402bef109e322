"""The group `relay db`: the database's tables, its size, its backups and its health.

Never touches what is not finished; what takes something away says how much before it does.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import click

from relay import house, settings, upkeep
from relay.cli import context, copy, selection
from relay.errors import RelayError
from relay.moment import HOW, moment
from relay.store import backup as copies
from relay.store import integrity, space
from relay.store.database import Database
from relay.store.retention import Bounds


class Refused(RelayError):
    """It is not done now; the sentence says why."""


def _moment(text: str) -> float:
    """An option's value as Unix seconds."""
    try:
        return moment(text, time.time())
    except ValueError:
        raise click.BadParameter(HOW) from None


@click.group()
def db() -> None:
    """The database: its tables and their upkeep."""


db.add_command(copy.copy)


@contextmanager
def opened() -> Iterator[Database]:
    """The database of the settings as it is, its tables left alone."""
    with closing(Database(settings.read(house.environment()).database_url)) as database:
        yield database


@db.command()
def upgrade() -> None:
    """Create the tables, or bring them up to this version. Running it again changes nothing."""
    with opened() as database:
        database.upgrade()
    click.echo("The tables are those of this version.")


# ── Prune ────────────────────────────────────────────────────────────────────────────────────────────────────────


@db.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be taken away.")
@click.option(
    "--before", type=_moment, metavar="7d|TIME", help="Whatever ended before it, instead of what `retention:` says."
)
@selection.yes
def prune(*, dry_run: bool, before: float | None, yes: bool) -> None:
    """Take away what has served its time, as a running worker does by itself every hour.

    `retention:` in the rules says for how long payloads, events and messages are kept. What is not finished stays: new
    events, messages that wait or are held, and the events that they tell of. The relay may run meanwhile.
    """
    with context.store() as database:
        until = _until(database, before)
        if dry_run or before is not None:
            found = upkeep.count(database, until)
            if dry_run:
                click.echo(f"Would be pruned: {_told(found)}.")
                return
            selection.agree(sum(found.values()), f"rows would be pruned: {_told(found)}", yes=yes)
        by_hand = f"{socket.gethostname()}:{os.getpid()}:by hand"
        try:
            taken = upkeep.prune(database, until, holder=by_hand, pause=_wait)
        except upkeep.Taken:
            raise Refused("somebody prunes at this moment; try again in a minute") from None
        pages = space.give_back(database, _wait)
    smaller = f" Given back to the disk: {pages * space.PAGE / 1e6:,.0f} MB." if pages else ""
    click.echo(f"Pruned: {_told(taken)}.{smaller}")


def _until(database: Database, before: float | None) -> Bounds:
    if before is not None:
        return upkeep.ended_before(database, before)
    return upkeep.bounds(database, context.configured()[1].retention)


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count) or "nothing"


def _wait(seconds: float) -> bool:
    time.sleep(seconds)
    return False


# ── Backup and check ─────────────────────────────────────────────────────────────────────────────────────────────


@db.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Copy SQLite's database into a new FILE, while the relay runs.

    It holds what the database holds: payloads, and an application's tokens. To restore it, stop the relay and put FILE
    in the database's place; take away the files that end in -wal and -shm there. What was sent since is sent again.
    """
    with opened() as database:
        size = copies.backup(database, file)
    click.echo(f"{file}: {size / 1e6:,.1f} MB, and whole.")


@db.command()
@click.option("--mend", is_flag=True, help="Put streams right that stand still; the relay must be stopped.")
def check(*, mend: bool) -> None:
    """Is the database whole? Its file, its tables, and rows that contradict each other. The relay may run meanwhile."""
    with opened() as database:
        if database.is_sqlite and not Path(database.name).stat().st_size:
            raise Refused(f"there is nothing in {database.name}: run `relay db upgrade`, or set DATABASE_URL")
        if mend:
            _mend(database)
        faults = integrity.check(database)
        for fault in faults:
            click.echo(f"✗ {fault.what} → {fault.advice}")
        if not faults:
            click.echo(f"OK: {database.name} is whole.")
    sys.exit(1 if faults else 0)


def _mend(database: Database) -> None:
    if held := integrity.at_work(database):
        raise Refused(f"somebody works on {database.name} ({', '.join(held)}): stop the relay first")
    with database.write() as tx:
        click.echo(f"{integrity.mend(tx):,} streams were put right.")
