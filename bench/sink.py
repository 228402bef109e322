"""A portal that only receives: it notes when it has a call whole, answers as Bitrix24 does, and does nothing else.

Never limits, refuses or checks anything, so that what is measured is the way to it and not the portal. Beside peers:
what is posted to any path is searched for the marks of events (payloads.MARK).
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import Counter
from types import TracebackType
from typing import Self

from bench.payloads import MARK


class Sink:
    """Listens as long as the block lasts. ``arrived``: monotonic seconds at which each number first arrived whole."""

    def __init__(self, port: int = 0) -> None:
        self.arrived: dict[int, float] = {}
        self.times: Counter[int] = Counter()
        self.changed = threading.Condition()
        self._listening = socket.create_server(("127.0.0.1", port), backlog=512)
        self.port = int(self._listening.getsockname()[1])
        self.webhook = f"http://127.0.0.1:{self.port}/rest/1/bench-secret/"

    def __enter__(self) -> Self:
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening.close()

    def wait(self, number: int, seconds: float) -> float | None:
        """When the number arrived; None if it has not within so many seconds."""
        with self.changed:
            self.changed.wait_for(lambda: number in self.arrived, seconds)
            return self.arrived.get(number)

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as coming:
            while (body := _body(coming)) is not None:
                self._note(body, time.monotonic())
                answer = _answer(body)
                head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n\r\n"
                try:
                    connection.sendall(head.encode() + answer)
                except OSError:
                    return

    def _note(self, body: bytes, at: float) -> None:
        found = {int(number) for number in MARK.findall(body)}
        with self.changed:
            for number in found:
                self.times[number] += 1
                self.arrived.setdefault(number, at)
            self.changed.notify_all()


def _body(coming) -> bytes | None:  # type: ignore[no-untyped-def]  # a buffered reader of a socket
    """The next request's body; None when there is none any more."""
    length, chunked, line = 0, False, b" "
    try:
        while (line := coming.readline()) not in (b"", b"\r\n"):
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
            chunked = chunked or (name.lower() == b"transfer-encoding" and b"chunked" in value)
        if not line:
            return None
        if not chunked:
            return bytes(coming.read(length))
        parts = []
        while size := int(coming.readline(), 16):
            parts.append(coming.read(size))
            coming.readline()
        coming.readline()
        return b"".join(parts)
    except OSError:
        return None


def _answer(body: bytes) -> bytes:
    """A notification's number; of a batch one for each command (Bitrix24 REST docs, batch)."""
    try:
        asked = json.loads(body)
    except ValueError:
        asked = {}
    commands = asked.get("cmd") if isinstance(asked, dict) else None
    now = time.time()
    times = {"start": now, "finish": now, "duration": 0.0, "processing": 0.0, "operating": 0}
    if not isinstance(commands, dict):
        return json.dumps({"result": 17, "time": times}).encode()
    each = {name: number for number, name in enumerate(commands, start=1)}
    empty: dict[str, object] = {"result_error": [], "result_total": [], "result_next": []}
    return json.dumps({"result": {"result": each, **empty, "result_time": {}}, "time": times}).encode()
