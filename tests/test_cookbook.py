"""What the README promises for one line is had for one line: each is tried on an event it is for, and one it is not.

The same lines stand in both languages (test_readme.py holds the code of both together).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from relay.house import read_rules
from relay.model import Event
from relay.rules import Memory, decide, load
from tests.test_readme import ENGLISH, RUSSIAN, blocks

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ENV = {
    "BITRIX24_WEBHOOK_URL": "https://acme.bitrix24.ru/rest/1/abcdef/",
    "BRANCH_TOKEN": "branch",
    "GITHUB_WEBHOOK_SECRET": "github",
}
AROUND = """\
version: 1
portal: {webhook: "${BITRIX24_WEBHOOK_URL}"}
sources: {github: {type: github, secret: "${GITHUB_WEBHOOK_SECRET}"}}
people:
  ivan: {id: 17, github: ivan-petrov}
  olga: {id: 18, github: olga-smirnova}
  dana: {id: 19, github: dana}
teams: {backend: [ivan, olga]}
"""
EVENT = Event(source="github", type="github", event="push", key="acme/shop#1", title="It happened")


def lines(readme: str) -> list[str]:
    """The right column of the table that follows «What people ask for»."""
    table = re.search(r"^\*\*(?:What people ask for|О чём просят чаще всего)\*\*.*?\n\n(.*?)\n\n", readme, re.S | re.M)
    assert table
    return re.findall(r"\| `(.+)` \|$", table[1], re.MULTILINE)


def told(line: str, words: Mapping[str, Any]) -> list[str]:
    rule = line[1:-1] if line.startswith("{") else line
    whole = f"rules: [{{{rule}{'' if 'to: ' in rule else ', to: dana'}}}]\n"
    decision = decide(replace(EVENT, **words), load(AROUND + whole, env=ENV), Memory(), NOW)
    return [message.person for message in decision.messages]


Words = Mapping[str, Any]

# The line; whom it tells of which event; and an event of which it tells nobody.
TRIED: Sequence[tuple[str, list[str], Words, Words]] = [
    (
        'when: {event: push, branch: [main, {glob: "release/**"}]}',
        ["dana"],
        {"branch": "release/1/2"},
        {"branch": "try-it"},
    ),
    (
        "when: {event: pull_request, base_branch: main}",
        ["dana"],
        {"event": "pull_request", "base_branch": "main"},
        {"event": "pull_request", "base_branch": "next"},
    ),
    ('when: {paths: {glob: "db/**"}}', ["dana"], {"paths": ("README.md", "db/a/b.sql")}, {"paths": ("README.md",)}),
    (
        "when: {event: pull_request, draft: false}",
        ["dana"],
        {"event": "pull_request", "draft": False},
        {"event": "pull_request", "draft": True},
    ),
    ("when: {labels: [bug, security]}", ["dana"], {"labels": {"security": "x", "ui": "x"}}, {"labels": {"ui": "x"}}),
    ("when: {labels: {not: wip}}", ["dana"], {"labels": {"ui": "x"}}, {"labels": {"ui": "x", "wip": "x"}}),
    ("when: {actor_is_bot: false}", ["dana"], {"actor_is_bot": False}, {"actor_is_bot": True}),
    (
        'when: {author: {not: ["dependabot[bot]", "renovate[bot]"]}}',
        ["dana"],
        {"author": "ivan-petrov"},
        {"author": "renovate[bot]"},
    ),
    ("when: {author.team: backend}", ["dana"], {"author": "olga-smirnova"}, {"author": "dana"}),
    ("when: {actor.person: {not: olga}}", ["dana"], {"actor": "ivan-petrov"}, {"actor": "olga-smirnova"}),
    ("to: [reviewer, assignees, mentioned]", ["ivan"], {"mentioned": ("ivan-petrov",)}, {"author": "ivan-petrov"}),
    (
        "{to: team/backend, only_if: [reviewer, assignees, author, mentioned]}",
        ["olga"],
        {"reviewers": ("olga-smirnova", "dana")},
        {"reviewers": ("dana",)},
    ),
    (
        "{when: {event: workflow_run, conclusion: failure}, to: [actor, committer]}",
        ["ivan"],
        {"event": "workflow_run", "conclusion": "failure", "actor": "ivan-petrov"},
        {"event": "workflow_run", "conclusion": "success", "actor": "ivan-petrov"},
    ),
    ("{to: author, include_actor: true}", ["ivan"], {"author": "ivan-petrov", "actor": "ivan-petrov"}, {}),
    (
        "when: {payload.pull_request.additions: {gt: 500}}",
        ["dana"],
        {"payload": {"pull_request": {"additions": 501}}},
        {"payload": {"pull_request": {"additions": 500}}},
    ),
    (
        "when: {if: 'title.matches(\"(?i)urgent\") && number > 100'}",
        ["dana"],
        {"title": "It is URGENT", "number": 101},
        {"title": "It is URGENT", "number": 100},
    ),
    (
        "when: {if: 'payload.commits.exists(c, c.message.contains(\"[deploy]\"))'}",
        ["dana"],
        {"payload": {"commits": [{"message": "fix"}, {"message": "[deploy] go"}]}},
        {"payload": {"commits": [{"message": "fix"}]}},
    ),
    ("{when: {match: 'severity=~\"crit.*\"'}, urgent: true}", ["dana"], {"labels": {"severity": "critical"}}, {}),
]


@pytest.mark.parametrize("readme", [ENGLISH, RUSSIAN], ids=["en", "ru"])
def test_every_line_of_the_table_is_tried(readme: str) -> None:
    assert lines(readme) == [line for line, *_ in TRIED]


@pytest.mark.parametrize(("line", "persons", "hit", "miss"), TRIED, ids=[line for line, *_ in TRIED])
def test_a_line_tells_of_what_it_is_for_and_of_nothing_else(
    line: str, persons: list[str], hit: Words, miss: Words
) -> None:
    assert told(line, hit) == persons
    assert told(line, miss) == []


@pytest.mark.parametrize("readme", [ENGLISH, RUSSIAN], ids=["en", "ru"])
def test_the_files_that_are_shown_are_one_rules_file(readme: str, tmp_path: Path) -> None:
    for block in blocks(readme, "yaml"):
        name = block.splitlines()[0].removeprefix("# ")
        if re.fullmatch(r"(rules|people|rules\.d/\w+)\.yaml", name):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(block)

    rules = read_rules(tmp_path / "rules.yaml", ENV)

    decision = decide(replace(EVENT, repo="acme/branch", reviewers=("ivan-petrov",)), rules, Memory(), NOW)
    assert [(message.portal, message.user_id) for message in decision.messages] == [("branch", 40)]
    assert rules.warnings == ()
