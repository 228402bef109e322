"""Silences by hand: conditions as an operator writes them, what they would keep back, and a silence made and ended.

Never keeps an event back itself: rules/silences.py does, and here is only what a terminal and a page have in common.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from relay import router
from relay.errors import RelayError
from relay.model import Event, Note
from relay.rules import Rules, silences
from relay.rules.conditions import Condition, compile_when
from relay.store import journal, notes, search
from relay.store.database import Database
from relay.store.journal import Entry

CONDITION = re.compile(r"(?P<word>[^=!~]+?)\s*(?P<sign>=~|!~|!=|=)\s*(?P<value>.*)", re.DOTALL)
WORD = re.compile(r"[\w.-]+")  # of a label that can be written in a condition


class BadCondition(RelayError):
    """What was written is no condition; the sentence says what is wrong."""


# ── Conditions ────────────────────────────────────────────────────────────────────────────────────────────────


def when(conditions: Iterable[str]) -> dict[str, Any]:
    """Conditions with = != =~ or !~, as Alertmanager writes its matchers, as a ``when:`` of the rules.

    A value may stand in double quotes, and must where it begins or ends with a space or a quote, or begins with ~.

    Raises:
        BadCondition: one of them is none, or two differ on one word.
    """
    found: dict[str, Any] = {}
    for each in conditions:
        match = CONDITION.fullmatch(each.strip())
        if match is None:
            raise BadCondition(f"«{each}» is no condition; write it as severity=warning or labels.env!=prod")
        quoted = re.fullmatch(r'"(.*)"', match["value"], re.DOTALL)
        value = quoted[1] if quoted else match["value"]
        plain = value if match["sign"] in ("=", "!=") else {"regex": value}
        its = {"not": plain} if match["sign"].startswith("!") else plain
        if found.setdefault(match["word"], its) != its:  # the second alone would silence more than was written
            raise BadCondition(f"there are two conditions on {match['word']}: join them, as in severity=~warning|info")
    return found


def written(its: Mapping[str, Any]) -> list[str]:
    """A ``when:`` as conditions that :func:`when` reads; what it could not have made is JSON."""
    return [_written(word, value) for word, value in its.items()]


def _written(word: str, value: Any) -> str:
    match value:
        case str():
            return f"{word}={_quoted(value)}"
        case {"not": str() as plain}:
            return f"{word}!={_quoted(plain)}"
        case {"regex": str() as pattern}:
            return f"{word}=~{_quoted(pattern)}"
        case {"not": {"regex": str() as pattern}}:
            return f"{word}!~{_quoted(pattern)}"
    return f"{word}: {json.dumps(value, ensure_ascii=False)}"


def _quoted(value: str) -> str:
    return f'"{value}"' if value != value.strip() or value.startswith(('"', "~")) or not value else value


def suggested(event: Event) -> list[str]:
    """Conditions that hold for this event and for those like it: its labels where it has any, or else its key.

    Whoever wants more to be silent takes some away.
    """
    words = {"source": event.source} | {f"labels.{name}": text for name, text in event.labels.items()}
    if not event.labels:
        words |= {"key": event.key} if event.key else {"event": event.event}
    return [
        _written(word, text)
        for word, text in words.items()
        if WORD.fullmatch(word) and text and text.isprintable()  # what else there is has no place on a line
    ]


def compiled(its: Mapping[str, Any], rules: Rules) -> Condition:
    """
    Raises:
        BadCondition: a word that no event has, a bad pattern; or nothing at all, which would silence everything.
    """
    faults: list[str] = []

    def complain(path: tuple[str | int, ...], sentence: str) -> None:
        faults.append(f"{'.'.join(map(str, path))}: {sentence}" if path else sentence)

    if not its:
        raise BadCondition("write at least one condition: without any, everything would be silent")
    condition = compile_when(dict(its), rules.vocabulary, (), complain)
    if faults:
        raise BadCondition("; ".join(faults))
    return condition


def matched(database: Database, rules: Rules, condition: Condition, *, among: int) -> Sequence[Entry]:
    """Those of the newest events in the journal, so many of them, that match; the newest first, without bodies."""
    return [
        replace(entry, request=replace(entry.request, body=b""))
        for entry in each_of(database, newest(database, among))
        if any(map(condition.holds, router.readable(entry, rules)))
    ]


def newest(database: Database, most: int) -> Sequence[int]:
    """The numbers of the newest events in the journal, the newest first."""
    with database.read() as tx:
        return search.event_numbers(tx, search.Filter(limit=most))


def each_of(database: Database, numbers: Iterable[int]) -> Iterator[Entry]:
    """Events one by one: a hundred of the largest bodies are more than memory holds."""
    for number in numbers:
        with database.read() as tx:
            entry = journal.get(tx, number)
        if entry is not None:
            yield entry


# ── Silences ──────────────────────────────────────────────────────────────────────────────────────────────────


def make(database: Database, its: Mapping[str, Any], *, length: float, idle: float, who: str, why: str) -> str:
    """A new silence from now on; returns its number. ``length`` and ``idle`` are seconds."""
    with database.write() as tx:
        note = silences.written(when=its, starts=tx.now, until=tx.now + length, idle=idle, who=who, why=why)
        return notes.add(tx, silences.PREFIX, note).removeprefix(silences.PREFIX)


def everything(database: Database) -> dict[str, Note]:
    """The silences there are and those that are over and not forgotten yet, by number; the newest first."""
    with database.read() as tx:
        found = notes.under(tx, silences.PREFIX)
    by_number = {name.removeprefix(silences.PREFIX): note for name, note in found.items()}
    return dict(sorted(by_number.items(), key=lambda each: int(each[0]), reverse=True))


def end(database: Database, number: str) -> bool:
    """Let a worker end a silence now, and tell those whom it silenced. ``False``: there is none, or it is over."""
    name = silences.PREFIX + number
    with database.write() as tx:
        found = notes.get(tx, name)
        if found is None or found.value["over"]:
            return False
        notes.write(tx, {f"ending:{number}": Note({"name": name}, due=tx.now)})
        tx.news = True
        return True


def lines(text: str) -> Iterator[str]:
    """The conditions in a text that has one on each line."""
    return (line.strip() for line in text.splitlines() if line.strip())
