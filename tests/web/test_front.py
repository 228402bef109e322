"""What the server hands over becomes what WSGI calls a request, and nobody can pass one header off as another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any, cast

import pytest
from granian.rsgi import Scope

from relay.web import front
from relay.web.front import environment


def scope(*headers: tuple[str, str]) -> Scope:
    """A request with these headers, as granian gives it."""
    given: dict[str, Any] = {
        "method": "GET",
        "path": "/events",
        "query_string": "",
        "server": "127.0.0.1:8080",
        "client": "192.0.2.1:5000",
        "scheme": "http",
        "headers": SimpleNamespace(items=lambda: list(headers)),
    }
    return cast(Scope, SimpleNamespace(**given))


def test_a_header_with_an_underscore_does_not_pass_for_one_with_a_dash() -> None:
    found = environment(scope(("x_forwarded_user", "olga"), ("x-request-id", "7")), b"")

    assert "HTTP_X_FORWARDED_USER" not in found
    assert found["HTTP_X_REQUEST_ID"] == "7"


def test_a_header_that_comes_twice_is_both() -> None:
    found = environment(scope(("x-forwarded-user", "olga"), ("x-forwarded-user", "ivan")), b"")

    assert found["HTTP_X_FORWARDED_USER"] == "olga,ivan"


async def parts(count: int, heard: list[int], size: int) -> AsyncIterator[bytes]:
    for number in range(count):
        heard.append(number)
        yield b"x" * size


def read(count: int, heard: list[int], *, size: int = 1_000_000) -> bytes:
    """In a thread of its own: the browser of other tests keeps a loop running in this one."""
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(lambda: asyncio.run(front._read(cast(Any, parts(count, heard, size)), 1_500_000))).result()


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
