"""The commands about silences: make one, list them, end one."""

from __future__ import annotations

import getpass
import sys
import time

import click

from relay import silencing
from relay.cli import context
from relay.model import Note
from relay.rules import silences
from relay.schema import seconds

LOOKED_BACK = 500  # events, to say what it would have silenced


@click.group()
def silence() -> None:
    """Silences: events of which nobody is told for a time."""


@silence.command()
@click.argument("conditions", nargs=-1, required=True)
@click.option("--for", "length", required=True, help="how long, such as 2h or 3d")
@click.option("--why", required=True, help="told to those whom it silences")
@click.option("--by", "who", default=getpass.getuser, show_default="your name on this machine")
@click.option("--idle", default="7d", show_default=True, help="it ends by itself when nothing matched for so long")
def add(conditions: tuple[str, ...], length: str, why: str, who: str, idle: str) -> None:
    """Silence the events for which all CONDITIONS hold.

    A condition is a word of the event with = != =~ (regular expression) or !~, as Alertmanager writes them:

    relay silence add --for 2h --why "disk replaced" labels.instance=db1 'severity!=critical'
    """
    _, rules = context.configured()
    when = silencing.when(conditions)
    condition = silencing.compiled(when, rules)
    seconds_long = _length(length)
    with context.store() as database:
        number = silencing.make(database, when, length=seconds_long, idle=_length(idle), who=who, why=why)
        matched = silencing.matched(database, rules, condition, among=LOOKED_BACK)
    click.echo(f"silence {number} until {silences.clock(time.time() + seconds_long)}")
    click.echo(
        f"{len(matched)} of the last {LOOKED_BACK} events match it{_some([each.id for each in matched])}", err=True
    )


@silence.command("list")
@click.option("--all", "everything", is_flag=True, help="also those that are over")
@click.option("--json", "as_json", is_flag=True)
def list_(everything: bool, as_json: bool) -> None:
    """The silences there are, and what they have kept back."""
    with context.store() as database:
        found = silencing.everything(database)
    shown = {number: note for number, note in found.items() if everything or not note.value["over"]}
    if as_json:
        context.print_json([{"silence": number, **note.value} for number, note in shown.items()])
        return
    for number, note in shown.items():
        click.echo(_line(number, note))


@silence.command()
@click.argument("numbers", nargs=-1, required=True)
def end(numbers: tuple[str, ...]) -> None:
    """End silences now. A worker does it, and tells those whom they silenced."""
    failed = False
    with context.store() as database:
        for number in numbers:
            good = silencing.end(database, number)
            click.echo(f"{number}: {'ends' if good else 'there is no such silence, or it is over'}", err=not good)
            failed = failed or not good
    sys.exit(1 if failed else 0)


def _length(text: str) -> float:
    try:
        return seconds(text)
    except ValueError as fault:
        raise click.UsageError(f"«{text}» {fault}") from None


def _some(numbers: list[int]) -> str:
    return f", such as {', '.join(map(str, numbers[:5]))}" if numbers else ""


def _line(number: str, note: Note) -> str:
    value = note.value
    when = " ".join(silencing.written(value["when"]))
    return "  ".join(
        (
            f"{number:>4}",
            f"over ({value['over']})" if value["over"] else f"until {context.when(value['until'])}",
            f"{value['count']} kept back",
            when,
            f"{value['who']}: {value['why']}",
        )
    )
