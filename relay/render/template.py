"""Templates and one-line texts of the rules file, compiled once when the rules are loaded.

Never renders: that is wording.py, which also knows what to do when a template fails.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from relay.model import Event
from relay.render import check, colour
from relay.render.attach import CompiledBlock, compile_block
from relay.render.bbcode import BREAK, REFERENCE, one_line
from relay.render.blocks import TemplateSpec
from relay.render.jinja import Text, Variables, compile_text
from relay.render.reader import Reader

MAX_LINE = 246  # a uniqueness tag: 255 less the prefix that the portal puts before it (im module, MP|xxxxx|)

Complain = Callable[[tuple[str | int, ...], str], None]


@dataclass(frozen=True)
class Template:
    """A compiled template. ``broken``: there were complaints, and it will never be used."""

    text: Text
    color: Text
    description: Text
    blocks: tuple[CompiledBlock, ...] = field(repr=False)
    broken: bool = False


def compile_template(spec: TemplateSpec, complain: Complain) -> Template:
    """Compile a template. ``complain(path inside the template, sentence)`` is called for each fault."""
    faults: list[str] = []

    def noted(path: tuple[str | int, ...], sentence: str) -> None:
        faults.append(sentence)
        complain(path, sentence)

    def text(name: str, source: str) -> Text:
        return compile_text(source, name, check.NAMES, lambda sentence: noted((name,), sentence))

    if not spec.text.strip():
        noted(("text",), "is empty: the portal refuses a notification without text")
    if spec.color and "{" not in spec.color and not colour.known(spec.color):
        words = ", ".join((*colour.NAMES, *sorted(colour.TOKENS)))
        noted(("color",), f"is no colour; write #rrggbb or one of {words}")
    return Template(
        text=text("text", spec.text),
        color=text("color", spec.color),
        description=text("description", spec.description),
        blocks=tuple(compile_block(block, ("blocks", i), check.NAMES, noted) for i, block in enumerate(spec.blocks)),
        broken=bool(faults),
    )


@dataclass(frozen=True)
class Line:
    """A one-line text such as a rule's `tag:`."""

    text: Text

    def render(self, *, event: Event, person: Reader | str, rule: str) -> str:
        """The line, unescaped, of at most 246 characters; ``""`` if the template fails.

        What is cut ends in a hash of the whole, so that two long lines that begin alike stay two.
        """
        reader = person if isinstance(person, Reader) else Reader(name=person)
        try:
            words = self.text.words(Variables(event=event, person=reader, rule=rule))
        except Exception:  # a template may raise anything; without a tag the message merely replaces nothing
            return ""
        line = REFERENCE.sub("$" + BREAK, one_line(words)).strip()
        if len(line) <= MAX_LINE:
            return line
        return f"{line[: MAX_LINE - 17]}~{hashlib.sha256(line.encode()).hexdigest()[:16]}"


def compile_line(source: str, complain: Complain) -> Line:
    """Compile a one-line text. ``complain((), sentence)`` is called for each fault."""
    return Line(compile_text(source, "line", check.NAMES, lambda sentence: complain((), sentence)))
