"""What is wrong with a template before it has ever run: names, filters and statements that it cannot have.

Never runs it. At run time an unknown name is merely empty, so this is where a slip of the pen is found.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping

from jinja2 import meta, nodes

from relay.model import Alert, Event
from relay.render.reader import Reader

Kind = type | tuple[type] | None  # of one thing; of a list of them, (Alert,); unknown

ATTRIBUTES: Mapping[type, frozenset[str]] = {
    kind: frozenset(field.name for field in dataclasses.fields(kind)) for kind in (Event, Alert, Reader)
}
CALLED: Mapping[type, str] = {Event: "an event", Alert: "an alert", Reader: "a person"}
NAMES: Mapping[str, Kind] = {"event": Event, "events": (Event,), "person": Reader, "rule": None}
LOOP = frozenset(
    ("index", "index0", "revindex", "revindex0", "first", "last", "length", "depth", "depth0", "previtem", "nextitem")
)

_STATEMENTS: Mapping[type[nodes.Node], str] = {
    nodes.Macro: "macro",
    nodes.CallBlock: "call",
    nodes.FilterBlock: "filter (as a block)",
    nodes.AssignBlock: "set (as a block)",
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "from … import",
    nodes.Extends: "extends",
    nodes.Block: "block",
}
# Filters that give back (some of) the items they were given, and those that give one of them.
_SAME_LIST = frozenset(("list", "reject", "rejectattr", "reverse", "select", "selectattr", "sort", "unique"))
_ONE_OF = frozenset(("first", "last"))

Fault = tuple[int, str]


def faults(
    tree: nodes.Template, names: Mapping[str, Kind], filters: Collection[str], tests: Collection[str]
) -> Iterator[Fault]:
    """Every fault, as its line within the text and a sentence for the template's author."""
    yield from _statements(tree)
    called = list(_called(tree, [name for name in filters if name.isidentifier()], tests))
    yield from called
    if not called:  # meta compiles the template, which an unknown filter stops
        yield from _roots(tree, names)
    yield from _attributes(tree, {**names, **_loop_kinds(tree, names)})


def _statements(tree: nodes.Template) -> Iterator[Fault]:
    for node in tree.find_all(tuple(_STATEMENTS)):
        yield node.lineno, f"a template has no statement «{_STATEMENTS[type(node)]}»"
    for loop in tree.find_all(nodes.For):
        if loop.recursive:
            yield loop.lineno, "a loop cannot be recursive here"


def _roots(tree: nodes.Template, names: Mapping[str, Kind]) -> Iterator[Fault]:
    for name in sorted(meta.find_undeclared_variables(tree) - set(names)):
        line = next((node.lineno for node in tree.find_all(nodes.Name) if node.name == name), 1)
        yield line, f"nothing is called `{name}` here{_meant(name, names, 'there is')}"


def _called(tree: nodes.Template, filters: Collection[str], tests: Collection[str]) -> Iterator[Fault]:
    for node in tree.find_all(nodes.Filter):
        if node.name == "safe":
            if not is_literal(node.node):
                yield node.lineno, "`safe` is only for text written in the template itself, never for what others wrote"
        elif node.name not in filters:
            yield node.lineno, f"no filter is called `{node.name}`{_meant(node.name, filters, 'there is')}"
        elif node.name in ("map", "select", "reject", "selectattr", "rejectattr"):
            yield from _named_filters(node, filters if node.name == "map" else tests)
    for test in tree.find_all(nodes.Test):
        if test.name not in tests:
            yield test.lineno, f"no test is called `{test.name}`{_meant(test.name, tests, 'there is')}"


def is_literal(node: nodes.Node | None) -> bool:
    """Is it text that the template's author has written in quotation marks?"""
    return isinstance(node, nodes.Const) and isinstance(node.value, str)


def _named_filters(node: nodes.Filter, known: Collection[str]) -> Iterator[Fault]:
    """`map("upper")` names a filter, `selectattr("status", "equalto", …)` a test: they must be seen to be known."""
    position = 1 if node.name.endswith("attr") else 0
    for name in node.args[position : position + 1]:
        if not (isinstance(name, nodes.Const) and name.value in known and name.value != "safe"):
            yield node.lineno, f"`{node.name}` must name its filter or test in the template, and an existing one"


def _attributes(tree: nodes.Template, kinds: Mapping[str, Kind]) -> Iterator[Fault]:
    found: list[nodes.Getattr | nodes.Getitem] = [*tree.find_all(nodes.Getattr), *tree.find_all(nodes.Getitem)]
    for node in found:
        name = _key(node)
        if name is None:
            continue
        if name.startswith("_"):
            yield node.lineno, f"`{name}` is nothing that a template may use"
            continue
        kind = kind_of(node.node, kinds)
        if isinstance(kind, type) and name not in ATTRIBUTES[kind]:
            yield node.lineno, f"{CALLED[kind]} has no `{name}`{_meant(name, ATTRIBUTES[kind], 'it has')}"


def _key(node: nodes.Getattr | nodes.Getitem) -> str | None:
    if isinstance(node, nodes.Getattr):
        return node.attr
    return node.arg.value if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str) else None


def _loop_kinds(tree: nodes.Template, names: Mapping[str, Kind]) -> dict[str, Kind]:
    """The kinds of loop variables. A name that is bound anywhere else is anything."""
    kinds: dict[str, Kind] = {}
    for loop in tree.find_all(nodes.For):
        if isinstance(loop.target, nodes.Name):
            kind = item_kind(loop.iter, names)
            kinds[loop.target.name] = kind if kinds.get(loop.target.name, kind) == kind else None
    bound = (name for assign in tree.find_all((nodes.Assign, nodes.With)) for name in assign.find_all(nodes.Name))
    return kinds | {name.name: None for name in bound if name.ctx in ("store", "param")}


def kind_of(node: nodes.Node, kinds: Mapping[str, Kind]) -> Kind:  # noqa: PLR0911 (a table of nodes)
    """What an expression is, as far as can be seen without running it."""
    match node:
        case nodes.Name():
            return kinds.get(node.name)
        case nodes.Getattr() if kind_of(node.node, kinds) is Event and node.attr == "alerts":
            return (Alert,)
        case nodes.Getitem() if isinstance(node.arg, nodes.Slice):
            return kind_of(node.node, kinds)
        case nodes.Getitem() if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, int):
            return item_kind(node.node, kinds)
        case nodes.Filter() if node.node is not None and node.name in _SAME_LIST:
            return kind_of(node.node, kinds)
        case nodes.Filter() if node.node is not None and node.name in _ONE_OF:
            return item_kind(node.node, kinds)
        case _:
            return None


def item_kind(node: nodes.Node, kinds: Mapping[str, Kind]) -> Kind:
    """What the items of an expression are."""
    kind = kind_of(node, kinds)
    return kind[0] if isinstance(kind, tuple) else None


def _meant(name: str, known: Iterable[str], verb: str) -> str:
    words = sorted(word for word in known if word.isidentifier())
    if close := difflib.get_close_matches(name, words, n=1):
        return f"; did you mean `{close[0]}`?"
    return f"; {verb} {', '.join(words)}" if len(words) <= 40 else ""
