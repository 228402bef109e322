"""Whatever is written under `times:`, `quiet:` and `oncall:` is taken or complained of; and asking it never fails."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from relay.errors import BadRules
from relay.rules import Memory, Rules, decide, load, schema
from relay.rules.calendar import HORIZON, quiet_until
from relay.rules.oncall import shifts
from relay.rules.times import TimePart
from tests.rules.books import ENV, HEAD, event

PIECES = """weekdays hours days months dates timezone handoff rotation from until person overrides ical mon-fri sat
22:00-08:00 00:00-24:00 02:30 Mon Sun 1-7 -1 -3..-1 31 feb nov-feb 12 2026 2026-02 2026-11-23 2026-11-23..2026-12-31
Europe/Berlin Australia/Lord_Howe UTC ivan olga team/backend a b oncall/a 2026-11-23T02:30 2199-12-31 1900-01-01
duty.ics https://example.com/x.ics"""
WORD = st.sampled_from([*PIECES.split(), "Mon 10:00", "2026-10-25 02:30"])
ANY = st.recursive(
    st.booleans() | st.integers(-40, 3000) | WORD | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORD, inner, max_size=4),
    max_leaves=12,
)
KEYS: dict[str, list[Any]] = {
    "weekdays": ["mon-fri", ["sat", "sun"], "fri-mon"],
    "hours": ["22:00-08:00", "00:00-24:00", ["01:30-02:30", "12:00-13:00"], "02:15-02:20"],
    "days": ["1-7", -1, ["-3..-1", 15]],
    "months": ["nov-feb", [3, 10]],
    "dates": [2026, "2026-03..2026-11", "1900", "2199"],
    "timezone": ["Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Almaty"],
}
TIME = st.fixed_dictionaries({}, optional={key: st.sampled_from(values) for key, values in KEYS.items()})
MOMENT = st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def loaded(**sections: Any) -> Rules | None:
    try:
        return load(HEAD + yaml.safe_dump(sections, allow_unicode=True), env=ENV)
    except BadRules as refused:
        complaints = refused.complaints
    assert complaints
    assert all(each.message and each.line >= 1 for each in complaints)
    return None


@settings(deadline=None)
@given(times=ANY, oncall=ANY, mute=ANY)
def test_any_times_and_schedules_are_taken_or_complained_of(times: Any, oncall: Any, mute: Any) -> None:
    loaded(times={"a": times}, oncall={"a": oncall, "b": oncall}, rules=[{"to": "ivan", "mute": mute}])
    loaded(times=times, oncall=oncall, rules=[{"to": "oncall/a", "active": ["a"]}])


@settings(deadline=None)
@given(time=st.lists(TIME, min_size=1, max_size=3), now=MOMENT)
def test_a_time_that_holds_ends_later_and_no_later_than_the_horizon(time: list[Any], now: datetime) -> None:
    rules = loaded(times={"a": time}, rules=[{"to": "ivan", "mute": "a"}])
    if rules is None:
        return
    (times,) = rules.rules[0].telling.mute
    end = times.until(now)

    assert end is None or now < end <= now + HORIZON
    assert end is None or end == now + HORIZON or times.until(end) is None
    assert (decide(event(), rules, Memory(), now).outcome == "muted") is (end is not None)


@settings(max_examples=30, deadline=None)
@given(
    clock=st.sampled_from(["00:00", "01:45", "02:15", "02:30", "23:59"]),
    zone=st.sampled_from(KEYS["timezone"]),
    weekly=st.booleans(),
    now=MOMENT,
)
def test_duties_follow_each_other_without_a_gap_whatever_the_clocks_do(
    clock: str, zone: str, weekly: bool, now: datetime
) -> None:
    spec = {
        "timezone": zone,
        "handoff": f"Mon {clock}" if weekly else clock,
        "rotation": ["ivan", "olga"],
        "from": "2020-01-06",
        "overrides": [{"person": "petr", "from": "2026-10-25 02:30", "until": "2026-10-25 03:30"}],
    }
    rules = loaded(oncall={"a": spec}, rules=[])
    assert rules is not None

    found = shifts(rules.oncall["a"], now, now + HORIZON, rules.directory)

    assert found[0].since is not None
    assert found[0].since <= now
    for earlier, later in pairwise(found):
        assert earlier.until == later.since
        assert earlier.until != later.until


def test_the_schema_knows_every_key() -> None:
    made = schema()

    assert set(made["$defs"]["TimePart"]["properties"]) == set(TimePart.model_fields)
    assert {"from", "until", "person"} == set(made["$defs"]["OverridePart"]["properties"])
    assert {"timezone", "handoff", "rotation", "from", "ical", "overrides"} == set(
        made["$defs"]["SchedulePart"]["properties"]
    )


@pytest.mark.parametrize("days", ["0", "0-3", "3-0", "32", "7-1", "-1..-7", "-1..1", "-3..5"])
def test_days_that_no_month_has_in_this_order_are_refused(days: str) -> None:
    with pytest.raises(ValidationError, match=r"no day of a month|ends before it begins"):
        TimePart.model_validate({"days": days})


def test_a_person_s_named_quiet_hours_are_reckoned_by_his_own_clock() -> None:
    head = HEAD.replace("timezone: Europe/Moscow}", "timezone: Asia/Almaty, quiet: nights}")
    rules = load(head + 'times: {nights: {hours: "22:00-08:00"}}\nrules: []\n', env=ENV)

    found = quiet_until(rules.people["ivan"], datetime(2026, 11, 23, 18, 0, tzinfo=UTC))  # 23:00 there

    assert found == datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
