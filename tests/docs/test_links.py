"""Whatever a page leads to is there: pages, headings, files beside docs/, and the menu of the site.

Never looks outside of this repository: strangers' addresses come and go.
"""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.docs.pages import DOCS, ROOT, Page, page, pages

BESIDE = ("CONTRIBUTING.md", "CHANGELOG.md")
each_page = pytest.mark.parametrize("found", [pytest.param(each, id=each.name) for each in pages()])


class SiteLoader(yaml.SafeLoader):
    """Of `mkdocs.yml`, without carrying out what it names."""


SiteLoader.add_multi_constructor("tag:yaml.org,2002:python/", lambda loader, suffix, node: suffix)


@pytest.mark.parametrize(
    "found",
    [pytest.param(each, id=each.name) for each in [*pages(), *map(page, map(ROOT.joinpath, BESIDE))]],
)
def test_every_link_leads_to_a_file_and_to_a_heading_in_it(found: Page) -> None:
    for link in found.links:
        if link.startswith(("https://", "http://")):
            continue
        file, _, fragment = link.partition("#")
        target = (found.path.parent / file).resolve() if file else found.path
        assert target.is_file(), f"{link}: no such file"
        assert target.is_relative_to(ROOT), f"{link}: leads out of the repository"
        if fragment:
            assert fragment in page(target).anchors, f"{link}: no such heading"


@each_page
def test_no_two_headings_of_a_page_that_is_linked_by_them_are_alike(found: Page) -> None:
    mine = [link.partition("#")[2] for each in pages() for link in each.links if _leads_to(each, link, found)]
    titles = [text for _, text in found.headings]

    assert len(titles) == len(set(titles)) or not mine


def _leads_to(each: Page, link: str, target: Page) -> bool:
    file, sign, _ = link.partition("#")
    return bool(sign) and not link.startswith("http") and (each.path.parent / file).resolve() == target.path


def menu(entries: list[Any]) -> list[str]:
    return [
        path
        for entry in entries
        for value in entry.values()
        for path in (menu(value) if isinstance(value, list) else [value])
    ]


def test_every_page_is_in_the_menu_once() -> None:
    site = yaml.load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), SiteLoader)

    assert sorted(menu(site["nav"])) == sorted(each.path.relative_to(DOCS).as_posix() for each in pages())


def test_both_readmes_lead_to_the_documents() -> None:
    for name, language in (("README.md", "en"), ("README.ru.md", "ru")):
        assert f"docs/{language}/index.md" in page(ROOT / name).links
