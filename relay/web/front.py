"""Before the Flask application: a request's body is awaited whole, under a deadline. Then events are answered here, in
the server's loop; what is heavy, and the pages, in threads.

Never understands a request. Without it, as many senders as there are threads, who begin a body and never end it,
would close the door to all others: a thread that reads a body cannot be taken back.
"""

from __future__ import annotations

import asyncio
import io
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote_to_bytes

from flask import Flask
from granian._granian import RSGIHTTPProtocol as HTTPProtocol
from granian._granian import RSGIProtocolClosed as ProtocolClosed
from granian.rsgi import Scope
from werkzeug.wrappers import Response

from relay.errors import Refused
from relay.web import answers
from relay.web.promised import Promised

HEARD_OUT = 32_000_000  # bytes; GitHub's largest are 25 MB
LIGHT = 200_000  # bytes; what is larger would keep the loop, and all who wait for it, too long
DEADLINE = 30.0  # seconds for a body to arrive; GitHub itself gives up after ten

# Each piece is a turn of the loop, before anybody is asked for a signature: a megabyte of single bytes is a million of
# them. The smallest packet that a network must carry whole holds 536 bytes (RFC 9293 §3.7.1).
FREE_PIECES = 1_000
SMALLEST_PIECE = 64  # bytes, on the average of more


class Crumbs(Refused):
    """A body comes in pieces too small to be honest."""


class CutShort(Refused):
    """A body ended before the length that was announced."""


class Late(Refused):
    """A body did not end in time."""

    status = 408


class Front:
    """An RSGI application (granian's own interface) around a Flask one.

    Args:
        app: what answers.
        limit: the largest body, in bytes, that is worth awaiting for a path; one more byte is read, so that the
            application sees that it is too large.
        threads: how many of those requests are answered at the same time that are not answered in the loop.
    """

    def __init__(self, app: Flask, *, limit: Callable[[str], int], threads: int) -> None:
        self._app = app
        self._limit = limit
        self._threads = ThreadPoolExecutor(threads, "request")

    async def __call__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        body, refused = b"", None
        try:
            body = await _body(scope, protocol, self._limit(scope.path))
        except Refused as fault:
            refused = fault
        environ = environment(scope, body)
        if refused:
            environ[answers.REFUSED] = refused
        if scope.path.startswith("/in/") and len(body) <= LIGHT:
            answer = await self._ask_here(environ)
        else:
            answer = await asyncio.get_running_loop().run_in_executor(self._threads, self._ask, environ)
        headers = [(name.lower(), value) for name, value in answer.headers.items()]
        protocol.response_bytes(answer.status_code, headers, answer.get_data())

    def _ask(self, environ: dict[str, Any]) -> Response:
        return Response.from_app(self._app, environ, buffered=True)

    async def _ask_here(self, environ: dict[str, Any]) -> Response:
        """An event is verified and read sooner than a thread could be woken for it."""
        with self._app.request_context(environ):
            try:
                answer = self._app.full_dispatch_request()
            except Exception as fault:
                answer = self._app.handle_exception(fault)
        if isinstance(answer, Promised):
            await _done(answer.future)
            answer.keep()
        return answer


async def _done(future: Future[Any]) -> None:
    """Wait for a future, whichever thread keeps it."""
    loop, thread = asyncio.get_running_loop(), threading.get_ident()
    mine = loop.create_future()

    def wake() -> None:
        if not mine.done():  # whoever waited may have been sent home
            mine.set_result(None)

    def tell(_: object) -> None:
        if threading.get_ident() == thread:
            wake()
        else:
            loop.call_soon_threadsafe(wake)

    future.add_done_callback(tell)
    await mine


async def _body(scope: Scope, protocol: HTTPProtocol, limit: int) -> bytes:
    """The body, or its first ``limit`` + 1 bytes.

    Raises:
        Late, CutShort, Crumbs: it did not come whole.
    """
    announced = _announced(scope)
    try:
        async with asyncio.timeout(DEADLINE):
            # Where a length was announced the server keeps to it, and gathers the pieces sooner than we would.
            body = await protocol() if 0 < announced <= limit else await _read(protocol, limit)
    except TimeoutError:
        raise Late("the body did not arrive") from None
    except ProtocolClosed:
        body = b""
    if len(body) < min(announced, limit + 1):
        raise CutShort("the body was cut short")
    return body


async def _read(protocol: HTTPProtocol, limit: int) -> bytes:
    """The body, or its first ``limit`` + 1 bytes.

    What comes beyond is heard out and thrown away, up to `HEARD_OUT`: whoever is answered in the middle of his words
    sees a broken connection and no answer, and tries again (RFC 9112 §9.6).

    Raises:
        Crumbs: it comes in very many pieces of very few bytes.
    """
    parts, size, count = [], 0, 0
    async for part in protocol:
        if size <= limit:
            parts.append(part)
        size, count = size + len(part), count + 1
        if count > FREE_PIECES and size < count * SMALLEST_PIECE:
            raise Crumbs("the body came in too many small pieces")
        if size > max(limit, HEARD_OUT):
            break
    return b"".join(parts)[: limit + 1]


def _announced(scope: Scope) -> int:
    """The length that a body was said to have, in bytes; 0 if none was. To granian a broken connection ends it too."""
    length = scope.headers.get("content-length") or ""
    return int(length) if length.isdecimal() and "transfer-encoding" not in scope.headers else 0


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
