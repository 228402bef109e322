"""One event: its messages with each try and as the portal shows them, why, what came, and its replay."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from relay.house import House
from relay.model import Dead, Delivered, Later
from relay.rules import silences
from relay.store import notes
from relay.web.pages.event import SHOWN
from relay.web.pages.tree import EVENTS
from tests.conftest import Clock
from tests.web.pages.conftest import decide, post, send, token_of

HOSTILE = (
    "<script>document.title='owned'</script><img src=x onerror=alert(1)>"
    "[url=javascript:alert(1)]click[/url][b]bold[/b]\u202egnp.exe\u2066{{ 7*7 }}"
)


def read(client: FlaskClient, number: int) -> Any:
    answer = client.get(f"/api/v1/events/{number}")
    assert answer.status_code == 200
    return answer.json


def words(page: str) -> str:
    """A page as it reads: without tags, and one blank where there were several."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def test_it_tells_each_try_and_what_the_portal_answered(built: House, site: FlaskClient, clock: Clock) -> None:
    number = post(site, {"event": "alarm", "title": "disk"})
    decide(built)
    send(built, Later("QUERY_LIMIT_EXCEEDED", "too many requests"))
    clock.forward(3600)
    send(built, Dead("ERROR_ARGUMENT", "the portal says no"))

    (delivery,) = read(site, number)["deliveries"]
    assert [each["verdict"] for each in delivery["attempts"]] == ["later", "dead"]
    assert delivery["state"] == "dead"
    page = words(site.get(f"/events/{number}").text)
    assert "QUERY_LIMIT_EXCEEDED too many requests" in page
    assert "given up ERROR_ARGUMENT the portal says no" in page
    assert "id 17 on main · urgent" in page


def test_it_says_of_each_rule_the_first_condition_that_failed_and_what_was_seen(site: FlaskClient) -> None:
    number = post(site, {"event": "deployed", "service": "bank"})

    page = words(site.get(f"/events/{number}").text)

    assert "✗ deploys rules.1 does not match : payload.service is bank, not shop" in page
    assert "✗ alarms rules.2 does not match : event is deployed, not alarm" in page
    assert "Nobody is told: no rule." in page
    (decision,) = read(site, number)["decisions"]
    assert decision["rules"][1]["failed"] == {"field": "payload.service", "expected": "shop", "seen": "bank"}


def test_a_rule_that_answers_is_told_from_one_that_was_not_reached(site: FlaskClient) -> None:
    number = post(site, {"event": "deployed", "service": "shop"})

    (decision,) = read(site, number)["decisions"]
    assert [each["result"] for each in decision["rules"]] == ["fails", "answers", "passed"]
    assert [each["person"] for each in decision["messages"]] == ["ivan", "olga"]
    assert "✓ deploys rules.1 отвечает · дальше не идёт" in words(site.get(f"/events/{number}?lang=ru").text)


def test_a_silence_of_the_time_is_why_nobody_is_told(built: House, site: FlaskClient, clock: Clock) -> None:
    made = silences.written(
        when={"event": "alarm"}, starts=clock.now - 60, until=clock.now + 60, who="olga", why="works"
    )
    with built.database.write() as tx:
        notes.add(tx, silences.PREFIX, made)
    number = post(site, {"event": "alarm"})

    assert "Nobody is told: silenced." in words(site.get(f"/events/{number}").text)


def test_what_came_is_shown_without_secrets_and_set_out(site: FlaskClient) -> None:
    answer = site.post(
        "/in/x", json={"event": "alarm", "deep": {"er": 1}}, headers={"X-Kind": "a", "Authorization": "Bearer s3cret"}
    )
    number = answer.json["event"]  # type: ignore[index]  # it is there

    page = html.unescape(site.get(f"/events/{number}").text)
    assert '  "deep": {\n    "er": 1\n  }' in page
    assert "s3cret" not in page
    assert "authorization" not in read(site, number)["headers"]


def test_what_came_can_be_had_as_it_was_and_is_never_run(site: FlaskClient) -> None:
    number = post(site, {"event": "alarm", "title": "<script>"})

    answer = site.get(f"/events/{number}/body")
    assert answer.mimetype == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert b"<script>" in answer.data


@pytest.mark.parametrize(
    "payload",
    [
        {"event": HOSTILE, "title": HOSTILE, "text": HOSTILE, HOSTILE: HOSTILE},
        {"event": "alarm", "title": HOSTILE, "text": HOSTILE, "n": 1},
        {"event": "alarm", "title": "\ud800", "text": "\udfff\x00", "\ud800": "\ud800"},
        {"event": "alarm", "title": "x" * 100_000, "text": "[b]" * 30_000},
        {"event": "alarm", "title": "\u202e" * 3000 + "y", "text": "\n" * 5000},
    ],
    ids=["everywhere", "in a message", "half a pair", "giant", "turned"],
)
def test_hostile_words_lie_there_inert(built: House, site: FlaskClient, payload: dict[str, str]) -> None:
    number = post(site, payload)
    decide(built)

    for address in ("/events", f"/events/{number}", f"/events/{number}/replay"):
        answer = site.get(address)
        assert answer.status_code == 200
        page = answer.text
        assert page.count("<script") == 1  # our own
        assert not re.search(r"<img(?![^>]*/static/relay)", page)
        assert "javascript:" not in "".join(re.findall(r'(?:href|src|action)="[^"]*"', page))
        assert not re.search("[\u202a-\u202e\u2066-\u2069\ud800-\udfff\x00]", page)
        assert "49" not in re.findall(r"<h1>.*?</h1>", page, re.DOTALL)[0]
        assert len(page) < SHOWN * 6
    for address in (f"/api/v1/events/{number}", f"/api/v1/events/{number}/replay", "/api/v1/events"):
        assert site.get(address).status_code == 200


def test_only_the_beginning_of_a_giant_body_is_shown(built: House, site: FlaskClient) -> None:
    number = post(site, {"event": "alarm", "many": ["z" * 100] * 3000})

    page = site.get(f"/events/{number}").text
    assert "Only its beginning is shown." in page
    assert page.count("z" * 100) < 700


def test_a_source_that_is_gone_still_shows_what_came(built: House, site: FlaskClient) -> None:
    number = post(site, {"event": "alarm", "title": "disk"})
    path = built.settings.rules
    path.write_text(path.read_text(encoding="utf-8").replace("  x: {", "  y: {"), encoding="utf-8")
    built.rules_file.refresh()

    page = words(site.get(f"/events/{number}").text)
    assert "It cannot be decided now: the rules have no source of this name any more." in page
    assert "disk" in page


# ── Replay ────────────────────────────────────────────────────────────────────────────────────────────────────────


def replay(client: FlaskClient, number: int, **fields: str) -> Any:
    return client.post(f"/events/{number}/replay", data={"csrf": token_of(client), **fields})


def deliveries(client: FlaskClient, number: int) -> list[tuple[str, str]]:
    return [(each["person"], each["state"]) for each in read(client, number)["deliveries"]]


def test_a_dry_run_sends_nothing(built: House, site: FlaskClient, reader: FlaskClient) -> None:
    number = post(site, {"event": "deployed", "service": "shop", "title": "shop 2"})
    decide(built)

    for client in (site, reader):
        page = words(client.get(f"/events/{number}/replay").text)
        assert "Not for real" not in page
        assert "What would be sent ivan" in page
    assert deliveries(site, number) == [("ivan", "queued"), ("olga", "queued")]


def test_a_test_goes_to_one_person_and_replaces_nothing(built: House, site: FlaskClient) -> None:
    number = post(site, {"event": "deployed", "service": "shop", "title": "shop 2"})
    decide(built)
    send(built, Delivered(1), Delivered(2))

    answer = replay(site, number, strength="test", to="olga")

    assert answer.headers["Location"] == f"/events/{number}?queued=2&left=0#messages"
    assert "2 messages are queued." in site.get(answer.headers["Location"]).text
    assert deliveries(site, number) == [
        ("ivan", "delivered"),
        ("olga", "delivered"),
        ("olga", "queued"),
        ("olga", "queued"),
    ]


def test_for_real_it_goes_to_whom_it_is_for(built: House, site: FlaskClient) -> None:
    number = post(site, {"event": "deployed", "service": "shop", "title": "shop 2"})
    decide(built)
    send(built, Delivered(1), Delivered(2))

    assert replay(site, number, strength="real").status_code == 303
    assert deliveries(site, number)[2:] == [("ivan", "queued"), ("olga", "queued")]


def test_nobody_is_shown_an_older_state(built: House, site: FlaskClient) -> None:
    first = post(site, {"event": "alarm", "title": "disk fills up", "tag": "disk"})
    second = post(site, {"event": "alarm", "title": "disk is fine", "tag": "disk"})
    decide(built)

    page = words(site.get(f"/events/{first}/replay").text)
    assert "Not for real: message 2 tells its recipient a later state." in page
    assert "There is nothing to send" in page
    answer = replay(site, first, strength="real")
    assert answer.headers["Location"] == f"/events/{first}?queued=0&left=1#messages"
    assert "Nothing was queued. 1 was left out" in words(site.get(answer.headers["Location"]).text)
    assert "Send 1 message for real" in words(site.get(f"/events/{second}/replay").text)


def test_a_request_of_many_events_shows_the_first_of_them(built: House, site: FlaskClient) -> None:
    path = built.settings.rules
    source = "  grafana: {type: alertmanager, open: true, per: alert}\npeople:"
    path.write_text(path.read_text(encoding="utf-8").replace("people:", source, 1), encoding="utf-8")
    built.rules_file.refresh()
    alerts = [
        {"status": "firing", "labels": {"alertname": f"a{number}"}, "fingerprint": f"{number:016x}"}
        for number in range(EVENTS + 3)
    ]
    group = {"version": "4", "status": "firing", "groupKey": "g", "receiver": "r", "groupLabels": {}, "alerts": alerts}
    number = site.post("/in/grafana", json=group).json["event"]  # type: ignore[index]  # it is there

    for address in (f"/events/{number}", f"/events/{number}/replay"):
        page = words(site.get(address).text)
        assert f"Event {EVENTS} of {EVENTS + 3} in this request" in page
        assert f"Event {EVENTS + 1} of" not in page
        assert "and 3 more" in page


@pytest.mark.parametrize(
    ("wish", "status"),
    [
        ({"strength": "real"}, 200),
        ({"strength": "test", "to": "ivan"}, 200),
        ({"strength": "test", "to": "17"}, 200),
        ({"strength": "test", "to": "nobody"}, 409),
        ({"strength": "test", "to": "dana"}, 409),  # no id
        ({"strength": "test"}, 409),
        ({"strength": "dry"}, 400),
        ({}, 400),
        ([], 400),
        (None, 415),  # nothing at all
        ({"strength": ["real"]}, 400),
    ],
    ids=str,
)
def test_a_script_says_in_which_strength(built: House, site: FlaskClient, wish: object, status: int) -> None:
    number = post(site, {"event": "alarm", "title": "disk"})
    decide(built)

    answer = site.post(f"/api/v1/events/{number}/replay", json=wish, headers={"X-CSRF-Token": token_of(site)})

    assert answer.status_code == status
    assert answer.json is not None
    assert ("messages" in answer.json) == (status == 200)


def test_what_waits_for_its_first_decision_is_not_sent_twice(site: FlaskClient) -> None:
    number = post(site, {"event": "alarm"})

    assert replay(site, number, strength="real").status_code == 409
    assert "waits for its first decision" in site.get(f"/events/{number}/replay").text
