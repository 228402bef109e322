"""The wiring: what each corridor is given. The rules file is read and watched here, and the database opened.

Never does a corridor's work.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from relay import authorisation, failpoint, log, rules
from relay.bitrix import address, pace
from relay.bitrix.options import PortalOptions
from relay.courier import Destination
from relay.errors import BadRules, Complaint, RelayError
from relay.rules import Rules
from relay.settings import Settings
from relay.store import journal
from relay.store.database import Database
from relay.store.group_commit import GroupCommit
from relay.store.journal import Arrival, Receipt


class NoRules(RelayError):
    """The rules file cannot be read."""


class RulesFile:
    """The rules, read from their file, and read anew when it changes. A bad file never replaces good rules."""

    def __init__(self, path: Path, env: Mapping[str, str]) -> None:
        self._path = path
        self._env = env
        self._stamp = self._look()
        self.current: Rules = read_rules(path, env)

    def refresh(self) -> bool:
        """Read the file again if it has changed; say loudly what is wrong with it. ``True`` if the rules are new."""
        stamp = self._look()
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        try:
            self.current = read_rules(self._path, self._env)
        except (BadRules, NoRules) as fault:
            log.trouble("rules: the changed file is refused, the rules before it stay", why=str(fault))
            return False
        log.line("rules: read anew", file=self._path, warnings=len(self.current.warnings))
        return True

    def _look(self) -> tuple[int, int, int] | None:
        """What tells two states of the file apart without reading it; an editor's rename shows in the inode."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


def read_rules(path: Path, env: Mapping[str, str]) -> Rules:
    """Read and check a rules file.

    Raises:
        NoRules: there is no such file, or it cannot be opened.
        BadRules: with every complaint about it.
    """
    try:
        raw = path.read_bytes()
    except OSError as fault:
        raise NoRules(f"{path}: {fault.strerror}; name the rules file by RELAY_RULES") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadRules([Complaint(1, 1, "", "the file is not UTF-8", file=str(path))]) from None
    return rules.load(text, env=env, file=str(path))


ASSIGNMENT = re.compile(r"\s*(?:export\s+)?(\w+)\s*=\s*(.*?)\s*")


def with_dotenv(env: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The environment, with what a ``.env`` file beside the rules adds. What is set already wins."""
    try:
        lines = (folder / ".env").read_text(encoding="utf-8").splitlines()
    except OSError:
        return dict(env)
    found = (ASSIGNMENT.fullmatch(line) for line in lines if not line.lstrip().startswith("#"))
    return {match[1]: match[2].strip("\"'") for match in found if match} | dict(env)


def environment() -> dict[str, str]:
    """The process's environment and the ``.env`` file beside its rules."""
    return with_dotenv(os.environ, Path(os.environ.get("RELAY_RULES", "rules.yaml")).parent)


@dataclass
class House:
    """Everything a process of the relay works with."""

    settings: Settings
    rules_file: RulesFile
    database: Database
    _destinations: tuple[Rules, dict[str, Destination]] | None = field(default=None, repr=False)

    @property
    def rules(self) -> Rules:
        return self.rules_file.current

    @cached_property
    def journal(self) -> GroupCommit[Arrival, Receipt]:
        """Writes an arrival down, together with those of other requests, and returns once it is on disk."""

        def commit(arrivals: Sequence[Arrival]) -> list[Receipt]:
            with self.database.write() as tx:
                receipts = journal.append(tx, arrivals)
                failpoint.here("intake: written, not committed")
            return receipts

        return GroupCommit(commit)

    def destinations(self) -> dict[str, Destination]:
        """The portals of the rules as they stand now; their connections are kept while the rules do."""
        if self._destinations is None or self._destinations[0] is not self.rules:
            found = {name: destination(self.database, name, each) for name, each in self.rules.portals.items()}
            self._destinations = (self.rules, found)
        return self._destinations[1]

    def close(self) -> None:
        self.database.close()


def destination(database: Database, name: str, options: PortalOptions) -> Destination:
    return Destination(
        name=name,
        pace=pace.from_plan(options.plan),
        client=authorisation.caller(database, name, options),
        replaces_by_tag=options.replaces_by_tag,
        way_in=f"{options.way_in} {address.from_options(options).host}",
    )


def build(settings: Settings, env: Mapping[str, str]) -> House:
    """Read the rules, open the database and bring its tables up to date.

    Raises:
        RelayError: the rules or the database cannot be used; the sentence says what to do.
    """
    rules_file = RulesFile(settings.rules, env)
    database = Database(settings.database_url)
    database.upgrade()
    return House(settings=settings, rules_file=rules_file, database=database)
