"""The patient half at work: the router and the courier, woken when there is something to do, until told to stop.

Never decides and never calls a portal itself: it gives the corridors their turns.
"""

from __future__ import annotations

import os
import random
import socket
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from relay import accounts, authorisation, courier, feeds, log, redelivery, router
from relay.courier import Destination, Load, Wait
from relay.errors import StoreUnavailable
from relay.house import House
from relay.model import Answer, Dead
from relay.rules import Rules
from relay.store import leases, outbox, portals

LANES = 4  # calls in flight for one portal: a batch may take seconds, and one at a time would waste the pace
MOST_CALLS = 64  # in flight for all portals together
LOOK_FOR = 0.5  # seconds to wait for news at a stretch, and so the longest that stopping waits for it
FLOOR = 2.0  # seconds after which everybody looks for himself, whatever the signals said


class Worker:
    """Runs the router and the courier in threads of this process.

    ``run`` returns after ``stop``: calls in flight are finished and settled, and leases given back.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._stopping = threading.Event()
        self._router_signal = threading.Event()
        self._courier_signal = threading.Event()
        self._in_flight: Counter[str] = Counter()
        self._guard = threading.Lock()  # of the counter
        self._calls = ThreadPoolExecutor(MOST_CALLS, "call")  # starts threads only as they are needed
        self._known: Rules | None = None  # the rules by which the portals were met
        self._renewed = 0.0  # when the leases of portals with calls in flight were last kept, monotonic seconds
        self._next_look_at_tokens = 0.0  # monotonic seconds
        self._next_look_at_accounts = 0.0  # monotonic seconds
        self._fed: Rules | None = None  # the rules whose calendars were looked at last
        self._next_look_at_feeds = 0.0  # monotonic seconds
        self._next_look_for_missed = 0.0  # monotonic seconds
        self._looking_for_missed = threading.Lock()  # held for minutes where much was missed

    def stop(self) -> None:
        self._stopping.set()
        self._router_signal.set()
        self._courier_signal.set()

    def run(self) -> None:
        threads = [
            threading.Thread(target=self._keep_on, args=(turn,), name=turn.__name__.strip("_"))
            for turn in (self._route, self._carry)
        ]
        for thread in threads:
            thread.start()
        self._keep_on(self._watch)
        for thread in threads:
            thread.join()
        while any(self._in_flight.values()):
            self._keep_leases()
            self._courier_signal.clear()
            self._courier_signal.wait(self._house.settings.lease / 3)
        self._calls.shutdown(wait=True)
        self._give_back()

    # ── Waking ────────────────────────────────────────────────────────────────────────────────────────────────

    def _watch(self) -> None:
        """Signal both loops when the database has changed, and look after the rules file."""
        with self._house.database.watch() as changed:
            next_floor = 0.0
            while not self._stopping.is_set():
                if changed(LOOK_FOR):
                    self._router_signal.set()
                    self._courier_signal.set()
                if time.monotonic() >= next_floor:
                    next_floor = time.monotonic() + FLOOR
                    self._house.rules_file.follow()
                    self._keep_feeds()
                    self._keep_deliveries()

    def _keep_on(self, turns: Callable[[], None]) -> None:
        """Keep a loop going whatever happens: a fault is told and the loop goes on after a pause."""
        while not self._stopping.is_set():
            try:
                turns()
            except StoreUnavailable as fault:
                log.trouble(f"{threading.current_thread().name}: waits for the database", why=str(fault))
                self._stopping.wait(FLOOR)
            except Exception as fault:
                log.failure(f"{threading.current_thread().name}: failed and goes on", fault)
                self._stopping.wait(FLOOR)

    # ── The router's loop ─────────────────────────────────────────────────────────────────────────────────────

    def _route(self) -> None:
        self._router_signal.clear()
        lease = self._house.settings.lease
        plans = router.turn(self._house.database, self._house.rules, holder=self._holder, lease_seconds=lease)
        for plan in plans:
            tell = log.trouble if plan.outcome == "unreadable" else log.line
            tell(
                "router: decided",
                event=plan.entry.id,
                source=plan.entry.source,
                kind=plan.entry.kind,
                outcome=plan.outcome,
                messages=len(plan.messages),
                unmapped=len(plan.unmapped),
                note=plan.note,
            )
        ripened = router.ripen_due(self._house.database, self._house.rules, holder=self._holder, lease_seconds=lease)
        for each in ripened:
            if each.why:
                log.trouble("router: failed on what was kept back, and tries again", note=each.name, why=each.why)
            elif each.messages:
                log.line("router: told what was kept back", note=each.name, messages=len(each.messages))
        if plans or ripened:
            self._courier_signal.set()
        else:
            # At least for a moment: what is due may be in the hands of another router.
            self._router_signal.wait(min(FLOOR, max(LOOK_FOR, router.until_ripe(self._house.database))))

    # ── The courier's loop ────────────────────────────────────────────────────────────────────────────────────

    def _carry(self) -> None:
        self._courier_signal.clear()
        if self._known is not self._house.rules:
            self._known = self._house.rules
            self._meet_portals()
        waits = [self._start_calls(to) for to in self._house.destinations().values()]
        self._keep_leases()
        self._keep_tokens()
        self._keep_accounts()
        self._courier_signal.wait(min([*waits, FLOOR, self._house.settings.lease / 3]))

    def _meet_portals(self) -> None:
        """At the start, and when the rules are new: ask closed portals again, and tell of messages that have none."""
        there = self._house.destinations()
        with self._house.database.write() as tx:
            for name in there:
                portals.ask_now(tx, name)
            orphaned = [name for name in outbox.waiting_for(tx) if name not in there]
        for name in orphaned:
            log.trouble("courier: messages wait for a portal that the rules do not have any more", portal=name)

    def _start_calls(self, to: Destination) -> float:
        """Start calls to a portal until its lanes are taken or nothing can be sent; how long to wait then, seconds."""
        while self._in_flight[to.name] < LANES and not self._stopping.is_set():
            claimed = courier.claim(
                self._house.database, to, holder=self._holder, lease_seconds=self._house.settings.lease
            )
            if isinstance(claimed, Wait):
                return claimed.seconds
            self._count(to, +1)
            self._calls.submit(self._call, to, claimed)
        return FLOOR

    def _call(self, to: Destination, load: Load) -> None:
        try:
            started = time.monotonic()
            answer = self._ask(to, load)
            self._settle(to, load, answer, seconds=time.monotonic() - started)
        finally:
            self._count(to, -1)
            self._courier_signal.set()

    def _ask(self, to: Destination, load: Load) -> Answer:
        try:
            return courier.deliver(to, load, now=time.time())
        except Exception as fault:
            log.failure("courier: the relay failed on a message, which is put aside", fault, portal=to.name)
            return Answer(
                verdicts=tuple(Dead("RELAY", f"the relay failed on it: {type(fault).__name__}") for _ in load.parcels)
            )

    def _settle(self, to: Destination, load: Load, answer: Answer, *, seconds: float) -> None:
        """Write the answer down, however long the database makes us wait: an answer that is lost is sent twice."""
        while True:
            try:
                written = courier.settle(self._house.database, to, load, answer, jitter=random.random())  # noqa: S311
                break
            except Exception as fault:  # whatever it was, somebody still waits in state «sending»
                log.trouble("courier: an answer waits to be written down", portal=to.name, why=type(fault).__name__)
                if self._stopping.wait(FLOOR):
                    return
        log.line(
            "courier: called",
            portal=to.name,
            messages=[parcel.id for parcel in load.parcels],
            verdicts=dict(Counter(each.verdict for each in written)),
            seconds=round(seconds, 3),
            trouble=answer.trouble.kind if answer.trouble else "",
            code=answer.trouble.code if answer.trouble else "",
            why=answer.trouble.why if answer.trouble else "",
        )
        if answer.moved_to:
            log.trouble(
                "courier: the portal has moved; change its address in the rules", portal=to.name, to=answer.moved_to
            )

    def _keep_leases(self) -> None:
        """While calls are in flight, keep the leases under which they were claimed."""
        if time.monotonic() - self._renewed < self._house.settings.lease / 3:
            return
        self._renewed = time.monotonic()
        for to in self._house.destinations().values():
            if self._in_flight[to.name]:
                with self._house.database.write() as tx:
                    courier.hold(tx, to, holder=self._holder, lease_seconds=self._house.settings.lease)

    def _keep_tokens(self) -> None:
        """Now and then, and beside the calls: an authorisation server may take its time."""
        if time.monotonic() >= self._next_look_at_tokens:
            self._next_look_at_tokens = time.monotonic() + authorisation.LOOK_EVERY
            for to in self._house.destinations().values():
                self._calls.submit(authorisation.keep_alive, to.client)

    def _keep_accounts(self) -> None:
        """Now and then, and beside the calls: whoever is dismissed must not be told for ever."""
        if time.monotonic() >= self._next_look_at_accounts:
            self._next_look_at_accounts = time.monotonic() + accounts.CONFIRM_EVERY
            for to in self._house.destinations().values():
                self._calls.submit(self._confirm, to)

    def _confirm(self, to: Destination) -> None:
        try:
            accounts.confirm(self._house.database, to, self._house.rules_file.current)
        except StoreUnavailable as fault:
            log.trouble("people: wait for the database", why=str(fault))
        except Exception as fault:
            log.failure("people: could not be looked up, and are looked up again", fault)

    def _keep_feeds(self) -> None:
        """Now and then, at once when the rules are new, and beside the calls: a calendar's host may take its time."""
        rules = self._house.rules_file.current
        if rules is not self._fed or time.monotonic() >= self._next_look_at_feeds:
            self._fed, self._next_look_at_feeds = rules, time.monotonic() + feeds.LOOK_EVERY
            if feeds.calendars(rules):
                self._calls.submit(self._feed, rules)

    def _feed(self, rules: Rules) -> None:
        try:
            self._house.feeds.keep_up(rules)
        except StoreUnavailable as fault:
            log.trouble("feeds: wait for the database", why=str(fault))
        except Exception as fault:
            log.failure("feeds: failed, and are looked at again", fault)

    def _keep_deliveries(self) -> None:
        """Now and then, and beside the calls: GitHub does not repeat by itself what it could not deliver."""
        if time.monotonic() >= self._next_look_for_missed:
            self._next_look_for_missed = time.monotonic() + redelivery.LOOK_EVERY
            rules = self._house.rules_file.current
            if redelivery.sources(rules):
                self._calls.submit(self._recover, rules)

    def _recover(self, rules: Rules) -> None:
        if not self._looking_for_missed.acquire(blocking=False):
            return
        try:
            redelivery.keep_up(self._house.database, rules, holder=self._holder, pause=self._stopping.wait)
        except StoreUnavailable as fault:
            log.trouble("redelivery: waits for the database", why=str(fault))
        except Exception as fault:
            log.failure("redelivery: failed, and is tried again", fault)
        finally:
            self._looking_for_missed.release()

    def _count(self, to: Destination, change: int) -> None:
        with self._guard:
            self._in_flight[to.name] += change

    # ── The end ───────────────────────────────────────────────────────────────────────────────────────────────

    def _give_back(self) -> None:
        with self._house.database.write() as tx:
            for name in (router.LEASE, *(to.lease for to in self._house.destinations().values())):
                leases.release(tx, name, self._holder)
