"""The texts and expressions of a template: compiled in the sandbox, run over an event, metered.

Never escapes: what they give keeps the template's markup and strangers' words apart, and writer.py writes them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from jinja2 import Template, TemplateSyntaxError, nodes
from jinja2.runtime import Undefined

from relay.model import Event
from relay.render import check, filters
from relay.render.bbcode import Context
from relay.render.meter import MAX_ITEMS, MAX_TEXT, Meter
from relay.render.reader import Reader
from relay.render.sandbox import Guard, Sandbox
from relay.render.writer import write

MAX_SOURCE = 20_000  # characters of one template text

_sandbox = Sandbox()


@dataclass(frozen=True)
class Variables:
    """What one rendering may see and spend."""

    event: Event
    person: Reader
    rule: str
    meter: Meter = field(default_factory=Meter)
    item: Any = None
    events: tuple[Event, ...] = ()  # that the event stands for; none: for itself

    def having(self, item: Any) -> Variables:
        return replace(self, item=item)

    def named(self) -> dict[str, Any]:
        return {
            "event": self.event,
            "events": self.events or (self.event,),
            "person": self.person,
            "rule": self.rule,
            "item": self.item,
            "_meter": self.meter,
        }


@dataclass(frozen=True)
class Text:
    """One text of a template, compiled; or a constant, which needs no compiling."""

    place: str
    constant: str = ""
    template: Template | None = None

    def chunks(self, variables: Variables) -> Iterator[str]:
        """The template's own text as ``str``, what it prints as ``Rich``; made as they are taken."""
        variables.meter.place = self.place
        if self.template is None:
            yield self.constant
            return
        for chunk in self.template.generate(variables.named()):
            variables.meter.spend()
            yield chunk

    def write(self, variables: Variables, context: Context, *, limit: int) -> str:
        """As BB-code."""
        return write(self.chunks(variables), context, limit=limit)

    def words(self, variables: Variables, *, limit: int = MAX_TEXT) -> str:
        """As bare text, nothing escaped: for numbers, addresses and tags."""
        text = ""
        for chunk in self.chunks(variables):
            text += str.__str__(chunk)
            if len(text) > limit:
                break
        return text[:limit]


@dataclass(frozen=True)
class Expression:
    """One expression of a template, such as what a block is repeated for."""

    place: str
    template: Template

    def items(self, variables: Variables) -> list[Any]:
        """The items of its value; of an object, its pairs; of anything that has none, none."""
        variables.meter.place = self.place
        value: Any = getattr(self.template.make_module(variables.named()), "result", None)
        if isinstance(value, Mapping):
            value = filters.items(value)
        if isinstance(value, str | Undefined) or not isinstance(value, Iterable):
            return []
        return list(itertools.islice(value, MAX_ITEMS))


Complain = Callable[[str], None]


def compile_text(source: str, place: str, names: Mapping[str, check.Kind], complain: Complain) -> Text:
    """Compile a text; each fault is a complaint, and then what is returned is empty."""
    if "{" not in source:
        return Text(place, constant=source)
    template = _compile(source, names, complain)
    return Text(place, template=template)


def compile_expression(
    source: str, place: str, names: Mapping[str, check.Kind], complain: Complain
) -> Expression | None:
    """Compile an expression, given without braces."""
    template = _compile("{% set result = (" + source + ") %}", names, complain)
    return Expression(place, template) if template else None


def kind_of_items(source: str, names: Mapping[str, check.Kind]) -> check.Kind:
    """What the items of an expression are, as far as can be seen: alerts, or anything."""
    try:
        tree = _sandbox.parse("{% set result = (" + source + ") %}")
    except (TemplateSyntaxError, RecursionError):
        return None
    assign = tree.find(nodes.Assign)
    return check.item_kind(assign.node, names) if assign else None


def _compile(source: str, names: Mapping[str, check.Kind], complain: Complain) -> Template | None:
    if len(source) > MAX_SOURCE:
        complain(f"is {len(source)} characters long; {MAX_SOURCE} is the most")
        return None
    try:
        tree = _sandbox.parse(source)
        faults = list(check.faults(tree, names, _sandbox.filters, _sandbox.tests))
        for line, sentence in faults:
            complain(_at(source, line, sentence))
        if faults:
            return None
        code = _sandbox.compile(Guard().visit(tree))
    except TemplateSyntaxError as error:
        complain(_at(source, error.lineno, error.message or "cannot be read as a template"))
        return None
    except (RecursionError, SyntaxError, MemoryError):  # the last two are Python's own, for too many levels
        complain("is nested too deeply to be compiled")
        return None
    return Template.from_code(_sandbox, code, {})


def _at(source: str, line: int, sentence: str) -> str:
    return f"line {line}: {sentence}" if "\n" in source.strip() else sentence
