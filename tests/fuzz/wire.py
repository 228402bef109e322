"""One connection that is kept open (RFC 9112 §9.3): a request's bytes out as they are, the answer's status in.

Never repairs a request, and never looks at what an answer says.
"""

from __future__ import annotations

import re
import socket
from contextlib import suppress
from dataclasses import dataclass

from tests.fuzz.framing import Shot

PATIENCE = 60.0  # seconds without a byte of the answer
SHORT = 0.2  # seconds, where the head may have promised more than follows: the door waits for it, and rightly
NO_ANSWER = 0  # instead of a status: the door hung up, or said nothing
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *([0-9]+)")
_CLOSES = re.compile(rb"(?i)\r\nconnection: *close")


@dataclass(slots=True)
class Connection:
    """A connection to the door on a port of this machine, made when it is needed and made anew when it is closed."""

    port: int
    _socket: socket.socket | None = None
    _rest: bytes = b""

    def ask(self, shot: Shot) -> int:
        """The status of the answer; `NO_ANSWER` if there came none."""
        if not shot.whole:
            self.close()
            status = self._exchange(shot)
            self.close()
            return status
        used = self._socket is not None
        status = self._exchange(shot)
        if status == NO_ANSWER and used:  # it was closed meanwhile, as a server may: nothing is known of this request
            status = self._exchange(shot)
        return status

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket, self._rest = None, b""

    def _exchange(self, shot: Shot) -> int:
        try:
            if self._socket is None:
                patience = PATIENCE if shot.whole else SHORT
                self._socket = socket.create_connection(("127.0.0.1", self.port), timeout=patience)
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with suppress(BrokenPipeError, ConnectionResetError):  # it may have answered before it has heard all
                self._socket.sendall(shot.raw)
            return self._status(self._socket, shot)
        except OSError:
            self.close()
            return NO_ANSWER

    def _status(self, connection: socket.socket, shot: Shot) -> int:
        status = 100
        while status < 200:  # 100 Continue comes before the answer (RFC 9110 §15.2)
            head = self._until_blank(connection)
            status = int(head[9:12])
        length = _LENGTH.search(head)
        size = 0 if shot.method == "HEAD" or status in (204, 304) else int(length[1]) if length else None
        while size is None or len(self._rest) < size:
            more = connection.recv(262_144)
            if not more:
                break
            self._rest += more
        if size is None or len(self._rest) < size or _CLOSES.search(head):
            self.close()
        else:
            self._rest = self._rest[size:]
        return status

    def _until_blank(self, connection: socket.socket) -> bytes:
        while b"\r\n\r\n" not in self._rest:
            more = connection.recv(65_536)
            if not more:
                raise ConnectionResetError
            self._rest += more
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        if not re.match(rb"HTTP/1\.[01] [0-9]{3}", head):
            raise ConnectionResetError
        return head
