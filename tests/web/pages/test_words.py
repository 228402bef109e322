"""Every word of the pages is there in both languages, in the right forms, and every one that is asked for exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import relay.web.pages
from relay.store.listing import VERDICTS
from relay.web.pages.verdicts import SIGNS
from relay.web.pages.words import TABLES, WORDS, Speech

PAGES = Path(relay.web.pages.__file__).parent
SOURCES = {path.name: path.read_text(encoding="utf-8") for path in [*PAGES.rglob("*.html"), *PAGES.rglob("*.py")]}
CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)


def asked(pattern: str) -> set[str]:
    """Every key that the templates and modules ask for in this way."""
    return {key for source in SOURCES.values() for key in re.findall(pattern, source)}


def test_no_two_tables_have_one_key() -> None:
    assert sum(map(len, TABLES)) == len(WORDS)


def test_whatever_is_asked_for_is_there() -> None:
    plain, counted = asked(r'\bt\("([\w.]+)"[,)]'), asked(r'\bt\.count\("([\w.]+)",')

    assert plain
    assert counted
    assert plain | counted <= WORDS.keys() | {"outbox.title"}  # the last is the example of the package's docstring


@pytest.mark.parametrize("key", WORDS)
def test_it_is_said_in_both_languages_with_the_same_values(key: str) -> None:
    english, russian = WORDS[key]

    assert english
    assert russian
    assert set(re.findall(r"\{(\w+)\}", english)) == set(re.findall(r"\{(\w+)\}", russian))
    if key not in ("common.other_language",):
        assert not CYRILLIC.search(english)
    if "|" in english:
        assert (english.count("|"), russian.count("|")) == (1, 2)


def test_what_is_counted_has_its_forms() -> None:
    for key in asked(r'\bt\.count\("([\w.]+)",') & WORDS.keys():
        assert "|" in WORDS[key][0], key


@pytest.mark.parametrize(
    ("number", "english", "russian"),
    [
        (1, "1 message", "1 сообщение"),
        (2, "2 messages", "2 сообщения"),
        (5, "5 messages", "5 сообщений"),
        (11, "11 messages", "11 сообщений"),
        (21, "21 messages", "21 сообщение"),
        (1234, "1\u00a0234 messages", "1\u00a0234 сообщения"),
    ],
)
def test_numbers_take_the_right_form(number: int, english: str, russian: str) -> None:
    assert Speech("en").count("journal.told", number) == english
    assert Speech("ru").count("journal.told", number) == russian


def test_every_verdict_has_a_sign_and_a_word() -> None:
    for verdict in VERDICTS:
        sign, tone = SIGNS[verdict]
        assert sign
        assert tone in {"good", "bad", "warn", "wait", "quiet", "odd"}
        assert f"verdict.{verdict}" in WORDS
