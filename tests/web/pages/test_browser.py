"""The journal and the event in a real Chromium: what one comes for, done by hand, in both languages, on a desk and on a
phone, with JavaScript and without; nothing serious by axe-core, and nothing in the console."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, expect

from relay.house import House
from relay.model import Dead, Delivered
from relay.web.pages.words import Speech
from tests.web.pages.conftest import READER, decide, post, send
from tests.web.pages.looking import PHONE, WIDE, faults, is_named_by_more_than_colour, visit

pytestmark = pytest.mark.browser

HOSTILE = "<script>document.title='owned'</script><img src=x onerror=alert(1)>[url=javascript:alert(1)]x[/url]\u202eexe"
each_language = pytest.mark.parametrize("language", ["en", "ru"])


@pytest.fixture
def filled(built: House, site: FlaskClient) -> FlaskClient:
    """Three events: 1 was delivered, 2 died and has hostile words, 3 found no rule."""
    post(site, {"event": "alarm", "title": "disk 90 %"})
    decide(built)
    send(built, Delivered(1))
    post(site, {"event": "alarm", "title": HOSTILE, "text": HOSTILE})
    decide(built)
    send(built, Dead("ERROR_ARGUMENT", "the portal says no"))
    post(site, {"event": "unheard", "title": "what is this"})
    decide(built)
    return site


@each_language
def test_the_journal_lives_and_is_searched(
    browser: Browser, address: str, built: House, filled: FlaskClient, language: str
) -> None:
    t = Speech(language)
    with visit(browser, address, language=language) as page:
        expect(page.locator("h1")).to_have_text(t("journal.title"))
        expect(page.locator("tbody tr")).to_have_count(3)
        expect(page.locator("#event-2 time")).not_to_contain_text("UTC")
        assert is_named_by_more_than_colour(page)
        assert faults(page) == []

        post(filled, {"event": "alarm", "title": "come by itself"})
        expect(page.locator("#event-4")).to_contain_text("come by itself")
        expect(page.locator("#event-4 .verdict")).to_contain_text(t("verdict.new"))
        decide(built)
        expect(page.locator("#event-4 .verdict")).to_contain_text(t("verdict.queued"))

        page.locator("select[name=state]").select_option("dead")
        page.get_by_role("button", name=t("common.filter")).click()
        expect(page.locator("tbody tr")).to_have_count(1)
        page.get_by_text(t("journal.finer")).click()
        page.get_by_role("textbox", name=t("journal.since"), exact=True).fill("gestern")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text(t("journal.since"))
        assert faults(page) == []
        page.get_by_role("link", name=t("common.reset")).click()
        expect(page.locator("tbody tr")).to_have_count(4)

        page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        page.emulate_media(color_scheme="dark")
        assert faults(page) == []


@each_language
def test_an_event_is_understood_and_repeated(
    browser: Browser, address: str, built: House, filled: FlaskClient, language: str
) -> None:
    t = Speech(language)
    with visit(browser, address, language=language) as page:
        page.locator("#event-2 a").click()
        expect(page.locator("h1")).to_have_text(t("event.title", n=2))
        assert page.title() != "owned"
        expect(page.locator(".bubble")).to_contain_text("<script>")
        expect(page.locator("#message-2")).to_contain_text("the portal says no")
        expect(page.locator(".tree li.answers")).to_contain_text("alarms")
        page.locator("summary").last.click()
        expect(page.locator("pre")).to_contain_text("⟨U+202E⟩exe")
        assert faults(page) == []

        page.get_by_role("link", name=t("event.replay")).click()
        expect(page.locator(".bubble")).to_have_count(1)
        assert faults(page) == []
        page.locator("select[name=to]").select_option("olga")
        page.get_by_role("button", name=t("replay.send_test")).click()
        expect(page.get_by_role("status")).to_contain_text(t.count("event.queued", 1))
        expect(page.locator("#message-3 .verdict")).to_contain_text(t("verdict.queued"))
        send(built, Delivered(2))
        expect(page.locator("#message-3 .verdict")).to_contain_text(t("verdict.delivered"))

        page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        page.emulate_media(color_scheme="dark")
        assert faults(page) == []


@pytest.mark.parametrize(("language", "screen"), [("en", PHONE), ("ru", WIDE)])
def test_everything_works_without_javascript(
    browser: Browser, address: str, filled: FlaskClient, language: str, screen: tuple[int, int]
) -> None:
    t = Speech(language)
    with visit(browser, address, language=language, screen=screen, scripts=False) as page:
        expect(page.locator("#event-1 time")).to_contain_text("UTC")
        page.locator("select[name=state]").select_option("delivered")
        page.get_by_role("button", name=t("common.filter")).click()
        page.locator("tbody a").click()
        page.get_by_role("link", name=t("event.replay")).click()
        page.get_by_role("button", name=t.count("replay.send_real", 1)).click()
        expect(page.get_by_role("status")).to_contain_text(t.count("event.queued", 1))
        page.get_by_role("link", name=t("common.other_language")).click()
        expect(page.locator("h1")).to_have_text(Speech("ru" if language == "en" else "en")("event.title", n=1))
        page.get_by_role("button", name=Speech("ru" if language == "en" else "en")("common.sign_out")).click()
        expect(page.locator("input[type=password]")).to_be_visible()


def test_it_is_gone_through_by_keyboard(browser: Browser, address: str, filled: FlaskClient) -> None:
    with visit(browser, address) as page:
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#main")).to_be_focused()
        for _ in range(30):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.getAttribute('href')") == "/events/3":
                break
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text("Event 3")
        expect(page.locator(".tree")).to_contain_text("event is unheard, not alarm")


def test_a_reader_sees_no_button_that_sends(browser: Browser, address: str, filled: FlaskClient) -> None:
    with visit(browser, address, password=READER, dark=True) as page:
        page.goto("/events/1/replay")
        expect(page.get_by_text("With the reader's password nothing can be sent.")).to_be_visible()
        expect(page.locator("main button")).to_have_count(0)
        assert faults(page) == []


def test_what_was_of_today_gets_its_date_at_midnight(browser: Browser, address: str, filled: FlaskClient) -> None:
    with visit(browser, address) as page:
        page.clock.install(time=datetime(2026, 11, 18, 20, 59, tzinfo=UTC))  # 23:59 in Moscow
        page.reload()
        time = page.locator("#event-2 time")
        expect(time).not_to_contain_text("2026")
        with page.expect_response(lambda answer: answer.status == 304):  # nothing is new, and nothing is exchanged
            page.clock.run_for(3000)
        page.clock.fast_forward("02:00")
        expect(time).to_contain_text("2026")


def test_a_wrong_password_is_said_and_may_be_mended(browser: Browser, address: str) -> None:
    context = browser.new_context(base_url=address, locale="ru-RU")
    page = context.new_page()
    page.goto("/events?state=dead")
    assert faults(page) == []
    page.locator("input[type=password]").fill("wrong")
    page.get_by_role("button", name="Войти").click()
    expect(page.get_by_role("alert")).to_have_text("Пароль не подходит.")
    assert faults(page) == []
    page.locator("input[type=password]").fill("open sesame")
    page.keyboard.press("Enter")
    page.wait_for_url("**/events?state=dead")
    context.close()
