"""The tokens of applications: the one pair that each portal takes now, and whether a renewal of it is under way.

They stand here in clear, as the webhook's address stands in ``.env``: whoever can read the database can use them, so it
is to be kept as that file is. Never prints one.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Column, ColumnElement, Float, String, Table, Text, and_, delete, select, update

from relay.bitrix.application import Tokens
from relay.settings import Secret
from relay.store.database import Transaction, insert_into
from relay.store.tables import metadata

# One row for each portal that is entered as an application. `asked_at`: a renewal has begun and its answer is not
# written down yet; 0: none. `refused_at`: the authorisation server takes the refresh token no longer; 0: it does.
token = Table(
    "token",
    metadata,
    Column("portal", String, primary_key=True),
    Column("domain", String, nullable=False),  # whose tokens they are: they are sent nowhere else
    Column("client_id", String, nullable=False),
    Column("access", Text, nullable=False),
    Column("refresh", Text, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("member_id", String, nullable=False, server_default=""),
    Column("server", String, nullable=False, server_default=""),
    Column("application_token", Text, nullable=False, server_default=""),
    Column("changed_at", Float, nullable=False),
    Column("asked_at", Float, nullable=False, server_default="0"),
    Column("refused_at", Float, nullable=False, server_default="0"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose tokens: the portal's name in the rules, its host, and the application."""

    portal: str
    domain: str
    client_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A portal's row. Times are Unix seconds; 0 means never."""

    owner: Owner
    tokens: Tokens
    application_token: Secret
    changed_at: float
    asked_at: float
    refused_at: float


def get(tx: Transaction, owner: Owner) -> Kept | None:
    """The tokens of this application on this portal; ``None`` also where those kept belong to another."""
    row = tx.connection.execute(select(token).where(_is(owner))).mappings().one_or_none()
    if row is None:
        return None
    return Kept(
        owner=owner,
        tokens=Tokens(
            access=Secret(row["access"]),
            refresh=Secret(row["refresh"]),
            expires_at=row["expires_at"],
            member_id=row["member_id"],
            server=row["server"],
        ),
        application_token=Secret(row["application_token"]),
        changed_at=row["changed_at"],
        asked_at=row["asked_at"],
        refused_at=row["refused_at"],
    )


def put(tx: Transaction, owner: Owner, fresh: Tokens, *, application_token: Secret) -> None:
    """Keep the first tokens, whatever was kept before."""
    values = _values(tx, fresh) | {
        "domain": owner.domain,
        "client_id": owner.client_id,
        "application_token": application_token.reveal(),
    }
    tx.connection.execute(
        insert_into(tx, token)
        .values(portal=owner.portal, **values)
        .on_conflict_do_update(index_elements=["portal"], set_=values)
    )


def asking(tx: Transaction, kept: Kept) -> bool:
    """Write down that new tokens are about to be asked for; ``False`` if these are not the newest any more."""
    return _change(tx, kept, asked_at=tx.now)


def not_asked(tx: Transaction, kept: Kept) -> bool:
    """The request never left, or was refused: the refresh token is as good as it was."""
    return _change(tx, kept, asked_at=0.0)


def renewed(tx: Transaction, kept: Kept, fresh: Tokens) -> bool:
    """Keep the tokens that were given for ``kept``; ``False`` if somebody has kept newer ones meanwhile.

    The row names the refresh token that was used up and not who may write: an answer is good however late it comes.
    """
    return _change(tx, kept, **_values(tx, fresh))


def refused(tx: Transaction, kept: Kept) -> bool:
    """Only a person can bring new tokens. ``asked_at`` is as it was before, to tell whether an answer was lost."""
    return _change(tx, kept, refused_at=tx.now, asked_at=kept.asked_at)


def forget(tx: Transaction, portal: str) -> bool:
    """Keep nothing of a portal any more; was there anything?"""
    return tx.connection.execute(delete(token).where(token.c.portal == portal)).rowcount == 1


def _values(tx: Transaction, fresh: Tokens) -> dict[str, str | float]:
    return {
        "access": fresh.access.reveal(),
        "refresh": fresh.refresh.reveal(),
        "expires_at": fresh.expires_at,
        "member_id": fresh.member_id,
        "server": fresh.server,
        "changed_at": tx.now,
        "asked_at": 0.0,
        "refused_at": 0.0,
    }


def _change(tx: Transaction, kept: Kept, **values: str | float) -> bool:
    still = (_is(kept.owner), token.c.refresh == kept.tokens.refresh.reveal())
    return tx.connection.execute(update(token).where(*still).values(**values)).rowcount == 1


def _is(owner: Owner) -> ColumnElement[bool]:
    return and_(token.c.portal == owner.portal, token.c.domain == owner.domain, token.c.client_id == owner.client_id)
