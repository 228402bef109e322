"""Text as both databases can hold it: whole characters, no NUL, and no key longer than an index takes.

Never refuses a text: what cannot be stored as it is becomes the nearest that can, the same each time.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator

# PostgreSQL has no NUL in text (docs, «Character Types»), and half a surrogate pair has no UTF-8 (RFC 3629 §3).
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
LONGEST_KEY = 500  # bytes; an entry of a PostgreSQL index holds 2704, and some keys stand there with others


class Words(TypeDecorator[str]):
    """Text from outside: what no database can store of it is replaced by U+FFFD on its way in."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Dialect) -> Any:
        return None if value is None else storable(value)


def storable(text: str) -> str:
    if text.isascii() and "\0" not in text:  # nearly all: to look at each character costs ten times as much
        return text
    return UNSTORABLE.sub("\ufffd", text)


def key(text: str) -> str:
    """A text to look things up by: one that is too long for an index is cut, and told apart by its SHA-256."""
    raw = storable(text).encode()
    if len(raw) <= LONGEST_KEY:
        return raw.decode()
    digest = hashlib.sha256(raw).hexdigest()
    return raw[: LONGEST_KEY - len(digest) - 1].decode(errors="ignore") + "~" + digest
