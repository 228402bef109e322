"""Turns: the order in which recipients are served, so that one person's flood delays nobody else's single message.

Never looks at what a message says. It is start-time fair queuing (Goyal, Vin and Cheng, SIGCOMM 1996), with a message
as the unit: whoever has waited for nothing is served next, and each further message of his one turn later. Urgent
messages are a queue of their own, before the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Insert, case, select

from relay.model import Message
from relay.store import streams
from relay.store.database import Transaction, chunks, insert_of
from relay.store.prepared import Prepared, among
from relay.store.tables import turn

SERVED = 0  # stands for the recipient in the row that says which turn was served last; portals count people from 1

Queue = tuple[str, int]  # a portal, and a rank in it
Place = tuple[str, int, int]  # a recipient's row: his queue and his number


def rank(each: Message) -> int:
    return 0 if each.urgent else 1


def draw(tx: Transaction, messages: Sequence[Message], occupied: Mapping[streams.Name, streams.Place]) -> list[int]:
    """A turn for each message, whose streams are locked. What replaces a message that still waits takes its turn."""
    places = [(each.portal, rank(each), each.user_id) for each in messages]
    last = _last(tx, {*places, *((portal, rank, SERVED) for portal, rank, _ in places)})
    drawn, given = [], {}
    for each, place in zip(messages, places, strict=True):
        there = occupied.get(streams.name(each)) if each.tag else None
        kept = there.turn if there and not there.busy and there.rank == rank(each) else None
        if kept is None:
            last[place] = given[place] = max(last.get((*place[:2], SERVED), 0), last.get(place, -1) + 1)
        drawn.append(last[place] if kept is None else kept)
    _write(tx, given)
    return drawn


def served(tx: Transaction, portal: str, turns: Mapping[int, int]) -> None:
    """Remember the last turn that was served, by rank: who comes from now on stands behind it."""
    _write(tx, {(portal, rank, SERVED): turn for rank, turn in turns.items()})


_OF = (turn.c.portal, turn.c.rank, turn.c.user_id)
_THESE = Prepared(lambda dialect: select(turn).where(among(dialect, "places", *_OF)))


def _last(tx: Transaction, places: set[Place]) -> dict[Place, int]:
    last: dict[Place, int] = {}
    for some in chunks(sorted(places)):
        last |= {(row.portal, row.rank, row.user_id): row.last for row in _THESE(tx, places=some)}
    return last


def _write(tx: Transaction, last: Mapping[Place, int]) -> None:
    if not last:
        return
    rows = [
        {"portal": portal, "rank": rank, "user_id": user_id, "last": number}
        for (portal, rank, user_id), number in sorted(last.items())  # in one order, as every transaction locks
    ]
    _WRITE.each(tx, rows)


@Prepared
def _WRITE(dialect: str) -> Insert:
    row = insert_of(dialect, turn)
    later = case((row.excluded.last > turn.c.last, row.excluded.last), else_=turn.c.last)
    return row.on_conflict_do_update(index_elements=_OF, set_={"last": later})
