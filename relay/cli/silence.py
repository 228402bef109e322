"""The commands about silences: make one, list them, end one."""

from __future__ import annotations

import getpass
import json
import re
import sys
import time
from typing import Any

import click

from relay import router
from relay.cli import context
from relay.errors import RelayError
from relay.model import Note
from relay.rules import Rules, silences
from relay.rules.conditions import Condition, compile_when
from relay.schema import seconds
from relay.store import journal, notes
from relay.store.database import Database

CONDITION = re.compile(r"(?P<word>[^=!~]+?)\s*(?P<sign>=~|!~|!=|=)\s*(?P<value>.*)", re.DOTALL)
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
    when = _when(conditions)
    condition = _compiled(when, rules)
    now = time.time()
    until = now + _length(length)
    new = silences.written(when=when, starts=now, until=until, idle=_length(idle), who=who, why=why)
    with context.store() as database:
        with database.write() as tx:
            name = notes.add(tx, silences.PREFIX, new)
        matched = _matched(database, rules, condition)
    click.echo(f"silence {name.removeprefix(silences.PREFIX)} until {silences.clock(until)}")
    click.echo(f"{len(matched)} of the last {LOOKED_BACK} events match it{_some(matched)}", err=True)


@silence.command("list")
@click.option("--all", "everything", is_flag=True, help="also those that are over")
@click.option("--json", "as_json", is_flag=True)
def list_(everything: bool, as_json: bool) -> None:
    """The silences there are, and what they have kept back."""
    with context.store() as database, database.read() as tx:
        found = notes.under(tx, silences.PREFIX)
    shown = {name: note for name, note in found.items() if everything or not note.value["over"]}
    if as_json:
        context.print_json(
            [{"silence": name.removeprefix(silences.PREFIX), **note.value} for name, note in shown.items()]
        )
        return
    for name, note in shown.items():
        click.echo(_line(name.removeprefix(silences.PREFIX), note))


@silence.command()
@click.argument("numbers", nargs=-1, required=True)
def end(numbers: tuple[str, ...]) -> None:
    """End silences now. A worker does it, and tells those whom they silenced."""
    failed = False
    with context.store() as database:
        for number in numbers:
            name = silences.PREFIX + number
            with database.write() as tx:
                found = notes.get(tx, name)
                good = found is not None and not found.value["over"]
                if good:
                    notes.write(tx, {f"ending:{number}": Note({"name": name}, due=tx.now)})
                    tx.news = True
            click.echo(f"{number}: {'ends' if good else 'there is no such silence, or it is over'}", err=not good)
            failed = failed or not good
    sys.exit(1 if failed else 0)


def _when(conditions: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in conditions:
        match = CONDITION.fullmatch(each)
        if match is None:
            raise click.UsageError(f"«{each}» is no condition; write it as severity=warning or labels.env!=prod")
        value: Any = match["value"].strip('"')
        plain = value if match["sign"] in ("=", "!=") else {"regex": value}
        found[match["word"]] = {"not": plain} if match["sign"].startswith("!") else plain
    return found


def _compiled(when: dict[str, Any], rules: Rules) -> Condition:
    faults: list[str] = []

    def complain(path: tuple[str | int, ...], sentence: str) -> None:
        faults.append(f"{'.'.join(map(str, path))}: {sentence}")

    condition = compile_when(when, rules.vocabulary, (), complain)
    if faults:
        raise RelayError("; ".join(faults))
    return condition


def _length(text: str) -> float:
    try:
        return seconds(text)
    except ValueError as fault:
        raise click.UsageError(f"«{text}» {fault}") from None


def _matched(database: Database, rules: Rules, condition: Condition) -> list[int]:
    """The numbers of the newest events that match."""
    with database.read() as tx:
        entries = journal.latest(tx, limit=LOOKED_BACK)
    return [entry.id for entry in entries if any(condition.holds(event) for event in router.readable(entry, rules))]


def _some(numbers: list[int]) -> str:
    return f", such as {', '.join(map(str, numbers[:5]))}" if numbers else ""


def _line(number: str, note: Note) -> str:
    value = note.value
    when = json.dumps(value["when"], ensure_ascii=False)
    return "  ".join(
        (
            f"{number:>4}",
            f"over ({value['over']})" if value["over"] else f"until {context.when(value['until'])}",
            f"{value['count']} kept back",
            when,
            f"{value['who']}: {value['why']}",
        )
    )
