"""The README is true in both languages: its rules load, its commands run and print what it shows, nothing is missing.

Never reads the prose: that two texts say the same is for people; that they show the same code is held here.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner

from relay import rules
from relay.cli.main import main
from relay.rules.words import WORDS
from relay.sources import SENDERS
from tests.conftest import absent

ROOT = Path(__file__).parent.parent
READMES = {name: (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.ru.md")}
ENGLISH, RUSSIAN = READMES.values()
ENV = {
    "BITRIX24_WEBHOOK_URL": "https://acme.bitrix24.ru/rest/1/abcdef/",
    "BITRIX24_CLIENT_ID": "local.0123",
    "BITRIX24_CLIENT_SECRET": "client",
    "GITHUB_WEBHOOK_SECRET": "github",
    "ALERTMANAGER_TOKEN": "alertmanager",
    "GRAFANA_SECRET": "grafana",
    "GITHUB_TOKEN": "a-token",
    "DEPLOY_TOKEN": "deploy",
    "GITLAB_WEBHOOK_SECRET": "gitlab",
    "GITEA_WEBHOOK_SECRET": "gitea",
    "SENTRY_CLIENT_SECRET": "sentry",
    "JENKINS_TOKEN": "jenkins",
    "BUILDBOT_TOKEN": "buildbot",
    "ZABBIX_TOKEN": "zabbix",
    "KUMA_TOKEN": "kuma",
    "HEALTHCHECKS_TOKEN": "healthchecks",
    "EVENTS_TOKEN": "events",
    "PAYMENTS_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",  # the specification's example
}
# What stands around a piece of rules, section by section, unless the piece says it itself.
FRAME = {
    "version": "1",
    "portal": "{webhook: '${BITRIX24_WEBHOOK_URL}'}",
    "sources": "{github: {type: github, secret: '${GITHUB_WEBHOOK_SECRET}'},"
    " alertmanager: {type: alertmanager, bearer: '${ALERTMANAGER_TOKEN}'}}",
    "people": "{ivan: {id: 17}, olga: {id: 18}, dana: {id: 19}}",
    "teams": "{backend: [ivan, olga]}",
    "rules": "[]",
    "default": "{to: ivan}",
}


each_readme = pytest.mark.parametrize("readme", [pytest.param(text, id=name) for name, text in READMES.items()])


def blocks(readme: str, language: str) -> list[str]:
    return re.findall(rf"^[ ]*```{language}\n(.*?)^[ ]*```", readme, re.DOTALL | re.MULTILINE)


def found(pattern: str) -> list[Any]:
    """Everything the pattern finds, in each of the files."""
    return [
        pytest.param(match, id=f"{name}-{match[:40]}")
        for name, readme in READMES.items()
        for match in re.findall(pattern, readme, re.MULTILINE)
    ]


def pieces_of_rules() -> Iterator[Any]:
    for name, readme in READMES.items():
        for block in blocks(readme, "yaml"):
            first = block.splitlines()[0]
            if not first.startswith("# ") or "schema" in first:
                yield pytest.param(block, id=f"{name}-{first[:40]}")


@pytest.mark.parametrize("block", list(pieces_of_rules()))
def test_every_piece_of_rules_loads(block: str) -> None:
    block = block.replace("password: …", "password: x")
    said = re.findall(r"^(\w+):", block, re.MULTILINE)
    around = (
        "" if "version" in said else "".join(f"{key}: {value}\n" for key, value in FRAME.items() if key not in said)
    )

    assert rules.load(around + block, env=ENV).people


def test_the_rules_file_that_comes_with_the_relay_loads_without_a_warning() -> None:
    loaded = rules.load((ROOT / "rules.yaml").read_text(encoding="utf-8"), env=ENV)

    assert loaded.warnings == ()


@each_readme
def test_alertmanager_takes_the_snippet(readme: str, tmp_path: Path) -> None:
    amtool = shutil.which("amtool") or absent("amtool", "install Debian's package prometheus-alertmanager")
    (snippet,) = [block for block in blocks(readme, "yaml") if block.startswith("# alertmanager.yml")]
    file = tmp_path / "alertmanager.yml"
    file.write_text(snippet)

    done = subprocess.run([amtool, "check-config", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@each_readme
def test_grafanas_snippet_has_the_keys_of_its_webhook_contact_point(readme: str) -> None:
    (snippet,) = [block for block in blocks(readme, "yaml") if block.startswith("# provisioning")]
    (receiver,) = yaml.safe_load(snippet)["contactPoints"][0]["receivers"]

    # Grafana docs, webhook contact point: the settings' provisioning keys.
    assert receiver["type"] == "webhook"
    assert set(receiver["settings"]) <= {"url", "httpMethod", "maxAlerts", "hmacConfig"}
    assert set(receiver["settings"]["hmacConfig"]) <= {"secret", "header", "timestampHeader"}


def shown_commands() -> Iterator[Any]:
    for name, readme in READMES.items():
        for block in blocks(readme, "console"):
            for command, output in re.findall(r"^\$ relay (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
                yield pytest.param(command, output, id=f"{name}-{command[:40]}")


@pytest.mark.parametrize(("command", "output"), list(shown_commands()))
def test_every_command_that_is_shown_prints_what_is_shown(
    command: str, output: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    for name, value in ENV.items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(main, shlex.split(command))

    assert done.exit_code == 0
    assert done.output.strip() == output.strip()


def below(group: click.Group) -> dict[str, click.Command]:
    """The commands of a group, which may load them only when they are asked for."""
    context = click.Context(group)
    every = {name: group.get_command(context, name) for name in group.list_commands(context)}
    return {name: command for name, command in every.items() if command is not None}


def commands(group: click.Group, prefix: str) -> Iterator[tuple[str, str]]:
    for name, command in below(group).items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{prefix} {name}")
        else:
            yield prefix, name


@each_readme
@pytest.mark.parametrize(("prefix", "name"), list(commands(main, "relay")))
def test_every_command_is_in_the_table(readme: str, prefix: str, name: str) -> None:
    rows = [line for line in readme.splitlines() if line.startswith(f"| `{prefix} ") or f"· `{prefix} " in line]

    assert any(re.search(rf"[ /]{name}[`/ ]", row) for row in rows)


@pytest.mark.parametrize("command", found(r"^\| `relay ([a-z/ -]+)"))
def test_every_command_of_the_table_exists(command: str) -> None:
    first, *rest = command.split()
    group = below(main)[first]
    for name in [part for word in rest for part in word.split("/")]:
        assert isinstance(group, click.Group)
        assert name in below(group)


@each_readme
def test_every_setting_is_documented(readme: str) -> None:
    source = (ROOT / "relay" / "settings.py").read_text(encoding="utf-8")
    for name in re.findall(r"# ([A-Z][A-Z0-9_]+):", source):
        assert f"`{name}`" in readme


@each_readme
def test_every_dependency_says_why_it_is_there(readme: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (table,) = re.findall(r"^(\| flask, .*?)\n\n", readme, re.DOTALL | re.MULTILINE)
    named = {name for row in table.splitlines() for name in re.findall(r"[a-z0-9-]+", row.split("|")[1])}
    for requirement in project["dependencies"]:
        name = re.match(r"[a-z0-9-]+", requirement)
        assert name is not None
        assert name[0] in named


@each_readme
@pytest.mark.parametrize("word", [word for word in WORDS if "." not in word])
def test_every_word_of_an_event_is_documented(readme: str, word: str) -> None:
    assert f"`{word}`" in readme


@each_readme
@pytest.mark.parametrize("option", sorted({name for one in SENDERS.values() for name in one.options.model_fields}))
def test_every_option_of_a_source_is_documented(readme: str, option: str) -> None:
    assert re.search(rf"\b{option}\b", readme)


@pytest.mark.parametrize("link", found(r"\]\(([^)#:]+)\)"))
def test_every_file_that_is_linked_exists(link: str) -> None:
    assert (ROOT / link).exists()


def without_comments(block: str) -> str:
    """The code alone: comments are prose, and are translated."""
    return re.sub(r"(?:^|[ ]+)# .*", "", block, flags=re.MULTILINE)


@pytest.mark.parametrize("language", ["sh", "yaml", "console"])
def test_both_readmes_show_the_same_code(language: str) -> None:
    assert [*map(without_comments, blocks(RUSSIAN, language))] == [*map(without_comments, blocks(ENGLISH, language))]


def shape(readme: str) -> list[int]:
    """The levels of the headings in their order, leaving out what only looks like one inside a block."""
    prose = re.sub(r"^[ ]*```.*?^[ ]*```", "", readme, flags=re.DOTALL | re.MULTILINE)
    return [len(marks) for marks in re.findall(r"^(#+) ", prose, re.MULTILINE)]


def test_both_readmes_have_the_same_sections() -> None:
    assert shape(RUSSIAN) == shape(ENGLISH)


def named(readme: str) -> set[str]:
    """Every key, word, command and file that the prose writes as code."""
    prose = re.sub(r"^[ ]*```.*?^[ ]*```", "", readme, flags=re.DOTALL | re.MULTILINE)
    return {" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)}


def test_the_russian_readme_leaves_out_no_key_word_or_command() -> None:
    assert named(ENGLISH) - named(RUSSIAN) == set()
