"""Python's garbage collector, kept out of the way while very much is made of which nothing is garbage.

Never leaves the collector switched off.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def resting() -> Iterator[None]:
    """No collection while the block runs, and none of what it has made right after it.

    The collector looks through everything that is new again and again as its number grows: over 10,000 rules, which
    make no garbage, it spends more than twice the time of reading them, and the whole process waits for each of its
    looks (Python docs, gc). What was made is then put among the old, where it is seldom looked at.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if not gc.get_freeze_count():  # what is frozen is to stay so
            gc.freeze()
            gc.unfreeze()  # the two together move all there is to the oldest generation without a look at it
        if was_on:
            gc.enable()
