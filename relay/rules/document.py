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

MAX_BYTES = 4_000_000
MAX_DEPTH = 50
BLANK = "has no value: give one, or take it out"
# What all aliases of a file together may unfold to. Counting the aliases alone would not do: forty of them,
# each of which holds the one before twice, are a thousand billion values («billion laughs»).
MAX_UNFOLDED = 500_000

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

    ``text`` is what was read. ``blanks`` are the paths of nulls, which mean nothing in rules: a key there is left out
    of ``data``. ``root`` is what the places are looked up in, one by one: few of them are ever asked for.
    """

    data: Any
    root: Node | None = None
    blanks: tuple[Path, ...] = ()
    text: str = field(default="", repr=False)

    def place(self, path: Path, *, key: bool = False) -> Place:
        """The place of the value (or of its key) at ``path``, or of the nearest thing that holds it."""
        node, key_place = self.root, TOP
        value_place = node.place if node else TOP
        for step in path:
            found = node.child(step) if node else None
            if found is None:
                break
            name, node = found
            key_place = name.place if name else key_place
            value_place = name.place if name and node.is_blank else node.place
        return key_place if key else value_place

    def file(self, path: Path) -> str:  # noqa: ARG002 - other documents have several
        """The file in which ``path`` stands, where that is not the one that was read."""
        return ""

    def within(self, path: Path, line: int, column: int) -> Place:
        """Where a line and column of the text at ``path`` stand, as near as can be told: YAML folds lines and takes
        signs away. Both count from 1.
        """
        start = self.place(path)
        lines = self.text.splitlines()[start.line - 1 :]
        header = lines[0][start.column - 1 :] if lines else ""
        if not header.startswith(("|", ">")):
            return _folded([header, *lines[1:]], start, column + header.startswith(('"', "'")))
        after = next((at for at, each in enumerate(lines[1:], 1) if each.strip()), 0)
        block = Place(start.line + after, len(lines[after]) - len(lines[after].lstrip()) + 1)
        if header.startswith("|"):
            return Place(block.line + line - 1, block.column + column - 1)
        return _folded([lines[after].strip(), *lines[after + 1 :]], block, column)


def _folded(lines: list[str], start: Place, column: int) -> Place:
    """A column of what was folded from lines into one; the first begins at ``start``."""
    for at, line in enumerate(lines):
        indent = len(line) - len(line.lstrip()) if at else 0
        length = len(line.strip()) if at else len(line.rstrip())
        if column <= length + 1:
            return Place(start.line + at, column + (indent if at else start.column - 1))
        column -= length + 1
    return start


@dataclass(slots=True, eq=False)
class Node:
    """A part of the text: a scalar, or what holds others."""

    mark: Any  # PyYAML's, of its first sign
    kind: type[str] | type[list[Any]] | type[dict[str, Any]]
    content: Any  # a scalar's text, a list of nodes, or a list of pairs of nodes
    plain: bool = False  # a scalar without quotes
    _by_key: dict[str, tuple[Node, Node]] | None = None

    @property
    def place(self) -> Place:
        return Place(self.mark.line + 1, self.mark.column + 1)

    @property
    def is_blank(self) -> bool:
        return self.plain and scalar(self.content) is None

    @property
    def is_merge(self) -> bool:
        """Of a key: `<<`, whose value's keys are taken in (YAML 1.1 merge key)."""
        return self.plain and self.content == "<<"

    def merged(self) -> Iterator[Node]:
        """What is taken in by `<<: *other` or a list of them, in the order in which the one wins over the other."""
        for key, value in self.content:
            if key.is_merge:
                yield from value.content if value.kind is list else [value]

    def child(self, step: str | int) -> tuple[Node | None, Node] | None:
        """The key (of a mapping) and the value at one step of a path."""
        if self.kind is list:
            inside = isinstance(step, int) and 0 <= step < len(self.content)
            return (None, self.content[step]) if inside else None
        if self.kind is str or not isinstance(step, str):
            return None
        if self._by_key is None:
            self._by_key = {
                key.content: (key, value)
                for key, value in reversed(self.content)  # so that of two the first is kept
                if key.kind is str and not key.is_merge
            }
        return self._by_key.get(step) or self._taken_in(step)

    def _taken_in(self, step: str) -> tuple[Node | None, Node] | None:
        found = (other.child(step) for other in self.merged() if other.kind is dict)
        return next((pair for pair in found if pair and not pair[1].is_blank), None)


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
    root, shared = _nodes(_BRACED.sub("$\ue000\\1\ue001", text))
    return replace(_Unfolding(fault, shared=shared).document(root), text=text)


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


def _nodes(text: str) -> tuple[Node, bool]:
    """The document's node, and whether there are anchors, through which a node may stand in several places."""
    try:
        events = _Events(_LOADER(text).get_event)
        events.next()  # the stream's start
        if isinstance(events.next(), yaml.StreamEndEvent):
            raise Unreadable("the file is empty", TOP)
        root = events.node(events.next(), 1)
        events.next()  # the document's end
        after = events.next()
    except yaml.reader.ReaderError as error:
        raise Unreadable("a control character cannot stand here", _place_of(text, error.position)) from None
    except yaml.MarkedYAMLError as error:
        raise Unreadable(_syntax(error, text), _error_place(error)) from None
    if not isinstance(after, yaml.StreamEndEvent):
        raise Unreadable("a second document begins here: one file, one document", _start(after))
    return root, bool(events.anchors)


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


@dataclass(slots=True)
class _Events:
    next: Callable[[], Any]
    anchors: dict[str, Node] = field(default_factory=dict)

    def node(self, event: Any, depth: int) -> Node:
        """The node that begins with an event, for which the events up to its end are taken."""
        if depth > MAX_DEPTH:
            raise Unreadable(f"nested deeper than {MAX_DEPTH} levels", _start(event))
        kind = type(event)
        if kind is yaml.AliasEvent:
            return self.anchored(event)
        if event.tag not in (None, "!"):
            raise Unreadable("tags (!, !!) are not understood here: write the value plainly", _start(event))
        if kind is yaml.ScalarEvent:
            value = event.value
            text = _UNBRACED.sub(r"${\1}", value) if "\ue000" in value else value
            node = Node(event.start_mark, str, text, event.implicit[0])
        elif kind is yaml.SequenceStartEvent:
            node = Node(event.start_mark, list, self.items(depth + 1))
        else:
            node = Node(event.start_mark, dict, self.pairs(depth + 1))
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    def items(self, depth: int) -> list[Node]:
        found = []
        while type(event := self.next()) is not yaml.SequenceEndEvent:
            found.append(self.node(event, depth))
        return found

    def pairs(self, depth: int) -> list[tuple[Node, Node]]:
        found = []
        while type(event := self.next()) is not yaml.MappingEndEvent:
            found.append((self.node(event, depth), self.node(self.next(), depth)))
        return found

    def anchored(self, event: Any) -> Node:
        if event.anchor not in self.anchors:
            raise Unreadable(f"no &{event.anchor} is complete before this *{event.anchor}", _start(event))
        return self.anchors[event.anchor]


# ── Nodes → data ─────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class _Unfolding:
    fault: Fault
    shared: bool  # whether a node may be met more than once
    blanks: list[Path] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    again: int = 0  # nodes unfolded a second time
    depth: int = 0  # of merges within merges
    near: Place = TOP  # the top-level key that is being unfolded

    def document(self, root: Node) -> Document:
        data = self.unfold(root, ())
        if data is None:
            raise Unreadable("the file is empty", root.place)
        return Document(data, root, tuple(self.blanks))

    def unfold(self, node: Node, path: Path) -> Any:
        if self.shared:
            self.count(node, path)
        if node.kind is str:
            return scalar(node.content) if node.plain else node.content
        if node.kind is list:
            return [self.filled(item, path, index) for index, item in enumerate(node.content)]
        return self.mapping(node, path)

    def count(self, node: Node, path: Path) -> None:
        if id(node) in self.seen:
            self.again += 1
        self.seen.add(id(node))
        if self.again > MAX_UNFOLDED or len(path) + self.depth > MAX_DEPTH:
            raise Unreadable(
                f"the aliases unfold to more than {MAX_UNFOLDED:,} values or {MAX_DEPTH} levels", self.near
            )

    def filled(self, node: Node, path: Path, step: str | int) -> Any:
        value = self.unfold(node, (*path, step))
        if value is None:
            self.blanks.append((*path, step))
        return value

    def mapping(self, node: Node, path: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        first: dict[str, Node] = {}
        for key, value in node.content:
            name = key.content
            if key.kind is not str:
                self.fault(key.place, path, "a key must be text")
            elif name in first:
                self.fault(key.place, (*path, name), f"is here twice: first at line {first[name].place.line}")
            elif not key.is_merge:
                first[name] = key
                self.near = self.near if path else key.place
                filled = self.filled(value, path, name)
                if filled is not None:
                    result[name] = filled
        for each in node.merged():
            self.merge(each, path, result)
        return result

    def merge(self, other: Node, path: Path, result: dict[str, Any]) -> None:
        """What is written here wins over what is taken in."""
        if other.kind is not dict:
            self.fault(other.place, path, "<< takes a mapping, or a list of mappings")
            return
        self.count(other, path)
        inner = replace(self, depth=self.depth + 1)
        more = inner.mapping(other, path)
        self.again = inner.again
        result |= {key: value for key, value in more.items() if key not in result}


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
