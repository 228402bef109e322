"""The wiring: what each corridor is given. The rules file is read and watched here, and the database opened.

Never does a corridor's work.
"""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path

from relay import authorisation, failpoint, log, rules
from relay.accounts import Accounts
from relay.bitrix import address, pace
from relay.bitrix.options import PortalOptions
from relay.courier import Destination
from relay.errors import BadRules, Complaint, RelayError, StoreUnavailable
from relay.feeds import Feeds
from relay.rules import Rules, lint
from relay.rules_on_disk import RulesOnDisk
from relay.schema import secrets_in
from relay.settings import Settings
from relay.store import counters, journal, reloads
from relay.store.database import Database, Transaction
from relay.store.group_commit import GroupCommit
from relay.store.journal import Arrival, Receipt
from relay.store.reloads import Reading

STORE_FAULT_LASTS = 5.0  # seconds in which a disk that is nearly full is not tried again with something small


class NoRules(RelayError):
    """The rules file cannot be read."""


class RulesFile:
    """The rules, read from their file, and read anew when it changes. A bad file never replaces good rules."""

    def __init__(self, path: Path, env: Mapping[str, str]) -> None:
        self.path = path
        self.env = env
        self._on_disk = RulesOnDisk(path)
        self._turn = threading.Lock()  # of one reader after the other
        self.current: Rules = _read(self._on_disk, env)
        self.in_force = (self.current, self._on_disk.main)  # with the text of their main file, secrets and all
        self.tell: Callable[[Reading], None] = lambda _: None  # of each further reading; set by whoever keeps them

    @property
    def reading(self) -> Reading:
        """How the rules that there are were read."""
        now = self.current
        return Reading(outcome="taken", digest=self._on_disk.digest, rules=len(now.rules), warnings=len(now.warnings))

    def follow(self) -> None:
        """:meth:`refresh` in a thread of its own, if there is need: thousands of rules take seconds to read, and
        whoever asks goes on with those that there are."""
        if self._turn.acquire(blocking=False):
            try:
                changed = self._on_disk.has_changed()
            finally:
                self._turn.release()
            if changed:
                threading.Thread(target=self._refresh_aside, name="rules", daemon=True).start()

    def _refresh_aside(self) -> None:
        try:
            self.refresh()
        except Exception as fault:  # whatever it is, the rules before it stay
            log.failure("rules: the relay failed on the changed file", fault)

    def refresh(self) -> bool:
        """Read the file again if it has changed, or one that it includes; say loudly what is wrong with it.

        Returns:
            Whether the rules are new.
        """
        with self._turn:
            if not self._on_disk.has_changed():
                return False
            began = time.monotonic()
            try:
                with _giving_way():
                    self.current = _read(self._on_disk, self.env)
                    self.in_force = (self.current, self._on_disk.main)
            except (BadRules, NoRules) as fault:
                log.trouble("rules: the changed file is refused, the rules before it stay", why=str(fault))
                self.tell(_refusal(fault, self._on_disk.digest))
                return False
            self.tell(self.reading)
        now, seconds = self.current, time.monotonic() - began
        log.line(
            "rules: read anew",
            file=self.path,
            rules=len(now.rules),
            warnings=len(now.warnings),
            ms=round(seconds * 1000, 1),
        )
        return True


def _refusal(fault: BadRules | NoRules, digest: str) -> Reading:
    """The first error, or why the file cannot be read."""
    errors = [each for each in fault.complaints if each.level == "error"] if isinstance(fault, BadRules) else []
    complaint = str(errors[0] if errors else fault)
    return Reading(outcome="refused", digest=digest, complaint=log.mask(complaint))


@contextmanager
def _giving_way() -> Iterator[None]:
    """Let the other threads in ten times as often as Python does: each of their steps would wait 5 ms for its turn."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(usual / 10)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


def read_rules(path: Path, env: Mapping[str, str]) -> Rules:
    """Read and check a rules file, and those that it includes.

    Raises:
        NoRules: there is no such file, or it cannot be opened.
        BadRules: with every complaint about it.
    """
    return _read(RulesOnDisk(path), env)


def check_rules(
    path: Path, env: Mapping[str, str], *, fixtures: Sequence[lint.Fixture] = (), ignore: Collection[str] = ()
) -> lint.Checked:
    """Read a rules file as `read_rules` does, and look for what is suspicious in it.

    Raises:
        NoRules: there is no such file, or it cannot be opened.
    """
    disk = RulesOnDisk(path)
    try:
        text = _text(disk)
    except BadRules as fault:
        return lint.Checked(fault.complaints, None)
    return lint.check(text, env=env, file=str(path), reader=disk.include, fixtures=fixtures, ignore=ignore)


def _read(disk: RulesOnDisk, env: Mapping[str, str]) -> Rules:
    loaded = rules.load(_text(disk), env=env, file=str(disk.path), reader=disk.include)
    calendars = [each.ical for each in loaded.oncall.values() if each.ical and "://" in each.ical.reveal()]
    pieces = (loaded.sources.values(), loaded.portals.values(), calendars)
    log.hide(secret.reveal() for secret in secrets_in(pieces))
    return loaded


def _text(disk: RulesOnDisk) -> str:
    file = str(disk.path)
    try:
        return disk.text()
    except OSError as fault:
        raise NoRules(f"{file}: {fault.strerror}; name the rules file by RELAY_RULES") from None
    except UnicodeDecodeError:
        raise BadRules([Complaint(1, 1, "", "the file is not UTF-8", file=file)]) from None


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
    store_fault: tuple[str, float] = ("", 0.0)  # why the last events could not be journalled, and when, monotonic

    def with_connections_of_its_own(self) -> House:
        """The same, for another half of this process: neither is to wait for what the other does with the database, and
        each wakes the other as it would wake a process (`bell.py`)."""
        return House(self.settings, self.rules_file, Database(self.settings.database_url))

    @property
    def rules(self) -> Rules:
        """The rules as they stand now, with the ids of people that were looked up and the shifts of calendars in them:
        one object while none of these changes."""
        return self.feeds.put_in(self.accounts.put_in(self.rules_file.current))

    @cached_property
    def accounts(self) -> Accounts:
        return Accounts(self.database)

    @cached_property
    def feeds(self) -> Feeds:
        return Feeds(self.database, self.settings.rules.parent)

    @cached_property
    def journal(self) -> GroupCommit[Arrival, Receipt]:
        """Writes an arrival down, together with those of other requests; its future is kept once that is on disk."""
        # PostgreSQL is asked over a network, for which nobody should be kept waiting.
        return GroupCommit(self._write_down, begin=self._begin_to_write if self.database.is_sqlite else None)

    def _write_down(self, arrivals: Sequence[Arrival]) -> list[Receipt]:
        try:
            with self.database.write() as tx:
                receipts = _written(tx, arrivals)
        except StoreUnavailable as fault:
            self.store_fault = (str(fault), time.monotonic())
            raise
        self.store_fault = ("", 0.0)
        return receipts

    def _begin_to_write(self, arrivals: Sequence[Arrival]) -> tuple[list[Receipt], Callable[[], None]]:
        """As far as nobody must wait. What is returned beside the receipts commits them."""
        with ExitStack() as begun:
            receipts = _written(begun.enter_context(self.database.write(wait=False)), arrivals)
            left = begun.pop_all()

        def finish() -> None:
            left.close()
            self.store_fault = ("", 0.0)

        return receipts, finish

    def cannot_store(self) -> str:
        """Why events cannot be written, after one could not be: until a few seconds have passed, and something can be.
        Empty while they can.
        """
        why, at = self.store_fault
        if why and time.monotonic() > at + STORE_FAULT_LASTS:
            tally = counters.Tally()
            tally.probe()
            try:
                with self.database.write() as tx:
                    counters.write(tx, tally)
                self.store_fault = ("", 0.0)
            except StoreUnavailable as fault:
                self.store_fault = (str(fault), time.monotonic())
        return self.store_fault[0]

    def destinations(self) -> dict[str, Destination]:
        """The portals of the rules as they stand now; their connections are kept while the rules do."""
        now = self.rules
        if self._destinations is None or self._destinations[0] is not now:
            found = {name: destination(self.database, name, each) for name, each in now.portals.items()}
            self._destinations = (now, found)
        return self._destinations[1]

    def note_reading(self, reading: Reading) -> None:
        """For the history of the rules file. Rules are taken whether it can be written or not."""
        try:
            with self.database.write() as tx:
                if reloads.note(tx, reading):
                    tally = counters.Tally()
                    tally.count("relay_reloads_total", result=reading.outcome)
                    counters.write(tx, tally)
        except StoreUnavailable as fault:
            log.trouble("rules: a reading of the file could not be noted", why=str(fault))

    def close(self) -> None:
        self.database.close()


def _written(tx: Transaction, arrivals: Sequence[Arrival]) -> list[Receipt]:
    """The receipts of arrivals that are journalled, and counted, when the transaction is committed."""
    receipts = journal.append(tx, arrivals)
    tally = counters.Tally()
    came = Counter((each.source, got.duplicate) for each, got in zip(arrivals, receipts, strict=True))
    for (source, known), times in came.items():
        tally.count("relay_requests_total", times, source=source, result="known" if known else "journalled")
    if len(arrivals) > 1:
        tally.count("relay_commits_saved_total", len(arrivals) - 1)
    counters.write(tx, tally)
    failpoint.here("intake: written, not committed")
    return receipts


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
    log.hide(secret.reveal() for secret in secrets_in([getattr(settings, each.name) for each in fields(settings)]))
    rules_file = RulesFile(settings.rules, env)
    database = Database(settings.database_url)
    database.upgrade()
    built = House(settings=settings, rules_file=rules_file, database=database)
    rules_file.tell = built.note_reading
    built.note_reading(rules_file.reading)
    return built
