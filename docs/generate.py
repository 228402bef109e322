"""The generated parts of the documents: the keys of the rules file, the event's words, the commands, the settings.

Never writes prose: it fills what stands between `<!-- generated: NAME -->` and `<!-- end of NAME -->`, from the code
and from `sentences.yml`, which holds what the code does not say itself, and the Russian of everything.

    python -m docs.generate            # write
    python -m docs.generate --check    # exit with 1 if anything would be written, and say what
"""

from __future__ import annotations

import dataclasses
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import click
from prometheus_client.metrics_core import Metric

from docs.keys import keys
from docs.sentences import LANGUAGES, Language, Sentences, cell
from relay import house, log, settings
from relay.cli.main import main as relay
from relay.model import Outcome
from relay.rules.lint import CODES
from relay.rules.recipients import ROLES
from relay.rules.words import WORDS
from relay.web import metrics
from relay.web.pages import openapi, site

HERE = Path(__file__).parent
WIDTH = 100  # of the commands' help

REGION = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end of \2 -->)", re.DOTALL)


class Missing(Exception):
    """The code has something of which `sentences.yml` knows nothing yet."""


# ── Words, outcomes, findings ────────────────────────────────────────────────────────────────────────────────


def _listed(section: str, names: Sequence[str], language: Language, sentences: Sentences) -> str:
    """A table of two columns: a name, and its sentence."""
    rows = [f"| `{name}` | {cell(sentences.say(section, name, language=language))} |\n" for name in names]
    return "| | |\n|---|---|\n" + "".join(rows)


def words(language: Language, sentences: Sentences) -> str:
    return _listed("words", [*WORDS], language, sentences)


def roles(language: Language, sentences: Sentences) -> str:
    return _listed("roles", [*ROLES], language, sentences)


def outcomes(language: Language, sentences: Sentences) -> str:
    return _listed("outcomes", [*Outcome.__args__], language, sentences)  # type: ignore[attr-defined]  # a Literal has them


def findings(language: Language, sentences: Sentences) -> str:
    return _listed("findings", [*CODES], language, sentences)


# ── Commands ─────────────────────────────────────────────────────────────────────────────────────────────────


def every_command(group: click.Group, name: str = "relay") -> Iterator[tuple[str, click.Command]]:
    """Each command under its whole name, a group before what is in it."""
    context = click.Context(group)
    for word in group.list_commands(context):
        command = group.get_command(context, word)
        if command is None:
            continue
        yield f"{name} {word}", command
        if isinstance(command, click.Group):
            yield from every_command(command, f"{name} {word}")


def commands(language: Language, sentences: Sentences) -> str:
    """The help of every command as click prints it; in Russian a sentence goes before it."""
    text = []
    for name, command in every_command(relay):
        level = "###" if isinstance(command, click.Group) or name.count(" ") == 1 else "####"
        says = (
            ""
            if language == "en"
            else sentences.say("commands", name, language=language, english=short(command)) + "\n\n"
        )
        text.append(f"{level[1:]} {name}\n\n{says}```text\n{help_of(name, command)}\n```\n")
    return "\n".join(text)


def short(command: click.Command) -> str:
    return " ".join((command.help or "").split("\n\n")[0].split())


def help_of(name: str, command: click.Command) -> str:
    context = click.Context(
        command, info_name=name, terminal_width=WIDTH, max_content_width=WIDTH, help_option_names=["-h", "--help"]
    )
    return "\n".join(line.rstrip() for line in command.get_help(context).splitlines())


# ── Settings ─────────────────────────────────────────────────────────────────────────────────────────────────

_SETTING = re.compile(r"^    (\w+): .*?# ([A-Z][A-Z0-9_]+)(?:: (.*))?$", re.MULTILINE)


def every_setting() -> Iterator[tuple[str, str, str]]:
    """Its name in the environment, its default, and the sentence that `relay/settings.py` has on it."""
    source = Path(str(settings.__file__)).read_text(encoding="utf-8")
    plain = {field.name: getattr(settings.Settings(), field.name) for field in dataclasses.fields(settings.Settings)}
    for field, name, sentence in _SETTING.findall(source):
        yield name, shown(plain[field]), sentence


def shown(value: Any) -> str:
    if isinstance(value, settings.Secret):
        value = value.reveal()  # a default is no secret
    if value in ("", None, ()) or value is False:
        return ""
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def every(language: Language, sentences: Sentences) -> str:
    heads = {"en": "| name | default | |\n|---|---|---|\n", "ru": "| имя | по умолчанию | |\n|---|---|---|\n"}
    rows = [
        f"| `{name}` | {preset} | {cell(sentences.say('settings', name, language=language, english=sentence))} |\n"
        for name, preset, sentence in every_setting()
    ]
    return heads[language] + "".join(rows)


# ── Metrics ──────────────────────────────────────────────────────────────────────────────────────────────────

_A_HOUSE = """version: 1
portal: {domain: example.bitrix24.ru, token: any}
sources: {any: {type: json, open: true}}
default: drop
"""


@cache
def every_metric() -> tuple[tuple[str, tuple[str, ...], str], ...]:
    """Its name in the exposition, its labels, and the help that it is told with; of an empty relay."""
    with tempfile.TemporaryDirectory() as folder:
        rules = Path(folder, "rules.yaml")
        rules.write_text(_A_HOUSE, encoding="utf-8")
        chosen = settings.Settings(rules=rules, database_url=settings.Secret(f"sqlite:///{folder}/relay.db"))
        with closing(house.build(chosen, {})) as built:
            return tuple(_described(family) for family in metrics.Relay(built).collect())


def _described(family: Metric) -> tuple[str, tuple[str, ...], str]:
    suffix = {"counter": "_total", "info": "_info"}.get(family.type, "")
    labels = tuple(vars(family)["_labelnames"])  # there is no other way to them
    return f"{family.name}{suffix}", labels, family.documentation


def measured(language: Language, sentences: Sentences) -> str:
    heads = {"en": "| metric | labels | |\n|---|---|---|\n", "ru": "| метрика | метки | |\n|---|---|---|\n"}
    rows = [
        f"| `{name}` | {' '.join(f'`{label}`' for label in labels)} | "
        f"{cell(sentences.say('metrics', name, language=language, english=said))} |\n"
        for name, labels, said in every_metric()
    ]
    return heads[language] + "".join(rows)


# ── Blocks that are not translated ───────────────────────────────────────────────────────────────────────────


def lines(_: Language, __: Sentences) -> str:
    """Every line of the log, with its fields."""
    return "\n".join(["```text", *(f"{line}\n    {fields}".rstrip() for line, fields in log.LINES.items()), "```"])


def operations(_: Language, __: Sentences) -> str:
    """What scripts can ask, from the OpenAPI document."""
    paths = openapi.document([openapi.OPERATIONS, *(each.OPERATIONS for each in site.PAGES)])["paths"]
    asked = [
        (f"{method.upper()} {path}", of[method]["summary"])
        for path, of in sorted(paths.items())
        for method in of
        if method != "parameters"
    ]
    width = max(len(address) for address, _ in asked)
    lines = [f"{address:<{width}}  {summary}" for address, summary in asked]
    return "\n".join(["```text", *lines, "```"])


# ── Pages ────────────────────────────────────────────────────────────────────────────────────────────────────

REGIONS: Mapping[str, Callable[[Language, Sentences], str]] = {
    "keys": keys,
    "words": words,
    "roles": roles,
    "outcomes": outcomes,
    "findings": findings,
    "commands": commands,
    "settings": every,
    "metrics": measured,
    "operations": operations,
    "lines": lines,
}


def pages() -> dict[Path, str]:
    """Every page that has generated parts, as it should be now.

    Raises:
        Missing: a sentence is still to be written; the text names all that are.
    """
    sentences = Sentences()
    made = {(language, name): fill(language, sentences) for language in LANGUAGES for name, fill in REGIONS.items()}
    wanting = [
        *dict.fromkeys(sentences.missing),
        *(f"nothing is called {each} any more" for each in sentences.unused()),
    ]
    if wanting:
        raise Missing("docs/sentences.yml:\n  " + "\n  ".join(wanting))
    found = {}
    for language in LANGUAGES:
        parts = {name: made[language, name] for name in REGIONS}
        for page in sorted((HERE / language).glob("*.md")):
            text = page.read_text(encoding="utf-8")
            if REGION.search(text):
                found[page] = filled(text, parts)
    return found


def filled(text: str, parts: Mapping[str, str]) -> str:
    return REGION.sub(lambda at: f"{at[1]}\n{parts[at[2]].rstrip()}\n\n{at[3]}", text)


def main(arguments: Sequence[str]) -> int:
    stale = {page: text for page, text in pages().items() if page.read_text(encoding="utf-8") != text}
    for page, text in stale.items():
        if "--check" in arguments:
            sys.stderr.write(f"{page.relative_to(HERE.parent)} is not current: make docs\n")
        else:
            page.write_text(text, encoding="utf-8")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Missing as fault:
        sys.exit(str(fault))
