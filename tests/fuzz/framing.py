"""A request as bytes of HTTP/1.1: with its length or in chunks, and with a length or chunks that are not its own.

Never sends anything, and never changes what a request says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random

from relay.model import Request
from tests.fuzz.changes import bytes_changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One request. ``whole``: it is HTTP as it should be, so that an answer must come and others may follow."""

    raw: bytes
    about: str  # the kind of sender, «pages» or «http»
    method: str = "POST"  # an answer to HEAD has no body
    whole: bool = True


def wrongly_framed(draw: Random, request: Request) -> Shot:
    """A length that is not the body's, or chunks that are none: whoever believes them waits, or reads the wrong end."""
    size, body = len(request.body), request.body
    match draw.randrange(6):
        case 0:
            head = head_of(request, length=draw.choice((size + draw.randint(1, 5000), 2**63, 2**64, 10**30)))
        case 1:
            head = head_of(request, length=draw.randrange(size))
        case 2:
            head = head_of(request, length=draw.choice(("-1", "", "x", "+5", "0x10", f"{size}, {size}", "1 1")))
        case 3:
            head, body = head_of(request, length=size, more="Transfer-Encoding: chunked\r\n"), _chunks(draw, body)
        case 4:
            head = head_of(request, more="Transfer-Encoding: chunked\r\n")
            body = bytes_changed(draw, _chunks(draw, body))
        case _:
            head = head_of(request, length=size, more=f"Content-Length: {size + 1}\r\n")
    return Shot(raw=head + body, about="http", method=request.method, whole=False)


def framed(draw: Random, request: Request, about: str) -> Shot:
    """The request as HTTP/1.1, mostly with its length, sometimes in chunks (RFC 9112 §6, §7.1)."""
    if request.body and draw.random() < 0.08:
        raw = head_of(request, more="Transfer-Encoding: chunked\r\n") + _chunks(draw, request.body)
    else:
        raw = head_of(request, length=len(request.body)) + request.body
    return Shot(raw=raw, about=about, method=request.method, whole=_is_whole(request))


def head_of(request: Request, *, length: int | str | None = None, more: str = "") -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    host = "" if any(name.lower() == "host" for name in request.headers) else "Host: relay.example\r\n"
    counted = "" if length is None else f"Content-Length: {length}\r\n"
    head = f"{request.method} {request.path} HTTP/1.1\r\n{host}{lines}{counted}{more}\r\n"
    try:
        return head.encode("latin-1")  # as the captures were read
    except UnicodeEncodeError:
        return head.encode("utf-8", "replace")


_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §5.6.2
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\U0010ffff]*")  # RFC 9110 §5.5
_FRAMING = {"transfer-encoding", "expect", "upgrade", "connection"}


def _is_whole(request: Request) -> bool:
    """Is every part of the head what HTTP lets through? Whatever else there is, the server may just hang up."""
    headers = request.headers.items()
    fine = all(_TOKEN.fullmatch(name) and _VALUE.fullmatch(value) for name, value in headers)
    plain = re.fullmatch(r"[!-~]+", request.path) is not None and _TOKEN.fullmatch(request.method) is not None
    return fine and plain and not any(name.lower() in _FRAMING for name, _ in headers)


def _chunks(draw: Random, body: bytes) -> bytes:
    size = draw.choice((1, 7, 100, 4096)) if len(body) < 2000 else 4096
    parts = (body[start : start + size] for start in range(0, len(body), size))
    extension = draw.choice(("", ";a=b"))
    return b"".join(b"%x%s\r\n%s\r\n" % (len(part), extension.encode(), part) for part in parts) + b"0\r\n\r\n"
