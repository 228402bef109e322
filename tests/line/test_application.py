"""The whole line by an application: its messages wait while tokens are renewed, and none is counted or lost by it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from relay import house
from relay.sandbox import Portal, serve
from relay.settings import Secret, Settings
from relay.store import outbox, portals, tokens
from relay.store.database import Database
from tests import apps
from tests.line.conftest import RULES, SECRET, TOKEN, Line

WAY_IN = (
    '{{app: {{domain: "{url}", client_id: local.sandbox, client_secret: sandbox-client-secret, oauth: "{url}"}}, '
    "plan: unlimited}}"
)


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    """A line whose portal let the relay in an hour ago; not started yet."""
    server = serve(Portal(rate="unlimited"))
    path = tmp_path / "rules.yaml"
    path.write_text(RULES.format(portal=WAY_IN.format(url=server.url)), encoding="utf-8")
    address = Secret(f"sqlite:///{tmp_path}/relay.db")
    built = house.build(
        Settings(rules=path, database_url=address, lease=2.0), {"GITHUB_SECRET": SECRET, "BEARER": TOKEN}
    )
    earlier = Database(address, clock=lambda: time.time() - apps.HOUR)
    apps.let_in(earlier, server)
    earlier.close()
    running = Line(built, server.portal, server)
    yield running
    running.stop()
    built.close()
    server.close()


def records(line: Line) -> list[outbox.Record]:
    with line.house.database.read() as tx:
        return outbox.latest(tx, limit=1000)


def test_a_newer_state_replaces_the_older(line: Line) -> None:
    line.start()
    for title in ("building", "live"):
        line.deploy(title=title)
        line.until(line.settled)

    assert len(line.notifications(17)) == 1
    assert "live" in line.notifications(17)[0].text


def test_messages_wait_for_new_tokens_and_none_is_counted(line: Line) -> None:
    line.portal.expire_token()
    for number in range(200):
        line.deploy(service=f"service-{number}")
    line.start()
    line.until(line.settled)

    assert len(line.notifications(17)) == 200
    assert line.portal.renewals == 1
    assert line.states() == {"delivered": 200}
    assert max(record.attempts for record in records(line)) <= 1


def test_a_token_that_expires_in_the_middle_of_a_storm_is_renewed_once(line: Line) -> None:
    line.portal.fail("expire", user=17)
    line.start()
    for number in range(120):
        line.deploy(service=f"service-{number}")
    line.until(line.settled)

    assert line.states() == {"delivered": 120}
    assert line.portal.renewals == 1


def test_where_nobody_can_renew_the_portal_is_paused_and_a_new_login_sets_all_going(line: Line) -> None:
    with line.house.database.write() as tx:
        kept = tokens.get(tx, apps.owner(line.server))
        assert kept is not None
        tokens.refused(tx, kept)
    line.portal.expire_token()
    line.deploy()
    line.start()
    line.until(lambda: trouble(line).code == "INVALID_GRANT")

    assert "relay portal login main" in trouble(line).why
    assert line.states() == {"queued": 1}

    apps.renew_by_hand(line.server)
    apps.let_in(line.house.database, line.server)
    line.until(line.settled)
    assert line.states() == {"delivered": 1}
    assert not trouble(line).trouble


def trouble(line: Line) -> Any:
    with line.house.database.write() as tx:
        return portals.get(tx, "main")


def test_no_secret_of_an_application_is_logged(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    line.portal.expire_token()
    line.start()
    line.deploy()
    line.until(line.settled)
    line.stop()

    words = "\n".join(f"{record.getMessage()} {record.__dict__.get('words')}" for record in caplog.records)
    assert "tokens renewed" in words
    assert [secret for secret in apps.SECRETS if secret in words] == []
