"""Grafana's webhook: its signatures, its three bodies, and its alerts about itself."""

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
from relay.settings import Secret
from relay.sources import auth, fields, grafana
from relay.sources.identity import sha256
from tests.sources.posts import FIXTURES, WRONG_TYPES, changed, places, posted, stored, swapped, with_headers

NAME = "grafana"
NOW = 1_700_000_000
FIRING = stored("grafana/firing__panel")
RESOLVED = stored("grafana/resolved__panel")
TEST_BUTTON = stored("grafana/firing__test_button")
LEGACY = stored("grafana/legacy__alerting")
CUSTOM = stored("grafana/custom__own_template")
STAMP = "X-Grafana-Alerting-Timestamp"
SIGNATURE = "x-grafana-alerting-signature"


def options(**values: Any) -> grafana.Options:
    return grafana.Options.model_validate({"type": "grafana", **(values or {"open": True})})


def event(request: Request, **values: Any) -> Event:
    (only,) = grafana.read(NAME, options(**values), request).events
    return only


def delivery(request: Request) -> str:
    return grafana.read(NAME, options(), request).delivery


def with_alert(request: Request, **values: object) -> Request:
    first, *rest = json.loads(request.body)["alerts"]
    return changed(request, alerts=[{**first, **values}, *rest])


def stamped(body: bytes, timestamp: str | None, signature: str) -> Request:
    stamp = {STAMP.lower(): timestamp} if timestamp is not None else {}
    return posted(body, {SIGNATURE: signature, **stamp})


# ── Options ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "no credentials: give hmac or basic or bearer or authorization, or open: true"),
        ({"open": True, "hmac": {"secret": "s"}}, "open: true lets anybody in, hmac does not"),
        ({"basic": {"username": "u", "password": "p"}, "bearer": "t"}, "fill the same Authorization header"),
        ({"bearer": "t", "authorization": {"credentials": "t"}}, "fill the same Authorization header"),
        ({"authorization": {"scheme": "two words", "credentials": "t"}}, "pattern"),
        ({"authorization": {"scheme": "", "credentials": "t"}}, "pattern"),
        ({"hmac": {}}, "Field required"),
        ({"hmac": {"secret": ""}}, "is empty"),
        ({"hmac": {"secret": "s", "header": ""}}, "pattern"),
        ({"hmac": {"secret": "s", "header": "X-A: b"}}, "pattern"),
        ({"hmac": {"secret": "s", "timestamp_header": "X A"}}, "pattern"),
        ({"hmac": {"secret": "s", "prefix": "sha256="}}, "Extra inputs"),
    ],
)
def test_options_that_contradict_or_say_nothing_are_refused(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        grafana.Options.model_validate({"type": "grafana", **values})


def test_the_options_have_a_json_schema() -> None:
    assert "hmac" in grafana.Options.model_json_schema()["properties"]


# ── Signatures ────────────────────────────────────────────────────────────────────────────────────────────────

# Without and with a timestamp; the first two are Grafana's own (grafana/alerting, http/hmac).
PLAIN = "3bcebf43c85d20bba6e3b6ba278af1d2ba3ab0d57de271b0ad30b833e851c5a6"
AT_ZERO = "ac18a483a582b60a883e974541afe25aa1026136163e94665649743324183ef1"
AT_NOW = "d4c295899cbb5ad8d67037e9e6a248cd8bb9ccd61ff61113c3362159c35fbb39"
HMAC = {"secret": "secret"}
TIMED = {"secret": "secret", "timestamp_header": STAMP}


def test_grafana_s_own_signatures_are_believed() -> None:
    grafana.verify(options(hmac=HMAC), posted(b"test message", {SIGNATURE: PLAIN}), NOW)
    grafana.verify(options(hmac=TIMED), stamped(b"test message", "0", AT_ZERO), 0)
    grafana.verify(options(hmac=TIMED), stamped(b'{"status":"firing"}', "1700000000", AT_NOW), NOW)


@pytest.mark.parametrize(
    ("timestamp", "signature"),
    [
        (None, AT_NOW),
        ("", AT_NOW),
        ("1700000001", AT_NOW),
        ("soon", AT_NOW),
        ("-1700000000", AT_NOW),
        ("1700000000.0", AT_NOW),
        ("1_700_000_000", AT_NOW),
        ("١٧٠٠٠٠٠٠٠٠", AT_NOW),
        ("²", AT_NOW),
        ("9" * 5_000, AT_NOW),
        ("1700000000", ""),
        ("1700000000", AT_NOW[:-1]),
        ("1700000000", AT_NOW.upper()),
        ("1700000000", auth.hex_digest(Secret("secret"), b'{"status":"firing"}')),
    ],
)
def test_a_wrong_timestamp_or_signature_lets_nobody_in(timestamp: str | None, signature: str) -> None:
    with pytest.raises(Unauthorized):
        grafana.verify(options(hmac=TIMED), stamped(b'{"status":"firing"}', timestamp, signature), NOW)


def test_where_a_timestamp_is_configured_a_replay_cannot_leave_it_out() -> None:
    with pytest.raises(Unauthorized, match=STAMP):
        grafana.verify(options(hmac=TIMED), posted(b"test message", {SIGNATURE: PLAIN}), NOW)


@pytest.mark.parametrize("off", [-300, -299, 0, 299, 300])
def test_a_clock_may_be_five_minutes_off(off: int) -> None:
    grafana.verify(options(hmac=TIMED), stamped(b'{"status":"firing"}', str(NOW), AT_NOW), NOW + off)


@pytest.mark.parametrize("off", [-86400, -301, 301, 86400])
def test_an_older_or_later_request_is_a_replay(off: int) -> None:
    with pytest.raises(Unauthorized, match="5 minutes"):
        grafana.verify(options(hmac=TIMED), stamped(b'{"status":"firing"}', str(NOW), AT_NOW), NOW + off)


BASIC = {"username": "grafana", "password": ["new:пароль", "old"]}
WAYS: list[dict[str, Any]] = [
    {"hmac": HMAC},
    {"hmac": TIMED},
    {"hmac": {"secret": ["new", "secret"], "header": "X-Sign"}},
    {"basic": BASIC},
    {"bearer": ["new", "old"]},
    {"authorization": {"scheme": "Token", "credentials": "t"}},
    {"hmac": HMAC, "basic": BASIC},
    {"hmac": TIMED, "bearer": "t"},
    {"hmac": TIMED, "authorization": {"credentials": "t"}},
    {"open": True},
]


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_request_is_believed_as_the_sender_would_sign_it(way: dict[str, Any]) -> None:
    chosen = options(**way)

    grafana.verify(chosen, with_headers(FIRING, grafana.sign(chosen, FIRING, NOW + 0.9)), NOW)


@pytest.mark.parametrize("way", WAYS[:-1], ids=str)
def test_every_header_that_is_signed_is_asked_for(way: dict[str, Any]) -> None:
    chosen = options(**way)
    signed = grafana.sign(chosen, FIRING, NOW)

    for missing in signed:
        with pytest.raises(Unauthorized):
            grafana.verify(chosen, posted(FIRING.body, {k: v for k, v in signed.items() if k != missing}), NOW)


@pytest.mark.parametrize("way", [way for way in WAYS if "hmac" in way], ids=str)
def test_a_signature_covers_every_byte_of_the_body(way: dict[str, Any]) -> None:
    chosen = options(**way)
    signed = with_headers(FIRING, grafana.sign(chosen, FIRING, NOW))

    with pytest.raises(Unauthorized):
        grafana.verify(chosen, replace(signed, body=signed.body + b" "), NOW)


def test_options_that_slipped_past_the_check_still_let_nobody_in() -> None:
    with pytest.raises(Unauthorized):
        grafana.verify(grafana.Options.model_construct(type="grafana"), FIRING, NOW)


# ── The unified body ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_group_is_one_event_with_all_its_alerts() -> None:
    found = event(FIRING)

    assert (found.source, found.type, found.event, found.action, found.state) == (
        "grafana",
        "grafana",
        "alert",
        "firing",
        "firing",
    )
    assert found.key == "grafana:1:" + sha256('{}:{alertname="Высокая нагрузка", grafana_folder="Nodes"}'.encode())
    assert found.severity == "critical"
    assert found.title == "Высокая нагрузка"
    assert found.text == ""
    assert found.url == "https://grafana.example.com/d/nodes?orgId=1&viewPanel=4"
    assert found.conclusion == ""
    assert found.labels == {"alertname": "Высокая нагрузка", "grafana_folder": "Nodes", "severity": "critical"}
    assert found.started_at == "2026-11-20T08:00:10Z"
    assert found.payload == fields.parse(FIRING.body)


def test_every_detail_of_an_alert_is_kept() -> None:
    alert = event(FIRING).alerts[0]

    assert alert.values == {"B0": 97.5, "C": 1.0}
    assert alert.url == "https://grafana.example.com/d/nodes?orgId=1&viewPanel=4"
    assert alert.dashboard_url == "https://grafana.example.com/d/nodes?orgId=1"
    assert alert.silence_url.startswith("https://grafana.example.com/alerting/silence/new?")
    assert alert.runbook_url == "https://runbooks.example.com/cpu"
    assert alert.image_url == "https://images.example.com/web-1.png"
    assert alert.summary == "CPU on web-1 is above 90 %"
    assert alert.ended_at == ""


@pytest.mark.parametrize(
    ("missing", "url"),
    [
        ([], "https://grafana.example.com/d/nodes?orgId=1&viewPanel=4"),
        (["panelURL"], "https://grafana.example.com/d/nodes?orgId=1"),
        (["panelURL", "dashboardURL"], "https://grafana.example.com/alerting/grafana/cpu-load/view?orgId=1"),
        (["panelURL", "dashboardURL", "generatorURL"], ""),
    ],
)
def test_an_alert_leads_to_the_panel_or_else_to_the_next_best(missing: list[str], url: str) -> None:
    for nothing in ("", None, "javascript:alert(1)"):
        alert = event(with_alert(FIRING, **dict.fromkeys(missing, nothing))).alerts[0]

        assert alert.url == url


def test_a_group_whose_alerts_lead_to_different_places_leads_to_grafana() -> None:
    assert (
        event(with_alert(FIRING, panelURL="https://grafana.example.com/d/other")).url == "https://grafana.example.com/"
    )


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        (None, {}),
        ({}, {}),
        ({"A": -1}, {"A": -1.0}),
        ({"A": 2.47e9, "minute": 0}, {"A": 2.47e9, "minute": 0.0}),
        ({"A": None, "B": 1}, {"B": 1.0}),
    ],
)
def test_values_are_numbers_by_their_names(values: object, kept: dict[str, float]) -> None:
    assert event(with_alert(FIRING, values=values)).alerts[0].values == kept


def test_grafana_9_sends_no_values() -> None:
    body = json.loads(RESOLVED.body)
    del body["alerts"][0]["values"]

    assert event(posted(body)).alerts[0].values == {}


@pytest.mark.parametrize("value", ["97.5", True, [], {}, 10**400])
def test_a_value_that_is_no_number_is_refused_by_its_path(value: object) -> None:
    with pytest.raises(NotUnderstood, match=r"alerts\.0\.values\.\* is not a number"):
        event(with_alert(FIRING, values={"A": value}))


def test_a_number_too_large_for_any_computer_is_refused() -> None:
    with pytest.raises(NotUnderstood):
        event(replace(FIRING, body=FIRING.body.replace(b"97.5", b"1e999")))


def test_the_resolve_has_the_key_of_the_alarm() -> None:
    found = event(RESOLVED)

    assert found.key == event(FIRING).key
    assert (found.state, found.action) == ("resolved", "resolved")
    assert found.alerts[0].ended_at == "2026-11-20T08:30:10Z"


def test_status_is_trusted_before_state() -> None:
    assert event(changed(RESOLVED, state="alerting")).state == "resolved"


def test_keys_differ_between_sources_organisations_and_groups() -> None:
    keys = {
        event(FIRING).key,
        event(changed(FIRING, orgId=2)).key,
        event(changed(FIRING, groupKey="{}:{}")).key,
        grafana.read("second", options(), FIRING).events[0].key,
    }

    assert len(keys) == 4


def test_an_organisation_left_out_is_taken_from_the_first_alert() -> None:
    body = json.loads(with_alert(FIRING, orgId=1).body)
    del body["orgId"]

    assert event(posted(body)).key == event(FIRING).key


def test_per_alert_keys_are_fingerprints_within_the_organisation() -> None:
    first, second = grafana.read(NAME, options(open=True, per="alert"), FIRING).events

    assert first.key == f"grafana:1:{first.alerts[0].fingerprint}"
    assert first.key != second.key
    assert first.labels["instance"] == "web-1"


def test_a_retry_is_the_same_delivery_and_a_change_is_another() -> None:
    assert delivery(FIRING) == delivery(replace(FIRING, method="PUT", headers={}))
    assert delivery(FIRING) == delivery(changed(FIRING, message="", title=""))
    assert delivery(FIRING) != delivery(changed(FIRING, orgId=2))
    assert delivery(FIRING) != delivery(with_alert(FIRING, status="resolved"))
    assert grafana.read(NAME, options(open=True, dedup_window="10m"), FIRING).window == 600


def test_the_signed_fixture_is_believed() -> None:
    signed = stored("grafana/firing__signed")

    grafana.verify(options(hmac={"secret": "example-secret"}), signed, NOW)
    with pytest.raises(Unauthorized):
        grafana.verify(options(hmac={"secret": "other-secret"}), signed, NOW)


# ── Alerts about the alerting itself ──────────────────────────────────────────────────────────────────────────


def test_no_data_is_told_under_the_rule_s_own_name() -> None:
    found = event(stored("grafana/firing__no_data"))

    assert (found.state, found.conclusion, found.title) == ("firing", "NoData", "Высокая нагрузка")
    assert found.severity == "warning"
    assert found.labels["alertname"] == "DatasourceNoData"


def test_a_rule_that_fails_is_told_under_its_own_name() -> None:
    found = event(stored("grafana/firing__datasource_error"))

    assert (found.state, found.conclusion, found.title) == ("firing", "Error", "Queue length")
    assert found.url == "https://grafana.example.com/alerting/grafana/cpu-load/view?orgId=1"


def test_the_reason_of_a_state_is_kept_in_grafana_s_word() -> None:
    assert event(stored("grafana/resolved__missing_series")).conclusion == "MissingSeries"


def test_reasons_that_differ_are_no_conclusion() -> None:
    reasons = swapped(json.loads(FIRING.body), ("alerts", 0, "annotations"), {"grafana_state_reason": "NoData"})
    reasons = swapped(reasons, ("alerts", 1, "annotations"), {"grafana_state_reason": "Error"})
    assert event(posted(reasons)).conclusion == ""

    annotated = with_alert(FIRING, annotations={"grafana_state_reason": "NoData"})

    assert event(annotated).conclusion == ""
    assert [found.conclusion for found in grafana.read(NAME, options(open=True, per="alert"), annotated).events] == [
        "NoData",
        "",
    ]


@pytest.mark.parametrize("per", ["group", "alert"])
@pytest.mark.parametrize(
    "values",
    [
        {},
        {"groupKey": '{alertname="TestAlert", instance="Grafana"}2026-11-20 10:00:00.123'},
        {"groupKey": "relay-57c6d9296de2ad39-1795168801", "receiver": "другой"},
        {"orgId": 2},
        {"status": "resolved"},
    ],
    ids=str,
)
def test_presses_of_the_test_button_replace_each_other(values: dict[str, object], per: str) -> None:
    assert event(changed(TEST_BUTTON, **values), open=True, per=per).key == "grafana:test"


def test_a_test_is_known_by_its_labels_by_its_fingerprint_or_by_its_group() -> None:
    other = {"labels": {"alertname": "Mine"}, "fingerprint": "0" * 16}

    assert event(with_alert(TEST_BUTTON, fingerprint="")).key == "grafana:test"
    assert event(changed(with_alert(TEST_BUTTON, labels={}), groupKey="{}:{}")).key == "grafana:test"
    assert event(with_alert(TEST_BUTTON, **other)).key == "grafana:test"
    assert event(changed(with_alert(TEST_BUTTON, **other), groupKey="{}:{}")).key != "grafana:test"


def test_a_test_is_an_alert_like_any_other() -> None:
    found = event(TEST_BUTTON)

    assert (found.event, found.state, found.title, found.text) == ("alert", "firing", "TestAlert", "Notification test")
    assert found.alerts[0].url == found.alerts[0].silence_url == ""


def test_two_presses_are_two_deliveries() -> None:
    assert delivery(TEST_BUTTON) != delivery(changed(TEST_BUTTON, groupKey="relay-57c6d9296de2ad39-1795168801"))


# ── The legacy body ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_legacy_alert_is_read() -> None:
    found = event(LEGACY)

    assert (found.event, found.action, found.state, found.key) == ("alert", "alerting", "firing", "grafana:1/42")
    assert (found.title, found.text, found.severity) == ("Load", "Load is above 90 %", "warning")
    assert found.url.startswith("https://grafana.example.com/d/nodes?")
    assert found.labels == {"severity": "warning", "team": "ops"}
    assert found.alerts[0].values == {"load{host=web-1}": 97.5, "load{host=web-2}": 91.0}
    assert found.alerts[0].image_url == "https://images.example.com/load.png"


@pytest.mark.parametrize(
    ("word", "state", "conclusion", "alerts"),
    [
        ("alerting", "firing", "", ["firing"]),
        ("no_data", "firing", "NoData", ["firing"]),
        ("ok", "resolved", "", ["resolved"]),
        ("paused", "info", "Paused", []),
        ("pending", "info", "Pending", []),
    ],
)
def test_legacy_states_are_told_in_the_relay_s_words(word: str, state: str, conclusion: str, alerts: list[str]) -> None:
    found = event(changed(LEGACY, state=word))

    assert (found.action, found.state, found.conclusion) == (word, state, conclusion)
    assert [alert.status for alert in found.alerts] == alerts
    assert found.key == event(LEGACY).key


def test_an_unknown_legacy_state_is_refused() -> None:
    with pytest.raises(NotUnderstood, match="state is not one of alerting, no_data, ok"):
        event(changed(LEGACY, state="unknown"))


def test_legacy_alarms_that_look_alike_are_the_same_only_for_a_minute() -> None:
    reading = grafana.read(NAME, options(), LEGACY)

    assert reading.window == 60
    assert reading.delivery == delivery(replace(LEGACY, headers={}))
    assert reading.delivery != delivery(changed(LEGACY, state="ok"))
    assert grafana.read(NAME, options(open=True, dedup_window=5), LEGACY).window == 5


def test_a_legacy_alert_without_a_rule_replaces_nothing() -> None:
    assert event(changed(LEGACY, ruleId=None)).key == ""


# ── A body of the user's own making ───────────────────────────────────────────────────────────────────────────


def test_a_body_of_one_s_own_claims_little() -> None:
    reading = grafana.read(NAME, options(), CUSTOM)
    (found,) = reading.events

    assert (found.type, found.event, found.action, found.state) == ("grafana", "event", "firing", "firing")
    assert (found.title, found.text, found.key) == ("Queue is long", "1200 letters wait", "")
    assert found.payload["queue"] == {"name": "mail", "length": 1200}
    assert found.alerts == ()
    assert reading.window == 60
    assert reading.delivery == found.delivery == sha256(CUSTOM.body)


@pytest.mark.parametrize(
    ("body", "state", "title"),
    [
        ({"state": "ok", "title": "a\0b"}, "resolved", "ab"),
        ({"status": 5, "title": ["x"], "message": {}}, "info", ""),
        ([1, 2], "info", ""),
        ("text", "info", ""),
        (None, "info", ""),
        ({}, "info", ""),
    ],
    ids=str,
)
def test_any_json_is_a_body_of_one_s_own(body: object, state: str, title: str) -> None:
    found = event(posted(body))

    assert (found.event, found.state, found.title) == ("event", state, title)


# ── What is not Grafana's ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (("alerts",), {}, "alerts is not a list"),
        (("status",), "ok", "status is not firing or resolved"),
        (("orgId",), "1", "orgId is not a whole number"),
        (("alerts", 0, "values"), [], "alerts.0.values is not an object"),
        (("alerts", 0, "panelURL"), 5, "alerts.0.panelURL is not text"),
        (("alerts", 1, "imageURL"), {}, "alerts.1.imageURL is not text"),
        (("alerts", 1, "silenceURL"), [], "alerts.1.silenceURL is not text"),
    ],
)
def test_another_type_is_refused_by_its_path(path: tuple[str | int, ...], value: object, sentence: str) -> None:
    body = json.loads(FIRING.body)
    body["alerts"][1]["imageURL"] = ""

    with pytest.raises(NotUnderstood) as refusal:
        event(posted(swapped(body, path, value)))
    assert str(refusal.value) == sentence


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (("ruleId",), "42", "ruleId is not a whole number"),
        (("evalMatches",), {}, "evalMatches is not a list"),
        (("evalMatches", 0), 1, "evalMatches.0 is not an object"),
        (("evalMatches", 0, "value"), "high", "evalMatches.0.value is not a number"),
        (("evalMatches", 1, "tags"), [], "evalMatches.1.tags is not an object"),
        (("tags",), ["a"], "tags is not an object"),
        (("message",), {}, "message is not text"),
    ],
)
def test_another_type_in_a_legacy_body_is_refused_by_its_path(
    path: tuple[str | int, ...], value: object, sentence: str
) -> None:
    with pytest.raises(NotUnderstood) as refusal:
        event(posted(swapped(json.loads(LEGACY.body), path, value)))
    assert str(refusal.value) == sentence


BODIES = [json.loads(request.body) for request in (FIRING, TEST_BUTTON, LEGACY, CUSTOM)]
MUTATIONS = [(body, path) for body in BODIES for path in places(body)]


@given(st.sampled_from(MUTATIONS), st.sampled_from(WRONG_TYPES), st.sampled_from(["group", "alert"]))
@settings(deadline=None, max_examples=500)
def test_a_body_with_one_value_of_another_type_is_read_or_refused(
    place: tuple[Any, tuple[str | int, ...]], value: object, per: str
) -> None:
    try:
        reading = grafana.read(NAME, options(open=True, per=per), posted(swapped(*place, value)))
    except NotUnderstood:
        return
    assert reading.events
    assert all(len(found.key) <= 200 for found in reading.events)


@given(st.binary(max_size=100))
@settings(deadline=None)
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        found = event(posted(body))
    except NotUnderstood:
        return
    assert found.event == "event"


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("grafana/*.http")), ids=lambda path: path.stem)
def test_every_fixture_is_read(path: Any) -> None:
    kind = path.stem.partition("__")[0]
    found = event(stored(f"grafana/{path.stem}"))

    assert found.event == ("event" if kind == "custom" else "alert")
    if kind in ("firing", "resolved"):
        assert found.state == kind


# ── To the last field ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (
            "[ var='B0' metric='Load' labels={host=a} value=97.5 ], [ var='C' metric='' labels={} value=1 ]",
            {"B0": 97.5, "C": 1},
        ),
        ("[ metric='foo' labels={instance=bar} value=10 ]", {"foo": 10.0}),
        ("[ var='A' labels={a=b} value=2.47e+09 ]", {"A": 2.47e9}),
        ("[ var='A' labels={a=b} value=-1 ]", {"A": -1.0}),
        ("[ var='A' labels={a=value=3} value=4 ]", {"A": 4.0}),
        ("[ var='A' labels={} value=NaN ]", {}),
        ("[ var='A' labels={} value=1e999 ]", {}),
        ("[ no value ]", {}),
        ("[ var='A' labels={} value=٣ ]", {}),
        ("", {}),
    ],
)
def test_grafana_9_writes_its_values_as_text(written: str, kept: dict[str, float]) -> None:
    older = stored("grafana/firing__grafana_9")

    assert event(with_alert(older, valueString=written)).alerts[0].values == kept


def test_where_there_are_values_their_text_is_not_asked() -> None:
    assert event(with_alert(FIRING, values=None)).alerts[0].values == {}


def test_a_long_text_of_values_is_read_in_time_that_grows_with_it() -> None:
    written = "[ var='A" * 100_000

    assert event(with_alert(stored("grafana/firing__grafana_9"), valueString=written)).alerts[0].values == {}


@pytest.mark.parametrize(
    ("panel", "dashboard", "rule", "url", "rule_url"),
    [
        (
            "https://g.example/p",
            "https://g.example/d",
            "https://g.example/r",
            "https://g.example/p",
            "https://g.example/r",
        ),
        ("", "https://g.example/d", "https://g.example/r", "https://g.example/d", "https://g.example/r"),
        ("", "", "https://g.example/r", "https://g.example/r", ""),
        ("", "", "", "", ""),
    ],
)
def test_an_alert_leads_to_its_panel_then_its_dashboard_then_its_rule(
    panel: str, dashboard: str, rule: str, url: str, rule_url: str
) -> None:
    alert = event(with_alert(FIRING, panelURL=panel, dashboardURL=dashboard, generatorURL=rule)).alerts[0]

    assert (alert.url, alert.dashboard_url, alert.rule_url) == (url, dashboard, rule_url)


def test_a_body_of_one_s_own_keeps_what_it_says_under_grafana_s_names() -> None:
    said = {"groupKey": "{}:{}", "url": "javascript:alert(1)", "panelURL": "https://g.example/p", "severity": "warning"}
    found = event(changed(CUSTOM, **said, commonLabels={"team": "ops", "n": 1}))
    again = event(changed(CUSTOM, **said, status="resolved"))

    assert (found.url, found.severity, found.labels) == ("https://g.example/p", "warning", {"team": "ops"})
    assert found.key == again.key != ""
    assert (found.state, again.state) == ("firing", "resolved")
    assert event(changed(CUSTOM, commonLabels={"severity": "info"})).severity == "info"


def test_a_body_of_one_s_own_without_words_claims_nothing() -> None:
    bare = event(posted([1, {"commonLabels": 3}]))

    assert (bare.state, bare.title, bare.key, bare.url, bare.labels) == ("info", "", "", "", {})
