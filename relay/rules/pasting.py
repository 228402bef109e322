"""The line to paste into the rules file for a name of an event that means nobody yet.

Never trusts the name: it is a stranger's, and is quoted wherever it would be anything but a plain word of YAML.
"""

from __future__ import annotations

import json
import re

from relay.rules.language import LOGINS
from relay.rules.rulebook import Rules

_NAME = re.compile(r"(?![0-9]+$)[\w.-]{1,64}")
_PLAIN = re.compile(r"[A-Za-z][\w.@+-]*", re.ASCII)
_YAML_WORDS = ("true", "false", "null")


def line(source: str, name: str, rules: Rules) -> str:
    """What to add to the rules, so that a name that a source gave means somebody; for somebody without an id, what to
    do."""
    known = rules.directory.by_name.get(name.casefold())
    if known is not None and known.id is None:
        return "# has no id: relay people sync" if known.email else f"# give {known.name} an id"
    options = rules.sources.get(source)
    kind = options.type if options else ""
    if "@" in name:
        return f"{_called(name.partition('@')[0])}: {{id: , email: {_quoted(name)}}}"
    if "/" in name:
        return f"{_quoted(name.removeprefix('team/'))}: []  # under teams:"
    if kind in LOGINS:
        return f"{_called(name)}: {{id: , {kind}: {_quoted(name)}}}"
    return f"{_called(name)}: {{id: }}"


def _called(name: str) -> str:
    """A person's name made of a login: what cannot stand in one is a dash."""
    made = re.sub(r"[^\w.-]", "-", name)[:64]
    return made if _NAME.fullmatch(made) and made.casefold() not in _YAML_WORDS else f"somebody-{made}"[:64].rstrip("-")


def _quoted(text: str) -> str:
    """A stranger's text as YAML: quoted as JSON, unless it is a plain word."""
    plain = _PLAIN.fullmatch(text) and text.casefold() not in _YAML_WORDS
    return text if plain else json.dumps(text)
