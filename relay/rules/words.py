"""The event's words: what a condition may ask of an event, and how it is looked up.

Never raises for any event: what is not there is nothing, and nothing equals "".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

from relay.model import Event, State
from relay.rules.document import Decimal
from relay.rules.people import Directory
from relay.rules.sentences import did_you_mean

Kind = Literal["text", "number", "flag", "list", "any"]

CUT = 80


class Seen(NamedTuple):
    """What an event holds in a field: its values (one, or a list's elements), and whether it is there at all."""

    values: tuple[Any, ...]
    exists: bool


@dataclass(frozen=True, slots=True)
class Word:
    name: str
    kind: Kind
    look: Callable[[Event], Seen]
    choices: tuple[str, ...] = ()  # all the values there can be, where they are known


class UnknownWord(Exception):
    """No event has such a word; the text says which it has."""


NOTHING = Seen(("",), False)

_TEXTS = """source type event action delivery key state severity title text url repo branch base_branch actor author
conclusion started_at"""
_LISTS = "paths assignees reviewers mentioned committers owners"
_KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(_TEXTS.split(), "text"),
    **dict.fromkeys(_LISTS.split(), "list"),
    **dict.fromkeys(("id", "number", "truncated"), "number"),
    **dict.fromkeys(("actor_is_bot", "draft"), "flag"),
}
WORDS = (*sorted(_KINDS), "labels")

# Words that name people as the sender does. `author.person` and `author.team` are who that is here.
PEOPLE = ("actor", "author", "assignees", "reviewers", "mentioned", "committers", "owners")
_WHO = ("person", "team")


def find(field: str, *, sources: Iterable[str], types: Iterable[str]) -> Word:
    """The word called ``field``: a word of the event, `labels`, `labels.<name>` or `payload.<path>`.

    Raises:
        UnknownWord: there is none; the sentence names the nearest.
    """
    head, dot, rest = field.partition(".")
    if field == "labels":
        return Word(field, "list", lambda event: _elements(tuple(event.labels)))
    if head == "labels" and rest:
        return Word(field, "any", lambda event: _label(event, rest))
    if head == "payload" and rest:
        steps = tuple(rest.split("."))
        if "" in steps:
            raise UnknownWord(f"{field} has an empty step between its dots")
        return Word(field, "any", lambda event: _in_payload(event.payload, steps))
    if head in PEOPLE and dot:
        raise UnknownWord(f"unknown word {field}; write {head}.person or {head}.team for who that is under people:")
    if dot or field in ("payload", "label"):
        raise UnknownWord(f"unknown word {field}; write labels.<name> or payload.<path> for what is inside")
    if field not in _KINDS:
        raise UnknownWord(f"unknown word {field}{did_you_mean(field, WORDS)}")
    choices = {"state": get_args(State), "source": tuple(sources), "type": tuple(types)}.get(field, ())
    kind = _KINDS[field]
    look = _elements if kind == "list" else _one
    return Word(field, kind, lambda event: look(getattr(event, field)), choices)


def find_who(field: str, among: Directory) -> Word | None:
    """The word `<people>.person` or `<people>.team`: the names here of whom the sender names; ``None`` for another."""
    head, _, who = field.partition(".")
    if head not in PEOPLE or who not in _WHO:
        return None

    def look(event: Event) -> Seen:
        said = getattr(event, head)
        names = (said,) if isinstance(said, str) else said
        persons = {person.name for name in names if name for person in among.of_event(name, event.type)}
        if who == "person":
            return _elements(tuple(name for name in among.people if name in persons))
        return _elements(
            tuple(team for team, members in among.teams.items() if any(member.name in persons for member in members))
        )

    return Word(field, "list", look, tuple(among.people if who == "person" else among.teams))


def text_of(value: Any) -> str | None:
    """A scalar as JSON writes it, so that 5 and "5" compare; ``None`` for what is no scalar."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if value.bit_length() < 1024 else None
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(float(value))
    return "" if value is None else None


def written(value: Any) -> str | None:
    """A value of the rules file, as it stands there."""
    return value.written if isinstance(value, Decimal) else text_of(value)


def shown(text: str) -> str:
    """A stranger's text, fit for an operator's terminal: cut, and without control characters."""
    cut = text if len(text) <= CUT else text[: CUT - 1] + "…"
    return cut if cut.isprintable() else "".join(sign if sign.isprintable() else "�" for sign in cut)


def shown_values(seen: Seen) -> str:
    texts = (text_of(value) for value in seen.values[:CUT])
    return shown(", ".join("(not a text or number)" if text is None else text for text in texts))


def _one(value: Any) -> Seen:
    return NOTHING if value is None or value == "" else Seen((value,), True)


def _elements(values: tuple[str, ...]) -> Seen:
    return Seen(values, True) if values else NOTHING


def _label(event: Event, name: str) -> Seen:
    value = event.labels.get(name)
    return NOTHING if value is None else Seen((value,), True)


def _in_payload(payload: Any, steps: tuple[str, ...]) -> Seen:
    found = [payload]
    for step in steps:
        found = [child for value in found for child in _children(value, step)]
    scalars = tuple(each for value in found for each in (value if isinstance(value, list) else [value]))
    present = any(value is not None for value in found)
    return Seen(scalars, True) if present and scalars else Seen(NOTHING.values, present)


def _children(value: Any, step: str) -> Iterator[Any]:
    if step == "*":
        yield from value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    elif isinstance(value, dict):
        if step in value:
            yield value[step]
    elif isinstance(value, list) and step.isascii() and step.isdigit() and len(step) < 10 and int(step) < len(value):
        yield value[int(step)]
