"""When two deliveries are the same, and when two events are about the same thing: digests and keys.

Never decides what becomes of a repeat: that is the journal's work.
"""

from __future__ import annotations

import hashlib
import json

# A key is also the default uniqueness tag, and Bitrix24 stores 255 signs of a tag, its own prefix among them
# (im.notify.personal.add, TAG). It is an index's key in the store as well, so a stranger must not choose its size.
LONGEST_KEY = 200


def digest(*parts: object) -> str:
    """SHA-256, in hex, of JSON values: unlike a plain concatenation, ("ab", "c") and ("a", "bc") differ."""
    return sha256(json.dumps(parts, separators=(",", ":")).encode())


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def key(source: str, *parts: str) -> str:
    """The key of what an event of ``source`` is about: ``source:part:part``, hashed where it would be too long."""
    whole = ":".join((source, *parts))
    return whole if len(whole) <= LONGEST_KEY else f"{source}:{sha256(whole.encode())}"


def delivery(sent: str) -> str:
    """A sender's own delivery id, hashed where it is too long to be an index's key."""
    return sent if len(sent) <= LONGEST_KEY else sha256(sent.encode())
