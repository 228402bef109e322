"""The relay among its peers: the same interface, `relay serve`, `web` or `work` on a SQLite file of its own.

Never tuned: what is measured is what the README's example starts.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.payloads import SECRET
from bench.peers.program import PYTHON, Program, free_port

TREE = Path(__file__).resolve().parent.parent.parent
RULES = """\
version: 1
portal: {{webhook: "{webhook}", plan: {plan}}}
sources:
  github: {{type: github, secret: {secret}}}
  alerts: {{type: alertmanager, bearer: {secret}}}
people:
  ivan: {{id: 17, github: ivan-petrov}}
  olga: {{id: 18, github: olga-smirnova}}
  petr: {{id: 19}}
templates:
  review: {{text: "[b]{{{{ event.repo }}}}[/b]: {{{{ event.url | link(event.title) }}}}"}}
rules:
  - {{name: review, when: {{event: pull_request, action: review_requested}}, to: reviewer, template: review}}
  - {{name: alert, when: {{source: alerts}}, to: [ivan, olga, petr]}}
default: drop
"""


def serve(folder: Path, webhook: str, **words: Any) -> Program:
    """`relay serve`: the door, the router and the courier."""
    return _relay("relay", "serve", folder, webhook, **words)


def web(folder: Path, webhook: str, **words: Any) -> Program:
    """`relay web`: the door alone."""
    return _relay("relay web", "web", folder, webhook, **words)


def work(folder: Path, webhook: str, **words: Any) -> Program:
    """`relay work` beside a door that has the same folder."""
    program = _relay("relay work", "work", folder, webhook, **words)
    program.port = 0
    return program


def unstored(folder: Path, webhook: str, **words: Any) -> Program:
    """The same server and the same application, whose journal forgets at once: what all but storing costs."""
    program = _relay("relay, unstored", "web", folder, webhook, **words)
    program.command = [PYTHON, "-m", "bench.peers.unstored"]
    return program


def _relay(
    name: str, command: str, folder: Path, webhook: str, *, core: int | None = None, plan: str = "unlimited"
) -> Program:
    folder.mkdir(parents=True, exist_ok=True)
    rules, port = folder / "rules.yaml", free_port()
    rules.write_text(RULES.format(webhook=webhook, secret=SECRET, plan=plan), encoding="utf-8")
    env = {
        "RELAY_RULES": str(rules),
        "DATABASE_URL": f"sqlite:///{folder}/relay.db",
        "PORT": str(port),
        "RELAY_LOG": "text",
        "PYTHONPATH": str(TREE),
    }
    return Program(name, [PYTHON, "-m", "relay", command], folder, port, "/in/github", env, core)
