"""Silences: made from an event after a look at what they would have kept back, listed, and ended."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient

from relay.house import House
from relay.model import Event
from relay.silencing import BadCondition, suggested, when, written
from tests.conftest import Clock
from tests.web.pages.conftest import ADMIN_TOKEN, READER_TOKEN, bearer, decide, post, token_of

ALARM = {"event": "alarm", "title": "disk full", "text": "of db1"}


def draft(client: FlaskClient, **fields: str) -> dict[str, str]:
    usual = {"conditions": "source=x\nevent=alarm", "length": "2h", "why": "disk is on its way"}
    return {"csrf": token_of(client)} | usual | fields


# ── Conditions ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("severity=warning", {"severity": "warning"}),
        ("severity != critical", {"severity": {"not": "critical"}}),
        ("labels.instance=~db[12]", {"labels.instance": {"regex": "db[12]"}}),
        ("title!~.*=.*", {"title": {"not": {"regex": ".*=.*"}}}),
        ('title=" a "', {"title": " a "}),
        ('title=""', {"title": ""}),
        ('title=""a""', {"title": '"a"'}),
    ],
)
def test_a_condition_is_read_and_written_as_alertmanager_writes_it(text: str, means: dict[str, object]) -> None:
    assert when([text]) == means
    assert when(written(means)) == means


def test_what_is_no_condition_is_refused() -> None:
    with pytest.raises(BadCondition, match="«severity»"):
        when(["severity"])


def test_an_alert_suggests_its_labels_and_anything_else_its_key() -> None:
    alert = Event(
        source="am", type="alertmanager", event="alert", key="k", labels={"alertname": "Disk", "odd one": "a"}
    )
    assert suggested(alert) == ["source=am", "labels.alertname=Disk"]
    assert suggested(Event(source="gh", type="github", event="issues", key="a/b#1")) == ["source=gh", "key=a/b#1"]
    assert suggested(Event(source="x", type="json", event="deployed")) == ["source=x", "event=deployed"]
    strange = Event(source="x", type="json", event="e", key="two\nlines")
    assert suggested(strange) == ["source=x"]


# ── Its pages ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_silence_is_made_from_an_event_and_keeps_the_next_one_back(site: FlaskClient, built: House) -> None:
    number = post(site, ALARM)
    decide(built)
    assert f"/silences/new?event={number}" in site.get(f"/events/{number}").text

    form = site.get(f"/silences/new?event={number}").text
    assert "source=x" in form
    assert f'href="/events/{number}"' in form  # what it would have silenced
    answer = site.post("/silences", data=draft(site))
    assert (answer.status_code, answer.location) == (303, "/silences#silence-1")

    again = post(site, ALARM | {"title": "disk still full"})
    decide(built)
    assert site.get(f"/api/v1/events/{again}").json["outcome"] == "silenced"  # type: ignore[index]
    listed = site.get("/silences").text
    assert "disk is on its way" in listed
    assert "1 message" in listed


def test_nothing_is_silenced_by_looking(site: FlaskClient, reader: FlaskClient) -> None:
    post(site, ALARM)
    for client in (site, reader):
        looked = client.post("/silences/look", data=draft(client))
        assert looked.status_code == 200
        assert "1 of the last 100 events" in looked.text
    assert site.get("/api/v1/silences").json == {"silences": []}


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("conditions", "", "at least one condition"),
        ("conditions", "severity", "is no condition"),
        ("conditions", "severty=critical", "did you mean"),
        ("conditions", "title=~(", "title"),
        ("length", "soon", "how long it lasts"),
        ("length", "0s", "how long it lasts"),
        ("length", "9999d", "how long it lasts"),
        ("why", "", "say why"),
        ("why", "x" * 501, "say why"),
    ],
)
def test_what_is_wrong_is_said_beside_what_was_written(site: FlaskClient, field: str, value: str, says: str) -> None:
    answer = site.post("/silences", data=draft(site, **{field: value}))
    assert answer.status_code == 400
    assert says in answer.text
    assert "source=x" in answer.text or field == "conditions"
    assert site.get("/api/v1/silences").json == {"silences": []}


def test_a_silence_is_ended_once(site: FlaskClient, built: House) -> None:
    site.post("/silences", data=draft(site))
    fields = {"csrf": token_of(site)}
    assert site.post("/silences/1/end", data=fields).status_code == 303
    assert site.post("/silences/2/end", data=fields).status_code == 409
    assert site.post("/api/v1/silences/2/end", headers={"X-CSRF-Token": fields["csrf"]}).status_code == 409


def test_a_reader_makes_and_ends_none(site: FlaskClient, reader: FlaskClient) -> None:
    site.post("/silences", data=draft(site))
    assert reader.post("/silences", data=draft(reader)).status_code == 403
    assert reader.post("/silences/1/end", data={"csrf": token_of(reader)}).status_code == 403
    page = reader.get("/silences").text
    assert "disk is on its way" in page
    assert "/silences/1/end" not in page


# ── For scripts ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_script_makes_lists_and_ends_one(stranger: FlaskClient, clock: Clock) -> None:
    wish = {"conditions": ["labels.instance=db1", "severity!=critical"], "for": "2h", "why": "maintenance"}
    made = stranger.post("/api/v1/silences", json=wish, headers=bearer(ADMIN_TOKEN))
    assert made.status_code == 200, made.text
    assert made.json is not None
    assert made.json["conditions"] == wish["conditions"]
    length = datetime.fromisoformat(made.json["until"]) - datetime.fromisoformat(made.json["starts"])
    assert length.total_seconds() == 7200
    assert datetime.fromisoformat(made.json["starts"]).tzinfo == UTC
    assert stranger.get("/api/v1/silences", headers=bearer(READER_TOKEN)).json == {"silences": [made.json]}
    ended = stranger.post("/api/v1/silences/1/end", headers=bearer(ADMIN_TOKEN))
    assert ended.json == {"ends": 1}


@pytest.mark.parametrize("wish", [[], {}, {"conditions": "a=b"}, {"conditions": [1]}, {"conditions": ["key=a"]}, "a"])
def test_a_script_is_told_what_is_wrong(stranger: FlaskClient, wish: object) -> None:
    answer = stranger.post("/api/v1/silences", json=wish, headers=bearer(ADMIN_TOKEN))
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["error"]
