"""What signing in keeps: one key for all, guesses counted by address and in all, links that work once."""

from __future__ import annotations

import threading

import pytest

from relay.store import visitors
from relay.store.database import Database
from relay.store.tables import entrance, guess
from relay.store.visitors import OF_ALL, OF_ONE_ADDRESS, WINDOW
from tests.conftest import Clock


def wrong(database: Database, address: str, times: int = 1) -> None:
    for _ in range(times):
        with database.write() as tx:
            visitors.guessed_wrong(tx, address)


def wait(database: Database, address: str) -> float:
    with database.read() as tx:
        return visitors.wait(tx, address)


def test_everybody_who_asks_at_once_gets_the_same_key(database: Database) -> None:
    found: list[bytes] = []

    def ask() -> None:
        with database.write() as tx:
            found.append(visitors.key(tx))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 4
    assert len(set(found)) == 1
    assert len(found[0]) == 32


def test_an_address_that_guesses_wrong_too_often_waits_and_another_does_not(database: Database, clock: Clock) -> None:
    wrong(database, "192.0.2.1", OF_ONE_ADDRESS - 1)
    assert wait(database, "192.0.2.1") == 0

    wrong(database, "192.0.2.1")
    clock.forward(60)

    assert wait(database, "192.0.2.1") == WINDOW - 60
    assert wait(database, "192.0.2.2") == 0


def test_after_the_window_it_may_guess_again(database: Database, clock: Clock) -> None:
    wrong(database, "192.0.2.1", OF_ONE_ADDRESS)
    clock.forward(WINDOW)

    assert wait(database, "192.0.2.1") == 0
    wrong(database, "192.0.2.1")
    assert wait(database, "192.0.2.1") == 0


def test_many_addresses_together_are_limited_too(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitors, "OF_ALL", 30)
    assert OF_ALL > 30
    for number in range(30):
        assert wait(database, "198.51.100.7") == 0
        wrong(database, f"192.0.2.{number}")

    assert wait(database, "198.51.100.7") > 0


def test_old_guesses_leave_no_row(database: Database, clock: Clock) -> None:
    for number in range(3):
        wrong(database, f"192.0.2.{number}")
    clock.forward(WINDOW)
    wrong(database, "192.0.2.9")

    with database.read() as tx:
        assert {row.address for row in tx.connection.execute(guess.select())} == {"", "192.0.2.9"}


def test_a_link_signs_in_once(database: Database) -> None:
    with database.write() as tx:
        secret = visitors.invite(tx, "reader", seconds=60)
    found = []
    for _ in range(2):
        with database.write() as tx:
            found.append(visitors.enter(tx, secret))

    assert found == ["reader", None]


def test_a_link_that_is_too_old_or_made_up_signs_nobody_in(database: Database, clock: Clock) -> None:
    with database.write() as tx:
        secret = visitors.invite(tx, "admin", seconds=60)
    clock.forward(60)
    for shown in (secret, "", "x" * 10_000, "\ud800"):
        with database.write() as tx:
            assert visitors.enter(tx, shown) is None


def test_links_whose_time_is_over_are_forgotten_with_the_next_one(database: Database, clock: Clock) -> None:
    for _ in range(3):
        with database.write() as tx:
            visitors.invite(tx, "reader", seconds=60)
        clock.forward(40)

    with database.read() as tx:
        assert len(tx.connection.execute(entrance.select()).all()) == 2
