"""An event in words, for one reader: the text, the blocks below it, and a note where something went wrong.

Never raises, and never sends: whatever an event holds and whatever a template does, somebody is told something.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from relay.model import Event
from relay.render import colour
from relay.render.attach import MAX_ATTACH, build, more
from relay.render.bbcode import Context, Rich, Words, plain
from relay.render.defaults import default_template
from relay.render.jinja import Variables
from relay.render.markdown import link
from relay.render.reader import Reader
from relay.render.template import Template
from relay.render.writer import write

# The portal cuts MESSAGE at 20 000 characters, and may put an application's name before it.
MAX_TEXT = 19_000
MAX_DESCRIPTION = 250


@dataclass(frozen=True)
class Wording:
    """``attach`` is ATTACH in the portal's shape, or ``None``; ``note`` is for the operator, ``""`` if all is well."""

    text: str
    attach: Mapping[str, Any] | None
    note: str


def compose(
    event: Event, template: Template | None, *, reader: Reader, rule: str, events: Sequence[Event] = ()
) -> Wording:
    """Word ``event`` by ``template``, or by the built-in one for it and the reader's language.

    ``events`` are those that it stands for, where it stands for several.

    A template that fails, or says nothing, is replaced by the built-in one, and the note says so.
    """
    notes = []
    if template is not None:
        wording, why = _attempt(event, template, reader, rule, events)
        if wording is not None:
            return wording
        notes.append(f"the template failed: {why}; the built-in one was used")
    wording, why = _attempt(event, None, reader, rule, events)
    if wording is None:
        notes.append(f"the built-in template failed: {why}; only the title was sent")
        wording = _bare(event)
    return Wording(wording.text, wording.attach, "; ".join([*notes, wording.note] if wording.note else notes))


def _attempt(
    event: Event, template: Template | None, reader: Reader, rule: str, events: Sequence[Event]
) -> tuple[Wording | None, str]:
    """The wording, or none and why."""
    variables = Variables(event=event, person=reader, rule=rule, events=tuple(events))
    try:
        template = template or default_template(event, reader.locale)
        if template.broken:
            return None, "it does not compile"
        wording = _word(template, variables)
    # A template is a program: it may raise anything. The exception's text may quote a stranger, its type does not.
    except Exception as error:
        return None, f"{type(error).__name__} at {variables.meter.place}"
    if not plain(wording.text).strip():
        return None, "its text came out empty"
    return wording, ""


def _word(template: Template, variables: Variables) -> Wording:
    text = template.text.write(variables, Context.MESSAGE, limit=MAX_TEXT)
    blocks, left_out = build(template.blocks, variables)
    notes = [f"the text was cut at {MAX_TEXT} characters"] if len(text) > MAX_TEXT - 20 else []
    if left_out:
        blocks.append(more(left_out, variables))
        notes.append(f"{left_out} blocks or rows were left out: ATTACH would have grown over {MAX_ATTACH} characters")
    attach = _attach(template, variables, blocks) if blocks else None
    return Wording(text, attach, "; ".join(notes))


def _attach(template: Template, variables: Variables, blocks: list[dict[str, Any]]) -> dict[str, Any]:
    event = variables.event
    wanted = template.color.words(variables, limit=100).strip()
    attach: dict[str, Any] = colour.attach_colour(wanted if colour.known(wanted) else colour.of(event))
    description = template.description.write(variables, Context.ATTACH, limit=MAX_DESCRIPTION)
    # Without a description push would show «[Attachment]» behind the text.
    description = description or write([Words(event.repo or event.source)], Context.ATTACH, limit=MAX_DESCRIPTION)
    if description:
        attach["DESCRIPTION"] = description.replace("\n", " ")
    attach["BLOCKS"] = blocks
    return attach


def _bare(event: Event) -> Wording:
    """What can be said without any template."""
    title = event.title.strip() or " ".join((event.source, event.event))
    return Wording(write([Rich(link(event.url, title[:500]))], Context.MESSAGE, limit=MAX_TEXT) or "—", None, "")
