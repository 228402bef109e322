"""`include:` followed: the sections of several files made one document, in which every part knows its own file.

Never opens a file: how one is read is handed in. It is as if the files' sections were written in the main file:
mappings are merged, and a name that is given twice is a fault; of lists, such as `rules`, those of a file come before
those of the files that it includes, in the order in which it names them. Which portal is the only one, and what becomes
of events that no rule wants, the main file alone says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from relay.rules import document
from relay.rules.complaints import Complaints
from relay.rules.document import Document, Path, Place, Unreadable
from relay.rules.environment import substitute
from relay.rules.language import INCLUDE, VERSION

MAX_DEPTH = 10
MAX_FILES = 500

_MAIN_ONLY = {"portal": "portals:", "default": "a last rule without when:"}


class Found(NamedTuple):
    """A file that is included. ``name`` is one and the same whoever includes it, and what complaints call it."""

    name: str
    text: str


class CannotInclude(Exception):
    """A file cannot be read; the text says why, and what to do."""


# A path or pattern, and the name of the file that says it → the files, in the order of their names.
Reader = Callable[[str, str], Sequence[Found]]


def is_pattern(path: str) -> bool:
    """Whether a path means whatever files there are (`rules.d/*.yaml`), be it none, and not one certain file."""
    return any(sign in path for sign in "*?[")


class Home(NamedTuple):
    """Where a part of the whole stands: its file, and its path there."""

    file: str
    document: Document
    path: Path


@dataclass(frozen=True, slots=True)
class Gathered(Document):
    """Several documents as one. ``homes`` are those of the parts that the main file does not hold itself."""

    homes: Mapping[Path, Home] = field(default_factory=dict)

    def place(self, path: Path, *, key: bool = False) -> Place:
        home = self.home(path)
        return home.document.place(home.path, key=key) if home else Document.place(self, path, key=key)

    def within(self, path: Path, line: int, column: int) -> Place:
        home = self.home(path)
        return home.document.within(home.path, line, column) if home else Document.within(self, path, line, column)

    def file(self, path: Path) -> str:
        home = self.home(path)
        return home.file if home else ""

    def home(self, path: Path) -> Home | None:
        """The home of whatever stands at ``path``; sections and what they name have one each."""
        for length in (2, 1):
            found = self.homes.get(path[:length])
            if found:
                return found._replace(path=(*found.path, *path[length:]))
        return None


def gather(main: Document, *, env: Mapping[str, str], reader: Reader | None, complaints: Complaints) -> Document:
    """Follow `include:` in a document whose data is a mapping; without one there, the same document.

    Args:
        main: the main file, read.
        env: where ``${NAME}`` in a path is looked up.
        reader: how a file is read; ``None`` where there are none to be had.
        complaints: told of everything wrong with the inclusion, and with the included files as YAML.
    """
    if INCLUDE not in main.data:
        return main
    gathering = _Gathering(env, reader, complaints, blanks=[*main.blanks])
    gathering.data = {key: value for key, value in main.data.items() if key != INCLUDE}
    gathering.follow(complaints.file, main, [complaints.file])
    return Gathered(gathering.data, main.root, tuple(gathering.blanks), main.text, gathering.homes)


@dataclass(slots=True)
class _Gathering:
    env: Mapping[str, str]
    reader: Reader | None
    complaints: Complaints
    blanks: list[Path]
    data: dict[str, Any] = field(default_factory=dict)
    homes: dict[Path, Home] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)  # by file, the one that includes it

    def follow(self, file: str, here: Document, above: Sequence[str]) -> None:
        """Take in everything that a file includes. ``above`` are the files on the way to it, itself the last."""

        def complain(path: Path, message: str) -> None:
            self.complaints.at_place(here.place(path), path, message, file)

        for path, pattern in self.patterns(here, complain):
            if len(above) > MAX_DEPTH:
                complain(
                    path, f"is the {MAX_DEPTH + 1}th file that includes another: include it nearer to the main file"
                )
                continue
            for found in self.found(pattern, file, here, path):
                if found.name in self.seen or found.name in above:
                    if not is_pattern(pattern):
                        by = self.seen.get(found.name)
                        complain(path, f"is included already, by {by}" if by else "includes itself")
                    continue
                self.seen[found.name] = file
                if len(self.seen) > MAX_FILES:
                    complain(path, f"makes more than {MAX_FILES} files")
                    return
                self.add(found, above)

    def patterns(self, here: Document, complain: Callable[[Path, str], None]) -> Iterator[tuple[Path, str]]:
        faulty: set[Path] = set()

        def settle(path: Path, message: str) -> None:
            faulty.add(path)
            complain(path, message)

        said = substitute(here.data.get(INCLUDE, []), self.env, settle, (INCLUDE,))
        parts: list[tuple[Path, Any]] = [((INCLUDE,), said)]
        if isinstance(said, list):
            parts = [((INCLUDE, at), each) for at, each in enumerate(said)]
        for path, each in parts:
            if not isinstance(each, str) or not each:
                complain(path, "must be a file beside this one, such as people.yaml or rules.d/*.yaml")
            elif path not in faulty:
                yield path, each

    def found(self, pattern: str, file: str, here: Document, path: Path) -> Sequence[Found]:
        try:
            if self.reader is None:
                raise CannotInclude("cannot be followed here: write what is in it into this file")
            found = self.reader(pattern, file)
        except CannotInclude as fault:
            self.complaints.at_place(here.place(path), path, str(fault), file)
            return ()
        if not found:
            self.complaints.at_place(here.place(path), path, "no file is called so, yet", file, "warning")
        return found

    def add(self, found: Found, above: Sequence[str]) -> None:
        """Take in one file, and what it includes."""

        def fault(place: Place, path: Path, message: str) -> None:
            self.complaints.at_place(place, path, message, found.name)

        try:
            here = document.read(found.text.removeprefix("\ufeff"), fault)
        except Unreadable as unreadable:
            fault(unreadable.place, (), unreadable.message)
            return
        if not isinstance(here.data, dict):
            fault(here.place(()), (), "must be a mapping of sections, such as people: or rules:")
            return
        for section, value in here.data.items():
            if section != INCLUDE:
                self.take(section, value, Home(found.name, here, (section,)))
        if here.blanks:
            self.take_blanks(here, fault)
        self.follow(found.name, here, [*above, found.name])

    def take(self, section: str, value: Any, home: Home) -> None:
        """Take in one section of a file."""
        mine = self.data.get(section)
        if section == "version":
            if value != VERSION or isinstance(value, bool):
                self.fault(home, f"must be {VERSION}, the only version there is")
        elif section in _MAIN_ONLY:
            self.fault(home, f"stands in the main file alone: here, use {_MAIN_ONLY[section]}", key=True)
        elif mine is None and isinstance(value, dict | list):
            self.homes[home.path] = home
            self.data[section] = type(value)()
            self.take(section, value, home)
        elif isinstance(mine, dict) and isinstance(value, dict):
            self.data[section] = mine | self.names(mine, value, home)
        elif isinstance(mine, list) and isinstance(value, list):
            for at in range(len(value)):
                self.homes[(section, len(mine) + at)] = home._replace(path=(section, at))
            self.data[section] = mine + value
        else:
            self.fault(home, "must be a list" if isinstance(mine, list) else "must be a mapping (name: …)")

    def names(self, mine: Mapping[str, Any], value: Mapping[str, Any], home: Home) -> dict[str, Any]:
        """What is new in a section; what is there already is a fault that names both places."""
        (section,) = home.path
        new = {}
        for name, each in value.items():
            here = home._replace(path=(section, name))
            if name in mine:
                self.fault(here, f"is also {self.where((section, name))}: one of them has to go", key=True)
            else:
                self.homes[here.path] = here
                new[name] = each
        return new

    def where(self, path: Path) -> str:
        so_far = Gathered(self.data, self.complaints.document.root, homes=self.homes)
        place = so_far.place(path, key=True)
        return f"at {so_far.file(path) or self.complaints.file}:{place.line}:{place.column}"

    def fault(self, home: Home, message: str, *, key: bool = False) -> None:
        self.complaints.at_place(home.document.place(home.path, key=key), home.path, message, home.file)

    def take_blanks(self, here: Document, fault: document.Fault) -> None:
        """Of a value that is missing, the whole document tells; of a section that is, nothing of it was taken in."""
        mine = {home.path: path for path, home in self.homes.items() if home.document is here}
        for path in here.blanks:
            if path[:2] in mine and len(path) > 1:
                self.blanks.append((*mine[path[:2]], *path[2:]))
            else:
                fault(here.place(path), path, document.BLANK)
