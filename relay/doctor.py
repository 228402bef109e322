"""The examination of one portal as the courier would meet it: a few calls, and what each answer means for a person.

Never changes anything on the portal but its own two test notifications, which it takes away; never asks faster than the
portal's pace, which it shares with the courier; and no finding holds a secret or a stranger's words.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Literal

from relay import authorisation, courier
from relay.bitrix import address, answer, call, refusals
from relay.bitrix.address import PortalNotTrusted
from relay.bitrix.application import NotAuthorised
from relay.bitrix.client import Reply
from relay.bitrix.options import PortalOptions
from relay.courier import Destination, Load
from relay.errors import PortalUnreachable
from relay.model import Delivered, Message, Muted, Parcel
from relay.store import findings, portals
from relay.store.database import Database

Mark = Literal["good", "doubt", "fault"]
CLOCK_TOLERANCE = 60.0  # seconds
TEXT = "relay doctor: {} of two test notifications under one tag. They are taken away at once."


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one probe found. ``advice`` says what to do; it is ``""`` only where there is nothing to be done."""

    probe: str
    mark: Mark
    found: str
    advice: str = ""


class _Hopeless(Exception):
    """A probe failed without which the others say nothing."""

    def __init__(self, finding: Finding) -> None:
        super().__init__()
        self.finding = finding


_NEW_WEBHOOK = "make a new incoming webhook with the right im, and put its address into .env"
_LOG_IN = "run relay portal login"
_PAY = "REST needs a paid plan or a trial: see the portal's Market and licence pages"

# What to do about the errors of `refusals.ERRORS`, and which probe they belong to. Others are for the credentials.
_ADVICE: Mapping[str, tuple[str, str]] = {
    "INVALID_CREDENTIALS": ("credentials", _NEW_WEBHOOK),
    "NO_AUTH_FOUND": ("credentials", "check the webhook's address, or the token"),
    "AUTHORIZATION_ERROR": ("credentials", "let an active employee make the webhook, or log in"),
    "EXPIRED_TOKEN": ("credentials", "a token in the rules is not renewed: give the application under app: instead"),
    "INVALID_TOKEN": ("credentials", _LOG_IN),
    "NO_TOKENS": ("credentials", _LOG_IN),
    "INVALID_GRANT": ("credentials", _LOG_IN),
    "INVALID_CLIENT": ("credentials", "compare client_id and client_secret with the application's card"),
    "WRONG_CLIENT": ("credentials", "compare client_id with the application's card, and check oauth:"),
    "INSUFFICIENT_SCOPE": ("scope", "tick the right im (chat and notifications) on the card of webhook or application"),
    "ACCESS_DENIED": ("plan", _PAY),
    "PAYMENT_REQUIRED": ("plan", _PAY),
    "PORTAL_DELETED": ("plan", "open the portal in a browser: it is deleted, or closed for a time"),
    "OVERLOAD_LIMIT": ("plan", "ask Bitrix24's support to lift the block"),
    "INVALID_REQUEST": ("tls", "give the portal's address with https://"),
    "ERROR_METHOD_NOT_FOUND": ("address", "copy the whole address again; a self-hosted portal needs its module im"),
    "QUERY_LIMIT_EXCEEDED": ("pace", "somebody else asks from the same address: lower plan:, or wait a minute"),
    "TOKEN_BEING_RENEWED": ("credentials", "run the doctor again in a minute"),
    "STORE": ("credentials", "see to the database: the tokens are kept there"),
    "OAUTH_UNREACHABLE": ("credentials", "let this machine reach the authorisation server, or set oauth:"),
}


class Doctor:
    """Examines one portal.

    Args:
        to: how the courier reaches it.
        options: what the rules say of it.
        sleep: waits so many seconds for the portal's pace.
    """

    def __init__(
        self,
        database: Database,
        to: Destination,
        options: PortalOptions,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._database = database
        self._to = to
        self._options = options
        self._clock = clock
        self._sleep = sleep

    def examine(self, *, send: bool) -> Iterator[Finding]:
        """The findings, as they are found. Without ``send`` nothing is sent, and tags are not measured anew."""
        worst: set[Mark] = set()
        try:
            for finding in self._probes(send=send):
                worst.add(finding.mark)
                yield finding
        except _Hopeless as end:
            yield end.finding
            return
        if "fault" not in worst:
            yield from self._resume()

    def _probes(self, *, send: bool) -> Iterator[Finding]:
        begun = self._clock()
        reply = self._answered("profile", {})  # needs no right, and tells of address, TLS, credentials, plan, clock
        yield self._address(reply, seconds=self._clock() - begun)
        yield self._tls()
        user = self._user(reply)
        yield Finding(probe="credentials", mark="good", found=f"the portal takes the relay for user {user}")
        yield _clock(reply, ours=(begun + self._clock()) / 2)
        yield from self._scope()
        yield self._pace()
        yield self._tags(user) if send else self._remembered()

    # ── Asking ────────────────────────────────────────────────────────────────────────────────────────────────

    def _ask(self, method: str, payload: Mapping[str, Any]) -> Reply:
        """One call, counted in the pace that the couriers share."""
        courier.spend(self._database, self._to, self._sleep)
        return authorisation.ask(self._to.client, method, payload)

    def _answered(self, method: str, payload: Mapping[str, Any]) -> Reply:
        """
        Raises:
            _Hopeless: there is no answer.
        """
        try:
            return self._ask(method, payload)
        except NotAuthorised as fault:
            raise _Hopeless(_told(fault.trouble.code, fault.trouble.why)) from None
        except PortalUnreachable as fault:
            raise _Hopeless(_unreachable(fault)) from None

    # ── Probes ────────────────────────────────────────────────────────────────────────────────────────────────

    def _address(self, reply: Reply, *, seconds: float) -> Finding:
        host = self._to.way_in.partition(" ")[2]
        if reply.moved_to:
            found = f"{host} has moved to {reply.moved_to}"
            return Finding(probe="address", mark="doubt", found=found, advice="give the new address in the rules")
        if _mapping(reply.body) is None:
            found = f"{host} answers with something that is not the REST API (HTTP {reply.status})"
            advice = "check that this is the portal's own address, and that the portal is open"
            raise _Hopeless(Finding(probe="address", mark="fault", found=found, advice=advice))
        return Finding(probe="address", mark="good", found=f"{host} answers in {seconds * 1000:.0f} ms")

    def _tls(self) -> Finding:
        where = address.from_options(self._options)
        if where.shown.startswith("https://"):
            return Finding(probe="tls", mark="good", found="https, and the certificate is trusted")
        if where.loopback:
            return Finding(probe="tls", mark="good", found="plain http, which does not leave this machine")
        advice = "use https: anybody on the way can read the credentials"
        return Finding(probe="tls", mark="doubt", found="plain http, as insecure: allows", advice=advice)

    def _user(self, reply: Reply) -> int:
        person = _opened(reply)
        number = str(person.get("ID", "")) if isinstance(person, Mapping) else ""
        if not (number.isascii() and number.isdigit() and len(number) < 19):
            found = "the portal takes the relay for nobody who is active there"
            raise _Hopeless(Finding(probe="credentials", mark="fault", found=found, advice=_NEW_WEBHOOK))
        return int(number)

    def _scope(self) -> Iterator[Finding]:
        told = _opened(self._answered("scope", {}))
        rights = {right.casefold() for right in told if isinstance(right, str)} if isinstance(told, list) else set()
        if "im" not in rights:
            advice = _ADVICE["INSUFFICIENT_SCOPE"][1]
            raise _Hopeless(Finding(probe="scope", mark="fault", found="the right im is missing", advice=advice))
        if not rights & {"user", "user_basic"}:
            advice = "tick user_basic if people shall be found by their e-mail; ids in people: need no right"
            yield Finding(probe="scope", mark="doubt", found="im is there, user_basic is not", advice=advice)
        else:
            yield Finding(probe="scope", mark="good", found="im and the look-up of people by e-mail")

    def _pace(self) -> Finding:
        pace = self._to.pace
        with self._database.read() as tx:
            state = portals.look(tx, self._to.name)
            ours = courier.pace_now(self._to, state, tx.now) if state else pace
        if state is not None and state.trouble == "rate":
            return Finding(
                probe="pace",
                mark="doubt",
                found=f"the portal has refused requests for their rate ({pace.rate:g}/s, burst {pace.burst})",
                advice="lower plan: in the rules, or see who else asks from this address",
            )
        if ours.rate < pace.rate:
            return Finding(
                probe="pace",
                mark="doubt",
                found=f"{ours.rate:.2g} requests a second: others on our address take the rest of what plan: says",
                advice="see who else asks the portal from this address; the share grows back by itself",
            )
        found = f"{pace.rate:g} requests a second, burst {pace.burst}, as plan: says"
        advice = "it cannot be probed without being refused: compare plan: with the portal's tariff"
        return Finding(probe="pace", mark="good", found=found, advice=advice)

    def _tags(self, user: int) -> Finding:
        """Send oneself two notifications under one tag, and see what is left."""
        tag = f"relay-doctor-{secrets.token_hex(4)}"
        sent: list[int] = []
        try:
            for which in ("the first", "the second"):
                number = self._sent(user, tag, TEXT.format(which))
                if isinstance(number, Finding):
                    return number
                sent.append(number)
            seen = self._seen()
        finally:
            for number in sent:
                self._take_away(number)
        return self._judged(seen, *sent)

    def _sent(self, user: int, tag: str, text: str) -> int | Finding:
        message = Message(
            portal=self._to.name, user_id=user, person="oneself", rule="relay doctor", key=tag, tag=tag, text=text
        )
        # As if it were known already that a webhook's tags are kept: what is measured is whether they can be.
        load = Load(epoch=0, parcels=(Parcel(id=0, message=message),), replaces_by_tag=True)
        outgoing = call.build(load.parcels, client_id=courier.client_id(self._to, load))
        reply = self._answered(outgoing.method, outgoing.payload)
        came = answer.read(outgoing, reply.status, reply.body, now=self._clock())
        if came.trouble is not None:
            raise _Hopeless(_told(came.trouble.code, came.trouble.why))
        match came.verdicts[0]:
            case Delivered(number):
                return number
            case Muted():
                found = "notifications are sent; but this user has switched his own off, so tags cannot be measured"
                advice = "let him switch them on, and run the doctor again"
                return Finding(probe="tags", mark="doubt", found=found, advice=advice)
            case _:
                found = f"the portal does not store a notification for user {user}, the relay's own"
                return Finding(probe="sending", mark="fault", found=found, advice="use an active employee's webhook")

    def _seen(self) -> set[int]:
        told = _opened(self._answered("im.notify.get", {"LIMIT": 50}))
        shown = told.get("notifications") if isinstance(told, Mapping) else None
        return {each["id"] for each in shown or [] if isinstance(each, Mapping) and isinstance(each.get("id"), int)}

    def _take_away(self, number: int) -> None:
        """Whatever comes back: a test notification that stays does no harm, and the finding is what counts."""
        try:
            self._ask("im.notify.delete", {"ID": number})
        except (NotAuthorised, PortalUnreachable):
            return

    def _judged(self, seen: set[int], first: int, second: int) -> Finding:
        if second not in seen:
            found = "notifications are sent, but the list does not show them, so tags cannot be measured"
            return Finding(probe="tags", mark="doubt", found=found, advice="run the doctor again in a minute")
        replaces = first not in seen
        with self._database.write() as tx:
            findings.remember(tx, self._to.name, self._to.way_in, replaces_by_tag=replaces)
        return _of_tags(replaces, self._options, "")

    def _remembered(self) -> Finding:
        with self._database.read() as tx:
            measured = findings.get(tx, self._to.name, self._to.way_in)
        if measured is None:
            advice = "run the doctor without --no-send"
            return Finding(probe="tags", mark="doubt", found="not measured yet", advice=advice)
        return _of_tags(measured.replaces_by_tag, self._options, " (measured before)")

    def _resume(self) -> Iterator[Finding]:
        """Where all is well, the courier need not wait until it would have looked for itself."""
        with self._database.write() as tx:
            state = portals.get(tx, self._to.name)
            if state.trouble in ("", "rate"):
                return
            portals.recovered(tx, self._to.name)
            tx.news = True
        yield Finding(probe="courier", mark="good", found=f"was paused ({state.why}) and goes on now")


# ── Readings ──────────────────────────────────────────────────────────────────────────────────────────────────


def _opened(reply: Reply) -> Any:
    """The result in an answer.

    Raises:
        _Hopeless: the portal refuses, with what to do about it.
    """
    told = _mapping(reply.body)
    if told is None or ("result" not in told and not answer.is_error(told)):
        found = f"the answer is not the REST API's (HTTP {reply.status})"
        raise _Hopeless(Finding(probe="address", mark="fault", found=found, advice="check the portal's address"))
    if not answer.is_error(told):
        return told["result"]
    code = answer.code_of(told)
    meaning = refusals.ERRORS.get(code) or refusals.by_status(reply.status, enveloped=True)
    raise _Hopeless(_told(code or f"HTTP {reply.status}", meaning.why))


def _told(code: str, why: str) -> Finding:
    probe, advice = _ADVICE.get(code, ("credentials", "see the reason; the README's table of answers tells more"))
    return Finding(probe=probe, mark="fault", found=f"{why} ({code})", advice=advice)


def _unreachable(fault: PortalUnreachable) -> Finding:
    """DNS, connection, certificate, or a redirect that is not to be trusted; each in the client's own sentence."""
    sentence = str(fault)
    if "certificate" in sentence or "TLS" in sentence:
        advice = "renew the certificate, or give its authority in REQUESTS_CA_BUNDLE"
        return Finding(probe="tls", mark="fault", found=sentence, advice=advice)
    if isinstance(fault, PortalNotTrusted):
        return Finding(probe="address", mark="fault", found=sentence, advice="give the portal's present address")
    advice = "check the address, and that this machine may reach it (HTTPS_PROXY)"
    return Finding(probe="address", mark="fault", found=sentence, advice=advice)


def _clock(reply: Reply, *, ours: float) -> Finding:
    """By how much the clocks differ: by the answer's own time, else by the Date header (RFC 9110 §6.6.1)."""
    told = _mapping(reply.body) or {}
    start = told["time"].get("start") if isinstance(told.get("time"), Mapping) else None
    if isinstance(start, bool) or not isinstance(start, int | float):
        try:
            start = parsedate_to_datetime(reply.headers.get("date", "")).timestamp()
        except ValueError:
            return Finding(probe="clock", mark="good", found="the portal does not tell its time")
    away = float(start) - ours
    if abs(away) <= CLOCK_TOLERANCE:
        return Finding(probe="clock", mark="good", found="agrees with the portal's")
    found = f"the portal's is {abs(away):.0f} s {'ahead' if away > 0 else 'behind'}"
    return Finding(probe="clock", mark="doubt", found=found, advice="set this machine's clock by NTP, if it is ours")


def _of_tags(replaces: bool, options: PortalOptions, when: str) -> Finding:
    if replaces:
        return Finding(probe="tags", mark="good", found=f"a newer notification replaces the older of its tag{when}")
    advice = (
        "an application's tags replace: see «Connect an application» in the README"
        if options.webhook is not None
        else "the portal drops the tags: compare the application's client_id with its card"
    )
    found = f"tags do not replace: each state of an event stays in the list by itself{when}"
    return Finding(probe="tags", mark="doubt", found=found, advice=advice)


def _mapping(body: bytes) -> Mapping[str, Any] | None:
    try:
        told = answer.decode(body)
    except ValueError:
        return None
    return told if isinstance(told, Mapping) else None
