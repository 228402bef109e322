"""The words of an event whose sender is known by its rules alone: what a source may place, and the event made of it.

Never reads a body: that is done before, by the sender's own file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, get_args

from pydantic import BeforeValidator, Field

from relay.errors import NotUnderstood
from relay.model import Event, Request, State
from relay.sources import identity, places
from relay.sources.links import link
from relay.sources.moments import moment
from relay.sources.options import SourceOptions
from relay.sources.places import NOWHERE, PayloadPlace, Place, Word

# How long the same body is the same delivery, where nothing in it tells deliveries apart: long enough for a
# sender's quick retries, short enough for the next time that the same thing happens.
SAME_BODY_SECONDS = 60.0

STATES: Mapping[str, State] = {
    **dict.fromkeys(("firing", "alerting", "problem", "down", "failed", "failure", "error"), "firing"),
    **dict.fromkeys(("resolved", "ok", "up", "recovery", "recovered", "success"), "resolved"),
    **dict.fromkeys(("open", "opened", "reopened"), "open"),
    "closed": "closed",
}

# The options that are taken as they are found; of lists, the event's word for each.
TEXTS = (
    *("event", "action", "severity", "conclusion", "title", "text"),
    *("actor", "author", "repo", "branch", "base_branch"),
)
LISTS: Mapping[str, str] = {
    **{name: name for name in ("assignees", "reviewers", "mentioned", "committers", "paths")},
    "owner": "owners",
}


def _by_word(written: object) -> object:
    """The sender's words in lower case; YAML has made numbers and booleans of some."""
    if not isinstance(written, Mapping):
        return written
    return {str(word).strip().casefold(): state for word, state in written.items()}


States = Annotated[
    dict[str, State],
    BeforeValidator(_by_word),
]
STATES_ARE = f"the sender's own words for {', '.join(get_args(State))}, such as {{2: firing, 0: resolved}}"


class WordOptions(SourceOptions):
    """Where the event's words stand. Each is a place (places.py) or the word itself."""

    event: Word = Place("event")
    action: Word = NOWHERE
    tag: Word = Field(default=NOWHERE, description="what the event is about: a newer one replaces the older")
    state: Word = NOWHERE
    states: States = Field(default={}, description=STATES_ARE)
    severity: Word = NOWHERE
    conclusion: Word = NOWHERE
    title: Word = NOWHERE
    text: Word = NOWHERE
    url: Word = NOWHERE
    number: Word = NOWHERE
    started_at: Word = Field(default=NOWHERE, description="RFC 3339 with its zone, or Unix seconds or milliseconds")
    actor: Word = NOWHERE
    author: Word = NOWHERE
    assignees: Word = Field(default=NOWHERE, description="a list, or a text with commas; so are all that name several")
    reviewers: Word = NOWHERE
    mentioned: Word = NOWHERE
    committers: Word = NOWHERE
    owner: Word = NOWHERE
    repo: Word = NOWHERE
    branch: Word = NOWHERE
    base_branch: Word = NOWHERE
    paths: Word = NOWHERE
    labels: PayloadPlace | None = None


def event_of(options: WordOptions, data: Any, request: Request, *, source: str, kind: str, delivery: str) -> Event:
    """The event that ``data`` is by the places of its source.

    Raises:
        NotUnderstood: a place holds something that cannot be that word; it is named.
    """

    def word(where: Place) -> str:
        return places.text(where, data, request)

    tag = word(options.tag)
    texts: dict[str, Any] = {name: word(getattr(options, name)) for name in TEXTS}
    lists: dict[str, Any] = {
        name: places.texts(getattr(options, option), data, request) for option, name in LISTS.items()
    }
    return Event(
        source=source,
        type=kind,
        delivery=delivery,
        **texts | {"event": texts["event"] or "event"},
        **lists,
        key=identity.key(source, tag) if tag else "",
        state=state_of(word(options.state), options.states),
        url=link(word(options.url)),
        number=_number(options.number, word(options.number)),
        started_at=moment(word(options.started_at)),
        labels=places.mapping(options.labels, data, request) if options.labels else {},
        payload=data,
    )


def state_of(word: str, own: Mapping[str, State] | None = None) -> State:
    """The relay's state for a sender's word, by the source's own words first; ``info`` for one that tells none."""
    said = word.strip().casefold()
    return (own or {}).get(said) or STATES.get(said, "info")


def _number(where: Place, said: str) -> int | None:
    if not said:
        return None
    if not re.fullmatch(r"-?[0-9]{1,18}", said):
        raise NotUnderstood(f"{where.written} is not a whole number")
    return int(said)
