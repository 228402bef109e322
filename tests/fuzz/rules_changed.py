"""The rules files of the tree, and changes to their text and to their structure, drawn at random.

Never judges what became of a file: rules_files.py does.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import yaml

from relay import house
from relay.errors import BadRules
from relay.house import NoRules
from relay.rules import document
from tests.docs.pages import ROOT, page, pages
from tests.docs.test_code import A_PIECE, AROUND, RULES
from tests.fuzz.changes import at, bytes_changed, text_changed, values_changed, without
from tests.fuzz.shots import RULES as EVERY_SENDER
from tests.sources.posts import places, swapped

CANARY = "canaryOfTheFuzzer"
# `whsec_` and base64: good for every secret, those of Standard Webhooks among them.
_SECRET = f"whsec_{CANARY}AAA"
_KINDS = (
    (re.compile("WEBHOOK_URL|_CHAT_URL"), f"https://acme.bitrix24.ru/rest/1/{CANARY}/"),
    (re.compile("DOMAIN|PORTAL"), "acme.bitrix24.ru"),
    (re.compile("_ID$"), "1"),
    (re.compile("_URL$"), f"https://calendar.example/{CANARY}.ics"),
)
_NAME = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
TOKENS = (
    *(
        "&a ",
        "*a ",
        "<<: *a\n",
        "<<: {}\n",
        "!!python/object:os.system ",
        "!!binary ",
        "? ",
        "|\n",
        ">-\n",
        "---\n",
        "...\n",
    ),
    *(
        "\t",
        "{",
        "}",
        "[" * 300,
        "[",
        "]",
        "- ",
        ": ",
        "#",
        '"',
        "'",
        "${",
        "$${",
        "${NOPE}",
        "{{",
        "{% for a in b %}",
        "}}",
        "%YAML 1.1\n",
    ),
    *(
        "include: [rules.yaml]\n",
        "include: '*'\n",
        "\x00",
        "\x85",
        "\u2028",
        "\ufeff",
        "\ud800",
        "🐛",
        "~",
        "null",
        "007",
    ),
    *(
        'if: "event.paths.exists(p, p)"\n',
        "regex: '(a+)+$'\n",
        "match: ['a=~\"(\"']\n",
        "0x10",
        "1e5",
        ".inf",
        "-0",
        "1_000",
    ),
)


@dataclass(frozen=True, slots=True)
class Good:
    """A file that loads as it is, its data, and the places in them."""

    name: str
    text: str
    data: Any
    paths: Sequence[tuple[str | int, ...]]


@cache
def good() -> Sequence[Good]:
    """The files to begin with."""
    texts: dict[str, str] = {}
    for path in [
        ROOT / "rules.yaml",
        *sorted((ROOT / "relay").rglob("*.yaml")),
        *sorted((ROOT / "tests/rules/good").glob("*.yaml")),
    ]:
        texts[str(path.relative_to(ROOT))] = path.read_text(encoding="utf-8")
    for each in [page(ROOT / "README.md"), *pages()]:
        for number, block in enumerate(each.blocks):
            if block.title in (RULES, A_PIECE) or (block.language == "yaml" and block.code.startswith("version: 1")):
                texts[f"{each.name}, block {number}"] = _whole(block.code)
    texts["tests/fuzz/shots.py"] = EVERY_SENDER
    found = {text: _read(name, text) for name, text in texts.items()}  # each once: both languages show the same
    return [each for each in found.values() if each is not None]


def _whole(piece: str) -> str:
    """A piece of rules with what has to stand around it."""
    said = re.findall(r"^(\w+):", piece, re.MULTILINE)
    return "".join(f"{key}: {value}\n" for key, value in AROUND.items() if key not in said) + piece


def _read(name: str, text: str) -> Good | None:
    with tempfile.TemporaryDirectory(prefix="relay-fuzz-") as folder:
        path = Path(folder) / "rules.yaml"
        path.write_text(text, encoding="utf-8")
        try:
            house.read_rules(path, environment(text))
        except (BadRules, NoRules):
            return None
    data = document.read(text, lambda *_: None).data
    return Good(name, text, data, places(data))


def environment(text: str) -> Mapping[str, str]:
    """A value for each variable that a text names: secrets all hold the canary."""
    return {name: next((value for like, value in _KINDS if like.search(name)), _SECRET) for name in _NAME.findall(text)}


# ── Changes ───────────────────────────────────────────────────────────────────────────────────────────────────


def changed(draw: Random, begun: Good, others: Sequence[Good]) -> bytes:
    """The bytes of a file that is no more what it was."""
    if draw.random() < 0.05:
        return bytes_changed(draw, begun.text.encode())
    if draw.random() < 0.45:
        return _text_changed(draw, begun.text, others).encode("utf-8", "surrogatepass")
    try:
        text = _dumped(draw, _data_changed(draw, begun, others))
    except RecursionError:  # the writer's, not ours
        text = begun.text + "[" * 500
    return text.encode("utf-8", "surrogatepass")


def _text_changed(draw: Random, text: str, others: Sequence[Good]) -> str:
    lines = text.splitlines(keepends=True)
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        here = draw.randrange(len(lines)) if lines else 0
        line = lines[here] if lines else ""
        match draw.randrange(9):
            case 0:
                del lines[here : here + draw.randint(1, 3)]
            case 1:
                lines[here:here] = lines[here : here + draw.randint(1, 3)]
            case 2:
                lines[here : here + 1] = [" " * draw.randint(1, 3) + line]
            case 3:
                lines[here : here + 1] = [line[draw.randint(1, 3) :]]
            case 4:
                lines.insert(here, draw.choice(draw.choice(others).text.splitlines(keepends=True)))
            case 5 if draw.random() < 0.2:
                del lines[here:]
            case 6 | 7:
                column = draw.randrange(len(line) + 1)
                lines[here : here + 1] = [line[:column] + draw.choice(TOKENS) + line[column:]]
            case _:
                lines[here : here + 1] = [text_changed(draw, line)]
    return "".join(lines)


def _data_changed(draw: Random, begun: Good, others: Sequence[Good]) -> Any:
    """Mostly what stands under the same key elsewhere, be it in another file: so a good part of them still loads."""
    data, other = begun.data, draw.choice(others)
    for _ in range(draw.choice((1, 1, 2, 3, 6))):
        deep = [path for path in begun.paths if len(path) > 2]
        path = draw.choice(deep if draw.random() < 0.9 else begun.paths)
        try:
            match draw.randrange(9):
                case 0 | 1 | 2 | 3 if path and isinstance(path[-1], str):
                    data = swapped(data, path, draw.choice(_by_key()[path[-1]]))
                case 4:
                    data = swapped(data, path, at(other.data, draw.choice(other.paths)))
                case 5 if path and isinstance(path[-1], str):  # a key of another's
                    name, value = draw.choice([*_by_key()]), at(data, path)
                    data = without(data, path)
                    data = swapped(data, path[:-1], {**at(data, path[:-1]), name: value})
                case 6 if path:
                    data = without(data, path)
                case 7:
                    data = {**data, "rules": [*data.get("rules", []), *other.data.get("rules", [])]}
                case _:
                    data = values_changed(draw, data, [path])
        except (LookupError, TypeError, AttributeError):  # an earlier change has taken the place away
            continue
    return data


@cache
def _by_key() -> Mapping[str, Sequence[Any]]:
    """What stands under each key in all of the good files."""
    found: dict[str, list[Any]] = {}
    for each in good():
        for path in each.paths:
            if path and isinstance(path[-1], str):
                found.setdefault(path[-1], []).append(at(each.data, path))
    return found


def _dumped(draw: Random, data: Any) -> str:
    """As YAML, in one of its styles."""
    return yaml.dump(
        data,
        Dumper=_Dumper,
        allow_unicode=draw.random() < 0.5,
        sort_keys=False,
        default_flow_style=draw.choice((None, False, False, True)),
        width=draw.choice((80, 10**6)),
    )


class _Dumper(yaml.SafeDumper):
    """Writes `document.Decimal`, too, and no anchors: what stands in two places was put there by a change."""

    def ignore_aliases(self, data: object) -> bool:
        return True


_Dumper.add_multi_representer(float, yaml.SafeDumper.represent_float)
