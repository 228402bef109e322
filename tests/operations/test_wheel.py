"""The wheel holds all that the relay needs: installed by itself, it answers, checks rules and makes its tables."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from relay import __version__
from tests.conftest import absent

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "relay" / "cli" / "samples"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as `pip wheel` builds it from what git would give."""
    folder = tmp_path_factory.mktemp("wheel")
    python = shutil.which("python3", path=os.defpath) or sys.executable
    python = next((each for each in (sys.executable, python, "python3") if has_pip(each)), "") or absent(
        "pip", "install Debian's package python3-pip"
    )
    source = folder / "source"
    for name in ("pyproject.toml", "README.md", "LICENSE", "relay"):
        where = ROOT / name
        if where.is_dir():
            shutil.copytree(where, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            source.mkdir(exist_ok=True)
            shutil.copy(where, source / name)
    command = [python, "-m", "pip", "wheel", "--no-deps", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run(
        [*command, "--wheel-dir", str(folder), str(source)], capture_output=True, text=True, check=False
    )
    if done.returncode and "No matching distribution found for hatchling" in done.stderr:
        absent("hatchling", "it is fetched to build the wheel: let pip reach a package index")
    assert done.returncode == 0, done.stderr
    (made,) = folder.glob("*.whl")
    return made


def has_pip(python: str) -> bool:
    return subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0


def test_the_wheel_holds_every_file_of_the_program(wheel: Path) -> None:
    ours = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "relay").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as packed:
        held = {name for name in packed.namelist() if name.startswith("relay/")}

    assert held == ours
    assert {"relay/render/builtin/en.yaml", "relay/store/migrations/env.py", "relay/sandbox/static/page.css"} <= held


PROGRAM = """\
import sys
from importlib.metadata import entry_points
relay = entry_points(name="relay", group="console_scripts")["relay"].load()
for command in sys.argv[1:]:
    print("$", command, flush=True)
    try:
        relay(command.split(), standalone_mode=False)
    except SystemExit as end:
        assert not end.code, command
"""
COMMANDS = ("--version", "check rules.yaml", "explain sample.http", "db upgrade", "events list")


def test_installed_by_itself_it_answers_checks_explains_and_makes_its_tables(wheel: Path, tmp_path: Path) -> None:
    """In a fresh environment; what the wheel stands on is lent by the tests' own."""
    venv.create(tmp_path / "venv", with_pip=False)
    site = next((tmp_path / "venv").glob("lib/python*/site-packages"))
    with zipfile.ZipFile(wheel) as packed:  # to install a pure wheel is to unpack it (PyPA, binary distribution format)
        packed.extractall(site)
    (site / "lent.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")))
    shutil.copy(ROOT / "rules.yaml", tmp_path)
    shutil.copy(SAMPLES / "1-review-request.http", tmp_path / "sample.http")
    secrets = dict.fromkeys(("GITHUB_WEBHOOK_SECRET", "ALERTMANAGER_TOKEN", "GRAFANA_SECRET"), "a-secret-of-it")
    done = subprocess.run(
        [str(tmp_path / "venv" / "bin" / "python"), "-c", PROGRAM, *COMMANDS],
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "BITRIX24_WEBHOOK_URL": "https://acme.bitrix24.ru/rest/1/abcdefgh/",
            "DATABASE_URL": f"sqlite:///{tmp_path}/relay.db",
            **secrets,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout
    answers = dict(re.findall(r"^\$ (.+)\n((?:[^$].*\n|\n)*)", done.stdout, re.MULTILINE))
    assert list(answers) == list(COMMANDS)
    assert __version__ in answers["--version"]
    assert "rules.yaml: good" in answers["check rules.yaml"]
    assert "→ " in answers["explain sample.http"]
    assert "The tables are those of this version." in answers["db upgrade"]
