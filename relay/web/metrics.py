"""`GET /metrics`: what the relay counts and what waits, for Prometheus. It is one answer, whichever process gives it.

Never tells a secret, an event's words or a person: labels are names from the rules file and words of our own. Off
without RELAY_ADMIN_PASSWORD; that, a reader's or a script's is asked for, as a bearer token or as any user's password.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import get_args

from flask import Blueprint, Response, request
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from relay import __version__, log
from relay.bitrix import pace
from relay.bitrix.options import PortalOptions
from relay.errors import StoreUnavailable
from relay.house import House
from relay.model import Trouble
from relay.store import gauges, leases, portals, reloads
from relay.store.counters import CounterName, HistogramName, Sums
from relay.store.database import Transaction
from relay.store.portals import PortalState
from relay.web.pages.access import Access, Throttled

TROUBLES: tuple[Trouble, ...] = get_args(Trouble)

COUNTED: dict[CounterName, tuple[str, tuple[str, ...]]] = {
    "relay_requests_total": ("Requests that were believed, and journalled or known already", ("source", "result")),
    "relay_events_total": ("Journalled requests that were decided, by what came out", ("source", "outcome")),
    "relay_commits_saved_total": ("Commits that were saved, as requests that come together share one", ()),
    "relay_messages_total": (
        "Verdicts on messages that were called for",
        ("verdict", "rule", "via", "recipient", "reason"),
    ),
    "relay_calls_total": ("Calls of a portal, answered or by the trouble that came back", ("portal", "result")),
    "relay_reloads_total": ("Readings of the rules file that brought something new: taken or refused", ("result",)),
}
MEASURED: dict[HistogramName, str] = {
    "relay_decision_seconds": "From a request's arrival until it was decided",
    "relay_delivery_seconds": "From a request's arrival until a message of it was delivered; quiet hours left out",
}


def routes(house: House, access: Access) -> Blueprint:
    """``GET /metrics``."""
    door = Blueprint("metrics", __name__)
    registry = CollectorRegistry()
    registry.register(Relay(house))

    @door.get("/metrics")
    def metrics() -> Response:
        if not access.is_open:
            return Response("not found: RELAY_ADMIN_PASSWORD is not set\n", HTTPStatus.NOT_FOUND, mimetype="text/plain")
        try:
            if not _may_enter(access):
                return _who_are_you()
            house.rules_file.follow()
            encode, content_type = choose_encoder(request.headers.get("Accept", ""))
            return Response(encode(registry), content_type=content_type)
        except Throttled as fault:
            headers = {"Retry-After": str(fault.retry_after)}
            return Response(f"{fault}\n", HTTPStatus.TOO_MANY_REQUESTS, headers, mimetype="text/plain")
        except StoreUnavailable as fault:
            log.trouble("metrics: cannot be read", why=str(fault))
            return Response(
                "the store cannot be read just now\n", HTTPStatus.SERVICE_UNAVAILABLE, mimetype="text/plain"
            )

    return door


def _may_enter(access: Access) -> bool:
    """Basic, whatever the user (RFC 7617 §2), or Bearer (RFC 6750 §2.1), whose bytes come as Latin-1 (PEP 3333).

    Raises:
        Throttled: too many were wrong.
    """
    shown = request.authorization
    if shown is None or shown.type not in ("basic", "bearer"):
        return False
    secret = shown.password or "" if shown.type == "basic" else (shown.token or "").encode("latin-1", "replace")
    return access.role_of(secret, access.address(request), tokens=True) is not None


def _who_are_you() -> Response:
    headers = {"WWW-Authenticate": 'Basic realm="relay", Bearer'}
    sentence = "the password is RELAY_ADMIN_PASSWORD\n"
    return Response(sentence, HTTPStatus.UNAUTHORIZED, headers, mimetype="text/plain")


class Relay(Collector):
    """Everything that is told, from one state of the database."""

    def __init__(self, house: House) -> None:
        self._house = house

    def collect(self) -> Iterator[Metric]:
        options = self._house.rules.portals
        with self._house.database.read() as tx:
            sums = Sums(tx)
            waiting = [*_gauges(tx, options), *_portals(tx, options), *_leases(tx), _rules_refused(tx)]
            told = [*_counters(sums), *_histograms(sums), *waiting]
        yield from told
        yield InfoMetricFamily("relay_build", "The program", value={"version": __version__})


def _counters(sums: Sums) -> Iterator[Metric]:
    for name, (what, labels) in COUNTED.items():
        family = CounterMetricFamily(name, what, labels=labels)
        for values, number in sums.counted(name):
            # What an earlier version counted with fewer labels has nothing in the others.
            family.add_metric([values.get(label, "") for label in labels], number)
        yield family


def _histograms(sums: Sums) -> Iterator[Metric]:
    for name, what in MEASURED.items():
        family = HistogramMetricFamily(name, what)
        buckets, total = sums.histogram(name)
        family.add_metric([], buckets, total)
        yield family


def _gauges(tx: Transaction, options: Iterable[str]) -> Iterator[Metric]:
    """What waits. A portal of the rules without messages is told as well: an alert cannot compare with nothing."""
    journal = gauges.journal(tx)
    outbox = dict.fromkeys(options, gauges.Outbox()) | gauges.outbox(tx)
    waiting = GaugeMetricFamily("relay_journal_waiting", f"Events that are not decided yet, up to {gauges.MOST}")
    waiting.add_metric([], journal.waiting)
    queue = GaugeMetricFamily(
        "relay_queue_messages", f"Messages by state, up to {gauges.MOST} of one", labels=("portal", "state")
    )
    lag = GaugeMetricFamily(
        "relay_lag_seconds",
        "How long the oldest has waited: decide - of the events; deliver - of a portal's messages that may be sent",
        labels=("stage", "portal"),
    )
    lag.add_metric(("decide", ""), journal.lag)
    for name, each in outbox.items():
        lag.add_metric(("deliver", name), each.lag)
        for state in gauges.STATES:
            queue.add_metric((name, state), each.messages.get(state, 0))
    yield from (waiting, queue, lag)


def _portals(tx: Transaction, options: Mapping[str, PortalOptions]) -> Iterator[Metric]:
    """The portals of the rules. One that was not called yet has an empty bucket and no trouble."""
    level = GaugeMetricFamily("relay_bucket_level", "Requests in a portal's bucket, as we reckon it", labels=["portal"])
    share = GaugeMetricFamily("relay_bucket_share", "The part of a portal's bucket that is ours", labels=["portal"])
    paused = GaugeMetricFamily(
        "relay_portal_paused", "1: the portal's messages wait for this trouble to end", labels=("portal", "trouble")
    )
    for name, each in options.items():
        state = portals.look(tx, name)
        ours, full = _bucket(each, state, tx.now) if state else (1.0, 0.0)
        share.add_metric([name], ours)
        level.add_metric([name], full)
        for trouble in TROUBLES:
            paused.add_metric((name, trouble), float(state is not None and state.trouble == trouble))
    yield from (level, share, paused)


def _leases(tx: Transaction) -> Iterator[Metric]:
    """Who may decide and who may call: whether somebody does, and how often that was somebody new."""
    held = GaugeMetricFamily("relay_lease_held", "1: a worker does what it allows to one alone", labels=["lease"])
    taken = CounterMetricFamily("relay_lease_epochs_total", "Times that a new worker has taken it", labels=["lease"])
    for each in leases.everything(tx):
        held.add_metric([each.name], float(each.held))
        taken.add_metric([each.name], each.epoch)
    yield from (held, taken)


def _rules_refused(tx: Transaction) -> Metric:
    newest = reloads.latest(tx)[:1]
    refused = any(each.outcome == "refused" for each in newest)
    return GaugeMetricFamily("relay_rules_refused", "1: the rules file is bad, those before it hold", float(refused))


def _bucket(options: PortalOptions, state: PortalState, now: float) -> tuple[float, float]:
    """Our share of a portal's bucket, and the level in that part."""
    ours = pace.share(state.share, state.share_at, now)
    return ours, pace.from_plan(options.plan).part(ours).level(state.level, state.level_at, now)
