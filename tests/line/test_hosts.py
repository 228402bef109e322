"""On several machines: two workers, a door, PostgreSQL and the portals, each on a host of its own, and cut cables.

Each host is a network namespace; where the kernel forbids these, the tests are skipped and say so.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle, pairwise
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import URL, insert

from relay.bitrix.client import READ_TIMEOUT
from relay.courier import LANES
from relay.errors import StoreUnavailable
from relay.sandbox import Portal, Server, serve
from relay.store import portals, tables
from relay.store.database import Database
from tests import postgres
from tests.conftest import absent, secret
from tests.line.audit import Key, arrived, audit, missing, unknown_ends
from tests.line.chaos import PERSON, acknowledged, rules_for
from tests.line.conftest import until
from tests.line.hosts import Cut, Forbidden, Network, NotHere, network
from tests.line.processes import Process

WORKERS = ("worker-1", "worker-2")
LEASE = 8.0  # seconds
SLOW = 2.0  # seconds for which the portal keeps an answer back, so that a cut finds calls in flight
TAKEN_OVER = LEASE + 20  # seconds: after ten of silence PostgreSQL frees what a worker that is gone had locked
NOTICED = 20.0  # seconds; it takes ten
BACK = 30.0  # seconds within which a worker works again once it is back
PAUSE = 0.15  # seconds between two events
PLAN = {"rate": 2, "burst": 5}


class Hosts:
    """The relay on its hosts; who sends events stands beside the portals."""

    def __init__(
        self,
        net: Network,
        folder: Path,
        url: URL,
        stack: ExitStack,
        *,
        portals: int,
        keeps_connections: bool = False,
        **switches: Any,
    ) -> None:
        self.net = net
        self.database_url = secret(url.set(host=net.address("database"), query={}))
        self.database = Database(secret(url))  # by its Unix socket, which no cut concerns
        self.database.upgrade()
        stack.callback(self.database.close)
        self.portals = [Portal(**switches) for _ in range(portals)]
        with net.inside("portals"):
            servers = [stack.enter_context(serve(each, host=net.address("portals"))) for each in self.portals]
            addresses = [stack.enter_context(front(server)) if keeps_connections else server.url for server in servers]
        rules = folder / "rules.yaml"
        rules.write_text(rules_for(addresses, insecure=True, plan=PLAN), encoding="utf-8")
        self._env = os.environ | {
            "RELAY_RULES": str(rules),
            "DATABASE_URL": self.database_url.reveal(),
            "RELAY_LEASE": str(LEASE),
            "HOST": net.address("door"),
            "NO_PROXY": "*",
        }
        self._folder = folder
        self._stack = stack
        self._url = f"http://{net.address('door')}:8080/in/events"

    def start(self, host: str, command: str) -> Process:
        process = Process([command], self._env, self._folder / f"{host}.log")
        with self.net.inside(host):
            process.start()
        self._stack.callback(process.end)
        return process

    def post(self, key: Key) -> bool:
        """Post the key's next event; was it acknowledged? Only from where the sender is."""
        number = key.acknowledged + 1
        event = {"id": f"{key.name}:{number}", "portal": f"p{key.portal}", "key": key.name, "n": number}
        came = acknowledged(self._url, event | {"tagged": "yes" if key.tagged else "no"})
        key.acknowledged += came
        return came

    @contextmanager
    def posting(self, keys: list[Key]) -> Iterator[None]:
        """Post events of these keys, in turn, all the while."""
        over = threading.Event()

        def post() -> None:
            for key in cycle(keys):
                if over.wait(PAUSE):
                    return
                self.post(key)

        with self.net.inside("portals"):
            thread = threading.Thread(target=post)
            thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def callers(self, portal: int, *, since: float) -> set[str]:
        """The hosts from which a portal has been called."""
        return {self.net.at(call.source) for call in self.portals[portal].calls() if call.time >= since}

    def all_arrived(self, keys: list[Key]) -> bool:
        found = [arrived(portal) for portal in self.portals]
        return not any(missing(key, found[key.portal].get(key.name, [])) for key in keys)

    def ends(self) -> Counter[int]:
        """How often the end of each message was written down."""
        with self.database.read() as tx:
            rows = tx.connection.exec_driver_sql("SELECT message_id FROM attempt WHERE verdict = 'delivered'")
            return Counter(rows.scalars())


@contextmanager
def front(server: Server) -> Iterator[str]:
    """The address of a web server before a portal: unlike the stand-in it keeps its connections, as real ones do."""

    class Front(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {"Content-Type": self.headers["Content-Type"]}
            came = requests.post(server.url + self.path, data=body, headers=headers, timeout=60)
            self.send_response(came.status_code)
            self.send_header("Content-Length", str(len(came.content)))
            self.end_headers()
            self.wfile.write(came.content)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    host = server.url.removeprefix("http://").partition(":")[0]
    with ThreadingHTTPServer((host, 0), Front) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield f"http://{host}:{listening.server_port}"
        listening.shutdown()
        thread.join()


@pytest.fixture
def make_hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Hosts]]:
    monkeypatch.delenv("RELAY_TEST_PG_URL", raising=False)  # the server must stand on a host of ours
    with ExitStack() as stack:
        try:
            net = stack.enter_context(network(*WORKERS, "door", "database", "portals"))
            listening = {"listen_addresses": f"'{net.address('database')}'"}
            with net.inside("database"):
                server = stack.enter_context(postgres.server(more=listening))
        except NotHere as remedy:
            absent("`ip`", str(remedy))
        except postgres.NotHere as remedy:
            absent("PostgreSQL", str(remedy))
        except Forbidden as reason:
            pytest.skip(f"this kernel forbids network namespaces: {reason}")
        yield partial(Hosts, net, tmp_path, server.create(), stack)


@pytest.mark.timeout(400)
def test_a_worker_cut_off_in_the_middle_of_its_calls_is_replaced_writes_nothing_late_and_works_again_when_it_is_back(
    make_hosts: Callable[..., Hosts],
) -> None:
    hosts = make_hosts(portals=2, rate=(PLAN["burst"], PLAN["rate"]))
    keys = [Key(number % 2, f"key-{number}", tagged=number % 4 < 2) for number in range(8)]
    hosts.start("door", "web")
    workers = {name: hosts.start(name, "work") for name in WORKERS}
    with hosts.posting(keys):
        # Whoever takes over at the second cut had been cut off at the first, and so on: each works again.
        cut = [cut_off(hosts, how) for how in ("packets vanish", "the cable is pulled", "packets vanish")]
        workers[next(name for name in WORKERS if name != cut[-1])].end()
        alone = time.time()
        until(lambda: hosts.callers(0, since=alone) == {cut[-1]}, patience=BACK)
    until(lambda: hosts.all_arrived(keys), patience=60)

    assert set(cut) == set(WORKERS)
    ends = unknown_ends(hosts.database)
    found = audit(hosts.portals, keys, person=PERSON, ends=ends, patience=READ_TIMEOUT, **PLAN)
    assert [each for each in found.promises(lanes=LANES) if not each[-1]] == []
    assert found.acknowledged > 100
    # What was in flight came twice. Its end was written down once: the late answers wrote nothing.
    assert found.repeats["a worker's stop"] >= len(cut)
    assert set(hosts.ends().values()) == {1}


def cut_off(hosts: Hosts, how: Cut) -> str:
    """Cut a worker off while calls of its are in flight, until the other has taken its portals over; then heal it.

    Returns:
        Which one it was.
    """
    for portal in hosts.portals:
        portal.fail("slow", times=2, seconds=SLOW)
    until(lambda: in_flight(hosts.portals[0]) != "", patience=60)
    moment, name = time.time(), hosts.net.at(in_flight(hosts.portals[0]))
    hosts.net.cut(name, how)
    until(
        lambda: all(hosts.callers(portal, since=moment) - {name} for portal in range(len(hosts.portals))),
        patience=TAKEN_OVER,
    )
    hosts.net.heal(name)
    return name


def in_flight(portal: Portal) -> str:
    """Whose call the portal keeps waiting."""
    return next((call.source for call in portal.calls() if call.fault == "slow" and not call.status), "")


@pytest.mark.timeout(120)
def test_what_a_host_had_locked_when_it_was_cut_off_is_free_soon_and_it_notices_itself(
    make_hosts: Callable[..., Hosts],
) -> None:
    hosts = make_hosts(portals=0)
    times: list[float] = []
    with hosts.net.inside("worker-1"), pytest.raises(StoreUnavailable):
        be_cut_off_in_a_transaction(hosts, times)
    times.append(time.monotonic())
    assert all(after - before < NOTICED for before, after in pairwise(times)), times


def be_cut_off_in_a_transaction(hosts: Hosts, times: list[float]) -> None:
    """Lock something, be cut off, let another lock it, and go on. ``times``: of the cut, and of the other's lock."""
    with closing(Database(hosts.database_url)) as database, database.write() as tx:
        # As the outbox writes: after an executemany PostgreSQL does not reckon for how long the session is idle.
        tx.connection.execute(insert(tables.portal), [{"name": "p0"}, {"name": "p1"}])
        hosts.net.cut("worker-1")
        times.append(time.monotonic())
        with hosts.database.write() as other:
            portals.get(other, "p0")
        times.append(time.monotonic())


@pytest.mark.timeout(400)
def test_a_request_that_was_lost_on_its_way_is_not_carried_out_after_it_was_sent_again(
    make_hosts: Callable[..., Hosts],
) -> None:
    hosts = make_hosts(portals=1, keeps_connections=True, rate="unlimited")
    key = Key(0, "key", tagged=True)
    hosts.start("door", "web")
    hosts.start("worker-1", "work")
    lose_a_request(hosts, key)
    hosts.net.cut("worker-1")
    hosts.net.heal("portals")

    hosts.start("worker-2", "work")
    until(lambda: hosts.all_arrived([key]), patience=TAKEN_OVER)
    post_and_arrive(hosts, key)
    hosts.net.heal("worker-1")
    until(lambda: hosts.net.unacknowledged("worker-1", by="portals") == 0, patience=120)

    assert [each.number for each in arrived(hosts.portals[0])[key.name]] == list(range(1, key.acknowledged + 1))


def lose_a_request(hosts: Hosts, key: Key) -> None:
    """Leave worker-1 with a request that it has sent over a connection it had, and that never reached the portal."""
    for _ in range(5):
        post_and_arrive(hosts, key)
        hosts.net.cut("portals")
        with hosts.net.inside("door"):
            until(lambda: hosts.post(key))
        with suppress(AssertionError):  # the connection was too old to be used again
            until(lambda: hosts.net.unacknowledged("worker-1", by="portals") > 0, patience=3)
            return
        hosts.net.heal("portals")
        until(lambda: hosts.all_arrived([key]), patience=60)
    pytest.fail("no request was lost")


def post_and_arrive(hosts: Hosts, key: Key) -> None:
    with hosts.net.inside("door"):
        until(lambda: hosts.post(key))
    until(lambda: hosts.all_arrived([key]))
