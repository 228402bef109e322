"""`sentences.yml`, asked for one sentence at a time: what the generated parts of the documents say in both languages.

Never makes a sentence up: what is missing is remembered, and told when everything has been asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import yaml

Language = Literal["en", "ru"]
LANGUAGES: tuple[Language, ...] = ("en", "ru")

SENTENCES = Path(__file__).with_name("sentences.yml")


class Sentences:
    """What `sentences.yml` says. Asked for what it does not have, it remembers that, and answers nothing."""

    def __init__(self) -> None:
        self._said: Mapping[str, Mapping[str, Any]] = yaml.safe_load(SENTENCES.read_text(encoding="utf-8"))
        self.missing: list[str] = []
        self.used: set[tuple[str, str]] = set()

    def say(self, section: str, *names: str, language: Language, english: str = "") -> str:
        """The sentence on the first of ``names`` that there is one on; ``english`` is what the code says itself."""
        for name in names:
            said = self._said[section].get(name)
            if said is not None:
                self.used.add((section, name))
                found = said if isinstance(said, Mapping) else {"ru": said}
                if language in found:
                    return str(found[language])
        if language == "en" and english:
            return english
        self.missing.append(f"{section}: {names[0]}: {language}" + (f"  # {english}" if english else ""))
        return ""

    def unused(self) -> list[str]:
        """What nothing asks for any more."""
        return [
            f"{section}: {name}"
            for section, of in self._said.items()
            for name in of
            if (section, name) not in self.used
        ]


def cell(text: str) -> str:
    """A text in a cell of a table: a bar would end it, and outside of code `<name>` would be HTML."""
    pieces = text.replace("|", "\\|").split("`")
    pieces[::2] = [each.replace("<", "&lt;") for each in pieces[::2]]
    return "`".join(pieces)
