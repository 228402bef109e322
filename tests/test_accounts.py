"""People looked up on their portal and kept; confirmed every hour; and never somebody else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from relay import courier, house
from relay.accounts import EVERY, LONGEST, LOOK_EVERY, Accounts, confirm, sync
from relay.bitrix import pace
from relay.bitrix.options import Plan, PortalOptions
from relay.bitrix.users import LookupRefused
from relay.courier import Destination
from relay.errors import StoreUnavailable
from relay.model import PortalTrouble
from relay.rules import Rules, load
from relay.sandbox import Person, Portal, Server, serve
from relay.settings import Secret, Settings
from relay.store import accounts as kept
from relay.store import journal, portals
from relay.store.database import Database
from tests.conftest import Clock, only_sqlite

PEOPLE = [
    Person(1, "Admin", email="admin@example.com"),
    Person(17, "Ivan", email="Ivan@Example.com"),
    Person(18, "Olga", email="olga@example.com"),
    Person(20, "Sergey", email="sergey@example.com", active=False),
    *(Person(number, f"P{number}", email=f"p{number}@example.com") for number in range(100, 220)),
]
RULES = """\
version: 1
portal: {domain: d.bitrix24.ru, token: t}
sources: {x: {type: json, open: true}}
people:
  ivan: {email: ivan@example.com}
  olga: {email: olga@example.com}
rules: [{to: [ivan, olga]}]
"""


@pytest.fixture
def server() -> Iterator[Server]:
    with serve(Portal(PEOPLE, rate="unlimited")) as running:
        yield running


@pytest.fixture
def to(server: Server, database: Database) -> Iterator[Destination]:
    made = house.destination(database, "main", PortalOptions.model_validate({"webhook": server.webhook}))
    yield made
    made.client.close()


@pytest.fixture
def rules() -> Rules:
    return load(RULES, env={})


def synced(database: Database, to: Destination, *emails: str, dry_run: bool = False) -> dict[str, str]:
    return {each.email: each.state for each in sync(database, to, emails, dry_run=dry_run)}


def known(database: Database, *, younger_than: float = LONGEST) -> dict[str, int]:
    with database.read() as tx:
        return kept.found(tx, younger_than=younger_than).get("main", {})


# ── Looking up ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_found_is_kept_and_the_rest_is_told(database: Database, to: Destination) -> None:
    assert synced(database, to, "ivan@example.com", "sergey@example.com", "nobody@example.com") == {
        "ivan@example.com": "found",
        "sergey@example.com": "inactive",
        "nobody@example.com": "not_found",
    }
    assert known(database) == {"ivan@example.com": 17}


def test_a_dry_run_asks_and_keeps_nothing(database: Database, to: Destination) -> None:
    assert synced(database, to, "ivan@example.com", dry_run=True) == {"ivan@example.com": "found"}
    assert known(database) == {}


def test_fifty_are_one_request_and_each_request_is_counted_in_the_shared_pace(
    database: Database, to: Destination, server: Server
) -> None:
    emails = [f"p{number}@example.com" for number in range(100, 220)]

    assert set(synced(database, replace(to, pace=pace.PLANS["standard"]), *emails).values()) == {"found"}

    assert len(server.portal.calls()) == 3
    with database.write() as tx:
        assert round(portals.get(tx, "main").level) == 3


def test_a_full_bucket_is_waited_for(database: Database, to: Destination, clock: Clock) -> None:
    slow = replace(to, pace=pace.from_plan(Plan(rate=0.5, burst=2)))
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        clock.forward(seconds)

    for _ in range(3):
        courier.spend(database, slow, sleep)

    assert [round(wait, 1) for wait in waits] == [2.0, 2.0]


def test_who_is_dismissed_is_forgotten_at_the_next_look(database: Database, to: Destination, server: Server) -> None:
    synced(database, to, "ivan@example.com", "olga@example.com")
    server.portal.change_person(17, active=False)
    server.portal.change_person(18, email="olga@elsewhere.example.com")

    synced(database, to, "ivan@example.com", "olga@example.com")

    assert known(database) == {}


def test_two_of_one_address_are_nobody(database: Database, to: Destination, server: Server) -> None:
    synced(database, to, "ivan@example.com")
    server.portal.change_person(18, email="ivan@example.com")

    assert synced(database, to, "ivan@example.com") == {"ivan@example.com": "ambiguous"}
    assert known(database) == {}


def test_without_the_right_nothing_is_forgotten(database: Database, to: Destination, server: Server) -> None:
    synced(database, to, "ivan@example.com")
    server.portal.configure(scopes=["im", "user_brief"])

    with pytest.raises(LookupRefused, match="user_basic"):
        synced(database, to, "ivan@example.com")

    assert known(database) == {"ivan@example.com": 17}


# ── Confirming ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_id_is_confirmed_once_an_hour(
    database: Database, to: Destination, server: Server, clock: Clock, rules: Rules
) -> None:
    synced(database, to, "ivan@example.com")

    for forward, calls in ((EVERY / 2, 1), (EVERY / 2, 2), (60.0, 2), (EVERY, 3)):
        clock.forward(forward)
        confirm(database, to, rules)
        assert len(server.portal.calls()) == calls

    clock.forward(LONGEST - 60)
    assert known(database) == {"ivan@example.com": 17}


def test_a_dismissed_person_loses_his_id_within_the_hour(
    database: Database, to: Destination, server: Server, clock: Clock, rules: Rules
) -> None:
    synced(database, to, "ivan@example.com", "olga@example.com")
    server.portal.change_person(17, active=False)

    clock.forward(EVERY)
    confirm(database, to, rules)

    assert known(database) == {"olga@example.com": 18}


def test_what_cannot_be_confirmed_is_used_for_a_week_and_no_longer(
    database: Database, to: Destination, server: Server, clock: Clock, rules: Rules
) -> None:
    synced(database, to, "ivan@example.com")
    server.portal.configure(scopes=["im"])

    for _ in range(int(LONGEST / EVERY) - 1):
        clock.forward(EVERY)
        confirm(database, to, rules)
    assert known(database) == {"ivan@example.com": 17}

    clock.forward(EVERY)
    assert known(database) == {}


@pytest.mark.parametrize("busy", ["bucket", "trouble"])
def test_nobody_is_confirmed_while_messages_need_the_pace(
    database: Database, to: Destination, server: Server, clock: Clock, rules: Rules, busy: str
) -> None:
    to = replace(to, pace=pace.PLANS["standard"])
    synced(database, to, "ivan@example.com")
    clock.forward(EVERY)
    with database.write() as tx:
        if busy == "bucket":
            portals.get(tx, "main")
            portals.fill(tx, "main", 40.0)
        else:
            portals.in_trouble(tx, portals.get(tx, "main"), PortalTrouble("down", "X", "away"), tx.now + 60)

    confirm(database, to, rules)
    assert len(server.portal.calls()) == 1

    with database.write() as tx:
        portals.fill(tx, "main", 0.0)
        portals.recovered(tx, "main")
    confirm(database, to, rules)
    assert len(server.portal.calls()) == 2


def test_only_one_worker_confirms(database: Database, to: Destination, clock: Clock, rules: Rules) -> None:
    synced(database, to, "ivan@example.com")
    clock.forward(EVERY)

    with database.write() as tx:
        assert kept.claim(tx, "main", every=EVERY) == ("ivan@example.com",)
    with database.write() as tx:
        assert kept.claim(tx, "main", every=EVERY) == ()


def test_whoever_is_not_in_the_rules_any_more_is_not_asked_for(
    database: Database, to: Destination, server: Server, clock: Clock, rules: Rules
) -> None:
    synced(database, to, "p100@example.com")
    clock.forward(EVERY)

    confirm(database, to, rules)

    assert len(server.portal.calls()) == 1


# ── In the rules of a process ─────────────────────────────────────────────────────────────────────────────────────


def test_the_rules_are_one_object_until_something_changes(database: Database, to: Destination, rules: Rules) -> None:
    tick = Clock(0.0)
    ours = Accounts(database, clock=tick)
    before = ours.put_in(rules)
    assert (before.people["ivan"].id, ours.put_in(rules) is before) == (None, True)

    synced(database, to, "ivan@example.com")
    assert ours.put_in(rules) is before
    tick.forward(LOOK_EVERY)
    after = ours.put_in(rules)

    assert after.people["ivan"].id == 17
    tick.forward(LOOK_EVERY)
    assert ours.put_in(rules) is after
    assert ours.put_in(load(RULES, env={})) is not after


@only_sqlite
def test_what_is_known_stays_while_the_database_is_away(
    database: Database, to: Destination, rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced(database, to, "ivan@example.com")
    tick = Clock(0.0)
    ours = Accounts(database, clock=tick)
    before = ours.put_in(rules)

    def away() -> None:
        raise StoreUnavailable("away")

    monkeypatch.setattr(database, "read", away)
    tick.forward(LOOK_EVERY)

    assert ours.put_in(rules) is before


def test_rules_in_which_everybody_has_an_id_ask_no_database(rules: Rules) -> None:
    without = load(
        RULES.replace("email: ivan@example.com", "id: 1").replace("email: olga@example.com", "id: 2"), env={}
    )

    assert Accounts(None).put_in(without) is without  # type: ignore[arg-type]  # there is none to ask


@only_sqlite
def test_the_house_goes_by_ids_that_were_looked_up(database_url: Secret, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
    made = house.build(replace(Settings(), rules=tmp_path / "rules.yaml", database_url=database_url), {})
    with made.database.write() as tx:
        kept.keep(tx, "main", {"ivan@example.com": 17})

    assert made.rules.people["ivan"].id == 17
    assert made.rules is made.rules
    made.close()


# ── Strangers ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_names_that_mean_nobody_are_listed_the_most_frequent_first(database: Database, clock: Clock) -> None:
    for names in (["a", "b"], ["b"], ["c"]):
        with database.write() as tx:
            journal.count_unmapped(tx, "github", names)
        clock.forward(60)

    with database.read() as tx:
        assert [(each.name, each.count) for each in kept.strangers(tx, since=0.0)] == [("b", 2), ("c", 1), ("a", 1)]
        assert [each.name for each in kept.strangers(tx, since=clock.now - 130)] == ["b", "c"]
