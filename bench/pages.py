"""How long the pages take when very much has come: the figures of the README.

    python -m bench.pages                                          # SQLite, a million events
    python -m bench.pages --database postgresql                    # a PostgreSQL started for it
    RELAY_TEST_PG_URL=postgresql://… python -m bench.pages --database postgresql

Each figure is one whole answer of the application to a visitor who has signed in: the questions to the database, the
page made of them, and nothing of the way there. Each page is asked the unlucky questions too: a text that occurs
nowhere, a person who gets next to nothing. «CPU» is the least that an answer took of this process's own time on the
processor, which others on the machine hardly slow down. «×» is the median beside that of a hundredth of the events. It
measures on the machine it runs on, beside whatever else that does.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from flask.testing import FlaskClient

from bench.filling import DAYS, PEOPLE, QUIET_ONE, fill
from relay.house import House, RulesFile
from relay.settings import Secret, Settings
from relay.store.database import Database
from relay.web.app import create_app
from tests import postgres

ROUNDS = 21  # so that the 95th of a hundred is not the worst
PASSWORD = "of the benchmark"
RULES = """\
version: 1
portal: {webhook: "http://127.0.0.1:1/rest/1/nothing-is-sent/"}
sources: {github: {type: github, open: true}}
people:
  nina: {id: 500, email: nina@example.com}
"""

NOWHERE = "occurs nowhere"
QUESTIONS: dict[str, tuple[str, dict[str, str]]] = {
    "journal": ("/events", {}),
    "journal, deep": ("/events", {"before": "5000"}),
    "journal, a source": ("/events", {"source": "github"}),
    "journal, a rare source": ("/events", {"source": "deploys"}),
    "journal, a rare source, text nowhere": ("/events", {"source": "deploys", "text": NOWHERE}),
    "journal, a kind": ("/events", {"event": "push"}),
    "journal, a rare kind": ("/events", {"event": "release"}),
    "journal, a person": ("/events", {"person": PEOPLE[1]}),
    "journal, a person with few": ("/events", {"person": QUIET_ONE}),
    "journal, a person, text nowhere": ("/events", {"person": PEOPLE[0], "text": NOWHERE}),
    "journal, a rule": ("/events", {"rule": "rule 7"}),
    "journal, a rule nobody has": ("/events", {"rule": NOWHERE}),
    "journal, delivered": ("/events", {"state": "delivered"}),
    "journal, dead": ("/events", {"state": "dead"}),
    "journal, dead, text nowhere": ("/events", {"state": "dead", "text": NOWHERE}),
    "journal, waiting": ("/events", {"state": "queued"}),
    "journal, silenced": ("/events", {"state": "silenced"}),
    "journal, superseded (none)": ("/events", {"state": "superseded"}),
    "journal, a text": ("/events", {"text": "disk"}),
    "journal, text nowhere": ("/events", {"text": NOWHERE}),
    "journal, a day long ago": ("/events", {"since": f"{DAYS - 20}d", "until": f"{DAYS - 21}d"}),
    "journal, long ago, text nowhere": ("/events", {"until": f"{DAYS - 20}d", "text": NOWHERE}),
    "outbox, dead": ("/outbox", {"state": "dead"}),
    "outbox, dead, text nowhere": ("/outbox", {"state": "dead", "text": NOWHERE}),
    "outbox, held, a person with few": ("/outbox", {"state": "held", "person": QUIET_ONE}),
    "outbox, waiting": ("/outbox", {"state": "waiting"}),
    "outbox, delivered, text nowhere": ("/outbox", {"state": "delivered", "text": NOWHERE}),
    "outbox, a person": ("/outbox", {"state": "delivered", "person": PEOPLE[0]}),
    "people": ("/people", {}),
    "a person": (f"/people/{QUIET_ONE}", {}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=sorted(ENGINES), default="sqlite")
    parser.add_argument("--events", type=int, default=1_000_000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        few = measured(chosen.database, Path(folder), chosen.events // 100)
        many = measured(chosen.database, Path(folder), chosen.events)
    head = f"{chosen.database}, {chosen.events:,} events; ms"
    print(f"{head:<46} " + " ".join(f"{column:>7}" for column in ("p50", "p95", "worst", "CPU")) + f" {'×':>6}")
    for name, times in many.items():
        ratio = at(times, 0.5).wall / at(few[name], 0.5).wall
        figures = (at(times, 0.5).wall, at(times, 0.95).wall, at(times, 1.0).wall, min(each.cpu for each in times))
        print(f"{name:<46} " + " ".join(f"{1000 * each:7.1f}" for each in figures) + f" {ratio:6.1f}")


@dataclass(frozen=True, order=True)
class Time:
    """Of one answer, in seconds: on the clock, and of this process on the processor, which others do not slow down. The
    part of PostgreSQL is not in the latter."""

    wall: float
    cpu: float


def at(times: list[Time], part: float) -> Time:
    """Of sorted times, the one below which this part of them is."""
    return times[min(len(times) - 1, int(len(times) * part))] if part < 1 else times[-1]


def measured(engine: str, folder: Path, events: int) -> dict[str, list[Time]]:
    """The times of each answer, sorted, by the name of its question."""
    with ENGINES[engine](folder / f"{events}.db") as url:
        database = Database(url)
        database.upgrade()
        began = time.monotonic()
        fill(database, events)
        print(f"filled with {events:,} events in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        client = signed_in(database, folder)
        found = {name: asked(client, f"{path}?{urlencode(words)}") for name, (path, words) in QUESTIONS.items()}
        database.close()
    return found


def asked(client: FlaskClient, address: str) -> list[Time]:
    times = []
    for _ in range(ROUNDS + 1):
        began, used = time.perf_counter(), time.process_time()
        answer = client.get(address)
        times.append(Time(time.perf_counter() - began, time.process_time() - used))
        assert answer.status_code == 200, f"{address}: {answer.status}"
    return sorted(times[1:])  # the first of all reads the rows from the disk


def signed_in(database: Database, folder: Path) -> FlaskClient:
    rules = folder / "rules.yaml"
    rules.write_text(RULES + "".join(f"  {name}: {{id: {17 + at}}}\n" for at, name in enumerate(PEOPLE)))
    settings = Settings(rules=rules, admin_password=Secret(PASSWORD))
    client = create_app(House(settings, RulesFile(rules, {}), database)).test_client()
    assert client.post("/sign-in", data={"password": PASSWORD}).status_code == 303
    return client


@contextmanager
def sqlite(file: Path) -> Iterator[Secret]:
    yield Secret(f"sqlite:///{file}")


@contextmanager
def postgresql(_file: Path) -> Iterator[Secret]:
    with postgres.server(durable=True) as server:
        url = server.create()
        yield Secret(url.render_as_string(hide_password=False))
        server.drop(url)


ENGINES: dict[str, Callable[[Path], AbstractContextManager[Secret]]] = {"sqlite": sqlite, "postgresql": postgresql}

if __name__ == "__main__":
    main()
