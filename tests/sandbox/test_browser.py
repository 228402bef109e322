"""The page in a real Chromium: news arrive by themselves, are replaced, and nothing in the console complains."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from relay.sandbox import Server
from tests.sandbox.build import APP, SEND, ask, send

pytestmark = pytest.mark.browser

URL = "https://example.com/run/1"
HOSTILE = (
    "<script>document.title='owned'</script><img src=https://evil.example/p.png onerror=alert(1)>"
    "[url=javascript:document.title='owned']click[/url][img]https://evil.example/pixel.png [/img]"
    "[icon=https://evil.example/icon.png][color=#fff;x]x[/color]"
)


@pytest.fixture
def complaints() -> list[str]:
    """What the console said and what a script threw; the browser reports breaches of the policy there too."""
    return []


@pytest.fixture
def tab(browser: Browser, server: Server, complaints: list[str]) -> Iterator[Page]:
    context = browser.new_context(locale="ru-RU", viewport={"width": 1280, "height": 900})
    page = context.new_page()

    def noted(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(message.text)

    page.on("console", noted)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(server.url)
    yield page
    context.close()


def card(tab: Page, person: int) -> Any:
    return tab.locator(f"#person-{person}")


def test_a_notification_appears_by_itself_and_is_replaced(tab: Page, server: Server, complaints: list[str]) -> None:
    expect(tab.locator("h1")).to_have_text("Учебный Битрикс24")
    expect(card(tab, 17).locator(".empty")).to_be_visible()

    send(server.portal, "[b]CI[/b] идёт", 17, APP, TAG="ci")
    bubble = card(tab, 17).locator(".bubble")
    expect(bubble).to_have_count(1)
    expect(bubble.locator(".text")).to_have_text("CI идёт")
    expect(bubble).to_have_class("bubble unread fresh")

    send(server.portal, "[b]CI[/b] прошёл", 17, APP, TAG="ci")
    expect(bubble.locator(".text")).to_have_text("CI прошёл")
    expect(bubble).to_have_count(1)
    expect(bubble.locator(".updated")).to_have_text("обновлено")
    expect(tab.locator(".counters")).to_contain_text("2 запроса")
    assert complaints == []


def test_hostile_text_does_nothing_and_fetches_nothing(tab: Page, server: Server, complaints: list[str]) -> None:
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))

    send(server.portal, HOSTILE, 17, ATTACH=[{"IMAGE": {"LINK": "https://evil.example/a.png"}}, {"MESSAGE": HOSTILE}])
    expect(card(tab, 17).locator(".bubble")).to_have_count(1)
    tab.reload()
    expect(card(tab, 17).locator(".bubble")).to_have_count(1)

    assert tab.title() == "Учебный Битрикс24"
    assert [address for address in asked if not address.startswith(server.url)] == []
    assert complaints == []


def test_a_portal_that_goes_away_and_comes_back_is_asked_again(tab: Page, server: Server) -> None:
    tab.route("**/fragment*", lambda route: route.abort())
    expect(tab.locator("html")).to_have_class("away")

    send(server.portal, "x", 18)
    tab.unroute("**/fragment*")
    expect(card(tab, 18).locator(".bubble")).to_have_count(1)
    expect(tab.locator("html")).not_to_have_class("away")


def test_without_javascript_the_page_says_the_same(browser: Browser, server: Server) -> None:
    send(server.portal, "[b]x[/b]", 17)
    context = browser.new_context(java_script_enabled=False, locale="en-GB")
    page = context.new_page()

    page.goto(server.url)

    expect(card(page, 17).locator(".bubble .text b")).to_have_text("x")
    context.close()


@pytest.mark.parametrize("width", [360, 768, 1600])
def test_nothing_runs_out_of_the_page_sideways(tab: Page, server: Server, width: int) -> None:
    furnish(server)
    tab.set_viewport_size({"width": width, "height": 900})
    tab.reload()

    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    for label in tab.locator(".grid th").all():
        assert label.evaluate("label => label.clientHeight") < 60, "a label is broken into letters"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_ground(tab: Page, server: Server, scheme: Any) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1 for text; measured on what the browser computed."""
    furnish(server)
    tab.emulate_media(color_scheme=scheme)
    tab.reload()

    for selector in (
        ".card h2",
        ".card-who p",
        ".text",
        ".bubble-head time",
        ".text a",
        ".grid th",
        ".avatar",
        ".empty",
    ):
        assert tab.locator(selector).first.evaluate(CONTRAST) >= 4.5, selector


CONTRAST = """element => {
  const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  let ground = element;
  while (ground && numbers(getComputedStyle(ground).backgroundColor)[3] === 0) ground = ground.parentElement;
  const [a, b] = [getComputedStyle(element).color, getComputedStyle(ground).backgroundColor]
    .map(colour => light(numbers(colour))).sort((x, y) => y - x);
  return (a + 0.05) / (b + 0.05);
}"""


def furnish(server: Server) -> None:
    """A page with something of every kind on it."""
    portal = server.portal
    grid = [
        {"NAME": "Ветка", "VALUE": "release/2026.11", "DISPLAY": "ROW", "WIDTH": 100},
        {"NAME": "Автор", "VALUE": "[user=18]Ольга Смирнова[/user]", "DISPLAY": "ROW", "WIDTH": 100},
        {"NAME": "Итог", "VALUE": "[color=#c8372d]упала[/color]", "DISPLAY": "ROW", "WIDTH": 100},
    ]
    send(portal, "Ревью: [url=https://example.com/pr/7]#7 Ускорить импорт[/url]\n>>посмотри, пожалуйста", 17)
    send(
        portal,
        "[b]relay[/b] CI: сборка упала в [b]main[/b]",
        17,
        APP,
        TAG="ci",
        ATTACH={
            "COLOR_TOKEN": "alert",
            "BLOCKS": [{"LINK": {"LINK": URL, "NAME": "workflow #128", "DESC": "test (3.11)"}}, {"GRID": grid}],
        },
    )
    send(portal, "[b]relay[/b] CI: сборка снова упала", 17, APP, TAG="ci", ATTACH={
        "COLOR_TOKEN": "alert",
        "BLOCKS": [{"LINK": {"LINK": URL, "NAME": "workflow #129", "DESC": "test (3.11)"}}, {"GRID": grid}],
    })  # fmt: skip
    ask(portal, "im.notify.system.add", APP, USER_ID=18, MESSAGE="[b]3 алерта[/b] в кластере eu-1", ATTACH={
        "COLOR": "#e8a441",
        "BLOCKS": [
            {"MESSAGE": "[b]DiskFull[/b] node-3: [color=#c8372d]97 %[/color]"},
            {"DELIMITER": {"SIZE": 300}},
            {"GRID": [{"NAME": name, "VALUE": value, "DISPLAY": "LINE"}
                      for name, value in (("Важность", "critical"), ("С", "14:05"), ("Кластер", "eu-1"))]},
            {"GRID": [{"NAME": "Что делать", "VALUE": "Очистить [b]/var/log[/b], затем проверить ротацию"}]},
        ],
    })  # fmt: skip
    send(
        portal, "Deploy [b]web[/b] finished: https://example.com/deploys/42 [code]$ deploy web --to prod\nok[/code]", 19
    )
    files = [{"LINK": URL, "NAME": "build.log", "SIZE": 48_200}, {"LINK": URL, "NAME": "cover.html", "SIZE": 9_400}]
    send(portal, "Files of the release", 19, ATTACH=[
        {"USER": {"NAME": "Ольга Смирнова", "USER_ID": 18}},
        {"FILE": files},
        {"IMAGE": {"LINK": "https://example.com/graph.png", "NAME": "latency.png"}},
        {"GRID": [{"NAME": n, "VALUE": v, "DISPLAY": "TABLE"} for n, v in (("p50", "12 ms"), ("p99", "140 ms"))]},
    ])  # fmt: skip
    send(portal, HOSTILE + " " + "long" * 60, 1)
    ask(portal, SEND, USER_ID=1, MESSAGE="Прочитанное")
    ask(portal, "im.notify.read", ID=0)
