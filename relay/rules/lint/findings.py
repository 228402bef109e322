"""The kinds of findings, how grave each is, and how one is silenced: `--ignore CODE`, or `# ignore: CODE` in the file.

Never silences an error: a file that cannot be used has to be mended.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from relay.errors import Complaint, Level
from relay.rules.document import Document, Path
from relay.rules.environment import unrepeated
from relay.rules.sentences import did_you_mean

# The first three are found when the file is loaded. README.md explains them all.
CODES: Mapping[str, Level] = {
    "no-id": "warning",
    "clear-secret": "warning",
    "dead-time": "warning",
    "shadowed": "warning",
    "contradiction": "warning",
    "never-sent": "warning",
    "same-tag": "warning",
    "no-such-field": "warning",
    "template-fails": "warning",
    "cut": "warning",
    "unused-template": "warning",
    "bad-ignore": "warning",
    "looked-up": "note",
    "unused-person": "note",
    "unused-team": "note",
    "unused-source": "note",
    "bad-fixture": "note",
}

Texts = Mapping[str, str]  # by the name of a file

_COMMENT = re.compile(r"(?:^|\s)#\s*ignore:\s*([\w-]+(?:\s*,\s*[\w-]+)*)")


class Findings:
    """Collects what is found. ``file`` is the main file's name; what it includes the document knows.

    ``values`` are what no finding may repeat (`relay.rules.environment.values`).
    """

    def __init__(self, file: str, document: Document, values: Mapping[str, str]) -> None:
        self.file = file
        self._document = document
        self._values = values
        self.found: dict[Complaint, None] = {}  # an ordered set

    def add(self, code: str, path: Path, message: str, *, key: bool = False) -> None:
        """A finding about the value at ``path``, or about the key that ends it."""
        place = self._document.place(path, key=key)
        file = self._document.file(path) or self.file
        says = unrepeated(message, self._values)
        self._keep(Complaint(place.line, place.column, ".".join(map(str, path)), says, CODES[code], file, code))

    def bad_comments(self, texts: Texts) -> None:
        """Find comments that silence what there is not."""
        for file, text in texts.items():
            for number, line in enumerate(text.splitlines(), start=1):
                for code in _codes(line) - set(CODES):
                    says = f"no finding is called {code}{did_you_mean(code, CODES)}"
                    column = line.index("ignore:") + 1
                    self._keep(Complaint(number, column, "", says, CODES["bad-ignore"], file, "bad-ignore"))

    def _keep(self, found: Complaint) -> None:
        self.found[found] = None


def unsilenced(found: Iterable[Complaint], texts: Texts, ignore: Collection[str]) -> Iterator[Complaint]:
    """Those that neither ``ignore`` nor a comment in their file silences."""
    silenced = {file: _comments(text) for file, text in texts.items() if "ignore:" in text}
    for each in found:
        here = silenced.get(each.file, {}).get(each.line, ())
        if each.level == "error" or not (each.code in ignore or each.code in here):
            yield each


def _comments(text: str) -> Mapping[int, Collection[str]]:
    """By line, the codes that a comment silences there: its own line, or the next one if it stands alone."""
    silenced: dict[int, set[str]] = {}
    waiting: set[str] = set()
    for number, line in enumerate(text.splitlines(), start=1):
        codes = _codes(line)
        if line.strip().startswith("#") or not line.strip():
            waiting |= codes
        else:
            silenced[number] = codes | waiting
            waiting = set()
    return silenced


def _codes(line: str) -> set[str]:
    match = _COMMENT.search(line) if "ignore:" in line else None
    return {code.strip() for code in match[1].split(",")} if match else set()
