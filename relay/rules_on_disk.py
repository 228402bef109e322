"""The rules file and the files that it includes, as they stand on the disk: read, and asked whether they have changed.

Never understands what is in them, and writes nothing.
"""

from __future__ import annotations

import glob
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from stat import S_ISREG

from relay.rules.document import MAX_BYTES
from relay.rules.including import CannotInclude, Found, is_pattern

Stamp = tuple[int, int, int, int]


class RulesOnDisk:
    """One rules file. What it was when it was last read is remembered, so that a change can be told."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.main = ""  # the main file, as it was last read
        self._stamps: dict[Path, Stamp | None] = {}
        self._matches: dict[tuple[Path, str], tuple[Path, ...]] = {}
        self._sum = hashlib.sha256()

    @property
    def digest(self) -> str:
        """The SHA-256 of what was read since the last :meth:`text`, in hex; ``""`` if the main file was not."""
        return self._sum.hexdigest() if self._sum.digest() != hashlib.sha256().digest() else ""

    def text(self) -> str:
        """Read the main file; what it includes has then to be read again by :meth:`include`.

        Raises:
            OSError: it cannot be read.
            UnicodeDecodeError: it is not UTF-8.
        """
        self._stamps, self._matches, self._sum = {}, {}, hashlib.sha256()
        self._stamp(self.path)
        self.main = self._summed(self.path.read_bytes()).decode("utf-8-sig")
        return self.main

    def include(self, pattern: str, beside: str) -> Sequence[Found]:
        """The files that ``beside`` means by a path or pattern: from its own folder, unless the path is absolute.

        Operators own the machine: a path may lead anywhere on it, and a link may be followed.

        Raises:
            CannotInclude: a file is not there, cannot be read, or is not UTF-8.
        """
        folder = Path(beside).parent
        if not is_pattern(pattern):
            return [self._found(Path(os.path.normpath(folder / pattern)))]
        found = self._matches[folder, pattern] = _matching(folder, pattern)
        return [self._found(path) for path in found]

    def has_changed(self) -> bool:
        """Whether any of the files is not as it was when it was read, or a pattern means other files now."""
        return any(_stamp_of(path) != stamp for path, stamp in self._stamps.items()) or any(
            _matching(*asked) != found for asked, found in self._matches.items()
        )

    def _stamp(self, path: Path) -> Stamp | None:
        """Taken before the file is read: what changes meanwhile is then read once more."""
        self._stamps[path] = _stamp_of(path)
        return self._stamps[path]

    def _summed(self, raw: bytes) -> bytes:
        self._sum.update(b"%d:" % len(raw) + raw)  # with its length, so that two files are not one
        return raw

    def _found(self, path: Path) -> Found:
        stamp = self._stamp(path)
        if stamp is None:
            raise CannotInclude(f"there is no file {path}")
        if not S_ISREG(stamp[3]):
            raise CannotInclude(f"{path} is no file: for all in a folder write {path}/*.yaml")
        if stamp[1] > MAX_BYTES:
            raise CannotInclude(f"{path} is larger than {MAX_BYTES:,} bytes")
        try:
            return Found(str(path), self._summed(path.read_bytes()).decode("utf-8-sig"))
        except OSError as fault:
            raise CannotInclude(f"{path}: {fault.strerror}") from None
        except UnicodeDecodeError:
            raise CannotInclude(f"{path} is not UTF-8") from None


def _stamp_of(path: Path) -> Stamp | None:
    """What tells two states of a file apart without reading it; an editor's rename shows in the inode."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino, found.st_mode


def _matching(folder: Path, pattern: str) -> tuple[Path, ...]:
    """The files that a pattern means, sorted. Those whose name begins with a dot are an editor's own, and are not."""
    found = glob.glob(str(Path(glob.escape(str(folder))) / pattern), recursive=True)  # noqa: PTH207 - takes a pattern that is absolute, too
    return tuple(sorted(Path(os.path.normpath(path)) for path in found if Path(path).is_file()))
