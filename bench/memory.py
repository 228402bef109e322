"""How much memory `relay serve` takes, whether it grows with what it has carried, and how soon its first 202 comes.

    python -m bench.memory                     # after 10,000 and after 100,000 events: some ten minutes
    python -m bench.memory --events 20000

The relay runs as its users run it, in processes of its own, on a SQLite file. Signed GitHub events are posted over
connections that are kept alive, decided, and delivered to the stand-in portal, which has no limit here. Measured is
when nothing waits any more. Of each process its own share of the memory is told (proc(5), smaps_rollup: Pss, in which a
page that n processes share counts as 1/n for each), and what it holds with all that it shares (VmRSS); their sums are
the relay's. The machine's other work does not change them. Linux only.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import http.client
import json
import os
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from relay.sandbox import Portal, Server, serve
from tests.line.processes import Process, free_port

SECRET = "a-secret-of-github"
CONNECTIONS = 8
AHEAD = 5_000  # events that may wait to be decided; a sender of this many has its pauses, and the relay its turns
MOST = 120.0  # MB, of all processes together
GROWTH = 1.10  # from the first measurement to the last
FIRST_WITHIN = 1.5  # seconds from the start to the first 202
MB = 1e6

RULES = """\
version: 1
portal: {{domain: "{url}", token: sandbox-token, plan: unlimited}}
sources:
  github: {{type: github, secret: {secret}}}
people:
  ivan: {{id: 17, github: ivan-petrov, locale: ru, timezone: Europe/Moscow}}
  olga: {{id: 18, github: olga-smirnova}}
teams: {{backend: [ivan, olga]}}
templates:
  failed:
    text: "[b]{{{{ event.repo }}}}[/b]: {{{{ event.url | link(event.title) }}}} — {{{{ event.conclusion }}}}"
    blocks: [{{grid: [{{name: Branch, value: "{{{{ event.branch }}}}", display: row}}]}}]
rules:
  - {{name: review, when: {{event: pull_request, action: review_requested, draft: {{not: true}}}}, to: reviewer}}
  - {{name: broken, when: {{event: workflow_run, conclusion: failure, if: "number > 0"}}, to: actor, template: failed}}
default: drop
"""


@dataclass(frozen=True, slots=True)
class Share:
    """What one process holds, in MB: its own share, and all that it sees."""

    name: str
    pss: float
    rss: float


def shares(relay: Process) -> list[Share]:
    """The memory of the relay's processes, grandchildren too."""
    found, wait = [], relay.members()[:1]
    while wait:
        pid = wait.pop(0)
        folder = Path(f"/proc/{pid}")
        wait += map(int, (folder / "task" / str(pid) / "children").read_text().split())
        words = [word for word in (folder / "cmdline").read_bytes().decode().split("\0") if word]
        kb = dict(line.split(":", 1) for line in (folder / "smaps_rollup").read_text().splitlines()[1:])
        found.append(Share(words[-1], *(int(kb[key].split()[0]) * 1024 / MB for key in ("Pss", "Rss"))))
    return found


def told(count: int, found: list[Share]) -> tuple[float, float]:
    """Print a measurement; returns the sums of shares and of what is seen."""
    pss, rss = sum(each.pss for each in found), sum(each.rss for each in found)
    each = ", ".join(f"{one.name} {one.pss:.0f}/{one.rss:.0f}" for one in found)
    print(f"after {count:>7,} events: {pss:6.1f} MB in all (each seen by itself {rss:6.1f} MB): {each}", flush=True)
    return pss, rss


# ── What is posted ───────────────────────────────────────────────────────────────────────────────────────────────


def post(connection: http.client.HTTPConnection, number: int) -> int:
    """Post one signed event; returns the status of the answer."""
    body = _review(number) if number % 4 else _failure(number)
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "pull_request" if number % 4 else "workflow_run",
        "X-GitHub-Delivery": f"delivery-{number}",
        "X-Hub-Signature-256": f"sha256={digest}",
    }
    connection.request("POST", "/in/github", body, headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def _review(number: int) -> bytes:
    pull = number % 2_000
    return json.dumps(
        {
            "action": "review_requested",
            "number": pull,
            "pull_request": {
                "number": pull,
                "title": f"Change number {number}",
                "html_url": f"https://github.com/acme/shop/pull/{pull}",
                "user": {"login": "olga-smirnova"},
                "body": "What is changed, and why. " * 40,
                "draft": False,
                "head": {"ref": f"change-{pull}"},
                "base": {"ref": "main"},
                "requested_reviewers": [{"login": "ivan-petrov"}],
            },
            "requested_reviewer": {"login": "ivan-petrov"},
            "repository": {"full_name": "acme/shop", "html_url": "https://github.com/acme/shop"},
            "sender": {"login": "olga-smirnova", "type": "User"},
        }
    ).encode()


def _failure(number: int) -> bytes:
    return json.dumps(
        {
            "action": "completed",
            "workflow_run": {
                "id": number,
                "name": "Tests",
                "run_number": number,
                "head_branch": f"branch-{number % 500}",
                "conclusion": "failure",
                "status": "completed",
                "html_url": f"https://github.com/acme/shop/actions/runs/{number}",
                "actor": {"login": "olga-smirnova", "type": "User"},
                "head_commit": {"message": "A change", "author": {"name": "Olga", "email": "olga@example.com"}},
            },
            "repository": {"full_name": "acme/shop", "html_url": "https://github.com/acme/shop"},
            "sender": {"login": "olga-smirnova", "type": "User"},
        }
    ).encode()


def feed(port: int, first: int, last: int, folder: Path) -> None:
    """Post the events of these numbers, and wait until the relay has delivered everything."""
    numbers = iter(range(first, last))
    guard = threading.Lock()
    threads = [threading.Thread(target=_feed, args=(port, numbers, guard, folder)) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while any(waiting(folder)):
        time.sleep(0.5)


def _feed(port: int, numbers: Iterator[int], guard: threading.Lock, folder: Path) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        while True:
            with guard:
                number = next(numbers, None)
            if number is None:
                return
            while number % 500 == 0 and waiting(folder)[0] > AHEAD:
                time.sleep(0.2)
            while (status := post(connection, number)) not in (200, 202):
                print(f"event {number}: {status}; once more", file=sys.stderr)
                time.sleep(1)


def waiting(folder: Path) -> tuple[int, int]:
    """How many events are not decided, and how many messages are not delivered."""
    with closing(sqlite3.connect(f"file:{folder}/relay.db?mode=ro", uri=True, timeout=30)) as raw:
        (events,) = raw.execute("SELECT count(*) FROM event WHERE state = 'new'").fetchone()
        (messages,) = raw.execute("SELECT count(*) FROM message WHERE state IN ('queued', 'sending')").fetchone()
    return int(events), int(messages)


# ── The relay ────────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def running(folder: Path, server: Server) -> Iterator[tuple[Process, int, float]]:
    """`relay serve`, its port, and the seconds from its start until it had answered 202."""
    rules, port = folder / "rules.yaml", free_port()
    rules.write_text(RULES.format(url=server.url, secret=SECRET), encoding="utf-8")
    env = os.environ | {
        "RELAY_RULES": str(rules),
        "DATABASE_URL": f"sqlite:///{folder}/relay.db",
        "PORT": str(port),
        "RELAY_LOG": "quiet",
    }
    relay = Process(["serve"], env, folder / "log")
    started = time.monotonic()
    relay.start()
    try:
        while not answers(port):
            if not relay.runs() or time.monotonic() > started + 60:
                raise SystemExit((folder / "log").read_text())
            time.sleep(0.01)
        yield relay, port, time.monotonic() - started
    finally:
        relay.end()


def answers(port: int) -> bool:
    try:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
            return post(connection, 0) == 202
    except OSError:
        return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--after", type=int, default=10_000, help="the first measurement")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, serve(Portal(rate="unlimited")) as server:
        folder = Path(name)
        with running(folder, server) as (relay, port, first):
            print(f"the first 202 came {first:.2f} s after the start, the tables made too", flush=True)
            told(1, shares(relay))
            feed(port, 1, chosen.after, folder)
            before, _ = told(chosen.after, shares(relay))
            feed(port, chosen.after, chosen.events, folder)
            after, _ = told(chosen.events, shares(relay))
    growth = after / before
    print(f"grown by {growth - 1:+.1%}")
    sys.exit(0 if max(before, after) <= MOST and growth <= GROWTH and first <= FIRST_WITHIN else 1)


if __name__ == "__main__":
    main()
