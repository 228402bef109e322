"""The commands about portals: list them with what keeps them from working, let an application in, forget its tokens.

Never prints a token, and never repeats what was pasted: a code is as good as a password for half a minute.
"""

from __future__ import annotations

import re
import secrets
import sys
from typing import Any
from urllib.parse import parse_qs, urlsplit

import click

from relay import authorisation
from relay.bitrix import address, application
from relay.bitrix.oauth import authorization_link
from relay.bitrix.options import AppOptions, PortalOptions
from relay.cli import context
from relay.errors import RelayError
from relay.rules import Rules
from relay.settings import Secret
from relay.store import findings, portals, tokens
from relay.store.database import Transaction

_CODE = re.compile(r"[\w.~-]{1,300}", re.ASCII)


class BadPaste(RelayError):
    """What was pasted holds no code."""


@click.group()
def portal() -> None:
    """The portals of the rules, and the tokens of applications."""


# ── list ────────────────────────────────────────────────────────────────────────────────────────────────────────


@portal.command("list")
@click.option("--json", "as_json", is_flag=True)
def list_(as_json: bool) -> None:
    """Each portal: how it is entered, since when its tokens are, and what is wrong with it."""
    _, rules = context.configured()
    with context.store() as database, database.read() as tx:
        troubles = {state.name: state for state in portals.everything(tx) if state.trouble}
        shown = [_described(tx, name, options, troubles.get(name)) for name, options in rules.portals.items()]
    if as_json:
        context.print_json(shown)
        return
    for each in shown:
        tags = {True: "tags replace", False: "tags do not replace", None: "tags not measured"}[each["replaces_by_tag"]]
        told = [each["way_in"], each["host"], f"tokens of {each['tokens_since']}" if each["tokens_since"] else "", tags]
        click.echo(f"{each['portal']:<14} {', '.join(filter(None, told))}")
        if each["trouble"]:
            since = f" since {each['since']}" if each["since"] else ""
            click.echo(f"{'':<14} in trouble{since}: {each['trouble']}")


def _described(
    tx: Transaction, name: str, options: PortalOptions, trouble: portals.PortalState | None
) -> dict[str, Any]:
    host = address.from_options(options).host
    kept = tokens.get(tx, authorisation.owner_of(name, options)) if options.app else None
    measured = findings.get(tx, name, f"{options.way_in} {host}")
    why = trouble.why if trouble else authorisation.state_of(name, options, kept)
    return {
        "portal": name,
        "way_in": options.way_in,
        "host": host,
        "tokens_since": context.when(kept.changed_at) if kept else None,
        "replaces_by_tag": measured.replaces_by_tag if measured else None,
        "trouble": why or None,
        "since": context.when(trouble.since) if trouble else None,
    }


# ── login, forget ───────────────────────────────────────────────────────────────────────────────────────────────


@portal.command()
@click.argument("name", default="")
def login(name: str) -> None:
    """Let the relay in as an application: open a link, allow it, paste the address you are sent to.

    NAME is the portal's in the rules; without it, the only one that has `app:`.
    """
    _, rules = context.configured()
    name, options, app = _application(rules, name)
    state = secrets.token_urlsafe(16)
    root = address.root_of(app.domain, insecure=options.insecure)
    click.echo("1. Open this link as the person in whose name notifications shall come, and allow the application:\n")
    click.echo(f"   {authorization_link(root, app.client_id, state=state, insecure=options.insecure)}\n")
    click.echo("2. You are sent on to an address with «code=» in it. It does not matter if nothing is shown there.")
    click.echo("   Paste that address here within 30 seconds:")
    code = _code(sys.stdin.readline(), state)
    with context.store() as database:
        with database.read() as tx:
            now = tx.now
        fresh = application.exchange(app, code, now=now)
        bearer = authorisation.try_out(options, fresh)
        authorisation.keep(database, authorisation.owner_of(name, options), fresh)
    click.echo(f"The relay is let in to {urlsplit(root).netloc} as user {bearer.user_id}. To see that all is well:")
    click.echo(f"relay doctor {name}")


@portal.command()
@click.argument("name")
def forget(name: str) -> None:
    """Keep nothing of an application's tokens any more, so that a new installation is taken."""
    with context.store() as database, database.write() as tx:
        there = tokens.forget(tx, name)
    if not there:
        raise RelayError(f"there are no tokens of a portal {name}; relay portal list shows those there are")
    click.echo(f"The tokens of {name} are forgotten. Install the application again, or run relay portal login {name}.")


def _application(rules: Rules, name: str) -> tuple[str, PortalOptions, AppOptions]:
    """The portal that is meant.

    Raises:
        RelayError: there is none, or several.
    """
    found = [(each, options, options.app) for each, options in rules.portals.items() if options.app]
    meant = [one for one in found if name in ("", one[0])]
    if len(meant) == 1:
        return meant[0]
    if not found:
        raise RelayError("no portal of the rules is an application; give one app: {domain, client_id, client_secret}")
    raise RelayError(f"name one of the applications: {', '.join(each for each, _, _ in found)}")


def _code(pasted: str, state: str) -> Secret:
    """The code in what was pasted: the whole address, whose state must be ours, or the code alone.

    Raises:
        BadPaste: there is none.
    """
    pasted = pasted.strip()
    if not _CODE.fullmatch(pasted):
        try:
            query = parse_qs(urlsplit(pasted).query, max_num_fields=20)
        except ValueError:
            query = {}
        if not Secret(state).matches(query.get("state", [""])[0]):
            raise BadPaste("this is not the address that this link leads to: start again, and paste all of it")
        pasted = query.get("code", [""])[0]
    if not _CODE.fullmatch(pasted):
        raise BadPaste("there is no code in it: allow the application, and paste the address that follows")
    return Secret(pasted)
