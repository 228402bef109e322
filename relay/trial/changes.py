"""`set:` carried out on a fixture: values of its JSON body, and headers, replaced by those of a test.

Never lets a misspelt path pass: the way to the last step must be there already.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from relay.errors import NotUnderstood
from relay.model import Request
from relay.rules.sentences import did_you_mean
from relay.rules.words import written
from relay.sources import fields

Complain = Callable[[str, str], None]  # of a key of `set:`, in a sentence


def changed(request: Request, changes: Mapping[str, Any], complain: Complain) -> Request:
    """The request with each change made: `payload.<path>` in the JSON body, `header.<Name>` in the headers.

    A path is written as in the rules: `payload.alerts.0.labels.severity`, and `*` for every element. Its last step may
    be new (in a list: the next element); the steps before it may not.

    Args:
        complain: is told of each change that cannot be made.
    """
    headers = dict(request.headers)
    body: list[tuple[str, Any]] = []
    for key, value in changes.items():
        head, _, rest = key.partition(".")
        text = written(value)
        if head == "payload" and rest:
            body.append((key, value))
        elif head != "header" or not rest:
            complain(key, "must begin with payload. (what is in the body) or header.")
        elif text is None:
            complain(key, "a header is text")
        else:
            headers[rest.lower()] = text
    headers.pop("content-length", None)  # it counted the body as it was
    return replace(request, headers=headers, body=_body(request.body, body, complain))


def _body(raw: bytes, changes: list[tuple[str, Any]], complain: Complain) -> bytes:
    if not changes:
        return raw
    try:
        data = fields.parse(raw)
    except NotUnderstood as fault:
        complain(changes[0][0], f"cannot be set: {fault}")
        return raw
    for key, value in changes:
        wrong = _put(data, key.split(".")[1:], value)
        if wrong:
            complain(key, wrong)
    # Halves of surrogate pairs are no UTF-8; the sources drop them too.
    return json.dumps(data, ensure_ascii=False).encode("utf-8", "ignore")


def _put(data: Any, steps: list[str], value: Any) -> str:
    """Set the value at the end of the steps; returns what is wrong, or ``""``."""
    places = [data]
    for index, step in enumerate(steps[:-1]):
        found = [child for place in places for child in _children(place, step)]
        if not found:
            return _no_such(steps[: index + 1], places)
        places = found
    done = [_set(place, steps[-1], value) for place in places]
    return "" if any(done) else _no_such(steps, places)


def _no_such(steps: list[str], places: list[Any]) -> str:
    known = {key for place in places if isinstance(place, dict) for key in place}
    return f"the fixture's body has no {'.'.join(steps)}{did_you_mean(steps[-1], known)}"


def _children(value: Any, step: str) -> Iterator[Any]:
    """The containers and values one step below."""
    if isinstance(value, dict):
        yield from value.values() if step == "*" else [value[step]] if step in value else []
    elif isinstance(value, list):
        yield from value if step == "*" else [value[index] for index in _indexes(value, step)]


def _set(place: Any, step: str, value: Any) -> bool:
    if isinstance(place, dict):
        place.update(dict.fromkeys(place if step == "*" else (step,), value))
        return True
    if not isinstance(place, list):
        return False
    if step == str(len(place)):
        place.append(value)
        return True
    indexes = range(len(place)) if step == "*" else _indexes(place, step)
    for index in indexes:
        place[index] = value
    return bool(indexes)


def _indexes(value: list[Any], step: str) -> list[int]:
    """The step as the index of an element that is there."""
    known = step.isascii() and step.isdigit() and len(step) < 10 and int(step) < len(value)
    return [int(step)] if known else []
