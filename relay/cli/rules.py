"""The commands that ask the rules: check, explain, schema. None of them sends anything."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from relay import house, router, settings
from relay.bitrix.call import build as build_call
from relay.cli import context
from relay.errors import BadRules
from relay.model import Message, Parcel
from relay.rules import Decision, Memory
from relay.rules import schema as json_schema
from relay.rules.explain import explain as explained


@click.command()
@click.argument("rules", type=click.Path(path_type=Path), required=False)
def check(rules: Path | None) -> None:
    """Check the rules file: every complaint at once, as file:line:col: path: message."""
    env = house.environment()
    path = rules or settings.read(env).rules
    try:
        good = house.read_rules(path, env)
    except BadRules as fault:
        click.echo(str(fault))
        click.echo(f"{path}: {len(fault.complaints)} to mend", err=True)
        sys.exit(1)
    for warning in good.warnings:
        click.echo(str(warning))
    click.echo(f"{path}: good; {len(good.sources)} sources, {len(good.people)} people", err=True)


@click.command()
def schema() -> None:
    """Print the JSON Schema of the rules file, for editors."""
    context.print_json(json_schema())


@click.command()
@click.argument("what")
@click.option("--person", default="", help="only the messages to this person")
@click.option("--calls", is_flag=True, help="print the exact calls to the portal as JSON, without credentials")
@click.option("--rules", "path", type=click.Path(path_type=Path), help="ask another rules file")
def explain(what: str, person: str, calls: bool, path: Path | None) -> None:
    """Say why: each rule, the first condition that failed and the value seen, and the messages.

    WHAT is a fixture (a file that holds a whole HTTP request) or the number of a journalled event.
    """
    _, rules = context.configured(path)
    decisions = router.decisions_on(context.entry(what), rules, Memory(), datetime.now(UTC))
    shown = [_only(person, decision) if person else decision for decision in decisions]
    if calls:
        context.print_json([_call(message) for decision in shown for message in decision.messages])
        return
    click.echo("\n\n".join(explained(decision) for decision in shown))
    if person and not any(decision.messages for decision in shown):
        click.echo(f"{person} gets nothing of it.")


def _only(person: str, decision: Decision) -> Decision:
    return replace(decision, messages=tuple(each for each in decision.messages if each.person == person))


def _call(message: Message) -> dict[str, Any]:
    call = build_call([Parcel(id=0, message=message)])
    return {"person": message.person, "rule": message.rule, "method": call.method, "payload": call.payload}
