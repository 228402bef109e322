"""The tokens of applications, and what `relay doctor` has measured.

Revision 0002, after 0001.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:

    op.create_table(
        "token",
        sa.Column("portal", sa.String(), nullable=False),
        sa.Column("domain", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("access", sa.Text(), nullable=False),
        sa.Column("refresh", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.Column("member_id", sa.String(), server_default="", nullable=False),
        sa.Column("server", sa.String(), server_default="", nullable=False),
        sa.Column("application_token", sa.Text(), server_default="", nullable=False),
        sa.Column("changed_at", sa.Float(), nullable=False),
        sa.Column("asked_at", sa.Float(), server_default="0", nullable=False),
        sa.Column("refused_at", sa.Float(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("portal"),
    )
    op.create_table(
        "finding",
        sa.Column("portal", sa.String(), nullable=False),
        sa.Column("way_in", sa.String(), nullable=False),
        sa.Column("replaces_by_tag", sa.Boolean(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("portal"),
    )
