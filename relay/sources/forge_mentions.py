"""Who is called by name in the Markdown of GitLab, Gitea, Forgejo and Gogs: ``@login`` and ``@group/subgroup``.

Never looks anybody up, and never reads Markdown itself: which words are code, quotes or comments, `github_mentions`
knows for all of them. Only the names differ: these may hold dots and underscores, and be longer.
"""

from __future__ import annotations

import re

from relay.sources import github_mentions
from relay.sources.github_mentions import once

# GitLab docs, «Reserved project and group names», and its path format; Gitea, modules/validation: letters, digits and
# «_-.» inside, none of «-.» at the end. What stands before rules out e-mail addresses and paths, what stands after
# longer words and addresses.
NAME = r"[a-z\d_](?:[a-z\d_.-]{0,253}[a-z\d_])?"
MENTION = re.compile(rf"(?<![a-z\d/@])@({NAME}(?:/{NAME})*)(?![\w@/]|[.-]+[\w@/])", re.ASCII | re.IGNORECASE)
STAND_IN = re.compile(r"n(\d+)n")


def mentioned(markdown: str) -> tuple[str, ...]:
    """The names called in ``markdown``, without the ``@``, each once, in the order of the text."""
    names: list[str] = []

    def stand_in(match: re.Match[str]) -> str:
        names.append(match[1])
        return f"@n{len(names) - 1}n"  # a name that GitHub could have too

    called = map(STAND_IN.fullmatch, github_mentions.mentioned(MENTION.sub(stand_in, markdown)))
    return once(names[int(match[1])] for match in called if match and int(match[1]) < len(names))
