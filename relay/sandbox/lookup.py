"""How ``user.get`` filters: prefixes, wildcards, and fields that it ignores without a word.

Never raises: whatever it does not understand it leaves out, which lets everybody through, as the portal does
(Bitrix24 REST docs, user.get).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from relay.sandbox.php import Value, integer, items, text

_PREFIXES = ("!=%", "=%", "!@", "!%", "!=", ">=", "<=", "@", "=", "%", "!", ">", "<")
_EXACT_BY_THEMSELVES = ("ACTIVE", "USER_TYPE", "ID", "UF_DEPARTMENT")


def select(rows: Iterable[Mapping[str, Value]], conditions: Value) -> list[dict[str, Value]]:
    """The rows that meet every condition (``{"=EMAIL": "a@b.c"}``) whose field they have."""
    wanted = [(*_split(key.upper()), value) for key, value in items(conditions)]
    return [dict(row) for row in rows if all(_meets(row, *condition) for condition in wanted)]


def _split(key: str) -> tuple[str, str]:
    prefix = next((prefix for prefix in _PREFIXES if key.startswith(prefix)), "")
    field = key.removeprefix(prefix)
    return prefix or ("=" if field in _EXACT_BY_THEMSELVES else "=%"), field


def _meets(row: Mapping[str, Value], prefix: str, field: str, wanted: Value) -> bool:
    if field not in row:
        return True
    options = [item for _, item in items(wanted)] if isinstance(wanted, list | dict) else [wanted]
    negated, operator = prefix.startswith("!"), prefix.removeprefix("!") or "="
    held = row[field]
    values = [item for _, item in items(held)] if isinstance(held, list) else [held]
    compare = _COMPARE[operator]
    return negated != any(
        compare(_plain(field, value), _plain(field, option)) for value in values for option in options
    )


def _plain(field: str, value: Value) -> str:
    """A comparable form: database collations compare without case."""
    if field == "ACTIVE":
        return "Y" if value is True or text(value).casefold() in {"y", "1", "true"} else "N"
    return text(value).casefold()


def _like(value: str, pattern: str) -> bool:
    pieces = (".*" if sign == "%" else "." if sign == "_" else re.escape(sign) for sign in re.sub("%+", "%", pattern))
    return re.fullmatch("".join(pieces), value, re.S) is not None


_COMPARE: dict[str, Callable[[str, str], bool]] = {
    "=": lambda value, wanted: value == wanted,
    "@": lambda value, wanted: value == wanted,
    "%": lambda value, wanted: wanted in value,
    "=%": _like,
    ">": lambda value, wanted: integer(value) > integer(wanted),
    "<": lambda value, wanted: integer(value) < integer(wanted),
    ">=": lambda value, wanted: integer(value) >= integer(wanted),
    "<=": lambda value, wanted: integer(value) <= integer(wanted),
}
