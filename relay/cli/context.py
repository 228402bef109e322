"""What several commands stand on: the settings, the journal behind them, and one way to print JSON and times.

Runs nothing by itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from relay import fixture, house, router, settings
from relay.accounts import Accounts
from relay.errors import RelayError
from relay.feeds import Feeds, calendars
from relay.rules import Rules
from relay.rules.accounts import without_id
from relay.settings import Settings
from relay.store import journal
from relay.store.database import Database
from relay.store.journal import Entry


class NoSuchEvent(RelayError):
    """There is no such event in the journal."""


def configured(rules: Path | None = None) -> tuple[Settings, Rules]:
    """The settings, and the rules they name (or ``rules``).

    Raises:
        RelayError: one of them cannot be used.
    """
    env = house.environment()
    chosen = settings.read(env)
    return chosen, house.read_rules(rules or chosen.rules, env)


def live(rules: Rules) -> Rules:
    """The rules as a running relay has them: with the ids that were looked up and the shifts of calendars, if any."""
    if not without_id(rules) and not calendars(rules):
        return rules
    with store() as database:
        folder = settings.read(house.environment()).rules.parent
        return Feeds(database, folder).put_in(Accounts(database).put_in(rules))


@contextmanager
def store() -> Iterator[Database]:
    """The database of the settings, its tables brought up to date."""
    database = Database(settings.read(house.environment()).database_url)
    try:
        database.upgrade()
        yield database
    finally:
        database.close()


def entry(what: str) -> Entry:
    """A journalled event by its number, or a fixture by its path, as if it had been journalled.

    A fixture's path names the source: ``POST /in/<source>``.
    """
    return _journalled(int(what)) if what.isdigit() else _of_fixture(Path(what))


def _journalled(number: int) -> Entry:
    with store() as database, database.read() as tx:
        found = journal.get(tx, number)
    if found is None:
        raise NoSuchEvent(f"the journal has no event {number}; `relay events list` shows those it has")
    return found


def _of_fixture(path: Path) -> Entry:
    try:
        raw = path.read_bytes()
    except OSError as fault:
        raise RelayError(f"{path}: {fault.strerror}") from None
    return router.unjournalled(fixture.parse(raw))


def when(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
