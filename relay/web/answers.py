"""What the door says when it does not take a request, and what the log says of it.

Never repeats anything of a stranger's: a sentence of ours, and a status that tells the sender whether to come again.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from relay import log
from relay.errors import Refused, StoreUnavailable

# What a proxy's request id may look like for us to write it down and to echo it: nginx's, Heroku's, Envoy's all do.
REQUEST_ID = re.compile(r"[\w.:@/+=-]{1,128}", re.ASCII)
REFUSED = "relay.refused"  # in a request's environment: why it is refused, whatever it asks for
COME_BACK_AFTER = "5"  # seconds; senders that read Retry-After are few, those that retry a 503 are many


@dataclass(frozen=True, slots=True)
class Visit:
    """A request as the log tells of it, whatever becomes of it. ``started`` is of the clock that only goes on."""

    id: str
    path: str
    bytes: int
    started: float

    @property
    def ms(self) -> float:
        """Milliseconds since it came."""
        return round((time.perf_counter() - self.started) * 1000, 1)

    def told(self, status: int) -> dict[str, Any]:
        """What the log says of it if it was not taken."""
        return {"request": self.id, "path": self.path, "status": status, "bytes": self.bytes, "ms": self.ms}


def install(app: Flask) -> None:
    """Give each request its name, and each refusal and failure its answer."""
    app.before_request(_begin)
    app.after_request(_name)
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(StoreUnavailable, lambda fault: unavailable(blank(), visit(), fault))
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, lambda fault: failed(blank(), visit(), fault))


def visit() -> Visit:
    """The request that is being answered."""
    current: Visit = g.visit
    return current


def _begin() -> None:
    """A request gets its name: the one that a proxy before us gave it, or one of our own.

    Raises:
        Refused: it was refused before it got here.
    """
    given = request.headers.get("X-Request-Id", "")
    name = given if REQUEST_ID.fullmatch(given) else f"{random.getrandbits(64):016x}"
    g.visit = Visit(name, request.path[:100], request.content_length or 0, time.perf_counter())
    if REFUSED in request.environ:
        raise request.environ[REFUSED]


def _name(answer: Response) -> Response:
    answer.headers["X-Request-Id"] = visit().id
    return answer


def blank() -> Response:
    """An answer of JSON, to be filled."""
    return Response(mimetype="application/json")


def fill(answer: Response, status: int, what: Mapping[str, Any], **headers: str) -> Response:
    """Let an answer, of JSON, be this object."""
    answer.status_code = status
    answer.set_data(json.dumps(what, ensure_ascii=False, separators=(",", ":"), sort_keys=True) + "\n")
    for name, value in headers.items():
        answer.headers[name.replace("_", "-")] = value
    return answer


def unavailable(answer: Response, of: Visit, fault: StoreUnavailable) -> Response:
    log.trouble("intake: cannot store", **of.told(503), why=str(fault))
    return _come_again(answer, "the event cannot be stored just now; send it again")


def failed(answer: Response, of: Visit, fault: Exception) -> Response:
    """A fault of our own: nothing was acknowledged, so the sender is asked to come again."""
    log.failure("web: the relay failed", fault, **of.told(503))
    return _come_again(answer, "the relay failed; send it again")


def _come_again(answer: Response, sentence: str) -> Response:
    return fill(answer, 503, {"error": sentence}, Retry_After=COME_BACK_AFTER)


def _refused(fault: Refused) -> Response:
    log.line("intake: refused", **visit().told(fault.status), why=str(fault))
    headers = {"WWW_Authenticate": 'Basic realm="relay", Bearer'} if fault.status == 401 else {}
    return fill(blank(), fault.status, {"error": str(fault)}, **headers)


def _http(fault: HTTPException) -> Response:
    allow = {"Allow": ", ".join(fault.valid_methods or ())} if isinstance(fault, MethodNotAllowed) else {}
    return fill(blank(), fault.code or 500, {"error": fault.name.lower()}, **allow)
