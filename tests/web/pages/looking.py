"""A page in a real Chromium, as a visitor has it: his language, his screen, with JavaScript or without."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it has no stubs
from playwright.sync_api import Browser, ConsoleMessage, Page

from relay.settings import Secret
from tests.web.pages.conftest import ADMIN

WIDE, PHONE = (1280, 900), (390, 844)
SERIOUS = {"serious", "critical"}


@contextmanager
def visit(
    browser: Browser,
    address: str,
    *,
    language: str = "en",
    screen: tuple[int, int] = WIDE,
    scripts: bool = True,
    dark: bool = False,
    password: Secret = ADMIN,
) -> Iterator[Page]:
    """Sign in by hand at an address, and come to it. At the end nothing may have complained in the console."""
    context = browser.new_context(
        base_url=address,
        locale={"en": "en-US", "ru": "ru-RU"}[language],
        viewport={"width": screen[0], "height": screen[1]},
        java_script_enabled=scripts,
        color_scheme="dark" if dark else "light",
        timezone_id="Europe/Moscow",
    )
    context.set_default_timeout(10_000)
    page, complaints = context.new_page(), list[str]()
    page.on("console", lambda message: complaints.extend(_complaint(message)))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto("/events")
    page.locator("input[type=password]").fill(password.reveal())
    page.keyboard.press("Enter")
    page.wait_for_url("**/events")
    yield page
    context.close()
    assert complaints == []


def _complaint(message: ConsoleMessage) -> list[str]:
    """What the console says of an error; the browser reports breaches of the policy there too."""
    return [message.text] if message.type in {"error", "warning"} else []


def faults(page: Page) -> list[Any]:
    """What axe-core finds serious or critical in a page, and whether it is wider than its screen."""
    found = Axe().run(page).response["violations"]
    serious = [(each["id"], [node["html"] for node in each["nodes"]]) for each in found if each["impact"] in SERIOUS]
    beyond = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return [*serious, *([f"{beyond} pixels too wide"] if beyond > 0 else [])]


def is_named_by_more_than_colour(page: Page) -> bool:
    """Every verdict has a word beside its colour."""
    return all(len(text.split()) > 1 for text in page.locator(".verdict").all_inner_texts())
