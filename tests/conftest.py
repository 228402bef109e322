"""What many tests need: a clock that is a number, a real database in a file, and the rule for skips."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from relay.settings import Secret
from relay.store.database import Database


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self, now: float = 1_795_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += seconds


def absent(what: str, remedy: str) -> NoReturn:
    """Skip a test whose real part is not on this machine; in CI, where all of them are, fail instead."""
    sentence = f"{what} is not here: {remedy}"
    if os.environ.get("RELAY_CI"):
        pytest.fail(sentence)
    pytest.skip(sentence)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(tmp_path: Path, clock: Clock) -> Iterator[Database]:
    opened = Database(Secret(f"sqlite:///{tmp_path}/relay.db"), clock=clock)
    opened.upgrade()
    yield opened
    opened.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI every optional part is there, so that a skip means that something was not tested."""
    report = yield
    if report.skipped and os.environ.get("RELAY_CI"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and in CI nothing may be: {report.longrepr}"
    return report
