"""What the portal answered: status and bytes in, verdicts out.

Never raises, whatever the bytes are, and never repeats them: an answer is known by its code and our own sentence.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from relay.bitrix import refusals
from relay.bitrix.address import PortalNotTrusted
from relay.bitrix.call import Call, command_names, has_blocks
from relay.bitrix.refusals import Meaning
from relay.errors import PortalUnreachable
from relay.model import (
    Answer,
    Dead,
    Delivered,
    Later,
    Muted,
    Parcel,
    PortalTrouble,
    Refused,
    Trouble,
    Unknown,
    Verdict,
    WithoutBlocks,
)

FEW = 3  # times that a fault which may be the message's own is tried
OPERATING_STEP = 60.0  # seconds: the portal counts a method's time in buckets of a minute (Bitrix24 REST docs, limits)

_TROUBLES: Mapping[str, Trouble] = {
    "rate": "rate",
    "resting": "rate",
    "down": "down",
    "closed": "closed",
    "expired": "expired",
}
_DIGITS = re.compile(r"\s*-?[0-9]{1,18}\s*")


def read(call: Call, status: int, body: bytes, *, now: float, moved_to: str = "") -> Answer:
    """What one answer means.

    Either ``verdicts`` has one verdict for each parcel of the call, in order; or it is empty, and ``trouble``
    says what befell the call as a whole. Both together: some commands of a batch met trouble that concerns
    the portal; their verdicts are `Later`.

    Args:
        call: what was asked.
        status: the HTTP status.
        body: the answer's bytes, decompressed.
        now: our own Unix time, for answers that do not carry the portal's.
        moved_to: the host that answered instead of the configured one, passed through.
    """
    try:
        answer = decode(body)
    except ValueError:
        answer = None
    told = answer if isinstance(answer, Mapping) else {}
    if is_error(told):
        verdicts, trouble = _refusal(call, _code(told["error"]), status, told, now)
    elif "result" in told and 200 <= status < 300:
        verdicts, trouble = _results(call, told, now)
    else:
        verdicts, trouble = _strange(call, status, body)
    return Answer(verdicts=verdicts, trouble=trouble, moved_to=moved_to, operating=_operating(call, told))


def unreachable(error: PortalUnreachable) -> Answer:
    """What it means that no answer came."""
    kind: Trouble = "closed" if isinstance(error, PortalNotTrusted) else "down"
    return Answer(trouble=PortalTrouble(kind, "UNREACHABLE", str(error), sent=error.sent))


def decode(body: bytes) -> Any:
    """JSON, strictly: no NaN, no Infinity, no number beyond what a float holds.

    Raises:
        ValueError: it is not JSON, or nested deeper than anything a portal says.
    """
    try:
        return json.loads(body, parse_constant=_no_number, parse_float=_finite)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def is_error(answer: Mapping[str, Any]) -> bool:
    """Is this the portal's error envelope? ``error`` may be empty in old methods; then nothing else is there."""
    return "error" in answer and (bool(answer["error"]) or "result" not in answer)


def explain(answer: Mapping[str, Any], status: int) -> str:
    """An error envelope's code and our sentence about it, for a person."""
    code = _code(answer.get("error"))
    meaning = refusals.ERRORS.get(code) or refusals.by_status(status, enveloped=True)
    return f"{code or f'HTTP {status}'}: {meaning.why}"


def code_of(answer: Mapping[str, Any]) -> str:
    """An error envelope's code in our spelling (upper case); ``""`` where there is none."""
    return _code(answer.get("error"))


def refusal_of(body: bytes) -> str:
    """The code by which a whole request was refused; ``""`` if it was not, or by something that is no envelope."""
    try:
        answer = decode(body)
    except ValueError:
        return ""
    return code_of(answer) if isinstance(answer, Mapping) and is_error(answer) else ""


def is_retryable(status: int, body: bytes) -> bool:
    """Was the request refused for its rate alone? Then it was not carried out, and may be repeated."""
    try:
        answer = decode(body)
    except ValueError:
        return status == 429
    code = _code(answer.get("error")) if isinstance(answer, Mapping) else ""
    meaning = refusals.ERRORS.get(code)
    return meaning.consequence == "rate" if meaning else status == 429


def sent_verdict(result: object, time: object, *, now: float) -> Verdict:
    """What the ``result`` of a send means; ``time`` is the answer's own, if it has one.

    An integer is the notification's id, except that for a recipient who has switched these notifications off
    the portal stores nothing and returns its current Unix time instead; ``false`` is its only word for a
    person who does not exist, is inactive or is a technical account (im module, notifyAdd).
    """
    if isinstance(result, bool):
        return Delivered(0) if result else Refused("no such person on the portal, or inactive")
    number = _whole(result)
    if number is None:
        return Unknown("the portal's answer holds no notification's number")
    if number <= 0:
        return Refused("the portal stored nothing for this person")
    return Muted() if _is_clock(number, time, now) else Delivered(number)


# ── One answer ────────────────────────────────────────────────────────────────────────────────────────────────

_Reading = tuple[tuple[Verdict, ...], PortalTrouble | None]


def _refusal(call: Call, code: str, status: int, told: Mapping[str, Any], now: float) -> _Reading:
    """An error envelope for the whole request."""
    meaning = _meaning(code, told, call.parcels[0]) if code in refusals.ERRORS else None
    return _whole_call(
        call, code or f"HTTP_{status}", meaning or refusals.by_status(status, enveloped=True), _reset_at(told, now)
    )


def _strange(call: Call, status: int, body: bytes) -> _Reading:
    """Not the REST API's own answer: a web page, a cut body, nothing."""
    if 200 <= status < 300 and body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        why = "a web page came instead of an answer: is this the portal's address, and is the portal open?"
        return (), PortalTrouble("closed", "NOT_JSON", why, sent=True)
    return _whole_call(call, f"HTTP_{status}", refusals.by_status(status, enveloped=False), None)


def _whole_call(call: Call, code: str, meaning: Meaning, not_before: float | None) -> _Reading:
    """One meaning for all parcels of a call."""
    single = len(call.parcels) == 1
    kind = _TROUBLES.get(meaning.consequence)
    if kind is not None:
        until = not_before if meaning.consequence == "resting" else None
        return (), PortalTrouble(kind, code, meaning.why, until, sent=meaning.sent)
    if single:
        return (_verdict(call.parcels[0], code, meaning, None),), None
    if meaning.consequence == "blocks":  # a batch too large: it shrinks by its blocks, and nobody in it is to blame
        return tuple(
            WithoutBlocks(code, meaning.why) if has_blocks(parcel) else Later(code, meaning.why)
            for parcel in call.parcels
        ), None
    if meaning.consequence in ("few", "later"):
        return (), PortalTrouble("down", code, meaning.why)
    return (), PortalTrouble("closed", code, meaning.why)  # a whole batch refused: not the fault of one message


def _results(call: Call, told: Mapping[str, Any], now: float) -> _Reading:
    if call.method != "batch":
        return (_result(call.parcels[0], told["result"], told.get("time"), now),), None
    return _batch(call, told, now)


def _batch(call: Call, told: Mapping[str, Any], now: float) -> _Reading:
    """The parts of a batch's answer, each a map by command name; an empty map comes as ``[]``."""
    names = command_names(len(call.parcels))
    whole = told["result"] if isinstance(told["result"], Mapping) else {}
    results, errors, times = (_map(whole.get(part), names) for part in ("result", "result_error", "result_time"))
    verdicts: list[Verdict] = []
    trouble: PortalTrouble | None = None
    for name, parcel in zip(names, call.parcels, strict=True):
        if name in errors:
            code, meaning = _inner(errors[name], parcel)
            until = _reset_at(told, now) if meaning.consequence == "resting" else None
            verdicts.append(_verdict(parcel, code, meaning, until))
            trouble = trouble or _inner_trouble(code, meaning)
        elif name in results:
            verdicts.append(_result(parcel, results[name], times.get(name, told.get("time")), now))
        else:
            verdicts.append(Unknown("the portal's answer to the batch leaves this command out"))
    return tuple(verdicts), trouble


def _inner(error: object, parcel: Parcel) -> tuple[str, Meaning]:
    """Code and meaning of one command's error."""
    told = error if isinstance(error, Mapping) else {"error": error}
    code = _code(told.get("error"))
    if code in refusals.ERRORS:
        return code, _meaning(code, told, parcel)
    return code or "ERROR", Meaning("dead", "the portal refuses it", refusals.BATCH)


def _inner_trouble(code: str, meaning: Meaning) -> PortalTrouble | None:
    """A command's error that concerns the portal: it would be the same for every other message."""
    if meaning.consequence in ("rate", "closed", "expired"):
        return PortalTrouble(_TROUBLES[meaning.consequence], code, meaning.why)
    return None


# ── One parcel ────────────────────────────────────────────────────────────────────────────────────────────────


def _meaning(code: str, told: Mapping[str, Any], parcel: Parcel) -> Meaning:
    """The table's row; but a webhook that deletes by tag is denied access for its own reason."""
    said = told.get("error_description")
    if code == "ACCESS_DENIED" and parcel.message.delete and isinstance(said, str) and "client id" in said.casefold():
        return Meaning("dead", "a webhook cannot delete by tag", refusals.METHOD)
    return refusals.ERRORS[code]


def _verdict(parcel: Parcel, code: str, meaning: Meaning, not_before: float | None) -> Verdict:
    match meaning.consequence:
        case "blocks":
            return WithoutBlocks(code, meaning.why) if has_blocks(parcel) else Dead(code, meaning.why)
        case "recipient":
            return Refused(meaning.why)
        case "dead":
            return Dead(code, meaning.why)
        case "few":
            return Later(code, meaning.why) if parcel.attempts < FEW else Dead(code, meaning.why)
        case _ if meaning.sent:
            return Unknown(meaning.why)
        case _:
            return Later(code, meaning.why, not_before)


def _result(parcel: Parcel, result: object, time: object, now: float) -> Verdict:
    if not parcel.message.delete:
        return sent_verdict(result, time, now=now)
    # true, or false where there was nothing to take away: either way it is not there any more
    return Delivered(0) if isinstance(result, bool) else Unknown("the portal's answer to the deletion is not yes or no")


# ── Small readings, each total ────────────────────────────────────────────────────────────────────────────────


def _code(error: object) -> str:
    """The code in our spelling: upper case, for ``expired_token`` and ``NO_AUTH_FOUND`` are both written; and
    nothing in it but letters, digits and ``_``, for it is shown to people. ``""`` where there is none."""
    if isinstance(error, Mapping):  # REST 3.0: {"error": {"code": …}}
        error = error.get("code")
    text = re.sub(r"[^A-Z0-9_]", "", error.upper())[:64] if isinstance(error, str) else ""
    return "" if text.isdigit() else text


def _map(part: object, names: Sequence[str]) -> Mapping[str, Any]:
    """A map by command name; PHP writes a list where it takes the keys for positions."""
    if isinstance(part, Mapping):
        return cast(Mapping[str, Any], part)
    return dict(zip(names, part, strict=True)) if isinstance(part, list) and len(part) == len(names) else {}


def _whole(value: object) -> int | None:
    """A whole number that a database can keep, however PHP wrote it."""
    match value:
        case bool():
            return None
        case int() if abs(value) < 2**63:
            return value
        case float() if value.is_integer() and abs(value) < 2**53:
            return int(value)
        case str() if _DIGITS.fullmatch(value):
            return int(value)
        case _:
            return None


def _is_clock(number: int, time: object, now: float) -> bool:
    """Is the id the portal's clock? By its own ``time``, to two seconds; without one by ours, to a day."""
    start, finish = (_seconds(time, name) for name in ("start", "finish"))
    if start is None:
        return now - 86_400 <= number <= now + 86_400
    return start - 2 <= number <= (start if finish is None else max(start, finish)) + 2


def _reset_at(told: Mapping[str, Any], now: float) -> float:
    """When a method that has used up its time may run again."""
    reset_at = _seconds(told.get("time"), "operating_reset_at")
    return reset_at if reset_at is not None and reset_at > now else now + OPERATING_STEP


def _operating(call: Call, told: Mapping[str, Any]) -> dict[str, float]:
    """Seconds charged, by method: the request's own, and for a batch its commands' as well."""
    charged = {call.method: _seconds(told.get("time"), "operating")}
    result = told.get("result")
    if call.method == "batch" and isinstance(result, Mapping):
        times = _map(result.get("result_time"), [])
        for name, command in call.payload["cmd"].items():
            method, seconds = command.partition("?")[0], _seconds(times.get(name), "operating")
            known = [value for value in (charged.get(method), seconds) if value is not None]
            charged[method] = max(known, default=None)
    return {method: seconds for method, seconds in charged.items() if seconds is not None}


def _seconds(time: object, name: str) -> float | None:
    value = time.get(name) if isinstance(time, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        seconds = float(value)
    except OverflowError:
        return None
    return seconds if math.isfinite(seconds) else None


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("the number is beyond a float")
    return number
