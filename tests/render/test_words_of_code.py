"""What people read of GitLab, Gitea, Sentry, Jenkins and Buildbot; the texts of stored requests: sources/golden."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relay import fixture
from relay.model import Event
from relay.render import Reader, compose, plain
from relay.render import colour as colours
from relay.render.defaults import load
from relay.render.reader import Locale
from relay.sources import SENDERS
from tests.render import judge
from tests.render.test_wording import EVENTS, of_kind, strings

FIXTURES = Path(__file__).parent.parent / "fixtures"
KINDS = ("gitlab", "gitea", "sentry", "jenkins", "buildbot")
LOCALES = get_args(Locale)


def event_of(name: str) -> Event:
    kind = name.partition("/")[0]
    options = SENDERS[kind].options.model_validate({"type": kind, "open": True})
    (event,) = SENDERS[kind].read(kind, options, fixture.parse((FIXTURES / f"{name}.http").read_bytes())).events
    return event


@pytest.mark.parametrize(
    ("name", "colour"),
    [
        ("gitlab/merge_request__merge", colours.VIOLET),
        ("gitlab/pipeline__failed", colours.RED),
        ("gitlab/pipeline__success", colours.GREEN),
        ("gitea/pull_request_review__rejected", colours.AMBER),
        ("sentry/event_alert__triggered", colours.RED),
        ("sentry/issue__resolved", colours.GREEN),
        ("jenkins/build__unstable", colours.AMBER),
        ("buildbot/build__failure", colours.RED),
    ],
)
def test_the_colour_says_how_bad_it_is(name: str, colour: str) -> None:
    assert colours.of(event_of(name)) == colour


def grid(name: str, locale: Locale) -> list[tuple[str, str]]:
    attach = compose(event_of(name), None, reader=Reader("", locale, "Europe/Moscow"), rule="r").attach
    assert attach is not None
    return [(fact["NAME"], fact["VALUE"]) for fact in attach["BLOCKS"][0]["GRID"]]


def test_a_failed_pipeline_shows_its_facts() -> None:
    assert grid("gitlab/pipeline__failed", "en") == [
        ("Repository", "acme/shop"),
        ("Branch", "main"),
        ("Started by", "ivan"),
        ("Changes by", "kolya@example.com"),
        ("Started", "23 Nov 09:40"),
    ]


def test_an_alert_of_sentry_shows_its_facts() -> None:
    assert grid("sentry/event_alert__triggered", "ru") == [
        ("Проект", "shop"),
        ("Уровень", "ошибка"),
        ("Окружение", "prod"),
        ("Релиз", "2.4"),
        ("Правило", "Errors in production"),
        ("Началось", "23 ноя 09:41"),
    ]


@pytest.mark.parametrize(
    ("failed", "english", "russian"),
    [
        (1, "1 test fails", "не проходит 1 тест"),
        (3, "3 tests fail", "не проходят 3 теста"),
        (5, "5 tests fail", "не проходят 5 тестов"),
        (21, "21 tests fail", "не проходит 21 тест"),
    ],
)
def test_the_tests_that_fail_are_counted(failed: int, english: str, russian: str) -> None:
    payload = {"build": {"test_summary": {"failed": failed}}}
    event = Event(
        source="s", type="jenkins", event="build", state="firing", conclusion="failure", title="t", payload=payload
    )

    texts = [compose(event, None, reader=Reader("", locale), rule="r").text for locale in LOCALES]

    assert [english in texts[0], russian in texts[1]] == [True, True]


@pytest.mark.parametrize(
    ("count", "said"), [(1, "1 новый коммит"), (22, "22 новых коммита"), (25, "25 новых коммитов")]
)
def test_commits_are_counted_in_good_russian_also_those_that_were_not_sent(count: int, said: str) -> None:
    payload = {"ref": "refs/heads/main", "total_commits_count": count, "commits": []}
    event = Event(source="s", type="gitlab", event="push", branch="main", title="t", payload=payload)

    assert compose(event, None, reader=Reader("", "ru"), rule="r").text.startswith(f"{said} в main")


OURS = st.sampled_from([tuple(key.split(".")) for key in load("en") if key.partition(".")[0] in KINDS])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(EVENTS, OURS, st.sampled_from(LOCALES))
def test_every_event_is_worded_within_the_limits_and_nobody_trespasses(event: Event, kind: Any, locale: Locale) -> None:
    wording = compose(of_kind(event, kind), None, reader=Reader("Ivan", locale, "Asia/Tokyo"), rule="r")

    assert plain(wording.text).strip()
    assert len(wording.text) <= 19_000
    assert not wording.note or any(words in wording.note for words in ("left out", "cut at", "came out empty"))
    for text in [judge.shown(wording.text), *strings(wording.attach)]:
        assert {tag.strip("/").split("=")[0] for tag in judge.tags(text)} <= {"b", "i", "s", "url", "code"}
        assert judge.BATCH_REFERENCE.findall(text) == []
        json.dumps(text).encode("ascii")
