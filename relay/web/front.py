"""Before the Flask application: a request's body is awaited whole, under a deadline, before it costs a thread.

Never understands a request. Without it, as many senders as there are threads, who begin a body and never end it,
would close the door to all others: a thread that reads a body cannot be taken back.
"""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote_to_bytes

from flask import Flask
from granian._granian import RSGIHTTPProtocol as HTTPProtocol
from granian._granian import RSGIProtocolClosed as ProtocolClosed
from granian.rsgi import Scope
from werkzeug.wrappers import Response

HEARD_OUT = 32_000_000  # bytes; GitHub's largest are 25 MB
DEADLINE = 30.0  # seconds for a body to arrive; GitHub itself gives up after ten


class Front:
    """An RSGI application (granian's own interface) around a Flask one.

    Args:
        app: what answers.
        limit: the largest body, in bytes, that is worth awaiting for a path; one more byte is read, so that the
            application sees that it is too large.
        threads: how many requests are answered at the same time.
    """

    def __init__(self, app: Flask, *, limit: Callable[[str], int], threads: int) -> None:
        self._app = app
        self._limit = limit
        self._threads = ThreadPoolExecutor(threads, "request")

    async def __call__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        try:
            body = await asyncio.wait_for(_read(protocol, self._limit(scope.path)), DEADLINE)
        except TimeoutError:
            protocol.response_str(408, [("content-type", "application/json")], '{"error":"the body did not arrive"}')
            return
        except ProtocolClosed:
            return
        environ = environment(scope, body)
        answer = await asyncio.get_running_loop().run_in_executor(self._threads, self._ask, environ)
        headers = [(name.lower(), value) for name, value in answer.headers.items()]
        protocol.response_bytes(answer.status_code, headers, answer.get_data())

    def _ask(self, environ: dict[str, Any]) -> Response:
        return Response.from_app(self._app, environ, buffered=True)


async def _read(protocol: HTTPProtocol, limit: int) -> bytes:
    """The body, or its first ``limit`` + 1 bytes.

    What comes beyond is heard out and thrown away, up to `HEARD_OUT`: whoever is answered in the middle of his words
    sees a broken connection and no answer, and tries again (RFC 9112 §9.6).
    """
    parts, size = [], 0
    async for part in protocol:
        if size <= limit:
            parts.append(part)
        size += len(part)
        if size > max(limit, HEARD_OUT):
            break
    return b"".join(parts)[: limit + 1]


def environment(scope: Scope, body: bytes) -> dict[str, Any]:
    """What WSGI calls a request (PEP 3333)."""
    host, _, port = scope.server.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope.path).decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": scope.client.rpartition(":")[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in scope.headers.items():
        if "_" in name:  # to WSGI it would be the header with a dash, which a proxy may have dropped or set itself
            continue
        key = name.upper().replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    return environ
