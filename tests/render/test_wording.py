"""What people read: the built-in words for typical events, and something to read for every other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relay.model import Alert, Event, State
from relay.render import Reader, TemplateSpec, compile_template, compose, plain
from relay.render import colour as colours
from relay.render.defaults import compiled, default_template, load
from relay.render.reader import Locale
from tests.render import judge

GOLDEN = yaml.safe_load((Path(__file__).parent / "golden.yaml").read_text(encoding="utf-8"))
LOCALES = get_args(Locale)


def event_of(words: dict[str, Any]) -> Event:
    """An event as golden.yaml writes it: lists are tuples, alerts are Alerts."""
    words = {name: tuple(value) if isinstance(value, list) else value for name, value in words.items()}
    return Event(**words | {"alerts": tuple(Alert(**alert) for alert in words.get("alerts", ()))})


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case["about"])
def test_the_built_in_words(case: dict[str, Any], locale: Locale) -> None:
    wording = compose(event_of(case["event"]), None, reader=Reader("Ivan", locale, "Europe/Moscow"), rule="r")

    assert case[locale] == wording.text.replace(judge.ZERO_WIDTH, "")
    assert wording.note == ""
    assert len(plain(wording.text)) <= 300


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("key", load("en"))
def test_every_built_in_template_compiles_in_every_language(key: str, locale: Locale) -> None:
    assert not compiled(locale, key).broken


def test_both_languages_know_the_same_events() -> None:
    assert load("en").keys() == load("ru").keys()


@pytest.mark.parametrize(
    ("event_type", "event", "action", "key"),
    [
        ("github", "pull_request", "opened", "github.pull_request"),
        ("github", "solar_eclipse", "created", "github"),
        ("github", "sponsorship", "created", "github.sponsorship"),
        ("grafana", "alert", "firing", "grafana.alert"),
        ("grafana", "event", "", "any"),
        ("json", "github.push", "", "any"),
        ("any", "any", "", "any"),
    ],
)
def test_the_nearest_template_is_taken(event_type: str, event: str, action: str, key: str) -> None:
    found = default_template(Event(source="s", type=event_type, event=event, action=action), "en")

    assert found is compiled("en", key)


ALERT = Alert(
    status="firing",
    name="DiskWillFill",
    summary="Disk [/] on db1",
    severity="critical",
    started_at="2026-11-23T06:45:38.421Z",
    ended_at="0001-01-01T00:00:00Z",
    url="https://p.example/graph?a=1&b=2",
    runbook_url="https://r.example/x",
    silence_url="javascript:alert(1)",
    values={"B": 0.951, "C": 3.0},
)


def test_a_group_of_alerts_shows_its_facts_the_first_five_and_how_many_more() -> None:
    event = Event(
        source="prometheus",
        type="alertmanager",
        event="alert",
        state="firing",
        severity="critical",
        title="DiskWillFill",
        url="https://am.example",
        started_at="2026-11-23T06:45:38Z",
        labels={"alertname": "DiskWillFill", "severity": "critical", "team": "ops", "cluster": "lab"},
        alerts=(ALERT,) * 7,
        truncated=10,
    )

    attach = compose(event, None, reader=Reader("", "en", "Europe/Moscow"), rule="r").attach

    message = (
        "🔴 [b]DiskWillFill[/b] · critical · 23 Nov 09:45\nDisk [\u200b/] on db1\nB: 0.951, C: 3\n"
        "[url=https://p.example/graph?a=1&b=2]Source[/url] · [url=https://r.example/x]Runbook[/url] · Silence"
    )
    row = {"DISPLAY": "ROW"}
    assert attach == {
        "COLOR": "#d63232",
        "DESCRIPTION": "lab",
        "BLOCKS": [
            {
                "GRID": [
                    {"NAME": "State", "VALUE": "🔴 firing"} | row,
                    {"NAME": "Severity", "VALUE": "critical"} | row,
                    {"NAME": "Since", "VALUE": "23 Nov 09:45"} | row,
                    {"NAME": "team", "VALUE": "ops"} | row,
                    {"NAME": "cluster", "VALUE": "lab"} | row,
                ]
            },
            *[{"MESSAGE": message}] * 5,
            {"MESSAGE": "[url=https://am.example]+12 more[/url]"},
        ],
    }


def test_a_pull_request_shows_its_facts_and_its_text() -> None:
    event = Event(
        source="github",
        type="github",
        event="pull_request",
        action="opened",
        repo="acme/api",
        branch="fix/login",
        base_branch="main",
        reviewers=("olga", "acme/backend"),
        labels={"bug": "bug"},
        author="ivan",
        actor="ivan",
        state="open",
        text="## Why\n<!-- template -->\nIt was [broken](https://x.example)\n```\na\n```",
    )

    attach = compose(event, None, reader=Reader("", "ru"), rule="r").attach

    row = {"DISPLAY": "ROW"}
    assert attach == {
        "COLOR": "#2f7ed8",
        "DESCRIPTION": "acme/api",
        "BLOCKS": [
            {
                "GRID": [
                    {"NAME": "Репозиторий", "VALUE": "acme/api"} | row,
                    {"NAME": "Ветка", "VALUE": "fix/login → main"} | row,
                    {"NAME": "Ревьюеры", "VALUE": "olga, acme/backend"} | row,
                    {"NAME": "Метки", "VALUE": "bug"} | row,
                ]
            },
            {"MESSAGE": "[b]Why[/b]\nIt was [url=https://x.example]broken[/url]\na"},
        ],
    }


@pytest.mark.parametrize(
    ("severity", "said"),
    [("critical", "критическая"), ("Medium", "средняя"), ("note", "замечание"), ("P2", "P2")],
)
@pytest.mark.parametrize("event_type", ["github", "alertmanager", "json"])
def test_the_severity_is_in_russian_where_it_is_known(event_type: str, severity: str, said: str) -> None:
    event = Event(source="s", type=event_type, event="alert", severity=severity, title="t")

    attach = compose(event, None, reader=Reader("", "ru"), rule="r").attach

    assert attach is not None
    assert {"NAME": "Важность", "VALUE": said, "DISPLAY": "ROW"} in attach["BLOCKS"][0]["GRID"]


@pytest.mark.parametrize(("truncated", "said"), [(1, "ещё 1 алерт"), (3, "ещё 3 алерта"), (12, "ещё 12 алертов")])
def test_the_alerts_left_out_are_counted_in_good_russian(truncated: int, said: str) -> None:
    event = Event(
        source="s", type="alertmanager", event="alert", state="firing", title="t", alerts=(ALERT,), truncated=truncated
    )

    attach = compose(event, None, reader=Reader("", "ru"), rule="r").attach

    assert attach is not None
    assert attach["BLOCKS"][1]["MESSAGE"].startswith("🔴 [b]DiskWillFill[/b] · критично")
    assert attach["BLOCKS"][-1] == {"MESSAGE": said}


def test_a_body_of_ones_own_without_title_shows_its_plain_values_but_no_secrets() -> None:
    payload = {"service": "api", "ok": 1, "api_token": "s3cret", "Password": "s3cret", "nested": {"a": "s3cret"}}
    event = Event(source="cron", type="json", event="backup", payload=payload)

    attach = compose(event, None, reader=Reader(), rule="r").attach

    assert attach is not None
    assert [(fact["NAME"], fact["VALUE"]) for fact in attach["BLOCKS"][0]["GRID"]] == [("service", "api"), ("ok", "1")]


# ── Colours ───────────────────────────────────────────────────────────────────────────────────────────────────


def alert(severity: str, status: Any = "firing") -> Alert:
    return Alert(status=status, name="a", severity=severity)


@pytest.mark.parametrize(
    ("words", "colour"),
    [
        ({"state": "resolved", "severity": "critical"}, colours.GREEN),
        ({"state": "firing", "severity": "critical"}, colours.RED),
        ({"state": "firing", "severity": "P2"}, colours.AMBER),
        ({"state": "firing", "severity": "Info"}, colours.BLUE),
        ({"state": "firing", "severity": "who knows"}, colours.RED),
        ({"state": "firing"}, colours.RED),
        ({"state": "firing", "alerts": (alert("info"), alert("warning"))}, colours.AMBER),
        ({"state": "firing", "alerts": (alert("info"), alert("critical", "resolved"))}, colours.BLUE),
        ({"state": "firing", "conclusion": "NoData", "severity": "critical"}, colours.GREY),
        ({"state": "firing", "conclusion": "Error", "severity": "critical"}, colours.VIOLET),
        ({"state": "firing", "conclusion": "failure"}, colours.RED),
        ({"state": "firing", "conclusion": "action_required"}, colours.AMBER),
        ({"conclusion": "skipped"}, colours.GREY),
        ({"conclusion": "merged", "state": "closed"}, colours.VIOLET),
        ({"conclusion": "changes_requested", "state": "open"}, colours.AMBER),
        ({"state": "open"}, colours.BLUE),
        ({"state": "closed"}, colours.GREY),
        ({"severity": "moderate", "state": "open"}, colours.AMBER),
        ({}, ""),
    ],
)
def test_the_colour_is_the_state_first_and_then_the_severity(words: dict[str, Any], colour: str) -> None:
    assert colour == colours.of(Event(source="s", type="t", event="e", **words))


# ── For every event ───────────────────────────────────────────────────────────────────────────────────────────

TEXT = st.one_of(
    st.text(max_size=30),
    st.text("[]/=urlbcode &#<>$\n\\\u200b", max_size=30),
    st.sampled_from(["x" * 30_000, "[url=https://evil.example]x[/url]", "https://x.example/[b]", "слово/ " * 9_000]),
)
MOMENTS = st.sampled_from(["", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-11-23T06:45:38.4Z", "soon"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
TUPLES = st.lists(TEXT, max_size=3).map(tuple)
LABELS = st.dictionaries(TEXT | st.sampled_from(["items", "get", "__class__"]), TEXT, max_size=4)
ALERTS = st.builds(
    Alert, status=st.sampled_from(["firing", "resolved"]), name=TEXT, summary=TEXT, description=TEXT, severity=TEXT,
    labels=LABELS, started_at=MOMENTS, ended_at=MOMENTS, url=TEXT, dashboard_url=TEXT, silence_url=TEXT,
    runbook_url=TEXT, values=st.dictionaries(TEXT, st.floats(), max_size=3),
)  # fmt: skip
KINDS = st.sampled_from([tuple(key.split(".")) for key in load("en")] + [("json", "x"), ("any",)])
EVENTS = st.builds(
    Event, source=TEXT, type=TEXT, event=TEXT, action=TEXT, key=TEXT | st.just("grafana:test"),
    state=st.sampled_from(get_args(State)), severity=TEXT, title=TEXT, text=TEXT, url=TEXT, repo=TEXT, branch=TEXT,
    base_branch=TEXT, paths=TUPLES, labels=LABELS, actor=TEXT, author=TEXT, assignees=TUPLES, reviewers=TUPLES,
    committers=TUPLES, draft=st.none() | st.booleans(), conclusion=TEXT, number=st.none() | st.integers(),
    started_at=MOMENTS, alerts=st.lists(ALERTS, max_size=7).map(tuple), truncated=st.integers(0, 10**6), payload=JSON,
)  # fmt: skip


def of_kind(event: Event, kind: tuple[str, ...]) -> Event:
    words = {name: getattr(event, name) for name in event.__dataclass_fields__}
    return Event(**words | dict(zip(("type", "event", "action"), kind, strict=False)))


WITH_EVERYTHING = compile_template(
    TemplateSpec.model_validate(
        {
            "text": "[b]{{ event.title }}[/b] [{{ event.repo }}] #{{ event.actor }}"
            " [url={{ event.url }}]{{ event.text | markdown }}[/url]",
            "description": "{{ event.title }}",
            "blocks": [
                {"message": "[{{ event.title }}] {{ event.text | markdown }} {{ event.payload }}"},
                {"link": {"link": "{{ event.url }}", "name": "{{ event.title }}", "desc": "{{ event.labels }}"}},
                {
                    "each": "event.alerts",
                    "grid": [{"each": "item.labels", "name": "{{ item[0] }}", "value": "{{ item[1] }}"}],
                },
                {"user": {"name": "{{ event.actor | bold }}", "user_id": "{{ event.number }}"}},
            ],
        }
    ),
    lambda path, sentence: None,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(EVENTS, KINDS, st.sampled_from(LOCALES), st.sampled_from([None, WITH_EVERYTHING]))
def test_every_event_is_worded_within_the_limits_and_nobody_trespasses(
    event: Event, kind: tuple[str, ...], locale: Locale, template: Any
) -> None:
    wording = compose(of_kind(event, kind), template, reader=Reader("Ivan", locale, "America/New_York"), rule="r")

    assert plain(wording.text).strip()
    assert len(wording.text) <= 19_000
    assert not wording.note or any(words in wording.note for words in ("left out", "cut at", "came out empty"))
    texts = [judge.shown(wording.text)]
    if wording.attach is not None:
        assert len(json.dumps(wording.attach, ensure_ascii=False).replace("/", "\\/")) < 25_000
        assert wording.attach["BLOCKS"]
        texts += strings(wording.attach)
    for text in texts:
        assert {tag.strip("/").split("=")[0] for tag in judge.tags(text)} <= {"b", "i", "s", "url", "code"}
        assert judge.BATCH_REFERENCE.findall(text) == []
        json.dumps(text).encode("ascii")
        text.encode("utf-8")


def strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [text for inner in value for text in strings(inner)] if isinstance(value, list) else []


def test_a_template_that_says_nothing_gives_way_to_the_built_in_one() -> None:
    template = compile_template(TemplateSpec(text="{{ event.branch }}"), lambda path, sentence: None)

    wording = compose(Event(source="s", type="json", event="e", title="t"), template, reader=Reader(), rule="r")

    assert wording.text == "t · s"
    assert wording.note == "the template failed: its text came out empty; the built-in one was used"


def test_a_template_that_fails_in_a_block_is_named_by_its_place() -> None:
    spec = TemplateSpec.model_validate(
        {"text": "x", "blocks": [{"message": "a"}, {"grid": [{"value": "{{ 1 / 0 }}"}]}]}
    )
    template = compile_template(spec, lambda path, sentence: None)

    wording = compose(Event(source="s", type="json", event="e", title="t"), template, reader=Reader(), rule="r")

    assert "ZeroDivisionError at blocks.1.grid.0.value" in wording.note


def test_even_without_any_template_the_title_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("relay.render.wording.default_template", broken)

    event = Event(source="s", type="json", event="e", title="[b]t", url="https://x.example")
    wording = compose(event, None, reader=Reader(), rule="r")

    assert wording.text == "[url=https://x.example][\u200bb]t[/url]"
    assert "only the title was sent" in wording.note
