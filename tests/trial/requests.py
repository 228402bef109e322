"""Small requests as fixtures hold them, and tests of rules on them, written as in `tests.yml`."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from relay import router, trial
from relay.fixture import parse
from relay.model import Request
from relay.rules import Rules
from relay.store.journal import Entry
from relay.trial import Case, Result
from tests.rules.books import book

RULES = """
rules:
  - name: alarms
    when: {source: deploys, payload.kind: alarm}
    to: team/backend
    urgent: true
    rules:
      - {name: at the weekend, when: {payload.day: [sat, sun]}, to: petr}
  - name: builds
    when: {source: deploys, payload.kind: build}
    to: [{field: payload.who}, actor]
    fallback: petr
    template: {text: "[b]{{ event.payload.name }}[/b]", blocks: [{message: "Branch {{ event.payload.branch }}"}]}
    tag: "{{ event.payload.name }}"
  - {name: silence, when: {payload.kind: quiet}, to: []}
"""


def posted(source: str = "deploys", **body: Any) -> bytes:
    """A fixture's bytes."""
    head = f"POST /in/{source} HTTP/1.1\nContent-Type: application/json\n\n"
    return head.encode() + json.dumps(body, ensure_ascii=False).encode() + b"\n"


FIXTURES: Mapping[str, bytes] = {
    "alarm.http": posted(kind="alarm", day="mon", hosts=[{"name": "db-1", "up": False}, {"name": "db-2", "up": True}]),
    "build.http": posted(kind="build", who="ivan", name="shop", branch="main"),
    "other.http": posted(kind="other"),
    "nobody.http": posted("nowhere", kind="other"),
    "resolved.http": posted(
        "alerts",
        version="4",
        status="resolved",
        groupKey="{}",
        alerts=[{"status": "resolved", "labels": {"alertname": "DiskFull"}, "startsAt": "2026-01-01T09:00:00Z"}],
    ),
    "text.http": b"POST /in/deploys HTTP/1.1\n\nno JSON\n",
    "broken.http": b"this is no request",
}


def read(name: str) -> bytes:
    if name not in FIXTURES:
        raise FileNotFoundError(2, "No such file or directory")
    return FIXTURES[name]


def cases(tests: str, rules: Rules | None = None) -> tuple[Case, ...]:
    return trial.load("version: 1\ntests:\n" + textwrap.dedent(tests), rules=rules or book(RULES), read=read)


def result(test: str, rules: str = RULES) -> Result:
    """What comes of the one test whose keys are given."""
    loaded = book(rules)
    (case,) = cases("- name: it\n" + textwrap.indent(textwrap.dedent(test).strip(), "  "), loaded)
    return trial.run(case, loaded)


def request(name: str) -> Request:
    return parse(FIXTURES[name])


def entry(number: int, at: float, **body: Any) -> Entry:
    """A journalled event of the source `deploys`."""
    return replace(router.unjournalled(parse(posted(**body)), received_at=at), id=number)
