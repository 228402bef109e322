"""The page: what it shows, in which language, and that a stranger's text is inert on it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from flask.testing import FlaskClient

from relay.sandbox import Portal, create_app, words
from tests.conftest import Clock
from tests.sandbox.build import APP, send

URL = "https://example.com/run/1"


class Tags(HTMLParser):
    """All tags with their attributes, and all text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def client(portal: Portal) -> FlaskClient:
    return create_app(portal).test_client()


def page(client: FlaskClient, path: str = "/?lang=en") -> Tags:
    return Tags(client.get(path).get_data(as_text=True))


def body(portal: Portal, text: str, **params: Any) -> str:
    """The HTML of a notification's text and attachment."""
    send(portal, text, 17, **params)
    html = create_app(portal).test_client().get("/?lang=en").get_data(as_text=True)
    return html[html.index('<div class="text">') : html.index("</li>")]


def test_everybody_has_a_card_and_an_empty_one_says_so(client: FlaskClient) -> None:
    seen = page(client)

    assert [attrs["id"] for tag, attrs in seen.found if tag == "section"] == [
        f"person-{number}" for number in (1, 17, 18, 19, 20, 21)
    ]
    assert seen.text.count("Nothing yet") == 6
    assert "dismissed: receives nothing" in seen.text


def test_the_newest_stands_first_and_a_replacement_is_told(portal: Portal, client: FlaskClient) -> None:
    for text in ("first", "second"):
        send(portal, text, 17, APP, TAG="ci")
    send(portal, "third", 17)

    seen = page(client)

    bubbles = [attrs for tag, attrs in seen.found if tag == "li"]
    assert [attrs["data-id"] for attrs in bubbles] == ["3", "2"]
    assert [attrs["class"] for attrs in bubbles] == ["bubble unread", "bubble unread replaced"]
    assert seen.text.count("updated") == 1
    assert "first" not in seen.text


@pytest.mark.parametrize(
    ("path", "header", "language"),
    [
        ("/", "ru-RU,ru;q=0.9,en;q=0.8", "ru"),
        ("/", "de,en;q=0.5", "en"),
        ("/", "de", "en"),
        ("/", "", "en"),
        ("/?lang=ru", "en", "ru"),
        ("/?lang=xx", "ru", "ru"),
    ],
)
def test_the_language_is_asked_for_or_the_browsers(client: FlaskClient, path: str, header: str, language: str) -> None:
    answer = client.get(path, headers={"Accept-Language": header})

    assert answer.headers["Content-Language"] == language
    assert words.WORDS[language]["title"] in answer.get_data(as_text=True)


def test_both_languages_have_the_same_words() -> None:
    assert words.WORDS["en"].keys() == words.WORDS["ru"].keys()


@pytest.mark.parametrize(
    ("count", "english", "russian"),
    [
        (0, "0 requests", "0 запросов"),
        (1, "1 request", "1 запрос"),
        (2, "2 requests", "2 запроса"),
        (11, "11 requests", "11 запросов"),
        (21, "21 requests", "21 запрос"),
        (1234, "1\u00a0234 requests", "1\u00a0234 запроса"),
    ],
)
def test_numbers_agree_with_their_nouns(count: int, english: str, russian: str) -> None:
    assert (words.requests("en", count), words.requests("ru", count)) == (english, russian)


def test_the_footer_counts_requests_and_refusals(clock: Clock) -> None:
    portal = Portal(rate=(1, 0), clock=clock)
    for _ in range(3):
        send(portal)

    assert "3 requests so far, 2 refused" in page(create_app(portal).test_client()).text


def test_without_news_the_fragment_is_empty(portal: Portal, client: FlaskClient) -> None:
    seen = portal.version
    assert client.get(f"/fragment?since={seen}").status_code == 204

    send(portal)
    assert f'data-version="{portal.version}"' in client.get(f"/fragment?since={seen}").get_data(as_text=True)


def test_the_page_forbids_everything_that_is_not_its_own(client: FlaskClient) -> None:
    headers = client.get("/").headers

    assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("[b]x[/b]<br>y", "<b>x</b><br>y"),
        (f"see {URL}.", f'see <a href="{URL}" rel="noopener noreferrer nofollow" target="_blank">{URL}</a>.'),
        ("[color=#ff0000]x[/color]", '<font color="#ff0000">x</font>'),
        ("[size=20]x[/size]", '<span class="size-20">x</span>'),
        ("[user=18][/user]", '<span class="mention" title="id 18">Ольга Смирнова</span>'),
        ("[code]a\n  <b>[/code]", "<pre><code>a\n  &lt;b&gt;</code></pre>"),
        (">>x", "<blockquote>x</blockquote>"),
        ("[timestamp=1700000000 format=FORMAT_DATE]", "<time>14.11.2023</time>"),
        ("&lt;b&gt; &amp;amp;", "&lt;b&gt; &amp;amp;"),
    ],
)
def test_text_is_shown_as_the_portals_client_would(portal: Portal, text: str, html: str) -> None:
    assert html in body(portal, text)


BLOCKS: list[tuple[Any, str]] = [
    ({"MESSAGE": "[b]x[/b]"}, '<div class="block text"><b>x</b></div>'),
    ({"LINK": {"LINK": URL, "NAME": "Run", "DESC": "why"}}, '<p class="faint">why</p>'),
    ({"RICH_LINK": {"LINK": URL, "NAME": "Run", "PREVIEW": f"{URL}/p.png"}}, ">p.png</a>"),
    ({"IMAGE": {"LINK": f"{URL}/p.png", "NAME": "graph"}}, ">graph</a>"),
    ({"FILE": {"LINK": URL, "NAME": "log.txt", "SIZE": 2048}}, '<span class="faint">2\u00a0KB</span>'),
    ({"USER": {"NAME": "Ada Byron"}}, "<b>Ada Byron</b>"),
    ({"DELIMITER": {"SIZE": 50, "COLOR": "#ccc"}}, '<rect width="100%" height="1" fill="#ccc"/>'),
    ({"GRID": [{"DISPLAY": "ROW", "NAME": "n", "VALUE": "[i]v[/i]"}]}, "<td><i>v</i></td>"),
    ({"GRID": [{"DISPLAY": "TABLE", "NAME": "n", "VALUE": "v"}]}, '<table class="block grid table">'),
    ({"GRID": [{"DISPLAY": "LINE", "NAME": "n", "VALUE": "v"}]}, '<dl class="block grid line">'),
    ({"GRID": [{"NAME": "n", "VALUE": "v", "LINK": URL, "COLOR": "#0a0"}]}, '<font color="#0a0">v</font></a>'),
]


@pytest.mark.parametrize(("block", "html"), BLOCKS)
def test_every_kind_of_block_is_shown(portal: Portal, block: Any, html: str) -> None:
    assert html in body(portal, "x", ATTACH=[block])


@pytest.mark.parametrize(
    ("look", "html"),
    [
        ({"COLOR": "#29619b"}, 'fill="#29619b"'),
        ({"COLOR_TOKEN": "alert"}, 'fill="#d9412b"'),
        ({}, 'class="plain"'),
    ],
)
def test_a_bar_of_colour_stands_beside_the_blocks(portal: Portal, look: dict[str, str], html: str) -> None:
    assert html in body(portal, "x", ATTACH={**look, "BLOCKS": [{"MESSAGE": "x"}]})


def test_a_transparent_bar_is_none(portal: Portal) -> None:
    assert "<rect" not in body(portal, "x", ATTACH={"COLOR": "TRANSPARENT", "BLOCKS": [{"MESSAGE": "x"}]})


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "[url=javascript:alert(1)]x[/url]",
    "[url]javascript:alert(1)[/url]",
    '[url=https://a.b/"onmouseover="alert(1)]x[/url]',
    "<a href='javascript:alert(1)'>x</a>",
    "&#91;url=javascript:alert(1)]x[/url]",
    "[img]https://evil.example/pixel.png [/img]",
    "[icon=https://evil.example/pixel.png title=\"'><script>]",
    "[icon=javascript:alert(1)]",
    "[color=#fff;background:url(https://evil.example)]x[/color]",
    '[size=20" onclick="x]x[/size]',
    '[user=1" onclick="x]x[/user]',
    "[send=<script>]<script>[/send]",
    "[code]</code></pre><script>alert(1)</script>[/code]",
    "[timestamp=99999999999 format=<script>]",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&amp;lt;svg/onload=alert(1)>",
    "[b]" * 3000,
]
OUR_TAGS = {
    "html", "head", "meta", "title", "link", "script", "body", "header", "img", "div", "h1", "h2", "p", "a", "main",
    "section", "span", "ol", "li", "time", "svg", "rect", "footer", "br", "b", "i", "u", "s", "font", "pre", "code",
    "blockquote", "table", "tr", "th", "td", "dl", "dt", "dd",
}  # fmt: skip
NAMES = re.compile(
    r"id|class|lang|hreflang|href|src|rel|type|charset|name|content|alt|width|height|title|datetime|target|color|fill|rx"
    r"|scope|aria-\w+|data-\w+"
)


def _inert(seen: Tags, *, baseline: Tags) -> None:
    """No tag and no attribute that could act; no script and no image but the page's own."""
    assert {tag for tag, _ in seen.found} <= OUR_TAGS
    assert all(NAMES.fullmatch(name) for _, attrs in seen.found for name in attrs)
    for tag in ("script", "img", "link"):
        assert [attrs for name, attrs in seen.found if name == tag] == [
            attrs for name, attrs in baseline.found if name == tag
        ]
    clicks = [attrs for tag, attrs in seen.found if tag == "a" and "hreflang" not in attrs]
    assert all(re.match(r"https?://", attrs["href"]) for attrs in clicks)
    assert all("noopener" in attrs["rel"] for attrs in clicks)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_inert(portal: Portal, client: FlaskClient, text: str) -> None:
    baseline = page(client)
    portal.change_person(19, name=text, email=text)
    send(portal, text, 17)
    blocks: list[Any] = [
        {"MESSAGE": text},
        {"LINK": {"LINK": f"https://a.b/{text}", "NAME": text, "DESC": text, "PREVIEW": f"http://{text}"}},
        {"LINK": {"LINK": URL, "NAME": text, "HTML": text}},
        {"IMAGE": {"LINK": f"https://a.b/{text}", "NAME": text}},
        {"FILE": {"LINK": f"/{text}", "NAME": text}},
        {"USER": {"NAME": text or "x", "LINK": f"/{text}", "AVATAR": "https://evil.example/a.png"}},
        {"GRID": [{"DISPLAY": "ROW", "NAME": text, "VALUE": text, "LINK": f"/{text}"}, {"NAME": text, "VALUE": text}]},
        {"DELIMITER": {"COLOR": text}},
    ]
    assert send(portal, "x", 18, ATTACH={"COLOR": text, "BLOCKS": blocks}, MESSAGE_OUT=text)

    _inert(page(client), baseline=baseline)


def test_a_strangers_picture_is_a_link_and_is_not_fetched(portal: Portal) -> None:
    html = body(portal, "[img]https://evil.example/pixel.png [/img]")

    assert "<img" not in html
    assert ">pixel.png</a>" in html


def test_what_cannot_be_clicked_says_where_it_wanted_to_lead(portal: Portal) -> None:
    html = body(portal, "[url=javascript:alert(1)]free money[/url]")

    assert (
        '<span class="dead" title="not a web address: nothing to click: javascript:alert(1)">free money</span>' in html
    )


def test_only_the_newest_are_shown_and_the_others_are_counted(portal: Portal, client: FlaskClient) -> None:
    for number in range(35):
        send(portal, f"text {number}", 17)

    seen = page(client)
    assert sum(tag == "li" for tag, _ in seen.found) == 30
    assert "and 5 older" in seen.text
