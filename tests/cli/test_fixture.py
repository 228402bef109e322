"""A saved fixture says nothing of anybody, and the rules take it as they took the event."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from relay import fixture as form
from relay.cli.main import main
from relay.settings import Secret
from relay.store import journal
from relay.store.database import Database
from tests.store.build import arrival

ROOT = Path(__file__).parent.parent.parent
RULES = """\
version: 1
portal: {domain: acme.bitrix24.ru, token: portal-token}
sources:
  github: {type: github, secret: a-webhook-secret}
  plain: {type: json, token: {header: X-Proof, value: a-proof-of-it}, owner: payload.who}
people:
  ivan: {id: 17, github: ivan-petrov, email: ivan@acme.dev}
  olga: {id: 18, github: olga-s}
rules:
  - {name: reviews, when: {event: pull_request, repo: acme/shop}, to: reviewer, fallback: olga}
  - {name: of ivan, when: {source: plain, payload.who: ivan}, to: olga}
default: drop
"""
BODY = {
    "action": "review_requested",
    "number": 7,
    "pull_request": {
        "number": 7,
        "title": "Use a-webhook-secret",
        "html_url": "https://github.com/acme/shop/pull/7",
        "user": {"login": "ivan-petrov", "type": "User"},
        "requested_reviewers": [{"login": "olga-s", "type": "User"}],
        "body": "@olga-s, see https://ci.acme.dev/7?token=abc",
    },
    "requested_reviewer": {"login": "olga-s", "type": "User"},
    "repository": {"full_name": "acme/shop"},
    "sender": {"login": "ivan-petrov", "type": "User"},
}


@pytest.fixture(autouse=True)
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
    monkeypatch.setenv("RELAY_RULES", str(tmp_path / "rules.yaml"))
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/relay.db")


@pytest.fixture
def event(database_url: Secret, database: Database, monkeypatch: pytest.MonkeyPatch) -> str:
    """The number of a journalled event."""
    monkeypatch.setenv("DATABASE_URL", database_url.reveal())
    return journalled(database)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["fixture", "save", *arguments])


def journalled(database: Database) -> str:
    headers = {"x-github-event": "pull_request", "x-github-delivery": "d-1", "user-agent": "GitHub-Hookshot/1"}
    with database.write() as tx:
        (receipt,) = journal.append(tx, [arrival(headers=headers, body=json.dumps(BODY).encode())])
    return str(receipt.id)


def test_a_journalled_event_becomes_a_fixture_that_is_decided_alike(event: str, tmp_path: Path) -> None:
    saved = run(event, "--out", str(tmp_path / "review.http"))

    assert (saved.exit_code, saved.stdout) == (0, "")
    request = form.parse((tmp_path / "review.http").read_bytes())
    data = json.loads(request.body)
    assert (request.path, request.headers["x-github-event"]) == ("/in/github", "pull_request")
    assert data["pull_request"]["title"] == "Use secret-1"
    assert data["pull_request"]["body"] == "@user-2, see https://ci.acme.dev/7?token=secret-2"
    assert data["sender"] == data["pull_request"]["user"] == {"login": "user-1", "type": "User"}
    assert (data["number"], data["repository"]) == (7, {"full_name": "acme/shop"})
    assert "✓ reviews" in explained(tmp_path / "review.http")
    assert saved.stderr.splitlines() == ["logins replaced: 2, in 5 places", "secrets replaced: 2, in 2 places"]


def explained(path: Path) -> str:
    return CliRunner().invoke(main, ["explain", str(path)]).stdout


def test_a_captured_request_loses_what_proved_it(tmp_path: Path) -> None:
    body = json.dumps({"who": "ivan", "note": "ask ivan@acme.dev or Bob <bob@acme.dev>"}).encode()
    proof = hmac.new(b"x", body, hashlib.sha256).hexdigest()
    captured = tmp_path / "captured.http"
    captured.write_bytes(
        b"POST /in/plain HTTP/1.1\nHost: relay.acme.dev\nX-Proof: a-proof-of-it\n"
        + f"X-Hub-Signature-256: sha256={proof}\nAuthorization: Basic abc\nX-Kind: a\n\n".encode()
        + body
    )

    saved = run(str(captured))

    assert saved.exit_code == 0
    request = form.parse(saved.stdout_bytes)
    assert request.headers == {"host": "relay.example.com", "x-kind": "a"}
    assert json.loads(request.body) == {
        "who": "user-1",
        "note": "ask user-1@example.com or Bob <user-2@example.com>",
    }
    assert "headers left out: authorization, x-hub-signature-256, x-proof" in saved.stderr


def test_a_condition_that_asks_for_a_person_is_told(tmp_path: Path) -> None:
    captured = tmp_path / "captured.http"
    captured.write_bytes(b'POST /in/plain HTTP/1.1\n\n{"who": "ivan"}')

    assert "this was decided by of ivan, and the fixture is by default" in run(str(captured)).stderr


def test_an_event_of_a_source_that_is_gone_is_saved_with_a_word(tmp_path: Path) -> None:
    captured = tmp_path / "captured.http"
    captured.write_bytes(b'POST /in/gone HTTP/1.1\n\n{"user": {"login": "bob-dev"}}')

    saved = run(str(captured))

    assert "bob-dev" not in saved.stdout
    assert "the rules cannot read the event" in saved.stderr


def test_a_file_that_is_there_is_not_written_over(event: str, tmp_path: Path) -> None:
    (tmp_path / "mine.http").write_text("mine")

    saved = run(event, "--out", str(tmp_path / "mine.http"))

    assert (saved.exit_code, (tmp_path / "mine.http").read_text()) == (1, "mine")
    assert "cannot be written: File exists" in saved.stderr


def test_an_event_that_is_not_there_is_an_error() -> None:
    assert run("99").exit_code == 1


@pytest.mark.parametrize(
    "path",
    sorted((ROOT / "tests" / "fixtures").rglob("*.http")),
    ids=lambda path: f"{path.parent.name}/{path.stem}",
)
def test_every_stored_fixture_is_decided_alike_after_redaction(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GITHUB_WEBHOOK_SECRET", "ALERTMANAGER_TOKEN", "GRAFANA_SECRET"):
        monkeypatch.setenv(name, "a-secret-of-the-sender")
    monkeypatch.setenv("BITRIX24_WEBHOOK_URL", "https://acme.bitrix24.ru/rest/1/abcdefgh/")
    monkeypatch.setenv("RELAY_RULES", str(ROOT / "rules.yaml"))

    saved = run(str(path), "--out", str(tmp_path / "saved.http"))

    assert saved.exit_code == 0
    assert "note:" not in saved.stderr
    again = run(str(tmp_path / "saved.http"))
    assert again.stdout_bytes == (tmp_path / "saved.http").read_bytes()  # nothing is left to be found
