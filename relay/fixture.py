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
    # Not splitlines(): a byte of a header's UTF-8 may be a line break in Latin-1.
    request_line, *lines = [line.removesuffix("\r") for line in head.decode("latin-1").split("\n")]
    method, _, rest = request_line.partition(" ")
    path = rest.removesuffix(" HTTP/1.1").strip()
    if not method.isalpha() or not path.startswith("/"):
        raise BadFixture("line 1: a request line such as «POST /in/github HTTP/1.1» is expected")
    headers: dict[str, str] = {}
    for number, line in enumerate(lines, start=2):
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise BadFixture(f"line {number}: a header such as «Content-Type: application/json» is expected")
        headers[name.strip().lower()] = value.strip(" \t")  # and no more: RFC 9110 §5.5
    length = headers.get("content-length", "")
    if not (length.isdigit() and int(length) == len(body)):
        body = body.removesuffix(b"\n").removesuffix(b"\r")
    return Request(method=method.upper(), path=path, headers=headers, body=body)


def write(request: Request) -> bytes:
    """A request as a fixture's bytes, from which :func:`parse` reads the same again."""
    headers = {name: value for name, value in request.headers.items() if name != "content-length"}
    end = b"\n"
    if request.body.endswith(b"\r"):  # with the file's line break it would be read as CRLF, and taken off
        headers["content-length"] = str(len(request.body))
        end = b""
    lines = [f"{request.method} {request.path} HTTP/1.1"]
    lines += [f"{'-'.join(map(str.capitalize, name.split('-')))}: {value}" for name, value in headers.items()]
    return "\n".join((*lines, "", "")).encode("latin-1", "replace") + request.body + end


def _split(raw: bytes) -> tuple[bytes, bytes, bytes]:
    """Head, separator and body, at the first empty line, whichever way its lines end."""
    crlf, lf = raw.find(b"\r\n\r\n"), raw.find(b"\n\n")
    separator = b"\r\n\r\n" if crlf >= 0 and (lf < 0 or crlf < lf) else b"\n\n"
    return raw.partition(separator)
