"""Indexes for what people ask of the journal and the outbox: of a source, of a person, since a time.

Revision 0007, after 0006.
"""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_index("event_source", "event", ["source", "id"])
    op.create_index("event_received", "event", ["received_at", "id"])
    op.create_index("message_person", "message", ["person", "id"])
    op.create_index("message_created", "message", ["created_at", "id"])
