"""What signing in to the pages must keep: the key of sessions, the guesses at passwords, the links that work once.

Never keeps a password, a session or a link's secret: of a link its digest is kept, and a session is its owner's cookie.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Literal

from sqlalchemy import case, delete, func, select

from relay.store import text
from relay.store.database import Transaction, alone, insert_into
from relay.store.tables import entrance, guess, session_key

Role = Literal["reader", "admin"]

WINDOW = 600.0  # seconds, from the first wrong guess on
OF_ONE_ADDRESS = 10  # wrong guesses in it
OF_ALL = 1000  # and of all addresses together: a guesser may have many
ALL = ""
COUNTING = 7245504  # the advisory lock under which guesses are counted


def key(tx: Transaction) -> bytes:
    """The 32 bytes that sign sessions, drawn by whoever asks first. Wants a transaction that writes."""
    drawn = insert_into(tx, session_key).values(id=1, value=secrets.token_bytes(32))
    tx.connection.execute(drawn.on_conflict_do_nothing(index_elements=["id"]))
    kept: bytes = tx.connection.execute(select(session_key.c.value)).scalar_one()
    return kept


# ── Guesses ───────────────────────────────────────────────────────────────────────────────────────────────────


def wait(tx: Transaction, address: str) -> float:
    """Seconds until this address may try a password again; 0: it may now."""
    most = case((guess.c.address == ALL, OF_ALL), else_=OF_ONE_ADDRESS)
    full = select(func.max(guess.c.since)).where(
        guess.c.address.in_((ALL, text.key(address))), guess.c.since > tx.now - WINDOW, guess.c.count >= most
    )
    since: float | None = tx.connection.execute(full).scalar_one()
    return 0.0 if since is None else since + WINDOW - tx.now


def guessed_wrong(tx: Transaction, address: str) -> None:
    """Count one wrong guess; what is older than the window is forgotten."""
    alone(tx.connection, COUNTING)
    tx.connection.execute(delete(guess).where(guess.c.since <= tx.now - WINDOW))
    row = insert_into(tx, guess)
    one_more = row.on_conflict_do_update(index_elements=["address"], set_={"count": guess.c.count + 1})
    names = (ALL, text.key(address))
    tx.connection.execute(one_more, [{"address": name, "since": tx.now, "count": 1} for name in names])


# ── Links that work once ──────────────────────────────────────────────────────────────────────────────────────


def invite(tx: Transaction, role: Role, *, seconds: float) -> str:
    """The secret of a link that signs somebody in, once, for so long. Those whose time is over are forgotten."""
    tx.connection.execute(delete(entrance).where(entrance.c.until <= tx.now))
    secret = secrets.token_urlsafe(24)
    tx.connection.execute(insert_into(tx, entrance).values(digest=_digest(secret), role=role, until=tx.now + seconds))
    return secret


def enter(tx: Transaction, secret: str) -> Role | None:
    """The role of a link that was not used yet, which is used up by it; ``None``: there is no such link any more."""
    used = delete(entrance).where(entrance.c.digest == _digest(secret), entrance.c.until > tx.now)
    role: Role | None = tx.connection.execute(used.returning(entrance.c.role)).scalar_one_or_none()
    return role


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
