"""The list of everything wrong with a rules file, each at its line and column.

Never stops at the first fault, and never tells the same place twice of a variable that is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from relay.errors import Complaint, Level, in_order
from relay.rules.document import Document, Path, Place
from relay.rules.environment import unrepeated

Complain = Callable[[Path, str], None]

NOWHERE = Document(None)


class Complaints:
    """Collects complaints about one file. ``document`` is set once there is one to look places up in.

    ``values`` are what no complaint may repeat, each with what is written in its place.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self.document = NOWHERE
        self.values: Mapping[str, str] = {}
        self.found: set[Complaint] = set()
        self._settled: set[Path] = set()

    def at_place(self, place: Place, path: Path, message: str, file: str = "", level: Level = "error") -> None:
        """Complain about a place of this file, or of another."""
        self._add(place, path, message, level, file=file)

    def error(self, path: Path, message: str) -> None:
        """Complain about the value at ``path``."""
        if not self.is_settled(path):
            self._add(self.document.place(path), path, message, "error")

    def key(self, path: Path, message: str) -> None:
        """Complain about the key that ends ``path``."""
        self._add(self.document.place(path, key=True), path, message, "error")

    def within(self, path: Path, line: int, column: int, message: str) -> None:
        """Complain about a line and column within the text at ``path``; both count from 1."""
        if not self.is_settled(path):
            self._add(self.document.within(path, line, column), path, message, "error")

    def warning(self, path: Path, message: str, code: str = "") -> None:
        self._add(self.document.place(path), path, message, "warning", code)

    def settling(self, path: Path, message: str) -> None:
        """Complain of a value of which nothing else is worth saying until this is mended."""
        self._add(self.document.place(path), path, message, "error")
        self._settled.add(path)

    def is_settled(self, path: Path) -> bool:
        return any(path[:end] in self._settled for end in range(1, len(path) + 1))

    def below(self, *prefix: str | int) -> Complain:
        """A complaint box for the part of the file under ``prefix``, whose paths are relative to it."""
        return lambda path, message: self.error((*prefix, *path), message)

    @property
    def errors(self) -> tuple[Complaint, ...]:
        return self._of_level("error")

    @property
    def warnings(self) -> tuple[Complaint, ...]:
        return self._of_level("warning")

    def _of_level(self, level: Level) -> tuple[Complaint, ...]:
        return in_order(complaint for complaint in self.found if complaint.level == level)

    def _add(  # noqa: PLR0917
        self,
        place: Place,
        path: Path,
        message: str,
        level: Level,
        code: str = "",
        file: str = "",
    ) -> None:
        where = ".".join(map(str, path))
        file = file or self.document.file(path) or self.file
        message = unrepeated(message, self.values)
        self.found.add(Complaint(place.line, place.column, where, message, level, file, code))
