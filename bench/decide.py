"""What matching one event costs with 10 rules and with 10,000, for rules files of several shapes.

    python -m bench.decide

For each shape a file of n rules is written and loaded, and 1,000 different events are matched, each meant for one of
the rules taken at random. Matching is `route(event, rules).answers`: which rules answer, without the people, the words
and the trace. Three medians, in µs of one event:

* again: an event is matched ten times in a row, for each of the 1,000; its ratio is that of n rules to 10.
* in turn: the 1,000 events are matched one after the other, ten times over, so that each finds its rule out of the
  processor's caches, which hold ten rules and not ten thousand. What this adds is the memory's latency and no work.
* decided: a whole `decide`, in turn, with recipient, template and tag; what is more than matching does not depend on
  the number of rules.

The last column is the load of the file, in seconds of processor time. The last shape is one that no index helps: rules
that say nothing by equality are asked one by one. It measures on the machine it runs on, beside whatever else that
does: run it alone.
"""

from __future__ import annotations

import gc
import random
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from math import isqrt
from statistics import median

from relay.model import Event
from relay.rules import Memory, Rules, decide, load
from relay.rules.routing import route

SIZES = (10, 100, 1_000, 10_000)
EVENTS = 1_000
ROUNDS = 10
LONGEST = 3.0  # seconds for one median: then it is taken of the events so far
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ENV = {"TOKEN": "a-token", "SECRET": "a-secret"}

HEAD = """\
version: 1
portal: {domain: example.bitrix24.ru, token: "${TOKEN}"}
sources:
  github: {type: github, secret: "${SECRET}"}
  alerts: {type: alertmanager, bearer: "${SECRET}"}
people: {ivan: {id: 17, github: ivan-petrov}, olga: {id: 18}}
templates:
  short: {text: "[b]{{ event.repo }}[/b] {{ event.title }}", color: alert}
rules:
"""


def push(**words: object) -> Event:
    known = {"source": "github", "type": "github", "event": "push", "key": "acme/shop#1", "title": "It happened"}
    return Event(**(known | words))  # type: ignore[arg-type]  # mypy looks at relay and tests


def alert(**labels: str) -> Event:
    about = {"alertname": "Latency", "cluster": "eu-1", "env": "prod", "severity": "critical"}
    return Event(source="alerts", type="alertmanager", event="alert", title="It is slow", labels=about | labels)


def side(size: int) -> int:
    """Of a square of so many rules."""
    return isqrt(size)


# ── Shapes: the text of rules, and the event that number i of them is for ──────────────────────────────────────


def rule(when: str, more: str = "") -> str:
    return f"  - when: {{{when}}}\n    to: ivan\n    template: short\n{more}"


def by_repo(size: int) -> str:
    return "".join(rule(f"source: github, event: push, repo: acme/repo-{i}, branch: main") for i in range(size))


def by_two_repos(size: int) -> str:
    return "".join(rule(f"source: github, event: push, repo: [acme/repo-{i}, acme/old-{i}]") for i in range(size))


def by_label(size: int) -> str:
    return "".join(rule(f"source: alerts, event: alert, labels.team: team-{i}, labels.env: prod") for i in range(size))


def by_matchers(size: int) -> str:
    return "".join(rule(f"match: ['team=~\"team-{i}|squad-{i}\"', 'severity=\"critical\"']") for i in range(size))


def by_pairs(size: int) -> str:
    many = side(size)
    return "".join(
        rule(f"source: github, event: push, repo: acme/repo-{i // many}, branch: branch-{i % many}")
        for i in range(size)
    )


def nested(size: int) -> str:
    many = side(size)
    finer = "".join(f"      - {{when: {{branch: branch-{i}}}, urgent: true}}\n" for i in range(many))
    return "".join(
        rule(f"source: github, event: push, repo: acme/repo-{i}", f"    rules:\n{finer}") for i in range(many)
    )


def mixed(size: int) -> str:
    """By turns a repository, a label, a choice of either and a payload's field; three rules ask nothing of the kind."""
    turns = (
        "source: github, repo: acme/repo-{}, actor_is_bot: false",
        "match: 'team=\"team-{}\"'",
        "any: [{{repo: acme/lib-{0}}}, {{repo: acme/tool-{0}}}], event: [push, release]",
        "payload.project: project-{}, event: {{not: release}}",
    )
    general = ("branch: {glob: 'hotfix/**'}", "draft: true", "match: 'severity=~\"crit.+\"', labels.team: ''")
    return "".join(rule(turns[i % 4].format(i)) for i in range(size)) + "".join(map(rule, general))


def by_glob(size: int) -> str:
    return "".join(rule(f"source: github, event: push, repo: {{glob: 'acme/repo-{i}-*'}}") for i in range(size))


def mixed_event(i: int, _size: int) -> Event:
    return (
        push(repo=f"acme/repo-{i}", branch="main"),
        alert(team=f"team-{i}"),
        push(repo=f"acme/tool-{i}"),
        push(payload={"project": f"project-{i}"}),
    )[i % 4]


def square_event(i: int, size: int) -> Event:
    return push(repo=f"acme/repo-{i // side(size)}", branch=f"branch-{i % side(size)}")


SHAPES: dict[str, tuple[Callable[[int], str], Callable[[int, int], Event]]] = {
    "repo: a": (by_repo, lambda i, _: push(repo=f"acme/repo-{i}", branch="main")),
    "repo: [a, b]": (by_two_repos, lambda i, _: push(repo=f"acme/old-{i}")),
    "labels.team: a": (by_label, lambda i, _: alert(team=f"team-{i}")),
    'match: team=~"a|b"': (by_matchers, lambda i, _: alert(team=f"squad-{i}")),
    "pairs of repo and branch": (by_pairs, square_event),
    "repos, branches under each": (nested, square_event),
    "mixed": (mixed, mixed_event),
    "no equality: repo: {glob: a-*}": (by_glob, lambda i, _: push(repo=f"acme/repo-{i}-x")),
}


# ── Measuring ────────────────────────────────────────────────────────────────────────────────────────────────


def main() -> None:
    columns = ("rules", "again", "ratio", "in turn", "ratio", "decided", "file, kB", "load, s")
    print(f"{'shape':<32} " + " ".join(f"{column:>8}" for column in columns))
    for shape, (text_of, event_of) in SHAPES.items():
        least: tuple[float, float] | None = None
        for size in SIZES:
            text = HEAD + text_of(size) + "default: {to: olga}\n"
            began = time.process_time()
            rules = load(text, env=ENV)
            seconds = time.process_time() - began
            meant = random.Random(1).choices(range(side(size) ** 2), k=EVENTS)
            again, turn, decided = measured([event_of(number, size) for number in meant], rules)
            least = least or (again, turn)
            print(
                f"{shape:<32} {size:>8,} {again:>8.1f} {again / least[0]:>8.2f} {turn:>8.1f} {turn / least[1]:>8.2f}"
                f" {decided:>8.1f} {len(text) / 1000:>8.0f} {seconds:>8.2f}"
            )
            sys.stdout.flush()


def measured(events: list[Event], rules: Rules) -> tuple[float, float, float]:
    def match(event: Event) -> object:
        return route(event, rules).answers

    assert all(rules.default not in route(event, rules).answers for event in events)
    gc.collect()
    return (
        middle(match, [event for event in events for _ in range(ROUNDS)]),
        middle(match, events * ROUNDS),
        middle(lambda event: decide(event, rules, Memory(), NOW), events),
    )


def middle(do: Callable[[Event], object], events: list[Event]) -> float:
    """The median of what an event takes, in µs."""
    times, end = [], time.monotonic() + LONGEST
    for event in events:
        began = time.perf_counter_ns()
        do(event)
        times.append(time.perf_counter_ns() - began)
        if time.monotonic() > end:
            break
    return median(times) / 1000


if __name__ == "__main__":
    main()
