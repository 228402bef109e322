"""The README is true: its rules load, its commands run and print what it shows, and nothing that exists is missing."""

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
README = (ROOT / "README.md").read_text(encoding="utf-8")
ENV = {
    "BITRIX24_WEBHOOK_URL": "https://acme.bitrix24.ru/rest/1/abcdef/",
    "BITRIX24_TOKEN": "token",
    "GITHUB_WEBHOOK_SECRET": "github",
    "ALERTMANAGER_TOKEN": "alertmanager",
    "GRAFANA_SECRET": "grafana",
    "DEPLOY_TOKEN": "deploy",
}
FRAME = """\
version: 1
{portal}
{sources}
people: {{ivan: {{id: 17}}}}
rules: []
default: {{to: ivan}}
"""
SOURCES = "sources: {github: {type: github, secret: '${GITHUB_WEBHOOK_SECRET}'}}"
PORTAL = "portal: {webhook: '${BITRIX24_WEBHOOK_URL}'}"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^[ ]*```{language}\n(.*?)^[ ]*```", README, re.DOTALL | re.MULTILINE)


def pieces_of_rules() -> Iterator[Any]:
    for block in blocks("yaml"):
        first = block.splitlines()[0]
        if not first.startswith("# ") or "schema" in first:
            yield pytest.param(block, id=first[:40])


@pytest.mark.parametrize("block", list(pieces_of_rules()))
def test_every_piece_of_rules_loads(block: str) -> None:
    block = block.replace("password: …", "password: x")
    if "version: 1" not in block:
        is_portal = block.startswith("portal:")
        block = FRAME.format(portal=block if is_portal else PORTAL, sources=SOURCES if is_portal else block)

    assert rules.load(block, env=ENV).people


def test_the_rules_file_that_comes_with_the_relay_loads_without_a_warning() -> None:
    loaded = rules.load((ROOT / "rules.yaml").read_text(encoding="utf-8"), env=ENV)

    assert loaded.warnings == ()


def test_alertmanager_takes_the_snippet(tmp_path: Path) -> None:
    amtool = shutil.which("amtool") or absent("amtool", "install Debian's package prometheus-alertmanager")
    (snippet,) = [block for block in blocks("yaml") if block.startswith("# alertmanager.yml")]
    file = tmp_path / "alertmanager.yml"
    file.write_text(snippet)

    done = subprocess.run([amtool, "check-config", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_grafanas_snippet_has_the_keys_of_its_webhook_contact_point() -> None:
    (snippet,) = [block for block in blocks("yaml") if block.startswith("# provisioning")]
    (receiver,) = yaml.safe_load(snippet)["contactPoints"][0]["receivers"]

    # Grafana docs, webhook contact point: the settings' provisioning keys.
    assert receiver["type"] == "webhook"
    assert set(receiver["settings"]) <= {"url", "httpMethod", "maxAlerts", "hmacConfig"}
    assert set(receiver["settings"]["hmacConfig"]) <= {"secret", "header", "timestampHeader"}


def shown_commands() -> Iterator[Any]:
    for block in blocks("console"):
        for command, output in re.findall(r"^\$ relay (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
            yield pytest.param(command, output, id=command[:40])


@pytest.mark.parametrize(("command", "output"), list(shown_commands()))
def test_every_command_that_is_shown_prints_what_is_shown(
    command: str, output: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    for name in set(ENV) - {"BITRIX24_TOKEN"}:
        monkeypatch.setenv(name, ENV[name])
    done = CliRunner().invoke(main, shlex.split(command))

    assert done.exit_code == 0
    assert done.output.strip() == output.strip()


def commands(group: click.Group, prefix: str) -> Iterator[tuple[str, str]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{prefix} {name}")
        else:
            yield prefix, name


@pytest.mark.parametrize(("prefix", "name"), list(commands(main, "relay")))
def test_every_command_is_in_the_table(prefix: str, name: str) -> None:
    rows = [line for line in README.splitlines() if line.startswith(f"| `{prefix} ") or f"· `{prefix} " in line]

    assert any(re.search(rf"[ /]{name}[`/ ]", row) for row in rows)


@pytest.mark.parametrize("command", re.findall(r"^\| `relay ([a-z/ -]+)", README, re.MULTILINE))
def test_every_command_of_the_table_exists(command: str) -> None:
    first, *rest = command.split()
    group = main.commands[first]
    for name in [part for word in rest for part in word.split("/")]:
        assert isinstance(group, click.Group)
        assert name in group.commands


def test_every_setting_is_documented() -> None:
    source = (ROOT / "relay" / "settings.py").read_text(encoding="utf-8")
    for name in re.findall(r"# ([A-Z][A-Z0-9_]+):", source):
        if name != "RELAY_ADMIN_PASSWORD":  # its pages are still to come
            assert f"`{name}`" in README


def test_every_dependency_says_why_it_is_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (table,) = re.findall(r"^\| package \| because \|\n(.*?)\n\n", README, re.DOTALL | re.MULTILINE)
    named = {name for row in table.splitlines() for name in re.findall(r"[a-z0-9-]+", row.split("|")[1])}
    for requirement in project["dependencies"]:
        name = re.match(r"[a-z0-9-]+", requirement)
        assert name is not None
        assert name[0] in named


@pytest.mark.parametrize("word", [word for word in WORDS if "." not in word])
def test_every_word_of_an_event_is_documented(word: str) -> None:
    assert f"`{word}`" in README


@pytest.mark.parametrize("option", sorted({name for one in SENDERS.values() for name in one.options.model_fields}))
def test_every_option_of_a_source_is_documented(option: str) -> None:
    assert re.search(rf"\b{option}\b", README)


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#:]+)\)", README))
def test_every_file_that_is_linked_exists(link: str) -> None:
    assert (ROOT / link).exists()
