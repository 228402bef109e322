"""A portal's answers, as bytes on the wire: good ones, and such as no portal should give, each drawn at random.

Never listens to anybody: portal_answers.py does.
"""

from __future__ import annotations

import gzip
import itertools
import json
import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from relay.bitrix import refusals
from tests.fuzz.changes import TOO_DEEP, bytes_changed, values_changed
from tests.sources.posts import places

IDS = itertools.count(1_000)
HUGE = b'{"result": "' + b"x" * 8_100_000 + b'"}'  # more than an answer may have (relay.bitrix.client.MAX_ANSWER)
BOMB = gzip.compress(b'{"result": "' + b"0" * 20_000_000, 9, mtime=0)
PAGE = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
STATUSES = (
    200,
    200,
    200,
    201,
    204,
    206,
    301,
    302,
    304,
    307,
    308,
    400,
    401,
    402,
    403,
    404,
    405,
    408,
    413,
    418,
    429,
    500,
    502,
    503,
    504,
    599,
)
BODIES = (
    b"",
    b"null",
    b"0",
    b"[]",
    b'"x"',
    b"{}",
    b"NaN",
    b"-",
    b"\xff\xfe{\x00}\x00",
    TOO_DEEP,
    b"\x00" * 500,
    PAGE,
    HUGE,
)
# Where no redirect may be followed to but, perhaps, the last one. Nobody listens on the port 9 of this machine.
LOCATIONS = (
    *(
        "/",
        "",
        "http://127.0.0.1:9/rest/1/x/",
        "https://evil.example/rest/1/KEYKEYKEY/im.notify.personal.add.json",
        "//[::1",
    ),
    *("file:///etc/passwd", "http://a\xff.example/", "x" * 9000, "http://acme.bitrix24.ru/auth/", "\t"),
)


@dataclass(frozen=True, slots=True)
class Told:
    """What a server is to write. ``slowly``: it takes its time over the end of it, and then hangs up all the same."""

    raw: bytes
    slowly: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A call as the portal reads it. ``commands`` are the methods of a batch by the commands' names, else none."""

    method: str
    commands: Mapping[str, str]


def good(asked: Asked, now: float) -> dict[str, Any]:
    """What a portal answers that has done all that it was asked for (Bitrix24 REST docs, batch)."""
    time = {
        "start": now,
        "finish": now + 0.02,
        "duration": 0.02,
        "operating": 0.01,
        "operating_reset_at": int(now) + 600,
    }
    if asked.method != "batch":
        return {"result": _result(asked.method), "time": time}
    done = {name: _result(method) for name, method in asked.commands.items()}
    times = dict.fromkeys(asked.commands, time)
    inner = {"result": done, "result_error": [], "result_total": [], "result_next": [], "result_time": times}
    return {"result": inner, "time": time}


def _result(method: str) -> Any:
    if method.startswith("user."):
        return []
    return True if method == "im.notify.delete" else next(IDS)


def written(
    body: bytes, *, status: int = 200, headers: str = "Content-Type: application/json\r\n", length: int | None = None
) -> bytes:
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status} Said\r\n{headers}Content-Length: {size}\r\n\r\n".encode("latin-1", "replace") + body


# ── What no portal should say ─────────────────────────────────────────────────────────────────────────────────


def odd(draw: Random, asked: Asked, now: float) -> Told:
    """One answer of the fuzz."""
    return draw.choice(_KINDS)(draw, asked, now)


def _json(draw: Random, asked: Asked, now: float) -> bytes:
    """A known shape: done, refused as a whole, or some commands refused; mostly changed."""
    values = good(asked, now)
    match draw.randrange(4):
        case 0:
            values = {"error": _code(draw), "error_description": "said by nobody", "time": values["time"]}
        case 1 if asked.commands:
            failed = draw.sample(list(asked.commands), draw.randint(1, len(asked.commands)))
            inner = values["result"]
            inner["result_error"] = {name: {"error": _code(draw), "error_description": ""} for name in failed}
            inner["result"] = {name: one for name, one in inner["result"].items() if name not in failed} or []
        case 2:
            values["result"] = draw.choice(
                (False, True, int(now), 0, -5, "17", 1.5, None, {}, 10**30, math.nan, [1], "x")
            )
        case _:
            pass
    if draw.random() < 0.7:
        values = values_changed(draw, values, places(values))
    return json.dumps(values).encode()


def _code(draw: Random) -> str:
    return draw.choice([*refusals.ERRORS, "expired_token", "", "17", "НЕТ", "x" * 300, "\ud800", "ERROR_NO_SUCH"])


def _shape(draw: Random, asked: Asked, now: float) -> Told:
    return Told(written(_json(draw, asked, now), status=200 if draw.random() < 0.7 else draw.choice(STATUSES)))


def _bytes(draw: Random, asked: Asked, now: float) -> Told:
    return Told(written(bytes_changed(draw, _json(draw, asked, now))))


def _body(draw: Random, asked: Asked, now: float) -> Told:
    kind = draw.choice(("application/json", "text/html; charset=\xff", "", "image/png"))
    body = draw.choice(BODIES) if draw.random() < 0.3 else draw.choice(BODIES[:-1])
    return Told(written(body, status=draw.choice(STATUSES), headers=f"Content-Type: {kind}\r\n"))


def _cut(draw: Random, asked: Asked, now: float) -> Told:
    whole = written(_json(draw, asked, now))
    return Told(whole[: draw.randrange(len(whole))], slowly=draw.random() < 0.2)


def _length(draw: Random, asked: Asked, now: float) -> Told:
    body = _json(draw, asked, now)
    return Told(written(body, length=draw.choice((0, 1, len(body) - 1, len(body) + 500, -1, 10**30))))


def _zipped(draw: Random, asked: Asked, now: float) -> Told:
    body = _json(draw, asked, now)
    packed = draw.choice(
        (
            body,
            bytes_changed(draw, gzip.compress(body, mtime=0)),
            zlib.compress(body),
            gzip.compress(body, mtime=0)[:-9],
            BOMB,
            b"",
        )
    )
    coding = draw.choice(("gzip", "gzip, gzip", "deflate", "br", "x" * 300))
    return Told(written(packed, headers=f"Content-Encoding: {coding}\r\n"))


def _redirect(draw: Random, asked: Asked, now: float) -> Told:
    status = draw.choice((301, 302, 303, 307, 308))
    return Told(written(b"", status=status, headers=f"Location: {draw.choice(LOCATIONS)}\r\n"))


def _head(draw: Random, asked: Asked, now: float) -> Told:
    """No HTTP, or hardly any."""
    whole = written(_json(draw, asked, now))
    odd_heads = (
        *(
            b"",
            b"\r\n\r\n",
            b"HTTP/1.1 99 x\r\n\r\n",
            b"HTTP/1.1 abc\r\n\r\n",
            b"HTTP/9.9 200 OK\r\n\r\n{}",
            b"SSH-2.0-x\r\n",
            PAGE,
        ),
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 300 + b"\r\n{}",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n{}",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 30 + whole,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}}",
        draw.randbytes(draw.randrange(200)),
        bytes_changed(draw, whole),
        whole + whole,
    )
    return Told(draw.choice(odd_heads))


def _slow(draw: Random, asked: Asked, now: float) -> Told:
    return Told(written(_json(draw, asked, now)), slowly=True)


_KINDS: Sequence[Callable[[Random, Asked, float], Told]] = (
    *(_shape,) * 8,
    *(_bytes,) * 3,
    *(_body,) * 3,
    *(_cut,) * 2,
    *(_length, _zipped, _redirect, _head),
    *(_head, _slow),
)
