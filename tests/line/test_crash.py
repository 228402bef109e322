"""Killed at any step, the relay loses nothing that it acknowledged, and each key's messages arrive in their order.

Real processes, a real file, a real SIGKILL: one failpoint a test, each in the place where an event has just passed a
step and not yet the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from relay import failpoint
from relay.sandbox import Portal, serve
from relay.settings import Secret
from tests.line.conftest import TOKEN, until
from tests.line.processes import Relay

RULES = """\
version: 1
portal: {{webhook: "{webhook}"}}
sources:
  deploys: {{type: json, bearer: {token}, key: payload.id, tag: payload.service, title: payload.title}}
people:
  ivan: {{id: 17}}
rules:
  - {{when: {{source: deploys}}, to: ivan, tag: "", template: {{text: "{{{{ event.title }}}}"}}}}
default: drop
"""
KEYS = ("shop", "desk")
STATES = 5
SENT = [(key, f"{key} {number}") for number in range(STATES) for key in KEYS]


@pytest.fixture
def relay(tmp_path: Path, database_url: Secret) -> Iterator[tuple[Relay, Portal]]:
    portal = Portal(rate="unlimited")
    with serve(portal) as server:
        relay = Relay(tmp_path, RULES.format(webhook=server.webhook, token=TOKEN), database_url)
        yield relay, portal
        relay.end()


@pytest.mark.parametrize("place", failpoint.PLACES)
def test_killed_anywhere_it_loses_nothing_and_keeps_the_order(relay: tuple[Relay, Portal], place: str) -> None:
    process, portal = relay
    process.start(die_at=place)
    acknowledged = [title for service, title in SENT if post(process, service, title)]
    until(lambda: not process.runs())

    process.start()
    acknowledged += [title for service, title in SENT if title not in acknowledged and post(process, service, title)]

    until(lambda: set(acknowledged) <= set(arrived(portal)))
    assert set(acknowledged) == {title for _, title in SENT}
    for key in KEYS:
        titles = [title for title in arrived(portal) if title.startswith(key)]
        assert first_times(titles) == sorted(titles_of(key, acknowledged), key=lambda title: int(title.split()[1]))
    # At least once: what was being sent when it died may come twice, one message of each key at the most.
    assert len(arrived(portal)) - len(SENT) <= len(KEYS)


def post(relay: Relay, service: str, title: str) -> bool:
    """Post one event; was it acknowledged?"""
    return relay.post("/in/deploys", {"id": title, "service": service, "title": title}, bearer=TOKEN)


def arrived(portal: Portal) -> list[Any]:
    """The texts in the order in which the portal took them."""
    return [command.params["MESSAGE"] for command in portal.commands("im.notify.personal.add") if command.result]


def first_times(titles: list[str]) -> list[str]:
    return list(dict.fromkeys(titles))


def titles_of(key: str, titles: list[str]) -> list[str]:
    return [title for title in titles if title.startswith(key)]
