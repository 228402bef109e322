"""Missed GitHub deliveries are found again: against a small stand-in of GitHub's API, written from its docs.

Never asks GitHub itself. The stand-in pages by cursor in the header Link, gives a redelivery an id of its own and the
guid of the first attempt, and can refuse as GitHub does.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner, Result
from pydantic import ValidationError

from relay import house, intake, redelivery, router
from relay.cli.main import main
from relay.model import Request
from relay.redelivery import BETWEEN, EVERY, LEASE, MOST_ASKED, Pause, Report
from relay.rules import Rules, load
from relay.settings import Secret, Settings
from relay.sources import github
from relay.sources import github_deliveries as listed
from relay.sources.github import Options
from relay.sources.github_deliveries import DAY, PAUSES, Asked, Delivery, NotAPage, Redeliver, missing
from relay.store import deliveries, journal, leases, notes
from relay.store.database import Database
from relay.work import Worker
from tests.conftest import Clock, only_sqlite

TOKEN = "ghp_0123456789"
HOOK = "/repos/acme/shop/hooks/7"
NOW = 1_795_000_000.0
HOUR = 3_600.0


# ── The stand-in ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class GitHub:
    """A hook's deliveries, newest first, and what was asked of them."""

    clock: Clock
    page: int = 100
    entries: list[dict[str, Any]] = field(default_factory=list)
    listings: int = 0
    attempts: list[int] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    refusal: tuple[int, Mapping[str, str]] | None = None  # instead of any answer
    of_attempts: list[int] = field(default_factory=list)  # the answers to the next attempts; then 202
    leads_to: str = ""  # another host in the header Link
    url: str = ""

    def deliver(
        self, guid: str, *, ago: float, status: int = 502, event: str = "issues", redelivery: bool = False
    ) -> None:
        moment = datetime.fromtimestamp(self.clock.now - ago, UTC).isoformat(timespec="milliseconds")
        self.entries.append(
            {
                "id": len(self.entries) + 1,
                "guid": guid,
                "delivered_at": moment.replace("+00:00", "Z"),
                "redelivery": redelivery,
                "status": "OK" if status < 400 else "Invalid HTTP Response",
                "status_code": status,
                "event": event,
                "action": None if event == "ping" else "opened",
            }
        )

    def answer(self, verb: str, target: str, token: str) -> tuple[int, Mapping[str, str], bytes]:
        self.tokens.add(token)
        if self.refusal:
            return (*self.refusal, b'{"message": "no"}')
        parts = urlsplit(target)
        place, _, rest = parts.path.partition("/deliveries")
        if place != HOOK:
            return 404, {}, b'{"message": "Not Found"}'
        if verb == "POST":
            return self.attempt(int(rest.removeprefix("/").removesuffix("/attempts"))), {}, b"{}"
        return self.listing({name: values[0] for name, values in parse_qs(parts.query).items()})

    def listing(self, query: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
        self.listings += 1
        newest_first = sorted(self.entries, key=lambda each: (each["delivered_at"], each["id"]), reverse=True)
        size = min(int(query["per_page"]), self.page)
        start = int(query.get("cursor", "v1_0").removeprefix("v1_"))
        further = f"{self.leads_to or self.url}{HOOK}/deliveries?per_page={size}&cursor=v1_{start + size}"
        link = {"Link": f'<{further}>; rel="next"'} if start + size < len(newest_first) else {}
        return 200, link, json.dumps(newest_first[start : start + size]).encode()

    def attempt(self, number: int) -> int:
        status = self.of_attempts.pop(0) if self.of_attempts else 202
        if status < 300:
            self.attempts.append(number)
        return status

    @property
    def asked(self) -> list[str]:
        """The guids that were asked for, in that order."""
        guids = {each["id"]: each["guid"] for each in self.entries}
        return [guids[number] for number in self.attempts]


@pytest.fixture
def hub(clock: Clock) -> Iterator[GitHub]:
    standing = GitHub(clock)

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, headers, body = standing.answer(self.command, self.path, self.headers["Authorization"] or "")
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as listening:
        standing.url = f"http://127.0.0.1:{listening.server_port}"
        threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
        yield standing
        listening.shutdown()


# ── The relay's side ─────────────────────────────────────────────────────────────────────────────────────────────


RULES = """\
version: 1
portal: {webhook: "https://acme.bitrix24.ru/rest/1/KEYKEYKEY/"}
sources:
  github: {type: github, secret: s3cret, redeliver: {token: TOKEN, hook: "HOOK"}}
people: {ivan: {id: 17}}
rules: []
"""


class Relay:
    """A journal, and somebody who looks after what is not in it."""

    def __init__(self, database: Database, hub: GitHub) -> None:
        self.database = database
        self.plan = Redeliver.model_validate({"token": TOKEN, "hook": hub.url + HOOK})
        self.rules: Rules = load(RULES.replace("HOOK", hub.url + HOOK).replace("TOKEN", TOKEN), env={})
        self.pauses: list[float] = []
        self.stop_after = 10_000  # pauses

    def came(self, guid: str, *, source: str = "github") -> None:
        """A delivery comes in by the door."""
        body = json.dumps({"zen": "Keep it logically awesome.", "hook_id": 7, "hook": {}}).encode()
        bare = Request(method="POST", path=f"/in/{source}", headers={}, body=body)
        options = self.rules.sources[source]
        assert isinstance(options, Options)
        proof = github.sign(options, bare, 0.0)
        headers = {"x-github-event": "ping", "x-github-delivery": guid, **proof}

        def write(arrival: journal.Arrival) -> journal.Receipt:
            with self.database.write() as tx:
                return journal.append(tx, [arrival])[0]

        request = replace(bare, headers=headers)
        intake.accept(source, request, rules=self.rules, journal=write, now=0.0)

    def pause(self, seconds: float) -> bool:
        self.pauses.append(seconds)
        return len(self.pauses) > self.stop_after

    def look(self, *, holder: str = "me", pause: Pause | None = None, **how: bool) -> Report:
        return redelivery.look(self.database, "github", self.plan, holder=holder, pause=pause or self.pause, **how)


@pytest.fixture
def relay(database: Database, hub: GitHub, clock: Clock) -> Relay:
    """A relay whose source has delivered for a week."""
    made = Relay(database, hub)
    clock.forward(-7 * DAY)
    made.came("the-first")
    clock.forward(7 * DAY)
    return made


# ── The address ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("https://api.github.com/repos/acme/shop/hooks/123", "https://api.github.com/repos/acme/shop/hooks/123"),
        ("https://api.github.com/orgs/acme/hooks/5/", "https://api.github.com/orgs/acme/hooks/5"),
        ("https://github.com/acme/shop/settings/hooks/123", "https://api.github.com/repos/acme/shop/hooks/123"),
        ("https://github.com/organizations/acme/settings/hooks/5", "https://api.github.com/orgs/acme/hooks/5"),
        ("https://git.acme.com/api/v3/orgs/acme/hooks/5", "https://git.acme.com/api/v3/orgs/acme/hooks/5"),
        ("https://git.acme.com/a/b.c/settings/hooks/1", "https://git.acme.com/api/v3/repos/a/b.c/hooks/1"),
        ("https://acme.ghe.com/a/b/settings/hooks/1", "https://api.acme.ghe.com/repos/a/b/hooks/1"),
        ("http://127.0.0.1:9/repos/a/b/hooks/1", "http://127.0.0.1:9/repos/a/b/hooks/1"),
    ],
)
def test_a_hook_is_named_by_its_page_or_by_its_address_in_the_api(given: str, url: str) -> None:
    assert Redeliver.model_validate({"token": "t", "hook": given}).hook == (url,)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("acme/shop", "settings/hooks/123"),
        ("https://github.com/acme/shop", "settings/hooks/123"),
        ("https://api.github.com/repos/acme/shop/hooks/123/deliveries", "settings/hooks/123"),
        ("https://user:pass@api.github.com/repos/acme/shop/hooks/1", "settings/hooks/123"),
        ("http://api.github.com/repos/acme/shop/hooks/1", "https://"),
        ("http://localhost.evil.example/repos/acme/shop/hooks/1", "https://"),
        ([], "at least 1"),
    ],
)
def test_another_address_is_refused(given: object, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        Redeliver.model_validate({"token": "t", "hook": given})


def test_several_hooks_may_deliver_to_one_source() -> None:
    hooks = [f"https://github.com/acme/{name}/settings/hooks/1" for name in ("shop", "desk")]

    assert len(Redeliver.model_validate({"token": "t", "hook": hooks}).hook) == 2


def test_the_token_is_not_printed() -> None:
    redeliver = {"token": TOKEN, "hook": "https://github.com/a/b/settings/hooks/1"}
    options = Options.model_validate({"type": "github", "open": True, "redeliver": redeliver})

    assert TOKEN not in repr(options)


# ── A page of the list ───────────────────────────────────────────────────────────────────────────────────────────


def entry(**other: object) -> dict[str, object]:
    return {
        "id": 42, "guid": "g-1", "delivered_at": "2026-11-18T09:06:40Z", "event": "issues", "action": "opened",
        "status_code": 502, "redelivery": False,
    } | other  # fmt: skip


def test_an_entry_of_the_list_is_read() -> None:
    (read,) = listed.page(json.dumps([entry()]).encode(), "").deliveries

    moment = datetime(2026, 11, 18, 9, 6, 40, tzinfo=UTC).timestamp()
    assert read == Delivery(number=42, guid="g-1", at=moment, kind="issues.opened", status=502)


@pytest.mark.parametrize(
    "broken", [{"guid": None}, {"guid": "a b"}, {"id": "42"}, {"delivered_at": "yesterday"}, {"event": 5}]
)
def test_an_entry_that_cannot_be_asked_for_is_passed_over(broken: Mapping[str, object]) -> None:
    assert listed.page(json.dumps([entry(**broken), entry()]).encode(), "").deliveries[0].guid == "g-1"


@pytest.mark.parametrize("body", [b"<html>", b'{"message": "hello"}', b"\xff", b"null"])
def test_what_is_no_list_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(NotAPage, match="hook:"):
        listed.page(body, "")


@pytest.mark.parametrize(
    ("link", "cursor"),
    [
        ("", ""),
        ('<https://api.github.com/x?per_page=100&cursor=v1_77>; rel="next"', "v1_77"),
        ('<https://a/?cursor=v1_1>; rel="prev", <https://a/?cursor=v1_3>; rel="next"', "v1_3"),
        ('<https://a/?cursor=v1_3>; rel="next", <https://a/?cursor=v1_1>; rel="first"', "v1_3"),
        ('<https://a/?cursor=v1_1>; rel="prev"', ""),
        ('<https://[broken>; rel="next"', ""),
    ],
)
def test_the_next_page_is_the_one_that_the_link_names(link: str, cursor: str) -> None:
    assert listed.page(b"[]", link).cursor == cursor


# ── The choice ───────────────────────────────────────────────────────────────────────────────────────────────────


def delivery(guid: str = "g", *, ago: float = HOUR, number: int = 1, kind: str = "issues.opened") -> Delivery:
    return Delivery(number=number, guid=guid, at=NOW - ago, kind=kind, status=502)


def chosen(found: Sequence[Delivery], *, known: Sequence[str] = (), since: float = 0.0, **asked: Asked) -> list[int]:
    return [each.number for each in missing(found, set(known), asked, since=since, now=NOW)]


@pytest.mark.parametrize(
    ("found", "numbers"),
    [
        ([delivery()], [1]),
        ([delivery(ago=59.0)], []),
        ([delivery(ago=60.0)], [1]),
        ([delivery(ago=3 * DAY)], [1]),
        ([delivery(ago=3 * DAY + 1)], []),
        ([delivery(kind="ping")], []),
        ([delivery("new", ago=HOUR, number=2), delivery("old", ago=2 * HOUR, number=1)], [1, 2]),
        ([delivery(number=9, ago=HOUR), delivery(number=1, ago=2 * HOUR)], [9]),  # a redelivery failed as well
        ([delivery(number=9, ago=30.0), delivery(number=1, ago=2 * HOUR)], []),  # and one is on its way
        ([delivery(number=9, ago=HOUR), delivery(number=1, ago=3 * DAY + 1)], []),
    ],
)
def test_what_is_missing_is_chosen_by_its_age(found: list[Delivery], numbers: list[int]) -> None:
    assert chosen(found) == numbers


def test_what_is_in_the_journal_is_not_asked_for_whatever_github_says() -> None:
    assert chosen([delivery("here"), delivery("gone", number=2)], known=["here"]) == [2]


def test_nothing_from_before_the_source_s_first_event_is_asked_for() -> None:
    found = [delivery("before", ago=2 * HOUR), delivery("after", ago=HOUR, number=2)]

    assert chosen(found, since=NOW - 1.5 * HOUR) == [2]


@pytest.mark.parametrize(
    ("times", "pause"),
    [(1, PAUSES[0]), (2, PAUSES[1]), (3, PAUSES[2])],
)
def test_each_further_asking_waits_longer(times: int, pause: float) -> None:
    assert chosen([delivery()], g=Asked(times, NOW - pause + 1)) == []
    assert chosen([delivery()], g=Asked(times, NOW - pause)) == [1]


def test_a_delivery_is_asked_for_four_times_at_most() -> None:
    assert chosen([delivery()], g=Asked(4, NOW - 2 * DAY)) == []


# ── What goes wrong ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("status", "headers", "why", "wait"),
    [
        (401, {}, "does not accept the token", None),
        (403, {}, "write access to webhooks", None),
        (404, {}, "no such hook", None),
        (301, {}, "has moved", None),
        (500, {}, "answers 500", None),
        (403, {"retry-after": "90"}, "asks to wait", 90.0),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW) + 1200)}, "asks to wait", 1200.0),
        (403, {"x-ratelimit-remaining": "4000", "x-ratelimit-reset": str(int(NOW) + 1200)}, "write access", None),
        (429, {}, "asks to wait", 60.0),
        (429, {"retry-after": "soon"}, "asks to wait", 60.0),
        (429, {"retry-after": "999999999"}, "asks to wait", 7200.0),
    ],
)
def test_what_github_refuses_is_told_in_plain_words(
    status: int, headers: Mapping[str, str], why: str, wait: float | None
) -> None:
    fault = listed.fault(status, headers, NOW)

    assert fault is not None
    assert why in fault.why
    assert fault.until == (0.0 if wait is None else NOW + wait)


@pytest.mark.parametrize("status", [200, 202, 204])
def test_every_good_answer_is_good(status: int) -> None:
    assert listed.fault(status, {}, NOW) is None


# ── The journal ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_journal_knows_deliveries_by_source_and_guid(relay: Relay, database: Database) -> None:
    many = [f"not-here-{number}" for number in range(1_200)]
    with database.read() as tx:
        assert deliveries.known(tx, "github", [*many, "the-first"]) == {"the-first"}
        assert deliveries.known(tx, "other", ["the-first"]) == set()
        assert deliveries.known(tx, "github", []) == set()


def test_the_journal_knows_since_when_a_source_delivers(relay: Relay, database: Database, clock: Clock) -> None:
    relay.came("the-second")
    with database.read() as tx:
        assert deliveries.first_at(tx, "github") == clock.now - 7 * DAY
        assert deliveries.first_at(tx, "other") is None


# ── A look ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_never_came_is_asked_for_and_what_came_is_not(relay: Relay, hub: GitHub) -> None:
    relay.came("came")
    hub.deliver("came", ago=2 * HOUR, status=504)  # our answer was too late, and the event is there
    hub.deliver("missed", ago=2 * HOUR)
    hub.deliver("lost", ago=HOUR, status=200)  # something before the relay answered for it
    hub.deliver("hello", ago=HOUR, event="ping")

    report = relay.look()

    assert hub.asked == ["missed", "lost"]
    assert [each.guid for each in report.asked] == hub.asked
    assert (report.left, report.whys) == (0, [])
    assert hub.tokens == {f"Bearer {TOKEN}"}


def test_the_whole_list_is_read_page_by_page(relay: Relay, hub: GitHub) -> None:
    hub.page = 3
    for number in range(10):
        hub.deliver(f"g{number}", ago=HOUR - number)

    relay.look()

    assert hub.listings == 4
    assert hub.asked == [f"g{number}" for number in range(10)]


def test_pages_beyond_three_days_are_not_read(relay: Relay, hub: GitHub) -> None:
    hub.page = 1
    for days in range(6):
        hub.deliver(f"g{days}", ago=days * DAY + HOUR)

    relay.look()

    assert hub.asked == ["g2", "g1", "g0"]
    assert hub.listings == 4


def test_the_token_goes_nowhere_but_to_the_hook_s_host(relay: Relay, hub: GitHub) -> None:
    hub.page, hub.leads_to = 1, "http://127.0.0.1:1"  # nobody is there: following it would fail
    hub.deliver("g1", ago=2 * HOUR)
    hub.deliver("g2", ago=HOUR)

    assert relay.look().whys == []
    assert hub.asked == ["g1", "g2"]


def test_before_the_first_event_nothing_is_asked_and_nobody_called(database: Database, hub: GitHub) -> None:
    hub.deliver("another-receivers", ago=HOUR, status=404)

    assert Relay(database, hub).look().whys == [redelivery.NOTHING_YET]
    assert hub.tokens == set()


def test_a_worker_looks_every_five_minutes(relay: Relay, hub: GitHub, clock: Clock) -> None:
    relay.look()
    clock.forward(EVERY - 1)
    relay.look(holder="another")
    assert hub.listings == 1

    clock.forward(1)
    relay.look(holder="another")
    assert hub.listings == 2


def test_between_deep_looks_only_what_is_new_is_read(relay: Relay, hub: GitHub, clock: Clock) -> None:
    hub.page = 1
    for hours in range(24):
        hub.deliver(f"g{hours}", ago=hours * HOUR + 61)
    relay.look()
    assert hub.listings == 24

    clock.forward(EVERY)
    hub.deliver("new", ago=61.0)
    relay.look()
    assert hub.listings - 24 <= 3
    assert hub.asked[-1] == "new"

    clock.forward(HOUR)
    relay.look()
    assert hub.listings > 2 * 24


def test_after_an_outage_the_look_goes_back_to_before_it(relay: Relay, hub: GitHub, clock: Clock) -> None:
    hub.page = 1
    relay.look()
    clock.forward(50 * 60.0)
    for minutes in range(45, 0, -5):
        hub.deliver(f"m{minutes}", ago=minutes * 60.0)

    relay.look()

    assert hub.asked == [f"m{minutes}" for minutes in range(45, 0, -5)]


def test_what_fails_again_is_asked_for_again_after_growing_pauses_and_then_no_more(
    relay: Relay, hub: GitHub, clock: Clock
) -> None:
    hub.deliver("g", ago=HOUR)
    asked_at: list[float] = []
    start = clock.now
    while clock.now < start + 13 * HOUR:
        if relay.look().asked:
            asked_at.append(clock.now - start)
            hub.deliver("g", ago=0.0, redelivery=True)
        clock.forward(HOUR / 2)

    assert len(asked_at) == 1 + len(PAUSES)
    between = [later - earlier for earlier, later in pairwise(asked_at)]
    assert all(PAUSES[n] <= each <= PAUSES[n] + 1.5 * HOUR for n, each in enumerate(between))
    assert hub.attempts == [1, 2, 3, 4]  # each time the newest attempt


def test_no_more_than_a_hundred_are_asked_for_in_a_run_oldest_first_and_the_rest_next_time(
    relay: Relay, hub: GitHub, clock: Clock
) -> None:
    for number in range(MOST_ASKED + 20):
        hub.deliver(f"g{number:03}", ago=HOUR - number)

    report = relay.look()

    assert (len(report.asked), report.left) == (MOST_ASKED, 20)
    assert hub.asked == [f"g{number:03}" for number in range(MOST_ASKED)]
    assert relay.pauses.count(BETWEEN) == MOST_ASKED - 1

    clock.forward(EVERY)
    assert len(relay.look().asked) == 20


def test_a_delivery_that_github_will_not_repeat_does_not_hold_up_the_others(relay: Relay, hub: GitHub) -> None:
    hub.of_attempts = [422]
    for number in range(3):
        hub.deliver(f"g{number}", ago=HOUR - number)

    report = relay.look()

    assert hub.asked == ["g1", "g2"]
    assert report.whys == ["GitHub answers 422 when a delivery is asked for again"]


def test_a_token_that_may_only_read_is_noticed_after_three_refusals(relay: Relay, hub: GitHub) -> None:
    hub.of_attempts = [404] * 50
    for number in range(50):
        hub.deliver(f"g{number}", ago=HOUR - number)

    report = relay.look()

    assert len(hub.of_attempts) == 47
    assert "the token may not see it" in report.whys[0]
    assert report.left == 48


def test_a_204_is_as_good_as_a_202(relay: Relay, hub: GitHub) -> None:
    hub.of_attempts = [204]
    hub.deliver("g", ago=HOUR)

    assert [each.guid for each in relay.look().asked] == ["g"]


def test_a_limit_is_waited_for_also_by_hand(relay: Relay, hub: GitHub, clock: Clock) -> None:
    hub.deliver("g", ago=HOUR)
    hub.refusal = 403, {"Retry-After": "1800"}
    assert relay.look().whys == [listed.LIMITED]
    hub.refusal, hub.tokens = None, set()

    clock.forward(1_799)
    assert relay.look().asked == []
    assert relay.look(by_hand=True).whys == [listed.LIMITED]
    assert hub.tokens == set()

    clock.forward(1)
    assert len(relay.look().asked) == 1


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_a_failing_is_said_once_without_the_token_and_its_end_as_well(
    relay: Relay, hub: GitHub, clock: Clock, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "relay")
    hub.refusal = status, {}
    for _ in range(3):
        relay.look()
        clock.forward(EVERY)
    assert _said(caplog) == ["redelivery: missed deliveries cannot be asked for"]
    assert TOKEN not in str([vars(record) for record in caplog.records])

    hub.refusal = None
    relay.look()
    assert _said(caplog)[-1] == "redelivery: works again"


def _said(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was told of the matter; not that the lease was taken for it."""
    told = [record.getMessage() for record in caplog.records]
    return [message for message in told if not message.startswith("lease:")]


def test_a_failed_look_is_made_up_for(relay: Relay, hub: GitHub, clock: Clock) -> None:
    relay.look()
    hub.refusal = 500, {}
    clock.forward(EVERY)
    hub.deliver("g", ago=61.0)
    for _ in range(6):
        relay.look()
        clock.forward(EVERY)
    hub.refusal = None

    relay.look()

    assert hub.asked == ["g"]


def test_an_unreachable_host_is_named(database: Database, relay: Relay) -> None:
    relay.plan = Redeliver.model_validate({"token": TOKEN, "hook": "http://127.0.0.1:1/repos/a/b/hooks/1"})

    assert relay.look().whys == ["127.0.0.1: does not take connections"]


def test_one_worker_looks_at_a_time(relay: Relay, hub: GitHub, database: Database, clock: Clock) -> None:
    with database.write() as tx:
        leases.hold(tx, "redelivery:github", "another", LEASE)
    assert relay.look().whys == [redelivery.TAKEN]
    assert hub.listings == 0

    clock.forward(LEASE)
    relay.look()
    assert hub.listings == 1
    with database.read() as tx:
        assert leases.is_free(tx, "redelivery:github", LEASE)


def test_a_worker_that_has_lost_its_lease_asks_no_more(relay: Relay, hub: GitHub, database: Database) -> None:
    for number in range(5):
        hub.deliver(f"g{number}", ago=HOUR - number)

    def overtaken(_: float) -> bool:
        if len(hub.attempts) == 2:
            with database.write() as tx:
                leases.release(tx, "redelivery:github", "me")
                leases.hold(tx, "redelivery:github", "another", LEASE)
        return False

    report = relay.look(pause=overtaken)

    assert hub.asked == ["g0", "g1"]
    assert report.left == 3


def test_stopping_does_not_wait_for_a_hundred_requests(relay: Relay, hub: GitHub) -> None:
    for number in range(50):
        hub.deliver(f"g{number:02}", ago=HOUR - number)
    relay.stop_after = 4  # one before the list, and three before deliveries

    assert len(relay.look().asked) == 3

    relay.stop_after = 10_000
    assert len(relay.look().asked) == 47  # at once: the look was not finished


def test_a_dry_run_asks_for_nothing_and_remembers_nothing(relay: Relay, hub: GitHub, database: Database) -> None:
    hub.deliver("g", ago=HOUR)

    assert [each.guid for each in relay.look(by_hand=True, dry_run=True).asked] == ["g"]

    assert hub.attempts == []
    with database.read() as tx:
        assert notes.under(tx, "redelivery:") == {}


def test_what_is_remembered_is_forgotten_by_the_router_after_four_days(
    relay: Relay, hub: GitHub, database: Database, clock: Clock
) -> None:
    hub.deliver("g", ago=HOUR)
    relay.look()
    clock.forward(4 * DAY - 1)
    router.ripen_due(database, relay.rules, holder="me", lease_seconds=10.0)
    with database.read() as tx:
        assert len(notes.under(tx, "redelivery:")) == 2

    clock.forward(1)
    router.ripen_due(database, relay.rules, holder="me", lease_seconds=10.0)
    with database.read() as tx:
        assert notes.under(tx, "redelivery:") == {}


def test_sources_without_redeliver_are_left_alone(relay: Relay) -> None:
    assert list(redelivery.sources(relay.rules)) == ["github"]
    assert redelivery.sources(load(RULES.replace(', redeliver: {token: TOKEN, hook: "HOOK"}', ""), env={})) == {}


# ── By hand, and in the worker ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def today(clock: Clock) -> Clock:
    """Commands and workers take the time from the database, which these tests do not open for them."""
    clock.now = time.time()
    return clock


def command(hub: GitHub, folder: Path, url: Secret, *words: str) -> Result:
    (folder / "rules.yaml").write_text(RULES.replace("HOOK", hub.url + HOOK).replace("TOKEN", TOKEN))
    env = {"RELAY_RULES": str(folder / "rules.yaml"), "DATABASE_URL": url.reveal()}
    return CliRunner().invoke(main, ["events", "recover", *words], env=env)


@only_sqlite
def test_by_hand_it_is_said_what_is_asked_for(
    today: Clock, hub: GitHub, tmp_path: Path, database_url: Secret, relay: Relay
) -> None:
    hub.deliver("g-1", ago=HOUR)
    hub.deliver("g-2", ago=HOUR - 1, status=0)

    dry = command(hub, tmp_path, database_url, "--dry-run")
    assert (dry.exit_code, hub.attempts) == (0, [])
    assert "github: would ask for g-1 (issues.opened) of " in dry.stdout
    assert dry.stdout.count("would ask") == 2

    done = command(hub, tmp_path, database_url, "--source", "github")
    assert (done.exit_code, hub.asked) == (0, ["g-1", "g-2"])
    first, second = done.stdout.splitlines()
    assert first.startswith("github: asked for g-1 (issues.opened) of ")
    assert first.endswith("GitHub had the answer 502")
    assert second.endswith("GitHub reached nobody")

    again = command(hub, tmp_path, database_url)
    assert again.stdout == "github: there is nothing to ask for\n"


@only_sqlite
def test_by_hand_what_is_wrong_is_said_and_exits_with_1(
    today: Clock, hub: GitHub, tmp_path: Path, database_url: Secret, relay: Relay
) -> None:
    hub.refusal = 401, {}
    refused = command(hub, tmp_path, database_url)
    assert refused.exit_code == 1
    assert "github: GitHub does not accept the token" in refused.stderr
    assert TOKEN not in refused.output

    unknown = command(hub, tmp_path, database_url, "--source", "gitlab")
    assert unknown.exit_code != 0
    assert "gitlab" in unknown.output


@only_sqlite
def test_a_worker_looks_as_soon_as_it_runs(
    today: Clock, hub: GitHub, tmp_path: Path, database_url: Secret, relay: Relay
) -> None:
    hub.deliver("missed", ago=HOUR)
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES.replace("HOOK", hub.url + HOOK).replace("TOKEN", TOKEN))
    built = house.build(Settings(rules=rules, database_url=database_url), {})
    worker = Worker(built)
    running = threading.Thread(target=worker.run)

    running.start()
    try:
        until = time.monotonic() + 60
        while not hub.attempts and time.monotonic() < until:
            time.sleep(0.05)
        assert hub.asked == ["missed"]
    finally:
        worker.stop()
        running.join()
        built.close()
