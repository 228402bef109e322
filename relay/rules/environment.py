"""`${NAME}` in the rules file's values → what the environment says.

Never reads the process's environment itself, and never touches a key; `$${` stays `${`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from relay.rules.document import Path

SHORTEST = 8  # signs of a value that no complaint repeats; a shorter one may be any word (as relay.log has it)

_REFERENCE = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$\{")


def substitute(data: Any, env: Mapping[str, str], complain: Callable[[Path, str], None], path: Path = ()) -> Any:
    """The same data with every reference replaced. A value that holds a bad one is left as it is written."""
    if isinstance(data, dict):
        return {
            key: substitute(value, env, complain, (*path, key)) if _may_refer(value) else value
            for key, value in data.items()
        }
    if isinstance(data, list):
        return [
            substitute(value, env, complain, (*path, index)) if _may_refer(value) else value
            for index, value in enumerate(data)
        ]
    return _text(data, env, lambda message: complain(path, message)) if _may_refer(data) else data


def _may_refer(value: Any) -> bool:
    return "${" in value if isinstance(value, str) else isinstance(value, dict | list)


def has_reference(text: str) -> bool:
    return any(match[1] for match in _REFERENCE.finditer(text))


def values(data: Any, env: Mapping[str, str]) -> dict[str, str]:
    """What the references in ``data`` stand for, each with how it is written; the longest first: one may hold another.

    A value may be a secret in the wrong place (``to: ${TOKEN}``), and whoever complains of it does not know that.
    """
    found = {env[name]: f"${{{name}}}" for name in _names(data) if len(env.get(name, "")) >= SHORTEST}
    return dict(sorted(found.items(), key=lambda one: len(one[0]), reverse=True))


def unrepeated(message: str, values: Mapping[str, str]) -> str:
    """The message with a variable's name wherever it repeats what the variable stands for."""
    for value, written in values.items():
        message = message.replace(value, written)
    return message


def _names(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield from (match[1] for match in _REFERENCE.finditer(data) if match[1])
    elif isinstance(data, dict | list):
        for each in data.values() if isinstance(data, dict) else data:
            yield from _names(each)


def _text(text: str, env: Mapping[str, str], complain: Callable[[str], None]) -> str:
    faults = []

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if match[0] == "$${":
            return "${"
        if name is None:
            faults.append("${ begins the name of a variable, such as ${NAME}; for the signs themselves write $${")
        elif name not in env:
            faults.append(f"the environment has no {name}: set it, or write it to .env beside this file")
        elif not _is_text(env[name]):
            faults.append(f"{name} in the environment is not valid UTF-8")
        return env.get(name or "", "")

    replaced = _REFERENCE.sub(value, text)
    for fault in faults:
        complain(fault)
    return text if faults else replaced


def _is_text(value: str) -> bool:
    """Python keeps bytes of the environment that are no UTF-8 as lone surrogates (PEP 383)."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
