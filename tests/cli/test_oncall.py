"""`relay oncall` tells who is on duty and who is next, from the rules and from what is kept of their calendars."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from relay import feeds, house
from relay.cli.main import main
from relay.rules.feed import Feed, Shift, to_json
from relay.settings import Secret
from relay.store import feeds as copies
from relay.store.database import Database

RULES = """\
version: 1
portal: {webhook: "https://p.bitrix24.ru/rest/1/KEYKEYKEY/"}
sources: {x: {type: json, open: true}}
people: {ivan: {id: 17}, olga: {id: 18}}
oncall:
  sre: {timezone: Europe/Moscow, handoff: "Mon 10:00", rotation: [ivan, [olga, ivan]], from: 2026-11-23}
  web: {timezone: UTC, ical: duty.ics}
rules: []
default: drop
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "rules.yaml").write_text(RULES)
    monkeypatch.setenv("RELAY_RULES", str(tmp_path / "rules.yaml"))
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/relay.db")
    return tmp_path


def keep_a_copy(place: Path) -> None:
    rules = house.read_rules(place / "rules.yaml", {})
    first, middle, last = (datetime(2026, 11, day, 12, tzinfo=UTC) for day in (20, 25, 30))
    shifts = (Shift(first, middle, "olga"), Shift(middle, last, "ghost"))
    database = Database(Secret(f"sqlite:///{place}/relay.db"))
    database.upgrade()
    with database.write() as tx:
        copy = copies.claim(tx, "web", feeds.origin(rules.oncall["web"]), every=1.0)
        assert copy is not None
        copies.keep(tx, copy, digest="x", shifts=to_json(Feed(first, last, shifts)))
    database.close()


def oncall(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["oncall", *arguments])


def test_each_schedule_tells_who_is_on_duty_and_who_is_next(place: Path) -> None:
    keep_a_copy(place)

    done = oncall("--at", "2026-11-25T11:00+00:00")

    assert done.exit_code == 0
    assert [" ".join(line.split()) for line in done.output.splitlines()] == [
        "sre ivan 2026-11-23 10:00 – 2026-11-30 10:00 by rotation",
        "next olga, ivan 2026-11-30 10:00 – 2026-12-07 10:00 by rotation",
        "web olga 2026-11-20 12:00 – 2026-11-25 12:00 by calendar",
        "next nobody 2026-11-25 12:00 – 2026-11-30 12:00 by calendar; nobody known by: ghost",
    ]


def test_one_schedule_as_json_at_a_time_by_its_own_clock() -> None:
    done = oncall("sre", "--at", "2026-11-30 09:59", "--json")

    (one,) = json.loads(done.output)
    assert (one["schedule"], one["at"]) == ("sre", "2026-11-30T09:59:00+03:00")
    assert one["now"] == {
        "persons": ["ivan"],
        "since": "2026-11-23T10:00:00+03:00",
        "until": "2026-11-30T10:00:00+03:00",
        "why": "by rotation",
        "strangers": [],
    }
    assert one["next"]["persons"] == ["olga", "ivan"]


def test_before_a_calendar_is_read_nobody_is_on_duty_and_the_reason_is_told() -> None:
    done = oncall("web")

    assert "nobody" in done.output
    assert "its calendar has not been read yet" in done.output


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("nobody",), "the rules have no schedule nobody; they have: sre, web"),
        (("--at", "noon"), "--at is no time"),
    ],
)
def test_what_cannot_be_asked_is_told(arguments: tuple[str, ...], why: str) -> None:
    done = oncall(*arguments)

    assert done.exit_code == 1
    assert why in done.output


def test_rules_without_schedules_say_so(place: Path) -> None:
    (place / "rules.yaml").write_text(RULES[: RULES.index("oncall:")] + RULES[RULES.index("rules: []") :])

    assert oncall().output == "The rules have no oncall: section.\n"
