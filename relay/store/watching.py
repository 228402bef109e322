"""«Has anything been committed?», asked cheaply: by a bell and a counter of SQLite's, or PostgreSQL's notifications.

Never says what has changed, and may say so for nothing: who is woken looks for himself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, PoolProxiedConnection
from sqlalchemy.exc import DBAPIError

from relay.store.bell import Bell

CHANNEL = "relay"
LOOK_EVERY = 0.25  # seconds between two looks at SQLite's counter, for those who change something and do not ring
LOOK_DEAF = 0.03  # seconds, where no bell can be heard: a look costs less than to wake up for it

Watch = Callable[[float], bool]  # waits up to so many seconds; True as soon as something may have changed


class Counter:
    """``PRAGMA data_version``: the commits of other connections, as one connection that stays open sees them.

    It is looked at whenever the bell rings, and now and then.
    """

    def __init__(self, engine: Engine, bell: Bell) -> None:
        self._ear = bell.hang()
        self._every = LOOK_EVERY if self._ear.hears else LOOK_DEAF
        self._connection: PoolProxiedConnection = engine.raw_connection()
        self._cursor: Any = self._connection.cursor()
        self._seen = self._look()

    def __call__(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._ear.wait(min(self._every, left))
            if (now := self._look()) != self._seen:
                self._seen = now
                return True
        return False

    def close(self) -> None:
        self._ear.close()
        self._cursor.close()
        self._connection.close()

    def _look(self) -> int:
        ((version,),) = self._cursor.execute("PRAGMA data_version").fetchall()
        return int(version)


class Listener:
    """``LISTEN`` on a connection of its own, which is made again whenever it is lost."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    def __call__(self, seconds: float) -> bool:
        try:
            if self._connection is None:
                self._connection = self._listen()
                return True  # whatever was said before this moment was not heard
            driver: Any = self._connection.connection.driver_connection
            return any(True for _ in driver.notifies(timeout=seconds, stop_after=1))
        except (DBAPIError, self._engine.dialect.loaded_dbapi.Error):
            self.close()
            time.sleep(seconds)
            return False

    def close(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()  # not back to the pool: it listens
            self._connection.close()
            self._connection = None

    def _listen(self) -> Connection:
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            connection.exec_driver_sql(f"LISTEN {CHANNEL}")
        except DBAPIError:
            connection.close()
            raise
        return connection
