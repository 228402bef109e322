"""What people ask of journal and outbox is answered exactly, newest first, a page at a time, on both engines."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from relay.model import Outcome, Parcel
from relay.store import journal, outbox, search
from relay.store.database import Database, Transaction
from relay.store.search import EventRow, Filter, MessageRow
from tests.conftest import Clock
from tests.store.build import arrival, message

SOURCES = ("github", "deploys")
KINDS = ("push", "pull_request.opened", "pull_request", "pull_requests")
OUTCOMES: tuple[Outcome, ...] = ("addressed", "no_rule", "own_act", "unreadable")
TITLES = ("Диск заполнен", "ДИСК заполнен на 99%", "disk full", "Disk_full again", "все хорошо")
PEOPLE = ("ivan", "olga")
RULES = ("pushes", "production")


@pytest.fixture
def filled(database: Database) -> Database:
    """Sixty events, ten seconds apart, most of them decided, and their messages in several states."""
    dice = random.Random(7)
    with database.write() as tx:
        for number in range(60):
            tx.now += 10
            words = {"source": dice.choice(SOURCES), "kind": dice.choice(KINDS), "title": dice.choice(TITLES)}
            (receipt,) = journal.append(tx, [arrival(delivery=f"d-{number}", **words)])
            if number % 10 == 9:
                continue
            outcome = dice.choice(OUTCOMES)
            journal.settle(tx, {receipt.id: (outcome, "")})
            if outcome == "addressed":
                outbox.enqueue(tx, receipt.id, [_random_message(dice, number) for _ in range(dice.randint(1, 3))])
        outbox.enqueue(tx, None, [message(tag="", key="of no event")])
        for record in outbox.latest(tx, limit=1000)[::3]:
            outbox.drop(tx, record.id)
    return database


def _random_message(dice: random.Random, number: int) -> Any:
    words = {"person": dice.choice(PEOPLE), "rule": dice.choice(RULES), "text": dice.choice(TITLES)}
    return message(tag="", key=f"{number}:{dice.random()}", **words)


def everything(tx: Transaction) -> tuple[list[EventRow], list[MessageRow]]:
    return search.events(tx, Filter(limit=None)), search.messages(tx, Filter(limit=None))


def of_kind(kind: str) -> Callable[[Any], bool]:
    return lambda row: row.kind == kind or row.kind.startswith(f"{kind}.")


START = 1_795_000_000.0
# A filter, and the same in Python: of an event, and of a message.
QUESTIONS: tuple[tuple[Filter, Callable[[EventRow], bool] | None, Callable[[MessageRow], bool]], ...] = (
    (Filter(), lambda row: True, lambda row: True),
    (Filter(source="deploys"), lambda row: row.source == "deploys", lambda row: row.source == "deploys"),
    (Filter(kind="pull_request"), of_kind("pull_request"), of_kind("pull_request")),
    (Filter(kind="pull_request.opened"), of_kind("pull_request.opened"), of_kind("pull_request.opened")),
    (Filter(states=("new",)), lambda row: row.state == "new", lambda row: False),
    (Filter(states=("queued",)), lambda row: False, lambda row: row.state == "queued"),
    (Filter(states=("decided",)), lambda row: row.state == "decided", lambda row: False),
    (
        Filter(states=("new", "no_rule")),
        lambda row: row.state == "new" or row.outcome == "no_rule",
        lambda row: False,
    ),
    (Filter(states=("unreadable", "own_act")), lambda row: row.outcome in ("unreadable", "own_act"), lambda row: False),
    (Filter(states=("queued", "dropped")), lambda row: False, lambda row: row.state in ("queued", "dropped")),
    (Filter(states=("dropped",)), None, lambda row: row.state == "dropped"),  # of events it is an outcome
    (Filter(person="olga"), None, lambda row: row.person == "olga"),
    (Filter(person="olga", rule="pushes"), None, lambda row: (row.person, row.rule) == ("olga", "pushes")),
    (
        Filter(since=START + 100, until=START + 300),
        lambda row: START + 100 <= row.received_at < START + 300,
        lambda row: START + 100 <= row.created_at < START + 300,
    ),
    (Filter(since=START + 595), lambda row: row.id == 60, lambda row: row.created_at >= START + 595),
    (Filter(since=START + 9999), lambda row: False, lambda row: False),
    (Filter(before=20), lambda row: row.id < 20, lambda row: row.id < 20),
    (
        Filter(source="github", since=START + 200, before=50),
        lambda row: row.source == "github" and row.received_at >= START + 200 and row.id < 50,
        lambda row: row.source == "github" and row.created_at >= START + 200 and row.id < 50,
    ),
)


def test_a_page_holds_the_newest_of_what_was_asked_for(filled: Database) -> None:
    with filled.read() as tx:
        all_events, all_messages = everything(tx)
        for what, of_event, of_message in QUESTIONS:
            if of_event is not None:
                assert search.events(tx, what) == [*filter(of_event, all_events)][:20], what
            assert search.messages(tx, what) == [*filter(of_message, all_messages)][:20], what


def test_of_a_person_and_a_rule_those_events_are_found_that_led_to_one_message_of_both(filled: Database) -> None:
    with filled.read() as tx:
        rows = search.messages(tx, Filter(person="olga", rule="pushes", limit=None))
        wanted = {row.event_id for row in rows}
        found = search.events(tx, Filter(person="olga", rule="pushes", limit=None))

    assert wanted
    assert {row.id for row in found} == wanted


TEXTS = {
    "диск": {"Диск заполнен", "ДИСК заполнен на 99%"},
    "ДИСК": {"ДИСК заполнен на 99%", "Диск заполнен"},
    "DISK": {"disk full", "Disk_full again"},
    "99%": {"ДИСК заполнен на 99%"},
    "9%9": set(),
    "disk_": {"Disk_full again"},
    "нет такого": set(),
}


def test_a_text_is_found_in_either_case_and_its_signs_are_signs(filled: Database) -> None:
    with filled.read() as tx:
        for text, titles in TEXTS.items():
            what = Filter(text=text, limit=None)
            assert {row.title for row in search.events(tx, what)} == titles, text
            assert {_text(tx, row.id) for row in search.messages(tx, what)} == titles, text


def _text(tx: Transaction, number: int) -> str:
    record = outbox.get(tx, number)
    assert record is not None
    return record.message.text


def pages(tx: Transaction, what: Filter) -> Iterator[list[EventRow]]:
    while page := search.events(tx, what):
        yield page
        what = Filter(source=what.source, limit=what.limit, before=page[-1].id)


def test_the_pages_together_are_the_whole_and_each_is_full_but_the_last(filled: Database) -> None:
    with filled.read() as tx:
        whole = search.events(tx, Filter(source="github", limit=None))
        found = list(pages(tx, Filter(source="github", limit=7)))

    assert [row for page in found for row in page] == whole
    assert {len(page) for page in found[:-1]} == {7}


def test_what_came_after_a_number_is_told_the_oldest_first(filled: Database) -> None:
    with filled.read() as tx:
        assert [row.id for row in search.events(tx, Filter(after=50, limit=3))] == [51, 52, 53]
        assert search.events(tx, Filter(after=search.newest_event(tx))) == []
        assert search.messages(tx, Filter(after=search.newest_message(tx))) == []


def test_the_numbers_are_those_of_the_rows(filled: Database) -> None:
    what = Filter(source="github", since=START + 100, limit=None)
    with filled.read() as tx:
        assert search.event_numbers(tx, what) == [row.id for row in search.events(tx, what)]
        assert search.message_numbers(tx, what) == [row.id for row in search.messages(tx, what)]


def test_an_empty_store_has_nothing_newest(database: Database) -> None:
    with database.read() as tx:
        assert (search.newest_event(tx), search.newest_message(tx)) == (0, 0)
        assert everything(tx) == ([], [])


def test_an_event_shows_its_messages_oldest_first_and_a_message_its_event(filled: Database) -> None:
    with filled.read() as tx:
        (last, *_) = search.messages(tx, Filter(person="ivan", source="github"))
        assert last.event_id is not None
        led_to = search.of_event(tx, last.event_id)
        entry = journal.get(tx, last.event_id)

    assert entry is not None
    assert (last.source, last.kind, last.title) == (entry.source, entry.kind, entry.title)
    assert [row.id for row in led_to] == sorted(row.id for row in led_to)
    assert {row.event_id for row in led_to} == {last.event_id}


def test_a_message_of_no_event_is_shown_without_an_events_words(filled: Database) -> None:
    with filled.read() as tx:
        (row,) = [row for row in search.messages(tx, Filter(limit=None)) if row.event_id is None]

    assert (row.source, row.kind, row.title) == ("", "", "")


def test_a_message_that_was_retried_counts_as_put_there_then(database: Database, clock: Clock) -> None:
    with database.write() as tx:
        first, *_ = outbox.enqueue(tx, None, [message(tag="", key=str(number)) for number in range(3)])
        outbox.claim(tx, "main", 1, 1)
        record = outbox.get(tx, first)
        assert record is not None
        parcel = Parcel(id=first, message=record.message)
        outbox.settle(tx, "main", 1, outbox.Settlement(parcel=parcel, state="dead", verdict="dead"))
    clock.forward(3600)
    with database.write() as tx:
        assert outbox.retry(tx, first)

    with database.read() as tx:
        assert [row.id for row in search.messages(tx, Filter(since=clock.now - 60))] == [first]
        assert [row.id for row in search.messages(tx, Filter(until=clock.now - 60))] == [first + 2, first + 1]


def test_a_newer_state_is_one_of_a_later_event_to_the_same_person_under_the_same_tag(database: Database) -> None:
    with database.write() as tx:
        one, two, three = (journal.append(tx, [arrival(delivery=str(number))])[0].id for number in range(3))
        (first,) = outbox.enqueue(tx, one, [message()])
        (other,) = outbox.enqueue(tx, two, [message(user_id=18)])
        (newer,) = outbox.enqueue(tx, three, [message()])

        assert search.newer_state(tx, message(), one) == newer
        assert search.newer_state(tx, message(), three) is None
        assert search.newer_state(tx, message(user_id=18), two) is None
        assert search.newer_state(tx, message(tag="another"), one) is None
        assert search.newer_state(tx, message(tag=""), one) is None
        outbox.drop(tx, newer)
        assert search.newer_state(tx, message(), one) is None

    assert first < other < newer
