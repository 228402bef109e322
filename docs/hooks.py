"""What MkDocs does more for this site: files beside docs/ that pages link to are in it; pages know their language.

Never changes a page on disk: `../../` leads out of docs/ for those who read the files, and into `source/` on the site.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

NAMES = {"en": "English", "ru": "По-русски"}
OUTWARD = re.compile(r"\]\(\.\./\.\./([^)#\s]+)")  # from docs/<language>/
INWARD = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Take in what is linked outside of docs/, and what that links to."""
    root = Path(config.docs_dir).parent
    for path in sorted(linked(root, [file.content_string for file in files.documentation_pages()])):
        files.append(File.generated(config, f"source/{path}", abs_src_path=str(root / path)))
    return files


def linked(root: Path, pages: list[str]) -> set[str]:
    wanted = {path for page in pages for path in OUTWARD.findall(page)}
    found: set[str] = set()
    while wanted:
        path = wanted.pop()
        found.add(path)
        if path.endswith(".md"):
            wanted |= set(_links(root, path)) - found
    return found


def _links(root: Path, path: str) -> Iterator[str]:
    for link in INWARD.findall((root / path).read_text(encoding="utf-8")):
        target = (root / path).parent.joinpath(link).resolve()
        if target.is_file() and target.is_relative_to(root):
            yield PurePosixPath(target.relative_to(root)).as_posix()


def on_page_markdown(markdown: str, **_: Any) -> str:
    return OUTWARD.sub(r"](../source/\1", markdown)


def on_page_context(*_: Any, page: Page, config: MkDocsConfig, **__: Any) -> None:
    """The theme's own words in the page's language, and a way to the same page in the other."""
    language, _slash, rest = page.file.src_uri.partition("/")
    known = language in NAMES and bool(rest)
    config.theme["language"] = language if known else "en"
    there = page.file.dest_uri.partition("/")[2] if known else "index.html"
    config.extra["alternate"] = [
        {"name": name, "lang": code, "link": f"{code}/{there}"} for code, name in NAMES.items()
    ]
