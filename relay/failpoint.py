"""Places where the process can be made to die, so that a test can show that nothing is lost there.

Does nothing unless RELAY_FAILPOINT names the place: then the process kills itself the moment it comes by, as a power
cut would, with no chance to tidy up.
"""

from __future__ import annotations

import os
import signal

# In the order in which an event passes them. The crash test takes each in turn.
PLACES = (
    "intake: verified, not journalled",
    "intake: written, not committed",
    "intake: journalled, not answered",
    "router: decided, not written",
    "router: written, not committed",
    "router: in the outbox",
    "courier: claimed, not committed",
    "courier: claimed, not called",
    "courier: called, not settled",
    "courier: settled, not committed",
    "courier: settled",
)
_armed = os.environ.get("RELAY_FAILPOINT", "")


def here(place: str) -> None:
    """Die, if this is the place."""
    if _armed and place == _armed:
        os.kill(os.getpid(), signal.SIGKILL)
