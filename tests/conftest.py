"""What many tests need: a clock that is a number, a real database in a file, and the rule for skips."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import URL

from relay.settings import Secret
from relay.store.database import Database
from tests import postgres


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


# Whatever stands on the store runs on both engines; these marks are for what only one of them has.
only_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
only_postgresql = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)


@dataclass(frozen=True)
class Cluster:
    """The session's PostgreSQL, with a migrated database to copy: a copy is made faster than tables."""

    server: postgres.Server
    migrated: str


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    with ExitStack() as stack:
        try:
            server = stack.enter_context(postgres.server())
        except postgres.NotHere as remedy:
            absent("PostgreSQL", str(remedy))
        migrated = server.create()
        database = Database(secret(migrated))
        database.upgrade()
        database.close()
        yield Cluster(server, str(migrated.database))
        server.drop(migrated)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def database_url(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Secret]:
    """The address of a database of the test's own, its tables made already."""
    if engine == "sqlite":
        url = Secret(f"sqlite:///{tmp_path}/relay.db")
        made = Database(url)
        made.upgrade()
        made.close()
        yield url
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    made_url = cluster.server.create(cluster.migrated)
    yield secret(made_url)
    cluster.server.drop(made_url)


@pytest.fixture
def empty(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Secret]:
    """The address of a database without tables."""
    if engine == "sqlite":
        yield Secret(f"sqlite:///{tmp_path}/empty.db")
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    url = cluster.server.create()
    yield secret(url)
    cluster.server.drop(url)


@pytest.fixture
def database(database_url: Secret, clock: Clock) -> Iterator[Database]:
    opened = Database(database_url, clock=clock)
    yield opened
    opened.close()


def secret(url: URL) -> Secret:
    return Secret(url.render_as_string(hide_password=False))


CHROMIUM = Path("/usr/bin/chromium")
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of a process: starting it takes seconds."""
    if not CHROMIUM.exists():
        absent("Chromium", f"install it as {CHROMIUM} (on Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=CHROMIUM_FLAGS)
        yield opened
        opened.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI every optional part is there, so that a skip means that something was not tested; only what the kernel
    forbids no package can bring."""
    report = yield
    if report.skipped and os.environ.get("RELAY_CI") and "this kernel forbids" not in str(report.longrepr):
        report.outcome = "failed"
        report.longrepr = f"skipped, and in CI nothing may be: {report.longrepr}"
    return report
