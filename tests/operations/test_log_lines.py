"""Every line that the relay writes is one of the table, with its fields; and no secret passes, in whatever field."""

from __future__ import annotations

import ast
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from relay import log

RELAY = Path(log.__file__).parent
SAYING = ("line", "trouble", "failure")
SECRET = 'a "planted" secret\\with=signs'
TIMES = {"wants_person"}


def calls() -> Iterator[Any]:
    """Every place in the program where a line is written."""
    for path in sorted(RELAY.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _is_saying(node.func):
                yield pytest.param(node, id=f"{path.relative_to(RELAY)}:{node.lineno}")


def _is_saying(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and node.attr in SAYING
        and isinstance(node.value, ast.Name)
        and node.value.id == "log"
    )


def kinds(node: ast.expr) -> list[str]:
    """The kinds of line that an argument may be: written out, or one of two."""
    if isinstance(node, ast.IfExp):
        return [*kinds(node.body), *kinds(node.orelse)]
    assert isinstance(node, ast.Constant), "the kind of a line is written out where it is said"
    return [str(node.value)]


CALLS = list(calls())


@pytest.mark.parametrize("call", CALLS)
def test_a_line_is_one_of_the_table_with_its_fields(call: ast.Call) -> None:
    named = {keyword.arg for keyword in call.keywords if keyword.arg} - TIMES
    for kind in kinds(call.args[0]):
        assert kind in log.LINES
        assert named - set(log.LINES[kind].split()) == set()


def test_each_line_of_the_table_is_written_somewhere() -> None:
    said = {kind for each in CALLS for kind in kinds(each.values[0].args[0])}

    assert set(log.LINES) - said == set()


def test_nobody_else_logs() -> None:
    others = [
        path.name
        for path in RELAY.rglob("*.py")
        if "getLogger(" in path.read_text(encoding="utf-8") and path.name not in ("log.py", "client.py", "server.py")
    ]

    assert others == []


def record(deed: str = "router: decided", /, **words: Any) -> logging.LogRecord:
    made = logging.LogRecord("relay", logging.INFO, "", 0, deed, (), None)
    made.words = words
    return made


@pytest.fixture
def hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "_hidden", ())


def test_one_of_several_events_is_found_by_its_number(hidden: None) -> None:
    text = log.Text().format(record(event=[17, 170], message=[5], verdicts={"delivered": 2}, note="", urgent=False))

    assert text.endswith("router: decided event=17 event=170 message=5 verdicts=delivered:2 urgent=false")


@pytest.mark.parametrize("form", [log.Text(), log.Json()], ids=["text", "json"])
@pytest.mark.parametrize("field", sorted({name for fields in log.LINES.values() for name in fields.split()}))
def test_a_known_secret_is_masked_in_every_field(hidden: None, form: logging.Formatter, field: str) -> None:
    log.hide([SECRET])
    for value in (SECRET, [1, SECRET], {SECRET: 1}, {"x": SECRET}, Path(SECRET), f"before{SECRET}after"):
        text = form.format(record(**{field: value}))

        assert "planted" not in text
        assert "***" in text


@pytest.mark.parametrize("form", [log.Text(), log.Json()], ids=["text", "json"])
def test_a_known_secret_is_masked_in_the_message_and_the_traceback(hidden: None, form: logging.Formatter) -> None:
    log.hide([SECRET])
    made = record(f"urllib3 says {SECRET}")
    try:
        raise ValueError(SECRET)
    except ValueError as fault:
        made.exc_info = (ValueError, fault, fault.__traceback__)

    assert "planted" not in form.format(made)


ADDRESSES = [
    "https://acme.bitrix24.ru/rest/1/PLANTEDKEY/im.notify",
    "postgresql://relay:PLANTEDKEY@db.example.com/relay",
    "https://oauth.example.com/oauth/token/?grant_type=refresh_token&client_secret=PLANTEDKEY&x=1",
    "https://acme.bitrix24.ru/rest/im.notify.json?auth=PLANTEDKEY",
    "https://calendar.example.com/duty.ics?token=PLANTEDKEY",
    "Authorization: Bearer PLANTEDKEY",
    "authorization: basic PLANTEDKEY",
    "/sign-in/PLANTEDKEY",
]


@pytest.mark.parametrize("text", ADDRESSES)
def test_what_stands_where_addresses_have_their_secret_is_masked_unknown(hidden: None, text: str) -> None:
    assert "PLANTEDKEY" not in log.mask(text)
    assert log.mask(text) == text.replace("PLANTEDKEY", "***")


@pytest.mark.parametrize(
    ("secret", "part"),
    [
        ("https://acme.bitrix24.ru/rest/1/PLANTEDKEY/", "PLANTEDKEY"),
        ("postgresql://relay:PLANTEDKEY@db.example.com/relay", "PLANTEDKEY"),
    ],
)
def test_the_secret_part_of_a_known_address_is_masked_alone(hidden: None, secret: str, part: str) -> None:
    log.hide([secret])

    assert log.mask(f"<{part}>") == "<***>"
    assert log.mask(f"<{secret}>") == f"<{secret.replace(part, '***')}>"


def test_a_secret_within_another_is_masked_with_it(hidden: None) -> None:
    log.hide(["planted1", "planted1-and-more"])

    assert log.mask("planted1-and-more planted1") == "*** ***"


def test_a_short_secret_may_be_any_word_and_is_not_looked_for(hidden: None) -> None:
    log.hide(["", "main"])

    assert log.mask("the main portal") == "the main portal"


def test_json_stays_json_whatever_was_masked(hidden: None) -> None:
    log.hide([SECRET])

    line = json.loads(log.Json().format(record(why=f'"{SECRET}"', event=[17], ok=True, ms=1.5, trouble=None)))
    assert (line["why"], line["event"], line["ok"], line["ms"], line["trouble"]) == ('"***"', [17], True, 1.5, None)


@pytest.mark.parametrize("form", [log.Text(), log.Json()])
def test_what_a_library_says_of_a_stranger_commands_no_terminal_and_forges_no_line(form: logging.Formatter) -> None:
    """urllib3 shows the headers of an answer that it cannot read (urllib3.connection, «Failed to parse headers»)."""
    evil = "\x1b[2J\x9b1m\n2026-11-23 12:00:00.000Z intake: journalled event=99\u2028\x7f"
    try:
        raise ValueError(evil)
    except ValueError:
        said = logging.LogRecord("urllib3", logging.WARNING, "", 0, "cannot read %s", (evil,), sys.exc_info())

    lines = form.format(said).split("\n")
    assert all(line.isprintable() for line in lines)
    assert [line for line in lines if line.startswith("2026-11-23 12:00:00.000Z")] == []


def test_a_password_is_hidden_as_the_address_has_it_and_as_a_driver_knows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "_hidden", ())
    log.hide(["postgresql://relay:p%40ss%20word@db/relay"])

    assert log.mask("as p%40ss%20word or p@ss word") == "as *** or ***"
