"""YAML text → plain data in which every value and key still knows its line and column.

Never builds an object, follows a tag or believes YAML 1.1: a scalar is text unless JSON would call it a number,
true or false (YAML 1.2, chapter 10), so `on:`, `no`, `12:30` and `2026-11-23` are what they look like.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import yaml

Path = tuple[str | int, ...]

MAX_BYTES = 1_000_000
MAX_DEPTH = 50
# What all aliases of a file together may unfold to. Counting the aliases alone would not do: forty of them,
# each of which holds the one before twice, are a thousand billion values («billion laughs»).
MAX_UNFOLDED = 100_000

# `{secret: ${NAME}}` is what people write, though YAML wants quotes there: the braces of a reference are swapped for
# two characters of the private use area, which are as long, and back again in what was read.
_BRACED = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_UNBRACED = re.compile("\\$\ue000([A-Za-z_][A-Za-z0-9_]*)\ue001")

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+([eE][-+]?[0-9]{1,2})?")
_WORDS: Mapping[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}


class Place(NamedTuple):
    """Where an editor jumps to; both count from 1."""

    line: int
    column: int


TOP = Place(1, 1)


class Decimal(float):
    """A number with a point that remembers how it was written: version 1.10 is not version 1.1."""

    written: str


class Unreadable(Exception):
    """The text is not a document at all: nothing else can be said about it."""

    def __init__(self, message: str, place: Place) -> None:
        super().__init__(message)
        self.message, self.place = message, place


@dataclass(frozen=True, slots=True)
class Document:
    """The data, and where each part of it stands.

    ``blanks`` are the places of nulls, which mean nothing in rules: a key there is left out of ``data``.
    """

    data: Any
    values: Mapping[Path, Place]
    keys: Mapping[Path, Place]
    blanks: tuple[Path, ...] = ()

    def place(self, path: Path, *, key: bool = False) -> Place:
        """The place of the value (or of its key) at ``path``, or of the nearest thing that holds it."""
        for end in range(len(path), -1, -1):
            here = path[:end]
            found = (self.keys if key else self.values).get(here)
            if found is not None:
                return found
        return TOP


@dataclass(slots=True, eq=False)
class _Node:
    place: Place
    content: Any  # a scalar's value, a list of nodes, or a list of pairs of nodes
    kind: type[str] | type[list[Any]] | type[dict[str, Any]]
    plain: bool = False


Fault = Callable[[Place, Path, str], None]


def read(text: str, fault: Fault) -> Document:
    """Read one YAML document.

    Args:
        text: the file's text.
        fault: called with place, path and sentence for each fault after which reading can go on.

    Raises:
        Unreadable: too large, not YAML, several documents, or unfolding without end.
    """
    _check_characters(text)
    return _Unfolding(fault).document(_nodes(_BRACED.sub("$\ue000\\1\ue001", text)))


def _check_characters(text: str) -> None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise Unreadable("this is not valid text: save the file as UTF-8", _place_of(text, error.start)) from None
    if size > MAX_BYTES:
        raise Unreadable(f"the file is larger than {MAX_BYTES:,} bytes", TOP)


def _place_of(text: str, position: int) -> Place:
    before = text[:position]
    return Place(before.count("\n") + 1, position - before.rfind("\n"))


# ── Text → nodes ─────────────────────────────────────────────────────────────────────────────────────────────
#
# From PyYAML's events, not its compose(): that one recurses in C, and 200,000 brackets kill the process.


def _nodes(text: str) -> _Node:
    try:
        events = iter(yaml.parse(text, Loader=_LOADER))
        next(events)  # the stream's start
        if isinstance(next(events), yaml.StreamEndEvent):
            raise Unreadable("the file is empty", TOP)
        root = _node(next(events), events, {}, 1)
        next(events)  # the document's end
        after = next(events)
    except yaml.reader.ReaderError as error:
        raise Unreadable("a control character cannot stand here", _place_of(text, error.position)) from None
    except yaml.MarkedYAMLError as error:
        raise Unreadable(_syntax(error, text), _error_place(error)) from None
    if not isinstance(after, yaml.StreamEndEvent):
        raise Unreadable("a second document begins here: one file, one document", _start(after))
    return root


def _syntax(error: yaml.MarkedYAMLError, text: str) -> str:
    lines = text.splitlines()
    line = _error_place(error).line
    if line <= len(lines) and "\t" in lines[line - 1][: len(lines[line - 1]) - len(lines[line - 1].lstrip())]:
        return "a tab cannot indent YAML: use spaces"
    said = ", ".join(part for part in (error.problem, error.context) if part)
    return f"this is not YAML: {said}"


def _error_place(error: yaml.MarkedYAMLError) -> Place:
    mark = error.problem_mark or error.context_mark
    return Place(mark.line + 1, mark.column + 1) if mark else TOP


def _start(event: Any) -> Place:
    return Place(event.start_mark.line + 1, event.start_mark.column + 1)


def _node(event: Any, events: Iterator[Any], anchors: dict[str, _Node], depth: int) -> _Node:
    place = _start(event)
    if depth > MAX_DEPTH:
        raise Unreadable(f"nested deeper than {MAX_DEPTH} levels", place)
    if isinstance(event, yaml.AliasEvent):
        if event.anchor not in anchors:
            raise Unreadable(f"no &{event.anchor} is complete before this *{event.anchor}", place)
        return anchors[event.anchor]
    if event.tag not in (None, "!"):
        raise Unreadable("tags (!, !!) are not understood here: write the value plainly", place)
    if isinstance(event, yaml.ScalarEvent):
        value = _UNBRACED.sub(r"${\1}", event.value)
        node = _Node(place, value, str, plain=event.implicit[0])
    elif isinstance(event, yaml.SequenceStartEvent):
        node = _Node(place, [_node(each, events, anchors, depth + 1) for each in _until_end(events)], list)
    else:
        node = _Node(
            place,
            [
                (_node(key, events, anchors, depth + 1), _node(next(events), events, anchors, depth + 1))
                for key in _until_end(events)
            ],
            dict,
        )
    if event.anchor:
        anchors[event.anchor] = node
    return node


def _until_end(events: Iterator[Any]) -> Iterator[Any]:
    for event in events:
        if isinstance(event, yaml.CollectionEndEvent):
            return
        yield event


# ── Nodes → data and places ──────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class _Unfolding:
    fault: Fault
    values: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    blanks: list[Path] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    again: int = 0  # nodes unfolded a second time
    depth: int = 0  # of merges within merges
    near: Place = TOP  # the top-level key that is being unfolded

    def document(self, root: _Node) -> Document:
        data = self.unfold(root, ())
        if data is None:
            raise Unreadable("the file is empty", root.place)
        return Document(data, self.values, self.keys, tuple(self.blanks))

    def unfold(self, node: _Node, path: Path) -> Any:
        self.count(node, path)
        self.values[path] = node.place
        if node.kind is str:
            return scalar(node.content) if node.plain else node.content
        if node.kind is list:
            return [self.filled(item, (*path, index)) for index, item in enumerate(node.content)]
        return self.mapping(node, path)

    def count(self, node: _Node, path: Path) -> None:
        if id(node) in self.seen:
            self.again += 1
        self.seen.add(id(node))
        if self.again > MAX_UNFOLDED or len(path) + self.depth > MAX_DEPTH:
            raise Unreadable(
                f"the aliases unfold to more than {MAX_UNFOLDED:,} values or {MAX_DEPTH} levels", self.near
            )

    def filled(self, node: _Node, path: Path) -> Any:
        value = self.unfold(node, path)
        if value is None:
            self.values[path] = self.keys.get(path, node.place)
            self.blanks.append(path)
        return value

    def mapping(self, node: _Node, path: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        merged: list[_Node] = []
        for key, value in node.content:
            if key.kind is not str:
                self.fault(key.place, path, "a key must be text")
            elif key.plain and key.content == "<<":
                merged.append(value)
            elif (*path, key.content) in self.keys:
                first = self.keys[(*path, key.content)].line
                self.fault(key.place, (*path, key.content), f"is here twice: first at line {first}")
            else:
                self.keys[(*path, key.content)] = key.place
                self.near = self.near if path else key.place
                filled = self.filled(value, (*path, key.content))
                if filled is not None:
                    result[key.content] = filled
        for source in merged:
            self.merge(source, path, result)
        return result

    def merge(self, source: _Node, path: Path, result: dict[str, Any]) -> None:
        """`<<: *other`, or a list of them: what is written here wins, then the earlier (YAML 1.1 merge key)."""
        for each in source.content if source.kind is list else [source]:
            if each.kind is not dict:
                self.fault(each.place, path, "<< takes a mapping, or a list of mappings")
                continue
            self.count(each, path)
            inner = replace(self, values={}, keys={}, depth=self.depth + 1)
            more = inner.mapping(each, path)
            self.again = inner.again
            new = {key: value for key, value in more.items() if key not in result}
            result |= new
            for mine, theirs in ((self.values, inner.values), (self.keys, inner.keys)):
                mine |= {at: place for at, place in theirs.items() if len(at) > len(path) and at[len(path)] in new}


def scalar(text: str) -> str | int | float | bool | None:
    """What an unquoted scalar says: only what JSON would call a number is one, so 007 and 1e5 stay text."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text):
        number = Decimal(text)
        number.written = text
        return number
    return text
