"""A secret occurs in no log line, answer, stored text or command's output of a run in which everything goes wrong."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from relay import log
from relay.cli.main import main
from relay.sandbox import Portal, serve
from relay.settings import Secret
from tests.line.conftest import SECRET, TOKEN, Line

PORTAL_SECRET = "sandbox-secret"
APP_TOKEN = "sandbox-token"
SECRETS = (PORTAL_SECRET, APP_TOKEN, SECRET, TOKEN)


FAULTS: list[dict[str, Any]] = [
    {"kind": "reset"},
    {"kind": "html"},
    {"kind": "garbage"},
    {"kind": "rate"},
    {"kind": "error", "code": "INVALID_CREDENTIALS", "status": 401},
    {"kind": "moved", "location": "http://127.0.0.1:9"},
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault["kind"])
@pytest.mark.parametrize("mode", ["webhook", "token"])
def test_no_secret_leaves_the_relay_when_something_fails(
    make_line: Callable[..., Line], mode: str, fault: dict[str, Any], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    line = make_line(mode=mode)
    answers = [line.github("push", {}, secret="wrong").text, line.door.post("/in/deploys", json={}).text]
    line.portal.fail(**fault)
    line.start()
    answers.append(line.deploy().text)
    line.until(lambda: line.portal.counters["faults"] == 0 and bool(calls(caplog)))
    line.server.close()
    seen = len(calls(caplog))
    line.deploy(service="nobody answers")
    line.until(lambda: len(calls(caplog)) > seen)
    line.stop()

    everything = "\n".join(
        [
            *answers,
            *(log.Text().format(record) for record in caplog.records),
            *(log.Json().format(record) for record in caplog.records),
            database_text(tmp_path / "relay.db"),
        ]
    )
    assert [secret for secret in SECRETS if secret in everything] == []


def calls(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.getMessage() == "courier: called"]


def database_text(path: Path) -> str:
    """All bytes of the database file and its log, as text. Bodies are compressed, and hold no secret of ours."""
    return "".join(
        part.read_bytes().decode("latin-1") for part in (path, path.with_name(path.name + "-wal")) if part.exists()
    )


def test_commands_print_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(Portal()) as server:
        rules = tmp_path / "rules.yaml"
        rules.write_text(
            f"version: 1\nportal: {{webhook: '{server.webhook}'}}\n"
            f"sources: {{deploys: {{type: json, bearer: {TOKEN}, colour: {TOKEN}}}}}\n"
        )
        monkeypatch.setenv("RELAY_RULES", str(rules))
        monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/relay.db")
        commands = (
            ["check"],
            ["events", "list"],
            ["messages", "list", "--json"],
            ["explain", "1"],
            ["serve"],
            ["work"],
        )
        printed = "".join(CliRunner().invoke(main, command).output for command in commands)

    assert "unknown" in printed
    assert [secret for secret in SECRETS if secret in printed] == []


def test_a_webhooks_address_in_a_library_s_words_is_masked() -> None:
    record = logging.LogRecord(
        "urllib3", logging.WARNING, "", 0, "Retrying https://p.bitrix24.ru/rest/1/abcdef123/im.notify", (), None
    )

    assert "abcdef123" not in log.Text().format(record)
    assert "/rest/1/***/im.notify" in log.Json().format(record)


def test_a_secret_prints_as_stars() -> None:
    assert f"{Secret('x1y2')} {Secret('x1y2')!r} {[Secret('x1y2')]}" == "*** *** [***]"
