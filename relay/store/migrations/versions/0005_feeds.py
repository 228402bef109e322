"""The last good copy of each on-call calendar.

Revision 0005, after 0004.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "feed",
        sa.Column("schedule", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), server_default="", nullable=False),
        sa.Column("shifts", sa.Text(), server_default="", nullable=False),
        sa.Column("read_at", sa.Float(), server_default="0", nullable=False),
        sa.Column("asked_at", sa.Float(), server_default="0", nullable=False),
        sa.Column("failing_since", sa.Float(), server_default="0", nullable=False),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("schedule"),
    )
