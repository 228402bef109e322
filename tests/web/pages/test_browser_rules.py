"""Rules, playground and silences in a real Chromium: each one's main task done by hand, in both languages, on a desk
and on a phone, with JavaScript and without; nothing serious by axe-core, and nothing in the console."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, expect

from relay.house import House
from relay.web.pages.words import Speech
from tests.web.pages.conftest import READER, decide, post
from tests.web.pages.looking import PHONE, WIDE, faults, visit

pytestmark = pytest.mark.browser

each_language = pytest.mark.parametrize("language", ["en", "ru"])


@pytest.fixture
def alarmed(built: House, site: FlaskClient) -> None:
    """One event, which was addressed to ivan."""
    post(site, {"event": "alarm", "title": "disk 90 % <script>alert(1)</script>"})
    decide(built)


def also_on_a_phone_in_the_dark(page: Page) -> None:
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    page.emulate_media(color_scheme="dark")
    assert faults(page) == []
    page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
    page.emulate_media(color_scheme="light")


@each_language
@pytest.mark.usefixtures("alarmed")
def test_a_silence_is_two_clicks_from_its_event(browser: Browser, address: str, language: str) -> None:
    t = Speech(language)
    with visit(browser, address, language=language) as page:
        page.locator("#event-1 a").click()
        page.get_by_role("link", name=t("silences.from_event")).click()  # the first
        expect(page.locator("#would")).to_contain_text("disk 90 %")
        conditions = page.locator("textarea[name=conditions]")
        conditions.fill("source=x\nevent=other")
        expect(page.locator("#would")).to_contain_text(t("silences.matched_none", among=100))  # by itself
        conditions.fill("source=x\nevent=alarm")
        expect(page.locator("#would")).to_contain_text("disk 90 %")
        assert faults(page) == []
        also_on_a_phone_in_the_dark(page)
        page.get_by_role("button", name=t("silences.make"), exact=True).click()  # the second
        expect(page.locator("#silence-1")).to_contain_text("event=alarm")
        assert faults(page) == []
        also_on_a_phone_in_the_dark(page)


@each_language
@pytest.mark.usefixtures("alarmed")
def test_rules_are_tried_while_they_are_written_and_compared(browser: Browser, address: str, language: str) -> None:
    t = Speech(language)
    with visit(browser, address, language=language) as page:
        page.goto("/rules")
        expect(page.locator("tbody")).to_contain_text("alarms")
        assert faults(page) == []
        also_on_a_phone_in_the_dark(page)
        page.goto("/events/1")
        page.get_by_role("link", name=t("playground.from_event")).click()
        result = page.locator("#result")
        expect(result).to_contain_text("disk 90 % <script>alert(1)</script>")
        expect(result.locator("article")).to_contain_text("ivan")
        rules = page.locator("textarea[name=rules]")
        other = rules.input_value().replace("event: alarm}, to: ivan", "event: alarm}, to: olga")
        rules.fill(other)
        expect(result.locator("article")).to_contain_text("olga")  # by itself
        rules.fill(other + "  - {name: [}\n")
        expect(result).to_contain_text("rules.yaml:")
        rules.fill(other)
        page.get_by_role("button", name=t("playground.compare")).click()
        expect(result).to_contain_text(t.count("playground.differs", 1))
        assert faults(page) == []
        also_on_a_phone_in_the_dark(page)


@pytest.mark.usefixtures("alarmed")
def test_without_javascript_there_are_buttons(browser: Browser, address: str) -> None:
    t = Speech("en")
    with visit(browser, address, scripts=False, screen=PHONE) as page:
        page.goto("/silences/new")
        page.locator("textarea[name=conditions]").fill("event=alarm")
        page.get_by_role("button", name=t("silences.look")).click()
        expect(page.locator("#would")).to_contain_text("disk 90 %")
        page.get_by_role("button", name=t("silences.make"), exact=True).click()
        page.get_by_role("button", name=t("silences.end")).click()
        expect(page.locator("h1")).to_have_text(t("silences.title"))
        page.goto("/playground")
        page.locator("textarea[name=request]").fill('{"event": "alarm", "title": "by hand"}')
        page.get_by_role("button", name=t("playground.try"), exact=True).click()
        expect(page.locator("#result article")).to_contain_text("by hand")


@pytest.mark.usefixtures("alarmed")
def test_a_reader_tries_rules_and_silences_nothing(browser: Browser, address: str) -> None:
    t = Speech("en")
    with visit(browser, address, password=READER) as page:
        page.goto("/playground?event=1")
        expect(page.locator("#result article")).to_contain_text("ivan")
        page.goto("/silences/new?event=1")
        expect(page.locator("#would")).to_contain_text("disk 90 %")
        expect(page.get_by_role("button", name=t("silences.make"), exact=True)).to_have_count(0)
        expect(page.locator("main")).to_contain_text(t("silences.reader"))
