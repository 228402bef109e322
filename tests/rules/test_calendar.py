"""Windows of time: which moments are in them, when they end, and what happens when clocks are changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from relay.rules.calendar import HORIZON, Times, Window, moment_of, muted, quiet_until, until
from relay.rules.people import Person
from relay.rules.times import TimePart

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"
CASABLANCA, ALMATY, MOSCOW, HAVANA = "Africa/Casablanca", "Asia/Almaty", "Europe/Moscow", "America/Havana"


def wall(text: str, zone: str = "UTC", fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


def window(**keys: Any) -> Window:
    return TimePart.model_validate(keys).window()


# ── Inside or not ────────────────────────────────────────────────────────────────────────────────────────────────

INSIDE: list[tuple[dict[str, Any], str, bool]] = [
    ({"weekdays": "mon-fri"}, "2026-11-23 00:00", True),  # a Monday
    ({"weekdays": "mon-fri"}, "2026-11-27 23:59", True),
    ({"weekdays": "mon-fri"}, "2026-11-28 00:00", False),
    ({"weekdays": ["sat", "Sunday"]}, "2026-11-29 12:00", True),
    ({"weekdays": "fri-mon"}, "2026-11-23 12:00", True),  # comes round again
    ({"weekdays": "fri-mon"}, "2026-11-24 12:00", False),
    ({"hours": "09:00-18:00"}, "2026-11-23 09:00", True),
    ({"hours": "09:00-18:00"}, "2026-11-23 17:59:59.999999", True),
    ({"hours": "09:00-18:00"}, "2026-11-23 18:00", False),  # the end is not included
    ({"hours": "22:00-08:00"}, "2026-11-23 23:00", True),
    ({"hours": "22:00-08:00"}, "2026-11-23 07:59", True),
    ({"hours": "22:00-08:00"}, "2026-11-23 08:00", False),
    ({"hours": "18:00-24:00"}, "2026-11-23 23:59", True),
    ({"hours": "18:00-24:00"}, "2026-11-24 00:00", False),
    ({"hours": ["08:00-09:00", "12:00-13:00"]}, "2026-11-23 12:30", True),
    ({"hours": ["08:00-09:00", "12:00-13:00"]}, "2026-11-23 10:30", False),
    # The night belongs to the day on which it begins.
    ({"weekdays": "fri", "hours": "22:00-08:00"}, "2026-11-27 23:00", True),
    ({"weekdays": "fri", "hours": "22:00-08:00"}, "2026-11-28 07:00", True),
    ({"weekdays": "fri", "hours": "22:00-08:00"}, "2026-11-27 07:00", False),
    ({"dates": "2026-12-31", "hours": "20:00-04:00"}, "2027-01-01 03:00", True),
    ({"days": "1-7"}, "2026-11-07 12:00", True),
    ({"days": "1-7"}, "2026-11-08 12:00", False),
    ({"days": -1}, "2026-11-30 12:00", True),
    ({"days": -1}, "2026-11-29 12:00", False),
    ({"days": "-3..-1"}, "2028-02-27 12:00", True),
    ({"days": "-3--1"}, "2028-02-26 12:00", False),
    ({"days": "25..-1"}, "2026-02-28 12:00", True),
    ({"days": "29-31"}, "2026-02-28 12:00", False),  # there is no 29th
    ({"days": [1, 15]}, "2026-11-15 12:00", True),
    ({"months": "nov-feb"}, "2026-01-15 12:00", True),
    ({"months": "nov-feb"}, "2026-03-15 12:00", False),
    ({"months": [1, "may"]}, "2026-05-15 12:00", True),
    ({"months": "1..3"}, "2026-04-01 00:00", False),
    ({"dates": ["2026-01-01..2026-01-08", "2026-05-09"]}, "2026-01-08 23:59", True),
    ({"dates": ["2026-01-01..2026-01-08", "2026-05-09"]}, "2026-01-09 00:00", False),
    ({"dates": ["2026-01-01..2026-01-08", "2026-05-09"]}, "2026-05-09 12:00", True),
    ({"dates": "2026-02"}, "2026-02-28 23:00", True),
    ({"dates": 2026}, "2026-12-31 23:00", True),
    ({"dates": "2026..2027"}, "2028-01-01 00:00", False),
    ({"dates": "2026-12..2027"}, "2027-12-31 12:00", True),
    ({"weekdays": "fri", "days": 13}, "2026-11-13 12:00", True),
    ({"weekdays": "fri", "days": 13}, "2026-11-20 12:00", False),
    ({"hours": "22:00-08:00", "timezone": MOSCOW}, "2026-11-23 19:00", True),  # 22:00 there
    ({"hours": "22:00-08:00", "timezone": MOSCOW}, "2026-11-23 05:00", False),
]


@pytest.mark.parametrize(("keys", "moment", "inside"), INSIDE, ids=str)
def test_a_moment_is_in_a_window_or_not(keys: dict[str, Any], moment: str, inside: bool) -> None:
    assert (window(**keys).end(wall(moment)) is not None) is inside


# ── When it ends ─────────────────────────────────────────────────────────────────────────────────────────────────

ENDS: list[tuple[list[dict[str, Any]], str, str]] = [
    ([{"hours": "22:00-08:00"}], "2026-11-23 23:00", "2026-11-24 08:00"),
    ([{"weekdays": ["sat", "sun"]}], "2026-11-28 03:00", "2026-11-30 00:00"),  # two days are one stretch
    ([{"weekdays": ["sat", "sun"]}, {"hours": "22:00-08:00"}], "2026-11-27 23:00", "2026-11-30 08:00"),
    ([{"hours": "09:00-12:00"}, {"hours": "12:00-13:00"}], "2026-11-23 10:00", "2026-11-23 13:00"),
    ([{"hours": "09:00-12:00"}, {"hours": "12:01-13:00"}], "2026-11-23 10:00", "2026-11-23 12:00"),
    ([{"dates": "2026-12-30..2027-01-08"}], "2026-12-31 10:00", "2027-01-09 00:00"),
    ([{"dates": "2026-12-31", "hours": "20:00-04:00"}], "2027-01-01 03:00", "2027-01-01 04:00"),
]


@pytest.mark.parametrize(("windows", "moment", "end"), ENDS, ids=str)
def test_a_stretch_ends_where_no_window_holds_any_more(windows: list[dict[str, Any]], moment: str, end: str) -> None:
    assert until([window(**keys) for keys in windows], wall(moment)) == wall(end)


@pytest.mark.parametrize(
    "keys", [{"hours": "00:00-24:00"}, {"weekdays": "mon-sun"}, {"hours": ["00:00-12:00", "12:00-24:00"]}]
)
def test_what_never_ends_is_looked_at_for_400_days_and_no_longer(keys: dict[str, Any]) -> None:
    moment = wall("2026-11-23 12:00")

    assert until([window(**keys)], moment) == moment + HORIZON


# ── Quiet hours over a change of clocks ──────────────────────────────────────────────────────────────────────────

# zone, hours, now (by the wall; * marks the second time it is shown), quiet until, how long that is
NIGHTS = [
    # Berlin: on 2026-03-29 02:00 is followed by 03:00; on 2026-10-25 03:00 by 02:00.
    (BERLIN, "22:00-08:00", "2026-03-28 22:00", "2026-03-29 08:00", 9.0),
    (BERLIN, "22:00-08:00", "2026-10-24 22:00", "2026-10-25 08:00", 11.0),
    (BERLIN, "22:00-02:30", "2026-03-28 22:00", "2026-03-29 03:00", 4.0),  # 02:30 is skipped: till the jump
    (BERLIN, "22:00-02:30", "2026-10-24 22:00", "2026-10-25 02:30*", 5.5),  # shown twice: till the second
    (BERLIN, "02:30-08:00", "2026-03-29 03:00", "2026-03-29 08:00", 5.0),
    (BERLIN, "02:30-08:00", "2026-10-25 02:30", "2026-10-25 08:00", 6.5),  # from the first 02:30
    (BERLIN, "02:30-08:00", "2026-10-25 02:15*", "2026-10-25 08:00", 5.75),  # and one stretch from there
    (BERLIN, "02:10-02:50", "2026-03-29 03:00", None, 0.0),  # never shown that night
    # New York: on 2026-03-08 at 02:00, on 2026-11-01 at 02:00.
    (NEW_YORK, "22:00-08:00", "2026-03-07 22:00", "2026-03-08 08:00", 9.0),
    (NEW_YORK, "22:00-08:00", "2026-10-31 22:00", "2026-11-01 08:00", 11.0),
    (NEW_YORK, "23:30-01:30", "2026-10-31 23:30", "2026-11-01 01:30*", 3.0),
    (NEW_YORK, "23:30-02:15", "2026-03-07 23:30", "2026-03-08 03:00", 2.5),
    # Lord Howe changes by half an hour: on 2026-10-04 02:00 is followed by 02:30; on 2026-04-05 02:00 by 01:30.
    (LORD_HOWE, "22:00-08:00", "2026-10-03 22:00", "2026-10-04 08:00", 9.5),
    (LORD_HOWE, "22:00-08:00", "2026-04-04 22:00", "2026-04-05 08:00", 10.5),
    (LORD_HOWE, "22:00-02:15", "2026-10-03 22:00", "2026-10-04 02:30", 4.0),
    (LORD_HOWE, "22:00-01:45", "2026-04-04 22:00", "2026-04-05 01:45*", 4.25),
    # Casablanca goes back for Ramadan: on 2026-02-15 at 03:00, forward again on 2026-03-22 at 02:00.
    (CASABLANCA, "22:00-08:00", "2026-02-14 22:00", "2026-02-15 08:00", 11.0),
    (CASABLANCA, "22:00-08:00", "2026-03-21 22:00", "2026-03-22 08:00", 9.0),
    # Almaty and Moscow change nothing.
    (ALMATY, "22:00-08:00", "2026-03-28 22:00", "2026-03-29 08:00", 10.0),
    (ALMATY, "22:00-08:00", "2026-10-24 22:00", "2026-10-25 08:00", 10.0),
    (MOSCOW, "22:00-08:00", "2026-03-28 22:00", "2026-03-29 08:00", 10.0),
    (MOSCOW, "22:00-08:00", "2026-10-24 22:00", "2026-10-25 08:00", 10.0),
    # Havana changes at midnight: on 2026-03-08 00:00 is followed by 01:00; on 2026-11-01 01:00 by 00:00.
    (HAVANA, "22:00-00:30", "2026-03-07 22:00", "2026-03-08 01:00", 2.0),
    (HAVANA, "22:00-00:30", "2026-10-31 22:00", "2026-11-01 00:30*", 3.5),
]


@pytest.mark.parametrize(("zone", "hours", "now", "end", "lasts"), NIGHTS)
def test_quiet_hours_go_by_the_person_s_own_clock(
    zone: str, hours: str, now: str, end: str | None, lasts: float
) -> None:
    person = Person(name="ivan", timezone=zone, quiet=(window(hours=hours).on(ZoneInfo(zone)),))
    asked = wall(now.rstrip("*"), zone, now.endswith("*")).astimezone(UTC)
    expected = wall(end.rstrip("*"), zone, end.endswith("*")).astimezone(UTC) if end else None

    found = quiet_until(person, asked)

    assert found == expected
    assert (found - asked if found else timedelta()) == timedelta(hours=lasts)


def test_a_person_without_quiet_hours_is_never_quiet() -> None:
    assert quiet_until(Person(name="ivan"), wall("2026-11-23 03:00")) is None


def test_no_moment_of_a_night_is_loud_over_a_change_of_clocks() -> None:
    """Each minute of the night is asked, as the relay does, by the moment and not by the wall."""
    person = Person(name="ivan", quiet=(window(hours="22:00-08:00").on(ZoneInfo(BERLIN)),))
    first, last = wall("2026-10-24 22:00", BERLIN).astimezone(UTC), wall("2026-10-25 08:00", BERLIN).astimezone(UTC)

    ends = {quiet_until(person, first + timedelta(minutes=each)) for each in range(11 * 60)}

    assert ends == {last}
    assert quiet_until(person, first - timedelta(seconds=1)) is None
    assert quiet_until(person, last) is None


# ── A wall clock's time → the moment ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "zone", "again", "moment"),
    [
        ("2026-07-01 12:00", BERLIN, False, "2026-07-01 10:00"),
        ("2026-03-29 02:00", BERLIN, False, "2026-03-29 01:00"),  # the first time that is skipped is the jump itself
        ("2026-03-29 02:30", BERLIN, False, "2026-03-29 01:00"),
        ("2026-03-29 02:30", BERLIN, True, "2026-03-29 01:00"),
        ("2026-03-29 03:00", BERLIN, False, "2026-03-29 01:00"),
        ("2026-10-25 02:30", BERLIN, False, "2026-10-25 00:30"),
        ("2026-10-25 02:30", BERLIN, True, "2026-10-25 01:30"),
        ("2026-10-04 02:15", LORD_HOWE, False, "2026-10-03 15:30"),
        ("2011-12-30 10:00", "Pacific/Apia", False, "2011-12-30 10:00"),  # a whole day was skipped
    ],
)
def test_the_moment_of_a_wall_clock_s_time(text: str, zone: str, again: bool, moment: str) -> None:
    assert moment_of(datetime.fromisoformat(text), ZoneInfo(zone), again=again) == wall(moment)


# ── What can never hold ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("keys", "can"),
    [
        ({"days": "30-31", "months": "feb"}, False),
        ({"days": 31, "months": ["apr", "jun"]}, False),
        ({"days": -30, "months": "feb"}, False),
        ({"days": 29, "months": "feb"}, True),
        ({"days": 29, "months": "feb", "weekdays": "sun"}, True),  # 2032
        ({"days": 29, "months": "feb", "weekdays": "tue"}, True),  # 2028, and 28 years later
        ({"dates": "2026-11-23", "weekdays": "tue"}, False),  # it is a Monday
        ({"dates": "2026-11", "months": "oct"}, False),
        ({"dates": "2026..2027", "days": 29, "months": "feb"}, False),
        ({"dates": "2026..2028", "days": 29, "months": "feb"}, True),
        ({"dates": "1900..2199", "days": 30, "months": "feb"}, False),
        ({"hours": "22:00-08:00"}, True),
    ],
)
def test_a_window_that_no_day_is_in_is_known_for_dead(keys: dict[str, Any], can: bool) -> None:
    assert window(**keys).can_hold() is can


# ── Rules: mute and active ───────────────────────────────────────────────────────────────────────────────────────

WEEKENDS = Times("weekends", (window(weekdays=["sat", "sun"], timezone=MOSCOW),))
HOLIDAYS = Times("holidays", (window(dates="2026-12-31..2027-01-10"),))
OFFICE = Times("office", (window(weekdays="mon-fri", hours="09:00-18:00"),))
ALWAYS = Times("always", (window(weekdays="mon-sun"),))


@pytest.mark.parametrize(
    ("mute", "active", "now", "note"),
    [
        ([], [], "2026-11-28 12:00", ""),
        ([WEEKENDS], [], "2026-11-28 12:00", "muted by weekends until Mon 00:00 Europe/Moscow"),
        ([WEEKENDS], [], "2026-11-29 21:00", ""),  # Monday in Moscow
        ([WEEKENDS, HOLIDAYS], [], "2027-01-01 12:00", "muted by holidays until 2027-01-11 00:00 UTC"),
        ([ALWAYS], [], "2026-11-28 12:00", "muted by always"),
        ([], [OFFICE], "2026-11-23 12:00", ""),
        ([], [OFFICE], "2026-11-23 20:00", "muted outside office"),
        ([], [OFFICE, WEEKENDS], "2026-11-23 20:00", "muted outside office and weekends"),
        ([], [OFFICE, WEEKENDS], "2026-11-28 20:00", ""),  # any of them will do
        ([HOLIDAYS], [OFFICE], "2026-12-31 12:00", "muted by holidays until 2027-01-11 00:00 UTC"),
    ],
)
def test_a_rule_is_muted_in_some_times_and_outside_of_others(
    mute: list[Times], active: list[Times], now: str, note: str
) -> None:
    assert muted(mute, active, wall(now)) == note
