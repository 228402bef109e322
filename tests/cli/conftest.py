"""An operator's desk: rules, a real database, and the command `relay` run with them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from relay import house, intake, router
from relay.cli.main import main
from relay.model import Request
from relay.settings import Secret
from relay.store import journal
from relay.store.database import Database

RULES = """\
version: 1
portal: {portal}
sources:
  deploys: {type: json, open: true, event: payload.kind, key: payload.id, tag: payload.service, title: payload.title,
            owner: payload.person}
people:
  ivan: {id: 17, locale: ru}
  olga: {id: 18, email: olga@example.com}
  idle: {email: idle@example.com}
rules:
  - {name: chatter, when: {event: chat}, to: []}
  - {name: releases, when: {event: release}, to: [ivan, olga]}
  - {name: deploys, when: {source: deploys}, to: owner, fallback: olga}
"""
WEBHOOK = '{webhook: "https://acme.bitrix24.ru/rest/1/KEYKEYKEY/"}'


class Desk:
    """Commands are run here, and the journal is filled as the door and the router fill it."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.database = database
        self._rules = folder / "rules.yaml"
        self._deliveries = 0
        self.write_rules(RULES)

    def write_rules(self, rules: str, *, portal: str = WEBHOOK) -> None:
        self._rules.write_text(rules.replace("{portal}", portal), encoding="utf-8")

    def run(self, *words: str, answer: str = "") -> Result:
        """Run `relay` with these words; ``answer`` is typed if it asks."""
        return CliRunner().invoke(main, words, input=answer)

    def json(self, *words: str) -> Any:
        """What a command that must succeed prints as JSON."""
        done = self.run(*words)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    def take_in(self, **payload: Any) -> int:
        """Journal an event of the source `deploys`."""
        self._deliveries += 1
        payload = {"id": str(self._deliveries), "person": "ivan", "title": "live", "service": "shop"} | payload
        body = json.dumps(payload).encode()
        request = Request(method="POST", path="/in/deploys", headers={"x-trace": "1"}, body=body)

        def append(arrival: journal.Arrival) -> journal.Receipt:
            with self.database.write() as tx:
                return journal.append(tx, [arrival])[0]

        rules = house.read_rules(self._rules, {})
        return intake.accept("deploys", request, rules=rules, journal=append, now=0.0).id

    def decide(self) -> None:
        """Let the router decide everything that waits."""
        while router.turn(self.database, house.read_rules(self._rules, {}), holder="desk", lease_seconds=10.0):
            pass

    def happen(self, **payload: Any) -> int:
        """An event that is journalled and decided."""
        number = self.take_in(**payload)
        self.decide()
        return number


@pytest.fixture
def desk(tmp_path: Path, database_url: Secret, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("RELAY_RULES", str(tmp_path / "rules.yaml"))
    monkeypatch.setenv("DATABASE_URL", database_url.reveal())
    database = Database(database_url)
    yield Desk(tmp_path, database)
    database.close()
