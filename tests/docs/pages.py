"""The documents as data: pages, headings, links and blocks of code.

Never judges any of it: the tests beside it do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
LANGUAGES = ("en", "ru")

_BLOCK = re.compile(r"^```(\w*)[ ]*(?:title=\"([^\"]*)\")?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_SPAN = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True)
class Block:
    language: str
    title: str
    code: str


@dataclass(frozen=True)
class Page:
    path: Path
    text: str

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def prose(self) -> str:
        """The page without its blocks of code."""
        return _BLOCK.sub("", self.text)

    @property
    def blocks(self) -> list[Block]:
        return [Block(*found) for found in _BLOCK.findall(self.text)]

    @property
    def headings(self) -> list[tuple[int, str]]:
        """Level and text."""
        return [(len(marks), text) for marks, text in _HEADING.findall(self.prose)]

    @property
    def links(self) -> list[str]:
        return _LINK.findall(_SPAN.sub("", self.prose))

    @property
    def spans(self) -> list[str]:
        """What the prose writes as code."""
        return _SPAN.findall(self.prose)

    @property
    def anchors(self) -> set[str]:
        return {anchor(text) for _, text in self.headings}


def anchor(heading: str) -> str:
    """A heading's anchor, as GitHub makes it and pymdownx.slugs.slugify(case=lower) too."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def page(path: Path) -> Page:
    return Page(path, path.read_text(encoding="utf-8"))


def pages() -> list[Page]:
    return [page(path) for language in LANGUAGES for path in sorted((DOCS / language).glob("*.md"))]


def pairs() -> Iterator[tuple[Page, Page]]:
    """Each English page, and the Russian one of the same name."""
    for path in sorted((DOCS / "en").glob("*.md")):
        yield page(path), page(DOCS / "ru" / path.name)
