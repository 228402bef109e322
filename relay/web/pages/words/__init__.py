"""The pages' own words in English and Russian, gathered from one table for each page.

Never holds anybody else's: what senders and portals say is shown as they said it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from relay.render.filters import plural
from relay.web.pages.words.common import WORDS as COMMON
from relay.web.pages.words.event import WORDS as EVENT
from relay.web.pages.words.journal import WORDS as JOURNAL
from relay.web.pages.words.outbox import WORDS as OUTBOX
from relay.web.pages.words.people import WORDS as PEOPLE
from relay.web.pages.words.rules import WORDS as RULES
from relay.web.pages.words.sign_in import WORDS as SIGN_IN
from relay.web.pages.words.silences import WORDS as SILENCES

LANGUAGES = ("en", "ru")

Table = Mapping[str, tuple[str, str]]  # key → English, Russian; forms of a plural stand between «|»

TABLES: tuple[Table, ...] = (
    COMMON,
    SIGN_IN,
    JOURNAL,
    EVENT,
    RULES,
    SILENCES,
    OUTBOX,
    PEOPLE,
)
WORDS: Table = {key: both for table in TABLES for key, both in table.items()}


@dataclass(frozen=True, slots=True)
class Speech:
    """The words in one language: ``t("journal.title")``, and ``t.count("event.more", 3)`` in the right number."""

    language: str

    def __call__(self, key: str, **values: object) -> str:
        return self._of(key).format(**values)

    def count(self, key: str, number: int, **values: object) -> str:
        """The form that goes with a number (CLDR plural rules), in which the number is ``{n}``."""
        shown = f"{number:,}".replace(",", "\u00a0")
        return plural(number, *self._of(key).split("|")).format(n=shown, **values)

    def knows(self, key: str) -> bool:
        return key in WORDS

    def _of(self, key: str) -> str:
        return WORDS[key][LANGUAGES.index(self.language)]
