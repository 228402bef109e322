"""What the rules remember of earlier events: notes by name, written down with the decisions that they belong to.

Never understands a note: that is the rules' work (rules/memory.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, delete, func, select

from relay.model import Note
from relay.store.database import Transaction, alone, chunks, insert_into
from relay.store.prepared import Prepared
from relay.store.tables import DUE, note

NUMBERING = 7245503  # the advisory lock under which a number is drawn


# Built once, as every event costs them.
_GET = Prepared(select(note).where(note.c.name == bindparam("which")))
_NEXT_DUE = Prepared(select(func.min(note.c.due)).where(DUE))
_UNDER = Prepared(
    select(note).where(note.c.name >= bindparam("first"), note.c.name < bindparam("past")).order_by(note.c.name)
)


def get(tx: Transaction, name: str) -> Note | None:
    row = _GET.first(tx, which=name)
    return None if row is None else _note(row)


def due(tx: Transaction, *, most: int) -> list[str]:
    """The names of notes whose time has come, the longest due first."""
    found = select(note.c.name).where(DUE, note.c.due <= tx.now).order_by(note.c.due).limit(most)
    return list(tx.connection.execute(found).scalars())


def next_due(tx: Transaction) -> float | None:
    """When the first note will be due (Unix seconds); ``None`` if none waits."""
    first: float | None = _NEXT_DUE.value(tx)
    return first


def under(tx: Transaction, prefix: str) -> dict[str, Note]:
    """The notes whose names begin so, by name."""
    past = prefix[:-1] + chr(ord(prefix[-1]) + 1)  # a range, which the index of names serves
    return {row.name: _note(row) for row in _UNDER(tx, first=prefix, past=past)}


def add(tx: Transaction, prefix: str, new: Note) -> str:
    """Write a new note down under the next number; returns its name."""
    alone(tx.connection, NUMBERING)
    last = max((int(name.removeprefix(prefix)) for name in under(tx, prefix)), default=0)
    write(tx, {f"{prefix}{last + 1}": new})
    tx.news = True
    return f"{prefix}{last + 1}"


def write(tx: Transaction, changes: Mapping[str, Note | None]) -> None:
    """Write down what has changed; ``None`` is forgotten."""
    gone = [name for name, each in changes.items() if each is None]
    for some in chunks(gone):
        tx.connection.execute(delete(note).where(note.c.name.in_(some)))
    rows = [
        {"name": name, "value": json.dumps(each.value, ensure_ascii=False), "due": each.due}
        for name, each in sorted(changes.items())
        if each is not None
    ]
    if rows:
        row = insert_into(tx, note)
        new = {"value": row.excluded.value, "due": row.excluded.due}
        tx.connection.execute(row.on_conflict_do_update(index_elements=[note.c.name], set_=new), rows)


def _note(row: Any) -> Note:
    return Note(json.loads(row.value), row.due)
