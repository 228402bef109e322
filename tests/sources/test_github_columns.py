"""The small language in which the tables of events are written: what its paths and templates find in a payload."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from relay.errors import NotUnderstood
from relay.sources import github_columns
from relay.sources.github_columns import address, fill, people, places, word, words
from relay.sources.github_understand import understand
from tests.sources.github_cases import CASES

PAYLOAD: dict[str, Any] = {
    "title": "Rounding {x} %s",
    "number": 7,
    "merged": True,
    "draft": False,
    "none": None,
    "empty": "",
    "sha": "0123456789abcdef",
    "urls": {"page": "https://e.example/p", "other": "javascript:x"},
    "user": {"login": "ivan"},
    "team": {"slug": "backend"},
    "organization": {"login": "acme", "type": "Organization"},
    "commits": [
        {"added": ["a", "b"], "author": {"email": "olga@e.example"}, "message": "one\nmore"},
        {"added": [], "author": {"username": "Ivan"}, "message": "two"},
        {"added": ["c", 5], "author": {"login": "IVAN"}, "message": ""},
    ],
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("", ""),
        ("as it stands", "as it stands"),
        ("{title}", "Rounding {x} %s"),
        ("{title} {title}", "Rounding {x} %s Rounding {x} %s"),
        ("#{number}", "#7"),
        ("{sha:.7}…", "0123456…"),
        ("{none}", ""),
        ("«{none}»", ""),
        ("{none}#{number}", "#7"),
        ("{none|empty|title}", "Rounding {x} %s"),
        ("{merged}{draft}", "merged"),
        ("{}{number} } {", "{}7 } {"),
        ("{user.login}/{user.nothing.more}", "ivan/"),
        ("{commits.0.added.1}{commits.9.added}", "b"),
        ("{commits[].message}", "one, two"),
        ("{number title}", "7Rounding {x} %s"),
    ],
)
def test_a_template_is_filled_with_what_is_there(template: str, text: str) -> None:
    assert fill(PAYLOAD, template) == text


def test_lines_of_a_list_are_joined_as_the_column_says() -> None:
    assert fill(PAYLOAD, "- {commits[].message}", joint="\n- ") == "- one\n- two"


@pytest.mark.parametrize(
    ("paths", "found"),
    [
        ("", []),
        ("number sha none", ["7", "0123456789abcdef"]),
        ("none|number sha", ["7", "0123456789abcdef"]),
        ("commits[].added[]", ["a", "b", "c", "5"]),
        ("commits[].nothing[]|title", ["Rounding {x} %s"]),
        ("nothing[].at.all", []),
    ],
)
def test_words_are_all_that_paths_find(paths: str, found: list[str]) -> None:
    assert words(PAYLOAD, paths) == found


def test_a_word_is_what_stands_at_one_path() -> None:
    assert [word(PAYLOAD, path) for path in ("user.login", "merged", "draft", "a.b")] == ["ivan", "merged", "", ""]


def test_places_are_where_a_path_leads() -> None:
    assert list(places(PAYLOAD, "a.0.b")) == [("a", 0, "b")]
    assert list(places(PAYLOAD, "commits[].added[]")) == [
        ("commits", 0, "added", 0),
        ("commits", 0, "added", 1),
        ("commits", 2, "added", 0),
        ("commits", 2, "added", 1),
    ]


def test_people_are_named_each_once_and_an_organization_is_nobody() -> None:
    assert people(PAYLOAD, "user team organization") == ("ivan", "acme/backend")
    assert people(PAYLOAD, "commits[].author") == ("olga@e.example", "Ivan")
    assert people(PAYLOAD, "user team", lambda facts, place: str(place[-1])) == ("user", "team")


@pytest.mark.parametrize(
    ("templates", "url"),
    [
        ("", ""),
        ("{urls.page}", "https://e.example/p"),
        ("{urls.none} {urls.other} {urls.page}/{number}", "https://e.example/p/7"),
        ("{urls.page}/{none}", ""),
    ],
)
def test_an_address_is_the_first_that_is_whole(templates: str, url: str) -> None:
    assert address(PAYLOAD, templates) == url


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("user", "user is not text or a whole number"),
        ("title.more", "title is not an object"),
        ("number[].x", "number is not a list"),
        ("commits[].added[].x", "commits.0.added.0 is not an object"),
        ("commits.x", "commits is not an object"),
        ("user.0", "user is not a list"),
    ],
)
def test_another_type_is_refused_by_its_path(path: str, sentence: str) -> None:
    with pytest.raises(NotUnderstood) as refusal:
        words(PAYLOAD, path)
    assert str(refusal.value) == sentence


def test_nothing_that_a_stranger_writes_is_kept_by_the_language() -> None:
    def tell(word: str) -> list[int]:
        for case in CASES:
            payload = {**case.payload, "action": word, word: {"html_url": f"{{{word}}}"}, "ref": f"refs/heads/{word}"}
            for event, told in ((case.event, case.payload), (case.event, payload), (word, payload)):
                with suppress(NotUnderstood):
                    understand("github", event, "", told)
        kept = (github_columns.steps, github_columns._path, github_columns._paths, github_columns._template)
        return [function.cache_info().currsize for function in kept]

    assert tell("one") == tell("another")
