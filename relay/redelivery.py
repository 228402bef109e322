"""Missed GitHub deliveries, found again: GitHub's list is held against the journal, and what is not there is asked for.

Never writes an event down: what GitHub sends again comes in by the door, like everything. The redelivery has the guid
of the first attempt, so a delivery that was asked for twice is still one event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial

import requests

from relay import log
from relay.bitrix.client import Reply, Wire
from relay.errors import PortalUnreachable
from relay.model import Note
from relay.rules import Rules
from relay.settings import Secret
from relay.sources import github
from relay.sources import github_deliveries as listed
from relay.sources.github_deliveries import DAY, KEPT_FOR, Asked, Delivery, Fault, NotAPage, Redeliver
from relay.store import deliveries, leases, notes
from relay.store.database import Database, Transaction

EVERY = 300.0  # seconds from one look to the next, whichever worker does it
LOOK_EVERY = 60.0  # seconds after which a worker looks whether one is due
DEEP_EVERY = 3_600.0  # seconds after which the whole list is read again: what was asked for may have failed again
OVERLAP = 600.0  # seconds that a look goes back behind the last; GitHub's clock is not ours
REMEMBERED = 4 * DAY  # seconds; past that GitHub has the delivery no more

MOST_ASKED = 100  # in one run
MOST_PAGES = 200  # of a hook in one run: 20,000 deliveries
MOST_REFUSED = 3  # one after the other; then something is wrong with more than one delivery
BETWEEN = 1.0  # seconds from one POST to the next (GitHub REST docs, «Best practices»)

LEASE = 60.0  # seconds; kept before each request, and longer than one takes
TIMEOUT = (5.0, 10.0)  # seconds to connect, and without a byte; a whole answer may take twice the latter

NOTE = "redelivery:"  # what is remembered stands under this prefix, and is forgotten when it is due
NOTHING_YET = (
    "the journal has no event of this source yet, so nothing is asked for: it may have been another receiver's"
)
TAKEN = "somebody looks for missed deliveries at this moment; try again in a minute"
TOO_MANY = f"more than {MOST_PAGES * listed.PER_PAGE:,} deliveries are listed; the older ones are not looked at"

OF_ONE = (400, 404, 410, 422)  # answers to a POST that may be about this one delivery alone

Send = Callable[[str, str], Reply]  # a verb and a URL
Pause = Callable[[float], bool]  # waits so many seconds; True: the relay is to stop


@dataclass(slots=True)
class Report:
    """What became of a look. ``left`` counts what is still to be asked for, ``whys`` says what went wrong."""

    asked: list[Delivery] = field(default_factory=list)
    left: int = 0
    whys: list[str] = field(default_factory=list)


def sources(rules: Rules) -> dict[str, Redeliver]:
    """The sources whose missed deliveries are looked for."""
    of_github = ((name, each) for name, each in rules.sources.items() if isinstance(each, github.Options))
    return {name: each.redeliver for name, each in of_github if each.redeliver is not None}


def keep_up(database: Database, rules: Rules, *, holder: str, pause: Pause) -> None:
    """Look for missed deliveries wherever it is time to, and no other worker does.

    Raises:
        StoreUnavailable: the database is away.
    """
    for source, plan in sources(rules).items():
        report = look(database, source, plan, holder=holder, pause=pause)
        if report.asked:
            log.line("redelivery: asked for again", source=source, deliveries=len(report.asked), left=report.left)


def look(
    database: Database,
    source: str,
    plan: Redeliver,
    *,
    holder: str,
    pause: Pause,
    by_hand: bool = False,
    dry_run: bool = False,
) -> Report:
    """Ask for a source's missed deliveries, or with ``dry_run`` only find them.

    Args:
        holder: who does it; no two do it at the same time.
        by_hand: at once and for the whole three days; else it is done when it is due.

    Raises:
        StoreUnavailable: the database is away.
    """
    lease = f"{NOTE}{source}"
    with database.read() as tx:
        since = deliveries.first_at(tx, source)
        due = by_hand or any(_is_due(_state(tx, source, hook), tx.now) for hook in plan.hook)
    if since is None:
        return Report(whys=[NOTHING_YET])
    if not due:
        return Report()
    if not dry_run and not _holds(database, lease, holder):
        return Report(whys=[TAKEN])
    try:
        with _connected(plan.token) as send:
            return _Look(database, source, since, send, pause, holder, by_hand, dry_run).at_all(plan.hook)
    finally:
        if not dry_run:
            with database.write() as tx:
                leases.release(tx, lease, holder)


def _holds(database: Database, lease: str, holder: str) -> bool:
    with database.write() as tx:
        return leases.hold(tx, lease, holder, LEASE) is not None


# ── What is remembered ───────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _State:
    """What is known of a hook's list. Unix seconds; ``looked_at`` and ``deep_at`` are looks that left nothing."""

    tried_at: float = 0.0
    looked_at: float = 0.0
    deep_at: float = 0.0
    not_before: float = 0.0
    why: str = ""


def _state(tx: Transaction, source: str, hook: str) -> _State:
    note = notes.get(tx, _look_note(source, hook))
    return _State(**note.value) if note else _State()


def _is_due(state: _State, now: float) -> bool:
    return now >= state.not_before and not 0 <= now - state.tried_at < EVERY


def _look_note(source: str, hook: str) -> str:
    return f"{NOTE}look:{source}:{hook}"


def _asked_note(source: str) -> str:
    return f"{NOTE}asked:{source}:"


# ── A look ───────────────────────────────────────────────────────────────────────────────────────────────────────


class _NotDone(Exception):
    """GitHub does not answer as it should."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.why)
        self.fault = fault


class _Stopped(Exception):
    """The relay is to stop, or somebody else has taken this over."""


@dataclass(slots=True)
class _Look:
    """One look for the missed deliveries of one source, hook by hook."""

    database: Database
    source: str
    since: float
    send: Send
    pause: Pause
    holder: str
    by_hand: bool
    dry_run: bool
    report: Report = field(default_factory=Report)
    tried: int = 0

    def at_all(self, hooks: tuple[str, ...]) -> Report:
        try:
            for hook in hooks:
                self.at(hook)
        except _Stopped:
            pass
        return self.report

    def at(self, hook: str) -> None:
        """Look at one hook's list, unless it is not the time to, and remember how it went.

        Raises:
            _Stopped: nothing is remembered, so that the next look begins where this one did.
        """
        with self.database.read() as tx:
            state, now = _state(tx, self.source, hook), tx.now
        if now < state.not_before:
            self.report.whys.append(listed.LIMITED)
            return
        if not self.by_hand and not _is_due(state, now):
            return
        deep = self.by_hand or not 0 <= now - state.deep_at < DEEP_EVERY
        oldest = now - KEPT_FOR
        after = replace(state, tried_at=now, not_before=0.0, why="")
        try:
            whole, why = self.recover(hook, oldest if deep else max(oldest, state.looked_at - OVERLAP))
            after = replace(after, why=why)
            if whole:
                after = replace(after, looked_at=now, deep_at=now if deep else state.deep_at)
        except _NotDone as not_done:
            after = replace(after, why=not_done.fault.why, not_before=not_done.fault.until)
        self.report.whys += [after.why] if after.why else []
        if not self.dry_run:
            self.remember(hook, state, after)

    def recover(self, hook: str, back_to: float) -> tuple[bool, str]:
        """Ask for what a list has and the journal has not; returns whether nothing is left, and what went wrong.

        Raises:
            _NotDone: GitHub does not answer as it should.
            _Stopped: before it was done.
        """
        found, all_read = self.listed(hook, back_to)
        chosen = self.missing(found)
        if self.dry_run:
            self.report.asked += chosen
            return True, "" if all_read else TOO_MANY
        left_before = self.report.left
        self.report.left += len(chosen)
        why = self.ask_for(hook, chosen)
        return self.report.left == left_before, why or ("" if all_read else TOO_MANY)

    def listed(self, hook: str, back_to: float) -> tuple[list[Delivery], bool]:
        """The deliveries of a hook back to a moment, and whether these are all of them."""
        found: list[Delivery] = []
        cursor = ""
        for _ in range(MOST_PAGES):
            self.go_on(0.0)
            reply = self.exchange("GET", listed.page_url(hook, cursor))
            self.must_be_good(reply)
            try:
                page = listed.page(reply.body, reply.headers.get("link", ""))
            except NotAPage as fault:
                raise _NotDone(Fault(str(fault))) from None
            found += page.deliveries
            cursor = page.cursor
            if not cursor or any(each.at < back_to for each in page.deliveries):
                return found, True
        return found, False

    def missing(self, found: list[Delivery]) -> list[Delivery]:
        prefix = _asked_note(self.source)
        with self.database.read() as tx:
            known = deliveries.known(tx, self.source, (each.guid for each in found))
            asked = {
                name.removeprefix(prefix): Asked(note.value["times"], note.value["at"])
                for name, note in notes.under(tx, prefix).items()
            }
            return listed.missing(found, known, asked, since=self.since, now=tx.now)

    def ask_for(self, hook: str, chosen: list[Delivery]) -> str:
        """Ask for deliveries, as many as a run may; returns why one of them was refused, if one was."""
        refused, why = 0, ""
        for each in chosen[: MOST_ASKED - self.tried]:
            self.go_on(BETWEEN if self.tried else 0.0)
            self.tried += 1
            self.remember_asking(each)
            reply = self.exchange("POST", listed.attempt_url(hook, each.number))
            if reply.status in OF_ONE and refused < MOST_REFUSED - 1:
                refused, why = refused + 1, f"GitHub answers {reply.status} when a delivery is asked for again"
            else:
                self.must_be_good(reply)
                refused = 0
                self.report.asked.append(each)
            self.report.left -= 1
        return why

    def exchange(self, verb: str, url: str) -> Reply:
        try:
            return self.send(verb, url)
        except PortalUnreachable as fault:
            raise _NotDone(Fault(str(fault))) from None

    def must_be_good(self, reply: Reply) -> None:
        with self.database.read() as tx:
            now = tx.now
        if fault := listed.fault(reply.status, reply.headers, now):
            raise _NotDone(fault)

    def go_on(self, seconds: float) -> None:
        """Wait, and keep the lease."""
        if self.pause(seconds):
            raise _Stopped
        if not self.dry_run and not _holds(self.database, f"{NOTE}{self.source}", self.holder):
            raise _Stopped

    def remember_asking(self, each: Delivery) -> None:
        """Before it is asked for: whatever happens then, it is not asked for without end."""
        name = _asked_note(self.source) + each.guid
        with self.database.write() as tx:
            before = notes.get(tx, name)
            times = before.value["times"] + 1 if before else 1
            notes.write(tx, {name: Note({"times": times, "at": tx.now}, due=tx.now + REMEMBERED)})

    def remember(self, hook: str, before: _State, after: _State) -> None:
        """Write down how it went; say once that it fails, and that it works again."""
        with self.database.write() as tx:
            notes.write(tx, {_look_note(self.source, hook): Note(asdict(after), due=tx.now + REMEMBERED)})
        if after.why and after.why != before.why:
            log.trouble("redelivery: missed deliveries cannot be asked for", source=self.source, why=after.why)
        elif before.why and not after.why:
            log.line("redelivery: works again", source=self.source)


# ── Over the network ─────────────────────────────────────────────────────────────────────────────────────────────


class _Bearer(requests.auth.AuthBase):
    """The token, where requests looks for credentials: then it does not read ~/.netrc."""

    def __init__(self, token: Secret) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token.reveal()}"
        return request


@contextmanager
def _connected(token: Secret) -> Iterator[Send]:
    with requests.Session() as session:
        session.auth = _Bearer(token)
        yield partial(_sent, Wire(timeout=TIMEOUT, session=session))


def _sent(wire: Wire, verb: str, url: str) -> Reply:
    return wire.send(verb, Secret(url), name=listed.host_of(url), direct=listed.is_loopback(url))
