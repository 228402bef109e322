"""The journal: each event with its verdict, found by what one asks, page by page."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from relay.house import House
from relay.model import Dead, Delivered, Muted, Unknown
from relay.web.pages.asking import LIMIT, LONGEST
from tests.conftest import Clock
from tests.web.pages.conftest import decide, post, send


def numbers(client: FlaskClient, **asked: Any) -> list[int]:
    """The events of the page and of its twin, which must be the same."""
    page = [int(each) for each in re.findall(r'id="event-(\d+)"', client.get("/events", query_string=asked).text)]
    twin: Any = client.get("/api/v1/events", query_string=asked).json
    assert [each["id"] for each in twin["events"]] == page
    return page


@pytest.fixture
def filled(built: House, site: FlaskClient, clock: Clock) -> FlaskClient:
    """Seven events: 1 delivered, 2 dead, 3 muted, 4 unknown and therefore held, 5 for nobody, 6 dropped, 7 just in."""
    for title, verdict in (
        ("Диск 90 %", Delivered(1)),
        ("disk 95 %", Dead("ERROR", "not allowed")),
        ("disk full", Muted()),
        ("disk 99 %", Unknown("no answer")),
    ):
        post(site, {"event": "alarm", "title": title, "n": title})
        decide(built)
        send(built, verdict)
        clock.forward(60)
    post(site, {"event": "unheard"})
    post(site, {"event": "deployed", "service": "shop", "draft": True})
    decide(built)
    post(site, {"event": "deployed", "service": "shop", "title": "shop 2"})
    return site


def test_each_event_stands_there_with_its_verdict_the_newest_first(filled: FlaskClient) -> None:
    twin: Any = filled.get("/api/v1/events").json

    told = {each["id"]: each["verdict"] for each in twin["events"]}
    assert [*told] == [7, 6, 5, 4, 3, 2, 1]
    assert told[1] == "delivered"
    assert told[2] == "dead"
    assert told[3] == "muted"
    assert told[4] in ("held", "queued")
    assert told[5] == "no_rule"
    assert told[6] == "dropped"
    assert told[7] == "new"


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"state": "dead"}, [2]),
        ({"state": "muted"}, [3]),
        ({"state": "no_rule"}, [5]),
        ({"state": "new"}, [7]),
        ({"event": "alarm"}, [4, 3, 2, 1]),
        ({"source": "x", "event": "unheard"}, [5]),
        ({"source": "y"}, []),
        ({"person": "ivan"}, [4, 3, 2, 1]),
        ({"person": "olga"}, []),
        ({"text": "ДИСК"}, [1]),
        ({"text": "disk", "state": "dead"}, [2]),
        ({"before": "3"}, [2, 1]),
        ({"after": "5"}, [7, 6]),
        ({"limit": "2"}, [7, 6]),
        ({"since": "2026-11-18T11:07:20", "until": "2026-11-18T11:08:20"}, [2]),
    ],
    ids=str,
)
def test_it_finds_what_is_asked_for(filled: FlaskClient, asked: dict[str, str], found: list[int]) -> None:
    assert numbers(filled, **asked) == found


@pytest.mark.parametrize(
    "asked",
    [
        {"state": "wrong"},
        {"before": "x"},
        {"before": "0"},
        {"before": "-1"},
        {"after": str(2**63)},
        {"after": "9" * 100},
        {"after": "٣"},
        {"limit": "51"},
        {"since": "yesterday"},
        {"until": "9999-99-99"},
        {"text": "x" * (LONGEST + 1)},
    ],
    ids=lambda asked: str(asked)[:40],
)
def test_what_cannot_be_understood_is_said_and_searched_for_nowhere(site: FlaskClient, asked: dict[str, str]) -> None:
    (name,) = asked
    assert 'role="alert"' in site.get("/events", query_string=asked).text
    twin = site.get("/api/v1/events", query_string=asked)
    assert twin.status_code == 400
    assert twin.json is not None
    assert twin.json["error"].startswith(f"{name}: ")


@pytest.mark.parametrize("text", ["%", "_", "\\", "'", "\x00", "\ud800", "\u202e", "[b]"])
def test_any_sign_may_be_searched_for(filled: FlaskClient, text: str) -> None:
    assert filled.get("/events", query_string={"text": text.encode("utf-8", "surrogatepass")}).status_code == 200


def test_pages_go_on_below_a_number_and_keep_what_was_asked(site: FlaskClient) -> None:
    for number in range(LIMIT + 3):
        post(site, {"event": "alarm", "n": number})

    first = site.get("/events?event=alarm").text
    (further,) = re.findall(r'rel="next" href="([^"]+)"', first)
    second = site.get(further.replace("&amp;", "&")).text

    assert re.findall(r'id="event-(\d+)"', second) == ["3", "2", "1"]
    assert 'value="alarm"' in second
    assert "To the newest" in second
    assert "data-live" not in second


def test_the_first_page_lives_and_is_not_sent_again_while_nothing_has_come(filled: FlaskClient) -> None:
    first = filled.get("/events")
    assert 'id="events" data-live' in first.text

    assert filled.get("/events", headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    post(filled, {"event": "alarm", "n": "new"})
    assert filled.get("/events", headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_an_empty_journal_says_what_to_do(site: FlaskClient) -> None:
    assert "relay drill" in site.get("/events").text
    assert "Nothing like that came." in site.get("/events?state=dead").text
