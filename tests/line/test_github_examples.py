"""All of GitHub's own example payloads, signed, through the door, the rules and the words."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from relay import router
from relay.bitrix.call import TEXT_LIMIT
from relay.rules import Memory
from relay.sandbox.attach import LIMIT
from relay.store import journal
from tests.line.conftest import Line
from tests.sources import github_published

RULES = """\
version: 1
portal: {portal}
sources:
  github: {{type: github, secret: "${{GITHUB_SECRET}}"}}
people:
  ivan: {{id: 17, locale: en}}
  olga: {{id: 18, locale: ru}}
rules:
  - {{name: everything, to: [ivan, olga], include_actor: true}}
"""
EXAMPLES = 329


@pytest.fixture(scope="module")
def payloads() -> list[tuple[str, Any]]:
    return github_published.examples()


@pytest.mark.senders
def test_every_example_is_accepted_decided_and_within_the_portals_limits(
    make_line: Callable[..., Line], payloads: list[tuple[str, Any]]
) -> None:
    line = make_line(rules=RULES)
    answers = [line.github(event, payload).status_code for event, payload in payloads]
    assert answers == [202] * EXAMPLES

    with line.house.database.read() as tx:
        entries = journal.undecided(tx, EXAMPLES)
    for entry in entries:
        plan = router.plan(entry, line.house.rules, Memory(), datetime.now(UTC))
        assert [message.user_id for message in plan.messages] == [17, 18], entry.kind
        assert plan.note == "", f"{entry.kind}: {plan.note}"
        for message in plan.messages:
            assert 0 < len(message.text) <= TEXT_LIMIT, entry.kind
            assert len(json.dumps(message.attach, ensure_ascii=False)) < LIMIT, entry.kind
