"""The command `relay`: its groups and commands gathered, and the relay's own errors told as one sentence.

Does nothing itself. Exit code 0 = done, 1 = the answer is no, or an error (said on standard error), 2 = wrong usage.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

from relay import __version__, log
from relay.errors import RelayError

# Each command and the file that it stands in. A file is loaded when its command is asked for: who serves has no use for
# the stand-in portal or the tools for rules, and starts half a second sooner.
FILES = {
    "demo": "demo",
    "serve": "run",
    "web": "run",
    "work": "run",
    "sandbox": "run",
    "db": "db",
    "check": "check",
    "explain": "rules",
    "render": "render",
    "schema": "rules",
    "test": "trial",
    "diff": "diff",
    "fixture": "fixture",
    "send": "events",
    "events": "events",
    "messages": "messages",
    "drill": "drill",
    "oncall": "oncall",
    "silence": "silence",
    "people": "people",
    "portal": "portal",
    "doctor": "doctor",
    "notify": "notify",
}


class Relay(click.Group):
    """A group that loads a command when it is asked for, and tells the relay's own errors as one sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's own signature
        return sorted(FILES)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002 - as above
        if name not in FILES:
            return None
        command: click.Command = getattr(import_module(f"relay.cli.{FILES[name]}"), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except RelayError as fault:
            click.echo(log.mask(str(fault)), err=True)
            sys.exit(1)


@click.group(cls=Relay, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="relay")
def main() -> None:
    """Webhooks in, Bitrix24 personal notifications out."""
