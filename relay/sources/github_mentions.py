"""Who is called by name in a Markdown text: ``@login`` and ``@org/team``, as GitHub itself would notify them.

Never looks anybody up: whether such a person exists is the rules' business. Every step is linear in the text's
length, because strangers write these texts while the sender waits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

FENCE = re.compile(r"\s*(?:[-*+]\s+|\d{1,9}[.)]\s+)?(`{3,}|~{3,})(.*)")
QUOTE = re.compile(r"\s{0,3}>")
COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
PARAGRAPH_END = re.compile(r"\n[ \t]*\n")

# GitHub docs, «Username considerations»: letters, digits and single hyphens inside, at most 39 of them; managed
# users end in an underscore and their company's short code. What stands before rules out e-mail addresses and
# paths; what stands after rules out longer words, host names and paths.
NAME = r"[a-z\d](?:[a-z\d]|-(?=[a-z\d])){0,38}(?:_[a-z\d]+)?"
MENTION = re.compile(
    rf"(?<![a-z\d/@])@({NAME}(?:/[a-z\d][\w-]{{0,99}})?)(?![a-z\d@/-]|[_.]\w)", re.ASCII | re.IGNORECASE
)


def mentioned(markdown: str) -> tuple[str, ...]:
    """The names called in ``markdown``, without the ``@``, each once, in the order of the text.

    Code, quotes and HTML comments call nobody.
    """
    if "@" not in markdown:  # as in most texts: no code need be looked for in them
        return ()
    said = "\n\n".join(_without_code(part) for part in PARAGRAPH_END.split(_own_words(markdown)))
    return once(MENTION.findall(COMMENT.sub(" ", said)))


def once(names: Iterable[str]) -> tuple[str, ...]:
    """Each name once, in the spelling met first: GitHub compares logins without case."""
    spelling: dict[str, str] = {}
    for name in names:
        spelling.setdefault(name.casefold(), name)
    return tuple(spelling.values())


def _own_words(markdown: str) -> str:
    """The text less its fenced code blocks and quoted lines."""
    return "\n".join(_outside_fences(markdown.splitlines()))


def _outside_fences(lines: list[str]) -> Iterator[str]:
    """A fence is closed by its own sign, at least as often, and nothing else (CommonMark §4.5)."""
    fence = ""
    for line in lines:
        mark, rest = match.groups() if (match := FENCE.match(line)) else ("", "")
        if fence:
            if mark.startswith(fence) and not rest.strip():
                fence = ""
        elif mark and not (mark[0] == "`" and "`" in rest):
            fence = mark
            yield ""  # a block ends the paragraph before it
        elif QUOTE.match(line):
            yield ""
        else:
            yield line


def _without_code(paragraph: str) -> str:
    """The paragraph less its code spans: from a run of backticks to the next run as long (CommonMark §6.1)."""
    parts = re.split(r"(`+)", paragraph)  # text, run, text, run, …, text
    last = {run: place for place, run in enumerate(parts) if place % 2}
    said, place = [], 0
    while place < len(parts):
        part = parts[place]
        if place % 2 and last[part] > place:
            place = parts.index(part, place + 1)
            part = "`"
        said.append(part)
        place += 1
    return "".join(said)
