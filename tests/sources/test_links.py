"""Addresses that people can open, in the place of those that only the sender's network knows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from relay.sources import SENDERS, alertmanager, grafana
from relay.sources.links import rebased
from tests.sources.posts import changed, stored

BASES = {"http://grafana:3000": "https://grafana.example.com", "http://grafana:3000/lab": "https://lab.example.com/g"}
ALERTS = ("alertmanager", "grafana")


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://grafana:3000", "https://grafana.example.com"),
        ("http://grafana:3000/", "https://grafana.example.com/"),
        ("http://grafana:3000/d/1?orgId=1#a", "https://grafana.example.com/d/1?orgId=1#a"),
        ("http://grafana:3000?orgId=1", "https://grafana.example.com?orgId=1"),
        ("http://grafana:3000/lab/d/1", "https://lab.example.com/g/d/1"),
        ("http://grafana:3000/laboratory", "https://grafana.example.com/laboratory"),
        ("http://grafana:30001/d/1", "http://grafana:30001/d/1"),
        ("http://grafana:3000@evil.example/", "http://grafana:3000@evil.example/"),
        ("https://elsewhere.example/?u=http://grafana:3000/", "https://elsewhere.example/?u=http://grafana:3000/"),
        ("", ""),
    ],
)
def test_the_longest_beginning_is_replaced_and_only_a_whole_one(address: str, shown: str) -> None:
    assert rebased(address, BASES) == shown


def options(kind: str, links: Any) -> Any:
    return SENDERS[kind].options.model_validate({"type": kind, "open": True, "links": links})


@pytest.mark.parametrize("kind", ALERTS)
@pytest.mark.parametrize(
    "links",
    [
        {"grafana:3000": "https://grafana.example.com"},
        {"http://grafana:3000": "/grafana"},
        {"http://grafana:3000": "javascript:alert(1)"},
        {"http://grafana:3000/?a=1": "https://grafana.example.com"},
        {"http://grafana:3000": "https://grafana.example.com#a"},
        {"": "https://grafana.example.com"},
    ],
)
def test_what_is_no_beginning_of_an_address_is_refused(kind: str, links: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="beginnings of addresses"):
        options(kind, links)


def test_every_address_of_alertmanager_s_is_one_that_people_can_open() -> None:
    within = {
        "http://alertmanager:9093": "https://alerts.example.com/am/",
        "http://prometheus.example.com:9090": "https://p.example",
    }
    chosen = options("alertmanager", within)
    (found,) = alertmanager.read("am", chosen, stored("alertmanager/firing__new_alerts")).events
    one = changed(stored("alertmanager/firing__one_critical"), externalURL="http://alertmanager:9093/")

    assert {alert.url.partition("/graph")[0] for alert in found.alerts} == {"https://p.example"}
    assert {alert.silence_url.partition("#")[0] for alert in found.alerts} == {"https://alerts.example.com/am/"}
    assert found.url.startswith("https://p.example/graph?")
    (listed,) = alertmanager.read("am", chosen, one).events
    assert listed.url == "https://alerts.example.com/am/#/alerts?receiver=relay"


def test_every_address_of_grafana_s_is_one_that_people_can_open() -> None:
    moved = {"https://grafana.example.com": "https://open.example", "https://images.example.com": "https://i.example"}
    (found,) = grafana.read("g", options("grafana", moved), stored("grafana/firing__panel")).events
    alert = found.alerts[0]

    assert "grafana.example.com" not in json.dumps(
        [[a.url, a.rule_url, a.dashboard_url, a.silence_url] for a in found.alerts]
    )
    assert alert.rule_url == "https://open.example/alerting/grafana/cpu-load/view?orgId=1"
    assert alert.image_url == "https://i.example/web-1.png"
    assert alert.runbook_url == "https://runbooks.example.com/cpu"
    assert found.url == alert.url == "https://open.example/d/nodes?orgId=1&viewPanel=4"


def test_legacy_alerts_and_bodies_of_one_s_own_are_moved_too() -> None:
    moved = options("grafana", {"https://grafana.example.com": "https://open.example"})
    (legacy,) = grafana.read("g", moved, stored("grafana/legacy__alerting")).events
    own = changed(stored("grafana/custom__own_template"), externalURL="https://grafana.example.com/")
    (custom,) = grafana.read("g", moved, own).events

    assert legacy.url.startswith("https://open.example/d/nodes")
    assert custom.url == "https://open.example/"


@pytest.mark.parametrize("kind", ALERTS)
def test_the_same_delivery_stays_the_same_wherever_its_links_lead(kind: str) -> None:
    request = stored(f"{kind}/firing__{'panel' if kind == 'grafana' else 'two_disks'}")
    plain, moved = options(kind, {}), options(kind, {"https://grafana.example.com": "https://open.example"})

    assert SENDERS[kind].read("s", plain, request).delivery == SENDERS[kind].read("s", moved, request).delivery
