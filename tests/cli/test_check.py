"""`relay check`: what it prints in each shape, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from relay.cli.check import annotation
from relay.cli.main import main
from relay.errors import Complaint

GOOD = """\
version: 1
portal: {domain: example.bitrix24.ru, token: "${TOKEN}"}
sources: {github: {type: github, secret: "${TOKEN}"}}
people: {ivan: {id: 17, github: ivan-petrov}}
templates: {t: {text: "x {{ event.payload.pull_request.titel }}"}}
rules:
  - {when: {event: pull_request}, to: ivan, template: t}
"""
SHADOWED = f"{GOOD}  - {{when: {{event: pull_request, branch: main}}, to: ivan}}\n"
FIXTURES = Path(__file__).parents[1] / "fixtures" / "github"


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TOKEN", "a-token")
    monkeypatch.setenv("RELAY_RULES", str(tmp_path / "rules.yaml"))
    return tmp_path / "rules.yaml"


def check(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["check", *arguments])


def test_good_rules_are_called_good(rules: Path) -> None:
    rules.write_text(GOOD, encoding="utf-8")

    result = check()

    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"{rules}: good; 1 sources, 1 people\n"


def test_warnings_are_told_and_end_with_0_but_when_one_is_strict(rules: Path) -> None:
    rules.write_text(SHADOWED, encoding="utf-8")

    result = check()

    assert (result.exit_code, result.stdout.count("\n")) == (0, 1)
    assert result.stdout.startswith(f"{rules}:8:5: warning: rules.1: is never asked: ")
    assert result.stdout.endswith(" [shadowed]\n")
    assert result.stderr.endswith(", 1 warning\n")
    assert check("--strict").exit_code == 1
    assert check("--strict", "--ignore", "shadowed").exit_code == 0


def test_errors_end_with_1_and_are_all_told(rules: Path) -> None:
    rules.write_text(GOOD.replace("to: ivan", "to: ivna").replace("template: t", "template: u"), encoding="utf-8")

    result = check()

    assert (result.exit_code, result.stdout.count("\n")) == (1, 2)
    assert result.stderr == f"{rules}: 2 to mend\n"


def test_another_file_may_be_named_and_one_that_is_not_there_is_an_error(rules: Path) -> None:
    other = rules.with_name("other.yaml")
    other.write_text(GOOD, encoding="utf-8")

    assert check(str(other)).exit_code == 0
    assert check(str(rules)).exit_code == 1


def test_bytes_that_are_no_text_are_a_complaint(rules: Path) -> None:
    rules.write_bytes(b"\xff\xfe")

    result = check()

    assert (result.exit_code, "not UTF-8" in result.stdout) == (1, True)


def test_templates_are_tried_on_the_fixtures_of_a_folder(rules: Path) -> None:
    rules.write_text(GOOD, encoding="utf-8")

    result = check("--fixtures", str(FIXTURES), "--format", "json")

    (found,) = json.loads(result.stdout)
    assert (found["code"], found["level"], found["line"], found["path"]) == (
        "no-such-field",
        "warning",
        5,
        "templates.t.text",
    )
    assert check("--fixtures", str(FIXTURES / "pull_request__merged.http")).stdout.count("no-such-field") == 1


def test_a_file_that_is_no_fixture_is_an_error_that_names_it(rules: Path) -> None:
    rules.write_text(GOOD, encoding="utf-8")

    result = check("--fixtures", str(rules))

    assert (result.exit_code, str(rules) in result.stderr) == (1, True)


def test_github_is_told_by_workflow_commands(rules: Path) -> None:
    rules.write_text(SHADOWED, encoding="utf-8")

    line = check("--format", "github").stdout

    assert line.startswith(f"::warning file={rules},line=8,col=5,title=shadowed::rules.1: is never asked: ")


@pytest.mark.parametrize(
    ("complaint", "command"),
    [
        (Complaint(1, 2, "a.b", "is bad"), "::error file=rules.yaml,line=1,col=2,title=rules::a.b: is bad"),
        (Complaint(1, 2, "", "x", "note", code="c"), "::notice file=rules.yaml,line=1,col=2,title=c::x"),
        # actions/core, command.ts: % \r \n are escaped in both, : and , in properties alone
        (
            Complaint(1, 2, "", "50%, a\r\nb::c", "warning", "a,b:c%.yaml", "d"),
            "::warning file=a%2Cb%3Ac%25.yaml,line=1,col=2,title=d::50%25, a%0D%0Ab::c",
        ),
    ],
)
def test_a_workflow_command_is_escaped_as_github_reads_it(complaint: Complaint, command: str) -> None:
    assert annotation(complaint) == command


def test_an_unknown_code_is_wrong_usage(rules: Path) -> None:
    rules.write_text(GOOD, encoding="utf-8")

    assert check("--ignore", "nonsense").exit_code == 2
