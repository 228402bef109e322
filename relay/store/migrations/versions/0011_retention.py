"""When a payload was pruned, and which events still have theirs.

Revision 0011, after 0010.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

WITH_PAYLOAD = sa.text("pruned_at IS NULL")


def upgrade() -> None:
    op.add_column("event", sa.Column("pruned_at", sa.Float(), nullable=True))
    op.create_index("event_payload", "event", ["id"], sqlite_where=WITH_PAYLOAD, postgresql_where=WITH_PAYLOAD)
