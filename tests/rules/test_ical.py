"""Calendars as Google, Outlook, Apple and strangers write them are unfolded into shifts, and none of them floods us."""

from __future__ import annotations

import pytest

from relay.rules import ical
from relay.rules.feed import BadFeed, from_json, to_json
from tests.rules.calendars import WEEK, calendar, read, starts


def test_an_event_is_a_shift_with_its_attendees() -> None:
    feed = read(
        calendar(
            WEEK + "SUMMARY:On call\\, first\n"
            "ATTENDEE;CN=Ivan;PARTSTAT=ACCEPTED:mailto:ivan@example.com\n"
            "ATTENDEE:MAILTO:olga@example.com\n"
            "ATTENDEE;PARTSTAT=DECLINED:mailto:petr@example.com\n"
            "ATTENDEE;CUTYPE=ROOM:mailto:room@example.com"
        )
    )

    (shift,) = feed.shifts
    assert (f"{shift.start:%FT%TZ}", f"{shift.end:%FT%TZ}") == ("2026-11-02T10:00:00Z", "2026-11-09T10:00:00Z")
    assert shift.summary == "On call, first"
    assert shift.attendees == ("ivan@example.com", "olga@example.com")


UNFOLDED = [
    # every second week
    (["DTSTART:20261102T100000Z\nDURATION:P7D\nRRULE:FREQ=WEEKLY;INTERVAL=2"], "11-02 11-16 11-30 12-14 12-28"),
    # without one, and with another
    (
        ["DTSTART:20261102T100000Z\nDURATION:P7D\nRRULE:FREQ=WEEKLY;UNTIL=20261201T000000Z\nEXDATE:20261109T100000Z\n"
         "RDATE:20261205T100000Z"],
        "11-02 11-16 11-23 11-30 12-05",
    ),
    # the last Friday of each month; began long ago
    (["DTSTART:20200131T100000Z\nDURATION:P1D\nRRULE:FREQ=MONTHLY;BYDAY=-1FR"], "11-27 12-25"),
    (["DTSTART:20261102T100000Z\nDURATION:P1D\nRRULE:FREQ=DAILY;COUNT=3"], "11-02 11-03 11-04"),
    (["DTSTART:20201125T100000Z\nDURATION:P1D\nRRULE:FREQ=YEARLY"], "11-25"),
    # called off
    ([WEEK + "STATUS:CANCELLED"], ""),
    # no time at all
    (["DTSTART:20261102T100000Z\nDTEND:20261102T100000Z"], ""),
    # one that began before what is read, and reaches into it
    (["DTSTART:20261030T100000Z\nDTEND:20261102T100000Z"], "10-30"),
]  # fmt: skip


@pytest.mark.parametrize(("events", "days"), UNFOLDED, ids=str)
def test_what_comes_again_is_unfolded(events: list[str], days: str) -> None:
    assert [start[:5] for start in starts(read(calendar(*events)))] == days.split()


def test_one_of_a_series_may_be_moved_given_away_or_called_off() -> None:
    series = "DTSTART:20261102T100000Z\nDTEND:20261103T100000Z\nSUMMARY:ivan\nRRULE:FREQ=WEEKLY;COUNT=4"
    moved = "RECURRENCE-ID:20261109T100000Z\nDTSTART:20261110T120000Z\nDTEND:20261111T100000Z\nSUMMARY:olga"
    off = "RECURRENCE-ID:20261116T100000Z\nDTSTART:20261116T100000Z\nDTEND:20261117T100000Z\nSTATUS:CANCELLED"
    text = calendar(series, moved, off).replace("UID:1", "UID:0").replace("UID:2", "UID:0")

    feed = read(text)

    assert starts(feed) == ["11-02 10:00", "11-10 12:00", "11-23 10:00"]
    assert [shift.summary for shift in feed.shifts] == ["ivan", "olga", "ivan"]


BERLIN = """
BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:STANDARD
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE
"""


@pytest.mark.parametrize(
    ("start", "zone", "begins"),
    [
        ("DTSTART;TZID=Europe/Berlin:20261102T100000", "UTC", "11-02 09:00"),
        ("DTSTART:20261102T100000", "Europe/Moscow", "11-02 07:00"),  # without a zone: the schedule's clock
        ("DTSTART;VALUE=DATE:20261102", "Europe/Moscow", "11-01 21:00"),  # so are whole days
        ("DTSTART:20261102T100000Z", "Europe/Moscow", "11-02 10:00"),
    ],
)
def test_a_shift_begins_by_its_own_clock_or_by_the_schedule_s(start: str, zone: str, begins: str) -> None:
    assert starts(read(calendar(f"{start}\nDURATION:P1D", head=BERLIN), zone)) == [begins]


def test_a_series_keeps_to_the_wall_clock_when_clocks_are_changed() -> None:
    series = "DTSTART;TZID=Europe/Berlin:20260907T100000\nDURATION:P1D\nRRULE:FREQ=WEEKLY"

    feed = read(calendar(series, head=BERLIN))

    assert {f"{shift.start:%H:%M}" for shift in feed.shifts} == {"09:00"}  # winter; it began in summer, at 08:00


# ── What is not taken ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is no iCalendar file"),
        ("<html>Please log in</html>", "is no iCalendar file"),
        ("BEGIN:VEVENT\r\nEND:VEVENT\r\n", "is no iCalendar file"),
        ("BEGIN:VCALENDAR\r\n", "is no iCalendar file"),
        ("x" * 1_000_001, "is larger than 1 MB"),
        (
            calendar(*(f"DTSTART:20261102T100000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY\nSUMMARY:{n}" for n in range(120))),
            "has more than 5000 shifts",
        ),
        (calendar(*[WEEK + "RRULE:FREQ=WEEKLY"] * 501), "has more than 500 events that come again"),
        (calendar("DTSTART:99991231T100000Z\nDURATION:P9D"), "holds events that cannot be read"),
    ],
    ids=lambda value: str(value)[-40:],
)
def test_what_is_no_calendar_or_too_much_of_one_is_refused(text: str, why: str) -> None:
    with pytest.raises(BadFeed, match=why):
        read(text)


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("FREQ=SECONDLY", "comes again more often than daily"),
        ("FREQ=MINUTELY;COUNT=99999999", "comes again more often than daily"),
        ("FREQ=HOURLY;INTERVAL=12", "comes again more often than daily"),
        ("FREQ=DAILY;BYHOUR=0,6,12,18;BYMINUTE=0,30", "comes again more than 4 times a day"),
    ],
)
def test_an_event_that_no_shift_repeats_like_is_left_out_and_told_of(rule: str, why: str) -> None:
    feed = read(calendar(f"{WEEK}SUMMARY:flood\nRRULE:{rule}", WEEK + "SUMMARY:ivan"))

    assert [shift.summary for shift in feed.shifts] == ["ivan"]
    assert feed.notes == (f"flood: {why}, and is left out",)


def test_an_event_that_the_library_cannot_read_does_not_cost_the_others() -> None:
    feed = read(calendar("SUMMARY:a", "DTSTART:soon\nSUMMARY:b", WEEK + "SUMMARY:ivan"))

    assert [shift.summary for shift in feed.shifts] == ["ivan"]
    assert feed.notes == ("a: has no beginning, and is left out",)


def test_what_is_kept_of_an_event_is_one_line_and_short() -> None:
    (shift,) = read(calendar(WEEK + "SUMMARY:" + "long\\n" * 100)).shifts

    assert len(shift.summary) == ical.MOST_LETTERS
    assert "\n" not in shift.summary


def test_a_feed_is_the_same_after_a_journey_as_json() -> None:
    feed = read(calendar(WEEK + "SUMMARY:Иван\nATTENDEE:mailto:ivan@example.com", WEEK + "RRULE:FREQ=SECONDLY"))

    assert feed.notes
    assert from_json(to_json(feed)) == feed
