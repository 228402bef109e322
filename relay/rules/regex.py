"""Patterns that match in time linear in the text: RE2, the engine of Alertmanager's own matchers.

Never hands a pattern to Python's `re`, whose backtracking a stranger's text can drive into hours.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import re2  # type: ignore[import-untyped]  # google-re2 ships no types

Test = Callable[[str], bool]

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.dot_nl = True  # a title of two lines is still a title: `.` means any character

# GitHub Actions' filter patterns: `*` and `?` stop at a slash, `**` does not.
_GLOB = re.compile(
    r"(?P<any>\*\*/)|(?P<all>\*\*)|(?P<some>\*)|(?P<one>\?)|(?P<set>\[[^\]]*\])|\\(?P<sign>.)", re.DOTALL
)


class BadPattern(Exception):
    """The pattern cannot be used; the text says why."""


def anchored(pattern: str) -> Test:
    """A test of the whole text against an RE2 pattern.

    Raises:
        BadPattern: a syntax error, or something that cannot be matched in linear time.
    """
    try:
        compiled = re2.compile(pattern.encode(), _OPTIONS)
    except re2.error as error:
        said = error.args[0] if error.args else ""
        raise BadPattern(said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)) from None
    return lambda text: compiled.fullmatch(text.encode("utf-8", "replace")) is not None


def glob(pattern: str) -> Test:
    """A test of the whole text against `*`, `**`, `?` and `[a-z]`; a backslash takes a sign's meaning away.

    Raises:
        BadPattern: such as a range that runs backwards.
    """
    parts, end = [], 0
    for match in _GLOB.finditer(pattern):
        parts += [re2.escape(pattern[end : match.start()]), _piece(match)]
        end = match.end()
    return anchored("".join(parts) + re2.escape(pattern[end:]))


def _piece(match: re.Match[str]) -> str:
    if match["sign"]:
        return str(re2.escape(match["sign"]))
    if match["set"]:
        inside = match["set"][1:-1]
        return f"[^{inside[1:]}]" if inside.startswith("!") else f"[{inside}]"
    return {"any": "(?:.*/)?", "all": ".*", "some": "[^/]*", "one": "[^/]"}[match.lastgroup or ""]
