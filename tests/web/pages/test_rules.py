"""The rules in force as a page: the tree, what each rule answered, what is suspicious, how the file was read."""

from __future__ import annotations

import os

from flask.testing import FlaskClient

from relay.house import House
from tests.web.pages.conftest import ADMIN_TOKEN, RULES, bearer, decide, post

SECRET = "KEYKEYKEY"


def rewrite(built: House, text: str) -> None:
    path = built.settings.rules
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(1, path.stat().st_mtime_ns + 1_000_000))
    built.rules_file.tell = built.note_reading
    built.rules_file.refresh()


def test_each_rule_is_shown_with_its_conditions_its_people_and_its_hits(site: FlaskClient, built: House) -> None:
    for number in range(3):
        post(site, {"event": "alarm", "title": f"disk {number}"})
    decide(built)
    page = site.get("/rules").text
    assert "drop drafts" in page
    assert "event: " in page
    assert "nobody: it drops the event" in page
    assert "3 times" in page
    told = site.get("/api/v1/rules", headers=bearer(ADMIN_TOKEN)).json
    assert told is not None
    assert [(each["name"], each["to"], each["answered"]) for each in told["rules"]][2] == (
        "alarms",
        "ivan",
        [0, 0, 0, 0, 0, 0, 3],
    )


def test_a_finding_is_shown_and_is_gone_when_the_file_is_mended(site: FlaskClient, built: House) -> None:
    never = "  - {name: never asked, when: {event: alarm, severity: high}, to: olga}\n"
    rewrite(built, RULES + never)
    assert "never asked" in "".join(site.get("/api/v1/rules").json["findings"])  # type: ignore[index]
    rewrite(built, RULES)
    assert "never asked" not in "".join(site.get("/api/v1/rules").json["findings"])  # type: ignore[index]


def test_a_refused_file_is_told_and_the_rules_before_it_stay(site: FlaskClient, built: House) -> None:
    rewrite(built, RULES + "nonsense: 1\n")
    page = site.get("/rules").text
    assert "refused, the rules before it stay" in page
    assert "unknown section nonsense" in page
    assert "alarms" in page


def test_no_secret_is_shown(site: FlaskClient, reader: FlaskClient) -> None:
    for client in (site, reader):
        for address in ("/rules", "/api/v1/rules", "/playground"):
            assert SECRET not in client.get(address).text
