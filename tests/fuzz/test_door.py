"""A few hundred fuzzed requests against the real door; and what the fuzzer would say of a door that fails."""

from __future__ import annotations

import socketserver
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from relay.sources import SENDERS
from tests.fuzz.door import ENOUGH, Door, Finding, Plan, Report, Run, opened
from tests.fuzz.framing import Shot
from tests.fuzz.shots import SOURCES, Kit
from tests.fuzz.wire import NO_ANSWER, Connection

NOW = 1_795_000_000.0
FEW = Plan(requests=450, seed=7, clients=8)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with opened(tmp_path_factory.mktemp("door")) as found:
        yield found


@pytest.fixture(scope="module")
def report(door: Door) -> Report:
    return Run(door, FEW).go()


def test_no_answer_is_a_5xx_and_none_is_missing(report: Report) -> None:
    assert report.faults == []
    assert report.requests == FEW.requests


def test_of_every_sender_some_are_believed_and_read_and_some_are_not(report: Report) -> None:
    taken, refused = Counter[str](), Counter[str]()
    for (about, status), number in report.statuses.items():
        (taken if status in (200, 202) else refused)[about] += number

    assert {*taken} >= {*SENDERS, "pages", "http"}
    assert {*refused} >= {*SENDERS, "pages", "http"}


def test_the_rules_of_the_door_have_every_sender() -> None:
    assert {*SOURCES} == {*SENDERS}


def test_a_seed_and_a_number_make_the_same_request_again(door: Door) -> None:
    again = Kit(door.kit.sources, door.kit.addresses)

    assert [door.kit.shot(3, number, NOW) for number in range(200)] == [
        again.shot(3, number, NOW) for number in range(200)
    ]
    assert door.kit.shot(3, 1, NOW) != door.kit.shot(4, 1, NOW)


# ── What would be found ───────────────────────────────────────────────────────────────────────────────────────

GOOD, BAD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"
SHOT = Shot(raw=b"GET / HTTP/1.1\r\n\r\n", about="http", method="GET")


@dataclass
class Pretender:
    """A door that says the same to everybody."""

    port: int
    kit: Kit

    def memory(self) -> int:
        return 1

    def is_well(self) -> bool:
        return True

    def complaints(self) -> list[str]:
        return []


@pytest.fixture
def pretend(door: Door, request: pytest.FixtureRequest) -> Iterator[Pretender]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(100_000)
            self.request.sendall(request.param)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield Pretender(server.server_address[1], door.kit)
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("pretend", "status"), [(GOOD, 200), (BAD, 503), (b"", NO_ANSWER), (b"SSH", NO_ANSWER)], indirect=["pretend"]
)
def test_the_status_of_an_answer_is_told_and_that_none_came(pretend: Pretender, status: int) -> None:
    with closing(Connection(pretend.port)) as connection:
        assert connection.ask(SHOT) == status


@pytest.mark.parametrize("pretend", [BAD], indirect=True)
def test_a_door_that_answers_503_is_found_with_its_requests(pretend: Pretender, tmp_path: Path) -> None:
    report = Run(pretend, Plan(requests=5, clients=2)).go()  # type: ignore[arg-type] # it is asked like a door

    assert {each.number for each in report.findings} <= {*range(5)}
    assert report.faults
    assert report.findings[0].save(tmp_path, 1).read_bytes() == report.findings[0].shot.raw


def judged(**words: object) -> list[str]:
    report = Report(1, statuses=Counter({("http", 200): ENOUGH}), memory={0.2: 100, 1.0: 105})
    for name, value in words.items():
        setattr(report, name, value)
    return report.faults


@pytest.mark.parametrize(
    "words",
    [
        {"died": True},
        {"complaints": ["web: the relay failed"]},
        {"memory": {0.2: 100, 1.0: 111}},
        {"findings": [Finding(1, 500, SHOT)]},
    ],
)
def test_each_of_these_is_a_fault(words: dict[str, object]) -> None:
    assert not judged()
    assert len(judged(**words)) == 1


def test_growth_says_nothing_while_threads_and_caches_are_being_filled() -> None:
    assert not judged(statuses=Counter({("http", 200): ENOUGH - 1}), memory={0.2: 100, 1.0: 200})
