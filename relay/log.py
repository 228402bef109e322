"""One wide line for each unit of work, for people (text) or machines (json).

Never lets a portal's webhook address through: whatever logs, here or in a library, passes the mask.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

# The secret of an incoming webhook stands in its path: https://<portal>/rest/<user>/<secret>/<method>.
WEBHOOK_SECRET = re.compile(r"(/rest/[^/\s]+/)[^/\s?#\"']+(?=/)")

EMPTY: tuple[object, ...] = ("", None, [], {})  # a word that says nothing is not said

_log = logging.getLogger("relay")


def setup(form: str) -> None:
    """Log to standard error, as ``text``, as ``json``, or ``quiet``: only what wants a person."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Json() if form == "json" else Text())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    _log.setLevel(logging.WARNING if form == "quiet" else logging.INFO)


def line(what: str, **words: Any) -> None:
    """Say that something was done. ``what`` is the room and the deed, as in ``courier: called``."""
    _log.info(what, extra={"words": words})


def trouble(what: str, **words: Any) -> None:
    """Say that something is wrong and wants a person."""
    _log.warning(what, extra={"words": words})


def failure(what: str, fault: BaseException, **words: Any) -> None:
    """Say that the relay itself is at fault, with the traceback but without the fault's text: it may hold a stranger's
    words or a secret."""
    where = "".join(traceback.format_tb(fault.__traceback__))
    _log.error(what, extra={"words": {**words, "fault": type(fault).__name__, "where": where}})


def mask(text: str) -> str:
    """Take the secrets of webhook addresses out of a text."""
    return WEBHOOK_SECRET.sub(r"\1***", text)


class Text(logging.Formatter):
    """``12:00:00.123 intake: journalled source=github event=7``."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + "Z"
        words = " ".join(f"{name}={_bare(value)}" for name, value in _words(record).items() if value not in EMPTY)
        level = "" if record.levelno == logging.INFO else f"{record.levelname} "
        return mask(f"{moment} {level}{record.getMessage()} {words}".rstrip() + self._traceback(record))

    def _traceback(self, record: logging.LogRecord) -> str:
        return "\n" + self.formatException(record.exc_info) if record.exc_info else ""


class Json(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **_words(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return mask(json.dumps(line, ensure_ascii=False, default=str))


def _words(record: logging.LogRecord) -> dict[str, Any]:
    return getattr(record, "words", {})


def _bare(value: object) -> str:
    if isinstance(value, dict):
        value = ",".join(f"{name}:{count}" for name, count in value.items())
    if isinstance(value, list):
        value = ",".join(map(str, value))
    text = str(value)
    if text.isprintable():
        return text if not re.search(r"[\s\"=]", text) else json.dumps(text, ensure_ascii=False)
    return json.dumps(text)  # a stranger's control signs, written out: they would command the operator's terminal
