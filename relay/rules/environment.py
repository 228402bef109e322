"""`${NAME}` in the rules file's values → what the environment says.

Never reads the process's environment itself, and never touches a key; `$${` stays `${`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from relay.rules.document import Path

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
