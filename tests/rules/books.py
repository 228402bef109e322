"""Small rules files for tests, and events to try them on."""

from __future__ import annotations

import textwrap
from datetime import UTC, datetime
from typing import Any

from relay.model import Event
from relay.rules import Decision, Memory, Rules, decide, load

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ENV = {
    "BITRIX24_WEBHOOK_URL": "https://example.bitrix24.ru/rest/1/abcdefgh/",
    "TOKEN": "a-token",
    "SECRET": "a-secret",
    "ADMIN_ID": "1",
}

HEAD = """\
version: 1
portal: {domain: example.bitrix24.ru, token: ${TOKEN}}
sources:
  github: {type: github, secret: ${SECRET}}
  alerts: {type: alertmanager, bearer: ${SECRET}}
  deploys: {type: json, bearer: ${SECRET}, event: deploy}
people:
  ivan: {id: 17, github: ivan-petrov, email: ivan@example.com, locale: ru, timezone: Europe/Moscow}
  olga: {id: 18, github: [olga-s, olga-old], email: olga@example.com}
  petr: {id: 19, github: Petr, grafana: petr-g}
  nina: {github: nina, email: nina@example.com}
teams:
  backend: [ivan, olga]
  acme/frontend: [petr]
"""


def book(rest: str) -> Rules:
    """Rules with the head above; the head's people are ivan 17, olga 18, petr 19 and nina, who has no id."""
    return load(HEAD + textwrap.dedent(rest), env=ENV)


def event(**words: Any) -> Event:
    known = {"source": "github", "type": "github", "event": "push", "key": "acme/shop#1", "title": "It happened"}
    return Event(**(known | words))


def decided(rest: str, **words: Any) -> Decision:
    return decide(event(**words), book(rest), Memory(), NOW)


def told(decision: Decision) -> list[str]:
    return [message.person for message in decision.messages]
