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
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from relay import accounts, authorisation, courier, feeds, log, redelivery, router, tracing, upkeep
from relay.bitrix import call
from relay.courier import LANES, Destination, Load, Wait
from relay.errors import StoreUnavailable
from relay.house import House
from relay.model import Answer, Dead
from relay.router import Plan, Ripened
from relay.rules import Rules
from relay.store import journal, leases, outbox, portals
from relay.store.outbox import Settlement

MOST_CALLS = 64  # in flight for all portals together
LOOK_FOR = 0.5  # seconds to wait for news at a stretch, and so the longest that stopping waits for it
BREATH = 0.001  # seconds
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
        self._claiming = threading.Lock()  # held by who looks for what to send
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
        self._next_look_at_clock = 0.0  # monotonic seconds
        self._next_upkeep = time.monotonic() + upkeep.AFTER_THE_START
        self._at_upkeep = threading.Lock()  # held for as long as there is something to be pruned

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
            with suppress(StoreUnavailable):  # whoever is being called is not to be left alone for that
                self._keep_leases()
            self._courier_signal.clear()
            self._courier_signal.wait(self._house.settings.lease / 3)
        self._calls.shutdown(wait=True)
        self._give_back()

    # ── Waking ────────────────────────────────────────────────────────────────────────────────────────────────

    def _watch(self) -> None:
        """Signal the loops when the database has changed, and look after the rules file."""
        with self._house.database.watch() as changed:
            next_floor = 0.0
            while not self._stopping.is_set():
                if changed(LOOK_FOR):
                    self._router_signal.set()  # and he wakes the courier
                if time.monotonic() >= next_floor:
                    next_floor = time.monotonic() + FLOOR
                    self._house.rules_file.follow()
                    self._keep_feeds()
                    self._keep_deliveries()
                    self._keep_small()

    def _keep_on(self, turns: Callable[[], None]) -> None:
        """Keep a loop going whatever happens: a fault is told and the loop goes on after a pause."""
        while not self._stopping.is_set():
            try:
                turns()
            except StoreUnavailable as fault:
                log.trouble("work: waits for the database", loop=threading.current_thread().name, why=str(fault))
                self._stopping.wait(FLOOR)
            except Exception as fault:
                log.failure("work: failed and goes on", fault, loop=threading.current_thread().name)
                self._stopping.wait(FLOOR)

    # ── The router's loop ─────────────────────────────────────────────────────────────────────────────────────

    def _route(self) -> None:
        woken = self._router_signal.is_set()
        self._router_signal.clear()
        lease = self._house.settings.lease
        plans = router.turn(self._house.database, self._house.rules, holder=self._holder, lease_seconds=lease)
        for plan in plans:
            _tell_decided(plan)
        if any(plan.messages for plan in plans):
            self._send_at_once()
        elif plans or woken:
            self._courier_signal.set()
        ripe_in = router.until_ripe(self._house.database)
        ripened = self._ripen() if ripe_in <= 0 else ()
        if not plans and not ripened:
            # At least for a moment: what is due may be in the hands of another router.
            self._router_signal.wait(min(FLOOR, max(LOOK_FOR, ripe_in)))

    def _send_at_once(self) -> None:
        """Claim what has just been enqueued, before the courier could be woken for it; he is, where more is to come."""
        wait = 0.0
        if self._known is self._house.rules and self._claiming.acquire(blocking=False):
            try:
                there = self._house.destinations().values()
                wait = min(self._start_calls(to, surely=len(there) == 1) for to in there)
            finally:
                self._claiming.release()
        if wait < FLOOR:
            self._courier_signal.set()
        # The call's thread wants the interpreter now, and we, unless more has come, have only to look for more.
        self._router_signal.wait(BREATH)

    def _ripen(self) -> Sequence[Ripened]:
        """Tell what was kept back until now."""
        lease = self._house.settings.lease
        ripened = router.ripen_due(self._house.database, self._house.rules, holder=self._holder, lease_seconds=lease)
        if ripened:
            self._courier_signal.set()
        for each in ripened:
            if each.why:
                log.trouble("router: failed on what was kept back, and tries again", note=each.name, why=each.why)
            elif each.messages:
                log.line(
                    "router: told what was kept back",
                    note=each.name,
                    messages=len(each.messages),
                    rule=list(dict.fromkeys(ripe.message.rule for ripe in each.messages)),
                )
        return ripened

    # ── The courier's loop ────────────────────────────────────────────────────────────────────────────────────

    def _carry(self) -> None:
        self._courier_signal.clear()
        if self._known is not self._house.rules:
            self._known = self._house.rules
            self._meet_portals()
        with self._claiming:
            waits = [self._start_calls(to) for to in self._house.destinations().values()]
        self._keep_leases()
        self._keep_tokens()
        self._keep_accounts()
        self._keep_time()
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

    def _start_calls(self, to: Destination, *, surely: bool = False) -> float:
        """Start calls to a portal until its lanes are taken or nothing can be sent; how long to wait then, seconds.

        ``surely``: there is something; of several portals it is not known for which.
        """
        lease = self._house.settings.lease
        while self._in_flight[to.name] < LANES and not self._stopping.is_set():
            claimed = courier.claim(self._house.database, to, holder=self._holder, lease_seconds=lease, surely=surely)
            if isinstance(claimed, Wait):
                return claimed.seconds
            self._count(to, +1)
            self._calls.submit(self._call, to, claimed)
            if claimed.then > 0:  # known without another look, beside which the call would be on its way more slowly
                return claimed.then
            surely = False
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
            log.failure(
                "courier: the relay failed on a message, which is put aside", fault, portal=to.name, **_whose(load)
            )
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
                log.trouble(
                    "courier: an answer waits to be written down",
                    portal=to.name,
                    **_whose(load),
                    why=type(fault).__name__,
                )
                if self._stopping.wait(FLOOR):
                    return
        log.line(
            "courier: called",
            portal=to.name,
            method=call.method_of(load.parcels),
            commands=len(load.parcels),
            **_whose(load),
            verdicts=dict(Counter(each.verdict for each in written)),
            undelivered={each.parcel.id: each.verdict for each in written if each.verdict != "delivered"},
            ms=_ms(seconds),
            trouble=answer.trouble.kind if answer.trouble else "",
            code=answer.trouble.code if answer.trouble else "",
            why=answer.trouble.why if answer.trouble else "",
            trace=self._trace(to, load, written, seconds=seconds),
        )
        if answer.moved_to:
            log.trouble(
                "courier: the portal has moved; change its address in the rules", portal=to.name, to=answer.moved_to
            )

    def _trace(self, to: Destination, load: Load, written: Sequence[Settlement], *, seconds: float) -> list[str]:
        """Tell the spans of a call, one for each message in its event's trace; the traces."""
        if not tracing.is_on():
            return []
        ended = time.time()
        try:
            with self._house.database.read() as tx:
                origins = {each.event: each for each in journal.origins(tx, _whose(load)["event"])}
        except StoreUnavailable:  # what was done is written down; a trace is not worth waiting for
            return []
        method = call.method_of(load.parcels)
        traces = [
            tracing.told(
                "deliver",
                origins[parcel.event],
                ended - seconds,
                ended,
                which=f"{parcel.id}/{parcel.attempts}/{load.epoch}/{load.claimed_at}",
                portal=to.name,
                method=method,
                commands=len(load.parcels),
                message=parcel.id,
                verdict=settled.verdict,
            )
            for settled in written
            if (parcel := settled.parcel).event in origins
        ]
        return list(dict.fromkeys(traces))

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

    def _keep_time(self) -> None:
        """Now and then: what was put off while the clock was fast is not to wait until it would be that late."""
        if time.monotonic() >= self._next_look_at_clock:
            self._next_look_at_clock = time.monotonic() + courier.LOOK_AT_CLOCK_EVERY
            for to in self._house.destinations().values():
                courier.set_clock_right(self._house.database, to)

    def _keep_small(self) -> None:
        """Now and then, and beside the calls: what has served its time is taken away."""
        if time.monotonic() >= self._next_upkeep:
            self._next_upkeep = time.monotonic() + upkeep.EVERY
            self._calls.submit(self._prune, self._house.rules_file.current)

    def _prune(self, rules: Rules) -> None:
        if not self._at_upkeep.acquire(blocking=False):
            return
        try:
            upkeep.keep_up(self._house.database, rules.retention, holder=self._holder, pause=self._stopping.wait)
        except StoreUnavailable as fault:
            log.trouble("upkeep: waits for the database", why=str(fault))
        except Exception as fault:
            log.failure("upkeep: failed, and is tried again", fault)
        finally:
            self._at_upkeep.release()

    def _count(self, to: Destination, change: int) -> None:
        with self._guard:
            self._in_flight[to.name] += change

    # ── The end ───────────────────────────────────────────────────────────────────────────────────────────────

    def _give_back(self) -> None:
        try:
            with self._house.database.write() as tx:
                for name in (router.LEASE, *(to.lease for to in self._house.destinations().values())):
                    leases.release(tx, name, self._holder)
        except StoreUnavailable as fault:
            log.trouble("work: leases are left to run out", why=str(fault))


def _tell_decided(plan: Plan) -> None:
    entry, ended = plan.entry, time.time()
    origin = tracing.Origin(event=entry.id, received_at=entry.received_at, headers=entry.request.headers)
    log.line(
        "router: decided",
        wants_person=plan.outcome == "unreadable",
        event=entry.id,
        source=entry.source,
        kind=entry.kind,
        outcome=plan.outcome,
        rule=list(plan.rules),
        messages=len(plan.messages),
        unmapped=len(plan.unmapped),
        note=plan.note,
        ms=_ms(plan.seconds),
        lag=round(plan.lag, 3),
        trace=tracing.told(
            "decide", origin, ended - plan.seconds, ended, outcome=plan.outcome, messages=len(plan.messages)
        ),
    )


def _whose(load: Load) -> dict[str, Any]:
    """The events and the messages of a call, by number."""
    events = dict.fromkeys(parcel.event for parcel in load.parcels if parcel.event is not None)
    return {"event": list(events), "message": [parcel.id for parcel in load.parcels]}


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
