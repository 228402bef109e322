"""The JSON Schema of the rules file, for editors: `# yaml-language-server: $schema=relay.schema.json`.

Never validates anything itself: loading does, and says it in sentences.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import or_
from types import GenericAlias
from typing import Any, Literal

from pydantic import Field, create_model

from relay.bitrix.options import PortalOptions
from relay.render import TemplateSpec
from relay.rules.language import DefaultPart, InhibitPart, PersonOptions, RulePart
from relay.rules.recipients import ROLES
from relay.rules.retention import RetentionPart
from relay.rules.schedules import SchedulePart
from relay.rules.times import TimePart
from relay.rules.words import PEOPLE, WORDS
from relay.schema import Part
from relay.sources import SENDERS

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """The schema, as plain JSON data."""
    made = _file().model_json_schema(by_alias=True, ref_template=_REF)
    definitions = {**made.pop("$defs"), **_BY_HAND}
    schema: dict[str, Any] = _see({"$schema": DIALECT, **made, "$defs": definitions})
    return schema


_REF = "#/$defs/{model}"


def _file() -> type[Part]:
    sections: dict[str, Any] = {
        "version": (Literal[1], ...),
        "include": (
            str | list[str],
            Field([], description="files whose sections are taken as written here: people.yaml, rules.d/*.yaml"),
        ),
        "portal": (PortalOptions, Field(None, description="the one portal; several stand under portals:")),
        "portals": (dict[str, PortalOptions], {}),
        "sources": (
            _named(reduce(or_, [sender.options for sender in SENDERS.values()])),
            Field(..., description="who may post: a source's name is its path, /in/<name>"),
        ),
        "people": (_named(PersonOptions), {}),
        "teams": (dict[str, list[str]], {}),
        "times": (dict[str, TimePart | list[TimePart]], Field({}, description="for mute:, active: and quiet:")),
        "oncall": (dict[str, SchedulePart], Field({}, description="who is on call: to: oncall/<name>")),
        "templates": (dict[str, TemplateSpec], {}),
        "retention": (RetentionPart, Field(None, description="how long what is finished is kept")),
        "inhibit": (list[InhibitPart], Field([], description="what keeps what from being told while it lasts")),
        "rules": (list[RulePart], []),
        "default": (Literal["drop"] | DefaultPart, Field(None, description="for events that no rule wants")),
    }
    return create_model("Rules", __base__=Part, **sections)


def _named(of: Any) -> Any:
    """``dict[str, of]`` for a model that is made at run time."""
    return GenericAlias(dict, (str, of))


def _see(data: Any) -> Any:
    """pydantic knows no references to what it has not made: `{see: X}` stands for them until here."""
    if isinstance(data, dict):
        rest = {key: _see(value) for key, value in data.items() if key != "see"}
        return rest | ({"$ref": _REF.format(model=data["see"])} if isinstance(data.get("see"), str) else {})
    return [_see(each) for each in data] if isinstance(data, list) else data


def _one_or_list(of: Mapping[str, Any]) -> dict[str, Any]:
    return {"anyOf": [of, {"type": "array", "items": of}]}


_SCALAR = {"type": ["string", "number", "boolean"]}
_PATTERN = _one_or_list({"type": "string"})
_NUMBER = {"type": ["number", "string"]}

_BY_HAND: Mapping[str, Any] = {
    "To": _one_or_list({"see": "Recipient"}),
    "Recipient": {
        "anyOf": [
            {"type": "integer", "minimum": 1, "description": "a portal id"},
            {"type": "string", "description": "a person, team/x or oncall/x"},
            {"enum": list(ROLES), "description": "whomever the event names"},
            {"type": "object", "properties": {"label": {"type": "string"}}, "required": ["label"], "maxProperties": 1},
            {"type": "object", "properties": {"field": {"type": "string"}}, "required": ["field"], "maxProperties": 1},
        ]
    },
    "TemplateName": {"anyOf": [{"type": "string"}, {"see": "TemplateSpec"}]},
    "When": {
        "type": "object",
        "properties": {
            **{word: {"see": "Test"} for word in WORDS},
            **{group: {"type": "array", "items": {"see": "When"}, "minItems": 1} for group in ("any", "all", "none")},
            "match": {**_PATTERN, "description": "Alertmanager's matchers over labels"},
            "if": {"type": "string", "description": "an expression in CEL: number > 5 && labels.env == 'prod'"},
        },
        "patternProperties": {
            r"^(labels|payload)\..+": {"see": "Test"},
            rf"^({'|'.join(PEOPLE)})\.(person|team)$": {"see": "Test"},
        },
        "additionalProperties": False,
    },
    "Test": _one_or_list({"anyOf": [_SCALAR, {"see": "Operators"}]}),
    "Operators": {
        "type": "object",
        "properties": {
            "not": {"see": "Test"},
            "exists": {"type": "boolean"},
            **dict.fromkeys(("glob", "regex", "contains"), _PATTERN),
            **dict.fromkeys(("gt", "gte", "lt", "lte"), _NUMBER),
        },
        "additionalProperties": False,
        "minProperties": 1,
    },
}
