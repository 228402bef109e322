"""GitHub's own published payloads, every one of them: `@octokit/webhooks-examples`, which is not part of this tree."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from relay.sources import github
from relay.sources.github_events import ROWS
from tests.sources import github_published
from tests.sources.github_cases import OPTIONS, posted

pytestmark = pytest.mark.senders

# An advisory of GitHub's own database comes from nobody.
FROM_NOBODY = {"security_advisory"}


@pytest.fixture(scope="module")
def examples() -> list[tuple[str, dict[str, Any]]]:
    return github_published.examples()


def test_there_are_as_many_as_were_published(examples: list[tuple[str, dict[str, Any]]]) -> None:
    assert len(examples) >= 329
    assert {name for name, _ in examples} <= set(ROWS)


def test_every_published_payload_is_believed_and_understood(examples: list[tuple[str, dict[str, Any]]]) -> None:
    for number, (name, payload) in enumerate(examples):
        where = f"{name}.{payload.get('action', '')} ({number})"
        request = posted(name, payload, content_type="application/json", x_github_delivery=str(number))
        request = replace(request, headers={**request.headers, **github.sign(OPTIONS, request, 0.0)})

        github.verify(OPTIONS, request, 0.0)
        (event,) = github.read("github", OPTIONS, request).events

        assert event.title.strip(), where
        assert "\n" not in event.title, where
        assert event.key, where
        assert not re.search(r"[:#@/]$|::", event.key), f"{where}: a piece of {event.key} is missing"
        assert event.url == "" or re.match(r"https?://", event.url), where
        assert event.actor or name in FROM_NOBODY, where
        assert event.payload == payload, where
