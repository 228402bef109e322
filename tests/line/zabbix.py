"""A real Zabbix server with its frontend, from Debian's packages, on a database and ports of its own.

Never touches what the packages have put under /etc: the frontend, whose configuration is at a fixed path there, runs as
a copy that reads another. Of the data that comes with the server only what it needs is loaded, none of its templates.
"""

from __future__ import annotations

import gzip
import random
import re
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import requests
from sqlalchemy import URL

from tests.conftest import absent
from tests.line.conftest import until
from tests.line.processes import free_port, program

DATA = Path("/usr/share/zabbix-server-pgsql")
FRONTEND = Path("/usr/share/zabbix")
PACKAGES = "install Debian's packages zabbix-server-pgsql, zabbix-frontend-php, zabbix-agent, php-cli and php-pgsql"

# What a server without hosts and templates consists of.
TABLES = ("role", "role_rule", "users", "usrgrp", "users_groups", "hstgrp", "config", "config_autoreg_tls", "regexps")
UNUSED = shutil.ignore_patterns("assets", "audio", "fonts", "js", "locale")

SERVER = """\
ListenIP=127.0.0.1
ListenPort={port}
DBHost={host}
DBName={database}
DBUser={user}
DBPassword={password}
LogType=console
PidFile={folder}/zabbix.pid
SocketDir={folder}
AllowRoot=1
StartPollers=0
StartPollersUnreachable=0
StartPingers=0
StartDiscoverers=0
StartHTTPPollers=0
StartTrappers=1
StartPreprocessors=1
StartHistoryPollers=0
StartLLDProcessors=1
StartDBSyncers=1
CacheUpdateFrequency=1
"""

PHP = """\
<?php
$DB['TYPE'] = 'POSTGRESQL';
$DB['SERVER'] = '{host}';
$DB['PORT'] = '0';
$DB['DATABASE'] = '{database}';
$DB['USER'] = '{user}';
$DB['PASSWORD'] = '{password}';
$DB['SCHEMA'] = '';
$DB['ENCRYPTION'] = false;
$DB['DOUBLE_IEEE754'] = true;
$ZBX_SERVER = '127.0.0.1';
$ZBX_SERVER_PORT = '{port}';
$ZBX_SERVER_NAME = '';
$IMAGE_FORMAT_DEFAULT = IMAGE_FORMAT_PNG;
"""


@dataclass(slots=True)
class Zabbix:
    """A running Zabbix: its API, and the port that takes values."""

    api: str
    port: int
    token: str = ""

    def call(self, method: str, params: Any) -> Any:
        """One call of the JSON-RPC API."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params, "auth": self.token or None}
        answer = requests.post(self.api, json=body, timeout=60).json()
        assert "result" in answer, f"{method}: {answer}"
        return answer["result"]

    def made(self, method: str, ids: str, params: Any) -> str:
        """Create one thing; its id."""
        (number,) = self.call(method, params)[ids]
        return str(number)

    def answers(self) -> bool:
        try:
            return requests.post(self.api, json={}, timeout=5).status_code < 500
        except requests.RequestException:
            return False


def programs() -> Mapping[str, str]:
    """Where the programs are, or why the test is skipped."""
    names = ("zabbix_server", "zabbix_sender", "php")
    found = {name: shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/bin") for name in names}
    if not all(found.values()) or not DATA.exists() or not FRONTEND.exists():
        absent("Zabbix", PACKAGES)
    return {name: str(path) for name, path in found.items()}


@contextmanager
def running(url: URL, folder: Path) -> Iterator[Zabbix]:
    """The frontend on an empty database, logged in to; `server` is started apart, once it has something to do."""
    fill(url)
    port, web = low_port(), free_port()
    words = {**database_words(url), "port": port, "folder": folder}
    frontend = folder / "frontend"
    shutil.copytree(FRONTEND, frontend, ignore=UNUSED)
    config = frontend / "include/classes/core/CConfigFile.php"
    config.write_text(config.read_text().replace("/etc/zabbix/zabbix.conf.php", f"{folder}/zabbix.conf.php"))
    (folder / "zabbix.conf.php").write_text(PHP.format(**words))
    (folder / "zabbix_server.conf").write_text(SERVER.format(**words))
    zabbix = Zabbix(f"http://127.0.0.1:{web}/api_jsonrpc.php", port)
    php = [programs()["php"], "-S", f"127.0.0.1:{web}", "-t", str(frontend)]
    with program(php, folder / "php.log"):
        until(zabbix.answers)
        zabbix.token = zabbix.call("user.login", {"user": "Admin", "password": "zabbix"})
        yield zabbix


@contextmanager
def server(folder: Path) -> Iterator[None]:
    """The server itself, with whatever was configured before."""
    arguments = [programs()["zabbix_server"], "-f", "-c", str(folder / "zabbix_server.conf")]
    with program(arguments, folder / "zabbix_server.log"):
        yield


def low_port() -> int:
    """A free port that the server takes: it knows none above 32767 (Zabbix docs, zabbix_server, ListenPort)."""
    for port in random.Random().sample(range(10_000, 32_768), 100):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("a hundred ports are taken")


def fill(url: URL) -> None:
    """The tables, and of the data what no server is without."""
    wanted = re.compile(rf"INSERT INTO (?:{'|'.join(TABLES)}) .*\);\n")
    data = "".join(line for line in _lines("data.sql.gz") if wanted.fullmatch(line))
    with psycopg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False)) as connection:
        connection.execute("".join(_lines("schema.sql.gz")).encode())
        connection.execute(data.encode())


def _lines(name: str) -> Iterator[str]:
    with gzip.open(DATA / name, "rt", encoding="utf-8") as file:
        yield from file


def database_words(url: URL) -> dict[str, str]:
    """A database as both configurations name it; the host may be a socket's folder."""
    host = url.host or url.query.get("host") or ""
    return {
        "host": str(host),
        "database": url.database or "",
        "user": url.username or "",
        "password": str(url.password or ""),
    }
