"""The template language: what it can say, what it refuses at load, and what it never lets a template do."""

from __future__ import annotations

import time
from typing import Any

import pytest

from relay.model import Alert, Event
from relay.render import Reader, TemplateSpec, compile_line, compile_template, compose
from relay.render.meter import MAX_STEPS

ALERTS = (
    Alert(status="firing", name="Disk", severity="critical", labels={"items": "x"}, values={"B": 0.25, "C": 3.0}),
    Alert(status="resolved", name="Load", summary="Load is [b]fine[/b]"),
)
EVENT = Event(
    source="github",
    type="github",
    event="pull_request",
    action="opened",
    title="Fix <b> & [url=x]",
    url="https://github.com/acme/api/pull/42",
    repo="acme/api",
    number=42,
    labels={"env": "prod", "team": "db"},
    assignees=("ivan", "olga"),
    started_at="2026-03-29T00:59:59.123456789Z",
    alerts=ALERTS,
    text="**Bold** move",
    payload={
        "list": [1, 2.5, None, "x"],
        "deep": {"er": "found"},
        "flag": True,
        "items": "mine",
        "long": "a" * 5_000,
        "dunder": "__class__",
    },
)


def complaints(text: str, **more: Any) -> list[tuple[tuple[str | int, ...], str]]:
    found: list[tuple[tuple[str | int, ...], str]] = []
    compile_template(TemplateSpec(text=text, **more), lambda path, sentence: found.append((path, sentence)))
    return found


def said(text: str, *, reader: Reader | None = None, event: Event = EVENT) -> str:
    """What a template says, zero-width characters taken out."""
    template = compile_template(TemplateSpec(text=text), lambda path, sentence: pytest.fail(f"{path}: {sentence}"))
    wording = compose(event, template, reader=reader or Reader("Ivan", "en", "Europe/Berlin"), rule="reviews")
    assert wording.note == ""
    return wording.text.replace("\u200b", "")


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ event.title }}", "Fix &lt;b> &amp; [url=x]"),
        ("[b]{{ event.repo }}[/b]#{{ event.number }}", "[b]acme/api[/b]#42"),
        ("[url={{ event.url }}]{{ event.repo }}[/url]", "[url=https://github.com/acme/api/pull/42]acme/api[/url]"),
        ("[url={{ event.branch }}]no address[/url]", "no address"),
        ("{{ event.url | link('PR') }}", "[url=https://github.com/acme/api/pull/42]PR[/url]"),
        ("{{ event.branch | link('PR') }}", "PR"),
        ("{{ event.url | link }}", "[url=https://github.com/acme/api/pull/42]https://github.com/acme/api/pull/42[/url]"),
        ("{{ 'javascript:x' | url }}|{{ event.url | url }}", "|https://github.com/acme/api/pull/42"),
        ("{{ event.repo | bold }}{{ event.branch | bold }}", "[b]acme/api[/b]"),
        ("{{ event.title | bold ~ '!' }}", "[b]Fix &lt;b> &amp; [url=x][/b]!"),
        ("{{ event.repo | code }}", "[code]acme/api[/code]"),
        ("{{ event.text | markdown }}", "[b]Bold[/b] move"),
        ("{{ event.text | markdown | plain }}", "Bold move"),
        ("{{ event.text | markdown | upper }}", "BOLD MOVE"),
        ("{{ event.text | markdown | cut(5) }}", "Bold…"),
        ("{{ event.repo | cut(6) }} {{ event.repo | cut(8) }}", "acme/… acme/api"),
        ("{{ '[b]' | safe }}x{{ '[/b]' | safe }}", "[b]x[/b]"),
        ("{{ '[b]' }}", "[b]"),
        ("{{ event.assignees }}", "ivan, olga"),
        ("{{ event.assignees | map('bold') | join(' + ') }}", "[b]ivan[/b] + [b]olga[/b]"),
        ("{{ ['a', '', none, event.payload.nothing] | join('-') }}", "a"),
        ("{{ event.labels }}", "env: prod, team: db"),
        ("{{ event.labels.env }} {{ event.labels['team'] }} {{ event.labels.none.deeper }}x", "prod db x"),
        ("{{ event.payload.deep.er }}{{ event.payload.not.there[3].at.all }}", "found"),
        ("{{ event.payload.items }} {{ event.alerts[0].labels.items }}", "mine x"),
        ("{% for k, v in event.alerts[0].labels | items %}{{ k }}={{ v }}{% endfor %}", "items=x"),
        ("{{ event.payload.flag }} {{ event.payload.list }}", "true 1, 2.5, x"),
        ("{{ event.alerts[0]['values'] }}", "B: 0.25, C: 3"),
        ("{% for a in event.alerts %}{{ loop.index }}{{ a.name }}{{ ',' if loop.first }}{% endfor %}", "1Disk,2Load"),
        ("{% for k, v in event.labels | items %}{{ k }}={{ v }};{% endfor %}", "env=prod;team=db;"),
        ("{{ event.alerts | selectattr('status', 'equalto', 'firing') | list | length }}", "1"),
        ("{{ event.alerts | map(attribute='name') | join(', ') }}", "Disk, Load"),
        ("{{ event.number + 1 }} {{ 7 % 4 }} {{ 2 * 3 }} {{ 'a' + 'b' }} {{ 1 / 3 }}", "43 3 6 ab 0.3333"),
        ("{{ 0.000012 }} {{ 1234567.0 }} {{ 3.14159 | round(2) }} {{ 2.7 | round }}", "1.2e-05 1234567 3.14 3"),
        ("{{ 'a-b' | replace('-', '+') }}{{ 'x' | replace('', 'y') }}", "a+bx"),
        ("{{ person.name }} {{ person }} {{ rule }} {{ events | length }}", "Ivan Ivan reviews 1"),
        ("{{ event.started_at | time }}", "29 Mar 01:59"),
        ("{{ event }} {{ event.alerts[1] }}", "Fix &lt;b> &amp; [url=x] Load is [b]fine[/b]"),
        ("a < b & c", "a &lt; b &amp; c"),
        ("one#BR#two[br]three", "one\ntwo\nthree"),
        ("$result[x]", "$result[x]"),
    ],
)  # fmt: skip
def test_a_template_says(template: str, text: str) -> None:
    assert text == said(template)


@pytest.mark.parametrize(
    ("n", "english", "russian"),
    [
        (0, "alerts", "алертов"),
        (1, "alert", "алерт"),
        (2, "alerts", "алерта"),
        (4, "alerts", "алерта"),
        (5, "alerts", "алертов"),
        (11, "alerts", "алертов"),
        (12, "alerts", "алертов"),
        (14, "alerts", "алертов"),
        (21, "alerts", "алерт"),
        (22, "alerts", "алерта"),
        (111, "alerts", "алертов"),
        (112, "alerts", "алертов"),
        (121, "alerts", "алерт"),
        (-1, "alert", "алерт"),
    ],
)
def test_the_word_goes_with_the_number(n: int, english: str, russian: str) -> None:
    assert said(f"{{{{ {n} | plural('alert', 'alerts') }}}}") == english
    assert said(f"{{{{ {n} | plural('алерт', 'алерта', 'алертов') }}}}") == russian


@pytest.mark.parametrize(
    ("moment", "zone", "locale", "shown"),
    [
        ("2026-03-29T00:59:59Z", "Europe/Berlin", "en", "29 Mar 01:59"),
        ("2026-03-29T01:00:00Z", "Europe/Berlin", "en", "29 Mar 03:00"),  # the clock went from 2 to 3
        ("2026-10-25T00:30:00Z", "Europe/Berlin", "en", "25 Oct 02:30"),
        ("2026-10-25T01:30:00Z", "Europe/Berlin", "en", "25 Oct 02:30"),  # and from 3 to 2
        ("2026-11-23T23:30:00.123456789+00:00", "Europe/Moscow", "ru", "24 ноя 02:30"),
        ("2026-05-09T10:00:00+03:00", "UTC", "ru", "9 мая 07:00"),
        ("2026-05-09T10:00:00", "UTC", "en", "9 May 10:00"),
        ("0001-01-01T00:00:00Z", "UTC", "en", ""),
        ("0001-01-01T00:00:00Z", "America/New_York", "en", ""),
        ("0001-01-01T00:00:00+14:00", "America/New_York", "en", ""),
        ("9999-12-31T23:59:59Z", "Asia/Tokyo", "en", ""),
        ("yesterday", "UTC", "en", ""),
        ("", "UTC", "en", ""),
        ("2026-05-09T10:00:00Z", "Mars/Olympus", "en", "9 May 10:00"),
        ("2026-05-09T10:00:00Z", "../../etc/passwd", "en", "9 May 10:00"),
        ("2026-05-09T10:00:00Z", "Europe", "en", "9 May 10:00"),
        ("2026-05-09T10:00:00Z", "", "en", "9 May 10:00"),
    ],
)
def test_a_time_is_shown_on_the_readers_clock(moment: str, zone: str, locale: Any, shown: str) -> None:
    assert said(f"at {{{{ '{moment}' | time }}}}", reader=Reader("", locale, zone)) == f"at {shown}".strip()


# ── Refused at load ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("{{ event.titel }}", "an event has no `titel`; did you mean `title`?"),
        ("{{ event['titel'] }}", "an event has no `titel`"),
        ("{{ events[0].titel }}", "an event has no `titel`"),
        ("{{ person.nmae }}", "a person has no `nmae`; did you mean `name`?"),
        ("{{ event.alerts[0].sumary }}", "an alert has no `sumary`; did you mean `summary`?"),
        ("{% for a in event.alerts[:3] | reverse %}{{ a.sumary }}{% endfor %}", "an alert has no `sumary`"),
        ("{{ (event.alerts | first).sumary }}", "an alert has no `sumary`"),
        ("{{ evnt.title }}", "nothing is called `evnt` here; did you mean `event`?"),
        ("{{ item }}", "nothing is called `item` here"),
        ("{{ _meter }}", "nothing is called `_meter` here"),
        ("{{ range(3) }}", "nothing is called `range` here"),
        ("{{ event.title | makrdown }}", "no filter is called `makrdown`; did you mean `markdown`?"),
        ("{% if event.title is evn %}x{% endif %}", "no test is called `evn`"),
        ("{% if event.draft %}{{ event.title | makrdown }}{% endif %}", "no filter is called `makrdown`"),
        ("{{ event.title | safe }}", "`safe` is only for text written in the template itself"),
        ("{{ event.assignees | map('safe') | join }}", "`map` must name its filter"),
        ("{{ event.assignees | map(event.title) | join }}", "`map` must name its filter"),
        ("{{ event.assignees | map('~') | join }}", "`map` must name its filter"),
        ("{{ event.assignees | map('safe …') | join }}", "`map` must name its filter"),
        ("{{ event.assignees | select('evn') | join }}", "`select` must name its filter or test"),
        ("{{ event.__class__ }}", "`__class__` is nothing that a template may use"),
        ("{{ event.payload['__class__'] }}", "`__class__` is nothing that a template may use"),
        ("{% macro x() %}{% endmacro %}", "no statement «macro»"),
        ("{% include 'x' %}", "no statement «include»"),
        ("{% extends 'x' %}", "no statement «extends»"),
        ("{% set x %}a{% endset %}", "no statement «set (as a block)»"),
        ("{% filter upper %}a{% endfilter %}", "no statement «filter (as a block)»"),
        ("{% for a in event.alerts recursive %}{% endfor %}", "a loop cannot be recursive"),
        ("{{ event.title", "unexpected end of template"),
        ("{% if event.title %}", "Unexpected end of template"),
        ("one\ntwo {{ event.titel }}", "line 2: an event has no `titel`"),
        ("{{ " + "(" * 500 + "1" + ")" * 500 + " }}", "is nested too deeply"),
        ("{% for a in event.alerts %}" * 30 + "{% endfor %}" * 30, "is nested too deeply"),
        ("x{{ 1 }}" * 4_000, "is 32000 characters long; 20000 is the most"),
        ("   ", "is empty: the portal refuses a notification without text"),
    ],
)  # fmt: skip
def test_a_fault_is_found_before_anything_is_sent(template: str, sentence: str) -> None:
    found = complaints(template)

    assert any(path == ("text",) and sentence in said for path, said in found), found


def test_all_faults_of_a_template_are_told_at_once_each_with_its_path() -> None:
    found = complaints(
        "{{ event.titel }} {{ evnt }}",
        color="pink",
        description="{{ x }}",
        blocks=[
            {"message": "{{ y }}"},
            {"each": "event.alerts", "link": {"link": "{{ item.ulr }}"}},
            {"grid": [{"value": "1"}, {"value": "2", "color": "pink"}]},
            {"each": "event.alerts |", "message": "{{ item }}"},
        ],
    )

    assert [path for path, _ in found] == [
        ("color",),
        ("text",),
        ("text",),
        ("description",),
        ("blocks", 0, "message"),
        ("blocks", 1, "link", "link"),
        ("blocks", 2, "grid", 1, "color"),
        ("blocks", 3, "each"),
    ]


def test_a_template_that_does_not_compile_is_never_used() -> None:
    template = compile_template(TemplateSpec(text="{{ evnt }}"), lambda path, sentence: None)

    wording = compose(EVENT, template, reader=Reader(), rule="r")

    assert "does not compile" in wording.note
    assert wording.text.startswith("New pull request")


# ── Never ─────────────────────────────────────────────────────────────────────────────────────────────────────

BOMBS = [
    "{{ 'a' * 300000000 }}",
    "{{ [1] * 100000000 }}",
    "{{ 9 ** 9 ** 9 ** 9 }}",
    "{{ 2 ** 9999999 }}",
    "{{ '%300000000d' % 1 }}",
    "{{ 'a'.ljust(300000000) }}",
    "{{ 'a'.center(300000000) }}",
    "{{ 'a'.zfill(300000000) }}",
    "{{ '\t'.expandtabs(300000000) }}",
    "{{ '{:>300000000}'.format(1) }}",
    "{{ '{:>300000000}'['format'](1) }}",
    "{{ ','.join(event.payload.list * 9999999) }}",
    "{% set a = [1, 2] %}" + "{% set a = a + a %}" * 40 + "{{ a }}",
    "{% for a in event.payload.long %}{% for b in event.payload.long %}{% endfor %}{% endfor %}x",
    "{% for a in event.payload.long %}{% for b in event.payload.long %}{{ '' }}{% endfor %}{% endfor %}x",
    "{{ event.title[event.payload.dunder] }}",
    "{{ event[event.payload.dunder] }}",
    "{{ event.payload.list.append(1) }}",
    "{{ event.payload.update({}) }}",
    "{{ 1 / 0 }}",
    "{{ event.title() }}",
    "{{ event.payload + 1 }}",
]


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_goes_off_nowhere(bomb: str) -> None:
    template = compile_template(TemplateSpec(text=bomb), lambda path, sentence: pytest.fail(sentence))
    start = time.perf_counter()

    wording = compose(EVENT, template, reader=Reader(), rule="r")

    assert time.perf_counter() - start < 2
    assert wording.text.startswith("New pull request")
    assert "the built-in one was used" in wording.note
    assert " at text" in wording.note


@pytest.mark.parametrize("bomb", ["{{ lipsum(n=20000) }}", "{{ namespace(x=1) }}", "{{ 'a' | center(300000000) }}",
                                  "{{ '%300000000d' | format(1) }}", "{{ cycler(1) }}", "{{ dict(a=1) }}",
                                  "{{ 'a' | indent(300000000) }}", "{{ [1] | batch(9, 300000000) }}",
                                  "{{ event | pprint }}", "{{ event | attr('x') }}", "{{ {} | xmlattr }}"])  # fmt: skip
def test_what_could_fill_the_memory_is_not_in_the_language(bomb: str) -> None:
    assert complaints(bomb) != []


def test_lists_within_lists_are_not_unfolded() -> None:
    assert said("x{% set a = [1, 2] %}" + "{% set a = [a, a] %}" * 40 + "{{ a }}") == "x"


@pytest.mark.parametrize(
    "endless",
    [
        "{% for c in event.payload.long %}{{ event.payload.long }}{% endfor %}",
        "{% set a = event.payload.long %}" + "{% set a = a ~ a %}" * 40 + "{{ a }}",
        "{% set a = event.payload.long %}" + "{% set a = a + a %}" * 40 + "{{ a }}",
        "{% set a = event.payload.long | bold %}" + "{% set a = a ~ a %}" * 40 + "{{ a }}",
        "{{ event.payload.long | replace('a', event.payload.long) }}",
    ],
)
def test_a_text_without_end_is_cut_and_not_refused(endless: str) -> None:
    template = compile_template(TemplateSpec(text=endless), lambda path, sentence: pytest.fail(sentence))
    start = time.perf_counter()

    wording = compose(EVENT, template, reader=Reader(), rule="r")

    assert time.perf_counter() - start < 2
    assert wording.text.removesuffix("[/b]").endswith("…")
    assert 18_900 < len(wording.text) <= 19_000
    assert wording.note == "the text was cut at 19000 characters"


def test_the_number_of_steps_is_what_stops_an_idle_loop() -> None:
    rounds = MAX_STEPS // 2 + 10
    event = Event(source="s", type="json", event="e", title="t", payload=list(range(rounds)))
    idle = "x{% for a in event.payload %}{% endfor %}"

    assert said(idle, event=event) == "x"
    template = compile_template(TemplateSpec(text=idle * 2), lambda p, s: None)
    assert "TooMuch" in compose(event, template, reader=Reader(), rule="r").note


def test_a_note_never_quotes_what_a_stranger_wrote() -> None:
    event = Event(source="s", type="json", event="e", title="stranger", payload={"n": "hostile words"})
    template = compile_template(TemplateSpec(text="{{ event.payload.n - 1 }}"), lambda p, s: None)

    assert "hostile" not in compose(event, template, reader=Reader(), rule="r").note


# ── One-line texts ────────────────────────────────────────────────────────────────────────────────────────────


def line(source: str, event: Event = EVENT) -> str:
    compiled = compile_line(source, lambda path, sentence: pytest.fail(sentence))
    return compiled.render(event=event, person=Reader("ivan"), rule="r")


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("plain", "plain"),
        ("{{ event.repo }}#{{ event.number }}:{{ person.name }}", "acme/api#42:ivan"),
        ("{{ event.title }}", "Fix <b> & [url=x]"),
        (" a\n b\t", "a b"),
        ("{{ event.branch }}", ""),
        ("{{ 1 / 0 }}", ""),
        ("{{ event.text | markdown }}", "Bold move"),
    ],
)
def test_a_line_is_bare_text(source: str, text: str) -> None:
    assert text == line(source)


def test_a_long_line_is_cut_and_still_differs_from_one_that_begins_alike() -> None:
    one, two = line("a" * 300 + "1"), line("a" * 300 + "2")

    assert len(one) == len(two) == 246
    assert one != two


def test_a_line_cannot_read_another_answer_of_its_batch() -> None:
    assert line("$result[n0]") == "$\u200bresult[n0]"


def test_a_fault_in_a_line_is_a_complaint_at_the_line_itself() -> None:
    found: list[tuple[tuple[str | int, ...], str]] = []
    compile_line("{{ event.titel }}", lambda path, sentence: found.append((path, sentence)))

    assert found == [((), "an event has no `titel`; did you mean `title`?")]
