"""Jinja in a sandbox that is also a guard against waste.

Never runs anything but a few methods of texts, lists and objects, and never makes more of them than a message holds.
Jinja's own sandbox keeps a template away from Python's insides, but lets it fill the memory in one expression; what
is taken away or bounded here is what did so. A template's author is trusted, so this guards against mistakes.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable, Mapping
from typing import Any, NoReturn

from jinja2 import ChainableUndefined, nodes, pass_context
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context as Scope
from jinja2.runtime import LoopContext, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from relay.render import check, filters, values
from relay.render.bbcode import Rich
from relay.render.meter import MAX_ITEMS, TooMuch

_METHODS: Mapping[type, frozenset[str]] = {
    str: frozenset(
        ("count", "endswith", "find", "isdigit", "lower", "lstrip", "partition", "removeprefix", "removesuffix")
    )
    | {"rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith", "strip", "title", "upper"},
    Mapping: frozenset(("get", "items", "keys", "values")),
    list: frozenset(("count", "index")),
    tuple: frozenset(("count", "index")),
    LoopContext: check.LOOP,
}
_WORDS = check.ATTRIBUTES  # the attributes of what templates are given: Event, Alert, Reader


class Sandbox(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset(("+", "*", "**", "%"))

    def __init__(self) -> None:
        super().__init__(
            undefined=ChainableUndefined, finalize=_printed, trim_blocks=True, lstrip_blocks=True, optimized=False
        )
        self.globals.clear()
        filters.install(self)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Of an object from outside, its own keys come first: a label may be called `items`."""
        if isinstance(obj, Undefined):  # nothing within nothing is nothing
            return obj
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Of a mapping nothing but its keys: an action may be called `update`, and is no word for that."""
        if isinstance(obj, Mapping):
            return obj[argument] if isinstance(argument, Hashable) and argument in obj else self.undefined(obj=obj)
        return super().getitem(obj, argument)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ARG002 (Jinja's signature)
        if type(obj) in _WORDS:
            return attr in _WORDS[type(obj)]
        return any(attr in names for kind, names in _METHODS.items() if isinstance(obj, kind))

    def unsafe_undefined(self, obj: Any, attribute: str) -> NoReturn:  # noqa: ARG002 (Jinja's signature)
        raise SecurityError(f"{attribute} is nothing that a template may use")

    def wrap_str_format(self, value: Any) -> None:
        """No sandbox for `format`: in Jinja's own `{:>300000000}` still fills the memory. It stays unsafe."""

    def call_binop(self, context: Scope, sign: str, left: Any, right: Any) -> Any:  # noqa: ARG002 (Jinja's signature)
        if isinstance(left, Undefined) or isinstance(right, Undefined):
            left, right = ("" if isinstance(side, Undefined) else side for side in (left, right))
        both = (left, right)
        if all(isinstance(side, int | float) for side in both):
            return _calculated(sign, left, right)
        if sign == "+" and all(isinstance(side, str) for side in both):
            return filters.concat(both)
        if sign == "+" and all(isinstance(side, list | tuple) for side in both):
            if len(left) + len(right) > MAX_ITEMS:
                raise TooMuch
            return [*left, *right]
        raise SecurityError(f"{sign} is for numbers here")


def _calculated(sign: str, left: float, right: float) -> float:
    if sign == "**" or max(abs(left), abs(right)) > 1e30:
        raise SecurityError("a number grows too large")
    table: Mapping[str, Callable[[float, float], float]] = {"+": operator.add, "*": operator.mul, "%": operator.mod}
    return table[sign](left, right)


@pass_context  # which also keeps Jinja from printing constants while it compiles: they would come out as markup
def _printed(scope: Scope, value: Any) -> Rich:  # noqa: ARG001 (Jinja's signature)
    return values.read(value)


class Guard(NodeTransformer):
    """Puts a meter into every loop, a bounded join in the place of `~`, and trust where the author said `safe`."""

    def visit_For(self, node: nodes.For) -> nodes.Node:
        self.generic_visit(node)
        return nodes.For(
            node.target,
            _filter(node.iter, "for …"),
            node.body,
            node.else_,
            node.test,
            node.recursive,
            lineno=node.lineno,
            environment=node.environment,
        )

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        return _filter(nodes.List(node.nodes, lineno=node.lineno), "~")

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:
        self.generic_visit(node)
        if node.name == "safe" and check.is_literal(node.node):
            node.name = "safe …"
        return node


def _filter(node: nodes.Node, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)
