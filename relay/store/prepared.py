"""Statements that every event costs, each built and compiled once. On SQLite the driver itself carries them out.

Never says what a statement is: that is for the rooms that own the tables.

A statement's way through SQLAlchemy takes longer than SQLite's work on it, and displaces from the processor's caches
what the next request wants there; what an event costs: `python -m bench.accept`. To PostgreSQL a statement is a
journey, beside which that way is short, and SQLAlchemy packs many rows into one.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, ColumnElement, Connection, Dialect, bindparam, func, select, tuple_

from relay.store import sqlite
from relay.store.database import Transaction

Values = Mapping[str, Any]
Process = Callable[[Any], Any]


def among(dialect: str, values: str, *columns: ColumnElement[Any]) -> ColumnElement[bool]:
    """Is what stands in a column one of the list that is given as ``values``? Of several columns, one of its tuples?

    To SQLite the list is one value, so that a statement is the same for any number of them (sqlite.org/json1.html).
    """
    looked_at = tuple_(*columns) if len(columns) > 1 else columns[0]
    if dialect != "sqlite":
        return looked_at.in_(bindparam(values, expanding=True))
    given = func.json_each(bindparam(values, type_=JSON)).table_valued("value").c.value
    parts = [func.json_extract(given, f"$[{place}]") for place in range(len(columns))]
    return looked_at.in_(select(*parts) if len(columns) > 1 else select(given))


class Prepared:
    """A statement that is carried out often.

    Args:
        what: the statement; or what makes it for a dialect, by its name, and is asked once for each.
    """

    def __init__(self, what: Any) -> None:
        self._build: Callable[[str], Any] = what if callable(what) else lambda _: what
        self._built: dict[str, Any] = {}
        self._compiled: _Compiled | None = None

    def __call__(self, tx: Transaction, **values: Any) -> Sequence[Any]:
        """Carry it out with these values, of the same names each time; returns its rows, whose columns have names."""
        if tx.on_sqlite:
            return self._on_driver(tx.connection, [values])
        result = tx.connection.execute(self._statement(tx.connection), values)
        return result.all() if result.returns_rows else ()

    def first(self, tx: Transaction, **values: Any) -> Any:
        """Its first row; ``None`` if there is none."""
        return next(iter(self(tx, **values)), None)

    def value(self, tx: Transaction, **values: Any) -> Any:
        """What stands in the first row's first column; ``None`` if there is no row."""
        return next(iter(self.first(tx, **values) or ()), None)

    def each(self, tx: Transaction, several: Sequence[Values]) -> Sequence[Any]:
        """Carry it out for each of several values, which have the same names, in their order; returns all the rows.

        Not for a SELECT: PostgreSQL does not take several of them in one journey.
        """
        if not several:
            return ()
        if tx.on_sqlite:
            return self._on_driver(tx.connection, several)
        result = tx.connection.execute(self._statement(tx.connection), several)
        return result.all() if result.returns_rows else ()

    def _statement(self, connection: Connection) -> Any:
        name = connection.dialect.name
        if name not in self._built:
            self._built[name] = self._build(name)
        return self._built[name]

    def _on_driver(self, connection: Connection, several: Iterable[Values]) -> Sequence[Any]:
        compiled = self._compiled
        if compiled is None:
            several = list(several)
            compiled = self._compiled = _compile(self._statement(connection), connection.dialect, several[0])
        driver: Any = connection.connection.driver_connection
        rows: list[Any] = []
        try:
            for values in several:
                rows += driver.execute(compiled.sql, compiled.bind(values))
        except connection.dialect.loaded_dbapi.Error as fault:
            raise sqlite.complaint(fault, connection.dialect, compiled.sql) from fault
        return compiled.read(rows)


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A statement as SQLite's driver takes it."""

    sql: str
    places: Sequence[tuple[str, Any, Process | None]]  # of each ``?`` the name, what it is unless given, and its type's
    row: Callable[..., Any]
    columns: Sequence[tuple[int, Process]]  # the places of those that their type reads

    def bind(self, values: Values) -> list[Any]:
        bound = []
        for name, otherwise, process in self.places:
            value = values.get(name, otherwise)
            bound.append(value if process is None else process(value))
        return bound

    def read(self, rows: Sequence[Any]) -> Sequence[Any]:
        for place, process in self.columns:
            rows = [(*row[:place], process(row[place]), *row[place + 1 :]) for row in rows]
        return [self.row(*row) for row in rows]


def _compile(statement: Any, dialect: Dialect, values: Values) -> _Compiled:
    # What is written into which columns is said by the names of the values that are no parameters of its own.
    compiled = statement.compile(dialect=dialect, column_keys=list(values))
    readers = [each.type.dialect_impl(dialect).result_processor(dialect, None) for each in statement.exported_columns]
    return _Compiled(
        sql=str(compiled),
        places=[
            (name, compiled.params[name], compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect))
            for name in compiled.positiontup
        ],
        row=namedtuple("Row", [column.name for column in statement.exported_columns]),
        columns=[(place, process) for place, process in enumerate(readers) if process is not None],
    )
