"""The command `relay test`: a file of tests against the rules, with coverage.

Never sends anything, and needs no database.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from relay import house, settings, trial
from relay.errors import Complaint, RelayError
from relay.render.filters import plural
from relay.rules import Rule, Rules
from relay.rules.document import Document
from relay.rules.loading import draft
from relay.rules_on_disk import RulesOnDisk
from relay.trial import BadTests, Case, Coverage, Result, junit, report


@dataclass(frozen=True, slots=True)
class Located:
    """The rules' text, in which rules can be found; ``file`` is the name of what is included nowhere."""

    file: str
    document: Document

    def of(self, rule: Rule) -> str:
        """«rules.yaml:31:5»."""
        path = tuple(int(step) if step.isdigit() else step for step in rule.path.split("."))
        place = self.document.place(path)
        return f"{self.document.file(path) or self.file}:{place.line}:{place.column}"


@click.command()
@click.argument("tests", type=click.Path(path_type=Path), required=False)
@click.option("--rules", "rules_path", type=click.Path(path_type=Path), help="test another rules file")
@click.option(
    "--fail-under",
    type=click.FloatRange(0, 100),
    default=0.0,
    metavar="PERCENT",
    help="fail if less than this much of the rules was tried",
)
@click.option(
    "--junit", "junit_path", type=click.Path(path_type=Path), help="write a JUnit report for GitLab or Jenkins"
)
@click.option("-k", "only", default="", metavar="NAME", help="only tests whose names hold this, without coverage")
def test(tests: Path | None, rules_path: Path | None, fail_under: float, junit_path: Path | None, only: str) -> None:
    """Test the rules: events from fixtures, and who must be told what.

    TESTS is by default the tests.yml beside the rules.
    """
    if only and fail_under:
        raise click.UsageError("-k leaves tests out, so that --fail-under would say nothing: use one of them")
    env = house.environment()
    rules_path = rules_path or settings.read(env).rules
    rules = house.read_rules(rules_path, env)
    tests = tests or rules_path.parent / "tests.yml"
    cases = chosen(cases_of(tests, rules), only)
    results = [told(trial.run(case, rules), tests) for case in cases]
    if junit_path is not None:
        write(junit_path, junit.report(results, file=str(tests)))
    enough = bool(only) or covered(results, rules, document_of(rules_path, env), fail_under)
    failed = sum(not result.passed for result in results)
    click.echo(f"{len(results)} {plural(len(results), 'test', 'tests')}, {failed} failed")
    sys.exit(0 if enough and not failed else 1)


def cases_of(tests: Path, rules: Rules) -> Sequence[Case]:
    """The tests of a file, whose fixtures stand relative to it.

    Raises:
        RelayError: the file cannot be opened or used.
    """
    try:
        text = tests.read_bytes().decode("utf-8-sig")
    except OSError as fault:
        raise RelayError(f"{tests}: {fault.strerror}; name the file of tests: relay test TESTS") from None
    except UnicodeDecodeError:
        raise BadTests([Complaint(1, 1, "", "the file is not UTF-8", file=str(tests))]) from None
    return trial.load(text, rules=rules, read=lambda name: (tests.parent / name).read_bytes(), file=str(tests))


def chosen(cases: Sequence[Case], only: str) -> Sequence[Case]:
    found = [case for case in cases if only.casefold() in case.name.casefold()]
    if not found:
        raise RelayError(f"none of the {len(cases)} tests has a name that holds what -k says")
    return found


def told(result: Result, tests: Path) -> Result:
    """Print a result as soon as it is there."""
    click.echo(report.line(result) + ("" if result.passed else f" ({tests}:{result.case.line})"))
    if not result.passed:
        click.echo(f"\n{report.indented(report.failure(result))}\n")
    return result


def document_of(path: Path, env: Mapping[str, str]) -> Located:
    """Where each part of a rules file stands that has been loaded already; parts of it may be in files it includes."""
    disk = RulesOnDisk(path)
    return Located(str(path), draft(disk.text(), env=env, file=str(path), reader=disk.include).document)


def covered(results: Sequence[Result], rules: Rules, located: Located, least: float) -> bool:
    """Print how much of the rules was tried and what was not; is it enough?"""
    found = trial.coverage(rules, [decision for result in results for decision in result.decisions])
    click.echo()
    for line in untried(found, located):
        click.echo(line)
    click.echo(f"coverage: {found.reached} of {found.branches} branches of the rules, {percent(found)} %")
    if found.percent < least:
        click.echo(f"that is less than --fail-under {least:g}", err=True)
    return found.percent >= least


def percent(found: Coverage) -> str:
    """Cut, not rounded: 99.96 % is not all."""
    return f"{int(found.percent * 10) / 10:g}"


def untried(found: Coverage, located: Located) -> Iterator[str]:
    """Each rule that no test has seen in one of its ways, at its place."""
    for rule, matches in found.missing:
        way = "matches" if matches else "does not match"
        yield f"{located.of(rule)}: {rule.name}: no test in which it {way}"


def write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as fault:
        raise RelayError(f"{path} cannot be written: {fault.strerror}") from None
