"""What a request says: query, form or JSON body, read into one tree of parameters as PHP would.

Never looks at what a parameter is for, and never fails: a body that cannot be read is a body without parameters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from relay.sandbox.php import MAX_DEPTH, TooDeep, Value, canonical

Params = dict[str, Value]


def from_query(query: str) -> Params:
    """Read ``a=1&b[c][]=2``; percent signs and ``+`` are decoded once."""
    return from_pairs(parse_qsl(query, keep_blank_values=True, encoding="utf-8", errors="replace"))


def from_json(body: bytes) -> Params:
    """Read a JSON body. Malformed JSON is not an error of its own: the portal drops the body."""
    try:
        tree = canonical(json.loads(body.decode("utf-8"), parse_constant=_no_constant))
        json.dumps(tree, ensure_ascii=False).encode("utf-8")  # a lone surrogate is malformed to PHP
    except (ValueError, RecursionError):
        return {}
    if isinstance(tree, list):
        return {str(position): item for position, item in enumerate(tree)}
    return tree if isinstance(tree, dict) else {}


def from_pairs(pairs: Iterable[tuple[str, str]]) -> Params:
    """Read decoded names in PHP's bracket notation: ``ATTACH[BLOCKS][0][MESSAGE]``, ``IDS[]``."""
    tree: dict[str, Any] = {}
    for name, value in pairs:
        path = _path(name)
        if path and len(path) <= MAX_DEPTH:
            _plant(tree, path, value)
    return {key: _canonical_or_empty(branch) for key, branch in tree.items()}


def merged(query: Params, body: Params) -> Params:
    """Query and body together, names in upper case; of two with one name the body's wins."""
    return {name.upper(): value for name, value in (*query.items(), *body.items())}


def _no_constant(name: str) -> NoReturn:
    """NaN and Infinity are Python's own; PHP refuses them."""
    raise ValueError(name)


def _canonical_or_empty(branch: object) -> Value:
    try:
        return canonical(branch)
    except TooDeep:
        return []


def _path(name: str) -> list[str]:
    """``a[b][]`` → ``["a", "b", ""]``; dots and blanks of the first piece become "_" (PHP manual, Variables)."""
    top, bracket, rest = name.lstrip(" ").partition("[")
    if bracket and "]" not in rest:
        top, rest = f"{top}_{rest}", ""
    if not top:
        return []
    pieces = re.match(r"(?:[^\[\]]*\](?:\[(?=[^\[\]]*\]))?)*", rest)
    inner = pieces[0].removesuffix("[") if pieces else ""
    return [re.sub(r"[ .]", "_", top), *(piece for piece in inner.removesuffix("]").split("][") if bracket and inner)]


def _plant(tree: dict[str, Any], path: list[str], value: str) -> None:
    node = tree
    for step in path[:-1]:
        key = step or _next_index(node)
        if not isinstance(node.get(key), dict):
            node[key] = {}
        node = node[key]
    node[path[-1] or _next_index(node)] = value


def _next_index(node: dict[str, Any]) -> str:
    return str(max((int(key) for key in node if key.isascii() and key.isdigit()), default=-1) + 1)
