"""Pages of journal and outbox: every row that is sought stands on exactly one of them, and no page looks too far."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any

import pytest

from relay.model import Outcome
from relay.store import journal, listing, outbox, search
from relay.store.database import Database, Transaction
from relay.store.listing import Page
from relay.store.outbox import Settlement
from relay.store.search import Filter
from tests.conftest import Clock, only_sqlite
from tests.store.build import arrival, end, message, put, take

OUTCOMES: tuple[Outcome, ...] = ("addressed", "no_rule", "muted", "dropped", "unreadable")
STATES: tuple[outbox.State, ...] = ("delivered", "muted", "dead", "held")
START = 1_795_000_000.0


@pytest.fixture
def filled(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """Fifty events, ten seconds apart, and what became of them; a page looks at no more than fifteen."""
    monkeypatch.setattr(listing, "GLANCE", 4)
    monkeypatch.setattr(listing, "LOOKED", 15)
    dice = random.Random(11)
    with database.write() as tx:
        for number in range(50):
            tx.now += 10
            words = {"source": dice.choice(("github", "deploys")), "kind": dice.choice(("push", "release.published"))}
            (receipt,) = journal.append(tx, [arrival(delivery=f"{number}", title=f"disk {number % 7}", **words)])
            if number % 10 == 9:
                continue
            outcome = dice.choice(OUTCOMES)
            journal.settle(tx, {receipt.id: (outcome, "")})
            if outcome == "addressed":
                _tell(tx, dice, receipt.id)
        outbox.enqueue(tx, 3, [_message(dice)])  # later than all, and of an early event: a replay
        outbox.enqueue(tx, None, [_message(dice)])
    return database


def _tell(tx: Transaction, dice: random.Random, event: int) -> None:
    numbers = outbox.enqueue(tx, event, [_message(dice) for _ in range(dice.randint(1, 3))])
    for number in numbers:
        if dice.random() < 0.3:
            continue
        (parcel,) = outbox.claim(tx, "main", 1, 1)
        state = dice.choice(STATES)
        outbox.settle(tx, "main", 1, Settlement(parcel=parcel, state=state, verdict=state))
        if state == "dead" and dice.random() < 0.3:
            outbox.drop(tx, number)


def _message(dice: random.Random) -> Any:
    words = {"person": dice.choice(("ivan", "olga", "nina")), "rule": dice.choice(("pushes", "production"))}
    return message(tag="", key=f"{dice.random()}", text=f"hello {dice.randrange(5)}", **words)


def downwards(look: Callable[[Filter], Page[Any]], what: Filter) -> list[int]:
    """The numbers on all pages, one after the other."""
    found: list[int] = []
    while True:
        page = look(what)
        found += [row.id for row in page.rows]
        if page.further is None:
            return found
        what = replace(what, before=page.further)


def upwards(look: Callable[[Filter], Page[Any]], what: Filter) -> list[int]:
    found: list[int] = []
    further: int | None = 0
    while further is not None:
        page = look(replace(what, after=further))
        found = [row.id for row in page.rows] + found
        further = page.further
    return found


STATES_SOUGHT = ((), ("queued", "sending"), ("dead", "held", "delivered"))
FILTERS: list[dict[str, Any]] = [
    {},
    {"source": "github"},
    {"source": "nobody"},
    {"kind": "release"},
    {"person": "ivan"},
    {"person": "nina", "rule": "production"},
    {"rule": "pushes"},
    {"text": "disk 3"},
    {"text": "nowhere"},
    {"since": START + 105, "until": START + 400},
    {"since": START + 300},
    {"until": START + 200, "text": "DISK 5"},
    {"since": START + 9_000},
    {"until": START},
]


def test_every_event_that_is_sought_is_on_one_page(filled: Database) -> None:
    """In one test, so that the events are written once."""
    with filled.read() as tx:
        any_of_both = [({"person": "ivan"}, "dead"), ({"source": "github"}, "queued"), ({"rule": "pushes"}, "held")]
        for words, verdict in [*product(FILTERS, [""]), *product([{}], listing.VERDICTS), *any_of_both]:
            all_of_them = search.events(tx, Filter(limit=None, **words))
            told = listing.counted(tx, [row.id for row in all_of_them])
            sought = [row.id for row in all_of_them if verdict in ("", listing.verdict_of(row, told.get(row.id, {})))]
            look = partial(listing.journal, tx, verdict=verdict)

            assert downwards(look, Filter(limit=6, **words)) == sought, (words, verdict)
            assert upwards(look, Filter(limit=6, **words)) == sought, (words, verdict)


def test_every_message_that_is_sought_is_on_one_page(filled: Database) -> None:
    more: list[dict[str, Any]] = [{"portal": "main"}, {"portal": "other"}, {"text": "hello 3"}]
    with filled.read() as tx:
        for words, states in product([*FILTERS, *more], STATES_SOUGHT):
            sought = [row.id for row in search.messages(tx, Filter(limit=None, states=states, **words))]
            look = partial(listing.messages, tx)

            assert downwards(look, Filter(limit=6, states=states, **words)) == sought, (words, states)
            assert upwards(look, Filter(limit=6, states=states, **words)) == sought, (words, states)


@only_sqlite
def test_a_line_says_what_became_of_each_message_and_the_worst_of_all(filled: Database) -> None:
    with filled.read() as tx:
        for line in listing.journal(tx, Filter(limit=50)).rows:
            states = [row.state for row in search.of_event(tx, line.id)]
            assert line.messages == {state: states.count(state) for state in states}
            worst = next((state for state in listing.WORST_FIRST if state in states), None)
            assert line.verdict == (worst or line.event.outcome or "new")


@only_sqlite
def test_a_look_that_ends_before_the_journal_does_says_where(filled: Database) -> None:
    with filled.read() as tx:
        page = listing.journal(tx, Filter(text="nowhere"))

    assert (page.rows, page.further, page.stopped) == ([], 50 - 15 + 1, True)


def test_what_did_not_arrive_is_counted_by_portal_and_state(database: Database) -> None:
    put(database, *(message(key=f"k{number}", tag="") for number in range(3)))
    put(database, message(portal="other"))
    first, _ = take(database, limit=2)
    end(database, first, state="dead", verdict="dead")

    with database.read() as tx:
        assert listing.standing(tx) == {"main": {"dead": 1, "sending": 1, "queued": 1}, "other": {"queued": 1}}


def test_a_count_of_what_did_not_arrive_has_an_end(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "LOOKED", 2)
    put(database, *(message(key=f"k{number}", tag="") for number in range(5)))

    with database.read() as tx:
        assert listing.standing(tx) == {"main": {"queued": 2}}


def test_the_clock_of_a_relay_that_was_moved_back_hides_no_page(database: Database, clock: Clock) -> None:
    for number in range(6):
        clock.forward(-100 if number == 3 else 10)
        with database.write() as tx:
            journal.append(tx, [arrival(delivery=f"{number}")])

    with database.read() as tx:
        page = listing.journal(tx, Filter(limit=10))

    assert [row.id for row in page.rows] == [6, 5, 4, 3, 2, 1]
