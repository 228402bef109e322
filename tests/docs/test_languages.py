"""English and Russian say the same as far as a machine can see: the same sections, code, tables and links.

Never reads the prose: that two texts mean the same is for people.
"""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import DOCS, Page, pairs

each_pair = pytest.mark.parametrize(
    ("english", "russian"), [pytest.param(*pair, id=pair[0].path.stem) for pair in pairs()]
)


def test_each_page_is_there_in_both_languages() -> None:
    assert {each.name for each in (DOCS / "ru").glob("*.md")} == {each.name for each in (DOCS / "en").glob("*.md")}


@each_pair
def test_both_have_the_same_sections(english: Page, russian: Page) -> None:
    assert [level for level, _ in russian.headings] == [level for level, _ in english.headings]


@each_pair
def test_both_show_the_same_code(english: Page, russian: Page) -> None:
    """Drawings apart, whose words are translated."""
    assert [each for each in russian.blocks if not _is_drawing(each.code)] == [
        each for each in english.blocks if not _is_drawing(each.code)
    ]
    assert len(russian.blocks) == len(english.blocks)


def _is_drawing(code: str) -> bool:
    return "─▶" in code


@each_pair
def test_both_have_tables_of_the_same_size(english: Page, russian: Page) -> None:
    assert tables(russian) == tables(english)


def tables(page: Page) -> list[tuple[int, int]]:
    """Rows and columns of each. A bar that is escaped divides nothing."""
    found = re.findall(r"(?:^\|.*\|\n)+", page.prose + "\n", re.MULTILINE)
    return [(table.count("\n"), len(re.findall(r"(?<!\\)\|", table.splitlines()[0]))) for table in found]


@each_pair
def test_both_lead_to_the_same_pages(english: Page, russian: Page) -> None:
    def files(page: Page) -> list[str]:
        return sorted(link.partition("#")[0].replace("README.ru.md", "README.md") for link in page.links)

    assert files(russian) == files(english)


@each_pair
def test_the_russian_page_leaves_out_no_key_or_command(english: Page, russian: Page) -> None:
    assert named(english) - named(russian) == set()


def named(page: Page) -> set[str]:
    """Keys, words and commands that the prose writes as code; sentences in it are translated."""
    return {" ".join(span.split()) for span in page.spans if re.fullmatch(r"[\w./:-]+|relay [\w -]+", span)}


@each_pair
def test_the_russian_page_is_in_russian(english: Page, russian: Page) -> None:
    letters = re.findall(r"[а-яё]", re.sub(r"`[^`]*`", "", russian.prose).lower())

    assert len(letters) > 300
    assert not re.search(r"[а-яё]", re.sub(r"`[^`]*`", "", english.prose).lower()) or english.path.stem == "glossary"
