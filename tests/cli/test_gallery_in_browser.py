"""The gallery in a real Chromium: it asks for nothing, fits its window, and everybody can read it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it has no stubs
from playwright.sync_api import Browser, Page

from relay import gallery
from relay.cli.exhibits import exhibits
from relay.gallery import Exhibit

pytestmark = pytest.mark.browser

FIXTURES = Path(__file__).parent.parent / "fixtures"
# Of each kind of block and state one; axe takes its time with every element.
SHOWN = ("firing__panel", "legacy__no_data", "pull_request__merged", "check__down_whole", "firing__mixed")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = [one for one in exhibits(FIXTURES, None) if isinstance(one, Exhibit) and one.name.endswith(SHOWN)]
    file = tmp_path_factory.mktemp("gallery") / "index.html"
    file.write_text(gallery.page(found), encoding="utf-8")
    return file


@pytest.fixture
def asked() -> list[str]:
    return []


@pytest.fixture(params=["light", "dark"])
def tab(browser: Browser, page: Path, asked: list[str], request: pytest.FixtureRequest) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1180, "height": 900}, color_scheme=request.param)
    opened = context.new_page()
    opened.on("request", lambda one: asked.append(one.url))
    opened.on("console", lambda one: asked.append(one.text))
    opened.goto(page.as_uri())
    yield opened
    context.close()


def test_nothing_is_asked_for_but_the_page_itself(tab: Page, page: Path, asked: list[str]) -> None:
    assert tab.locator("article").count() == 6
    assert asked == [page.as_uri()]


@pytest.mark.parametrize("width", [1180, 390])
def test_both_languages_fit_any_window(tab: Page, width: int) -> None:
    tab.set_viewport_size({"width": width, "height": 900})
    first, second = (tab.locator(".panel").nth(n).bounding_box() for n in (0, 1))

    assert first is not None
    assert second is not None
    assert (first["y"] == second["y"]) == (width > 900)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_nobody_is_shut_out(tab: Page) -> None:
    found = Axe().run(tab, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa"]}).response["violations"]

    assert [(one["id"], [node["target"] for node in one["nodes"]][:3]) for one in found] == []
