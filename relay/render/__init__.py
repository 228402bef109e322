"""In what words? Templates and events become the text and the blocks of a notification, in the reader's language.

Never decides who is told, and never sends. Strangers' text passes through here and comes out as words, whatever it
tried to be.
"""

from __future__ import annotations

from relay.render.bbcode import plain
from relay.render.blocks import TemplateSpec
from relay.render.reader import Reader
from relay.render.template import Line, Template, compile_line, compile_template
from relay.render.wording import Wording, compose

__all__ = [
    "Line",
    "Reader",
    "Template",
    "TemplateSpec",
    "Wording",
    "compile_line",
    "compile_template",
    "compose",
    "plain",
]
