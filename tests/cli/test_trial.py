"""`relay test`: its lines, its exit codes, and the tests of our own rules."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from relay.cli.main import main

ROOT = Path(__file__).parent.parent.parent
RULES = """\
version: 1
portal: {domain: acme.bitrix24.ru, token: portal-token}
sources: {x: {type: json, open: true}}
people: {ivan: {id: 17}, olga: {id: 18}}
rules:
  - {name: alarms, when: {payload.kind: alarm}, to: ivan}
  - name: builds
    when: {payload.kind: build}
    to: olga
default: drop
"""
TESTS = """\
version: 1
tests:
  - {name: an alarm, fixture: alarm.http, expect: [{person: ivan}]}
  - {name: no alarm, fixture: alarm.http, set: {payload.kind: quiet}, expect: none, because: dropped}
"""
FAILING = TESTS + "  - {name: a mistake, fixture: alarm.http, expect: [{person: olga}]}\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
    (tmp_path / "tests.yml").write_text(TESTS, encoding="utf-8")
    (tmp_path / "alarm.http").write_bytes(b'POST /in/x HTTP/1.1\n\n{"kind": "alarm"}\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RELAY_RULES", raising=False)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["test", *arguments])


def test_good_tests_are_a_line_each_and_then_what_they_left_out() -> None:
    result = run()

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "✓ an alarm\n"
        "✓ no alarm\n"
        "\n"
        "rules.yaml:7:5: builds: no test in which it matches\n"
        "coverage: 4 of 5 branches of the rules, 80 %\n"
        "2 tests, 0 failed\n"
    )


def test_a_rule_of_an_included_file_is_named_at_its_place_there(folder: Path) -> None:
    (folder / "more.yaml").write_text("version: 1\nrules:\n  - {name: extra, when: {payload.kind: x}, to: ivan}\n")
    (folder / "rules.yaml").write_text(RULES.replace("version: 1\n", "version: 1\ninclude: [more.yaml]\n"))

    assert "more.yaml:3:5: extra: no test in which it matches\n" in run().stdout


def test_a_failure_shows_its_place_what_came_and_why(folder: Path) -> None:
    (folder / "tests.yml").write_text(FAILING, encoding="utf-8")

    result = run()

    assert result.exit_code == 1
    assert (
        "✗ a mistake (tests.yml:5)\n"
        "\n"
        "    expected:\n"
        "      ✗ olga\n"
        "    came:\n"
        "      ✗ ivan, by alarms, no tag, text «event»\n"
        "\n"
        "    ✓ alarms (rules.0) — stops here\n"
    ) in re.sub(r"text «.*»", "text «event»", result.stdout)
    assert result.stdout.endswith("3 tests, 1 failed\n")


@pytest.mark.parametrize(("least", "code"), [("80", 0), ("80.1", 1), ("0", 0)])
def test_coverage_can_be_demanded(least: str, code: int) -> None:
    result = run("--fail-under", least)

    assert result.exit_code == code
    assert ("less than --fail-under" in result.stderr) is bool(code)


def test_only_some_tests_are_run_by_name_and_then_coverage_says_nothing(folder: Path) -> None:
    (folder / "tests.yml").write_text(FAILING, encoding="utf-8")

    result = run("-k", "ALARM")

    assert (result.exit_code, result.stdout) == (0, "✓ an alarm\n✓ no alarm\n2 tests, 0 failed\n")
    assert run("-k", "mistake").exit_code == 1
    assert run("-k", "nothing of the kind").exit_code == 1


def test_another_file_is_tested_against_other_rules_and_finds_its_fixtures(folder: Path) -> None:
    other = folder / "other"
    other.mkdir()
    (other / "mine.yml").write_text(TESTS.replace("alarm.http", "../alarm.http"), encoding="utf-8")
    (other / "rules.yaml").write_text(RULES.replace("to: ivan", "to: olga"), encoding="utf-8")

    assert run("other/mine.yml").exit_code == 0
    assert run("other/mine.yml", "--rules", "other/rules.yaml").exit_code == 1


def test_the_tests_beside_the_rules_are_the_default(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    monkeypatch.setenv("RELAY_RULES", str(folder / "rules.yaml"))

    assert run().exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("nowhere.yml",), 1, "nowhere.yml: No such file or directory; name the file of tests"),
        (("alarm.http",), 1, "alarm.http:3:8: this is not YAML"),
        (("--rules", "nowhere.yaml"), 1, "nowhere.yaml: No such file"),
        (("--fail-under", "101"), 2, "--fail-under"),
        (("--fail-under", "90", "-k", "x"), 2, "use one of them"),
        (("--nonsense",), 2, "No such option"),
        (("--junit", "no/such/folder.xml"), 1, "cannot be written: No such file or directory"),
    ],
)
def test_what_cannot_be_done_is_said(arguments: tuple[str, ...], code: int, said: str) -> None:
    result = run(*arguments)

    assert result.exit_code == code
    assert said in result.stderr


def test_a_fixture_that_is_no_path_is_complained_of(folder: Path) -> None:
    (folder / "tests.yml").write_text(TESTS.replace("fixture: alarm.http, expect", 'fixture: "\\0", expect'))

    assert run().stderr == "tests.yml:3:31: tests.0.fixture: cannot be read: this is no path\n"


def test_bytes_that_are_no_text_are_complained_of(folder: Path) -> None:
    (folder / "tests.yml").write_bytes(b"\xff")

    assert run().stderr == "tests.yml:1:1: the file is not UTF-8\n"


def test_a_junit_report_is_written_also_of_failures(folder: Path) -> None:
    (folder / "tests.yml").write_text(FAILING, encoding="utf-8")

    run("--junit", "report.xml")

    (suite,) = ElementTree.parse(folder / "report.xml").getroot()
    assert (suite.get("tests"), suite.get("failures"), suite[2].get("line")) == ("3", "1", "5")


# ── Our own ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for name in ("GITHUB_WEBHOOK_SECRET", "ALERTMANAGER_TOKEN", "GRAFANA_SECRET"):
        monkeypatch.setenv(name, "a-secret")
    monkeypatch.setenv("BITRIX24_WEBHOOK_URL", "https://acme.bitrix24.ru/rest/1/abcdefgh/")


@pytest.mark.usefixtures("ours")
def test_the_rules_that_come_with_the_relay_pass_their_tests_which_try_all_of_them() -> None:
    result = run("--fail-under", "100")

    assert result.exit_code == 0, result.output


@pytest.mark.usefixtures("ours")
@pytest.mark.parametrize("readme", ["README.md", "README.ru.md"])
def test_the_tests_that_the_readme_shows_pass(readme: str, tmp_path: Path) -> None:
    (block,) = re.findall(r"```yaml\n(# tests\.yml.*?)```", (ROOT / readme).read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "tests.yml").write_text(block.replace("fixture: ", f"fixture: {ROOT}/"), encoding="utf-8")

    result = run(str(tmp_path / "tests.yml"))

    assert result.exit_code == 0, result.output
