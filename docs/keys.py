"""Every key of the rules file as a table: what it takes, what holds without it, and what it does.

Never describes anything by itself: keys and types are the schema's, sentences are its own or those of `sentences.yml`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from docs.sentences import Language, Sentences, cell
from relay.rules.editor import schema
from relay.rules.words import WORDS

# The sections of the page: a name in `headings:` of sentences.yml, and what of the schema stands in it.
CHAPTERS: Mapping[str, Sequence[str]] = {
    "file": ("",),
    "portal": ("PortalOptions", "AppOptions", "Plan"),
    "sources": (
        "SOURCES", "Redeliver", "Basic", "HeaderToken", "Hmac", "GrafanaHmac", "Authorization", "StandardWebhooks"
    ),
    "people": ("Person",),
    "times": ("TimePart",),
    "oncall": ("SchedulePart", "OverridePart"),
    "templates": (
        "TemplateSpec", "Block", "Link", "RichLink", "Image", "File", "GridItem", "Delimiter", "User"
    ),
    "inhibit": ("InhibitPart",),
    "retention": ("RetentionPart",),
    "rules": ("RulePart", "GroupPart", "ThrottlePart"),
    "conditions": ("When", "Operators"),
}  # fmt: skip
SAME = {"DefaultPart": "RulePart"}  # described by another
BY_HAND = {"To", "Recipient", "TemplateName", "Test"}  # described in the prose of the pages

_SHORT = {"relay__sources__proof__Hmac": "Hmac", "relay__sources__grafana__Hmac": "GrafanaHmac"}
_OPTIONS = re.compile(r"relay__sources__(\w+)__Options")
COMMON = ("type", "open", "max_body")


def definitions() -> tuple[dict[str, Any], dict[str, Any]]:
    """The schema's parts by name, the whole file as ``""``; and apart from them the options of each type of source."""
    whole = schema()
    parts: dict[str, Any] = {"": whole}
    sources: dict[str, Any] = {}
    for name, part in whole["$defs"].items():
        if _OPTIONS.fullmatch(name):
            sources[part["properties"]["type"]["const"]] = part
        else:
            parts[_SHORT.get(name, name)] = part
    return parts, sources


def keys(language: Language, sentences: Sentences) -> str:
    """Every key of the rules file: what it takes, what it is without it, and what it does."""
    parts, sources = definitions()
    described = {name for names in CHAPTERS.values() for name in names} | set(SAME) | BY_HAND
    for name in parts.keys() - described:
        sentences.missing.append(f"CHAPTERS of generate.py: {name}")
    text = []
    for chapter, names in CHAPTERS.items():
        text.append(f"## {sentences.say('headings', chapter, language=language)}\n")
        for name in names:
            if name == "SOURCES":
                text.append(source_keys(sources, language, sentences))
            else:
                heading = f"### {sentences.say('headings', name, language=language)}\n\n" if len(names) > 1 else ""
                text.append(heading + table(name, parts[name], language, sentences))
    return "\n".join(text)


def table(name: str, part: Mapping[str, Any], language: Language, sentences: Sentences) -> str:
    """One part of the schema, a row for each key. Of conditions the event's words have a table of their own."""
    rows = [
        row(f"{name or 'file'}.{key}", part, language, sentences)
        for key in part["properties"]
        if not (name == "When" and key in WORDS)
    ]
    return HEAD[language] + "".join(rows)


HEAD: Mapping[Language, str] = {
    "en": "| key | takes | without it | |\n|---|---|---|---|\n",
    "ru": "| ключ | значение | если не указан | |\n|---|---|---|---|\n",
}
REQUIRED: Mapping[Language, str] = {"en": "*required*", "ru": "*обязателен*"}


def row(place: str, part: Mapping[str, Any], language: Language, sentences: Sentences) -> str:
    """The row of one key. ``place`` is its name in the sentences: the part's, a dot, and the key's in the part."""
    key = place.rpartition(".")[2]
    value = part["properties"][key]
    without = REQUIRED[language] if key in part.get("required", ()) else default(value)
    return f"| `{key}` | {takes(value, language)} | {without} | {cell(meaning(place, value, language, sentences))} |\n"


PLACE_OF: Mapping[Language, str] = {"en": "where the event's `{}` stands", "ru": "где стоит слово события `{}`"}
OWN_WORDS = {"state", "labels"}  # places of words on which there is more to say


def meaning(place: str, value: Mapping[str, Any], language: Language, sentences: Sentences) -> str:
    """What a key does. A source's keys that are called as the event's words say where these stand."""
    part, _, key = place.partition(".")
    english = " ".join(value.get("description", "").split())
    if part == "source" and not english and key in {*WORDS, "owner"} - OWN_WORDS - {*COMMON}:
        return PLACE_OF[language].format(key)
    return sentences.say("keys", place, f"*.{key}", language=language, english=english)


def source_keys(sources: Mapping[str, Any], language: Language, sentences: Sentences) -> str:
    """The keys of all types; which others each type has; and what these do."""
    any_source = next(iter(sources.values()))
    common = {key: any_source["properties"][key] for key in COMMON} | {"type": {"type": "string"}}
    own: dict[str, Any] = {}
    lines = []
    for kind, part in sources.items():
        named = {key: value for key, value in part["properties"].items() if key not in COMMON}
        lines.append(f"| `{kind}` | {' '.join(f'`{key}`' for key in named)} |\n")
        own = named | own
    of_all = {"properties": common, "required": ["type"]}
    return "\n".join(
        [
            HEAD[language] + "".join(row(f"source.{key}", of_all, language, sentences) for key in common),
            TYPES[language] + "".join(lines),
            HEAD[language] + "".join(row(f"source.{key}", {"properties": own}, language, sentences) for key in own),
        ]
    )


TYPES: Mapping[Language, str] = {
    "en": "| `type` | its keys |\n|---|---|\n",
    "ru": "| `type` | его ключи |\n|---|---|\n",
}


# ── What a schema says of one value ───────────────────────────────────────────────────────────────────────────

_WORD: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "string": "text", "integer": "number", "number": "number", "boolean": "yes or no", "object": "mapping",
        "array": "list", "list of": "list of", "or": "or", "secret": "secret", "time": "time",
    },
    "ru": {
        "string": "текст", "integer": "число", "number": "число", "boolean": "да или нет", "object": "словарь",
        "array": "список", "list of": "список:", "or": "или", "secret": "секрет", "time": "время",
    },
}  # fmt: skip
TIME = "^([0-9]+[smhdw])+$"  # the schema's pattern of a length of time
_SEE = {"To": "to", "When": "when", "TemplateName": "template", "Test": "value"}


def takes(value: Mapping[str, Any], language: Language) -> str:
    """What a key takes, in one phrase."""
    found = list(dict.fromkeys(phrase for phrase in _phrases(value, _WORD[language]) if phrase))
    lists = {f"{_WORD[language]['list of']} {each}" for each in found}
    plain = list(dict.fromkeys(_WORD[language]["array"] if each in lists else each for each in found))
    return f" {_WORD[language]['or']} ".join(each for each in (", ".join(plain[:-1]), *plain[-1:]) if each)


def _phrases(value: Mapping[str, Any], words: Mapping[str, str]) -> Iterator[str]:
    """Of a list of several kinds the first is named: the rest is in the sentence."""
    for each in value.get("anyOf", ()):
        yield from _phrases(each, words)
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        yield f"*{_SEE[name]}*" if name in _SEE else words["object"]
    elif "const" in value or "enum" in value:
        yield from (f"`{json.dumps(each).strip(chr(34))}`" for each in value.get("enum", [value.get("const")]))
    elif value.get("writeOnly"):
        yield words["secret"]
    elif value.get("pattern") == TIME:
        yield words["time"]
    elif value.get("type") == "array":
        items = value.get("items", {})
        inner = list(dict.fromkeys(_phrases(items, words)))
        yield f"{words['list of']} {inner[0]}" if inner else words["array"]
    else:
        kinds = value.get("type", [])
        yield from (words[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind != "null")


def default(value: Mapping[str, Any]) -> str:
    said: Any = value.get("default")
    if isinstance(said, dict) and "written" in said:  # the place of a word
        said = said["written"]
    if said in (None, "", [], {}):
        return ""
    if TIME in _patterns(value):
        return f"`{span(float(said))}`"
    return f"`{json.dumps(said, ensure_ascii=False).strip(chr(34))}`"


def span(seconds: float) -> str:
    """A length of time as a person writes it: 14d, 5m, 30s."""
    unit, sign = next((each for each in ((86_400, "d"), (3600, "h"), (60, "m")) if seconds % each[0] == 0), (1, "s"))
    return f"{seconds / unit:g}{sign}"


def _patterns(value: Mapping[str, Any]) -> Iterator[str]:
    yield value.get("pattern", "")
    for each in value.get("anyOf", ()):
        yield from _patterns(each)
