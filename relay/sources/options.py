"""What every source in `rules.yaml` may say about itself.

Never reads a request: that is each sender's own file.
"""

from __future__ import annotations

from pydantic import Field

from relay.schema import Part, Secrets

MEGABYTE = 1_000_000


class Basic(Part):
    """A user name and password, sent as HTTP Basic (RFC 7617)."""

    username: str = Field(pattern=r"^[^:]*$", description="without a colon, which ends it (RFC 7617 §2)")
    password: Secrets


class SourceOptions(Part):
    """What all sources have in common. ``open: true`` accepts requests without credentials."""

    type: str  # each sender narrows it to its own name
    open: bool = False
    max_body: int = Field(default=5 * MEGABYTE, ge=1_000, le=100 * MEGABYTE, description="largest body, in bytes")
