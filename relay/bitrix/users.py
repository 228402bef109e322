"""Whose e-mail is it? The portal's users looked up by e-mail: one batch out, and for each address what is certain.

Never takes a stranger for the person: the portal leaves out a condition that it does not understand or that the right
does not cover, without a word, and then answers with everybody (Bitrix24 REST docs, user.get). So every answer is
compared with the question, and one that may not be complete proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlencode

from relay.bitrix import refusals
from relay.bitrix.answer import code_of, decode, is_error
from relay.bitrix.call import BATCH, command_names
from relay.errors import RelayError

METHOD = "user.get"

# No condition on ACTIVE: that somebody is dismissed is worth telling. `=` compares exactly; without it the portal
# compiles a text to a LIKE, in which `_` stands for any sign (Bitrix24 REST docs, user.get).
_CONDITION = "FILTER[=EMAIL]"
_SELECTED = ("ID", "EMAIL", "ACTIVE")

State = Literal["found", "not_found", "inactive", "ambiguous", "unsure"]

_ID = re.compile(r"[1-9][0-9]{0,9}")
_RIGHT = "tick the right user_basic (users without contact details hidden) on the card of the webhook or application"


class LookupRefused(RelayError):
    """The portal looks nobody up. ``code`` is its own, upper case; the sentence says what to do."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


@dataclass(frozen=True, slots=True)
class Lookup:
    """One request: a batch of one command for each address. ``payload`` is its JSON, without credentials."""

    method: str
    payload: dict[str, Any]
    emails: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What is known of one address. ``user_id`` is 0 unless it was found.

    ``inactive``: whoever has it is dismissed; ``ambiguous``: several active people have it; ``unsure``: the portal did
    not answer this question, or not to the end.
    """

    email: str
    state: State
    user_id: int = 0


def lookup(emails: Sequence[str]) -> Lookup:
    """The request that asks for up to fifty addresses at once; it costs one of the portal's pace.

    Raises:
        ValueError: there are none, or more than `BATCH`.
    """
    if not 1 <= len(emails) <= BATCH:
        raise ValueError(f"a look-up takes 1 to {BATCH} addresses, not {len(emails)}")
    commands = {name: _command(email) for name, email in zip(command_names(len(emails)), emails, strict=True)}
    return Lookup("batch", {"halt": 0, "cmd": commands}, tuple(emails))


def _command(email: str) -> str:
    select = [(f"select[{number}]", name) for number, name in enumerate(_SELECTED)]
    return f"{METHOD}?{urlencode([(_CONDITION, email), *select])}"


def read(asked: Lookup, status: int, body: bytes) -> tuple[Sought, ...]:
    """What the answer says of each address, in the order asked.

    Raises:
        LookupRefused: the portal refuses, or its right shows no e-mails, or this is no answer of its REST API.
    """
    whole = _opened(status, body)
    results, errors, further = (_map(whole.get(part)) for part in ("result", "result_error", "result_next"))
    for error in errors.values():
        if isinstance(error, Mapping) and code_of(error) in ("INSUFFICIENT_SCOPE", "ERROR_METHOD_NOT_FOUND"):
            raise LookupRefused(code_of(error), f"the portal does not let the relay look people up: {_RIGHT}")
    answers = [(email, results.get(name), name in further) for name, email in _names(asked)]
    rows = [row for _, found, _ in answers for row in _rows(found)]
    if rows and not any("EMAIL" in row for row in rows):
        raise LookupRefused("NO_EMAILS", f"the portal shows no e-mails with the right user_brief: {_RIGHT}")
    return tuple(_sought(email, found, more=more) for email, found, more in answers)


def _names(asked: Lookup) -> list[tuple[str, str]]:
    return list(zip(command_names(len(asked.emails)), asked.emails, strict=True))


def _opened(status: int, body: bytes) -> Mapping[str, Any]:
    try:
        told = decode(body)
    except ValueError:
        told = None
    if isinstance(told, Mapping) and is_error(told):
        code = code_of(told)
        meaning = refusals.ERRORS.get(code) or refusals.by_status(status, enveloped=True)
        raise LookupRefused(code or f"HTTP_{status}", meaning.why)
    whole = told.get("result") if isinstance(told, Mapping) else None
    if not isinstance(whole, Mapping):
        raise LookupRefused(f"HTTP_{status}", "this is no answer of the portal's REST API: run relay doctor")
    return whole


def _map(value: object) -> Mapping[str, Any]:
    """A map by command name; an empty one comes as ``[]`` (PHP)."""
    return value if isinstance(value, Mapping) else {}


def _rows(found: object) -> list[Mapping[str, Any]]:
    return [row for row in found if isinstance(row, Mapping)] if isinstance(found, list) else []


def _sought(email: str, found: object, *, more: bool) -> Sought:
    """Exactly one active person with this very address, in an answer that is complete, or nobody."""
    if not isinstance(found, list) or more:
        return Sought(email=email, state="unsure")
    same = [row for row in _rows(found) if str(row.get("EMAIL", "")).strip().casefold() == email.strip().casefold()]
    active = [row for row in same if row.get("ACTIVE") in (True, "Y", "y", "1", 1, "true")]
    if len(active) > 1:
        return Sought(email=email, state="ambiguous")
    if not active:
        return Sought(email=email, state="inactive" if same else "not_found")
    number = str(active[0].get("ID", ""))
    if not _ID.fullmatch(number) or int(number) > 2**31 - 1:
        return Sought(email=email, state="unsure")
    return Sought(email=email, state="found", user_id=int(number))
