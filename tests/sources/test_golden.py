"""What people get of every fixture and of every case of GitHub's table, in both languages, as files to be read.

After a change of words: RELAY_GOLDEN=write python -m pytest tests/sources/test_golden.py, and read the difference.
"""

from __future__ import annotations

import difflib
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from relay import gallery
from relay.cli.exhibits import exhibits
from relay.gallery import LOCALES, Exhibit, exhibit
from relay.render import plain
from relay.render.reader import Locale
from tests.render import judge
from tests.sources.github_cases import CASES, read

FOLDER = Path(__file__).parent / "golden"
FIXTURES = Path(__file__).parent.parent / "fixtures"
CASES_OF_GITHUB = "github-events"
SHELVES = (*sorted(folder.name for folder in FIXTURES.iterdir() if folder.is_dir()), CASES_OF_GITHUB)


@pytest.fixture(scope="module")
def shelves() -> dict[str, list[Exhibit]]:
    """Everything by the sender that it is from."""
    found: dict[str, list[Exhibit]] = {CASES_OF_GITHUB: list(cases())}
    for one in exhibits(FIXTURES, None):
        assert isinstance(one, Exhibit), f"{one.path}: {one.why}"
        found.setdefault(one.name.partition("/")[0], []).append(one)
    return found


def cases() -> Iterator[Exhibit]:
    nth: Counter[str] = Counter()
    for case in CASES:
        nth[str(case)] += 1
        number = f" ({nth[str(case)]})" if nth[str(case)] > 1 else ""
        yield exhibit(f"{case}{number}", read(case.event, case.payload))


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("shelf", SHELVES)
def test_people_get_what_was_read_and_found_good(shelf: str, locale: Locale, shelves: dict[str, list[Exhibit]]) -> None:
    file = FOLDER / f"{shelf}.{locale}.txt"
    now = "\n\n".join("\n".join(gallery.lines(one, locale)) for one in shelves[shelf]) + "\n"
    if os.environ.get("RELAY_GOLDEN") == "write":
        file.write_text(now, encoding="utf-8")
    before = file.read_text(encoding="utf-8") if file.exists() else ""

    if now != before:
        lines = difflib.unified_diff(before.splitlines(), now.splitlines(), "as it was", "as it is", n=4, lineterm="")
        pytest.fail("\n".join([f"{file.name} says otherwise (RELAY_GOLDEN=write takes it):", *lines]), pytrace=False)


def test_nothing_is_kept_of_what_is_no_longer_there() -> None:
    assert {file.name for file in FOLDER.iterdir()} == {
        f"{shelf}.{locale}.txt" for shelf in SHELVES for locale in LOCALES
    }


@pytest.mark.parametrize("locale", LOCALES)
def test_every_text_is_short_whole_and_worded_without_a_fault(
    locale: Locale, shelves: dict[str, list[Exhibit]]
) -> None:
    for one in (one for shelf in shelves.values() for one in shelf):
        wording = one.wordings[locale]
        assert wording.note == "", one.name
        assert "\n" not in wording.text, one.name
        assert len(plain(wording.text)) <= 300, one.name
        assert judge.balanced(wording.text), one.name
        assert not any(hole in wording.text for hole in (": ,", "  ", " ,", "()", "None", "Undefined")), one.name
