"""Zabbix: what its script posts, to whom, and what replaces what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from relay.errors import NotUnderstood, Unauthorized
from relay.model import Event, Request
from relay.sources import zabbix
from tests.sources.posts import WRONG_TYPES, changed, places, posted, stored, swapped, with_headers

PROBLEM = stored("zabbix/trigger__problem")
UPDATE = stored("zabbix/trigger__update")
RECOVERY = stored("zabbix/trigger__recovery")
REGISTERED = stored("zabbix/autoregistration")
EXAMPLES = Path(__file__).parents[2] / "examples" / "zabbix"


def options(**values: Any) -> zabbix.Options:
    return zabbix.Options.model_validate({"type": "zabbix", **(values or {"open": True})})


def event(request: Request) -> Event:
    (only,) = zabbix.read("zabbix", options(), request).events
    return only


def delivery(request: Request) -> str:
    return zabbix.read("zabbix", options(), request).delivery


def test_a_problem_becomes_an_event() -> None:
    found = event(PROBLEM)

    assert (found.type, found.event, found.action, found.state) == ("zabbix", "trigger", "problem", "firing")
    assert (found.severity, found.key, found.title) == ("high", "zabbix:4711", "Высокая нагрузка CPU на web-1")
    assert found.text == "97.5 %"
    assert found.url == "https://zabbix.example.com/tr_events.php?triggerid=23134&eventid=4711"
    assert found.labels == {"team": "ops", "service": "shop, api", "host": "web-1"}
    assert found.started_at == "2026-11-23T07:04:50+00:00"
    assert (found.assignees, found.actor) == (("17",), "")


def test_an_update_tells_who_did_what_and_keeps_the_state() -> None:
    found = event(UPDATE)

    assert (found.action, found.state, found.key) == ("update", "firing", event(PROBLEM).key)
    assert (found.actor, found.conclusion, found.text) == ("ivan", "acknowledged and commented", "разбираюсь")


def test_a_recovery_replaces_the_problem() -> None:
    found = event(RECOVERY)

    assert (found.action, found.state) == ("recovery", "resolved")
    assert found.key == event(PROBLEM).key


def test_an_update_of_what_is_over_is_over() -> None:
    found = event(changed(UPDATE, event_value="0"))

    assert (found.action, found.state) == ("update", "resolved")


def test_what_is_no_problem_is_an_event_without_a_state() -> None:
    found = event(REGISTERED)

    assert (found.event, found.action, found.state) == ("autoregistration", "", "info")
    assert (found.title, found.text) == ("Autoregistration: db-9", "Host name: db-9\nHost IP: 192.0.2.9")
    assert (found.url, found.started_at, found.labels, found.severity) == ("", "", {}, "")
    assert found.assignees == ("ivan@example.com", "team/backend")


@pytest.mark.parametrize(
    ("number", "name", "state"),
    [
        ("0", "trigger", "firing"),
        ("1", "discovery", "info"),
        ("3", "internal", "firing"),
        ("4", "service", "firing"),
        ("7", "event", "info"),
        ("{EVENT.SOURCE}", "event", "info"),
    ],
)
def test_every_source_of_events_has_its_name(number: str, name: str, state: str) -> None:
    found = event(changed(PROBLEM, event_source=number))

    assert (found.event, found.state) == (name, state)


@pytest.mark.parametrize(
    ("number", "word", "severity"),
    [
        ("0", "Not classified", "not classified"),
        ("1", "К сведению", "information"),
        ("2", "", "warning"),
        ("3", "", "average"),
        ("4", "", "high"),
        ("5", "", "disaster"),
        ("{EVENT.NSEVERITY}", "Urgent", "urgent"),
        ("", "{EVENT.SEVERITY}", ""),
    ],
)
def test_severities_are_told_by_number_for_words_are_translated(number: str, word: str, severity: str) -> None:
    assert event(changed(PROBLEM, event_nseverity=number, event_severity=word)).severity == severity


@pytest.mark.parametrize("nothing", ["{EVENT.OPDATA}", "*UNKNOWN*", "", None])
def test_a_macro_that_does_not_apply_is_nothing(nothing: str | None) -> None:
    found = event(changed(PROBLEM, event_opdata=nothing, event_timestamp=nothing, host_name=nothing))

    assert (found.text, found.started_at) == ("", "")
    assert "host" not in found.labels
    assert not found.payload["event_opdata"]


@pytest.mark.parametrize("text", ["{not a macro}", "{EVENT.OPDATA} of", "a {HOST.NAME}", "*unknown*"])
def test_what_only_looks_like_a_macro_stays(text: str) -> None:
    assert event(changed(PROBLEM, event_opdata=text)).text == text


def test_tags_may_be_the_text_that_the_macro_gives() -> None:
    tags = json.dumps([{"tag": "команда", "value": "ops"}, {"tag": "flag", "value": ""}])

    assert event(changed(PROBLEM, event_tags=tags)).labels == {"команда": "ops", "flag": "", "host": "web-1"}
    assert event(changed(PROBLEM, event_tags="{EVENT.TAGSJSON}")).labels == {"host": "web-1"}


@pytest.mark.parametrize(
    ("name", "login"),
    [
        ("Иван Петров (ivan)", "ivan"),
        ("Anna (QA) Smith (anna.s)", "anna.s"),
        ("ivan", "ivan"),
        ("{USER.FULLNAME}", ""),
    ],
)
def test_who_acknowledged_is_told_by_the_login(name: str, login: str) -> None:
    assert event(changed(UPDATE, user=name)).actor == login


# ── The same delivery ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_retry_is_the_same_delivery_for_good() -> None:
    reading = zabbix.read("zabbix", options(), PROBLEM)

    assert reading.window is None
    assert reading.delivery == delivery(with_headers(PROBLEM, {"x-other": "1"}))


@pytest.mark.parametrize(
    "other",
    [
        {"to": "18"},
        {"event_duration": "10m"},
        {"event_value": "0"},
        {"event_update_status": "1", "event_update_message": "again"},
    ],
)
def test_another_user_a_reminder_and_a_change_are_other_deliveries(other: dict[str, str]) -> None:
    assert delivery(changed(PROBLEM, **other)) != delivery(PROBLEM)


# ── What is not the script's ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("body", [{}, {"event_id": ""}, {"event_id": "{EVENT.ID}"}, {"event_id": None}])
def test_a_body_without_an_event_is_refused_with_the_remedy(body: dict[str, Any]) -> None:
    with pytest.raises(NotUnderstood, match=r"^event_id is not there: paste the script"):
        event(posted(body))


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (("event_id",), 17, "event_id is not text"),
        (("event_name",), ["x"], "event_name is not text"),
        (("to",), {"id": 1}, "to is not text"),
        (("event_tags",), {}, "event_tags is not a list"),
        (("event_tags",), "{}", "event_tags is not a list"),
        (("event_tags",), "[", "not valid JSON"),
        (("event_tags", 1), "x", "event_tags.1 is not an object"),
        (("event_tags", 0, "value"), 5, "event_tags.0.value is not text"),
    ],
)
def test_another_type_is_refused_by_its_path(path: tuple[str | int, ...], value: Any, sentence: str) -> None:
    with pytest.raises(NotUnderstood, match=sentence):
        event(posted(swapped(json.loads(PROBLEM.body), path, value)))


BODY = json.loads(UPDATE.body)
HOSTILE = st.one_of(st.sampled_from(WRONG_TYPES), st.text(max_size=30), st.just("(" * 5_000), st.just("{" * 300))


@given(st.sampled_from(places(BODY)), HOSTILE)
@settings(deadline=None, max_examples=300)
def test_any_value_anywhere_is_read_or_refused(path: tuple[str | int, ...], value: Any) -> None:
    try:
        found = event(posted(swapped(BODY, path, value)))
    except NotUnderstood:
        return
    assert len(found.key) <= 200


# ── Credentials ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "way",
    [
        {"bearer": ["new", "old"]},
        {"basic": {"username": "zabbix", "password": "p"}},
        {"token": {"header": "X-Relay-Token", "value": "t"}},
    ],
    ids=str,
)
def test_the_script_s_header_is_believed_and_no_other(way: dict[str, Any]) -> None:
    chosen = options(**way)

    zabbix.verify(chosen, with_headers(PROBLEM, zabbix.sign(chosen, PROBLEM, 0)), 0)
    with pytest.raises(Unauthorized):
        zabbix.verify(chosen, PROBLEM, 0)  # it has a bearer that nobody here has chosen


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "no credentials: give bearer or basic or token, or open: true"),
        ({"hmac": {"secret": "s", "header": "X"}}, "Extra inputs"),
    ],
)
def test_options_that_say_nothing_are_refused(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        zabbix.Options.model_validate({"type": "zabbix", **values})


# ── The example ───────────────────────────────────────────────────────────────────────────────────────────────


def test_the_media_type_to_import_holds_the_script_and_every_macro_that_is_read() -> None:
    exported = yaml.safe_load((EXAMPLES / "media_bitrix24_relay.yaml").read_text(encoding="utf-8"))["zabbix_export"]
    (media,) = exported["media_types"]
    sent = {each["name"] for each in media["parameters"]} - {"relay_url", "relay_token"}

    assert media["script"].strip() == (EXAMPLES / "script.js").read_text(encoding="utf-8").strip()
    assert sent == json.loads(PROBLEM.body).keys()
