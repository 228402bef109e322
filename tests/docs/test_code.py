"""What the pages show can be done: rules load, commands and options exist, addresses answer, settings are read.

Never runs a command that would send anything: it is held against what click knows.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner
from flask import Flask
from werkzeug.exceptions import HTTPException

from bench.delivery import optimum
from docs import generate
from relay import house
from relay.cli.main import main
from relay.settings import Secret, Settings
from relay.web.app import create_app
from tests.conftest import absent
from tests.docs.pages import DOCS, ROOT, Block, Page, page, pages

SECRETS = {
    "BITRIX24_WEBHOOK_URL": "https://acme.bitrix24.ru/rest/1/abcdef/",
    "PAYMENTS_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",  # the example of the Standard Webhooks specification
}
# What stands around a piece of rules, section by section, unless the piece says it itself.
AROUND = {
    "version": "1",
    "portal": "{webhook: '${BITRIX24_WEBHOOK_URL}'}",
    "sources": "{github: {type: github, secret: '${GITHUB_WEBHOOK_SECRET}'},"
    " alertmanager: {type: alertmanager, bearer: '${ALERTMANAGER_TOKEN}'}}",
    "people": "{ivan: {id: 17}, olga: {id: 18}, dana: {id: 19}}",
    "teams": "{backend: [ivan, olga]}",
    "rules": "[]",
    "default": "{to: ivan}",
}
RULES, A_PIECE = "rules.yaml", "rules.yaml …"
OTHERS = {"alertmanager.yml", "prometheus.yml", "tests.yml"}


def titled(*titles: str) -> list[Any]:
    """The blocks of these titles, each once: both languages show the same."""
    found = {each.code: (at, each) for at in pages() for each in at.blocks if each.title in titles}
    return [pytest.param(each, id=f"{at.name}-{each.code[:30]!r}") for at, each in found.values()]


def test_every_block_of_yaml_says_which_file_it_is_of() -> None:
    for each in pages():
        assert {one.title for one in each.blocks if one.language == "yaml"} <= {RULES, A_PIECE, *OTHERS}, each.name


@pytest.mark.parametrize("block", titled(RULES, A_PIECE))
def test_every_piece_of_rules_loads(block: Block, tmp_path: Path) -> None:
    said = re.findall(r"^(\w+):", block.code, re.MULTILINE)
    around = "".join(f"{key}: {value}\n" for key, value in AROUND.items() if key not in said)
    (tmp_path / "people.yaml").write_text("people: {zoe: {id: 99}}\n")  # for a piece that includes it
    (tmp_path / "rules.yaml").write_text((around if block.title == A_PIECE else "") + block.code)

    assert house.read_rules(tmp_path / "rules.yaml", secrets_of(block.code + around)).people


def secrets_of(code: str) -> dict[str, str]:
    return {name: SECRETS.get(name, "any-secret") for name in re.findall(r"\$\{(\w+)\}", code)}


@pytest.mark.parametrize("block", titled("tests.yml"))
def test_every_tests_file_passes_with_the_rules_that_come_with_the_relay(
    block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tests.yml").write_text(block.code)
    (tmp_path / "relay").symlink_to(ROOT / "relay")
    rules = (ROOT / "rules.yaml").read_text(encoding="utf-8")
    for name, value in secrets_of(rules).items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(main, ["test", str(tmp_path / "tests.yml"), "--rules", str(ROOT / "rules.yaml")])

    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("block", titled("alertmanager.yml"))
def test_alertmanager_takes_its_file(block: Block, tmp_path: Path) -> None:
    amtool = shutil.which("amtool") or absent("amtool", "install Debian's package prometheus-alertmanager")
    file = tmp_path / "alertmanager.yml"
    file.write_text(block.code)

    done = subprocess.run([amtool, "check-config", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("block", titled("prometheus.yml"))
def test_the_alerts_that_prometheus_is_to_read_are_there(block: Block) -> None:
    (name,) = yaml.safe_load(block.code)["rule_files"]

    assert (ROOT / "examples" / "prometheus" / name).is_file()


# ── Commands ─────────────────────────────────────────────────────────────────────────────────────────────────


def command_lines(found: Page) -> Iterator[str]:
    """Each line of a block that calls the relay, a continued one joined."""
    for block in found.blocks:
        if block.language in ("sh", "console"):
            for line in re.sub(r"\\\n\s*", "", block.code).splitlines():
                called = re.match(r"(?:\$ )?(?:[A-Z_0-9]+=\S+ )*relay (.+)", line)
                if called:
                    yield re.sub(r"\$\([^)]*\)", "X", called[1])


def lines_shown() -> list[Any]:
    return [
        pytest.param(line, id=line[:60]) for line in sorted({line for each in pages() for line in command_lines(each)})
    ]


@pytest.mark.parametrize("line", lines_shown())
def test_every_command_line_is_one_that_click_takes(line: str) -> None:
    words = shlex.split(re.sub(r" [>|] .*", "", line), comments=True)
    command, rest = resolved(words)
    # A command keeps its help option as it was first asked for it: in the same names as main()'s.
    context = click.Context(command, info_name="relay", **main.context_settings)
    given, _, _ = command.make_parser(context).parse_args(args=list(rest))

    assert not isinstance(command, click.Group), "a group alone does nothing"
    for parameter in command.params:
        if parameter.required:
            assert given.get(str(parameter.name)), f"{parameter.name} is missing"


def resolved(words: Sequence[str]) -> tuple[click.Command, Sequence[str]]:
    """The command that the words name, and the words after it."""
    command: click.Command = main
    for at, word in enumerate(words):
        if not isinstance(command, click.Group) or word.startswith("-"):
            return command, words[at:]
        found = command.get_command(click.Context(command), word)
        assert found is not None, f"there is no command {' '.join(words[: at + 1])}"
        command = found
    return command, ()


@pytest.mark.parametrize("found", [pytest.param(each, id=each.name) for each in pages()])
def test_every_command_that_the_prose_names_exists(found: Page) -> None:
    for span in found.spans:
        if span.startswith("relay ") and "…" not in span:
            command, rest = resolved(span.split()[1:])
            options = {name for one in command.params for name in (*one.opts, *one.secondary_opts)} | {"--help"}
            assert {word for word in rest if word.startswith("-")} <= options, span


def test_the_lines_are_found_at_all() -> None:
    assert len(lines_shown()) > 40


def test_every_target_of_make_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for each in [*pages(), page(ROOT / "CONTRIBUTING.md")]:
        shown = [block.code for block in each.blocks if block.language == "sh"]
        named = re.findall(r"^make ([a-z]+)", "\n".join([*shown, *each.spans]), re.MULTILINE)
        assert set(named) <= targets, each.name


def test_every_bench_and_file_of_ours_that_a_page_names_exists() -> None:
    for each in [*pages(), page(ROOT / "CONTRIBUTING.md")]:
        for module in re.findall(r"python -m (bench\.\w+)", each.text):
            assert (ROOT / f"{module.replace('.', '/')}.py").is_file(), f"{each.name}: {module}"
        for span in each.spans:
            if re.fullmatch(r"(?:relay|tests|docs|bench|examples)/[\w./-]+", span):
                assert (ROOT / span).exists(), f"{each.name}: {span}"


def test_the_best_possible_delivery_is_the_one_that_the_bench_reckons() -> None:
    assert optimum(10_000) == 75.0
    for language in ("en", "ru"):
        assert re.search(r"\b75 (?:s|с)\b", page(DOCS / language / "design.md").text)


# ── Settings ─────────────────────────────────────────────────────────────────────────────────────────────────

SETTINGS = {name for name, _, _ in generate.every_setting()}


def test_the_settings_are_those_that_are_read_from_the_environment() -> None:
    source = (ROOT / "relay" / "settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r"\"((?:RELAY_)?[A-Z][A-Z_]+)\"", source))

    assert read == SETTINGS


@pytest.mark.parametrize("found", [pytest.param(each, id=each.name) for each in pages()])
def test_every_setting_that_a_page_names_exists(found: Page) -> None:
    assert set(re.findall(r"\bRELAY_[A-Z_]+\b", found.text)) <= SETTINGS


# ── HTTP ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder = tmp_path_factory.mktemp("documented")
    (folder / "rules.yaml").write_text("".join(f"{key}: {value}\n" for key, value in AROUND.items()))
    chosen = Settings(rules=folder / "rules.yaml", database_url=Secret(f"sqlite:///{folder}/relay.db"))
    built = house.build(chosen, secrets_of(str(AROUND)))
    yield create_app(built)
    built.close()


OURS = re.compile(r"https?://(?:relay\.example\.com|127\.0\.0\.1:8080|localhost:8080)(/[^\s'\"`),]*)")


@pytest.mark.parametrize("found", [pytest.param(each, id=each.name) for each in pages()])
def test_every_address_of_the_relay_exists(found: Page, app: Flask) -> None:
    addresses = set(OURS.findall(found.text))
    if found.path.stem == "http":
        addresses |= set(re.findall(r"^\| `(/[^`]*)`", found.prose, re.MULTILINE))
    for address in addresses:
        assert exists(app, address.partition("?")[0]), address


def exists(app: Flask, path: str) -> bool:
    for method in ("GET", "POST"):
        try:
            app.url_map.bind("relay.example.com").match(path, method=method)
        except HTTPException:
            continue
        return True
    return False


@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_door_is_documented(app: Flask, language: str) -> None:
    """The pages have names of their own, and a document of their own: these are the doors for programs."""
    text = page(DOCS / language / "http.md").text
    for rule in app.url_map.iter_rules():
        if not rule.endpoint.startswith("pages."):
            assert f"`{rule.rule}`" in text, rule.rule
