"""What is kept for the pages is exact, grows no further than it is said to, and is written by whoever does the work."""

from __future__ import annotations

from pathlib import Path

import pytest

from relay import courier, house, router
from relay.bitrix import pace
from relay.courier import Destination, Load
from relay.house import House, RulesFile
from relay.model import Answer, Delivered, Later, Muted, PortalTrouble
from relay.settings import Secret, Settings
from relay.store import daily, health, journal, portals, reloads
from relay.store.database import Database
from relay.store.health import Sample
from relay.store.reloads import Reading
from tests.conftest import Clock, only_sqlite
from tests.store.build import arrival, message, put

DAY = 86_400.0

# ── Counts of a day ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_rule_s_decisions_are_counted_by_day_and_outcome(database: Database, clock: Clock) -> None:
    for answers in ([("pushes", "addressed"), ("pushes", "addressed"), ("alerts", "silenced")], [("pushes", "nobody")]):
        with database.write() as tx:
            daily.add(tx, "rule", answers)
        clock.forward(DAY)
    with database.write() as tx:
        daily.add(tx, "person", [("pushes", "delivered")])  # another thing of the same name

    with database.read() as tx:
        found = daily.rules(tx, days=3)
    assert {name: (hits.days, hits.outcomes, hits.total) for name, hits in found.items()} == {
        "alerts": ((1, 0, 0), {"silenced": 1}, 1),
        "pushes": ((2, 1, 0), {"addressed": 2, "nobody": 1}, 3),
    }


def test_days_that_are_past_are_forgotten_by_the_first_count_of_a_day(database: Database, clock: Clock) -> None:
    for _ in range(40):
        with database.write() as tx:
            daily.add(tx, "rule", [("pushes", "addressed")])
        clock.forward(DAY)

    clock.forward(-DAY)
    with database.read() as tx:
        assert daily.rules(tx, days=100)["pushes"].total == daily.KEPT


def test_a_person_s_messages_of_the_last_week_are_summed(database: Database, clock: Clock) -> None:
    for _ in range(9):
        with database.write() as tx:
            daily.add(tx, "person", [("ivan", "delivered"), ("ivan", "delivered"), ("ivan", "dead")])
        clock.forward(DAY)

    clock.forward(-DAY)
    with database.read() as tx:
        assert daily.people(tx) == {"ivan": {"dead": 7, "delivered": 14}}


def test_a_name_longer_than_a_key_is_counted_once(database: Database) -> None:
    with database.write() as tx:
        daily.add(tx, "rule", [("x" * 9_000, "nobody")] * 2)

    with database.read() as tx:
        assert [hits.total for hits in daily.rules(tx).values()] == [2]


# ── A portal's health ─────────────────────────────────────────────────────────────────────────────────────────────

TO = Destination(
    name="main",
    pace=pace.PLANS["standard"],
    client=None,  # type: ignore[arg-type]  # nothing is called
    replaces_by_tag=True,
)


def call(database: Database, answer: Answer) -> None:
    """One call, claimed and settled."""
    load = courier.claim(database, TO, holder="one", lease_seconds=30)
    assert isinstance(load, Load)
    courier.settle(database, TO, load, answer, jitter=0)


def test_a_call_leaves_a_sample_of_how_the_portal_is(database: Database, clock: Clock) -> None:
    put(database, *(message(key=f"k{number}", tag="") for number in range(3)))
    clock.forward(4)
    call(database, Answer(verdicts=(Delivered(1),)))

    with database.read() as tx:
        (sample,) = health.points(tx, "main", most=health.KEPT)  # a point a second
    assert sample == Sample(at=int(clock.now), level=1.0, share=1.0, waiting=2, lag=4.0, trouble="")


def test_calls_within_ten_seconds_share_one_sample(database: Database, clock: Clock) -> None:
    put(database, *(message(key=f"k{number}", tag="") for number in range(5)))
    start = clock.now
    for _ in range(5):
        call(database, Answer(verdicts=(Delivered(1),)))
        clock.forward(4)

    with database.read() as tx:
        assert [each.at - start for each in health.points(tx, "main", most=health.KEPT)] == [0, 12]


def test_a_portal_s_trouble_is_in_its_sample(database: Database) -> None:
    put(database, message())
    call(database, Answer(trouble=PortalTrouble("closed", "ACCESS_DENIED", "closed to us")))

    with database.read() as tx:
        assert [each.trouble for each in health.points(tx, "main")] == ["closed"]


def test_what_became_of_messages_is_counted_for_their_persons(database: Database, clock: Clock) -> None:
    put(database, message(tag="a", person="olga"), message(tag="b", person="ivan"))
    for answer in (
        Answer(verdicts=(Delivered(1),)),
        Answer(verdicts=(Later("BUSY", "busy"),)),
        Answer(verdicts=(Muted(),)),
    ):
        call(database, answer)
        clock.forward(60)

    with database.read() as tx:
        assert daily.people(tx) == {"ivan": {"muted": 1}, "olga": {"delivered": 1}}


def test_who_lost_the_lease_leaves_no_sample(database: Database, clock: Clock) -> None:
    put(database, message())
    load = courier.claim(database, TO, holder="one", lease_seconds=30)
    assert isinstance(load, Load)
    clock.forward(31)
    with database.write() as tx:
        courier.hold(tx, TO, holder="two", lease_seconds=30)
    courier.settle(database, TO, load, Answer(verdicts=(Delivered(1),)), jitter=0)

    with database.read() as tx:
        assert health.points(tx, "main") == []


def sample(database: Database, **words: float) -> None:
    with database.write() as tx:
        portals.get(tx, "main")
        health.keep(tx, "main", level=words.get("level", 0.0), share=words.get("share", 1.0), trouble="")


def test_a_point_tells_the_worst_of_its_time_and_a_quiet_time_has_none(database: Database, clock: Clock) -> None:
    clock.now = 600.0 * 3_000_000
    for level, share, pause in ((3.0, 1.0, 10), (9.0, 0.5, 10), (1.0, 0.75, 1_800), (2.0, 1.0, 0)):
        sample(database, level=level, share=share)
        clock.forward(pause)

    with database.read() as tx:
        found = [(each.at - 600 * 3_000_000, each.level, each.share) for each in health.points(tx, "main")]
    assert found == [(0, 9.0, 0.5), (1_800, 2.0, 1.0)]


def test_samples_older_than_a_day_go_as_new_ones_come(database: Database, clock: Clock) -> None:
    for _ in range(30):
        sample(database)
        clock.forward(3_600)

    clock.forward(-3_600)
    with database.read() as tx:
        assert len(health.points(tx, "main", most=health.KEPT)) == 24


def test_a_day_of_samples_is_read_as_few_points(database: Database, clock: Clock) -> None:
    with database.write() as tx:
        for _ in range(200):
            tx.now += 432
            health.keep(tx, "main", level=1.0, share=1.0, trouble="")
        points = health.points(tx, "main")

    assert 140 <= len(points) <= health.POINTS


def test_a_clock_that_was_set_back_stops_no_sampling(database: Database, clock: Clock) -> None:
    sample(database)
    clock.forward(-9_000)

    with database.write() as tx:
        assert health.is_due(tx, "main")
        health.keep(tx, "main", level=2.0, share=1.0, trouble="")
        assert [each.level for each in health.points(tx, "main")] == [2.0]


@only_sqlite
def test_a_decision_is_counted_for_each_rule_that_answered(rules: Path, database_url: Secret) -> None:
    rules.write_text(GOOD.replace("{type: github, open: true}", "{type: json, open: true}"))
    one = built(rules, database_url)
    with one.database.write() as tx:
        journal.append(tx, [arrival(delivery=f"{number}", body=b'{"title": "x"}') for number in range(2)])
    router.turn(one.database, one.rules, holder="one", lease_seconds=30)

    with one.database.read() as tx:
        assert {name: hits.outcomes for name, hits in daily.rules(tx).items()} == {"all": {"addressed": 2}}
    one.close()


# ── Readings of the rules file ────────────────────────────────────────────────────────────────────────────────────

GOOD = """\
version: 1
portal: {webhook: "https://p.bitrix24.ru/rest/1/abcdef/"}
sources: {github: {type: github, open: true}}
people: {ivan: {id: 17}}
rules: [{name: all, to: ivan}]
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text(GOOD)
    return path


def built(rules: Path, url: Secret) -> House:
    return house.build(Settings(rules=rules, database_url=url), {})


def noted(one: House) -> list[tuple[str, int]]:
    with one.database.read() as tx:
        return [(each.outcome, each.rules) for each in reloads.latest(tx)]


def test_a_change_is_noted_once_however_many_processes_read_it(rules: Path, database_url: Secret) -> None:
    houses = [built(rules, database_url), built(rules, database_url)]
    for text in (GOOD.replace("to: ivan", "to: iwan"), GOOD + "# mended\n"):
        rules.write_text(text)
        for one in houses:
            one.rules_file.refresh()

    assert noted(houses[0]) == [("taken", 1), ("refused", 0), ("taken", 1)]
    for one in houses:
        one.close()


@only_sqlite
def test_a_refusal_keeps_its_first_complaint_without_the_webhook_s_secret(rules: Path, database_url: Secret) -> None:
    one = built(rules, database_url)
    rules.write_text(GOOD.replace('"https://p.bitrix24.ru/rest/1/abcdef/"', '"ftp://p.bitrix24.ru/rest/1/abcdef/"'))
    one.rules_file.refresh()

    with one.database.read() as tx:
        newest = reloads.latest(tx)[0]
    assert newest.outcome == "refused"
    assert newest.complaint.startswith(f"{rules}:2:")
    assert "abcdef" not in newest.complaint
    one.close()


def test_the_digest_covers_the_files_that_are_included(rules: Path) -> None:
    (rules.parent / "more.yaml").write_text("people: {olga: {id: 18}}\n")
    rules.write_text(GOOD + "include: [more.yaml]\n")
    file = RulesFile(rules, {})
    before = file.reading.digest
    (rules.parent / "more.yaml").write_text("people: {olga: {id: 19}}\n")
    assert file.refresh()

    assert (len(before), file.reading.digest == before) == (64, False)


def test_the_last_fifty_readings_are_kept(database: Database) -> None:
    for number in range(60):
        with database.write() as tx:
            assert reloads.note(tx, Reading(outcome="taken", digest=f"{number}"))

    with database.read() as tx:
        assert [each.digest for each in reloads.latest(tx)] == [f"{number}" for number in range(59, 9, -1)]


@only_sqlite
def test_rules_are_taken_though_the_reading_cannot_be_noted(rules: Path, database_url: Secret) -> None:
    one = built(rules, database_url)
    with one.database.write() as tx:
        tx.connection.exec_driver_sql("DROP TABLE reload")
    rules.write_text(GOOD.replace("ivan", "olga"))

    assert one.rules_file.refresh()
    assert list(one.rules.people) == ["olga"]
    one.close()
