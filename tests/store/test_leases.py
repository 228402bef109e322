"""A lease to the second: until when it is its holder's, from when it is anybody's, and what is told of it."""

from __future__ import annotations

import logging

import pytest

from relay.store import leases
from relay.store.database import Database
from tests.conftest import Clock, only_sqlite

SECONDS = 12.0  # of a lease; a third of it is a number that floats hold exactly


def take(database: Database, name: str = "router", holder: str = "a") -> tuple[int, bool] | None:
    with database.write() as tx:
        return leases.hold(tx, name, holder, SECONDS)


def is_free(database: Database, name: str = "router") -> bool:
    with database.read() as tx:
        return leases.is_free(tx, name, SECONDS)


def test_a_lease_that_is_kept_runs_from_the_last_time(database: Database, clock: Clock) -> None:
    take(database)
    for _ in range(5):
        clock.forward(SECONDS - 1)
        assert take(database) == (1, False)
        assert take(database, holder="b") is None


@pytest.mark.parametrize(("later", "free"), [(0, False), (SECONDS - 0.5, False), (SECONDS, True), (1000, True)])
def test_a_lease_is_its_holder_s_till_its_last_moment_and_then_anybody_s(
    database: Database, clock: Clock, later: float, free: bool
) -> None:
    take(database)
    take(database, "another")  # which ends later, and is nobody's business here
    clock.forward(later)
    take(database, "another")

    assert is_free(database) is free
    assert take(database, holder="b") == ((2, True) if free else None)
    assert not is_free(database)


@only_sqlite
def test_what_nobody_ever_held_or_was_given_back_is_free(database: Database) -> None:
    assert is_free(database)
    take(database)
    with database.write() as tx:
        leases.release(tx, "router", "a")
        assert leases.is_free(tx, "router", SECONDS)


@pytest.mark.parametrize(("fast", "free"), [(SECONDS, False), (SECONDS + 1, True), (3600, True)])
def test_a_lease_that_ends_later_than_two_lie_one_behind_the_other_was_written_by_a_fast_clock(
    database: Database, clock: Clock, fast: float, free: bool
) -> None:
    clock.forward(fast)
    take(database)
    clock.forward(-fast)

    assert is_free(database) is free
    assert take(database, holder="b") == ((2, True) if free else None)


@pytest.mark.parametrize(
    ("later", "epoch"), [(0.0, 1), (SECONDS / 3, 1), (SECONDS / 3 + 0.5, None), (SECONDS, None), (-0.5, None)]
)
def test_a_lease_need_not_be_renewed_while_two_thirds_of_its_time_are_left(
    database: Database, clock: Clock, later: float, epoch: int | None
) -> None:
    take(database)
    clock.forward(later)

    with database.read() as tx:
        assert leases.kept(tx, "router", "a", SECONDS) == epoch
        assert leases.kept(tx, "router", "b", SECONDS) is None
        assert leases.kept(tx, "another", "a", SECONDS) is None


def test_every_lease_is_listed_by_name_as_it_stands(database: Database, clock: Clock) -> None:
    for name in ("given back", "over", "taken twice"):
        take(database, name)
    with database.write() as tx:
        leases.release(tx, "given back", "a")
    clock.forward(SECONDS)
    take(database, "taken twice", "b")
    take(database, "another")

    with database.read() as tx:
        assert leases.everything(tx) == [
            leases.Lease("another", held=True, epoch=1),
            leases.Lease("given back", held=False, epoch=1),
            leases.Lease("over", held=False, epoch=1),
            leases.Lease("taken twice", held=True, epoch=2),
        ]
        assert leases.living(tx) == ["another", "taken twice"]


@only_sqlite
def test_the_log_tells_who_takes_a_lease_and_who_gives_it_back_and_of_nothing_that_changes_nothing(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "relay")
    take(database)
    take(database)
    with database.write() as tx:
        for holder in ("b", "a", "a"):
            leases.release(tx, "router", holder)

    said = [(record.message, vars(record)["words"]) for record in caplog.records]
    assert said == [
        ("lease: taken", {"lease": "router", "holder": "a", "epoch": 1}),
        ("lease: given back", {"lease": "router", "holder": "a"}),
    ]
