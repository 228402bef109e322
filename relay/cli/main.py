"""The command `relay`: its groups and commands gathered, and the relay's own errors told as one sentence.

Does nothing itself. Exit code 0 = done, 1 = the answer is no, or an error (said on standard error), 2 = wrong usage.
"""

from __future__ import annotations

import sys
from typing import Any

import click

from relay import __version__, log
from relay.cli import (
    check,
    db,
    demo,
    diff,
    doctor,
    drill,
    events,
    fixture,
    messages,
    notify,
    oncall,
    people,
    portal,
    render,
    rules,
    run,
    silence,
    trial,
)
from relay.errors import RelayError


class Relay(click.Group):
    """A group that tells the relay's own errors as one sentence, without a traceback."""

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


for command in (
    demo.demo,
    run.serve,
    run.web,
    run.work,
    run.sandbox,
    db.db,
    check.check,
    rules.explain,
    render.render,
    rules.schema,
    trial.test,
    diff.diff,
    fixture.fixture,
    events.send,
    events.events,
    messages.messages,
    drill.drill,
    oncall.oncall,
    silence.silence,
    people.people,
    portal.portal,
    doctor.doctor,
    notify.notify,
):
    main.add_command(command)
