"""The tables, their states and their indexes, in SQLAlchemy Core.

Nothing here reads or writes: the statements are in the rooms beside it.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

# SQLite numbers rows by itself only in a column of exactly this type; PostgreSQL wants the wider one.
Id = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData()

# The first wall. What was answered 2xx is a row here, with the bytes as they came.
#   new → decided | unreadable
event = Table(
    "event",
    metadata,
    Column("id", Id, primary_key=True),
    Column("source", String, nullable=False),
    Column("received_at", Float, nullable=False),
    Column("method", String, nullable=False),
    Column("headers", Text, nullable=False),  # JSON; credentials are left out
    Column("body", LargeBinary, nullable=False),  # zlib
    Column("kind", String, nullable=False, server_default=""),  # the event's words, to be listed by
    Column("title", Text, nullable=False, server_default=""),
    Column("state", String, nullable=False, server_default="new"),
    Column("outcome", String, nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),
    Column("decided_at", Float),
    Index("event_new", "id", sqlite_where=text("state = 'new'"), postgresql_where=text("state = 'new'")),
)

# What has been delivered to us already, so that a retry of the sender is answered and not journalled again.
delivery = Table(
    "delivery",
    metadata,
    Column("source", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("event_id", Id, nullable=False),
    Column("expires_at", Float, nullable=False),
    Index("delivery_expires", "expires_at"),
)

# The second wall: the outbox.
#   queued → sending → delivered | muted | dead | held | superseded | queued
#   queued → superseded | dropped;  dead, held → queued (by hand) | dropped
message = Table(
    "message",
    metadata,
    Column("id", Id, primary_key=True),
    Column("event_id", Id, ForeignKey("event.id"), nullable=True),
    Column("portal", String, nullable=False),
    Column("stream", String, nullable=False),
    Column("user_id", Integer, nullable=False),
    Column("person", String, nullable=False),
    Column("rule", String, nullable=False),
    Column("key", String, nullable=False),
    Column("tag", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("attach", Text),  # JSON
    Column("via", String, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("deletes", Boolean, nullable=False),
    Column("fallback", Text, nullable=False),  # JSON list of portal ids
    Column("note", Text, nullable=False),
    Column("state", String, nullable=False, server_default="queued"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("plain", Boolean, nullable=False),
    Column("epoch", Integer, nullable=False, server_default="0"),  # of the lease under which it was claimed
    Column("created_at", Float, nullable=False),
    Column("settled_at", Float),
    Column("notification_id", BigInteger),
    Column("superseded_by", Id),
    Column("code", String, nullable=False, server_default=""),
    Column("why", Text, nullable=False, server_default=""),
    Index("message_state", "state", "id"),
    Index("message_event", "event_id"),
    Index(
        "message_queued",
        "portal",
        "stream",
        "id",
        sqlite_where=text("state = 'queued'"),
        postgresql_where=text("state = 'queued'"),
    ),
)

# One row for each (portal, recipient, tag): its head is the next message, and only the head may be claimed.
# A block stands here and not on the messages, so that a long queue behind it is never scanned.
stream = Table(
    "stream",
    metadata,
    Column("portal", String, primary_key=True),
    Column("stream", String, primary_key=True),
    Column("head", Id),  # null: nothing waits
    Column("urgent", Boolean, nullable=False, server_default=text("false")),
    Column("due_at", Float, nullable=False, server_default="0"),
    Column("busy", Integer, nullable=False, server_default="0"),  # the epoch that is sending its head; 0: nobody
    Index(
        "stream_waiting",
        "portal",
        "urgent",
        "head",
        sqlite_where=text("head IS NOT NULL"),
        postgresql_where=text("head IS NOT NULL"),
    ),
)

# What the relay knows of each portal: who delivers to it, how full its bucket is, and whether it is in trouble.
portal = Table(
    "portal",
    metadata,
    Column("name", String, primary_key=True),
    Column("level", Float, nullable=False, server_default="0"),
    Column("level_at", Float, nullable=False, server_default="0"),
    Column("batch_cap", Integer, nullable=False, server_default="50"),
    Column("not_before", Float, nullable=False, server_default="0"),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("trouble", String, nullable=False, server_default=""),
    Column("code", String, nullable=False, server_default=""),
    Column("why", Text, nullable=False, server_default=""),
    Column("since", Float, nullable=False, server_default="0"),
)

# Who does what nobody else may do at the same time. The epoch grows with each new holder; every settle names it.
lease = Table(
    "lease",
    metadata,
    Column("name", String, primary_key=True),
    Column("holder", String, nullable=False, server_default=""),
    Column("until", Float, nullable=False, server_default="0"),
    Column("epoch", Integer, nullable=False, server_default="0"),
)

# One row for each time a message was sent, for the person who asks why.
attempt = Table(
    "attempt",
    metadata,
    Column("id", Id, primary_key=True),
    Column("message_id", Id, ForeignKey("message.id"), nullable=False),
    Column("at", Float, nullable=False),
    Column("verdict", String, nullable=False),
    Column("code", String, nullable=False, server_default=""),
    Column("why", Text, nullable=False, server_default=""),
    Index("attempt_message", "message_id"),
)

# Names that events gave and that belong to nobody in `people:`.
unmapped = Table(
    "unmapped",
    metadata,
    Column("source", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("count", Integer, nullable=False, server_default="0"),
    Column("last_at", Float, nullable=False, server_default="0"),
)
