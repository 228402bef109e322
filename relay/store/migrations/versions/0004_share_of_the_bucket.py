"""Our share of each portal's bucket.

Revision 0004, after 0003.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("portal", sa.Column("share", sa.Float(), server_default="1", nullable=False))
    op.add_column("portal", sa.Column("share_at", sa.Float(), server_default="0", nullable=False))
