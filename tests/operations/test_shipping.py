"""Every file by which the relay is run somewhere says what it must, and names only what there is."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import click
import pytest

from relay.bitrix.client import READ_TIMEOUT
from relay.cli.main import main
from relay.web.server import PATIENCE
from tests.conftest import absent
from tests.operations.strict_yaml import read

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
OURS = ("systemd", "nginx", "caddy", "kubernetes", "grafana-dashboard")
UNIT = EXAMPLES / "systemd" / "bitrix24-relay.service"
COMMANDS = set(main.list_commands(click.Context(main)))


@pytest.mark.parametrize("folder", OURS)
def test_each_example_has_a_readme_that_names_its_files(folder: str) -> None:
    here = EXAMPLES / folder
    text = (here / "README.md").read_text(encoding="utf-8")

    assert text.startswith("# ")
    assert [path.name for path in here.iterdir() if path.name != "README.md" and path.name not in text] == []


# ── systemd ───────────────────────────────────────────────────────────────────────────────────────────────────────


def systemd(*command: str, unit: Path) -> str:
    program = shutil.which("systemd-analyze") or absent("systemd-analyze", "install Debian's package systemd")
    done = subprocess.run([program, *command, str(unit)], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name  # with a program that is there
    unit.write_text(UNIT.read_text(encoding="utf-8").replace("/opt/bitrix24-relay/bin/relay", "/bin/true"))

    assert systemd("verify", "--man=no", unit=unit).strip() == ""


def test_the_unit_is_hardened() -> None:
    told = systemd("security", "--offline=true", unit=UNIT)

    (level,) = re.findall(r"Overall exposure level for \S+: ([\d.]+)", told)
    assert float(level) < 1.5


def test_the_unit_starts_the_relay_and_gives_it_time_to_end() -> None:
    said = dict(re.findall(r"^(\w+)=(.*)$", UNIT.read_text(encoding="utf-8"), re.MULTILINE))

    assert said["ExecStart"].split()[1] in COMMANDS
    assert float(said["TimeoutStopSec"]) > PATIENCE + 5
    assert (said["KillMode"], said["Restart"], said["StartLimitIntervalSec"]) == ("mixed", "always", "0")


# ── The container ─────────────────────────────────────────────────────────────────────────────────────────────────


def instructions() -> list[tuple[str, str]]:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#")).replace("\\\n", " ")
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines.splitlines() if line)]


def last(instruction: str) -> str:
    return [rest for word, rest in instructions() if word == instruction][-1]


def test_the_image_is_made_of_files_that_there_are_and_that_docker_is_given() -> None:
    ignored = [line for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[0] != "#"]
    given = [line[1:] for line in ignored if line.startswith("!")]
    copied = [rest.split()[:-1] for word, rest in instructions() if word == "COPY" and "--from" not in rest]

    assert ignored[0] == "*"
    assert sorted(name for names in copied for name in names) == sorted(given)
    assert all((ROOT / name).exists() for name in given)
    assert not any(fnmatch(".env", name) or "rules" in name for name in given)


def test_the_image_runs_as_nobody_and_can_be_read_only() -> None:
    assert last("USER") == "10001:10001"
    assert last("STOPSIGNAL") == "SIGTERM"
    assert last("VOLUME") == last("WORKDIR") == "/var/lib/relay"
    assert "PYTHONDONTWRITEBYTECODE=1" in last("ENV")
    assert "--require-hashes" in " ".join(rest for word, rest in instructions() if word == "RUN")


def test_the_image_s_entry_runs_where_only_its_own_files_are(tmp_path: Path) -> None:
    """As in the image: the program alone in a folder, found by PYTHONPATH, started elsewhere."""
    app, elsewhere = tmp_path / "app", tmp_path / "elsewhere"
    for folder in (app, elsewhere):
        folder.mkdir()
    (app / "relay").symlink_to(ROOT / "relay")
    program, *entry = json.loads(last("ENTRYPOINT"))
    assert program == "python"
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(app), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *entry, "--version"], cwd=elsewhere, env=env, capture_output=True, text=True, check=True
    )

    assert re.fullmatch(r"relay, version [\d.]+\n", done.stdout)
    assert json.loads(last("CMD"))[0] in COMMANDS


def test_the_image_s_health_check_is_a_program_that_asks_the_door() -> None:
    _, _, command = last("HEALTHCHECK").partition("CMD ")
    program, flag, code = json.loads(command)

    assert (program, flag) == ("python", "-c")
    compile(code, "healthcheck", "exec")
    assert "/healthz" in code


# ── Compose ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    (composed,) = read(ROOT / "compose.yaml")
    assert set(composed) == {"x-relay", "services", "volumes"}
    return dict(composed["services"])


def test_compose_runs_a_door_a_worker_and_a_database(services: dict[str, Any]) -> None:
    assert {name: each.get("command") for name, each in services.items()} == {
        "web": ["web"],
        "worker": ["work"],
        "db": None,
    }
    for name in ("web", "worker"):
        each = services[name]
        assert each["command"][0] in COMMANDS
        assert each["read_only"] is True
        assert each["cap_drop"] == ["ALL"]
        assert each["security_opt"] == ["no-new-privileges:true"]
        assert each["depends_on"] == {"db": {"condition": "service_healthy"}}
        assert int(each["stop_grace_period"].removesuffix("s")) > PATIENCE + 5
        assert "@db/" in each["environment"]["DATABASE_URL"]
        assert any(str(folder).startswith("/var/lib/relay") for folder in each["tmpfs"])
    assert services["worker"]["healthcheck"] == {"disable": True}
    assert int(services["worker"]["stop_grace_period"].removesuffix("s")) > READ_TIMEOUT + 10


def test_compose_opens_the_door_to_this_machine_alone_and_the_database_to_nobody(services: dict[str, Any]) -> None:
    assert services["web"]["ports"] == ["127.0.0.1:8080:8080"]
    assert "ports" not in services["worker"]
    assert "ports" not in services["db"]
    assert services["db"]["healthcheck"]["test"][:2] == ["CMD", "pg_isready"]


def test_no_password_stands_in_a_file(services: dict[str, Any]) -> None:
    for path in (ROOT / "compose.yaml", *EXAMPLES.joinpath("kubernetes").glob("*.yaml")):
        for line in path.read_text(encoding="utf-8").splitlines():
            assert not re.search(r"(?i)(password|secret|token)\w*: +(?!false)[^${{\s]", line), line


# ── Kubernetes ────────────────────────────────────────────────────────────────────────────────────────────────────

MANIFESTS: list[dict[str, Any]] = read(EXAMPLES / "kubernetes" / "relay.yaml")
# What each kind must and may have (Kubernetes API reference, v1.33), as far as it is used here.
KINDS = {
    "ServiceAccount": ("v1", {"automountServiceAccountToken"}),
    "Service": ("v1", {"spec"}),
    "Deployment": ("apps/v1", {"spec"}),
    "PodDisruptionBudget": ("policy/v1", {"spec"}),
}
CONTAINER = {
    "name", "image", "args", "ports", "envFrom", "env", "lifecycle", "startupProbe", "livenessProbe",
    "readinessProbe", "resources", "securityContext", "volumeMounts",
}  # fmt: skip
POD = {
    "serviceAccountName", "automountServiceAccountToken", "terminationGracePeriodSeconds", "securityContext",
    "containers", "volumes",
}  # fmt: skip
DEPLOYMENTS = {each["metadata"]["name"]: each for each in MANIFESTS if each["kind"] == "Deployment"}
each_deployment = pytest.mark.parametrize("manifest", DEPLOYMENTS.values(), ids=list(DEPLOYMENTS))


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda each: f"{each['kind']}-{each['metadata']['name']}")
def test_a_manifest_has_the_fields_of_its_kind(manifest: dict[str, Any]) -> None:
    version, fields = KINDS[manifest["kind"]]

    assert manifest["apiVersion"] == version
    assert set(manifest) == {"apiVersion", "kind", "metadata"} | fields
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", manifest["metadata"]["name"])


@each_deployment
def test_a_deployment_selects_its_own_pods_and_a_budget_guards_them(manifest: dict[str, Any]) -> None:
    labels = manifest["spec"]["template"]["metadata"]["labels"]
    budgets = [each["spec"] for each in MANIFESTS if each["kind"] == "PodDisruptionBudget"]

    assert manifest["spec"]["selector"]["matchLabels"] == labels
    assert [each for each in budgets if each["selector"]["matchLabels"] == labels]
    assert all(each["maxUnavailable"] < manifest["spec"]["replicas"] for each in budgets)


@each_deployment
def test_a_pod_is_nobody_writes_nothing_and_runs_a_command_of_ours(manifest: dict[str, Any]) -> None:
    pod = manifest["spec"]["template"]["spec"]
    (container,) = pod["containers"]

    assert set(pod) == POD
    assert set(container) <= CONTAINER
    assert container["args"][0] in COMMANDS
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert f"{pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}" == last("USER")
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {each["name"] for each in container["volumeMounts"]} == {each["name"] for each in pod["volumes"]}
    assert "/var/lib/relay" in [each["mountPath"] for each in container["volumeMounts"]]
    assert container["envFrom"] == [{"secretRef": {"name": "bitrix24-relay"}}]
    assert pod["terminationGracePeriodSeconds"] > PATIENCE + 5


def test_a_door_is_asked_whether_it_lives_and_whether_it_is_ready() -> None:
    (container,) = DEPLOYMENTS["bitrix24-relay-web"]["spec"]["template"]["spec"]["containers"]
    asked = {
        probe: container[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")
    }

    assert asked == {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}
    assert container["ports"] == [{"name": "http", "containerPort": 8080}]
    (service,) = [each["spec"] for each in MANIFESTS if each["kind"] == "Service"]
    assert service["selector"] == DEPLOYMENTS["bitrix24-relay-web"]["spec"]["selector"]["matchLabels"]


# ── Caddy, and the workflow ───────────────────────────────────────────────────────────────────────────────────────


def test_caddy_takes_the_example(tmp_path: Path) -> None:
    caddy = shutil.which("caddy") or absent("Caddy", "install Debian's package caddy")
    text = (EXAMPLES / "caddy" / "Caddyfile").read_text(encoding="utf-8")
    file = tmp_path / "Caddyfile"
    file.write_text(text.replace("/var/log/caddy/", f"{tmp_path}/"), encoding="utf-8")
    env = os.environ | {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    command = [caddy, "validate", "--adapter", "caddyfile", "--config", str(file)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "Valid configuration" in done.stdout + done.stderr
    assert '"level":"warn"' not in done.stderr
    assert "\t@inside path /metrics /readyz\n" in text


def test_the_workflow_runs_the_same_command_on_every_python_that_we_take() -> None:
    (workflow,) = read(ROOT / ".github" / "workflows" / "test.yml")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    job = workflow["jobs"]["test"]

    assert workflow["permissions"] == {"contents": "read"}
    assert job["strategy"]["matrix"]["python"][0] == project["requires-python"].removeprefix(">=")
    assert [step["run"] for step in job["steps"] if "run" in step] == ["make test PYTHON=python"]
    assert {"push", "pull_request", "schedule"} == set(workflow[True])  # YAML 1.1 reads `on` so, as GitHub does


@pytest.mark.parametrize("job", ["test", "audit"])
def test_the_workflow_s_steps_are_pinned_and_asked_of_the_makefile(job: str) -> None:
    (workflow,) = read(ROOT / ".github" / "workflows" / "test.yml")
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    for step in workflow["jobs"][job]["steps"]:
        if "uses" in step:
            assert re.fullmatch(r"actions/[\w-]+@v\d+", step["uses"])
        else:
            words = shlex.split(step["run"])
            assert words[0] == "make"
            assert [word for word in words[1:] if "=" not in word and word not in targets] == []
