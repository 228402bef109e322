"""An answer that is known once what it speaks of is on disk.

Never holds a thread while it waits, unless a server can only wait that way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from flask import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Promised(Response):
    """What a view returns for the answer that it cannot give yet.

    To a WSGI server it is an answer like any other, which waits as it is sent. A server that has better to do waits for
    ``future`` itself, and then has the promise kept.

    Args:
        future: what is waited for.
        fill: says, once it is done, what to answer: it is given this answer, outside of the request's context.
    """

    default_mimetype = "application/json"

    def __init__(self, future: Future[Any], fill: Callable[[Response], object]) -> None:
        super().__init__()
        self.future = future
        self._fill = fill

    def keep(self) -> None:
        """Become the answer; waits for the future if it is not done."""
        self._fill(self)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.keep()
        return super().__call__(environ, start_response)
