"""A prepared statement does on SQLite's driver what it does by SQLAlchemy's way."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from relay.errors import StoreUnavailable
from relay.store.database import Database
from relay.store.prepared import Prepared
from relay.store.tables import event, message
from tests.conftest import only_sqlite
from tests.store.build import message as a_message
from tests.store.build import put

INSERT = Prepared(lambda _: insert(event).returning(event.c.id, event.c.title, sort_by_parameter_order=True))
TITLED = Prepared(lambda _: select(event.c.id, event.c.body, event.c.note).where(event.c.title == bindparam("called")))
RENAME = Prepared(lambda _: update(event).where(event.c.title == bindparam("called")))
URGENT = Prepared(lambda _: select(message.c.urgent, message.c.not_before, message.c.attach))


def row(title: str, **other: Any) -> dict[str, Any]:
    return {
        "source": "github",
        "received_at": 1.5,
        "method": "POST",
        "headers": "{}",
        "body": b"\x00\xff",
        "kind": "push",
        "title": title,
        **other,
    }


def test_rows_come_back_in_the_order_in_which_they_were_given_with_their_columns_names(database: Database) -> None:
    with database.write() as tx:
        written = INSERT.each(tx, [row("b"), row("a"), row("c")])

    assert [each.title for each in written] == ["b", "a", "c"]
    assert [each.id for each in written] == sorted(each.id for each in written)


def test_what_no_database_can_hold_is_replaced_as_it_is_elsewhere(database: Database) -> None:
    with database.write() as tx:
        (written,) = INSERT.each(tx, [row("a\x00b\ud800")])

    assert written.title == "a\ufffdb\ufffd"


def test_values_come_back_in_the_types_of_their_columns(database: Database) -> None:
    put(database, a_message(urgent=True))
    with database.write() as tx:
        INSERT.each(tx, [row("x")])
        ((_, body, note),) = TITLED(tx, called="x")
        (sent,) = URGENT(tx)

    assert (bytes(body), note) == (b"\x00\xff", "")
    assert (sent.urgent, sent.not_before, sent.attach) == (True, 0.0, None)
    assert type(sent.urgent) is bool


def test_what_is_written_is_said_by_the_names_of_the_values(database: Database) -> None:
    with database.write() as tx:
        INSERT.each(tx, [row("x"), row("y")])
        assert list(RENAME.each(tx, [{"called": "x", "note": "seen", "title": "z"}])) == []

        assert [each.note for each in TITLED(tx, called="z")] == ["seen"]
        assert not TITLED(tx, called="x")
        assert [each.note for each in TITLED(tx, called="y")] == [""]


def test_nothing_is_done_for_nobody(database: Database) -> None:
    with database.write() as tx:
        assert list(INSERT.each(tx, [])) == []


def test_it_is_undone_with_its_transaction_as_is_what_went_the_other_way(database: Database) -> None:
    def half() -> None:
        with database.write() as tx:
            INSERT.each(tx, [row("one")])
            tx.connection.execute(insert(event), [row("two")])
            raise KeyError

    with pytest.raises(KeyError):
        half()
    with database.write() as tx:
        assert not TITLED(tx, called="one")
        assert not TITLED(tx, called="two")
        tx.connection.execute(insert(event), [row("two")])
        INSERT.each(tx, [row("one")])
    with database.read() as tx:
        assert len(TITLED(tx, called="one")) == len(TITLED(tx, called="two")) == 1


def test_a_rule_of_the_table_that_is_broken_is_told_as_elsewhere(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as tx:
        INSERT.each(tx, [row("x", body=None)])


@only_sqlite
def test_a_reader_who_would_write_finds_the_store_unavailable(database: Database) -> None:
    def write() -> None:
        with database.read() as tx:
            tx.connection.exec_driver_sql("PRAGMA query_only=1")
            try:
                INSERT.each(tx, [row("x")])
            finally:
                tx.connection.exec_driver_sql("PRAGMA query_only=0")

    with pytest.raises(StoreUnavailable, match="readonly"):
        write()
