"""What people read of Zabbix, Uptime Kuma, Healthchecks, CloudEvents and Standard Webhooks, in both languages."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.model import Event, State
from relay.render import Reader, compose, plain
from relay.render import colour as colours
from relay.render.reader import Locale
from relay.sources import SENDERS
from tests.render import judge
from tests.sources.posts import changed, stored

KINDS = ("zabbix", "uptime-kuma", "healthchecks", "cloudevents", "standard-webhooks")


def event(fixture: str, nth: int = 0, **values: object) -> Event:
    """The event of a fixture, with some values of its body's top level replaced."""
    kind = fixture.partition("/")[0]
    options = SENDERS[kind].options.model_validate({"type": kind, "open": True})
    request = stored(fixture)
    return SENDERS[kind].read("ops", options, changed(request, **values) if values else request).events[nth]


def text(found: Event, locale: Locale) -> str:
    wording = compose(found, None, reader=Reader("Ivan", locale, "Europe/Moscow"), rule="r")
    assert wording.note == ""
    return wording.text.replace(judge.ZERO_WIDTH, "")


CPU = "[url=https://zabbix.example.com/tr_events.php?triggerid=23134&eventid=4711]Высокая нагрузка CPU на web-1[/url]"
DISK = "[url=https://zabbix.example.com/tr_events.php?triggerid=23134&eventid=4711]Disk is full[/url]"
SHOP = "[url=https://shop.example.com/]Web / Shop front[/url]"
BACKUP = (
    "[url=https://healthchecks.example.com/checks/6e1f2f6e-2a1b-4c63-9d8e-0a1b2c3d4e5f/details/]"
    "Nightly «backup» — БД[/url]"
)
REFUSED = "connect ECONNREFUSED 192.0.2.7:443"
CHANGED = "changed severity from Average to High and closed"


@pytest.mark.parametrize(
    ("found", "en", "ru"),
    [
        (event("zabbix/trigger__problem"), f"🔴 High: {CPU} — 97.5 %", f"🔴 Высокая важность: {CPU} — 97.5 %"),
        (
            event("zabbix/trigger__problem", event_name="Disk is full", event_nseverity="2", event_opdata=""),
            f"🟠 Warning: {DISK} · web-1",
            f"🟠 Предупреждение: {DISK} · web-1",
        ),
        (
            event("zabbix/trigger__update"),
            f"🔴 ivan acknowledged and commented: {CPU} — “разбираюсь”",
            f"🔴 {CPU}: подтверждено и есть комментарий (ivan) — «разбираюсь»",
        ),
        (
            event("zabbix/trigger__update", event_update_action=CHANGED, event_update_message="", event_value="0"),
            f"✅ ivan {CHANGED}: {CPU}",
            f"✅ {CPU}: важность изменена с Average на High и закрыто (ivan)",
        ),
        (
            event("zabbix/trigger__recovery"),
            f"✅ Resolved in 5m 12s: {CPU}",
            f"✅ Снова в норме (длилось 5 мин 12 с): {CPU}",
        ),
        (event("zabbix/autoregistration"), "Autoregistration: db-9 · ops", "Autoregistration: db-9 · ops"),
        (event("uptime-kuma/monitor__down"), f"🔴 Down: {SHOP} — {REFUSED}", f"🔴 Не отвечает: {SHOP} — {REFUSED}"),
        (event("uptime-kuma/monitor__up"), f"✅ Up again: {SHOP} — 200 - OK", f"✅ Снова отвечает: {SHOP} — 200 - OK"),
        (event("uptime-kuma/test_button"), "Test from ops: it works", "Проверка ops: связь есть"),
        (
            event("healthchecks/check__down"),
            f"🔴 Down: {BACKUP} — dump failed: disk full",
            f"🔴 Нет сигнала: {BACKUP} — dump failed: disk full",
        ),
        (event("healthchecks/check__up"), f"✅ Up again: {BACKUP}", f"✅ Снова в норме: {BACKUP}"),
        (
            event("cloudevents/binary"),
            "Error: order № 42 · com.example.order.failed · ops",
            "Ошибка: order № 42 · com.example.order.failed · ops",
        ),
        (
            event("cloudevents/batch", 2),
            "com.example.stock.low · ops: только 3 шт.",
            "com.example.stock.low · ops: только 3 шт.",
        ),
        (event("standard-webhooks/invoice__paid"), "invoice.paid · ops", "invoice.paid · ops"),
    ],
)
def test_the_built_in_words(found: Event, en: str, ru: str) -> None:
    assert (text(found, "en"), text(found, "ru")) == (en, ru)
    assert len(plain(ru)) <= 300


def grid(found: Event, locale: Locale) -> dict[str, str]:
    attach: Any = compose(found, None, reader=Reader("", locale, "Europe/Moscow"), rule="r").attach
    return {row["NAME"]: row["VALUE"] for block in attach["BLOCKS"] for row in block.get("GRID", ())}


def test_a_problem_shows_its_facts() -> None:
    assert grid(event("zabbix/trigger__problem"), "ru") == {
        "Состояние": "🔴 проблема",
        "Важность": "высокая",
        "Узел": "web-1",
        "Группы": "Linux servers, Web",
        "Значение": "97.5 %",
        "Началось": "23 ноя 10:04",
        "Длится": "2 с",
        "team": "ops",
        "service": "shop, api",
    }
    assert grid(event("zabbix/trigger__problem", event_timestamp=""), "en")["Since"] == "2026.11.23 10:04:50"


def test_of_an_envelope_s_data_what_is_flat_and_not_secret_is_shown() -> None:
    data = {"amount": 5, "customer": "Ромашка", "items": [1], "api_token": "example-token", "Password": "p"}
    shown = grid(event("standard-webhooks/invoice__paid", data=data), "en")

    assert shown == {"Event": "invoice.paid", "Time": "23 Nov 10:04", "amount": "5", "customer": "Ромашка"}


@pytest.mark.parametrize(
    ("number", "colour"),
    [("0", colours.GREY), ("1", colours.BLUE), ("2", colours.AMBER), ("3", colours.AMBER), ("4", colours.RED)],
)
def test_a_severity_has_its_colour(number: str, colour: str) -> None:
    attach = compose(event("zabbix/trigger__problem", event_nseverity=number), None, reader=Reader(), rule="r").attach

    assert attach is not None
    assert attach["COLOR"] == colour


def test_what_is_over_is_green_whatever_its_severity_was() -> None:
    attach = compose(event("zabbix/trigger__recovery", event_nseverity="0"), None, reader=Reader(), rule="r").attach

    assert attach is not None
    assert attach["COLOR"] == colours.GREEN


WORDS = st.text(max_size=40) | st.sampled_from(["[b]x[/b]", "https://a.example/[url]", "{{ 7 }}", "\n>>x", "x" * 9_000])
PAYLOADS = st.recursive(
    WORDS | st.integers() | st.none(),
    lambda inner: st.dictionaries(
        st.sampled_from(["data", "monitor", "heartbeat", "check", "ping", "event_duration", "user", "exit"]), inner
    ),
    max_leaves=8,
)


@given(
    st.sampled_from(KINDS),
    st.sampled_from(["monitor", "trigger", "check", "notice", "test", "x"]),
    st.sampled_from(["update", "down", "up", "problem", "recovery", ""]) | WORDS,
    st.sampled_from(get_args(State)),
    WORDS,
    WORDS,
    PAYLOADS,
)
@settings(deadline=None, max_examples=150)
def test_no_words_of_a_stranger_make_a_template_fail_or_become_markup(
    kind: str, name: str, action: str, state: State, title: str, more: str, payload: Any
) -> None:
    if action == "update" and kind != "zabbix":  # the name of a method: nobody else sends it
        action = "up"
    found = Event(
        source="ops", type=kind, event=name, action=action, state=state, title=title, text=more, severity=more,
        conclusion=more, actor=more, labels={"host": more, "a": title}, payload=payload,
    )  # fmt: skip
    for locale in get_args(Locale):
        wording = compose(found, None, reader=Reader("", locale), rule="r")

        assert "failed" not in wording.note
        assert judge.trespasses(judge.shown(wording.text)) == []
