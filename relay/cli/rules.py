"""The commands that ask the rules: explain and schema. None of them sends anything."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from relay import router
from relay.bitrix.call import build as build_call
from relay.cli import context
from relay.errors import RelayError
from relay.model import Message, Parcel
from relay.rules import Memory, Person, Rules
from relay.rules import schema as json_schema
from relay.rules.explain import explain as explained
from relay.rules.explain import explain_for
from relay.rules.sentences import did_you_mean
from relay.store import outbox
from relay.store.journal import Entry


@click.command()
def schema() -> None:
    """Print the JSON Schema of the rules file, for editors."""
    context.print_json(json_schema())


@click.command()
@click.argument("what")
@click.option("--person", default="", help="why this person gets it or not: a name, a login, an e-mail or a portal id")
@click.option("--calls", is_flag=True, help="print the exact calls to the portal as JSON, without credentials")
@click.option("--rules", "path", type=click.Path(path_type=Path), help="ask another rules file")
def explain(what: str, person: str, calls: bool, path: Path | None) -> None:
    """Say why: each rule, the first condition that failed and the value seen, and the messages.

    WHAT is a fixture (a file that holds a whole HTTP request) or the number of a journalled event.
    """
    _, rules = context.configured(path)
    rules = context.live(rules)
    entry = context.entry(what)
    events = router.understand(entry, rules)
    now = datetime.fromtimestamp(entry.received_at, UTC) if entry.id else datetime.now(UTC)
    decisions = router.decisions_on(entry, rules, remembered(entry, rules), now)
    one = meant(person, events[0].type, rules) if person else None
    if calls:
        messages = [message for decision in decisions for message in decision.messages]
        context.print_json([_call(each) for each in messages if one is None or each.person == one.name])
    elif one is None:
        click.echo("\n\n".join(explained(decision) for decision in decisions))
    else:
        pages = [explain_for(one, event, rules, each, now) for event, each in zip(events, decisions, strict=True)]
        click.echo("\n\n".join([*pages, *became(entry, one)]))


def remembered(entry: Entry, rules: Rules) -> Memory:
    """Of a journalled event the silences; of a fixture nothing."""
    if not entry.id:
        return Memory()
    with context.store() as database:
        return router.recall_silences(database, rules)


def became(entry: Entry, person: Person) -> Iterator[str]:
    """What was made of a journalled event when it was decided, by the rules of then: the messages to one person."""
    if entry.state == "new":
        return
    with context.store() as database, database.read() as tx:
        records = outbox.latest(tx, limit=1000, event_id=entry.id)
    his = [record for record in records if record.message.person == person.name]
    lines = [f"    message {record.id}: {record.state}{f', {record.why}' if record.why else ''}" for record in his]
    said = (
        f"When it came, at {context.when(entry.received_at)}, {person.name} was told by:"
        if his
        else (
            f"When it came, at {context.when(entry.received_at)}, nothing was made for {person.name} ({entry.outcome})."
        )
    )
    yield "\n".join([said, *lines])


def meant(name: str, kind: str, rules: Rules) -> Person:
    """The person whom an operator calls by a name, a login, an e-mail or a portal id.

    Raises:
        RelayError: nobody is called so, or several are.
    """
    found = rules.directory.of_value(name, kind)
    if len(found) == 1:
        return found[0]
    if found:
        raise RelayError(f"--person asks about one person, and that is {len(found)}")
    raise RelayError(f"nobody under people: goes by that name{did_you_mean(name, rules.people)}")


def _call(message: Message) -> dict[str, Any]:
    call = build_call([Parcel(id=0, message=message)])
    return {"person": message.person, "rule": message.rule, "method": call.method, "payload": call.payload}
