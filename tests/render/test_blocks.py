"""Blocks come out in the portal's own shape, whole or not at all."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from relay.model import Alert, Event
from relay.render import Reader, TemplateSpec, Wording, compile_template, compose

EVENT = Event(
    source="prod",
    type="alertmanager",
    event="alert",
    state="firing",
    severity="warning",
    title="Disk [full]",
    url="https://am.example/#/alerts",
    alerts=tuple(Alert(status="firing", name=f"a{n}", url=f"https://p.example/{n}") for n in range(3)),
    labels={"path": r"C:\new", "empty": ""},
    number=7,
)


def worded(blocks: list[Any], event: Event = EVENT, reader: Reader | None = None, **more: Any) -> Wording:
    spec = TemplateSpec.model_validate({"text": "x", "blocks": blocks, **more})
    template = compile_template(spec, lambda path, sentence: pytest.fail(f"{path}: {sentence}"))
    return compose(event, template, reader=reader or Reader(), rule="r")


def built(blocks: list[Any], **more: Any) -> Any:
    attach = worded(blocks, **more).attach
    return attach and attach["BLOCKS"]


U, V = "https://x.example/a", "https://x.example/p.png"


@pytest.mark.parametrize(
    ("block", "portals"),
    [
        ({"message": "[b]{{ event.title }}[/b]"}, {"MESSAGE": "[b]Disk [\u200bfull][/b]"}),
        ({"message": "{{ event.labels.path }} & <b>"}, {"MESSAGE": r"C:\\new & <b>"}),
        ({"message": r"literal C:\table"}, {"MESSAGE": r"literal C:\\table"}),
        ({"link": {"link": U}}, {"LINK": {"LINK": U}}),
        (
            {"link": {"link": "{{ event.url }}", "name": "a\nb", "desc": "d", "preview": V, "width": 40,
                      "height": "{{ event.number }}"}},
            {"LINK": {"LINK": EVENT.url, "NAME": "a b", "DESC": "d", "PREVIEW": V, "WIDTH": 40, "HEIGHT": 7}},
        ),
        ({"link": [{"link": U}, {"link": "javascript:x"}, {"link": V}]}, {"LINK": [{"LINK": U}, {"LINK": V}]}),
        (
            {"rich_link": {"link": U, "name": "n", "desc": "d", "preview": V}},
            {"RICH_LINK": {"LINK": U, "NAME": "n", "DESC": "d", "PREVIEW": V}},
        ),
        (
            {"image": {"link": V, "name": "n", "preview": V, "width": 1, "height": 2}},
            {"IMAGE": {"LINK": V, "NAME": "n", "PREVIEW": V, "WIDTH": 1, "HEIGHT": 2}},
        ),
        ({"image": [{"link": V}]}, {"IMAGE": [{"LINK": V}]}),
        (
            {"file": {"link": U, "name": "log.txt", "size": "12"}},
            {"FILE": {"LINK": U, "NAME": "log.txt", "SIZE": 12}},
        ),
        ({"file": {"link": U, "size": "12 kB"}}, {"FILE": {"LINK": U}}),
        ({"delimiter": {}}, {"DELIMITER": {}}),
        ({"delimiter": {"size": 300, "color": "#c6c6c6"}}, {"DELIMITER": {"SIZE": 300, "COLOR": "#c6c6c6"}}),
        (
            {"user": {"name": "Ann", "avatar": V, "link": U, "user_id": 5, "avatar_type": "bot"}},
            {"USER": {"NAME": "Ann", "AVATAR": V, "AVATAR_TYPE": "BOT", "LINK": U, "USER_ID": 5}},
        ),
        ({"grid": [{"name": "N", "value": "v"}]}, {"GRID": [{"NAME": "N", "VALUE": "v", "DISPLAY": "ROW"}]}),
        (
            {"grid": [{"value": "v", "display": "line", "width": 9, "color": "red", "color_token": "alert",
                       "link": U, "user_id": "1", "chat_id": 2}]},
            {"GRID": [{"VALUE": "v", "DISPLAY": "LINE", "WIDTH": 9, "COLOR": "#d63232", "COLOR_TOKEN": "alert",
                       "LINK": U, "USER_ID": 1, "CHAT_ID": 2}]},
        ),
        (
            {"grid": [{"name": "gone", "value": "{{ event.branch }}"}, {"value": "v", "link": "ftp://x"}]},
            {"GRID": [{"VALUE": "v", "DISPLAY": "ROW"}]},
        ),
        (
            {"grid": [{"each": "event.labels.items()", "name": "{{ item[0] }}", "value": "{{ item[1] }}"}]},
            {"GRID": [{"NAME": "path", "VALUE": r"C:\\new", "DISPLAY": "ROW"}]},
        ),
    ],
)  # fmt: skip
def test_a_block_has_the_portals_shape(block: Any, portals: Any) -> None:
    assert [portals] == built([block])


def test_a_block_is_repeated_for_each_item() -> None:
    assert built([{"each": "event.alerts[:2]", "link": {"link": "{{ item.url }}", "name": "{{ item.name }}"}}]) == [
        {"LINK": {"LINK": "https://p.example/0", "NAME": "a0"}},
        {"LINK": {"LINK": "https://p.example/1", "NAME": "a1"}},
    ]


@pytest.mark.parametrize("each", ["event.payload", "event.payload.nothing", "event.title", "event.number", "[]"])
def test_a_block_for_each_of_nothing_is_none(each: str) -> None:
    assert built([{"each": each, "message": "x"}]) is None


@pytest.mark.parametrize(
    "block",
    [
        {"message": "{{ event.branch }}"},
        {"message": " \n"},
        {"link": {"link": "{{ event.branch }}", "name": "n"}},
        {"link": {"link": "javascript:alert(1)", "name": "n"}},
        {"link": [{"link": "{{ event.branch }}"}]},
        {"image": {"link": "/portal/path.png"}},
        {"file": {"link": ""}},
        {"user": {"name": "{{ event.author }}", "user_id": 1}},
        {"grid": [{"name": "n", "value": "{{ event.branch }}"}]},
        {"grid": []},
    ],
)
def test_a_block_without_what_it_needs_is_left_out(block: Any) -> None:
    assert built([block]) is None
    assert built([block, {"message": "x"}]) == [{"MESSAGE": "x"}]


@pytest.mark.parametrize(
    "block",
    [
        {},
        {"message": "x", "grid": []},
        {"massage": "x"},
        {"each": "event.alerts"},
        {"link": {"name": "n"}},
        {"link": {"link": U, "html": "<b>"}},
        {"grid": [{"name": "n"}]},
        {"grid": [{"value": "v", "display": "column"}]},
        {"grid": {"value": "v"}},
        {"grid": [{"value": "v", "color_token": "danger"}]},
    ],
)
def test_a_block_of_another_shape_is_refused_at_load(block: Any) -> None:
    with pytest.raises(ValidationError):
        TemplateSpec.model_validate({"text": "x", "blocks": [block]})


@pytest.mark.parametrize(
    ("color", "keys"),
    [
        ("", {"COLOR": "#e8a441"}),  # by the event: a warning
        ("alert", {"COLOR_TOKEN": "alert"}),
        ("green", {"COLOR": "#36a64f"}),
        ("#ABC", {"COLOR": "#ABC"}),
        ("{{ 'red' if event.state == 'firing' else 'green' }}", {"COLOR": "#d63232"}),
        ("{{ event.title }}", {"COLOR": "#e8a441"}),  # no colour: the event's
    ],
)
def test_a_template_names_its_colour(color: str, keys: dict[str, str]) -> None:
    attach = worded([{"message": "x"}], color=color).attach

    assert attach is not None
    assert keys == {key: value for key, value in attach.items() if key.startswith("COLOR")}


def test_the_description_is_the_templates_or_where_it_comes_from() -> None:
    assert (worded([{"message": "x"}], description="{{ event.title }}").attach or {})[
        "DESCRIPTION"
    ] == "Disk [\u200bfull]"
    assert (worded([{"message": "x"}]).attach or {})["DESCRIPTION"] == "prod"


# ── Limits ────────────────────────────────────────────────────────────────────────────────────────────────────


def portals_count(attach: Any) -> int:
    """The portal's own measure: characters of JSON, `/` counted as `\\/`."""
    return len(json.dumps(attach, ensure_ascii=False).replace("/", "\\/"))


MANY = Event(
    source="s", type="alertmanager", event="alert", title="t", url="https://am.example",
    alerts=tuple(Alert(status="firing", name=f"a{n}", summary=f"{n} " + "слово/ " * 40) for n in range(400)),
)  # fmt: skip


@pytest.mark.parametrize(("locale", "words"), [("en", "+{} more"), ("ru", "ещё {}")])
def test_blocks_beyond_the_limit_are_counted_and_left_out_whole(locale: Any, words: str) -> None:
    wording = worded(
        [{"each": "event.alerts", "message": "{{ item.name }} {{ item.summary }} end"}], MANY, Reader("", locale)
    )

    assert wording.attach is not None
    *whole, last = wording.attach["BLOCKS"]
    left_out = 400 - len(whole)
    assert 20_000 < portals_count(wording.attach) < 25_000
    assert all(block["MESSAGE"].endswith(" end") for block in whole)
    assert {"MESSAGE": f"[url=https://am.example]{words.format(left_out)}[/url]"} == last
    assert wording.note.startswith(f"{left_out} blocks or rows were left out")


def test_rows_of_a_grid_beyond_the_limit_are_left_out_one_by_one() -> None:
    wording = worded(
        [{"grid": [{"each": "event.alerts", "name": "{{ item.name }}", "value": "{{ item.summary }}"}]}], MANY
    )

    assert wording.attach is not None
    grid, last = wording.attach["BLOCKS"]
    assert portals_count(wording.attach) < 25_000
    assert f"+{400 - len(grid['GRID'])} more" in last["MESSAGE"]


def test_what_stands_behind_something_left_out_is_left_out_too() -> None:
    event = Event(source="s", type="json", event="e", payload=["a" * 4_000] * 9)
    blocks = [{"each": "event.payload", "message": "{{ item }}"}, {"delimiter": {}}, {"message": "the end"}]
    wording = worded(blocks, event)

    assert wording.attach is not None
    *whole, last = wording.attach["BLOCKS"]
    assert whole == [{"MESSAGE": "a" * 4_000}] * 5
    assert last == {"MESSAGE": "+5 more"}


def test_one_endless_value_is_cut_with_a_mark_and_does_not_push_out_the_rest() -> None:
    event = Event(source="s", type="json", event="e", title="\\/" * 50_000, url="https://x.example/" + "a" * 1_900)
    wording = worded(
        [{"message": "{{ event.title }}"}, {"grid": [{"value": "{{ event.title }}"}]}, {"message": "last"}], event
    )

    assert wording.attach is not None
    message, grid, last = wording.attach["BLOCKS"]
    assert message["MESSAGE"].endswith("…")
    assert grid["GRID"][0]["VALUE"].endswith("…")
    assert last == {"MESSAGE": "last"}
    assert portals_count(wording.attach) < 25_000
