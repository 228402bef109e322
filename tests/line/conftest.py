"""The whole line in one process: the real door, a real database file, the real worker, and the stand-in portal."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from relay import house
from relay.house import House
from relay.sandbox import Portal, Server, serve
from relay.settings import Secret, Settings
from relay.store import outbox
from relay.web.app import create_app
from relay.work import Worker

SECRET = "It's a Secret to Everybody"
TOKEN = "alertmanager-token"
PATIENCE = 60.0

RULES = """\
version: 1
portal: {portal}
sources:
  github: {{type: github, secret: "${{GITHUB_SECRET}}"}}
  alertmanager: {{type: alertmanager, bearer: "${{BEARER}}"}}
  grafana: {{type: grafana, hmac: {{secret: "${{GITHUB_SECRET}}"}}}}
  deploys: {{type: json, bearer: "${{BEARER}}", key: payload.id, tag: payload.service, title: payload.title,
            owner: payload.person}}
people:
  ivan: {{id: 17, github: ivan-petrov}}
  olga: {{id: 18, github: olga-smirnova}}
  gone: {{id: 20}}
  mute: {{id: 21}}
rules:
  - {{when: {{source: github, event: pull_request}}, to: reviewer}}
  - {{when: {{source: deploys}}, to: owner, fallback: olga}}
default: {{to: ivan}}
"""


class Line:
    """A running relay with its portal, and words to speak to it."""

    def __init__(self, built: House, portal: Portal, server: Server) -> None:
        self.house = built
        self.portal = portal
        self.server = server
        self.door: FlaskClient = create_app(built).test_client()
        self.worker = Worker(built)
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self.worker.run)
        self._thread.start()

    def stop(self) -> None:
        self.worker.stop()
        if self._thread is not None:
            self._thread.join(PATIENCE)
            assert not self._thread.is_alive(), "the worker does not end"

    def github(self, event: str, payload: Any, *, delivery: str = "", secret: str = SECRET) -> Any:
        body = json.dumps(payload).encode()
        digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return self.door.post(
            "/in/github",
            data=body,
            headers={
                "Content-Type": "application/json",
                "X-GitHub-Event": event,
                "X-GitHub-Delivery": delivery or str(uuid.uuid4()),
                "X-Hub-Signature-256": f"sha256={digest}",
            },
        )

    def deploy(self, **payload: Any) -> Any:
        """Post to the plain JSON source; ``id`` is its delivery, ``service`` the tag, ``person`` who is told."""
        payload = {"id": str(uuid.uuid4()), "person": "ivan", "title": "live", "service": "shop"} | payload
        return self.door.post("/in/deploys", json=payload, headers={"Authorization": f"Bearer {TOKEN}"})

    def notifications(self, person: int) -> list[Any]:
        """What a person's notification centre holds, newest first."""
        return list(self.portal.notifications(person))

    def until(self, true: Callable[[], bool]) -> None:
        until(true)

    def settled(self) -> bool:
        """Is nothing left to do?"""
        with self.house.database.read() as tx:
            counts = outbox.counts(tx)
            new = tx.connection.exec_driver_sql("SELECT count(*) FROM event WHERE state = 'new'").scalar_one()
        return not new and not counts.get("queued") and not counts.get("sending")

    def states(self) -> dict[str, int]:
        with self.house.database.read() as tx:
            return outbox.counts(tx)


def until(true: Callable[[], bool], *, patience: float = PATIENCE) -> None:
    """Wait for something that must become true, and say so if it does not."""
    deadline = time.monotonic() + patience
    while not true():
        assert time.monotonic() < deadline, "it did not become true in time"
        time.sleep(0.01)


@pytest.fixture
def make_line(tmp_path: Path, database_url: Secret) -> Iterator[Callable[..., Line]]:
    """Make lines; ``mode`` is how the portal is entered, ``rules`` replaces the sample rules."""
    made: list[Line] = []

    def make(*, mode: str = "token", rules: str = RULES, **switches: Any) -> Line:
        portal = Portal(**switches)
        server = serve(portal)
        way_in = {
            "token": f'{{domain: "{server.url}", token: sandbox-token}}',
            "webhook": f'{{webhook: "{server.webhook}"}}',
        }[mode]
        path = tmp_path / "rules.yaml"
        path.write_text(rules.format(portal=way_in), encoding="utf-8")
        settings = Settings(rules=path, database_url=database_url, lease=2.0)
        line = Line(house.build(settings, {"GITHUB_SECRET": SECRET, "BEARER": TOKEN}), portal, server)
        made.append(line)
        return line

    yield make
    for line in made:
        line.stop()
        line.house.close()
        line.server.close()


@pytest.fixture
def line(make_line: Callable[..., Line]) -> Line:
    running = make_line()
    running.start()
    return running
