"""`retention:` says for how long; what it does not say is as usual."""

from __future__ import annotations

import pytest

from relay.errors import BadRules
from relay.rules import load
from relay.rules.retention import DAY, DEFAULT, Retention

AROUND = """\
version: 1
portal: {domain: example.bitrix24.ru, token: ${TOKEN}}
sources: {github: {type: github, secret: ${SECRET}}}
"""
ENV = {"TOKEN": "token", "SECRET": "secret"}


def kept(section: str) -> Retention:
    return load(AROUND + section, env=ENV).retention


@pytest.mark.parametrize(
    ("section", "found"),
    [
        ("", Retention(payloads=14 * DAY, events=90 * DAY, messages=90 * DAY)),
        ("retention: {}", DEFAULT),
        ("retention: {payloads: 1d12h}", Retention(payloads=1.5 * DAY)),
        (
            "retention: {payloads: 4d, events: 4d, messages: 52w}",
            Retention(payloads=4 * DAY, events=4 * DAY, messages=364 * DAY),
        ),
    ],
)
def test_times_are_read(section: str, found: Retention) -> None:
    assert kept(section) == found


def test_a_replay_needs_to_know_who_was_told_of_later_states() -> None:
    with pytest.raises(BadRules, match="payloads: is longer than messages: a payload is of no use when who was told"):
        kept("retention: {messages: 7d}")
