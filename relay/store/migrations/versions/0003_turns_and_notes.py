"""Turns between recipients, messages held for quiet hours, and what the rules remember.

Revision 0003, after 0002.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

RESTING = sa.text("state = 'queued' AND not_before > 0")
WAITING = sa.text("head IS NOT NULL AND busy = 0")
DUE = sa.text("due IS NOT NULL")


def upgrade() -> None:
    op.add_column("message", sa.Column("turn", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("message", sa.Column("not_before", sa.Float(), server_default="0", nullable=False))
    op.create_index("message_resting", "message", ["portal", "stream"], sqlite_where=RESTING, postgresql_where=RESTING)
    op.add_column("stream", sa.Column("turn", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("stream", sa.Column("retry_at", sa.Float(), server_default="0", nullable=False))
    op.execute("UPDATE stream SET retry_at = due_at")
    # Both anew, in this order: where PostgreSQL has no statistics yet it takes the younger of two equals.
    op.drop_index("stream_waiting", "stream")
    op.drop_index("stream_due", "stream")
    op.create_index(
        "stream_waiting",
        "stream",
        ["portal", "rank", "turn", "head"],
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )
    op.create_index("stream_due", "stream", ["portal", "due_at"], sqlite_where=WAITING, postgresql_where=WAITING)
    op.create_table(
        "turn",
        sa.Column("portal", sa.Text(), nullable=False),
        sa.Column("rank", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("portal", "rank", "user_id"),
    )
    op.create_table(
        "note",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("due", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_index("note_due", "note", ["due"], sqlite_where=DUE, postgresql_where=DUE)
