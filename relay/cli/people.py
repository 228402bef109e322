"""The commands about people: who is who, ids looked up on the portals, and names that belong to nobody.

Never tells anybody anything, and takes what it asks of a portal from the pace that the couriers share.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click

from relay import accounts, house
from relay.bitrix.application import NotAuthorised
from relay.bitrix.users import LookupRefused, State
from relay.cli import context
from relay.errors import PortalUnreachable, RelayError
from relay.moment import moment
from relay.rules import Person, Rules
from relay.rules.accounts import emails, portals_in_use, rules_with_ids, without_id
from relay.rules.pasting import line
from relay.rules.words import shown
from relay.store import accounts as kept
from relay.store.database import Database


@click.group()
def people() -> None:
    """Who is who: the people of the rules, their ids on the portal, and names that mean nobody."""


# ── list ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@people.command("list")
@click.option("--json", "as_json", is_flag=True)
def list_(as_json: bool) -> None:
    """Each person: the id on the portal and where it is from, e-mails and logins, the quiet hours."""
    _, rules = context.configured()
    with context.store() as database, database.read() as tx:
        filled = rules_with_ids(rules, kept.found(tx, younger_than=accounts.LONGEST))
    found = [_described(person, in_file=rules.people[name].id is not None) for name, person in filled.people.items()]
    if as_json:
        context.print_json(found)
        return
    for each in found:
        number = f"{each['id']} ({each['id_from']})" if each["id"] else "no id"
        logins = [f"{kind} {', '.join(names)}" for kind, names in each["logins"].items()]
        quiet = ["has quiet hours"] if each["quiet"] else []
        words = [*each["email"], *logins, each["locale"], each["timezone"], *quiet]
        click.echo(f"{each['name']:<16} {number:<18} {', '.join(words)}")


def _described(person: Person, *, in_file: bool) -> dict[str, Any]:
    return {
        "name": person.name,
        "id": person.id,
        "id_from": None if person.id is None else "file" if in_file else "portal",
        "email": list(person.email),
        "logins": {kind: list(names) for kind, names in person.logins.items()},
        "locale": person.locale,
        "timezone": person.timezone,
        "quiet": bool(person.quiet),
    }


# ── sync ─────────────────────────────────────────────────────────────────────────────────────────────────────────

SIGNS = {"found": "✓", "unsure": "!", "not_found": "✗", "inactive": "✗", "ambiguous": "✗"}

ADVICE: dict[State, str] = {
    "found": "",
    "not_found": "nobody has it whom the relay may see: compare it with the profile, or write the id into people:",
    "inactive": "this person is dismissed: take the entry out, or give it the e-mail of a successor",
    "ambiguous": "several active people have it: write the right one's id into people:",
    "unsure": "the portal did not answer this question to the end: try again, or write the id into people:",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """What became of one e-mail of one person on one portal."""

    portal: str
    person: str
    email: str
    state: State
    id: int | None
    advice: str


@people.command()
@click.option("--portal", "only", default="", help="Only this portal of the rules.")
@click.option("--dry-run", is_flag=True, help="Ask, but keep nothing.")
@click.option("--json", "as_json", is_flag=True)
def sync(only: str, dry_run: bool, as_json: bool) -> None:
    """Look up the ids of people who have an email and no id, by asking the portal.

    An id is kept only if exactly one active user has the very e-mail. A running relay goes by it within ten seconds,
    and asks again every hour. An id in the file always wins. Fifty e-mails are one request of the portal's pace, which
    the messages need too: while thousands of them wait, this waits with them.
    """
    _, rules = context.configured()
    if only and only not in rules.portals:
        raise RelayError(f"no portal is called so; there are {', '.join(rules.portals)}")
    rows = []
    with context.store() as database:
        for name in [only] if only else portals_in_use(rules):
            for row in _synced(database, rules, name, dry_run=dry_run):
                rows.append(row)
                if not as_json:
                    _print(row)
        with database.read() as tx:
            filled = rules_with_ids(rules, kept.found(tx, younger_than=accounts.LONGEST))
    if as_json:
        context.print_json([{name: getattr(row, name) for name in _Row.__dataclass_fields__} for row in rows])
    else:
        _conclude(rules, filled, rows, dry_run=dry_run)
    sys.exit(1 if any(row.state != "found" for row in rows) else 0)


def _synced(database: Database, rules: Rules, name: str, *, dry_run: bool) -> Iterator[_Row]:
    """
    Raises:
        RelayError: the portal looks nobody up; the sentence says what to do.
    """
    owners = {email: person.name for person in without_id(rules).values() for email in emails([person])}
    to = house.destination(database, name, rules.portals[name])
    try:
        for each in accounts.sync(database, to, tuple(owners), dry_run=dry_run):
            yield _Row(
                portal=name,
                person=owners[each.email],
                email=each.email,
                state=each.state,
                id=each.user_id or None,
                advice=ADVICE[each.state],
            )
    except (NotAuthorised, PortalUnreachable, LookupRefused) as fault:
        raise RelayError(f"portal {name}: {fault}") from None
    finally:
        to.client.close()


def _print(row: _Row) -> None:
    found = f"id {row.id}" if row.state == "found" else row.state.replace("_", " ")
    advice = f" → {row.advice}" if row.advice else ""
    click.echo(f"{SIGNS[row.state]} {row.portal:<10} {row.person:<16} {row.email}: {found}{advice}")


def _conclude(rules: Rules, filled: Rules, rows: list[_Row], *, dry_run: bool) -> None:
    """Whoever was found and yet has no id: another has it, or two of his addresses or portals do not agree."""
    if not rows:
        click.echo("Nobody has an email and no id: there is nothing to look up.")
    for name in without_id(rules):
        ids = sorted({row.id for row in rows if row.person == name and row.id})
        if ids and filled.people[name].id is None and not dry_run:
            numbers = ", ".join(map(str, ids))
            click.echo(
                f"! {name} gets none of the ids found ({numbers}): it is another's, or portals or e-mails differ"
            )


# ── unmapped ─────────────────────────────────────────────────────────────────────────────────────────────────────


@people.command()
@click.option("--since", default="7d", show_default=True, metavar="2h|7d|TIME", help="Seen since then.")
@click.option("--json", "as_json", is_flag=True)
def unmapped(since: str, as_json: bool) -> None:
    """Names that events gave and that mean nobody, the most frequent first, each with a line to paste."""
    try:
        start = moment(since, time.time())
    except ValueError:
        raise click.BadParameter("write 2h, 7d, or a time such as 2026-11-23T10:00 (UTC)") from None
    _, rules = context.configured()
    with context.store() as database, database.read() as tx:
        found = kept.strangers(tx, since=start)
    if as_json:
        context.print_json(
            [
                {"source": each.source, "name": each.name, "count": each.count, "last_at": context.when(each.last_at)}
                | {"paste": line(each.source, each.name, rules)}
                for each in found
            ]
        )
        return
    for each in found:
        when, paste = context.when(each.last_at), line(each.source, each.name, rules)
        click.echo(f"{each.count:>6}  {when}  {each.source:<14} {shown(each.name):<30} {paste}")
    if not found:
        click.echo(f"Every name seen since {context.when(start)} means somebody.")
