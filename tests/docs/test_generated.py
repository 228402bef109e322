"""What is generated is current, complete, and says something in both languages.

Never writes a page: `make docs` does.
"""

from __future__ import annotations

from difflib import unified_diff

import pytest
import yaml

from docs import generate
from docs.keys import span
from docs.sentences import LANGUAGES, SENTENCES
from relay.rules.editor import schema
from tests.docs.pages import page, pages


def test_every_generated_part_is_what_the_generator_writes_now() -> None:
    stale = [
        f"{path.name}: {line}"
        for path, text in generate.pages().items()
        for line in unified_diff(page(path).text.splitlines(), text.splitlines(), "as it is", "as it would be", n=0)
    ]

    assert stale == [], "run `make docs`, or `python -m docs.generate`"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_generated_part_stands_on_a_page(language: str) -> None:
    stand = {
        name
        for each in pages()
        if each.path.parent.name == language
        for _, name, _ in generate.REGION.findall(each.text)
    }

    assert stand == set(generate.REGIONS)


def test_a_sentence_is_text_or_english_and_russian() -> None:
    said = yaml.safe_load(SENTENCES.read_text(encoding="utf-8"))

    for section, of in said.items():
        for name, sentence in of.items():
            assert isinstance(sentence, str) or set(sentence) == {"en", "ru"}, f"{section}: {name}"


def test_a_new_key_without_a_russian_sentence_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = schema()
    whole["$defs"]["RulePart"]["properties"]["loud"] = {"type": "boolean", "description": "shout"}
    monkeypatch.setattr("docs.keys.schema", lambda: whole)

    with pytest.raises(generate.Missing, match=r"RulePart\.loud: ru  # shout"):
        generate.pages()


def test_a_sentence_that_nothing_asks_for_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("docs.generate.CODES", {})

    with pytest.raises(generate.Missing, match="findings: shadowed any more"):
        generate.pages()


@pytest.mark.parametrize(
    ("seconds", "says"), [(300.0, "5m"), (1_209_600.0, "14d"), (30.0, "30s"), (7200.0, "2h"), (90.0, "90s")]
)
def test_a_length_of_time_is_written_as_a_person_writes_it(seconds: float, says: str) -> None:
    assert span(seconds) == says
