"""A bell beside a SQLite file: who has left work there rings, and who waits for it, in any process, wakes at once.

Never needed for anything to work: where no bell can be hung (no Unix sockets, a path too long for one, a folder that
may not be written to) nobody hears, and looks are enough.
"""

from __future__ import annotations

import os
import select
import socket
import time
import uuid
from contextlib import suppress
from pathlib import Path

Socket = socket.socket


class Bell:
    """One socket for each who waits, in a folder beside the file. A ring is an empty datagram to each (unix(7))."""

    def __init__(self, file: Path) -> None:
        self._folder = file.with_name(f"{file.name}-bell")
        self._own = ""  # where whoever rings listens himself

    def ring(self) -> None:
        """Wake all others who wait. Those who are gone are cleared away; who has not looked yet is rung already.

        Whoever listens by this bell is not woken: he knows what he has done, and would look for it again beside it.
        """
        mouth = _datagrams()
        if mouth is None:
            return
        with mouth, suppress(OSError), os.scandir(self._folder) as ears:
            for ear in ears:
                if ear.name == self._own:
                    continue
                try:
                    mouth.sendto(b"", ear.path)
                except ConnectionRefusedError:  # its process ended without a word
                    Path(ear.path).unlink(missing_ok=True)
                except OSError:
                    continue

    def hang(self) -> Ear:
        """Begin to listen."""
        path = self._folder / uuid.uuid4().hex[:12]
        heard = _datagrams()
        if heard is None:
            return Ear(None, path)
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            heard.bind(str(path))
        except OSError:
            heard.close()
            return Ear(None, path)
        self._own = path.name
        return Ear(heard, path)


class Ear:
    """Somebody who waits for the bell."""

    def __init__(self, heard: Socket | None, path: Path) -> None:
        self._heard = heard
        self._path = path

    @property
    def hears(self) -> bool:
        return self._heard is not None

    def wait(self, seconds: float) -> bool:
        """Until the bell rings, at most so long; has it rung?"""
        if self._heard is None:
            time.sleep(seconds)
            return False
        rung, _, _ = select.select([self._heard], [], [], seconds)
        with suppress(BlockingIOError):
            while rung:  # many rings wake once
                self._heard.recv(1)
        return bool(rung)

    def close(self) -> None:
        if self._heard is not None:
            self._heard.close()
            self._path.unlink(missing_ok=True)


def _datagrams() -> Socket | None:
    """A socket that never blocks; none where there is no such kind."""
    if not hasattr(socket, "AF_UNIX"):
        return None
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.setblocking(False)
    return made
