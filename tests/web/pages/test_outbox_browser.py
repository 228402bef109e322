"""The outbox and people in a real Chromium: what one comes for, by clicks, in both languages, on a desk and on a phone,
with JavaScript and without; nothing serious by axe-core, and nothing in the console."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, expect

from relay.house import House
from relay.model import PortalTrouble
from relay.store import daily, health, journal, outbox, portals
from relay.store.outbox import Settlement
from relay.web.pages.words import Speech
from tests.conftest import Clock
from tests.store.build import message
from tests.web.pages.conftest import decide, post
from tests.web.pages.looking import PHONE, WIDE, faults, is_named_by_more_than_colour, visit

pytestmark = pytest.mark.browser

each_language = pytest.mark.parametrize("language", ["en", "ru"])
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def filled(built: House, site: FlaskClient, clock: Clock) -> FlaskClient:
    """Messages 1 and 2 died, a third waits, the portal is paused; a day of samples, two names that mean nobody."""
    post(site, {"event": "deployed", "service": "shop", "title": f"deployed {HOSTILE}"})
    decide(built)
    with built.database.write() as tx:
        for parcel in outbox.claim(tx, "main", 1, 2):
            why = "the portal takes nothing for this recipient"
            end = Settlement(parcel=parcel, state="dead", verdict="refused", code="REFUSED", why=why)
            assert outbox.settle(tx, "main", 1, end)
        now = tx.now
        for step in range(60):
            tx.now = now - 900 * (60 - step)
            trouble = "down" if 30 < step < 34 else ""
            health.keep(tx, "main", level=float(step % 17) * 3, share=1.0, trouble=trouble)
        tx.now = now
        outbox.enqueue(tx, 1, [message(user_id=17, text=HOSTILE)])
        closed = PortalTrouble("closed", "ACCESS_DENIED", "the webhook may not notify")
        portals.in_trouble(tx, portals.get(tx, "main"), closed, now + 300)
        journal.count_unmapped(tx, "x", ["new-hand", HOSTILE])
        daily.add(tx, "person", [("ivan", "delivered")] * 12 + [("ivan", "dead")] * 2 + [("olga", "muted")])
    return site


@each_language
def test_a_dead_message_is_sent_again_and_the_others_are_given_up(
    browser: Browser, address: str, built: House, filled: FlaskClient, language: str
) -> None:
    t = Speech(language)
    with visit(browser, address, language=language) as page:
        page.get_by_role("link", name=t("outbox.title"), exact=True).click()
        expect(page.locator("h1")).to_have_text(t("outbox.title"))
        expect(page.locator("#message-2")).to_contain_text("the portal takes nothing for this recipient")
        assert is_named_by_more_than_colour(page)
        assert faults(page) == []

        page.get_by_role("button", name=t("outbox.retry_named", n=2)).click()
        expect(page.get_by_role("status")).to_contain_text(t.count("outbox.done_retry", 1))
        expect(page.locator("tbody tr")).to_have_count(1)

        page.get_by_role("checkbox", name=t("outbox.choose_one", n=1)).check()
        page.get_by_text(t("outbox.giving_up")).click()
        page.get_by_role("button", name=t("outbox.drop_chosen")).click()
        expect(page.get_by_role("status")).to_contain_text(t.count("outbox.done_drop", 1))
        assert faults(page) == []
    with built.database.read() as tx:
        states = [outbox.get(tx, number) for number in (1, 2)]
    assert [each.state if each else "" for each in states] == ["dropped", "queued"]


@each_language
def test_why_a_portal_waits_is_found_at_once(
    browser: Browser, address: str, filled: FlaskClient, language: str
) -> None:
    t = Speech(language)
    with visit(browser, address, language=language) as page:
        page.get_by_role("link", name=t("outbox.title"), exact=True).click()
        portal = page.locator("#portal-1")
        expect(portal).to_contain_text(t("outbox.condition.paused"))
        expect(portal).to_contain_text(t("outbox.says.closed"))
        expect(portal).to_contain_text("the webhook may not notify ACCESS_DENIED")
        expect(portal.locator("figure")).to_contain_text(t("outbox.drawn_level", level=48, burst=50))
        assert page.locator(".day path.level").evaluate("path => path.getBBox().width > 100")


@each_language
def test_the_line_for_a_name_that_means_nobody_is_copied(
    browser: Browser, address: str, filled: FlaskClient, language: str
) -> None:
    t = Speech(language)
    with visit(browser, address, language=language) as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.get_by_role("link", name=t("people.title"), exact=True).click()
        expect(page.locator("h1")).to_have_text(t("people.title"))
        assert is_named_by_more_than_colour(page)
        assert faults(page) == []

        page.get_by_role("button", name=t("people.copy_for", name="new-hand")).click()
        expect(page.get_by_text(t("people.copied"))).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == "new-hand: {id: }"

        page.get_by_role("link", name="ivan", exact=True).click()
        expect(page.locator("h1")).to_have_text("ivan")
        assert faults(page) == []


@pytest.mark.parametrize(("language", "screen"), [("en", PHONE), ("ru", PHONE), ("ru", WIDE)])
def test_without_javascript_all_of_it_works(
    browser: Browser, address: str, filled: FlaskClient, language: str, screen: tuple[int, int]
) -> None:
    t = Speech(language)
    with visit(browser, address, language=language, screen=screen, scripts=False) as page:
        page.goto("/outbox")
        page.get_by_role("button", name=t("outbox.retry_named", n=1)).click()
        expect(page.get_by_role("status")).to_contain_text(t.count("outbox.done_retry", 1))
        expect(page.locator("#portal-1")).to_contain_text(t("outbox.says.closed"))
        expect(page.locator("#portal-1 time").first).to_contain_text("UTC")
        page.goto("/people")
        expect(page.get_by_role("textbox", name=t("people.paste_for", name="new-hand"))).to_have_value(
            "new-hand: {id: }"
        )
        expect(page.get_by_role("button", name=t("people.copy_for", name="new-hand"))).to_be_hidden()


def test_on_a_phone_in_the_dark_nothing_is_too_wide_or_too_pale(
    browser: Browser, address: str, filled: FlaskClient
) -> None:
    with visit(browser, address, screen=PHONE, dark=True) as page:
        for where in ("/outbox", "/people", "/people/ivan"):
            page.goto(where)
            assert faults(page) == [], where
