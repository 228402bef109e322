"""The JSON Schema for editors knows every key of the language, and nothing that it does not define."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from relay.rules import schema
from relay.rules.comparisons import _ELEMENT, _WHOLE
from relay.rules.language import SECTIONS, RulePart
from relay.rules.recipients import ROLES
from relay.rules.words import WORDS
from relay.sources import SENDERS

SCHEMA = schema()


def every(data: Any, key: str) -> Iterator[Any]:
    """Every value of ``key``, however deep."""
    if isinstance(data, dict):
        yield from ([data[key]] if key in data else [])
    for inner in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from every(inner, key)


def test_it_is_json_and_every_reference_leads_somewhere() -> None:
    references = set(every(json.loads(json.dumps(SCHEMA)), "$ref"))

    assert references
    assert {reference.removeprefix("#/$defs/") for reference in references} <= set(SCHEMA["$defs"])
    assert not list(every(SCHEMA, "see"))


def test_it_has_every_section_and_refuses_others() -> None:
    assert tuple(SCHEMA["properties"]) == SECTIONS
    assert SCHEMA["additionalProperties"] is False
    assert set(SCHEMA["required"]) == {"version", "sources"}


def test_it_has_every_key_of_a_rule_as_it_is_written() -> None:
    keys = {field.alias or name for name, field in RulePart.model_fields.items()}

    assert set(SCHEMA["$defs"]["RulePart"]["properties"]) == keys
    assert "continue" in keys


def test_it_has_every_word_operator_and_role() -> None:
    assert set(SCHEMA["$defs"]["When"]["properties"]) == {*WORDS, "any", "all", "none", "match", "if"}
    assert set(SCHEMA["$defs"]["Operators"]["properties"]) == {*_WHOLE, *_ELEMENT}
    assert list(ROLES) in list(every(SCHEMA["$defs"]["Recipient"], "enum"))


@pytest.mark.parametrize("kind", SENDERS)
def test_it_has_every_kind_of_sender(kind: str) -> None:
    assert kind in list(every(SCHEMA, "const"))
