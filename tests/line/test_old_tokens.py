"""A worker keeps the tokens of a portal alive to which nothing is sent, and leaves young ones alone."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from relay import authorisation, house
from relay.sandbox import Portal, Server, serve
from relay.settings import Secret, Settings
from relay.store import tokens
from relay.store.database import Database
from tests import apps
from tests.line.conftest import RULES, SECRET, TOKEN, Line
from tests.line.test_application import WAY_IN


def quiet_line(folder: Path, server: Server, *, tokens_age: float) -> Line:
    """A line whose portal let the relay in so many seconds ago, and to which nothing was sent since."""
    rules = folder / "rules.yaml"
    rules.write_text(RULES.format(portal=WAY_IN.format(url=server.url)), encoding="utf-8")
    address = Secret(f"sqlite:///{folder}/relay.db")
    settings = Settings(rules=rules, database_url=address)
    built = house.build(settings, {"GITHUB_SECRET": SECRET, "BEARER": TOKEN})
    earlier = Database(address, clock=lambda: time.time() - tokens_age)
    apps.let_in(earlier, server)
    earlier.close()
    return Line(built, server.portal, server)


@pytest.mark.parametrize(("age", "renewals"), [(authorisation.OLD + 60, 1), (authorisation.OLD - 60, 0)])
def test_a_worker_with_nothing_to_send_renews_old_tokens(tmp_path: Path, age: float, renewals: int) -> None:
    with serve(Portal()) as server:
        line = quiet_line(tmp_path, server, tokens_age=age)
        line.start()
        line.until(lambda: line.worker._next_look_at_tokens > 0)
        line.stop()  # waits for what was begun
        with line.house.database.read() as tx:
            kept = tokens.get(tx, apps.owner(server))
        line.house.close()

        assert server.portal.renewals == renewals
        assert kept is not None
        assert (time.time() - kept.changed_at < 60) == bool(renewals)
