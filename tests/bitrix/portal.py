"""A portal on a real socket that does to each request what a script says: answers, resets, hangs, drips.

Knows nothing of the client that it judges.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Seen:
    """A request as it came over the wire; header names in lower case."""

    verb: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Deed = Callable[["ScriptedPortal", socket.socket], bool]
"""What to do with a connection on which a request is due; true to go on with the next one on it."""


class ScriptedPortal:
    """Serves `script` in order, then its last deed for ever."""

    def __init__(self, *script: Deed) -> None:
        self.script = list(script) or [answer({"result": 1})]
        self.seen: list[Seen] = []
        self.connections = 0
        self.over = threading.Event()
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def url(self, path: str = "/rest/1/KEYKEYKEY/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=5)

    def _accept(self) -> None:
        while not self.over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while connection.recv(1, socket.MSG_PEEK):
                with self._lock:
                    deed = self.script.pop(0) if len(self.script) > 1 else self.script[0]
                if not deed(self, connection):
                    return

    def read(self, connection: socket.socket) -> Seen:
        """Read one whole request, and remember it."""
        raw = b""
        while b"\r\n\r\n" not in raw:
            raw += _more(connection)
        head, _, body = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        while len(body) < int(headers.get("content-length", "0")):
            body += _more(connection)
        verb, path, _ = first.split(" ")
        seen = Seen(verb, path, headers, body)
        self.seen.append(seen)
        return seen


def answer(content: Any = b"", status: int = 200, **headers: str) -> Deed:
    """Read the request and answer it; a map as JSON, bytes as they are."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()

    def deed(portal: ScriptedPortal, connection: socket.socket) -> bool:
        portal.read(connection)
        connection.sendall(_head(status, {"Content-Length": str(len(body)), **_spelled(headers)}) + body)
        return True

    return deed


def zipped(content: Any) -> Deed:
    return answer(gzip.compress(json.dumps(content).encode()), content_encoding="gzip")


def cut_short(body: bytes = b'{"result": 9') -> Deed:
    """Promise a longer answer than is sent, and close."""

    def deed(portal: ScriptedPortal, connection: socket.socket) -> bool:
        portal.read(connection)
        connection.sendall(_head(200, {"Content-Length": str(len(body) + 100)}) + body)
        return False

    return deed


def reset_unread(portal: ScriptedPortal, connection: socket.socket) -> bool:
    """Reset without reading a byte."""
    return _reset(connection)


def reset_after_reading(portal: ScriptedPortal, connection: socket.socket) -> bool:
    """Take the whole request, do the work, and reset instead of answering."""
    portal.read(connection)
    return _reset(connection)


def close_after_reading(portal: ScriptedPortal, connection: socket.socket) -> bool:
    """Take the whole request and close politely without an answer."""
    portal.read(connection)
    return False


def hang(portal: ScriptedPortal, connection: socket.socket) -> bool:
    """Take the whole request and say nothing until the test is over."""
    portal.read(connection)
    portal.over.wait(30)
    return False


def drip(portal: ScriptedPortal, connection: socket.socket) -> bool:
    """Answer a byte at a time, without end."""
    portal.read(connection)
    connection.sendall(_head(200, {"Content-Length": "1000000"}))
    while not portal.over.wait(0.02):
        connection.sendall(b" ")
    return False


def flood(portal: ScriptedPortal, connection: socket.socket) -> bool:
    """Answer without end, fast and zipped: a bomb."""
    portal.read(connection)
    piece = gzip.compress(b" " * 4_000_000)
    connection.sendall(_head(200, {"Content-Encoding": "gzip", "Transfer-Encoding": "chunked"}))
    for _ in range(50):
        connection.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
    connection.sendall(b"0\r\n\r\n")
    return False


def _more(connection: socket.socket) -> bytes:
    piece = connection.recv(65_536)
    if not piece:
        raise ConnectionError("closed in the middle of a request")
    return piece


def _reset(connection: socket.socket) -> bool:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def _head(status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} -", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def _spelled(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-").title(): value for name, value in headers.items()}
