"""The options by which events and messages are chosen, the same for every command that takes some, and their times.

Never asks the database: it makes the :class:`~relay.store.search.Filter` that the commands ask with.
"""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

import click

from relay.moment import HOW, moment
from relay.store.search import Filter

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

WAYS = "--source, --kind, --person, --rule, --state, --since, --until, --text or --before"


def _moment(text: str) -> float:
    """An option's value as Unix seconds."""
    try:
        return moment(text, time.time())
    except ValueError:
        raise click.BadParameter(HOW) from None


def _time(name: str, says: str) -> Decorator:
    return click.option(name, type=_moment, metavar="2h|7d|TIME", help=says)


def selecting(states: Sequence[str], *, limit: int | None, paged: bool = False) -> Decorator:
    """Gather the options that choose into a Filter, the command's argument ``what``.

    Args:
        states: those that the command can do something with; all that are offered.
        limit: how many are taken unless the option says otherwise; ``None``: all.
        paged: is there a next page to ask for?
    """
    options: list[Decorator] = [
        click.option("--source", default="", help="Of this source."),
        click.option("--kind", default="", help="Of this kind: pull_request, or pull_request.opened alone."),
        click.option("--person", default="", help="To this person."),
        click.option("--rule", default="", help="By this rule."),
        click.option("--state", "states", multiple=True, type=click.Choice(states), help="May be repeated."),
        _time("--since", "Not older than 30m, 2h, 7d, or than a time (ISO 8601, UTC)."),
        _time("--until", "Older than that."),
        click.option("--text", default="", help="With this in an event's title, or in a message's text."),
        click.option("--limit", type=click.IntRange(1), default=limit, show_default=limit is not None, help="So many."),
    ]
    if paged:
        options.append(click.option("--before", type=int, help="With numbers below this one: the next page."))

    def gathering(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def gathered(**values: Any) -> None:
            chosen = {field.name: values.pop(field.name) for field in fields(Filter) if field.name in values}
            command(what=Filter(**chosen), **values)

        function: Callable[..., Any] = gathered
        for option in reversed(options):
            function = option(function)
        return function

    return gathering


as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
yes = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


def one_way(numbers: Sequence[int], what: Filter) -> None:
    """Check that either numbers or a selection was given.

    Raises:
        click.UsageError: both were, or neither.
    """
    if bool(numbers) == (what != Filter(limit=what.limit)):
        said = "give numbers or a selection, and not both" if numbers else "say which: give numbers, or select by"
        raise click.UsageError(f"{said} {WAYS}" if not numbers else f"{said} ({WAYS})")


def agree(count: int, what: str, *, yes: bool) -> None:
    """Say how many it would be, and ask unless it was said already. Ends the command if there are none, or at a no."""
    click.echo(f"{count:,} {what}.", err=True)
    if not count:
        sys.exit(0)
    if not yes and not click.confirm("Go on?", err=True):
        click.echo("Nothing was changed.", err=True)
        sys.exit(1)
