"""What the server hands over becomes what WSGI calls a request, and nobody can pass one header off as another."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any, cast

import pytest
from flask import Flask
from granian.rsgi import Scope
from werkzeug.datastructures import Headers

from relay import log
from relay.web import answers, front
from relay.web.front import environment


def apart(work: Callable[[], Any]) -> Any:
    """In a thread of its own: the browser of other tests keeps a loop running in this one."""
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(work).result()


def scope(*headers: tuple[str, str], method: str = "GET", path: str = "/events") -> Scope:
    """A request with these headers, as granian gives it."""
    given: dict[str, Any] = {
        "method": method,
        "path": path,
        "query_string": "",
        "server": "127.0.0.1:8080",
        "client": "192.0.2.1:5000",
        "scheme": "http",
        "headers": Headers(list(headers)),
    }
    return cast(Scope, SimpleNamespace(**given))


def test_a_header_with_an_underscore_does_not_pass_for_one_with_a_dash() -> None:
    found = environment(scope(("x_forwarded_user", "olga"), ("x-request-id", "7")), b"")

    assert "HTTP_X_FORWARDED_USER" not in found
    assert found["HTTP_X_REQUEST_ID"] == "7"


def test_a_header_that_comes_twice_is_both() -> None:
    found = environment(scope(("x-forwarded-user", "olga"), ("x-forwarded-user", "ivan")), b"")

    assert found["HTTP_X_FORWARDED_USER"] == "olga,ivan"


class Sender:
    """One who announces a body, and hands over what he has: nothing at all if that is None."""

    def __init__(self, body: bytes | None) -> None:
        self.body = body
        self.answered: tuple[int, dict[str, str], Any] = (0, {}, None)

    async def __call__(self) -> bytes:
        return await asyncio.Future() if self.body is None else self.body

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.answered = (status, dict(headers), json.loads(body))


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [(None, 408, "the body did not arrive"), (b"{", 400, "the body was cut short")],
)
def test_a_body_that_does_not_come_whole_is_refused_under_the_name_of_its_request_and_the_log_says_so(
    body: bytes | None, status: int, sentence: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(front, "DEADLINE", 0.01)
    caplog.set_level(logging.INFO, "relay")
    app, sender = Flask("relay.web"), Sender(body)
    app.add_url_rule("/in/deploys", view_func=lambda: "taken", methods=["POST"])
    answers.install(app)
    door = front.Front(app, limit=lambda path: 1_000, threads=1)
    whole = scope(("content-length", "10"), ("x-request-id", "of-the-proxy"), method="POST", path="/in/deploys")
    apart(lambda: asyncio.run(cast(Any, door(whole, cast(Any, sender)))))

    assert sender.answered[0] == status
    assert sender.answered[1]["x-request-id"] == "of-the-proxy"
    assert sender.answered[2] == {"error": sentence}
    (told,) = [log.Text().format(record) for record in caplog.records if record.name == "relay"]
    assert "intake: refused request=of-the-proxy path=/in/deploys" in told
    assert sentence in told


async def parts(count: int, heard: list[int], size: int) -> AsyncIterator[bytes]:
    for number in range(count):
        heard.append(number)
        yield b"x" * size


def read(count: int, heard: list[int], *, size: int = 1_000_000) -> bytes:
    body: bytes = apart(lambda: asyncio.run(front._read(cast(Any, parts(count, heard, size)), 1_500_000)))
    return body


def test_a_body_that_is_too_large_is_heard_out_and_not_kept() -> None:
    heard: list[int] = []
    body = read(20, heard)

    assert (len(body), len(heard)) == (1_500_001, 20)


def test_nobody_is_heard_out_for_ever() -> None:
    heard: list[int] = []
    read(1000, heard)

    assert len(heard) == 33


def test_a_body_in_crumbs_is_not_heard_for_long() -> None:
    heard: list[int] = []
    with pytest.raises(front.Crumbs):
        read(10_000, heard, size=1)

    assert len(heard) == front.FREE_PIECES + 1


def test_a_body_in_small_packets_is_taken() -> None:
    assert len(read(2_000, [], size=536)) == 2_000 * 536
