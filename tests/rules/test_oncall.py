"""Who is on duty: by turns, by calendars, by overrides; at any moment and over any range, whatever the clocks do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from relay.errors import BadRules
from relay.rules import Memory, Rules, decide, load
from relay.rules.feed import Feed, Shift
from relay.rules.oncall import OnDuty, on_duty, shifts
from tests.rules.books import ENV, HEAD, book, event, told

ROTATION = """
oncall:
  sre:
    timezone: {zone}
    handoff: "{handoff}"
    rotation: {rotation}
    from: {begins}
    overrides: {overrides}
rules: [{{to: oncall/sre, fallback: petr}}]
"""


def schedule_book(
    rotation: str = "[ivan, olga]",
    handoff: str = "Mon 10:00",
    zone: str = "Europe/Moscow",
    begins: str = "2026-11-23",
    overrides: str = "[]",
) -> Rules:
    return book(ROTATION.format(rotation=rotation, handoff=handoff, zone=zone, begins=begins, overrides=overrides))


def at(text: str, zone: str = "UTC", fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


def duty(rules: Rules, now: datetime) -> OnDuty:
    return on_duty(rules.oncall["sre"], now, rules.directory, rules.feeds.get("sre"))


def names(found: OnDuty) -> str:
    return ", ".join(person.name for person in found.persons)


# ── Rotations ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("now", "who"),
    [
        ("2026-11-23 09:59:59", ""),  # it has not begun
        ("2026-11-23 10:00", "ivan"),
        ("2026-11-29 23:00", "ivan"),
        ("2026-11-30 09:59:59", "ivan"),
        ("2026-11-30 10:00", "olga"),
        ("2026-12-07 10:00", "ivan"),
        ("2036-11-24 10:00", "ivan"),  # 522 weeks later
    ],
)
def test_a_week_is_from_handoff_to_handoff(now: str, who: str) -> None:
    assert names(duty(schedule_book(), at(now, "Europe/Moscow"))) == who


def test_the_duty_tells_its_beginning_and_its_end() -> None:
    found = duty(schedule_book(), at("2026-11-25 12:00"))

    assert (found.since, found.until) == (at("2026-11-23 07:00"), at("2026-11-30 07:00"))
    assert found.why == "by rotation"


def test_a_day_is_from_handoff_to_handoff() -> None:
    rules = schedule_book(handoff="10:00", rotation="[ivan, olga, petr]", begins="2026-11-25")

    assert [names(duty(rules, at(f"2026-11-{day} 12:00"))) for day in range(25, 30)] == [
        "ivan", "olga", "petr", "ivan", "olga",
    ]  # fmt: skip


def test_a_turn_may_be_of_several() -> None:
    rules = schedule_book(rotation="[[ivan, petr], team/backend, 4711]")

    found = [names(duty(rules, at(f"2026-{day} 12:00"))) for day in ("11-23", "11-30", "12-07")]

    assert found == ["ivan, petr", "ivan, olga", "4711"]


# Berlin: on 2026-03-29 02:00 is followed by 03:00, on 2026-10-25 03:00 by 02:00. Lord Howe: half an hour.
HANDOFFS = [
    ("Europe/Berlin", "02:30", "2026-03-29", "2026-03-29 01:00"),  # skipped: the moment of the jump, 03:00 there
    ("Europe/Berlin", "02:30", "2026-03-30", "2026-03-30 00:30"),
    ("Europe/Berlin", "02:30", "2026-10-25", "2026-10-25 00:30"),  # twice: the first
    ("Europe/Berlin", "10:00", "2026-10-25", "2026-10-25 09:00"),
    ("Australia/Lord_Howe", "02:15", "2026-10-04", "2026-10-03 15:30"),
    ("Australia/Lord_Howe", "01:45", "2026-04-05", "2026-04-04 14:45"),
    ("Africa/Casablanca", "02:30", "2026-03-22", "2026-03-22 02:00"),
]


@pytest.mark.parametrize(("zone", "clock", "day", "moment"), HANDOFFS)
def test_a_handoff_is_a_wall_clock_s_time_whatever_the_clocks_do(zone: str, clock: str, day: str, moment: str) -> None:
    rules = schedule_book(handoff=clock, zone=zone, begins=day)

    assert names(duty(rules, at(moment) - timedelta(seconds=1))) == ""
    assert names(duty(rules, at(moment))) == "ivan"


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"])
@pytest.mark.parametrize("clock", ["00:00", "02:15", "02:30", "23:59"])
def test_the_turns_of_a_year_follow_each_other_without_a_gap_and_without_a_double(zone: str, clock: str) -> None:
    rules = schedule_book(handoff=clock, zone=zone, begins="2026-01-01")
    start = at("2026-01-02 00:00", zone)

    found = shifts(rules.oncall["sre"], start, start + timedelta(days=365), rules.directory)

    assert all(earlier.until == later.since for earlier, later in pairwise(found))
    assert all(names(earlier) != names(later) for earlier, later in pairwise(found))
    assert len(found) in (365, 366)
    for each in found:
        assert each.since is not None
        assert names(duty(rules, each.since)) == names(each)
        assert names(duty(rules, each.since - timedelta(seconds=1))) != names(each)


# ── Overrides ────────────────────────────────────────────────────────────────────────────────────────────────────

OVERRIDES = """
      - {person: olga, from: 2026-11-25 10:00, until: 2026-11-27 10:00}
      - {person: [petr, ivan], from: 2026-11-26 10:00, until: 2026-11-26 18:00}
"""


def test_an_override_stands_above_the_rotation_and_the_later_one_above_the_earlier() -> None:
    rules = schedule_book(overrides=OVERRIDES, zone="UTC")

    found = shifts(rules.oncall["sre"], at("2026-11-23 12:00"), at("2026-12-01 00:00"), rules.directory)

    assert [(f"{each.since:%d.%H}", f"{each.until:%d.%H}", names(each), each.why) for each in found] == [
        ("23.10", "25.10", "ivan", "by rotation"),
        ("25.10", "26.10", "olga", "by override"),
        ("26.10", "26.18", "petr, ivan", "by override"),
        ("26.18", "27.10", "olga", "by override"),
        ("27.10", "30.10", "ivan", "by rotation"),
        ("30.10", "07.10", "olga", "by rotation"),
    ]


def test_an_override_holds_also_before_the_rotation_begins() -> None:
    rules = schedule_book(overrides="[{person: petr, from: 2026-11-01, until: 2026-11-02}]", zone="UTC")

    found = duty(rules, at("2026-11-01 12:00"))

    assert (names(found), found.since, found.until) == ("petr", at("2026-11-01 00:00"), at("2026-11-02 00:00"))


def test_no_question_is_answered_without_end() -> None:
    rules = schedule_book(handoff="10:00")

    assert len(shifts(rules.oncall["sre"], at("2026-11-23 12:00"), at("2126-11-23 12:00"), rules.directory)) == 1_000


# ── Calendars ────────────────────────────────────────────────────────────────────────────────────────────────────

FEED = Feed(
    since=at("2026-11-01 00:00"),
    until=at("2026-12-31 00:00"),
    shifts=(
        Shift(at("2026-11-23 10:00"), at("2026-11-24 10:00"), "on call", ("ivan@example.com",)),
        Shift(at("2026-11-24 08:00"), at("2026-11-24 12:00"), "Olga-S, with love"),
        Shift(at("2026-11-25 10:00"), at("2026-11-26 10:00"), "on call", ("ghost@example.com",)),
    ),
)


def feed_book(feed: Feed | None = FEED, overrides: str = "[]") -> Rules:
    rules = book(f"""
    oncall:
      sre: {{ical: duty.ics, overrides: {overrides}}}
    rules: [{{to: oncall/sre, fallback: petr}}]
    """)
    return replace(rules, feeds={"sre": feed}) if feed else rules


@pytest.mark.parametrize(
    ("now", "who", "since", "until"),
    [
        ("2026-11-23 09:00", "", "01 00", "23 10"),
        ("2026-11-23 10:00", "ivan", "23 10", "24 08"),
        ("2026-11-24 09:00", "ivan, olga", "24 08", "24 10"),
        ("2026-11-24 11:00", "olga", "24 10", "24 12"),
        ("2026-11-24 12:00", "", "24 12", "25 10"),
    ],
)
def test_a_calendar_s_shifts_are_the_duty(now: str, who: str, since: str, until: str) -> None:
    found = duty(feed_book(), at(now))

    assert (names(found), f"{found.since:%d %H}", f"{found.until:%d %H}") == (who, since, until)


def test_beyond_what_was_read_of_a_calendar_nobody_is_on_duty_and_the_reason_is_told() -> None:
    found = duty(feed_book(), at("2027-01-15 00:00"))

    assert (names(found), found.until) == ("", None)
    assert found.why == "its calendar has been read only from 2026-11-01 to 2026-12-31"


def test_an_override_stands_above_a_calendar_too() -> None:
    rules = feed_book(overrides="[{person: petr, from: 2026-11-23 12:00, until: 2026-11-23 13:00}]")

    assert [names(duty(rules, at(f"2026-11-23 {hour}:00"))) for hour in (11, 12, 13)] == ["ivan", "petr", "ivan"]


# ── Rules that tell whoever is on duty ───────────────────────────────────────────────────────────────────────────


def test_a_rule_tells_whoever_is_on_duty_when_the_event_is_decided() -> None:
    rules = schedule_book()
    moments = (at("2026-11-25 12:00"), at("2026-12-02 12:00"))

    assert [told(decide(event(), rules, Memory(), now)) for now in moments] == [["ivan"], ["olga"]]


def test_the_trace_says_who_has_the_duty_and_why() -> None:
    decision = decide(event(), schedule_book(), Memory(), at("2026-11-25 12:00"))

    assert "oncall/sre is ivan, by rotation" in decision.trace[0].note


def test_whoever_is_on_duty_is_not_told_of_his_own_act() -> None:
    decision = decide(event(actor="ivan-petrov"), schedule_book(), Memory(), at("2026-11-25 12:00"))

    assert (told(decision), decision.outcome) == ([], "own_act")


def test_in_a_gap_the_fallback_is_told_and_the_trace_says_why() -> None:
    decision = decide(event(), feed_book(), Memory(), at("2026-11-24 15:00"))

    assert told(decision) == ["petr"]
    assert "nobody is on duty by oncall/sre: its calendar has no shift then; to the fallback, petr" in (
        decision.trace[0].note
    )


def test_before_a_calendar_is_read_the_fallback_is_told() -> None:
    decision = decide(event(), feed_book(None), Memory(), at("2026-11-24 15:00"))

    assert told(decision) == ["petr"]
    assert "its calendar has not been read yet" in decision.trace[0].note


def test_a_shift_of_somebody_unknown_is_reported_and_goes_to_the_fallback() -> None:
    decision = decide(event(), feed_book(), Memory(), at("2026-11-25 12:00"))

    assert (told(decision), decision.unmapped) == (["petr"], ("ghost@example.com",))
    assert "ghost@example.com, on duty by oncall/sre, is nobody known" in decision.trace[0].note


def test_a_person_on_duty_without_id_is_lost_and_the_fallback_is_told() -> None:
    decision = decide(event(), schedule_book(rotation="[nina]"), Memory(), at("2026-11-25 12:00"))

    assert (told(decision), decision.unmapped) == (["petr"], ("nina",))


def test_the_fallback_may_be_whoever_is_on_duty() -> None:
    rules = load(
        HEAD
        + "oncall: {sre: {handoff: '10:00', from: 2026-11-23, rotation: [olga, ivan]}}\n"
        + "rules: [{to: [petr, reviewer], fallback: oncall/sre}]",
        env=ENV,
    )
    decision = decide(event(reviewers=("ghost",)), rules, Memory(), at("2026-11-23 12:00"))

    assert told(decision) == ["petr", "olga"]
    assert [message.fallback for message in decision.messages] == [(18,), ()]


# ── Rules that are muted ─────────────────────────────────────────────────────────────────────────────────────────

TIMES = """
times:
  weekends: {weekdays: [sat, sun], timezone: Europe/Moscow}
  office: {weekdays: mon-fri, hours: "09:00-18:00"}
rules:
  - to: ivan
    mute: weekends
    rules:
      - {name: inherits, when: {event: push}}
      - {name: overrules, when: {event: alert}, mute: []}
      - {name: adds, when: {event: ping}, active: office}
"""


@pytest.mark.parametrize(
    ("kind", "now", "outcome"),
    [
        ("push", "2026-11-28 12:00", "muted"),
        ("push", "2026-11-27 12:00", "addressed"),
        ("alert", "2026-11-28 12:00", "addressed"),
        ("ping", "2026-11-28 12:00", "muted"),
        ("ping", "2026-11-27 12:00", "addressed"),
        ("ping", "2026-11-27 19:00", "muted"),
    ],
)
def test_a_muted_rule_matches_and_tells_nobody(kind: str, now: str, outcome: str) -> None:
    decision = decide(event(event=kind), book(TIMES), Memory(), at(now))

    assert decision.outcome == outcome
    assert bool(decision.messages) is (outcome == "addressed")


def test_a_muted_rule_says_by_what_and_until_when() -> None:
    decision = decide(event(), book(TIMES), Memory(), at("2026-11-28 12:00"))

    assert "muted by weekends until Mon 00:00 Europe/Moscow" in decision.trace[1].note


def test_a_muted_rule_does_not_keep_another_from_telling() -> None:
    rules = book("""
    times: {always: {weekdays: mon-sun}}
    rules:
      - {to: ivan, mute: always, continue: true}
      - {to: olga}
    """)

    decision = decide(event(), rules, Memory(), at("2026-11-28 12:00"))

    assert (told(decision), decision.outcome) == (["olga"], "addressed")


# ── Quiet hours ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_quiet_hours_are_hours_or_named_times_by_the_person_s_clock_unless_they_have_one() -> None:
    head = HEAD.replace("timezone: Europe/Moscow}", "timezone: Europe/Moscow, quiet: ['22:00-08:00', weekends, fair]}")
    rules = load(
        head + "times: {weekends: {weekdays: [sat, sun]}, fair: {dates: 2026-12, timezone: Asia/Almaty}}\nrules: []\n",
        env=ENV,
    )

    zones = [window.zone and window.zone.key for window in rules.people["ivan"].quiet]

    assert zones == ["Europe/Moscow", "Europe/Moscow", "Asia/Almaty"]


def test_loading_refuses_a_schedule_that_is_half_said() -> None:
    with pytest.raises(BadRules, match=r"oncall\.sre\.handoff: is missing: a rotation needs rotation, handoff, from"):
        book("oncall: {sre: {rotation: [ivan], from: 2026-11-23}}\nrules: []")


def test_moments_are_told_in_utc() -> None:
    found = duty(schedule_book(), at("2026-11-25 12:00", "Asia/Almaty"))

    assert found.since is not None
    assert found.since.tzinfo is UTC
