"""Alertmanager's webhook: its credentials, its groups, its retries and reminders."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from relay.errors import NotUnderstood, Unauthorized
from relay.model import Event, Request
from relay.sources import alertmanager, fields
from relay.sources.alerts import weight
from tests.sources.posts import FIXTURES, WRONG_TYPES, changed, places, posted, stored, swapped, with_headers

NAME = "alertmanager"
FIRING = stored("alertmanager/firing__two_disks")
MIXED = stored("alertmanager/firing__mixed")
RESOLVED = stored("alertmanager/resolved__two_disks")
GROUP_HASH = "2052853482e8a00e154d676c7cd3fb65c62f05f5079253dc1fd85317cb8c014f"
ZERO_TIME = "0001-01-01T00:00:00Z"


def options(**values: Any) -> alertmanager.Options:
    return alertmanager.Options.model_validate({"type": "alertmanager", **(values or {"bearer": "example-token"})})


def event(request: Request) -> Event:
    (only,) = alertmanager.read(NAME, options(), request).events
    return only


def each(request: Request) -> tuple[Event, ...]:
    return alertmanager.read(NAME, options(open=True, per="alert"), request).events


def delivery(request: Request) -> str:
    return alertmanager.read(NAME, options(), request).delivery


def with_alert(request: Request, **values: object) -> Request:
    """The request with its first alert changed."""
    first, *rest = json.loads(request.body)["alerts"]
    return changed(request, alerts=[{**first, **values}, *rest])


# ── Options ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "no credentials: give basic or bearer, or open: true"),
        ({"open": False}, "no credentials"),
        ({"open": True, "bearer": "a"}, "open: true lets anybody in, bearer does not"),
        ({"basic": {"username": "u", "password": "p"}, "bearer": "a"}, "basic and bearer fill the same Authorization"),
        ({"bearer": ""}, "is empty"),
        ({"bearer": []}, "at least 1 item"),
        ({"bearer": "a", "per": "person"}, "'group' or 'alert'"),
        ({"bearer": "a", "secret": "b"}, "Extra inputs"),
        ({"bearer": "a", "dedup_window": "soon"}, "such as 5m"),
        ({"bearer": "a", "dedup_window": True}, "such as 5m"),
        ({"bearer": "a", "dedup_window": None}, "such as 5m"),
        ({"bearer": "a", "dedup_window": "5 m"}, "such as 5m"),
        ({"bearer": "a", "dedup_window": -1}, "greater than or equal to 0"),
        ({"bearer": "a", "dedup_window": "8d"}, "less than or equal to"),
        ({"bearer": "a", "dedup_window": float("nan")}, "less than or equal to"),
    ],
)
def test_options_that_contradict_or_say_nothing_are_refused(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        alertmanager.Options.model_validate({"type": "alertmanager", **values})


@pytest.mark.parametrize(
    ("written", "seconds"), [(0, 0), (90, 90), (1.5, 1.5), ("90s", 90), ("5m", 300), ("1h30m", 5400), ("1d", 86400)]
)
def test_the_window_is_a_number_of_seconds_or_a_time(written: object, seconds: float) -> None:
    chosen = options(bearer="a", dedup_window=written)

    assert chosen.dedup_window == seconds
    assert alertmanager.read(NAME, chosen, FIRING).window == seconds


def test_the_window_is_five_minutes_unless_said_otherwise() -> None:
    assert alertmanager.read(NAME, options(), FIRING).window == 300


def test_the_options_have_a_json_schema() -> None:
    schema = alertmanager.Options.model_json_schema()

    assert schema["properties"]["dedup_window"]["anyOf"][1]["type"] == "string"


# ── Credentials ───────────────────────────────────────────────────────────────────────────────────────────────

WAYS: list[dict[str, Any]] = [
    {"bearer": "example-token"},
    {"bearer": ["new-token", "example-token"]},
    {"basic": {"username": "alertmanager", "password": "p:ароль:"}},
    {"basic": {"username": "оператор", "password": ["new", "old"]}},
    {"open": True},
]


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_request_is_believed_as_the_sender_would_sign_it(way: dict[str, Any]) -> None:
    chosen = options(**way)

    alertmanager.verify(chosen, with_headers(FIRING, alertmanager.sign(chosen, FIRING, 0)), 0)


@pytest.mark.parametrize("way", WAYS[:-1], ids=str)
@pytest.mark.parametrize("given", [None, "", "Bearer", "Basic Og==", "Bearer example-toke", "example-token"])
def test_without_the_right_credentials_nobody_is_let_in(way: dict[str, Any], given: str | None) -> None:
    with pytest.raises(Unauthorized):
        alertmanager.verify(
            options(**way), posted(FIRING.body, {"authorization": given} if given is not None else {}), 0
        )


def test_the_old_and_the_new_token_are_good_while_it_is_changed() -> None:
    chosen = options(bearer=["new-token", "old-token"])

    for token in ("new-token", "old-token"):
        alertmanager.verify(chosen, posted(b"", {"authorization": f"Bearer {token}"}), 0)


def test_options_that_slipped_past_the_check_still_let_nobody_in() -> None:
    with pytest.raises(Unauthorized):
        alertmanager.verify(alertmanager.Options.model_construct(type="alertmanager"), FIRING, 0)


# ── One event of a group ──────────────────────────────────────────────────────────────────────────────────────


def test_a_group_is_one_event_with_all_its_alerts() -> None:
    found = event(FIRING)

    assert (found.source, found.type, found.event, found.action, found.state) == (
        "alertmanager",
        "alertmanager",
        "alert",
        "firing",
        "firing",
    )
    assert found.key == f"alertmanager:relay:{GROUP_HASH}"
    assert found.delivery == delivery(FIRING)
    assert found.severity == "warning"
    assert found.title == "DiskWillFill"
    assert found.text == "Грозит переполнение <b>диска</b> & «потеря» записи"
    assert found.url == "http://prometheus.example.com:9090/graph?g0.expr=node_filesystem_avail_bytes+%3C+1e9&g0.tab=1"
    assert found.labels == {
        "alertname": "DiskWillFill",
        "cluster": "north",
        "instance": "files-1",
        "severity": "warning",
        "team": "ops",
    }
    assert found.started_at == "2026-11-20T06:45:38.421Z"
    assert found.truncated == 0
    assert found.owners == ()
    assert found.payload == fields.parse(FIRING.body)


def test_every_detail_of_an_alert_is_kept() -> None:
    alert = event(MIXED).alerts[1]

    assert alert.status == "resolved"
    assert alert.name == "DiskWillFill"
    assert alert.summary == "Disk /data on files-1 is 95.2% full"
    assert alert.description == "Грозит переполнение <b>диска</b> & «потеря» записи"
    assert alert.severity == "warning"
    assert alert.labels["mountpoint"] == "/data"
    assert alert.annotations["runbook_url"] == alert.runbook_url == "https://runbooks.example.com/DiskWillFill"
    assert alert.dashboard_url == "https://grafana.example.com/d/disks"
    assert alert.started_at == "2026-11-20T06:45:38.421Z"
    assert alert.ended_at == "2026-11-20T06:50:43.421Z"
    assert alert.url.startswith("http://prometheus.example.com:9090/graph?")
    assert alert.silence_url == (
        "http://alertmanager.example.com:9093/#/silences/new?filter=%7Balertname%3D%22DiskWillFill%22%2C%20"
        "cluster%3D%22north%22%2C%20instance%3D%22files-1%22%2C%20mountpoint%3D%22%2Fdata%22%2C%20"
        "severity%3D%22warning%22%2C%20team%3D%22ops%22%7D"
    )


def test_the_fingerprint_is_alertmanager_s_own() -> None:
    assert event(FIRING).alerts[0].fingerprint == fnv({**event(FIRING).alerts[0].labels})
    assert fnv({"alertname": "Mixed", "instance": "a", "severity": "critical"}) == "e26e866426581ecf"


def fnv(labels: dict[str, str]) -> str:
    """Alertmanager's fingerprint: 64-bit FNV-1a over the sorted labels (prometheus/common, model)."""
    value = 0xCBF29CE484222325
    for byte in b"".join(f"{name}\0{text}\0".encode().replace(b"\0", b"\xff") for name, text in sorted(labels.items())):
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


def test_the_resolve_has_the_key_of_the_alarm() -> None:
    found = event(RESOLVED)

    assert found.key == event(FIRING).key
    assert (found.state, found.action) == ("resolved", "resolved")
    assert found.delivery != event(FIRING).delivery


def test_in_a_mixed_group_the_firing_alerts_speak() -> None:
    worse_but_over = swapped(json.loads(MIXED.body), ("alerts", 1, "labels", "severity"), "critical")
    found = event(posted(worse_but_over))

    assert found.state == "firing"
    assert [alert.status for alert in found.alerts] == ["firing", "resolved"]
    assert found.severity == "warning"
    assert found.text == "Disk / on files-1 is 95.2% full"


def test_a_resolved_group_keeps_the_highest_severity_it_had() -> None:
    body = swapped(json.loads(RESOLVED.body), ("alerts", 1, "labels", "severity"), "critical")

    assert event(posted(body)).severity == "critical"


@pytest.mark.parametrize(
    ("higher", "lower"),
    [
        ("critical", "warning"),
        ("page", "warning"),
        ("P1", "P2"),
        ("disaster", "average"),
        ("high", "sev2"),
        ("sev2", "warning"),
        ("warning", "info"),
        ("CRITICAL", "warning"),
        ("info", ""),
        ("none", ""),
    ],
)
def test_the_more_serious_word_wins_whatever_its_place(higher: str, lower: str) -> None:
    for first, second in ((higher, lower), (lower, higher)):
        body = swapped(json.loads(FIRING.body), ("alerts", 0, "labels", "severity"), first)
        body = swapped(body, ("alerts", 1, "labels", "severity"), second)

        assert event(posted(body)).severity == higher


def test_a_severity_nobody_has_heard_of_is_taken_for_serious() -> None:
    assert weight("warning") < weight("sev0") < weight("critical")


def test_a_cut_group_says_how_many_are_left_out() -> None:
    found = event(stored("alertmanager/firing__truncated"))

    assert len(found.alerts) == 2
    assert found.truncated == 3


def test_a_group_of_several_rules_names_them_and_leads_to_the_list() -> None:
    found = event(stored("alertmanager/firing__several_names"))

    assert found.title == "NodeDown, DbDown"
    assert found.severity == "critical"
    assert found.text == ""
    assert found.url == "http://alertmanager.example.com:9093/#/alerts?receiver=relay"
    assert found.started_at == "2026-11-20T06:59:00Z"
    assert found.labels == {"cluster": "north"}


def test_a_title_names_three_rules_and_counts_the_rest() -> None:
    alert = json.loads(FIRING.body)["alerts"][0]
    alerts = [{**alert, "labels": {"alertname": name}} for name in ("A", "B", "C", "D", "E", "A")]

    assert event(changed(FIRING, alerts=alerts)).title == "A, B, C, +2"


@pytest.mark.parametrize(
    ("annotations", "text"),
    [
        ({"summary": "s", "message": "m", "description": "d"}, "s"),
        ({"message": "m", "description": "d"}, "m"),
        ({"description": "d"}, "d"),
        ({"summary": "", "description": "d"}, "d"),
        ({}, ""),
    ],
)
def test_the_text_is_the_shortest_annotation_that_says_something(annotations: dict[str, str], text: str) -> None:
    one = stored("alertmanager/firing__one_critical")

    assert event(with_alert(one, annotations=annotations)).text == text
    assert event(changed(FIRING, commonAnnotations=annotations)).text == text


def test_alerts_without_a_name_are_called_by_what_they_say() -> None:
    one = stored("alertmanager/firing__one_critical")

    assert event(with_alert(one, labels={"job": "backup"})).title == "db-1 does not answer"
    assert event(with_alert(one, labels={}, annotations={})).title == "alert"


def test_a_group_without_alerts_is_still_an_event() -> None:
    empty = changed(FIRING, alerts=[])

    assert event(empty).text == event(FIRING).text
    assert event(empty).alerts == ()
    assert [found.key for found in each(empty)] == [event(FIRING).key]


# ── Keys ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_keys_differ_between_sources_receivers_and_groups() -> None:
    keys = {
        event(FIRING).key,
        event(changed(FIRING, receiver="relay-2")).key,
        event(changed(FIRING, groupKey="{}:{}")).key,
        alertmanager.read("second", options(), FIRING).events[0].key,
    }

    assert len(keys) == 4


def test_a_group_without_a_key_replaces_nothing() -> None:
    assert event(changed(FIRING, groupKey="")).key == ""


def test_no_receiver_s_name_makes_a_key_longer_than_a_tag_may_be() -> None:
    first, second = event(changed(FIRING, receiver="я" * 5_000)), event(changed(FIRING, receiver="я" * 5_001))

    assert len(first.key) <= 200
    assert first.key.startswith("alertmanager:")
    assert first.key != second.key


# ── The same delivery ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_retry_is_the_same_delivery() -> None:
    assert delivery(FIRING) == delivery(replace(FIRING, headers={}))


def test_the_copy_of_a_second_peer_is_the_same_delivery_about_the_same_thing() -> None:
    alerts = json.loads(FIRING.body)["alerts"]
    copy = changed(FIRING, externalURL="http://alertmanager-2.example.com:9093", alerts=alerts[::-1])

    assert delivery(copy) == delivery(FIRING)
    assert event(copy).key == event(FIRING).key


@pytest.mark.parametrize(
    "values",
    [
        {"receiver": "other"},
        {"groupKey": "{}:{}"},
        {"status": "resolved"},
        {"truncatedAlerts": 1},
        {"notification_reason": "repeat interval elapsed"},
        {"alerts": []},
    ],
    ids=str,
)
def test_a_change_of_the_group_is_a_new_delivery(values: dict[str, object]) -> None:
    assert delivery(changed(FIRING, **values)) != delivery(FIRING)


@pytest.mark.parametrize(
    "values", [{"status": "resolved"}, {"startsAt": "2026-11-20T06:45:38.422Z"}, {"fingerprint": "0" * 16}], ids=str
)
def test_a_change_of_an_alert_is_a_new_delivery(values: dict[str, object]) -> None:
    assert delivery(with_alert(FIRING, **values)) != delivery(FIRING)


def test_a_reminder_that_says_so_is_a_new_delivery_about_the_same_thing() -> None:
    reminder = stored("alertmanager/firing__reminder")
    first = changed(reminder, notification_reason="first notification")

    assert delivery(first) != delivery(reminder)
    assert event(first).key == event(reminder).key
    assert event(reminder).payload["routeLabels"] == {"owner": "ivan"}


# ── One event of each alert ───────────────────────────────────────────────────────────────────────────────────


def test_per_alert_every_alert_is_an_event_of_its_own() -> None:
    first, second = each(MIXED)

    assert first.key == f"alertmanager:{first.alerts[0].fingerprint}"
    assert (first.state, first.action, first.labels["mountpoint"]) == ("firing", "firing", "/")
    assert (second.state, second.action, second.labels["mountpoint"]) == ("resolved", "resolved", "/data")
    assert second.text == "Disk /data on files-1 is 95.2% full"
    assert first.key != second.key
    assert {first.delivery, second.delivery} == {delivery(MIXED)}
    assert [len(found.alerts) for found in (first, second)] == [1, 1]


def test_per_alert_the_resolve_has_the_key_of_the_alarm() -> None:
    assert [found.key for found in each(RESOLVED)] == [found.key for found in each(FIRING)]


def test_per_alert_the_count_of_those_left_out_is_not_lost() -> None:
    assert [found.truncated for found in each(stored("alertmanager/firing__truncated"))] == [3, 3]


def test_an_alert_without_a_fingerprint_is_known_by_its_labels() -> None:
    first, second = each(changed(FIRING, alerts=[{**a, "fingerprint": ""} for a in json.loads(FIRING.body)["alerts"]]))

    assert first.key != second.key
    assert len(first.alerts[0].fingerprint) == 16


def test_an_alert_that_leads_nowhere_leads_to_the_list() -> None:
    one = stored("alertmanager/firing__one_critical")
    (found,) = each(one)

    assert found.alerts[0].url == ""
    assert found.url == event(one).url == "http://alertmanager.example.com:9093/#/alerts?receiver=relay"


# ── Times and links ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("time", [ZERO_TIME, "0001-01-01T00:00:00+03:00", "", None])
def test_the_year_one_is_no_time(time: str | None) -> None:
    alert = event(with_alert(FIRING, startsAt=time, endsAt=time)).alerts[0]

    assert (alert.started_at, alert.ended_at) == ("", "")


@pytest.mark.parametrize(
    "time", ["2026-11-20T06:44:59.360461771Z", "2026-11-20T06:44:59Z", "2026-11-20T09:44:59.5+03:00"]
)
def test_times_are_kept_as_they_were_sent(time: str) -> None:
    assert event(with_alert(FIRING, startsAt=time)).alerts[0].started_at == time


@pytest.mark.parametrize(
    "time", ["soon", "2026-11-20T06:44:59", "2026-13-20T06:44:59Z", "9999-12-31T23:59:59-23:59", "20.11.2026"]
)
def test_what_is_no_time_is_refused_by_its_path(time: str) -> None:
    with pytest.raises(NotUnderstood, match=r"alerts\.0\.startsAt is not a time"):
        event(with_alert(FIRING, startsAt=time))


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "ftp://files.example.com/",
        "//example.com/",
        "example.com",
        "http://",
        "http://[",
        "https://example.com/a b",
        "https://example.com/\nb",
        "https://example.com/\u2028",
        " https://example.com/",
        "data:text/html,x",
    ],
)
def test_only_web_addresses_are_kept(address: str) -> None:
    request = with_alert(
        changed(FIRING, externalURL=address),
        generatorURL=address,
        annotations={"runbook_url": address, "dashboard_url": address},
    )
    alert = event(request).alerts[0]

    assert (alert.url, alert.runbook_url, alert.dashboard_url) == ("", "", "")
    assert alert.silence_url == "" or alert.silence_url.startswith(address)
    assert alert.silence_url == ""


def test_the_first_dashboard_that_is_an_address_is_taken() -> None:
    annotations = {"dashboard": "Disks", "dashboardURL": "https://grafana.example.com/d/1", "dashboard_uid": "1"}

    assert (
        event(with_alert(FIRING, annotations=annotations)).alerts[0].dashboard_url == "https://grafana.example.com/d/1"
    )


def test_a_silence_s_matchers_are_quoted() -> None:
    labels = {"alertname": 'a "b" \\ c\nd', "path": "/я&x=1#"}
    silence = event(with_alert(FIRING, labels=labels)).alerts[0].silence_url

    assert silence.endswith(
        "/#/silences/new?filter=%7Balertname%3D%22a%20%5C%22b%5C%22%20%5C%5C%20c%5Cnd%22%2C%20"
        "path%3D%22%2F%D1%8F%26x%3D1%23%22%7D"
    )


def test_a_slash_at_the_end_of_the_address_is_not_doubled() -> None:
    found = event(changed(stored("alertmanager/firing__one_critical"), externalURL="https://example.com/am/"))

    assert found.url == "https://example.com/am/#/alerts?receiver=relay"


# ── What is not Alertmanager's ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"version": "4"},
        {"version": "4", "alerts": None},
        {"version": "4", "alerts": {}},
        {"version": "1", "alerts": []},
        {"version": 4, "alerts": []},
        {"alerts": []},
        {"text": "a body of the user's own (payload:)"},
    ],
    ids=str,
)
def test_another_body_is_refused_with_what_is_expected(body: object) -> None:
    with pytest.raises(NotUnderstood, match=r'with "version": "4" and a list of alerts.*type json'):
        event(posted(body))


@pytest.mark.parametrize("body", [[], "text", None, 4])
def test_a_body_that_is_no_object_is_refused(body: object) -> None:
    with pytest.raises(NotUnderstood, match="not an object"):
        event(posted(body))


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (("status",), "pending", "status is not firing or resolved"),
        (("status",), None, "status is not firing or resolved"),
        (("receiver",), 5, "receiver is not text"),
        (("groupKey",), {}, "groupKey is not text"),
        (("externalURL",), [], "externalURL is not text"),
        (("truncatedAlerts",), "2", "truncatedAlerts is not a whole number"),
        (("commonLabels",), [], "commonLabels is not an object"),
        (("alerts", 0), None, "alerts.0.status is not firing or resolved"),
        (("alerts", 1), "text", "alerts.1 is not an object"),
        (("alerts", 1, "status"), "suppressed", "alerts.1.status is not firing or resolved"),
        (("alerts", 1, "startsAt"), 1795000000, "alerts.1.startsAt is not text"),
        (("alerts", 0, "labels"), [], "alerts.0.labels is not an object"),
        (("alerts", 0, "annotations"), "text", "alerts.0.annotations is not an object"),
        (("alerts", 0, "fingerprint"), 7, "alerts.0.fingerprint is not text"),
        (("alerts", 0, "generatorURL"), {}, "alerts.0.generatorURL is not text"),
    ],
)
def test_another_type_is_refused_by_its_path(path: tuple[str | int, ...], value: object, sentence: str) -> None:
    with pytest.raises(NotUnderstood) as refusal:
        event(posted(swapped(json.loads(FIRING.body), path, value)))
    assert str(refusal.value) == sentence


def test_a_count_below_nothing_is_nothing() -> None:
    assert event(changed(FIRING, truncatedAlerts=-2)).truncated == 0


BODY = json.loads(MIXED.body)


@given(st.sampled_from(places(BODY)), st.sampled_from(WRONG_TYPES), st.sampled_from(["group", "alert"]))
@settings(deadline=None, max_examples=400)
def test_a_body_with_one_value_of_another_type_is_read_or_refused(
    path: tuple[str | int, ...], value: object, per: str
) -> None:
    try:
        reading = alertmanager.read(NAME, options(open=True, per=per), posted(swapped(BODY, path, value)))
    except NotUnderstood:
        return
    assert reading.events
    json.dumps([reading.delivery, *(found.key for found in reading.events)]).encode()


@given(st.binary(max_size=100))
@settings(deadline=None)
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with pytest.raises(NotUnderstood):
        event(posted(body))


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("alertmanager/*.http")), ids=lambda path: path.stem)
def test_every_fixture_is_believed_and_read(path: Any) -> None:
    request = stored(f"alertmanager/{path.stem}")

    alertmanager.verify(options(), request, 0)
    assert event(request).state == path.stem.partition("__")[0]
