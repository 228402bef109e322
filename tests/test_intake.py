"""What the journal keeps of a request: everything but the proof of who sent it."""

from __future__ import annotations

import pytest

from relay import intake


@pytest.mark.parametrize(
    "name",
    [
        "authorization",
        "proxy-authorization",
        "cookie",
        "x-hub-signature",
        "x-hub-signature-256",
        "x-grafana-alerting-signature",
        "x-gitlab-token",
        "x-api-key",
        "x-apikey",
        "x-my-secret",
        "x-password",
    ],
)
def test_credentials_are_not_journalled(name: str) -> None:
    assert intake.without_credentials({name: "x"}) == {}


@pytest.mark.parametrize(
    "name", ["content-type", "user-agent", "x-github-event", "x-github-delivery", "x-grafana-alerting-timestamp"]
)
def test_what_the_event_needs_is_journalled(name: str) -> None:
    assert intake.without_credentials({name: "x"}) == {name: "x"}
