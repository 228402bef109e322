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
    Table,
    Text,
    text,
)

from relay.store.text import Words

# SQLite numbers rows by itself only in a column of exactly this type; PostgreSQL wants the wider one.
Id = BigInteger().with_variant(Integer, "sqlite")

# What the partial indexes hold. A query says the same in the same words, or it is not served by them.
NEW = text("state = 'new'")
WITH_PAYLOAD = text("pruned_at IS NULL")
QUEUED = text("state = 'queued'")
RESTING = text("state = 'queued' AND not_before > 0")
DUE = text("due IS NOT NULL")
WAITING = text("head IS NOT NULL AND busy = 0")
OPEN = text("state IN ('queued', 'sending', 'held', 'dead')")

metadata = MetaData()

# The first wall. What was answered 2xx is a row here, with the bytes as they came.
#   new → decided | unreadable
event = Table(
    "event",
    metadata,
    Column("id", Id, primary_key=True),
    Column("source", Words, nullable=False),
    Column("received_at", Float, nullable=False),
    Column("method", Words, nullable=False),
    Column("headers", Words, nullable=False),  # JSON; credentials are left out
    Column("body", LargeBinary, nullable=False),  # zlib
    Column("kind", Words, nullable=False, server_default=""),  # the event's words, to be listed by
    Column("title", Words, nullable=False, server_default=""),
    Column("state", Text, nullable=False, server_default="new"),
    Column("outcome", Text, nullable=False, server_default=""),
    Column("note", Words, nullable=False, server_default=""),
    Column("decided_at", Float),
    Column("pruned_at", Float),  # its body and headers have been taken away: see retention.py
    Index("event_payload", "id", sqlite_where=WITH_PAYLOAD, postgresql_where=WITH_PAYLOAD),
    Index("event_new", "id", sqlite_where=NEW, postgresql_where=NEW),
    Index("event_source", "source", "id"),
    Index("event_received", "received_at", "id"),
)

# What has been delivered to us already, so that a retry of the sender is answered and not journalled again.
delivery = Table(
    "delivery",
    metadata,
    Column("source", Words, primary_key=True),
    Column("key", Words, primary_key=True),
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
    Column("portal", Words, nullable=False),
    Column("stream", Words, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("person", Words, nullable=False),
    Column("rule", Words, nullable=False),
    Column("key", Words, nullable=False),
    Column("tag", Words, nullable=False),
    Column("text", Words, nullable=False),
    Column("attach", Words),  # JSON
    Column("via", Text, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("deletes", Boolean, nullable=False),
    Column("fallback", Words, nullable=False),  # JSON list of portal ids
    Column("note", Words, nullable=False),
    Column("state", Text, nullable=False, server_default="queued"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("failing_since", Float),  # when its own failures began; the portal's do not count
    Column("plain", Boolean, nullable=False),
    Column("turn", BigInteger, nullable=False, server_default="0"),
    Column("not_before", Float, nullable=False, server_default="0"),  # held till then: the recipient's quiet hours
    Column("epoch", Integer, nullable=False, server_default="0"),  # of the lease under which it was claimed
    Column("created_at", Float, nullable=False),
    Column("settled_at", Float),
    Column("notification_id", BigInteger),
    Column("superseded_by", Id),
    Column("code", Words, nullable=False, server_default=""),
    Column("why", Words, nullable=False, server_default=""),
    Index("message_state", "state", "id"),
    Index("message_event", "event_id"),
    Index("message_person", "person", "id"),
    Index("message_created", "created_at", "id"),
    Index("message_reader", "person", "event_id"),
    Index("message_open", "state", "event_id", "portal", sqlite_where=OPEN, postgresql_where=OPEN),
    Index("message_queued", "portal", "stream", "id", sqlite_where=QUEUED, postgresql_where=QUEUED),
    Index("message_resting", "portal", "stream", sqlite_where=RESTING, postgresql_where=RESTING),
)

# One row for each (portal, recipient, tag): its head is the next message, and only the head may be claimed.
# A block stands here and not on the messages, so that a long queue behind it is never scanned.
stream = Table(
    "stream",
    metadata,
    Column("portal", Words, primary_key=True),
    Column("stream", Words, primary_key=True),
    Column("head", Id),  # null: nothing waits
    Column("rank", Integer, nullable=False, server_default="1"),  # 0: the head is urgent
    Column("turn", BigInteger, nullable=False, server_default="0"),  # the head's
    Column("retry_at", Float, nullable=False, server_default="0"),  # after a failure, not before this
    Column("due_at", Float, nullable=False, server_default="0"),  # the later of that and the head's `not_before`
    Column("busy", Integer, nullable=False, server_default="0"),  # the epoch that is sending its head; 0: nobody
    # In the order in which heads are claimed, and by the time at which the first of them is due.
    Index("stream_waiting", "portal", "rank", "turn", "head", sqlite_where=WAITING, postgresql_where=WAITING),
    Index("stream_due", "portal", "due_at", sqlite_where=WAITING, postgresql_where=WAITING),
)

# The last turn that was given to each recipient, and the last that was served: see turns.py.
turn = Table(
    "turn",
    metadata,
    Column("portal", Words, primary_key=True),
    Column("rank", Integer, primary_key=True, autoincrement=False),
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),
)

# What the relay knows of each portal: who delivers to it, how full its bucket is, and whether it is in trouble.
portal = Table(
    "portal",
    metadata,
    Column("name", Words, primary_key=True),
    Column("level", Float, nullable=False, server_default="0"),
    Column("level_at", Float, nullable=False, server_default="0"),
    Column("share", Float, nullable=False, server_default="1"),  # of the bucket: others on our address take the rest
    Column("share_at", Float, nullable=False, server_default="0"),
    Column("batch_cap", Integer, nullable=False, server_default="50"),
    Column("not_before", Float, nullable=False, server_default="0"),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("trouble", Text, nullable=False, server_default=""),
    Column("code", Words, nullable=False, server_default=""),
    Column("why", Words, nullable=False, server_default=""),
    Column("since", Float, nullable=False, server_default="0"),
)

# Who does what nobody else may do at the same time. The epoch grows with each new holder; every settle names it.
lease = Table(
    "lease",
    metadata,
    Column("name", Words, primary_key=True),
    Column("holder", Words, nullable=False, server_default=""),
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
    Column("verdict", Text, nullable=False),
    Column("code", Words, nullable=False, server_default=""),
    Column("why", Words, nullable=False, server_default=""),
    Index("attempt_message", "message_id"),
)

# The last good copy of each calendar that a schedule of `oncall:` takes its shifts from. A time of 0 is never.
feed = Table(
    "feed",
    metadata,
    Column("schedule", Words, primary_key=True),
    Column("origin", Text, nullable=False),  # a digest of the place it is fetched from and of the zone it is read in
    Column("digest", Text, nullable=False, server_default=""),  # of the calendar's text, and the day it was read on
    Column("shifts", Words, nullable=False, server_default=""),  # JSON; empty: there was no good copy yet
    Column("read_at", Float, nullable=False, server_default="0"),
    Column("asked_at", Float, nullable=False, server_default="0"),
    Column("failing_since", Float, nullable=False, server_default="0"),
    Column("why", Words, nullable=False, server_default=""),
)

# Names that events gave and that belong to nobody in `people:`.
unmapped = Table(
    "unmapped",
    metadata,
    Column("source", Words, primary_key=True),
    Column("name", Words, primary_key=True),
    Column("count", Integer, nullable=False, server_default="0"),
    Column("last_at", Float, nullable=False, server_default="0"),
)

# What the rules remember of earlier events: groups that gather, what was told, what fires; see rules/memory.py.
note = Table(
    "note",
    metadata,
    Column("name", Words, primary_key=True),
    Column("value", Words, nullable=False),  # JSON
    Column("due", Float),  # something is to become of it then
    Index("note_due", "due", sqlite_where=DUE, postgresql_where=DUE),
)

# People of the rules as their portal knows them: whose e-mail it is, found by `relay people sync`.
account = Table(
    "account",
    metadata,
    Column("portal", Words, primary_key=True),
    Column("email", Words, primary_key=True),  # lower case (casefold)
    Column("user_id", BigInteger, nullable=False),
    Column("seen_at", Float, nullable=False),  # when the portal last said so
    Column("asked_at", Float, nullable=False),  # when somebody last took it upon himself to ask
)

# What is counted for `/metrics`. The slot is the process's, so that two rarely wait for one row: see counters.py.
counter = Table(
    "counter",
    metadata,
    Column("name", Words, primary_key=True),
    Column("labels", Words, primary_key=True),  # JSON, sorted
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("value", Float, nullable=False, server_default="0"),
)

# What was decided and what arrived on each day, for the pages: see daily.py.
daily = Table(
    "daily",
    metadata,
    Column("day", Integer, primary_key=True, autoincrement=False),  # since 1970-01-01, UTC
    Column("what", Text, primary_key=True),  # «rule» or «person»
    Column("name", Words, primary_key=True),
    Column("verdict", Text, primary_key=True),
    Column("count", BigInteger, nullable=False, server_default="0"),
)

# How a portal was, every ten seconds while it is called: see health.py.
health = Table(
    "health",
    metadata,
    Column("portal", Words, primary_key=True),
    Column("at", BigInteger, primary_key=True, autoincrement=False),  # Unix seconds
    Column("level", Float, nullable=False),
    Column("share", Float, nullable=False),
    Column("waiting", Integer, nullable=False),
    Column("lag", Float, nullable=False),  # seconds
    Column("trouble", Text, nullable=False),
)

# Each time that the rules file was read anew or refused: see reloads.py.
reload = Table(
    "reload",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Float, nullable=False),
    Column("outcome", Text, nullable=False),  # «taken» or «refused»
    Column("digest", Text, nullable=False),  # SHA-256 of the file and of those that it includes
    Column("complaint", Words, nullable=False),
    Column("rules", Integer, nullable=False),
    Column("warnings", Integer, nullable=False),
)

# What the pages keep: the key that signs their sessions, one for all processes and machines.
session_key = Table(
    "session_key",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # 1: there is one
    Column("value", LargeBinary, nullable=False),
)

# Wrong passwords of the last minutes, by address; those of all addresses together under "": see visitors.py.
guess = Table(
    "guess",
    metadata,
    Column("address", Words, primary_key=True),
    Column("since", Float, nullable=False),
    Column("count", Integer, nullable=False),
)

# Links that sign somebody in once.
entrance = Table(
    "entrance",
    metadata,
    Column("digest", Text, primary_key=True),  # SHA-256 of the link's secret
    Column("role", Text, nullable=False),
    Column("until", Float, nullable=False),
)
