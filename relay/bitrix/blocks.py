"""ATTACH as people give it: JSON text, one block, a list of blocks or a whole attachment; and two blocks to make.

Never drops a block that it does not know: what is doubtful is told (`doubts`), and the portal decides.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from relay.bitrix.answer import decode
from relay.errors import RelayError

# Bitrix24 REST docs, attachments
KINDS = ("USER", "LINK", "RICH_LINK", "MESSAGE", "GRID", "IMAGE", "FILE", "DELIMITER")
SIZE_LIMIT = 60_000  # characters of the attachment's JSON

Blocks = str | bytes | os.PathLike[str] | Mapping[str, Any] | Sequence[Any] | None
Fetch = Callable[[str], bytes]

_STRING = re.compile(r"""'((?:[^'\\]|\\.)*)'|"(?:[^"\\]|\\.)*\"""", re.DOTALL)
_LONGEST_PATH = 4096
_BACKSLASHES = ': the backslashes before " are part of it, for inside single quotes a shell keeps them'


class BadBlocks(RelayError):
    """The blocks cannot be read."""


def image_block(name: str, url: str) -> dict[str, Any]:
    """A picture: ``{"IMAGE": {"NAME": …, "LINK": …}}``, without what is empty."""
    return {"IMAGE": _named(name, url)}


def file_block(name: str, url: str) -> dict[str, Any]:
    """A file to download: ``{"FILE": {"NAME": …, "LINK": …}}``, without what is empty."""
    return {"FILE": _named(name, url)}


def read(given: Blocks, *, fetch: Fetch | None = None) -> dict[str, Any] | list[Any] | None:
    """What ATTACH shall be, or ``None`` if there is nothing in it.

    Args:
        given: a list of blocks; one block; a whole attachment (a map with ``BLOCKS``, where colour and
            description go), which is left as it is; a path; or text: JSON of these, with double or single
            quotes, ``@file``, the path of an existing file, or an address that ``fetch`` reads.
        fetch: reads an http(s) address. Without it addresses are refused: nobody expects a message to
            make this machine call somewhere.

    Raises:
        BadBlocks: it is none of these; the sentence repeats nothing of it.
    """
    value = _value(given, fetch)
    if value is None or value in ("", [], {}, ()):
        return None
    if isinstance(value, Mapping):
        return dict(value) if "BLOCKS" in value else [dict(value)]
    if isinstance(value, list | tuple):
        return list(value)
    raise BadBlocks("blocks are a list of blocks, one block, or a map with BLOCKS")


def doubts(attach: dict[str, Any] | list[Any] | None) -> list[str]:
    """What the portal will probably not take or not show; sentences for the person who wrote it."""
    if attach is None:
        return []
    blocks = attach.get("BLOCKS") if isinstance(attach, dict) else attach
    if not isinstance(blocks, list):
        return ["BLOCKS is not a list: the portal will refuse it"]
    known = ", ".join(KINDS)
    found = [
        f"block {number} is none that the portal knows ({known}): it will be left out"
        for number, block in enumerate(blocks, start=1)
        if not (isinstance(block, dict) and any(kind in block for kind in KINDS))
    ]
    # The portal measures its own JSON, where a slash is written \/ (im module, CIMMessageParamAttach)
    size = len(json.dumps(attach, ensure_ascii=False, separators=(",", ":")).replace("/", "\\/"))
    if size >= SIZE_LIMIT:
        found.append(f"the blocks are {size} characters of JSON; the portal takes fewer than {SIZE_LIMIT}")
    return found


def _named(name: str, url: str) -> dict[str, str]:
    return {key: value for key, value in (("NAME", name), ("LINK", url)) if value.strip()}


def _value(given: Blocks, fetch: Fetch | None) -> object:
    match given:
        case os.PathLike():
            return _parsed(_utf8(_file(Path(given))))
        case bytes():
            return _parsed(_utf8(given))
        case str():
            return _from_text(given.strip(), fetch)
        case _:
            return given


def _from_text(text: str, fetch: Fetch | None) -> object:
    if text.startswith("@"):
        return _parsed(_utf8(_file(Path(text[1:]))))
    if text.startswith(("[", "{")):
        return _parsed(text)
    if re.match(r"https?://", text, re.IGNORECASE):
        if fetch is None:
            raise BadBlocks("blocks from a web address are fetched only if you ask for it (--fetch, fetch=True)")
        return _parsed(_utf8(fetch(text)))
    if _is_file(text):
        return _parsed(_utf8(_file(Path(text))))
    if text:
        raise BadBlocks("the blocks are neither JSON (it begins with [ or {) nor the path of an existing file")
    return None


def _parsed(text: str) -> object:
    """JSON; or JSON in single quotes, which spares people the shell's double ones."""
    for candidate in (text, _STRING.sub(_double_quoted, text)):
        try:
            return decode(candidate.encode("utf-8", "replace"))
        except ValueError:
            continue
    hint = _BACKSLASHES if '{\\"' in text else ""
    raise BadBlocks(f"the blocks are not JSON{hint}")


def _double_quoted(string: re.Match[str]) -> str:
    """A single-quoted string in double quotes; a double-quoted one as it is."""
    inner = string[1]
    if inner is None:
        return string[0]
    return '"' + _TO_REQUOTE.sub(lambda sign: _REQUOTED.get(sign[0], sign[0]), inner) + '"'


_TO_REQUOTE = re.compile(r"""\\.|["\n\r\t]""", re.DOTALL)
_REQUOTED = {"\\'": "'", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, ValueError):
        raise BadBlocks("the file with the blocks cannot be read") from None


def _is_file(text: str) -> bool:
    try:
        return len(text) < _LONGEST_PATH and Path(text).is_file()
    except (OSError, ValueError):  # too long a name, or a NUL in it
        return False


def _utf8(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadBlocks("the file with the blocks is not UTF-8") from None
