"""Calendars are fetched by one worker at a time, and the last good copy stays for as long as there is no better one."""

from __future__ import annotations

import logging
import subprocess
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from relay import feed_reading, feeds, house
from relay.bitrix.client import Reply
from relay.errors import PortalUnreachable
from relay.feeds import Feeds, fetch
from relay.rules import Rules, ical
from relay.rules.feed import BadFeed, Feed
from relay.rules.oncall import Schedule, on_duty
from relay.settings import Secret, Settings
from relay.store import feeds as copies
from relay.store.database import Database
from relay.work import Worker
from tests.conftest import Clock, only_sqlite
from tests.rules.books import ENV, HEAD, book
from tests.rules.calendars import SINCE, UNTIL, WEEK, calendar

URL = "https://calendar.example.com/private-0123/basic.ics"
DAILY = "DTSTART:20200101T100000Z\nDURATION:P1D\nRRULE:FREQ=DAILY"
IVAN, OLGA = calendar(f"{DAILY}\nSUMMARY:ivan"), calendar(f"{DAILY}\nSUMMARY:olga")


class Host:
    """A calendar's host: what it answers, and how often it was asked."""

    def __init__(self, text: str = IVAN) -> None:
        self.text = text
        self.down = ""
        self.asked: list[str] = []

    def __call__(self, url: Secret, host: str) -> Reply:
        self.asked.append(url.reveal())
        if self.down:
            raise PortalUnreachable(f"{host}: {self.down}", sent=False)
        return Reply(200, self.text.encode(), {})


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def rules() -> Rules:
    return book("oncall: {sre: {ical: '" + URL + "'}}\nrules: [{to: oncall/sre}]")


@pytest.fixture
def read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader's process is tried on its own: these tests are about what happens around it."""
    monkeypatch.setattr(feed_reading, "read", ical.read)


def who(known: Feeds, rules: Rules, now: float) -> list[str]:
    composed = known.put_in(rules)
    duty = on_duty(composed.oncall["sre"], datetime.fromtimestamp(now, UTC), rules.directory, composed.feeds.get("sre"))
    return [person.name for person in duty.persons]


# ── The copy ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("read_here")
def test_a_calendar_is_fetched_and_tells_who_is_on_duty(
    database: Database, clock: Clock, host: Host, rules: Rules, tmp_path: Path
) -> None:
    known = Feeds(database, tmp_path, host)
    assert who(known, rules, clock.now) == []

    known.keep_up(rules)

    assert who(known, rules, clock.now) == ["ivan"]
    assert host.asked == [URL]


@pytest.mark.usefixtures("read_here")
def test_it_is_asked_for_again_only_after_some_minutes_and_by_one_worker(
    database: Database, clock: Clock, host: Host, rules: Rules, tmp_path: Path
) -> None:
    mine, other = Feeds(database, tmp_path, host), Feeds(database, tmp_path, host)
    for each in (mine, other, mine):
        each.keep_up(rules)
    assert len(host.asked) == 1

    clock.forward(feeds.EVERY)
    host.text = OLGA
    other.keep_up(rules)
    mine.keep_up(rules)

    assert len(host.asked) == 2
    assert (who(mine, rules, clock.now), who(other, rules, clock.now)) == (["olga"], ["olga"])


@pytest.mark.usefixtures("read_here")
def test_the_last_good_copy_stays_while_the_calendar_fails_and_it_is_said_once(
    database: Database, clock: Clock, host: Host, rules: Rules, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "relay")
    known = Feeds(database, tmp_path, host)
    known.keep_up(rules)
    for broken in ("does not answer in time", "does not answer in time", "its name is not known (DNS)"):
        clock.forward(feeds.EVERY)
        host.down = broken
        known.keep_up(rules)
    clock.forward(feeds.EVERY)
    host.down, host.text = "", "<html>Please log in</html>"
    known.keep_up(rules)

    assert who(known, rules, clock.now) == ["ivan"]
    assert who(Feeds(database, tmp_path, host), rules, clock.now) == ["ivan"]  # after a restart, too
    troubles = [each for each in caplog.records if each.levelno == logging.WARNING]
    assert [each.getMessage() for each in troubles] == ["feeds: the calendar cannot be used, the last good copy stays"]
    assert "private" not in str(troubles[0].__dict__)

    clock.forward(feeds.EVERY)
    host.text = IVAN
    known.keep_up(rules)

    assert "feeds: the calendar works again" in [each.getMessage() for each in caplog.records]


def test_an_unchanged_calendar_is_read_once_a_day(
    database: Database, clock: Clock, host: Host, rules: Rules, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[datetime] = []

    def reader(text: str, since: datetime, until: datetime, zone: ZoneInfo) -> Feed:
        reads.append(since)
        return Feed(since, until)

    monkeypatch.setattr(feed_reading, "read", reader)
    known = Feeds(database, tmp_path, host)
    for _ in range(3):
        known.keep_up(rules)
        clock.forward(feeds.EVERY)
    assert len(reads) == 1

    clock.forward(86_400)
    known.keep_up(rules)

    assert reads[1] - reads[0] == timedelta(days=1)


@pytest.mark.usefixtures("read_here")
def test_a_copy_of_another_address_or_zone_is_of_no_use(
    database: Database, clock: Clock, host: Host, rules: Rules, tmp_path: Path
) -> None:
    known = Feeds(database, tmp_path, host)
    known.keep_up(rules)
    moved = book("oncall: {sre: {ical: 'https://other.example.com/x.ics'}}\nrules: []")
    elsewhere = book("oncall: {sre: {timezone: Asia/Almaty, ical: '" + URL + "'}}\nrules: []")

    assert (who(known, moved, clock.now), who(known, elsewhere, clock.now)) == ([], [])

    known.keep_up(moved)  # at once, though the other was asked for just now

    assert host.asked[-1] == "https://other.example.com/x.ics"
    assert who(known, moved, clock.now) == ["ivan"]


@pytest.mark.usefixtures("read_here")
def test_the_rules_are_one_object_for_as_long_as_neither_they_nor_the_calendars_change(
    database: Database, clock: Clock, host: Host, rules: Rules, tmp_path: Path
) -> None:
    known = Feeds(database, tmp_path, host)
    known.keep_up(rules)
    first = known.put_in(rules)

    clock.forward(feeds.EVERY)
    known.keep_up(rules)
    assert known.put_in(rules) is first

    clock.forward(feeds.EVERY)
    host.text = OLGA
    known.keep_up(rules)
    assert known.put_in(rules) is not first
    assert known.put_in(rules) is known.put_in(rules)


def test_rules_without_calendars_are_left_as_they_are_and_nothing_is_asked(tmp_path: Path) -> None:
    rules = book("rules: []")
    nowhere = Feeds(Database(Secret(f"sqlite:///{tmp_path}/none.db")), tmp_path)  # without tables

    nowhere.keep_up(rules)

    assert nowhere.put_in(rules) is rules


def test_only_one_of_several_workers_claims_a_fetch(database: Database, clock: Clock) -> None:
    def claimed(origin: str = "a") -> bool:
        with database.write() as tx:
            return copies.claim(tx, "sre", origin, every=300.0) is not None

    assert [claimed(), claimed()] == [True, False]
    clock.forward(299)
    assert not claimed()
    clock.forward(1)
    assert claimed()
    assert claimed("b")
    clock.forward(-1000)  # a clock that was ahead
    assert claimed("b")


# ── Fetching ─────────────────────────────────────────────────────────────────────────────────────────────────────


def schedule(place: str) -> Schedule:
    return Schedule(name="sre", zone=ZoneInfo("UTC"), ical=Secret(place))


def answering(*replies: Reply) -> Callable[[Secret, str], Reply]:
    left = list(replies)
    return lambda _url, _host: left.pop(0)


def test_webcal_means_https(host: Host, tmp_path: Path) -> None:
    fetch(schedule("webcal://calendar.example.com/x.ics"), tmp_path, host)

    assert host.asked == ["https://calendar.example.com/x.ics"]


def test_a_redirect_to_https_is_followed(tmp_path: Path) -> None:
    there = answering(Reply(302, b"", {"location": "/new.ics"}), Reply(200, b"\xef\xbb\xbftext", {}))

    assert fetch(schedule(URL), tmp_path, there) == "text"


MOVED = [
    "http://calendar.example.com/x.ics",
    "file:///etc/passwd",
    "ftp://calendar.example.com/x.ics",
    "https://[x",
]


@pytest.mark.parametrize("location", MOVED)
def test_a_redirect_to_anything_else_is_not(location: str, tmp_path: Path) -> None:
    with pytest.raises(BadFeed, match="not https, which is not followed"):
        fetch(schedule(URL), tmp_path, answering(Reply(302, b"", {"location": location})))


@pytest.mark.parametrize(
    ("replies", "why"),
    [
        ([Reply(404, b"", {})], "calendar.example.com answers 404"),
        ([Reply(200, b"x" * 1_000_001, {})], "calendar.example.com gives more than 1 MB"),
        ([Reply(302, b"", {"location": URL})] * 4, "calendar.example.com redirects more than 3 times"),
        ([Reply(302, b"", {})] * 4, "calendar.example.com redirects more than 3 times"),
    ],
)
def test_what_is_no_answer_is_told_without_the_address(replies: list[Reply], why: str, tmp_path: Path) -> None:
    with pytest.raises(BadFeed) as caught:
        fetch(schedule(URL), tmp_path, answering(*replies))

    assert str(caught.value) == why


def test_a_file_is_found_beside_the_rules(tmp_path: Path, host: Host) -> None:
    (tmp_path / "duty.ics").write_text("text")

    assert fetch(schedule("duty.ics"), tmp_path, host) == "text"
    with pytest.raises(BadFeed, match="the file cannot be opened: No such file"):
        fetch(schedule("other.ics"), tmp_path, host)
    assert host.asked == []


def test_a_file_without_end_is_not_read_to_its_end(host: Host) -> None:
    with pytest.raises(BadFeed, match="gives more than 1 MB"):
        fetch(schedule("zero"), Path("/dev"), host)


# ── The reader's process ─────────────────────────────────────────────────────────────────────────────────────────


def test_the_reader_s_process_gives_the_shifts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # it is found wherever we are started

    feed = feed_reading.read(calendar(WEEK + "SUMMARY:Иван"), SINCE, UNTIL, ZoneInfo("Europe/Moscow"))

    assert [shift.summary for shift in feed.shifts] == ["Иван"]
    assert (feed.since, feed.until) == (SINCE, UNTIL)


def test_the_reader_s_process_tells_why_not() -> None:
    with pytest.raises(BadFeed, match=r"^is no iCalendar file$"):
        feed_reading.read("nothing", SINCE, UNTIL, ZoneInfo("UTC"))


def test_a_rule_that_never_comes_true_is_given_up() -> None:
    hostile = calendar(*[WEEK + "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"] * 400)
    started = time.monotonic()

    with pytest.raises(BadFeed, match="cannot be read in 3 seconds"):
        feed_reading.read(hostile, SINCE, UNTIL, ZoneInfo("UTC"), seconds=3.0)

    assert time.monotonic() - started < 15


def test_a_rule_of_every_second_is_left_out_at_once() -> None:
    feed = feed_reading.read(calendar(WEEK + "RRULE:FREQ=SECONDLY"), SINCE, UNTIL, ZoneInfo("UTC"))

    assert feed.shifts == ()
    assert len(feed.notes) == 1


def test_the_reader_s_process_knows_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BITRIX24_WEBHOOK_URL", "https://p.bitrix24.ru/rest/1/secret/")
    seen: list[dict[str, str]] = []
    real = subprocess.run

    def spy(*args: Any, **words: Any) -> Any:
        seen.append(words["env"])
        return real(*args, **words)

    monkeypatch.setattr(subprocess, "run", spy)

    feed_reading.read(calendar(WEEK), SINCE, UNTIL, ZoneInfo("UTC"))

    assert "BITRIX24_WEBHOOK_URL" not in seen[0]


# ── The worker ───────────────────────────────────────────────────────────────────────────────────────────────────


@only_sqlite
def test_a_worker_reads_the_calendars_and_then_the_house_s_rules_know_them(
    database_url: Secret, tmp_path: Path
) -> None:
    (tmp_path / "duty.ics").write_text(IVAN)
    (tmp_path / "rules.yaml").write_text(HEAD + "oncall: {sre: {ical: duty.ics}}\nrules: []\n")
    built = house.build(Settings(rules=tmp_path / "rules.yaml", database_url=database_url), ENV)
    worker = Worker(built)
    running = threading.Thread(target=worker.run)

    running.start()
    try:
        until = time.monotonic() + 60
        while "sre" not in built.rules.feeds and time.monotonic() < until:
            time.sleep(0.1)
        assert len(built.rules.feeds["sre"].shifts) > 200
    finally:
        worker.stop()
        running.join()
        built.close()
