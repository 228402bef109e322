"""Zabbix, as the script of examples/zabbix/ posts it: an operation of an action, told to one of its users.

Never reads Zabbix's words for people, which are translated: severities, states and sources are told by number.
Zabbix has no body of its own; the script sends macros, all of them text (Zabbix docs, «Supported macros»).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from relay.model import Event, Reading, Request, State
from relay.sources import auth, fields, identity
from relay.sources.links import link
from relay.sources.moments import unix
from relay.sources.proof import HeaderProof

# By the macro EVENT.SOURCE.
SOURCES: Mapping[str, str] = {
    "0": "trigger",
    "1": "discovery",
    "2": "autoregistration",
    "3": "internal",
    "4": "service",
}
HAVE_PROBLEMS = ("trigger", "internal", "service")  # the others' values are states of a discovered host

# By the macro EVENT.NSEVERITY.
SEVERITIES: Mapping[str, str] = {
    "0": "not classified",
    "1": "information",
    "2": "warning",
    "3": "average",
    "4": "high",
    "5": "disaster",
}

# By the macro EVENT.VALUE; on recovery it is 0 while the id stays the problem's.
VALUES: Mapping[str, tuple[str, State]] = {"1": ("problem", "firing"), "0": ("recovery", "resolved")}

# A macro that does not apply arrives as it was written, and one without a value as *UNKNOWN* (both seen of 6.0).
_NOTHING = re.compile(r"\{\$?[A-Z][A-Z0-9_.]*\}|\*UNKNOWN\*")
_LOGIN = re.compile(r"\(([^()]+)\)\s*\Z")  # {USER.FULLNAME}: name surname (username)


class Options(HeaderProof):
    """`type: zabbix`, with the `bearer` that the media type's parameter `token` holds, or `basic` or `token`."""

    type: Literal["zabbix"]


verify, sign = auth.check, auth.headers  # what its options ask for is all that proves who sends


def read(name: str, options: Options, request: Request) -> Reading:  # noqa: ARG001 - every sender is asked alike
    """Understand one operation.

    A retry is byte for byte the same, for Zabbix resolves an alert's macros once; the next step of an escalation,
    a reminder, has another duration, and the same problem told to another user another ``to``.

    Raises:
        NotUnderstood: it is not the script's body, or a value is of another type than it sends.
    """
    data = _resolved(fields.document(fields.parse(request.body)))
    number = fields.text(data, "event_id")
    if not number:
        fields.refuse(
            ("event_id",), "there: paste the script and the parameters of examples/zabbix into the media type"
        )
    delivery = identity.sha256(request.body)
    kind = SOURCES.get(fields.text(data, "event_source"), "event")
    known = kind in HAVE_PROBLEMS
    action, state = VALUES.get(fields.text(data, "event_value"), ("", "info")) if known else ("", "info")
    update = fields.text(data, "event_update_status") == "1"
    event = Event(
        source=name,
        type="zabbix",
        event=kind,
        action="update" if update else action,
        delivery=delivery,
        key=identity.key(name, number),
        state=state,
        severity=SEVERITIES.get(fields.text(data, "event_nseverity"), fields.text(data, "event_severity").lower()),
        conclusion=fields.text(data, "event_update_action") if update else "",
        title=fields.text(data, "event_name") or fields.text(data, "subject") or "Zabbix",
        text=_text(data, update=update, known=known),
        url=link(fields.text(data, "event_url")),
        labels=_labels(data),
        started_at=unix(fields.text(data, "event_timestamp")),
        actor=_login(fields.text(data, "user")) if update else "",
        assignees=tuple(filter(None, (each.strip() for each in fields.text(data, "to").split(",")))),
        payload=data,
    )
    return Reading(delivery=delivery, window=None, events=(event,))


def _resolved(data: dict[str, Any]) -> dict[str, Any]:
    return {
        key: "" if isinstance(value, str) and _NOTHING.fullmatch(value.strip()) else value
        for key, value in data.items()
    }


def _login(user: str) -> str:
    named = _LOGIN.search(user)
    return named[1] if named else user


def _text(data: dict[str, Any], *, update: bool, known: bool) -> str:
    """What somebody wrote of the problem, or the values it is about; the whole message of what has no such words."""
    if update:
        return fields.text(data, "event_update_message")
    return fields.text(data, "event_opdata" if known else "message")


def _labels(data: dict[str, Any]) -> Mapping[str, str]:
    """The event's tags, and its host as ``host``. Of a tag that stands twice the values are joined by commas."""
    tags = data.get("event_tags")
    if isinstance(tags, str):
        tags = fields.parse(fields.clean(tags).encode()) if tags else []
    data = {**data, "event_tags": tags}
    found: dict[str, str] = {}
    for index in range(len(fields.items(data, "event_tags"))):
        tag, value = fields.each_text(data, ("tag", "value"), "event_tags", index)
        found[tag] = f"{found[tag]}, {value}" if tag in found else value
    host = fields.text(data, "host_name")
    return found if not host or "host" in found else {**found, "host": host}
