"""Node-RED, n8n, adnanh/webhook and Alertmanager, configured as a user would who forwards events to Bitrix24.

Never tuned, in either direction: each runs as its documentation starts it. n8n does not check the signature, which the
others do; that is in its favour.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bench.payloads import SECRET
from bench.peers.program import Missing, Program, free_port

HERE = Path(__file__).resolve().parent
FOLDER = Path(os.environ.get("BENCH_PEERS", HERE.parent.parent / "var" / "peers"))
TEMPLATES = Path("/usr/share/prometheus/alertmanager/default.tmpl")  # Debian's Alertmanager looks nowhere else
DEBIAN, NPM, PYTHON = FOLDER / "debian", FOLDER / "npm", FOLDER / "python" / "bin" / "python"


def tool(name: str) -> str:
    """A program of Debian's, ours or the machine's.

    Raises:
        Missing: neither is there.
    """
    ours = DEBIAN / "usr" / "bin" / name
    found = str(ours) if ours.exists() else shutil.which(name)
    if found is None:
        raise Missing(f"{name} is not installed: make bench-peers")
    return found


def libraries() -> dict[str, str]:
    """Where the programs that were unpacked, and not installed, find their libraries."""
    return {"LD_LIBRARY_PATH": ":".join(map(str, sorted((DEBIAN / "usr" / "lib").glob("*-linux-*"))))}


def node_red(folder: Path, webhook: str, *, path: str = "/forward", core: int | None = None) -> Program:
    """``/check`` verifies, reads and answers; ``/forward`` calls the portal besides. Neither keeps anything."""
    script = _npm("node-red", "red.js")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(HERE / "node_red_flows.json", folder / "flows.json")
    shutil.copy(HERE / "node_red_settings.js", folder / "settings.js")
    port = free_port()
    env = {"PORT": str(port), "BENCH_SECRET": SECRET, "BENCH_WEBHOOK": webhook}
    command = [tool("node"), script, "--userDir", str(folder), "--settings", str(folder / "settings.js")]
    return Program(f"Node-RED {path}", command, folder, port, path, env, core)


def n8n(folder: Path, webhook: str, *, core: int | None = None) -> Program:
    """A webhook node that responds at once, and an HTTP request behind it. Its answer keeps nothing."""
    script = _npm("n8n", "bin/n8n")
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    env = {
        "N8N_USER_FOLDER": str(folder),
        "N8N_PORT": str(port),
        "N8N_LISTEN_ADDRESS": "127.0.0.1",
        "N8N_DIAGNOSTICS_ENABLED": "false",
        "N8N_VERSION_NOTIFICATIONS_ENABLED": "false",
        "N8N_BLOCK_ENV_ACCESS_IN_NODE": "false",
        "BENCH_WEBHOOK": webhook,
    }
    node = tool("node")
    taking = ["import:workflow", f"--input={HERE / 'n8n_workflow.json'}"]
    for words in (taking, ["publish:workflow", "--id=benchgithub00001"]):
        done = subprocess.run([node, script, *words], env=os.environ | env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Missing(f"n8n does not take the workflow: {' '.join((done.stderr or done.stdout).split())[-200:]}")
    return Program("n8n", [node, script, "start"], folder, port, "/webhook/github", env, core)


def webhook_and_curl(folder: Path, webhook: str, *, core: int | None = None) -> Program:
    """adnanh/webhook: it checks the signature, answers, and starts a script that calls the portal."""
    folder.mkdir(parents=True, exist_ok=True)
    hook: dict[str, Any] = {
        "id": "github",
        "execute-command": str(HERE / "curl.sh"),
        "pass-arguments-to-command": [
            {"source": "payload", "name": "repository.full_name"},
            {"source": "payload", "name": "pull_request.title"},
        ],
        "trigger-rule": {
            "match": {
                "type": "payload-hmac-sha256",
                "secret": SECRET,
                "parameter": {"source": "header", "name": "X-Hub-Signature-256"},
            }
        },
    }
    (folder / "hooks.json").write_text(json.dumps([hook]), encoding="utf-8")
    port = free_port()
    command = [tool("webhook"), "-hooks", str(folder / "hooks.json"), "-ip", "127.0.0.1", "-port", str(port)]
    return Program("webhook + curl", command, folder, port, "/hooks/github", {"BENCH_WEBHOOK": webhook}, core)


def alertmanager(folder: Path, webhook: str, *, core: int | None = None) -> Program:
    """Alertmanager, each alert a group of its own that does not wait.

    Raises:
        Missing: it is not there, or only unpacked.
    """
    program = tool("prometheus-alertmanager")
    if not TEMPLATES.exists():
        raise Missing(f"it does not start without {TEMPLATES}: apt-get install prometheus-alertmanager")
    folder.mkdir(parents=True, exist_ok=True)
    route = {"receiver": "portal", "group_by": ["..."], "group_wait": "0s", "group_interval": "1s"}
    receivers = [{"name": "portal", "webhook_configs": [{"url": f"{webhook}im.notify.personal.add"}]}]
    (folder / "alertmanager.yml").write_text(json.dumps({"route": route, "receivers": receivers}), encoding="utf-8")
    port = free_port()
    command = [
        program,
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    return Program("Alertmanager", command, folder, port, "/api/v2/alerts", {}, core)


Maker = Callable[..., Program]
OTHERS: Mapping[str, Maker] = {
    "Node-RED": node_red,
    "n8n": n8n,
    "webhook + curl": webhook_and_curl,
    "Alertmanager": alertmanager,
}


def _npm(package: str, script: str) -> str:
    path = NPM / package / "node_modules" / package / script
    if not path.exists():
        raise Missing(f"{package} is not installed: make bench-peers")
    return str(path)
