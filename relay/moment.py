"""A moment as people write it: so long ago, or a time.

Never asks a clock: `now` is handed in.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

from relay.schema import seconds

HOW = "write 90s, 30m, 2h, 7d (ago), or a time such as 2026-11-23T10:00 (UTC)"


def moment(text: str, now: float) -> float:
    """Unix seconds of ``2h`` or ``1d12h`` (ago), or of an ISO 8601 time, which is UTC unless it says otherwise.

    Raises:
        ValueError: it is neither.
    """
    with suppress(ValueError):
        return now - seconds(text)
    found = datetime.fromisoformat(text)
    try:
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except OverflowError as fault:
        raise ValueError("no such time") from fault
