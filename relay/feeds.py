"""The calendars of on-call schedules: fetched, read, and kept for the time in which they cannot be had.

Never lets a calendar's failing change who is on duty: the last good copy stays until there is a better one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from relay import feed_reading, log
from relay.bitrix.client import Reply, Wire
from relay.errors import PortalUnreachable
from relay.rules import Rules
from relay.rules.feed import MOST_BYTES, BadFeed, Feed, from_json, to_json
from relay.rules.oncall import Schedule
from relay.rules.schedules import WEBCAL
from relay.settings import Secret
from relay.store import feeds
from relay.store.database import Database
from relay.store.feeds import Copy

EVERY = 300.0  # seconds from one fetch to the next, whichever worker does it
LOOK_EVERY = 60.0  # seconds after which a worker looks whether a fetch is due, or another has done one
BEFORE, AHEAD = timedelta(days=31), timedelta(days=184)  # what is read of a calendar

TIMEOUT = (5.0, 10.0)  # seconds to connect, and without a byte; a whole answer may take twice the latter
MOST_REDIRECTS = 3
REDIRECTS = (301, 302, 303, 307, 308)

Send = Callable[[Secret, str], Reply]  # a URL and the name of its host


# ── What processes know of them ──────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Feeds:
    """The calendars as this process knows them.

    Args:
        database: where the copies are.
        folder: the one that files in `ical:` are relative to: that of the rules.
    """

    database: Database
    folder: Path
    send: Send | None = None  # for tests; without it, over the network
    _known: Mapping[str, tuple[Copy, Feed]] | None = field(default=None, init=False, repr=False)
    _made: tuple[Rules, object, Rules] | None = field(default=None, init=False, repr=False)

    def put_in(self, rules: Rules) -> Rules:
        """The same rules with the calendars' shifts in them: one object for as long as neither changes.

        Raises:
            StoreUnavailable: only at the first time.
        """
        if not calendars(rules):
            return rules
        if self._known is None:
            self.look()
        made, known = self._made, self._known or {}
        if made is None or made[0] is not rules or made[1] is not known:
            made = self._made = (rules, known, replace(rules, feeds=_of(rules, known)))
        return made[2]

    def look(self) -> None:
        """Read what the database has that this process has not."""
        before = self._known or {}
        with self.database.read() as tx:
            copies = {copy.schedule: copy for copy in feeds.everything(tx) if copy.shifts}
        known = {name: _read(copy, before.get(name)) for name, copy in copies.items()}
        if self._known is None or known != before:
            self._known = known

    def keep_up(self, rules: Rules) -> None:
        """Fetch every calendar that is due, unless another worker does, and look what is new."""
        due = calendars(rules)
        if not due:
            return
        with self.database.read() as tx:
            asked = {(copy.schedule, copy.origin): copy.asked_at for copy in feeds.everything(tx)}
            now = tx.now
        for schedule in due.values():
            if not 0 <= now - asked.get((schedule.name, origin(schedule)), 0.0) < EVERY:
                self._renew(schedule)
        self.look()

    def _renew(self, schedule: Schedule) -> None:
        with self.database.write() as tx:
            copy, now = feeds.claim(tx, schedule.name, origin(schedule), every=EVERY), tx.now
        if copy is None:
            return
        try:
            text = fetch(schedule, self.folder, self.send or _over_the_network)
            day = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
            digest = hashlib.sha256(f"{day:%F}\n{text}".encode()).hexdigest()
            fresh = None
            if digest != copy.digest:
                fresh = feed_reading.read(text, day - BEFORE, day + AHEAD, schedule.zone)
        except (BadFeed, PortalUnreachable) as fault:
            self._fail(copy, str(fault))
            return
        self._keep(copy, digest, fresh)

    def _fail(self, copy: Copy, why: str) -> None:
        """Say once that it fails; that it works again is said as well."""
        with self.database.write() as tx:
            feeds.fails(tx, copy, why)
        if not copy.failing_since:
            log.trouble(
                "feeds: the calendar cannot be used, the last good copy stays"
                if copy.shifts
                else "feeds: the calendar cannot be used, there is no copy yet: nobody is on duty",
                schedule=copy.schedule,
                why=why,
            )

    def _keep(self, copy: Copy, digest: str, fresh: Feed | None) -> None:
        with self.database.write() as tx:
            if fresh is None:
                feeds.works(tx, copy)
            else:
                feeds.keep(tx, copy, digest=digest, shifts=to_json(fresh))
        if copy.failing_since:
            log.line("feeds: the calendar works again", schedule=copy.schedule)
        if fresh is not None:
            log.line("feeds: read", schedule=copy.schedule, shifts=len(fresh.shifts), notes=list(fresh.notes[:10]))


def calendars(rules: Rules) -> dict[str, Schedule]:
    """The schedules whose shifts come from a calendar."""
    return {name: schedule for name, schedule in rules.oncall.items() if schedule.ical is not None}


def origin(schedule: Schedule) -> str:
    """A digest of what a copy depends on besides the calendar's text: of another one it says nothing."""
    place = schedule.ical.reveal() if schedule.ical else ""
    return hashlib.sha256(f"{schedule.zone.key}\n{place}".encode()).hexdigest()


def _of(rules: Rules, known: Mapping[str, tuple[Copy, Feed]]) -> dict[str, Feed]:
    there = ((name, schedule, known[name]) for name, schedule in calendars(rules).items() if name in known)
    return {name: feed for name, schedule, (copy, feed) in there if copy.origin == origin(schedule)}


def _read(copy: Copy, before: tuple[Copy, Feed] | None) -> tuple[Copy, Feed]:
    """A copy with its shifts; what was read already is not read again."""
    if before is not None and (before[0].origin, before[0].read_at) == (copy.origin, copy.read_at):
        return before
    return copy, from_json(copy.shifts)


# ── Fetching ─────────────────────────────────────────────────────────────────────────────────────────────────────


def fetch(schedule: Schedule, folder: Path, send: Send) -> str:
    """The text of a schedule's calendar.

    Raises:
        BadFeed: it is not there, is too large, or lies behind a redirect that is not followed.
        PortalUnreachable: no answer came.
    """
    place = schedule.ical.reveal() if schedule.ical else ""
    if "://" not in place:
        return _from_file(folder / place)
    url = "https://" + place[len(WEBCAL) :] if place.casefold().startswith(WEBCAL) else place
    for _ in range(MOST_REDIRECTS + 1):
        host = _https_host(url)
        reply = send(Secret(url), host)
        if reply.status not in REDIRECTS:
            return _text_of(reply, host)
        url = _led_to(url, reply.headers.get("location", ""))
    raise BadFeed(f"{host} redirects more than {MOST_REDIRECTS} times")


def _from_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return _decoded(file.read(MOST_BYTES + 1), "the file")
    except OSError as fault:
        raise BadFeed(f"the file cannot be opened: {fault.strerror}") from None


def _led_to(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        return ""


def _https_host(url: str) -> str:
    """The host of an https URL; nothing else is fetched, wherever a redirect leads.

    Raises:
        BadFeed: it is no https URL.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname if parts.scheme.casefold() == "https" else None
    except ValueError:
        host = None
    if not host:
        raise BadFeed("its address leads to something that is not https, which is not followed")
    return host


def _text_of(reply: Reply, host: str) -> str:
    if reply.status != 200:
        raise BadFeed(f"{host} answers {reply.status}")
    return _decoded(reply.body, host)


def _decoded(raw: bytes, name: str) -> str:
    if len(raw) > MOST_BYTES:
        raise BadFeed(f"{name} gives more than {MOST_BYTES // 1_000_000} MB")
    return raw.decode("utf-8-sig", errors="replace")


def _over_the_network(url: Secret, host: str) -> Reply:
    wire = Wire(timeout=TIMEOUT)
    try:
        return wire.send("GET", url, name=host)
    finally:
        wire.close()
