"""Commands whose usage errors repeat no value: click quotes what it could not use, and that may be a misplaced secret.

Never changes what is accepted, only what is said about the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import click

_PLAIN_OPTION = re.compile(r"--?[a-z][a-z-]{0,20}")


class DiscreetCommand(click.Command):
    """A command that names the option at fault, and not what it was given."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return _discreetly(super().parse_args, ctx, args)


class DiscreetGroup(click.Group):
    """A group of such commands, called by any of their names in any case. ``also``: other name → name."""

    def __init__(self, *args: Any, also: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._also = {other.casefold(): name for other, name in also.items()}

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        name = cmd_name.casefold()
        return super().get_command(ctx, self._also.get(name, name))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            raise click.UsageError(f"no such command; there are {', '.join(self.list_commands(ctx))}", ctx) from None

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return _discreetly(super().parse_args, ctx, args)


def _discreetly(
    parse_args: Callable[[click.Context, list[str]], list[str]], ctx: click.Context, args: list[str]
) -> list[str]:
    try:
        return parse_args(ctx, args)
    except click.exceptions.NoArgsIsHelpError:
        raise
    except click.UsageError as error:
        raise click.UsageError(_discreet(error), ctx) from None


def _discreet(error: click.UsageError) -> str:
    match error:
        case click.MissingParameter() | click.BadOptionUsage():  # these name options alone
            return error.format_message()
        case click.BadParameter(param=click.Parameter() as parameter):
            return f"the value of {'/'.join(parameter.opts)} does not fit: {parameter.type.name} is expected"
        case click.NoSuchOption() if _PLAIN_OPTION.fullmatch(error.option_name):
            return error.format_message()
        case click.NoSuchOption():
            return "no such option"
        case _:
            return "there are arguments that belong to no option: put a value with blanks in quotes"
