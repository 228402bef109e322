"""The drill: an event that is marked as a test, made in a source's own form, and followed through the store.

Never goes a road of its own: it comes in by the door, signed, is decided by the rules and sent by the worker, as every
event is (Alertmanager's users ask for it: prometheus/alertmanager, issue 2213). Only what is for one person by name
is put straight into the outbox.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from relay import router
from relay.errors import RelayError
from relay.model import Message, Request
from relay.render.bbcode import Context, Words
from relay.render.writer import write
from relay.rules import Memory, Rules
from relay.rules.people import Locale, Person
from relay.sources import json_source
from relay.sources.options import SourceOptions
from relay.store import leases, outbox, portals
from relay.store.database import Transaction
from relay.store.search import EventRow, MessageRow

SAYS: Mapping[Locale, str] = {
    "en": "a test of the relay: nothing has happened",
    "ru": "проверка связи: ничего не случилось",
}
OPEN = ("queued", "sending")  # states of a message that something will still become of
LATER = ("addressed", "grouped")  # outcomes of an event of which there is a message, or will be one
NO_WORKER = (
    "no worker has taken it: is `relay work` or `relay serve` running, and with the same DATABASE_URL as this command?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """A marked event on its way into a source, and the messages that the rules would make of it now."""

    name: str  # «drill 3fa2c1», which stands in its title
    source: str
    request: Request
    messages: tuple[Message, ...]


# ── Making one ────────────────────────────────────────────────────────────────────────────────────────────────


def through(source: str, rules: Rules, *, name: str, now: datetime) -> Drill:
    """A drill through one source of the rules, in the language of those whom it would reach, or in all.

    Raises:
        RelayError: there is no such source, or no marked event can be made for it.
    """
    options = rules.sources.get(source)
    if options is None:
        raise RelayError(f"the rules have no source «{source}»; they have {', '.join(rules.sources) or 'none'}")
    if options.type not in _BODIES:
        raise RelayError(f"no drill can be made for the source {source}, which is of type {options.type}")
    made = _made(source, _BODIES[options.type](options, name, " · ".join(SAYS.values()), now), rules, name, now)
    locales = {rules.people[each.person].locale for each in made.messages if each.person in rules.people}
    if len(locales) != 1:
        return made
    return _made(source, _BODIES[options.type](options, name, SAYS[locales.pop()], now), rules, name, now)


def through_any(rules: Rules, *, name: str, now: datetime) -> Drill:
    """A drill through the first source whose drill reaches somebody by the rules of now.

    Raises:
        RelayError: there is none.
    """
    why = []
    for source in rules.sources:
        try:
            made = through(source, rules, name=name, now=now)
        except RelayError as fault:
            why.append(str(fault))
            continue
        if made.messages:
            return made
        why.append(f"by the rules nobody is told of the source {source}'s drill")
    raise RelayError(f"nobody would be told: {'; '.join(why) or 'the rules have no source'}. Use --person, or --source")


def straight_to(person: Person, rules: Rules, *, name: str) -> Message:
    """A marked message to one person, past the door and the rules.

    Args:
        person: one with an id.
    """
    portal = next((name for name in rules.portals if person.on(name).id is not None), "")
    text = write(["[b]", Words(name), "[/b]: ", SAYS[person.locale]], Context.MESSAGE, limit=1000)
    return Message(
        portal=portal,
        user_id=person.on(portal).id or 0,
        person=person.name,
        rule="drill",
        key=name,
        tag=name,
        text=text,
    )


Body = tuple[dict[str, str], Any]  # headers, and what JSON is made of


def _made(source: str, body: Body, rules: Rules, name: str, now: datetime) -> Drill:
    headers, content = body
    request = Request(
        method="POST",
        path=f"/in/{source}",
        headers={"content-type": "application/json"} | headers,
        body=json.dumps(content, ensure_ascii=False).encode(),
    )
    entry = router.unjournalled(request)
    if any(name not in event.title for event in router.understand(entry, rules)):
        raise RelayError(f"a drill through the source {source} could not be told from others: it needs a title: place")
    decisions = router.decisions_on(entry, rules, Memory(lets_through=True), now)
    messages = tuple(message for decision in decisions for message in decision.messages)
    return Drill(name=name, source=source, request=request, messages=messages)


def _alert(_options: SourceOptions, name: str, says: str, now: datetime) -> Body:
    """As Alertmanager (notify/webhook, version 4) and Grafana write it: one alert, of a group of its own."""
    labels, annotations = {"alertname": name, "severity": "none"}, {"summary": says}
    alert = {
        "status": "firing",
        "labels": labels,
        "annotations": annotations,
        "startsAt": now.isoformat(timespec="seconds"),
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "",
    }
    return {}, {
        "version": "4",
        "groupKey": f'{{}}:{{alertname="{name}"}}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "drill",
        "groupLabels": {"alertname": name},
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": "",
        "alerts": [alert],
    }


def _issue(_options: SourceOptions, name: str, says: str, now: datetime) -> Body:
    """An issue that is opened (GitHub docs, «Webhook events and payloads», issues)."""
    somebody = {"login": "relay-drill", "type": "User"}
    issue = {
        "number": 1,
        "title": f"{name}: {says}",
        "state": "open",
        "user": somebody,
        "created_at": now.isoformat(timespec="seconds"),
    }
    slug = name.replace(" ", "-")
    repository = {"full_name": f"relay/{slug}", "default_branch": "main"}
    headers = {"x-github-event": "issues", "x-github-delivery": slug}
    return headers, {"action": "opened", "issue": issue, "repository": repository, "sender": somebody}


def _words(options: json_source.Options, name: str, says: str, _now: datetime) -> Body:
    """JSON with the words where the source says that they stand."""
    headers: dict[str, str] = {}
    body: dict[str, Any] = {}
    title = f"{name}: {says}"
    for word, value in {
        "event": "drill",
        "key": name,
        "tag": name,
        "title": title,
        "labels": {"drill": "true"},
    }.items():
        place = getattr(options, word)
        if place is not None and place.kind == "header":
            headers[place.steps[0]] = str(value)
        elif place is not None and place.kind == "payload":
            _put(body, place.steps, value)
    return headers, body


def _put(body: dict[str, Any], steps: Iterable[str], value: Any) -> None:
    """Put a value where the steps lead; where another word stands on the way it is left out."""
    *way, last = steps
    for step in way:
        inner = body.setdefault(step, {})
        if not isinstance(inner, dict):
            return
        body = inner
    body.setdefault(last, value)


_BODIES: Mapping[str, Callable[[Any, str, str, datetime], Body]] = {
    "github": _issue,
    "alertmanager": _alert,
    "grafana": _alert,
    "json": _words,
}


# ── Following it ──────────────────────────────────────────────────────────────────────────────────────────────


def is_over(event: EventRow, messages: Iterable[MessageRow]) -> bool:
    """Is there nothing left to wait for?"""
    there = list(messages)
    if event.state == "new" or any(row.state in OPEN for row in there):
        return False
    return bool(there) or event.outcome not in LATER


def why_undecided(tx: Transaction) -> str:
    """Why an event may still be waiting for the router, and what to do."""
    if router.LEASE not in leases.living(tx):
        return NO_WORKER
    return "the router has not come to it: `relay events list --state new` shows what waits, its log what it does"


def why_unsent(tx: Transaction, row: MessageRow) -> str:
    """Why a message is still on its way, and what to do."""
    portal = portals.look(tx, row.portal)
    if portal is not None and portal.trouble:
        return f"the portal «{row.portal}» is in trouble: {portal.why}; `relay doctor {row.portal}` says what to do"
    record = outbox.get(tx, row.id)
    if record is not None and record.message.not_before > tx.now:
        return f"it is held for {row.person}'s quiet hours, and will be sent after them"
    if row.why:
        return f"it was tried, and will be again: {row.why}"
    if f"portal:{row.portal}" not in leases.living(tx):  # as Destination.lease calls it
        return NO_WORKER
    return "others are before it: `relay messages list --state queued` shows what waits"


def why_nobody(outcome: str) -> str:
    """Why an event that was decided has led to no message, and what to do."""
    if outcome == "grouped":
        return "it waits in its group for as long as the rule's group: says; give it more time with --timeout"
    return f"the rules tell nobody of it ({outcome}); choose another --source, or somebody with --person"
