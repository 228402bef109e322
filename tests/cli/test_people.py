"""`relay people`: who is who, ids from the portal, and names that belong to nobody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from relay.cli.main import main
from relay.cli.people import ADVICE
from relay.rules.pasting import line
from relay.sandbox import Person, Portal, Server, serve
from relay.settings import Secret
from relay.store import accounts as kept
from relay.store import journal
from relay.store.database import Database
from tests.rules.books import book

RULES = """\
version: 1
portal: {{webhook: "{webhook}"}}
sources: {{github: {{type: github, open: true}}, alerts: {{type: alertmanager, open: true}}}}
people:
  ivan: {{email: ivan@example.com, github: ivan-petrov, quiet: "22:00-08:00"}}
  sergey: {{email: sergey@example.com}}
  olga: {{id: 18, email: olga@example.com}}
rules: [{{to: [ivan, sergey, olga]}}]
"""
PEOPLE = [
    Person(1, "Admin", email="admin@example.com"),
    Person(17, "Ivan", email="ivan@example.com"),
    Person(18, "Olga", email="olga@example.com"),
    Person(20, "Sergey", email="sergey@example.com", active=False),
]


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with serve(Portal(PEOPLE)) as running:
        rules = tmp_path / "rules.yaml"
        rules.write_text(RULES.format(webhook=running.webhook), encoding="utf-8")
        monkeypatch.setenv("RELAY_RULES", str(rules))
        monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/relay.db")
        yield running


@pytest.fixture
def database(server: Server, tmp_path: Path) -> Iterator[Database]:
    opened = Database(Secret(f"sqlite:///{tmp_path}/relay.db"))
    opened.upgrade()
    yield opened
    opened.close()


def people(*arguments: str) -> Result:
    result = CliRunner().invoke(main, ["people", *arguments])
    assert "sandbox-secret" not in result.output
    return result


def told(*arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(people(*arguments, "--json").stdout)
    return found


def test_a_sync_tells_what_became_of_each_and_what_to_do(server: Server) -> None:
    result = people("sync")

    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "✓ main       ivan             ivan@example.com: id 17",
        f"✗ main       sergey           sergey@example.com: inactive → {ADVICE['inactive']}",
    ]


def test_after_a_sync_the_list_has_the_id_and_says_where_it_is_from(server: Server) -> None:
    assert [(each["name"], each["id"], each["id_from"]) for each in told("list")] == [
        ("ivan", None, None),
        ("sergey", None, None),
        ("olga", 18, "file"),
    ]

    people("sync")

    assert next((each["name"], each["id"], each["id_from"]) for each in told("list")) == ("ivan", 17, "portal")
    shown = people("list").stdout.splitlines()
    assert shown[0].split()[:3] == ["ivan", "17", "(portal)"]
    assert shown[0].endswith("ivan@example.com, github ivan-petrov, en, UTC, has quiet hours")
    assert shown[1].split()[:3] == ["sergey", "no", "id"]


def test_a_dry_run_keeps_nothing(server: Server) -> None:
    assert [(each["person"], each["state"], each["id"]) for each in told("sync", "--dry-run")] == [
        ("ivan", "found", 17),
        ("sergey", "inactive", None),
    ]
    assert [each["id"] for each in told("list")] == [None, None, 18]


def test_an_id_that_the_file_gives_to_another_is_told_and_not_used(server: Server) -> None:
    server.portal.change_person(18, email="ivan@example.com")
    server.portal.change_person(17, email="other@example.com")

    assert "! ivan gets none of the ids found (18)" in people("sync").stdout
    assert told("list")[0]["id"] is None


def test_without_the_right_the_remedy_is_told(server: Server) -> None:
    server.portal.configure(scopes=["im"])

    result = people("sync")

    assert (result.exit_code, "portal main" in result.stderr, "user_basic" in result.stderr) == (1, True, True)


def test_an_unknown_portal_is_an_error(server: Server) -> None:
    assert people("sync", "--portal", "nope").exit_code == 1
    assert people("sync", "--portal", "main").exit_code == 1  # sergey is dismissed


def test_with_nobody_to_look_up_the_portal_is_not_asked(server: Server, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(
        rules.read_text().replace("email: ivan", "id: 1, email: ivan").replace("email: ser", "id: 2, email: ser")
    )

    result = people("sync")

    assert (result.exit_code, server.portal.calls()) == (0, [])
    assert "nothing to look up" in result.stdout


# ── Unmapped ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_unmapped_names_come_with_a_line_to_paste(server: Server, database: Database) -> None:
    with database.write() as tx:
        journal.count_unmapped(tx, "github", ["octocat", "ivan"])
        journal.count_unmapped(tx, "github", ["octocat"])

    found = told("unmapped")

    assert [(each["name"], each["count"], each["paste"]) for each in found] == [
        ("octocat", 2, "octocat: {id: , github: octocat}"),
        ("ivan", 1, "# has no id: relay people sync"),
    ]
    assert "octocat: {id: , github: octocat}" in people("unmapped").stdout


def test_only_those_seen_since_are_told(server: Server, database: Database) -> None:
    earlier = Database(Secret(f"sqlite:///{database.name}"), clock=lambda: 1_000_000_000.0)
    with earlier.write() as tx:
        journal.count_unmapped(tx, "github", ["long-gone"])
    earlier.close()

    assert told("unmapped") == []
    assert [each["name"] for each in told("unmapped", "--since", "2001-01-01")] == ["long-gone"]
    assert "means somebody" in people("unmapped").stdout
    assert people("unmapped", "--since", "soon").exit_code == 2


LINES = [
    ("github", "octocat", "octocat: {id: , github: octocat}"),
    ("github", "a:b", 'a-b: {id: , github: "a:b"}'),
    ("github", "null", 'somebody-null: {id: , github: "null"}'),
    ("github", "123", 'somebody-123: {id: , github: "123"}'),
    ("github", 'x"\n\x1b[31m: {', 'x----31m---: {id: , github: "x\\"\\n\\u001b[31m: {"}'),
    ("github", "Max.M@example.com", "Max.M: {id: , email: Max.M@example.com}"),
    ("github", "acme/ops", '"acme/ops": []  # under teams:'),
    ("alerts", "dba", "dba: {id: }"),
    ("gone", "dba", "dba: {id: }"),
    ("github", "nina", "# has no id: relay people sync"),
]


@pytest.mark.parametrize(("source", "name", "paste"), LINES)
def test_a_line_to_paste_is_yaml_that_says_the_very_name(source: str, name: str, paste: str) -> None:
    found = line(source, name, book("rules: []\n"))

    assert found == paste
    assert found.isprintable()
    if "id: , github" in found:
        ((_, person),) = yaml.safe_load(found).items()
        assert person["github"] == name


def test_what_is_kept_of_another_portal_is_not_of_this_one(server: Server, database: Database) -> None:
    with database.write() as tx:
        kept.keep(tx, "other", {"ivan@example.com": 99})

    assert told("list")[0]["id"] is None
