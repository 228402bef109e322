"""`relay diff`: which events of the journal it takes, what it prints, and whether it says yes or no."""

from __future__ import annotations

import json
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import delete

from relay.cli import diff as command
from relay.cli.main import main
from relay.settings import Secret
from relay.store import journal
from relay.store.database import Database
from relay.store.tables import delivery, event
from tests.conftest import Clock
from tests.store.build import arrival

RULES = """\
version: 1
portal: {domain: acme.bitrix24.ru, token: portal-token}
sources: {x: {type: json, open: true}}
people: {ivan: {id: 17}, olga: {id: 18}}
rules:
  - {name: builds, when: {payload.kind: build}, to: ivan}
  - name: alarms
    when: {payload.kind: alarm}
    to: ivan
default: drop
"""
DAY = 86_400.0


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, database_url: Secret, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("rules.yaml", "same.yaml"):
        (tmp_path / name).write_text(RULES, encoding="utf-8")
    (tmp_path / "new.yaml").write_text(
        RULES.replace("kind: build}, to: ivan", "kind: build}, to: olga"), encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RELAY_RULES", raising=False)
    monkeypatch.setenv("DATABASE_URL", database_url.reveal())
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["diff", *arguments])


def fill(url: Secret, *kinds: str, ago: float = 0.0, gap: float = 0.0) -> None:
    """Events of these kinds, ``gap`` seconds apart, the first of them so long ago."""
    clock = Clock(time.time() - ago)
    with closing(Database(url, clock=clock)) as database:
        for index, kind in enumerate(kinds):
            body = json.dumps({"kind": kind}).encode()
            with database.write() as tx:
                journal.append(tx, [arrival(source="x", headers={}, body=body, delivery=f"d-{index}")])
            clock.forward(gap)


def test_rules_that_tell_the_same_end_with_0(database_url: Secret) -> None:
    fill(database_url, "build", "alarm")

    result = run("same.yaml")

    assert (result.exit_code, result.stdout, result.stderr) == (0, "Nothing differs in 2 events.\n", "")


def test_a_difference_ends_with_1_and_is_told_by_person_and_rule(database_url: Secret) -> None:
    fill(database_url, *["build"] * 5, "alarm")

    result = run("new.yaml", "--examples", "2")

    assert result.exit_code == 1
    assert result.stdout == (
        "Of 6 events:\n  ivan, by builds: 5 fewer (such as 1, 2)\n  olga, by builds: 5 more (such as 1, 2)\n"
    )


def test_the_two_files_may_both_be_named(database_url: Secret) -> None:
    fill(database_url, "build")

    assert run("rules.yaml", "--old", "new.yaml").stdout == (
        "Of 1 event:\n  ivan, by builds: 1 more (such as 1)\n  olga, by builds: 1 fewer (such as 1)\n"
    )
    assert run("new.yaml", "--old", "new.yaml").exit_code == 0


def test_json_is_for_programs(database_url: Secret) -> None:
    fill(database_url, "alarm", "build")
    Path("loud.yaml").write_text(RULES.replace("    to: ivan", "    to: ivan\n    urgent: true"))

    result = run("loud.yaml", "--json")

    assert (result.exit_code, json.loads(result.stdout)) == (
        1,
        {
            "events": 2,
            "first": 1,
            "last": 2,
            "differs": True,
            "unreadable": {"old": 0, "new": 0},
            "differences": [
                {
                    "person": "ivan",
                    "rule": "alarms",
                    "more": 0,
                    "fewer": 0,
                    "changed": 1,
                    "aspects": {"urgent": 1},
                    "examples": {"more": [], "fewer": [], "changed": [1]},
                }
            ],
        },
    )


def test_the_same_question_has_the_same_answer(database_url: Secret) -> None:
    fill(database_url, "build", "alarm", "build")

    assert run("new.yaml", "--json").stdout == run("new.yaml", "--json").stdout


def test_a_source_that_is_gone_is_a_difference(database_url: Secret) -> None:
    fill(database_url, "other")
    Path("gone.yaml").write_text(RULES.replace("{x: {", "{y: {"))

    result = run("gone.yaml")

    assert result.exit_code == 1
    assert "the new rules cannot read 1: their source is gone" in result.stdout


# ── Which events ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("arguments", "events"),
    [
        ((), 7),
        (("--since", "36h"), 1),
        (("--since", "1d14h"), 2),
        (("--since", "1m"), 0),
        (("--since", "30d"), 10),
        (("--last", "1"), 1),
        (("--last", "7"), 7),
        (("--last", "10"), 10),
        (("--last", "99"), 10),
    ],
)
def test_the_span_is_a_time_or_a_number(database_url: Secret, arguments: tuple[str, ...], events: int) -> None:
    fill(database_url, *["other"] * 10, ago=9.55 * DAY, gap=DAY)

    result = run("same.yaml", "--json", *arguments)

    told: dict[str, Any] = json.loads(result.stdout)
    assert told["events"] == events
    assert (told["first"], told["last"]) == ((11 - events, 10) if events else (None, None))


def test_numbers_that_are_missing_are_stepped_over(database_url: Secret, database: Database) -> None:
    fill(database_url, *["build"] * 50)
    with database.write() as tx:
        tx.connection.execute(delete(delivery))
        tx.connection.execute(delete(event).where(event.c.id.between(3, 47)))

    assert run("new.yaml", "--json", "--last", "4").stdout == run("new.yaml", "--json", "--last", "4").stdout
    told = json.loads(run("new.yaml", "--json").stdout)
    assert (told["events"], told["first"], told["last"]) == (5, 1, 50)
    told = json.loads(run("new.yaml", "--json", "--last", "4").stdout)
    assert (told["events"], told["first"]) == (4, 2)


def test_an_empty_journal_differs_in_nothing() -> None:
    assert run("new.yaml").stdout == "Nothing differs in 0 events.\n"
    assert run("new.yaml", "--last", "5").exit_code == 0


def test_only_a_few_events_are_held_at_once(database_url: Secret, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(database_url, *["build"] * 7)
    monkeypatch.setattr(command, "AT_ONCE", 2)
    asked: list[int] = []
    entries = journal.entries

    def watched(tx: Any, numbers: Any) -> list[journal.Entry]:
        asked.append(len(numbers))
        return entries(tx, numbers)

    monkeypatch.setattr(journal, "entries", watched)
    assert json.loads(run("new.yaml", "--json").stdout)["events"] == 7
    assert asked == [2, 2, 2, 1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Missing argument"),
        (("nowhere.yaml",), "does not exist"),
        (("new.yaml", "--since", "soon"), "no span of time"),
        (("new.yaml", "--last", "0"), "--last"),
        (("new.yaml", "--since", "1d", "--last", "5"), "use one of them"),
    ],
)
def test_wrong_usage_is_2(arguments: tuple[str, ...], said: str) -> None:
    result = run(*arguments)

    assert result.exit_code == 2
    assert said in result.stderr


def test_bad_new_rules_are_1(folder: Path) -> None:
    (folder / "bad.yaml").write_text("version: 9\n")

    result = run("bad.yaml")

    assert result.exit_code == 1
    assert "bad.yaml:1:10: version" in result.stderr
