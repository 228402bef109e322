"""How the verdict on an event, or the state of a message, looks: a sign and a tone beside its word.

Never a colour alone: the word is in words/common.py, and which verdict it is says relay.store.listing.
"""

from __future__ import annotations

# A verdict, its sign and its tone (a class of page.css).
SIGNS: dict[str, tuple[str, str]] = {
    "delivered": ("✓", "good"),
    "dead": ("✗", "bad"),
    "held": ("!", "warn"),
    "queued": ("…", "wait"),
    "sending": ("→", "wait"),
    "muted": ("–", "quiet"),
    "superseded": ("↻", "quiet"),
    "dropped": ("–", "quiet"),
    "new": ("…", "wait"),
    "addressed": ("→", "wait"),
    "no_rule": ("?", "odd"),
    "nobody": ("?", "odd"),
    "silenced": ("–", "quiet"),
    "inhibited": ("–", "quiet"),
    "grouped": ("≡", "wait"),
    "throttled": ("≡", "wait"),
    "repeated": ("=", "quiet"),
    "own_act": ("–", "quiet"),
    "skipped": ("–", "quiet"),
    "unreadable": ("✗", "bad"),
}
