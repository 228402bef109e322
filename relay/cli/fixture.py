"""The command `relay fixture save`: a journalled event as a file for tests, without secrets and people.

Never writes a body that it could not read, and never over a file that is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from relay import fixture as form
from relay import redaction, router
from relay.cli import context
from relay.errors import Refused, RelayError
from relay.intake import without_credentials
from relay.redaction import Redacted
from relay.rules import Memory, Rules
from relay.rules.recipients import ROLES
from relay.rules.words import shown
from relay.schema import secrets_in
from relay.sources import SENDERS
from relay.store.journal import Entry


@click.group()
def fixture() -> None:
    """Fixtures: whole HTTP requests in files, for `relay test`, `explain` and `send`."""


@fixture.command()
@click.argument("event")
@click.option("--out", type=click.Path(path_type=Path), help="write to this new file, not to standard output")
def save(event: str, out: Path | None) -> None:
    """Save a journalled event as a fixture, with secrets, e-mails, logins and names replaced.

    EVENT is the number of a journalled event, or a fixture that is still to be redacted. Read the result before you
    share it: what a person wrote in prose is searched for known names and secrets, and not understood.
    """
    _, rules = context.configured()
    entry = context.entry(event)
    if entry.pruned:
        raise RelayError(entry.pruned)
    saved = redacted(entry, rules)
    content = form.write(saved.request)
    if out is None:
        click.echo(content, nl=False)
    else:
        write_new(out, content)
    for line in told(saved, entry, rules):
        click.echo(line, err=True)


def redacted(entry: Entry, rules: Rules) -> Redacted:
    """The entry's request without credentials, secrets and people."""
    people = [*known_people(rules), *([name] for name in named_people(entry, rules))]
    secrets = [secret.reveal() for piece in rules.sources.values() for secret in secrets_in(piece)]
    secrets += [secret.reveal() for piece in rules.portals.values() for secret in secrets_in(piece)]
    request = replace(entry.request, headers=without_credentials(entry.request.headers, proof(entry, rules)))
    return redaction.redact(request, people=people, secrets=secrets)


def proof(entry: Entry, rules: Rules) -> set[str]:
    """The headers in which the source proves itself, in lower case."""
    options = rules.sources.get(entry.source)
    if options is None:
        return set()
    return {header.lower() for header in SENDERS[options.type].sign(options, entry.request, entry.received_at)}


def known_people(rules: Rules) -> Iterator[list[str]]:
    """The names that each person of the rules goes by."""
    for person in rules.people.values():
        yield [person.name, *person.email, *(login for logins in person.logins.values() for login in logins)]


def named_people(entry: Entry, rules: Rules) -> Iterator[str]:
    """Whomever the event itself names, in any role."""
    try:
        events = router.understand(entry, rules)
    except Refused:
        return
    for event in events:
        for role in ROLES.values():
            yield from role(event)


def told(saved: Redacted, before: Entry, rules: Rules) -> Iterator[str]:
    """What was replaced, and whether the rules still take the event as they took it."""
    for kind, (count, places) in sorted(saved.counts.items()):
        yield f"{kind}s replaced: {count}, in {places} {'place' if places == 1 else 'places'}"
    dropped = sorted(before.request.headers.keys() - saved.request.headers.keys())
    if dropped:
        yield f"headers left out: {shown(', '.join(dropped))}"
    was = matched(before, rules)
    now = matched(router.unjournalled(saved.request), rules)
    if was is None:
        yield "the rules cannot read the event: nobody was found in it but by the keys of its body"
    elif now != was:
        yield (
            f"note: this was decided by {', '.join(was) or 'no rule'}, and the fixture is by"
            f" {', '.join(now or ()) or 'no rule'}: a condition asks for what was replaced"
        )


def matched(entry: Entry, rules: Rules) -> Iterable[str] | None:
    """The rules that match an event, by name; ``None`` if it cannot be read."""
    try:
        decisions = router.decisions_on(entry, rules, Memory(), datetime.fromtimestamp(entry.received_at, UTC))
    except Refused:
        return None
    return [step.rule for decision in decisions for step in decision.trace if step.matched]


def write_new(path: Path, content: bytes) -> None:
    try:
        with path.open("xb") as file:
            file.write(content)
    except OSError as fault:
        raise RelayError(f"{path} cannot be written: {fault.strerror}") from None
