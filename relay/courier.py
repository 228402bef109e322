"""Corridor two, second half: what is in the outbox is claimed, called at the portal's pace, and settled.

Never words a message and never reads the rules: it carries parcels as they are. The bucket is spent in the claim,
before the call, so that no crash and no second worker can ask more of a portal than it allows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from relay import failpoint
from relay.authorisation import Caller
from relay.bitrix import answer, call, pace, refusals
from relay.bitrix.application import RENEWED, NotAuthorised
from relay.errors import PortalUnreachable
from relay.model import (
    Answer,
    Dead,
    Delivered,
    Later,
    Message,
    Muted,
    Parcel,
    PortalTrouble,
    Refused,
    Unknown,
    Verdict,
    WithoutBlocks,
)
from relay.store import counters, daily, findings, health, leases, outbox, portals
from relay.store.counters import OTHER
from relay.store.database import Database, Transaction
from relay.store.outbox import Settlement
from relay.store.portals import PortalState

INSTEAD_OF = "instead of "
# The codes of our own, beside the portal's: of an answer, and of an application's tokens (authorisation.py).
OUR_CODES = frozenset(
    {"REFUSED", "RELAY", "UNREACHABLE", "NOT_JSON", "ERROR", RENEWED, "TOKEN_BEING_RENEWED", "NO_TOKENS", "NOBODY"}
    | {"OAUTH", "OAUTH_UNREACHABLE", "INVALID_GRANT", "OTHER_APPLICATION", "STORE"}
)
HTTP_STATUSES = frozenset(map(str, refusals.STATUSES)) | {"500", "502", "503", "504"}
CLIENT_ID = "bitrix24-relay"  # under which a webhook's tags are kept, where they are at all
LANES = 4  # calls in flight for one portal: a batch may take seconds, and one at a time would waste the pace
BATCH = 50  # commands in one batch call (Bitrix24 REST docs, batch)
GIVE_UP_AFTER = 72 * 3600.0  # seconds from the first failure of a message that keeps failing by itself
NOTHING_WAITS = 60.0  # seconds after which to look again all the same
LOOK_AT_CLOCK_EVERY = 60.0  # seconds
LONGEST_REST = 15 * 60.0  # seconds; a method that has used up its time rests for ten minutes
PATIENCE = {"rate": 60.0, "down": 60.0, "closed": 300.0, "expired": 300.0}  # longest wait before asking again, seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A portal that can be called: its name in the rules, its pace, and the client that knows its address."""

    name: str
    pace: pace.Pace  # of its plan; `pace_now` is what is left of it to us
    client: Caller
    replaces_by_tag: bool  # as long as nothing was measured
    way_in: str = ""  # how and where it is entered: what was measured by another way does not count

    @property
    def lease(self) -> str:
        return lease_of(self.name)


def lease_of(portal: str) -> str:
    """The lease that whoever delivers to a portal holds."""
    return f"portal:{portal}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Parcels claimed for one call, under the epoch of the lease, with a token of the bucket already spent."""

    epoch: int
    parcels: Sequence[Parcel]
    replaces_by_tag: bool | None = None  # as relay doctor has measured it; None: nothing was
    claimed_at: float = 0.0  # Unix seconds
    then: float = 0.0  # seconds until there is something for the next call, unless something comes


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing can be sent now; ask again in ``seconds``, or when something has changed."""

    seconds: float


def claim(
    database: Database, to: Destination, *, holder: str, lease_seconds: float, surely: bool = False
) -> Load | Wait:
    """Claim the parcels of one call, if there are any and the portal's pace allows it now.

    ``surely``: somebody has just left some. Without a look at first a claim takes less time.
    """
    if not surely:
        with database.read() as tx:
            wait = _idle(tx, to, lease_seconds)
        if wait > 0:  # looking writes nothing: each commit wakes everybody, who would look again
            return Wait(wait)
    # A power cut may undo a claim: the message is sent once more then, as it would be if the claim were remembered, and
    # the few tokens of calls in flight are back in the bucket before the machine is.
    with database.write(durable=False) as tx:
        epoch = hold(tx, to, holder=holder, lease_seconds=lease_seconds)
        if epoch is None:
            return Wait(lease_seconds / 2)
        state = _set_right(tx, portals.get(tx, to.name))
        if (wait := _rest(state, to, tx.now)) > 0:
            return Wait(wait)
        ours = pace_now(to, state, tx.now)
        # Where a portal has no limit we do: what finds all lanes taken waits for one, and goes with others then. For
        # of more than fifty calls each costs us what a batch of fifty does.
        room = LANES if ours == pace.PLANS["unlimited"] else ours.room(state.level, state.level_at, tx.now)
        room = min(room, BATCH)
        backlog = outbox.backlog(tx, to.name, most=BATCH + room)
        # A portal in trouble is asked with one message: if it still is, one has been tried and not fifty. But what is
        # refused for its rate was not tried at all, and a request is then too dear to carry one alone.
        careful = state.trouble not in ("", "rate")
        size = 1 if careful else pace.batch_size(backlog, room, state.batch_cap)
        parcels = outbox.claim(tx, to.name, epoch, size)
        if not parcels:
            return Wait(0.05)  # somebody is writing to the streams that are due
        portals.fill(tx, to.name, ours.level(state.level, state.level_at, tx.now) + 1)
        measured = findings.get(tx, to.name, to.way_in)
        then = _until_due(tx, to)
        failpoint.here("courier: claimed, not committed")
    return Load(
        epoch=epoch,
        parcels=parcels,
        replaces_by_tag=measured.replaces_by_tag if measured else None,
        claimed_at=tx.now,
        then=then,
    )


def pace_now(to: Destination, state: PortalState, now: float) -> pace.Pace:
    """The pace in force: the plan's, less what others on our address seem to take."""
    return to.pace.part(pace.share(state.share, state.share_at, now))


def spend(database: Database, to: Destination, sleep: Callable[[float], object]) -> None:
    """Wait for one's turn, and count one request in the pace that all who call this portal share."""
    while True:
        with database.write() as tx:
            state = _set_right(tx, portals.get(tx, to.name))
            ours = pace_now(to, state, tx.now)
            wait = ours.wait(state.level, state.level_at, tx.now)
            if wait <= 0:
                portals.fill(tx, to.name, ours.level(state.level, state.level_at, tx.now) + 1)
                return
        sleep(wait)


def _set_right(tx: Transaction, state: PortalState) -> PortalState:
    """What was written while the clock was fast holds as of now, for the clock has been set right since."""
    if state.level_at > tx.now:
        portals.fill(tx, state.name, state.level)
        state = replace(state, level_at=tx.now)
    if state.share_at > tx.now:
        portals.take_share(tx, state.name, state.share)
        state = replace(state, share_at=tx.now)
    return state


def set_clock_right(database: Database, to: Destination) -> None:
    """Let go what rests longer than anything does: the clock was fast then. To be done now and then."""
    with database.read() as tx:
        rest = outbox.rests_longer(tx, to.name, LONGEST_REST)
    if rest:
        with database.write() as tx:
            outbox.rest_no_longer(tx, to.name, LONGEST_REST)


def _idle(tx: Transaction, to: Destination, lease_seconds: float) -> float:
    """Seconds for which there is surely nothing to do; 0 if there may be something."""
    wait = _until_due(tx, to)
    if wait > 0 and not _abandoned(tx, to, lease_seconds):
        return wait
    state = portals.look(tx, to.name)
    return _rest(state, to, tx.now) if state and max(state.level_at, state.share_at) <= tx.now else 0.0


def _until_due(tx: Transaction, to: Destination) -> float:
    """Seconds until the first of the messages that wait may be sent; 0 if one may now."""
    due = outbox.next_due(tx, to.name)
    return NOTHING_WAITS if due is None else max(0.0, due - tx.now)


def _rest(state: PortalState, to: Destination, now: float) -> float:
    """Seconds until the portal may be asked: it is in trouble, or its bucket is full."""
    trouble = state.not_before - now
    if trouble > LONGEST_REST:  # no wait of ours is that long: the clock was fast when it was written
        trouble = 0.0
    return max(trouble, pace_now(to, state, now).wait(state.level, state.level_at, now))


def _abandoned(tx: Transaction, to: Destination, lease_seconds: float) -> bool:
    """Has somebody who is gone left messages in the middle of being sent?"""
    return outbox.anything_sending(tx, to.name) and leases.is_free(tx, to.lease, lease_seconds)


def hold(tx: Transaction, to: Destination, *, holder: str, lease_seconds: float) -> int | None:
    """Take or keep the portal's lease; a new holder puts back what his predecessor was sending."""
    lease = leases.hold(tx, to.lease, holder, lease_seconds)
    if lease is None:
        return None
    epoch, new = lease
    if new:
        outbox.take_over(tx, to.name, epoch)
    return epoch


def deliver(to: Destination, load: Load, *, now: float) -> Answer:
    """Make the call. The only step that touches the network, and it is in no transaction."""
    failpoint.here("courier: claimed, not called")
    outgoing = call.build(load.parcels, client_id=client_id(to, load))
    try:
        reply = to.client.call(outgoing.method, outgoing.payload)
    except NotAuthorised as fault:
        return Answer(trouble=fault.trouble)
    except PortalUnreachable as fault:
        came = answer.unreachable(fault)
        return replace(came, verdicts=tuple(Unknown(str(fault)) for _ in load.parcels)) if fault.sent else came
    finally:
        failpoint.here("courier: called, not settled")
    return answer.read(outgoing, reply.status, reply.body, now=now, moved_to=reply.moved_to)


def client_id(to: Destination, load: Load) -> str:
    """What a webhook's tags are kept under, where it was measured that they are; an application's need nothing."""
    return CLIENT_ID if load.replaces_by_tag and to.way_in.startswith("webhook") else ""


def settle(database: Database, to: Destination, load: Load, came: Answer, *, jitter: float) -> list[Settlement]:
    """Write down what the answer means for each parcel and for the portal.

    Args:
        jitter: from 0 to 1, so that many that failed together do not come back together.

    Returns:
        What was written; less than was sent if the lease was lost meanwhile.
    """
    if load.replaces_by_tag is not None:
        to = replace(to, replaces_by_tag=load.replaces_by_tag)
    with database.write() as tx:
        ours = leases.holds(tx, to.lease, load.epoch)  # asked first: leases are locked before streams
        settlements = [
            rule(parcel, verdict, to=to, now=tx.now, jitter=jitter)
            for parcel, verdict in zip(load.parcels, _verdicts(load, came), strict=True)
        ]
        written = outbox.settle_all(tx, to.name, load.epoch, settlements)
        if ours:
            _remember(tx, to, load, came, jitter=jitter)
            _sample(tx, to)
        ended = [(each.parcel.message.person, each.state) for each in written if each.state != "queued"]
        daily.add(tx, "person", ended)
        _count(tx, to, came, written)
        failpoint.here("courier: settled, not committed")
    failpoint.here("courier: settled")
    return written


def _count(tx: Transaction, to: Destination, came: Answer, written: Sequence[Settlement]) -> None:
    """Count the call, what it meant for each message, and how long those that arrived were under way."""
    tally = counters.Tally()
    tally.count("relay_calls_total", portal=to.name, result=came.trouble.kind if came.trouble else "answered")
    rules = counters.bounded(tx, tally, [each.parcel.message.rule for each in written])
    for each in written:
        sent = each.parcel.message
        tally.count(
            "relay_messages_total",
            verdict=each.verdict,
            rule=rules[sent.rule],
            via=sent.via,
            recipient=recipient(sent),
            reason=reason(each.code),
        )
    for seconds in counters.waited(tx, [each.parcel.id for each in written if each.state == "delivered"]):
        tally.observe("relay_delivery_seconds", seconds)
    counters.write(tx, tally)


def recipient(message: Message) -> Literal["person", "id", "fallback"]:
    """Who was meant: a person of the rules, somebody whom they have only by portal id, or the next whom they name when
    the portal takes nothing for the first."""
    if message.person.startswith(INSTEAD_OF):
        return "fallback"
    return "id" if message.person == str(message.user_id) else "person"


def reason(code: str) -> str:
    """A code as a metric's label: those of the tables, and one word for whatever else a portal may think of."""
    known = code in refusals.ERRORS or code in OUR_CODES or code.removeprefix("HTTP_") in HTTP_STATUSES
    return code if known or not code else OTHER


def _verdicts(load: Load, came: Answer) -> Sequence[Verdict | PortalTrouble]:
    """A verdict for each parcel, or the portal's trouble for all of them."""
    return came.verdicts or [came.trouble or Unknown("the portal's answer said nothing of it")] * len(load.parcels)


def rule(  # noqa: PLR0911 - one answer a verdict, as in the table of verdicts (README, «What becomes of a message»)
    parcel: Parcel, verdict: Verdict | PortalTrouble, *, to: Destination, now: float, jitter: float
) -> Settlement:
    """What becomes of a parcel. Pure."""
    again_at = now + pace.backoff(parcel.attempts + 1, jitter=jitter)
    match verdict:
        case Delivered(number):
            return Settlement(parcel=parcel, state="delivered", verdict="delivered", notification_id=number)
        case Muted():
            return Settlement(parcel=parcel, state="muted", verdict="muted", why="switched off by the recipient")
        case Refused(why):
            instead = _to_fallback(parcel)
            return Settlement(parcel=parcel, state="dead", verdict="refused", code="REFUSED", why=why, instead=instead)
        case Later(code, why, not_before):
            if now - (parcel.failing_since or now) > GIVE_UP_AFTER:
                return Settlement(parcel=parcel, state="dead", verdict="dead", code=code, why=f"gave up: {why}")
            at = max(again_at, not_before or 0.0)
            return Settlement(parcel=parcel, state="queued", verdict="later", code=code, why=why, not_before=at)
        case WithoutBlocks(code, why):
            if parcel.plain or parcel.message.attach is None:
                return Settlement(parcel=parcel, state="dead", verdict="dead", code=code, why=why)
            return Settlement(parcel=parcel, state="queued", verdict="plain", code=code, why=why, plain=True)
        case Dead(code, why):
            return Settlement(parcel=parcel, state="dead", verdict="dead", code=code, why=why)
        case Unknown(why):
            seen_once = to.replaces_by_tag and bool(parcel.message.tag)
            if seen_once or parcel.message.urgent or parcel.message.delete:
                return Settlement(parcel=parcel, state="queued", verdict="unknown", why=why, not_before=again_at)
            return Settlement(parcel=parcel, state="held", verdict="unknown", why=why)
        case PortalTrouble():
            return Settlement(
                parcel=parcel, state="queued", verdict="later", code=verdict.code, why=verdict.why, counted=False
            )


def _to_fallback(parcel: Parcel) -> Message | None:
    """The same message to the next person who should know, when the portal takes nothing for this one."""
    if not parcel.message.fallback or parcel.message.delete:
        return None
    first, *rest = parcel.message.fallback
    return replace(parcel.message, user_id=first, person=f"{INSTEAD_OF}{parcel.message.person}", fallback=tuple(rest))


def _remember(tx: Transaction, to: Destination, load: Load, came: Answer, *, jitter: float) -> None:
    """What the answer says of the portal: its trouble or its recovery, our share of its bucket, and how large the next
    batch may be."""
    state = portals.get(tx, to.name)
    if came.trouble is None:
        if state.trouble:
            portals.recovered(tx, to.name)
        if state.batch_cap < BATCH:
            portals.shape_batches(tx, to.name, min(BATCH, state.batch_cap * 2))
        return
    if _is_for_the_rate(came.trouble, to, state):
        if load.claimed_at <= state.share_at:  # it was under way when the refusal came that counted for all of them
            return
        _take_less(tx, to, state)
    portals.in_trouble(tx, state, came.trouble, _ask_again_at(state, came.trouble, now=tx.now, jitter=jitter))
    if came.trouble.sent:
        portals.shape_batches(tx, to.name, max(1, state.batch_cap // 2))


def _sample(tx: Transaction, to: Destination) -> None:
    """Keep how the portal is now, every ten seconds, for the pages."""
    if not health.is_due(tx, to.name):
        return
    state = portals.get(tx, to.name)
    ours = pace_now(to, state, tx.now)
    share = pace.share(state.share, state.share_at, tx.now)
    level = ours.level(state.level, state.level_at, tx.now)
    health.keep(tx, to.name, level=level, share=share, trouble=state.trouble)


def _is_for_the_rate(trouble: PortalTrouble, to: Destination, state: PortalState) -> bool:
    """Were requests too many, and not the time that a method has used up (which says until when)?

    Before a self-hosted portal stands a server that refuses the same way as it fails, by a page of 503 (nginx,
    limit_req_status). Where no rate is known, the first such page is taken for a refusal.
    """
    if trouble.kind == "rate":
        return trouble.not_before is None
    return trouble.code == "HTTP_503" and to.pace == pace.PLANS["unlimited"] and not state.trouble


def _take_less(tx: Transaction, to: Destination, state: PortalState) -> None:
    """Whatever we reckoned, the portal says that its bucket is full: others drink from it, and get a larger part."""
    left = pace.share_after_refusal(state.share, state.share_at, tx.now)
    portals.take_share(tx, to.name, left)
    portals.fill(tx, to.name, to.pace.part(left).full)


def _ask_again_at(state: PortalState, trouble: PortalTrouble, *, now: float, jitter: float) -> float:
    if trouble.code == RENEWED:
        return now
    wait = min(PATIENCE[trouble.kind], pace.backoff(state.failures + 1, jitter=jitter))
    return max(now + wait, trouble.not_before or 0.0)
