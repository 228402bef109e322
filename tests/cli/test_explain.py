"""`relay explain --person`: the answer for one person, of a fixture now and of a journalled event as it was then."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from relay import router
from relay.cli.main import main
from relay.rules import load, silences
from relay.settings import Secret
from relay.store import journal, notes
from relay.store.database import Database
from tests.conftest import Clock
from tests.store.build import arrival

RULES = """\
version: 1
portal: {domain: acme.bitrix24.ru, token: portal-token}
sources: {x: {type: json, open: true, actor: payload.who}}
people: {ivan: {id: 17, email: [ivan@acme.dev]}, olga: {id: 18}, nina: {}}
teams: {two: [ivan, olga]}
times: {weekend: {weekdays: [sat, sun]}}
rules:
  - {name: builds, when: {payload.kind: build}, to: team/two}
  - {name: days, when: {payload.kind: day}, to: ivan, mute: [weekend]}
default: drop
"""
SATURDAY = 1_795_262_400.0  # 2026-11-21 12:00 UTC


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, database_url: Secret, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
    (tmp_path / "build.http").write_bytes(b'POST /in/x HTTP/1.1\n\n{"kind": "build", "who": "olga"}\n')
    monkeypatch.setenv("RELAY_RULES", str(tmp_path / "rules.yaml"))
    monkeypatch.setenv("DATABASE_URL", database_url.reveal())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(what: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["explain", what, *arguments])


def first(what: str, person: str) -> str:
    result = run(what, "--person", person)
    assert result.exit_code == 0, result.stderr
    return result.stdout.splitlines()[0]


def journalled(database: Database, clock: Clock, at: float, **body: Any) -> str:
    clock.now = at
    with database.write() as tx:
        (receipt,) = journal.append(
            tx, [arrival(source="x", headers={}, body=json.dumps(body).encode(), delivery=f"{at}")]
        )
    return str(receipt.id)


@pytest.mark.parametrize("name", ["ivan", "IVAN", "17", "ivan@acme.dev"])
def test_a_person_is_asked_about_by_any_of_his_names(name: str) -> None:
    assert first("build.http", name) == "ivan gets it: «builds» tells ivan (team/two)."


def test_whoever_did_it_is_told_so() -> None:
    assert first("build.http", "olga") == "olga does not get it: olga did it, and «builds» leaves out whoever did it."


@pytest.mark.parametrize(
    ("name", "said"), [("iwan", "did you mean ivan?"), ("team/two", "about one person, and that is 2"), ("", "")]
)
def test_who_is_no_person_is_said(name: str, said: str) -> None:
    result = run("build.http", "--person", name)

    assert result.exit_code == (1 if said else 0)
    assert said in result.stderr


def test_calls_may_be_those_to_one_person() -> None:
    assert [each["person"] for each in json.loads(run("build.http", "--calls").stdout)] == ["ivan"]
    assert json.loads(run("build.http", "--calls", "--person", "olga").stdout) == []


def test_a_journalled_event_is_decided_at_the_moment_at_which_it_came(database: Database, clock: Clock) -> None:
    on_saturday = journalled(database, clock, SATURDAY, kind="day")
    on_monday = journalled(database, clock, SATURDAY + 2 * 86_400, kind="day")

    assert first(on_saturday, "ivan").startswith("ivan does not get it: «days» tells ivan, but: ")
    assert "weekend" in first(on_saturday, "ivan")
    assert first(on_monday, "ivan") == "ivan gets it: «days» tells ivan."


def test_what_became_of_it_then_is_said_at_the_end(database: Database, clock: Clock) -> None:
    number = journalled(database, clock, SATURDAY, kind="build")
    assert "When it came" not in run(number, "--person", "ivan").stdout

    router.turn(database, load(RULES, env={}), holder="me", lease_seconds=10)

    assert run(number, "--person", "ivan").stdout.endswith(
        "When it came, at 2026-11-21 12:00:00Z, ivan was told by:\n    message 1: queued\n"
    )
    assert run(number, "--person", "nina").stdout.endswith(
        "When it came, at 2026-11-21 12:00:00Z, nothing was made for nina (addressed).\n"
    )


def test_a_silence_of_the_time_is_why_nobody_is_told_of_a_journalled_event(database: Database, clock: Clock) -> None:
    number = journalled(database, clock, SATURDAY, kind="build")
    made = silences.written(
        when={"payload.kind": "build"}, starts=SATURDAY - 60, until=SATURDAY + 60, who="olga", why="works"
    )
    with database.write() as tx:
        notes.add(tx, silences.PREFIX, made)

    assert "silence 1 until 2026-11-21 12:01:00Z, by olga: works" in run(number).stdout
    assert first(number, "ivan").startswith("ivan does not get it")
    assert first("build.http", "ivan").startswith("ivan gets it")
