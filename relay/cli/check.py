"""The command `relay check`: every complaint about the rules at once, and what is suspicious in them.

Never opens the database and never sends anything.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from relay import fixture, house, settings
from relay.cli import context
from relay.errors import Complaint, Level, RelayError
from relay.model import Request
from relay.rules.lint import CODES, Checked
from relay.rules.lint import Fixture as Tried

BUNDLED = Path(__file__).parent / "samples"


@click.command()
@click.argument("rules", type=click.Path(path_type=Path), required=False)
@click.option(
    "--fixtures",
    "folders",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Try the templates on these requests too: a file, or a folder with *.http below it. May be repeated.",
)
@click.option("--format", "shape", type=click.Choice(["text", "github", "json"]), default="text", show_default=True)
@click.option("--ignore", multiple=True, type=click.Choice([*CODES]), metavar="CODE", help="Silence a kind of finding.")
@click.option("--strict", is_flag=True, help="Exit with 1 also when there are warnings.")
def check(rules: Path | None, folders: Sequence[Path], shape: str, ignore: Sequence[str], strict: bool) -> None:
    """Check the rules file: every complaint at once, as file:line:col: path: message [code].

    Errors keep the file from being used. Warnings ask to be looked at: rules that are never asked, conditions that
    cannot hold, templates that fail. Notes only tell. A comment silences a finding where it stands: # ignore: CODE.
    """
    env = house.environment()
    path = rules or settings.read(env).rules
    checked = house.check_rules(path, env, fixtures=[*_bundled(), *_fixtures(folders)], ignore=ignore)
    count = Counter(complaint.level for complaint in checked.complaints)
    SHAPES[shape](checked.complaints)
    click.echo(f"{path}: {_summary(checked, count)}", err=True)
    sys.exit(1 if count["error"] or (strict and count["warning"]) else 0)


def _summary(checked: Checked, count: Counter[Level]) -> str:
    levels: tuple[Level, ...] = ("warning", "note")
    found = [f"{count[level]} {level}{'s' if count[level] > 1 else ''}" for level in levels if count[level]]
    if checked.rules is None:
        return ", ".join([f"{count['error']} to mend", *found])
    good = f"good; {len(checked.rules.sources)} sources, {len(checked.rules.people)} people"
    return ", ".join([good, *found])


# ── Fixtures ──────────────────────────────────────────────────────────────────────────────────────────────────


def _bundled() -> Iterator[Tried]:
    """The demo's requests. They hold only what the demo needs, so that nothing follows from what is not in them."""
    for path in sorted(BUNDLED.glob("*.http")):
        yield Tried(name=path.name, request=fixture.parse(path.read_bytes()), whole=False)


def _fixtures(folders: Sequence[Path]) -> Iterator[Tried]:
    """
    Raises:
        RelayError: a file is no fixture, or cannot be read.
    """
    for folder in folders:
        for path in sorted(folder.rglob("*.http")) if folder.is_dir() else [folder]:
            yield Tried(name=str(path), request=_request(path))


def _request(path: Path) -> Request:
    try:
        return fixture.parse(path.read_bytes())
    except OSError as fault:
        raise RelayError(f"{path}: {fault.strerror}") from None
    except fixture.BadFixture as fault:
        raise RelayError(f"{path}: {fault}") from None


# ── Shapes ────────────────────────────────────────────────────────────────────────────────────────────────────


def _text(complaints: Sequence[Complaint]) -> None:
    for complaint in complaints:
        click.echo(str(complaint))


def _json(complaints: Sequence[Complaint]) -> None:
    context.print_json([asdict(complaint) for complaint in complaints])


def _github(complaints: Sequence[Complaint]) -> None:
    for complaint in complaints:
        click.echo(annotation(complaint))


SHAPES: Mapping[str, Callable[[Sequence[Complaint]], None]] = {"text": _text, "json": _json, "github": _github}

# GitHub docs, «Workflow commands for GitHub Actions»; the escapes are those of the toolkit, actions/core, command.ts.
_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}
_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}


def annotation(complaint: Complaint) -> str:
    """A complaint as a workflow command, which GitHub shows at the line of the file."""
    where = {
        "file": complaint.file,
        "line": str(complaint.line),
        "col": str(complaint.column),
        "title": complaint.code or "rules",
    }
    properties = ",".join(f"{name}={_escaped(value, _PROPERTY)}" for name, value in where.items())
    says = f"{complaint.path}: {complaint.message}" if complaint.path else complaint.message
    return f"::{_COMMANDS[complaint.level]} {properties}::{_escaped(says, _DATA)}"


def _escaped(text: str, signs: Mapping[str, str]) -> str:
    return "".join(signs.get(sign, sign) for sign in text)
