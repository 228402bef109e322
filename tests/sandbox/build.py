"""Short words for calls to the portal: without sockets, and with raw ones."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from relay.sandbox.gate import Key
from relay.sandbox.params import merged
from relay.sandbox.php import canonical
from relay.sandbox.portal import SECRET, Call, Portal, Reply

WEBHOOK = Key(user="1", secret=SECRET)
APP = Key(token="sandbox-token")
SEND = "im.notify.personal.add"


def reply(portal: Portal, method: str, key: Key = WEBHOOK, source: str = "127.0.0.1", /, **params: Any) -> Reply:
    """What the portal answers, as it stands."""
    tree = canonical(params)
    return portal.answer(
        Call(key, method, merged(tree if isinstance(tree, dict) else {}, {}), source, f"/rest/{method}")
    )


def ask(portal: Portal, method: str, key: Key = WEBHOOK, /, **params: Any) -> Any:
    """The ``result`` of a call, or its error's code."""
    answer = json.loads(reply(portal, method, key, **params).body)
    return answer["error"] if "error" in answer else answer["result"]


def send(portal: Portal, text: str = "Hello", to: int = 17, key: Key = WEBHOOK, /, **params: Any) -> Any:
    """Send a personal notification; the ``result``, or the error's code."""
    return ask(portal, SEND, key, USER_ID=to, MESSAGE=text, **params)


def line(method: str, **params: Any) -> str:
    """A line of a batch."""
    return f"{method}?{urlencode(params)}"


@dataclass(frozen=True)
class Raw:
    """An answer from a socket; no bytes at all if the connection just ended."""

    status: int
    headers: dict[str, str]
    body: bytes


def post(url: str, params: Any = None, *, body: bytes | None = None, kind: str = "application/json") -> Raw:
    """POST over a socket of our own: the tests must see resets and half answers as they are.

    Raises:
        ConnectionResetError: the portal reset the connection.
    """
    return request("POST", url, json.dumps(params).encode() if body is None else body, {"Content-Type": kind})


def get(url: str, **headers: str) -> Raw:
    """GET over a socket of our own."""
    return request("GET", url, b"", {name.replace("_", "-"): value for name, value in headers.items()})


def request(verb: str, url: str, body: bytes, headers: dict[str, str]) -> Raw:
    """One request, one connection, everything that comes back."""
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = {"Host": parts.netloc, "Connection": "close", "Content-Length": str(len(body)), **headers}
    head = "".join(
        [f"{verb} {target} HTTP/1.1\r\n", *(f"{name}: {value}\r\n" for name, value in lines.items()), "\r\n"]
    )
    with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=20) as connection:
        connection.sendall(head.encode() + body)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    top, _, content = received.partition(b"\r\n\r\n")
    status, *fields = top.decode("latin-1").split("\r\n")
    found = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
    return Raw(int(status.split()[1]) if status else 0, found, content)
