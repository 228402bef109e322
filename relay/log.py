"""One wide line for each unit of work, for people (text) or machines (json).

Never lets a secret through: whatever logs, here or in a library, passes the mask, field by field.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

# Every line that the relay writes, and the fields it may have. The ids are the same everywhere, and in a text each of
# several stands by itself (`event=17 event=18`), so that `grep -w event=17` tells the whole story of event 17; by
# `request` the door's lines are found from a proxy's log, by `trace` the spans (tracing.py).
LINES: Mapping[str, str] = {
    # The door: a request came (`ms`: until it was on disk), or was not taken.
    "intake: journalled": "request event source kind status duplicate bytes ms trace",
    "intake: known already": "request event source kind status duplicate bytes ms trace",
    "intake: refused": "request path status bytes ms why",
    "intake: cannot store": "request path status bytes ms why",
    "web: the relay failed": "request path status bytes ms",
    "metrics: cannot be read": "why",
    # The router: an event was decided, or what was kept back was told. `lag` is seconds since it came.
    "router: decided": "event source kind outcome rule messages unmapped note ms lag trace",
    "router: told what was kept back": "note messages rule",
    "router: failed on what was kept back, and tries again": "note why",
    # The courier: a portal was called; `undelivered` is the verdict of each message that did not arrive.
    "courier: called": "portal method commands event message verdicts undelivered ms trouble code why trace",
    "courier: the portal has moved; change its address in the rules": "portal to",
    "courier: messages wait for a portal that the rules do not have any more": "portal",
    "courier: the relay failed on a message, which is put aside": "portal event message",
    "courier: an answer waits to be written down": "portal event message why",
    # Who works, and with what.
    "relay: serving": "address rules",
    "work: started": "rules portals",
    "work: ended": "",
    "work: waits for the database": "loop why",
    "work: failed and goes on": "loop",
    "work: leases are left to run out": "why",
    "work: broke off": "",
    "lease: taken": "lease holder epoch",
    "lease: given back": "lease holder",
    "rules: read anew": "file rules warnings ms",
    "rules: the changed file is refused, the rules before it stay": "why",
    "rules: the relay failed on the changed file": "",
    "rules: a reading of the file could not be noted": "why",
    "tracing: on": "exporter",
    "tracing: asked for, but the packages are not here": "why",
    # The pages, and who does what there.
    "pages: signed in": "role address",
    "pages: a wrong password": "address",
    "pages: replayed": "event strength messages who",
    "pages: changed messages": "wish message left who",
    "pages: silenced": "silence who",
    "pages: ends a silence": "silence who",
    "pages: the store cannot be used": "why",
    "pages: the relay failed": "path",
    "pages: the relay failed on an event": "event",
    # Portals entered as applications.
    "install: tokens kept": "portal",
    "install: refused": "portal why",
    "install: the portal does not take the tokens": "portal why",
    "install: the portal cannot be asked": "portal why",
    "install: the tokens are not an administrator's": "portal user",
    "application: tokens renewed": "portal",
    "application: no answer about new tokens": "portal why",
    "application: no new tokens": "portal why",
    "application: the age of the tokens is not known just now": "why",
    "application: the relay failed to keep tokens alive": "",
    # What is looked after beside the line: people's ids, calendars, missed deliveries, what has served its time.
    "people: cannot be looked up again, their ids stay for now": "portal why",
    "people: ids are used no more; relay people sync tells whose": "portal people",
    "people: wait for the database": "why",
    "people: could not be looked up, and are looked up again": "",
    "feeds: read": "schedule shifts notes",
    "feeds: the calendar works again": "schedule",
    "feeds: the calendar cannot be used, the last good copy stays": "schedule why",
    "feeds: the calendar cannot be used, there is no copy yet: nobody is on duty": "schedule why",
    "feeds: wait for the database": "why",
    "feeds: failed, and are looked at again": "",
    "redelivery: asked for again": "source deliveries left",
    "redelivery: works again": "source",
    "redelivery: missed deliveries cannot be asked for": "source why",
    "redelivery: waits for the database": "why",
    "redelivery: failed, and is tried again": "",
    "upkeep: pruned": "rows pages",
    "upkeep: waits for the database": "why",
    "upkeep: failed, and is tried again": "",
}
FAULT = "fault where"  # and these, where the relay itself is at fault

# The secret of an incoming webhook stands in its path: https://<portal>/rest/<user>/<secret>/<method>.
WEBHOOK_SECRET = re.compile(r"(/rest/[^/\s]+/)[^/\s?#\"']+(?=/)")
# What a library may show of an address or a header: a password before the host (RFC 3986 §3.2.1), a credential of the
# query (OAuth 2.0, RFC 6749; Bitrix24 REST docs, `auth`), of an Authorization header (RFC 9110 §11.6.2), and the way in
# of a link to our pages.
_CREDENTIALS = re.compile(
    r"(?i)(://[^/\s:@]*:)[^/\s@]+(?=@)"
    r"|([?&](?:auth|code|(?:access_|refresh_|id_)?token|client_secret|secret|password|sig|signature|key)=)[^&\s\"'#]+"
    r"|(\b(?:bearer|basic)\s+)[\w.~+/=-]{8,}"
    r"|(/sign-in/)[^/\s\"']+"
)
_ADDRESS_OR_HEADER = re.compile(r"[/?&\s]")  # one of which both of the above need; most words of a line have none
SHORTEST = 8  # signs of a secret that is masked wherever it stands; a shorter one may be any word

EMPTY: tuple[object, ...] = ("", None, [], {})  # a word that says nothing is not said

_log = logging.getLogger("relay")
_hidden: tuple[str, ...] = ()  # known secrets, the longest first: one may be a part of another


def setup(form: str) -> None:
    """Log to standard error, as ``text``, as ``json``, or ``quiet``: only what wants a person."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Json() if form == "json" else Text())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    _log.setLevel(logging.WARNING if form == "quiet" else logging.INFO)


def hide(secrets: Iterable[str]) -> None:
    """Mask these wherever they stand from now on: those of the settings, and of the rules each time they are read."""
    global _hidden  # noqa: PLW0603 - one log in a process, as there is one standard error
    found = {part for secret in secrets for part in _telling(secret) if len(part) >= SHORTEST}
    _hidden = tuple(sorted({*_hidden, *found}, key=len, reverse=True))


def _telling(secret: str) -> Iterator[str]:
    """What of it is not to be read: of a webhook's address its key, of a database's its password, else all of it."""
    webhook = re.search(r"/rest/[^/]+/([^/]+)/?$", secret)
    password = _password(secret)
    yield webhook[1] if webhook else password or secret
    yield unquote(password)  # as a driver knows it


def _password(address: str) -> str:
    try:
        return urlsplit(address).password or ""
    except ValueError:  # no address after all
        return ""


def line(what: str, *, wants_person: bool = False, **words: Any) -> None:
    """Say that something was done. ``what`` is the room and the deed, one of `LINES`, and ``words`` its fields."""
    _log.log(logging.WARNING if wants_person else logging.INFO, what, extra={"words": words})


def trouble(what: str, **words: Any) -> None:
    """Say that something is wrong and wants a person."""
    line(what, wants_person=True, **words)


def failure(what: str, fault: BaseException, **words: Any) -> None:
    """Say that the relay itself is at fault, with the traceback but without the fault's text: it may hold a stranger's
    words or a secret."""
    where = "".join(traceback.format_tb(fault.__traceback__))
    _log.error(what, extra={"words": {**words, "fault": type(fault).__name__, "where": where}})


def mask(text: str) -> str:
    """Take secrets out of a text: those that are known (`hide`), and what stands where addresses have theirs."""
    for secret in _hidden:
        if secret in text:
            text = text.replace(secret, "***")
    if not _ADDRESS_OR_HEADER.search(text):
        return text
    return _CREDENTIALS.sub(r"\1\2\3\4***", WEBHOOK_SECRET.sub(r"\1***", text))


class Text(logging.Formatter):
    """``2026-11-23 12:00:00.123Z intake: journalled event=7 source=github``: logfmt after the moment and the deed."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(" ", "milliseconds").replace("+00:00", "Z")
        level = "" if record.levelno == logging.INFO else f"{record.levelname} "
        words = " ".join(word for name, value in _words(record).items() for word in _said(name, value))
        line = f"{moment} {level}{_plain(mask(record.getMessage()))} {words}".rstrip()
        if not record.exc_info:
            return line
        # Its own text may be a stranger's and have lines that look like ours: all are set in.
        below = mask(self.formatException(record.exc_info)).splitlines()
        return "\n".join([line, *(f"  {_plain(each)}" for each in below)])


class Json(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "msg": mask(record.getMessage()),
            **_words(record),
        }
        if record.exc_info:
            line["traceback"] = mask(self.formatException(record.exc_info))
        return _plain(json.dumps(line, ensure_ascii=False))


def _words(record: logging.LogRecord) -> dict[str, Any]:
    """The fields, each of them masked before it is written in any form: an escaped secret would not be recognised."""
    return {name: _masked(value) for name, value in getattr(record, "words", {}).items()}


def _masked(value: object) -> Any:
    match value:
        case None | bool() | int() | float():
            return value
        case Mapping():
            return {mask(str(key)): _masked(each) for key, each in value.items()}
        case list() | tuple():
            return [_masked(each) for each in value]
        case _:
            return mask(str(value))


def _said(name: str, value: Any) -> Iterator[str]:
    """``name=value``; of several values each by itself."""
    if isinstance(value, list):
        yield from (f"{name}={_bare(each)}" for each in value)
    elif value not in EMPTY:
        yield f"{name}={_bare(value)}"


def _plain(text: str) -> str:
    """Control signs written out as JSON does: a library's message may hold a stranger's, and so may a JSON string (RFC
    8259 leaves those from U+007F on as they are)."""
    return text if text.isprintable() else "".join(map(_sign, text))


def _sign(sign: str) -> str:
    return sign if sign.isprintable() else json.dumps(sign)[1:-1]


def _bare(value: object) -> str:
    if isinstance(value, dict):
        value = ",".join(f"{name}:{count}" for name, count in value.items())
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if text.isprintable():
        return text if text and not re.search(r"[\s\"=]", text) else json.dumps(text, ensure_ascii=False)
    return json.dumps(text)  # a stranger's control signs, written out: they would command the operator's terminal
