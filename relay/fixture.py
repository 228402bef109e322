"""A whole HTTP request in a file: what a test, `relay explain` and `relay send` take as an event.

Never sends or verifies anything. The form is HTTP/1.1's own (RFC 9112 §2.1), so that a captured request is
a fixture as it stands: a request line, headers, an empty line, the body. Lines end in LF or CRLF.
"""

from __future__ import annotations

from relay.errors import RelayError
from relay.model import Request


class BadFixture(RelayError):
    """The file is not an HTTP request: a request line, headers, an empty line and the body are expected."""


def parse(raw: bytes) -> Request:
    """Read a request from a fixture's bytes.

    One final line break of the file is not part of the body, unless Content-Length counts it.

    Raises:
        BadFixture: it is not an HTTP request; the sentence names the line.
    """
    head, blank, body = _split(raw)
    if not blank:
        raise BadFixture("the empty line between headers and body is missing")
    request_line, *lines = head.decode("latin-1").splitlines() or [""]
    method, _, rest = request_line.partition(" ")
    path = rest.removesuffix(" HTTP/1.1").strip()
    if not method.isalpha() or not path.startswith("/"):
        raise BadFixture("line 1: a request line such as «POST /in/github HTTP/1.1» is expected")
    headers: dict[str, str] = {}
    for number, line in enumerate(lines, start=2):
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise BadFixture(f"line {number}: a header such as «Content-Type: application/json» is expected")
        headers[name.strip().lower()] = value.strip()
    length = headers.get("content-length", "")
    if not (length.isdigit() and int(length) == len(body)):
        body = body.removesuffix(b"\n").removesuffix(b"\r")
    return Request(method=method.upper(), path=path, headers=headers, body=body)


def _split(raw: bytes) -> tuple[bytes, bytes, bytes]:
    """Head, separator and body, at the first empty line, whichever way its lines end."""
    crlf, lf = raw.find(b"\r\n\r\n"), raw.find(b"\n\n")
    separator = b"\r\n\r\n" if crlf >= 0 and (lf < 0 or crlf < lf) else b"\n\n"
    return raw.partition(separator)
