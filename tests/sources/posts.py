"""Requests to verify and read: from the fixtures' files, or made on the spot."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from relay import fixture
from relay.model import Request

FIXTURES = Path(__file__).parent.parent / "fixtures"

# What random JSON puts where a sender puts something else.
WRONG_TYPES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    10**400,
    "",
    "text",
    "\0\ud800",
    [],
    [[]],
    [None],
    {},
    {"a": {}},
)


def stored(name: str) -> Request:
    """The request of ``fixtures/<name>.http``."""
    return fixture.parse((FIXTURES / f"{name}.http").read_bytes())


def posted(body: object, headers: Mapping[str, str] | None = None) -> Request:
    """A POST of ``body``: bytes as they are, anything else as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Request(method="POST", path="/in/some", headers=dict(headers or {}), body=raw)


def with_headers(request: Request, headers: Mapping[str, str]) -> Request:
    return replace(request, headers={**request.headers, **headers})


def changed(request: Request, **values: object) -> Request:
    """The request with some values of its body's top level replaced."""
    return replace(request, body=json.dumps({**json.loads(request.body), **values}).encode())


def swapped(data: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """A copy of ``data`` with ``value`` at ``path``."""
    if not path:
        return value
    first, *rest = path
    if isinstance(data, list):
        return [swapped(item, tuple(rest), value) if index == first else item for index, item in enumerate(data)]
    return {**data, first: swapped(data[first], tuple(rest), value)}


def places(data: Any) -> list[tuple[str | int, ...]]:
    """The path of every value in ``data``, the whole among them."""
    if isinstance(data, dict):
        children: list[tuple[str | int, Any]] = list(data.items())
    else:
        children = list(enumerate(data)) if isinstance(data, list) else []
    return [(), *((step, *rest) for step, child in children for rest in places(child))]
