"""Replay: a journalled event decided once more by the rules of now, and its messages queued again, or for a test.

Never decides by a path of its own: what is decided here is what `router.decisions_on` decides, by itself, with nothing
remembered of other events. And never tells anybody an older state than he has been told already.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from relay import router
from relay.errors import Refused, RelayError
from relay.model import Message
from relay.render.bbcode import Context, Words
from relay.render.writer import write
from relay.rules import Decision, Memory, Rules
from relay.rules.people import Locale, Person
from relay.rules.sentences import did_you_mean
from relay.sources import identity
from relay.store import outbox, search, streams
from relay.store.database import Database, Transaction
from relay.store.journal import Entry

TAKEN_AWAY: Mapping[Locale, str] = {
    "en": "(takes the notification of this tag away)",
    "ru": "(убирает уведомление с этим тегом)",
}
LONGEST_MARK = 900  # characters: a text may have 19 000, and the portal cuts at 20 000 (see render/wording.py)


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """What a journalled event leads to now; ``why_not`` says why it cannot be decided, where it cannot."""

    entry: Entry
    decisions: tuple[Decision, ...] = ()
    why_not: str = ""

    @property
    def messages(self) -> tuple[Message, ...]:
        return tuple(message for decision in self.decisions for message in decision.messages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """What became of one message: the number under which it was queued, or the newer one that has its place."""

    message: Message
    number: int | None = None
    newer: int | None = None


def decide(entry: Entry, rules: Rules, now: datetime, *, for_real: bool) -> Again:
    """Decide a journalled event as if it came now and nothing had come before it.

    ``for_real``: its messages are to be queued. One that waits for its first decision is then left to the router, or
    they would be sent twice.
    """
    if for_real and entry.state == "new":
        return Again(entry=entry, why_not="its first decision is still to come: is a worker running?")
    try:
        return Again(entry=entry, decisions=tuple(router.decisions_on(entry, rules, Memory(lets_through=True), now)))
    except Refused as fault:
        return Again(entry=entry, why_not=str(fault))
    except Exception as fault:  # a fault of ours on one event does not stop the others; its text may be a stranger's
        return Again(entry=entry, why_not=f"the relay failed on it: {type(fault).__name__}")


def for_test(again: Again, person: Person) -> tuple[Message, ...]:
    """All its messages to one person, marked as a repeat, and under tags of their own: nothing real is replaced."""
    return tuple(
        _for_test(message, again.entry.id, person.on(message.portal))
        for message in again.messages
        if person.on(message.portal).id is not None
    )


def _for_test(message: Message, event_id: int, person: Person) -> Message:
    tag = f"test:{event_id}:{identity.digest(message.portal, message.user_id, message.tag)[:32]}"
    return replace(
        message,
        user_id=person.id or 0,  # only persons with an id come here
        person=person.name,
        key=tag,
        tag=tag,
        text=f"{_mark(message, event_id, person.locale)}\n{message.text or TAKEN_AWAY[person.locale]}",
        urgent=False,
        fallback=(),
        delete=False,
        not_before=0.0,
    )


def _mark(message: Message, event_id: int, locale: Locale) -> str:
    person, rule = Words(message.person), Words(message.rule)
    says: Mapping[Locale, Iterable[str]] = {
        "en": (f"[b]Test: a repeat of event {event_id}[/b] for ", person, ", by the rule ", rule),
        "ru": (f"[b]Проверка: повтор события {event_id}[/b] для ", person, ", по правилу ", rule),
    }
    return write(says[locale], Context.MESSAGE, limit=LONGEST_MARK)


def somebody(rules: Rules, name: str) -> Person:
    """The one person who is called so: a name of ``people:``, a login, an e-mail or a portal id.

    Raises:
        RelayError: nobody is, or several are, or his id is not known.
    """
    found = rules.directory.of_value(name, "")
    if len(found) != 1:
        raise RelayError(f"nobody is called {name}{did_you_mean(name, rules.people)}")
    if found[0].id is None and not found[0].ids:
        raise RelayError(f"{found[0].name} has no id in the rules: give one under people:")
    return found[0]


def queue(database: Database, again: Again) -> list[Queued]:
    """Queue an event's messages under the tags that they have: each replaces what its recipient was told before.

    A message is left out where its recipient was told of a later event under the same tag: he would be shown an older
    state.
    """
    with database.write() as tx:
        return list(_queue(tx, again.entry.id, again.messages))


def queue_for_test(database: Database, again: Again, person: Person) -> list[Queued]:
    """Queue what :func:`for_test` makes of an event."""
    with database.write() as tx:
        return list(_enqueue(tx, again.entry.id, for_test(again, person)))


def _queue(tx: Transaction, event_id: int, messages: Sequence[Message]) -> Iterator[Queued]:
    streams.lock(tx, messages)  # before it is asked who was told what: nobody tells him more meanwhile
    newer = [search.newer_state(tx, message, event_id) for message in messages]
    fresh = [message for message, number in zip(messages, newer, strict=True) if number is None]
    yield from _enqueue(tx, event_id, fresh)
    for message, number in zip(messages, newer, strict=True):
        if number is not None:
            yield Queued(message=message, newer=number)


def _enqueue(tx: Transaction, event_id: int, messages: Sequence[Message]) -> Iterator[Queued]:
    for message, number in zip(messages, outbox.enqueue(tx, event_id, messages), strict=True):
        yield Queued(message=message, number=number)
