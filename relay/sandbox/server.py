"""The portal on a real socket, in threads of this process.

Never meant for strangers: it listens where it is told, on this machine by default.
"""

from __future__ import annotations

import socket
import threading
from types import TracebackType
from typing import Any, Self

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from relay.sandbox.app import create_app
from relay.sandbox.people import OWNER
from relay.sandbox.portal import Portal

_PATIENCE = 5.0  # seconds for requests in flight to end at close


class _Handler(WSGIRequestHandler):
    disable_nagle_algorithm = True  # header and body are two writes; together with delayed ACKs Nagle costs 40 ms

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        """Say nothing."""

    def connection_dropped(self, error: BaseException, environ: Any = None) -> None:  # noqa: ARG002
        """Do not wait for the client's next request on a connection that has just been given up."""
        self.close_connection = True


class _Listener(ThreadedWSGIServer):
    """Knows its open connections, so that it can end them."""

    def __init__(self, listening: socket.socket, app: Any) -> None:
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        host, port = listening.getsockname()[:2]
        super().__init__(host, port, app, _Handler, fd=listening.fileno())

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._changed:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """End one connection; one that is to be reset must not be shut down politely first."""
        linger = request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)
        if linger[:4] == b"\0\0\0\0":
            super().shutdown_request(request)
        else:
            self.close_request(request)
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()

    def end_connections(self) -> None:
        with self._changed:
            for request in self._open:
                try:
                    request.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue
            self._changed.wait_for(lambda: not self._open, _PATIENCE)


class Server:
    """A running portal: ``url``, ``webhook``, ``close()``; also a context manager."""

    def __init__(self, portal: Portal, *, host: str, port: int, control: bool) -> None:
        self.portal = portal
        portal.start()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.create_server((host, port), family=family, backlog=512) as listening:
            self._listener = _Listener(listening, create_app(portal, control=control))
        bound = f"[{host}]" if ":" in host else host
        self.url = f"http://{bound}:{self._listener.port}"
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.05,), name="sandbox", daemon=True)
        self._thread.start()

    @property
    def webhook(self) -> str:
        """The webhook's whole address, its secret included; methods are appended to it."""
        return f"{self.url}/rest/{OWNER}/{self.portal.secret}/"

    def close(self) -> None:
        """Stop listening, end what is open, wait for it. A second time does nothing."""
        self.portal.stop()
        self._listener.shutdown()
        self._listener.server_close()
        self._listener.end_connections()
        self._thread.join(_PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def serve(portal: Portal, *, host: str = "127.0.0.1", port: int = 0, control: bool = False) -> Server:
    """Start a portal on a socket; port 0 = any free one.

    Raises:
        OSError: the address cannot be had.
    """
    return Server(portal, host=host, port=port, control=control)
