"""The stand-in Bitrix24 portal: everything it remembers, and one way through it, `Portal.answer`.

Never speaks HTTP (`door` does) and knows nothing of the relay it judges: it is written from Bitrix24's documentation.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from relay.sandbox import batch, gate, settings
from relay.sandbox.bell import Bell, Notification
from relay.sandbox.bucket import Bucket
from relay.sandbox.context import ADDED_BY_SERVER, Answer, App, Caller, Context
from relay.sandbox.faults import Fault, Faults, Kind
from relay.sandbox.methods import BATCH, METHODS
from relay.sandbox.params import Params
from relay.sandbox.people import DEMO_PEOPLE, OWNER, Directory, Person
from relay.sandbox.php import Value, encode, integer, truthy
from relay.sandbox.record import CommandEntry, Record, RequestEntry, masked
from relay.sandbox.refusals import Refusal

JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"
SECRET = "sandbox-secret"  # noqa: S105 - a published default of a toy
TOKEN = "sandbox-token"  # noqa: S105 - as above
REFRESH_TOKEN = "sandbox-refresh-token"  # noqa: S105 - as above
MEMBER = "sandbox"  # the portal's own id
CODE_SECONDS = 30  # how long a code lives (Bitrix24 REST docs, OAuth 2.0)


@dataclass(frozen=True, slots=True)
class Call:
    """A request as the portal sees it. ``target`` is path and query; ``params`` have upper-case names."""

    key: gate.Key
    method: str
    params: Params
    source: str = "127.0.0.1"
    target: str = "/"


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back. ``gone``: nothing does, the connection is reset ("reset") or closed ("close")."""

    status: int
    body: str
    content_type: str = JSON
    location: str = ""
    gone: str = ""


class Portal:
    """A portal in memory; any number of threads may call it.

    Args:
        people: who works here; `people.DEMO_PEOPLE` if not given. The webhook and the app are person 1's.
        secret, token, refresh_token, app: what opens the door.
        clock: Unix seconds.
        sleep: waits so many seconds; by default a wait that `stop` ends.
        switches: see `settings.Settings`; ``rate`` is "standard", "enterprise", "unlimited" or ``(X, Y)``.
    """

    def __init__(
        self,
        people: Iterable[Person] = DEMO_PEOPLE,
        *,
        secret: str = SECRET,
        token: str = TOKEN,
        refresh_token: str = REFRESH_TOKEN,
        app: App | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], object] | None = None,
        **switches: object,
    ) -> None:
        self._first_people = tuple(people)
        self._first_keys = gate.Keys(secret, token, refresh_token)
        self._first_settings = settings.changed(settings.Settings(), switches)
        self._app = app or App()
        self._clock = clock
        self._stopping = threading.Event()
        self._sleep = sleep or self._stopping.wait
        self._lock = threading.RLock()
        self._settings = self._first_settings
        self.renewals = 0
        """How many times tokens were given out."""
        self._codes = 0
        self.version = 0
        """Grows with everything that happens: the page asks for news by it."""
        self.reset()

    # --- the way through

    def answer(self, call: Call) -> Reply:
        """Answer a request: bucket, faults, gate, method, in this order."""
        with self._lock:
            now = self._clock()
            by = "webhook" if call.key.secret else "app" if call.key.token else "nobody"
            method = str(masked(call.method, self._secrets()))
            entry = self._record.open(time=now, method=method, source=call.source, by=by)
            admitted = self._bucket.admit(call.source, now)
            fault = self._faults.for_request(_targets(call)) if admitted else None
            entry.fault = fault.kind if fault else ""
        reply = self._with_fault(fault, call, entry) if admitted else self._refused(entry)
        with self._lock:
            entry.status = 0 if reply.gone else reply.status
            entry.seconds = self._clock() - entry.time
            self.version += 1
        return reply

    def renew(self, params: Params, root: str = "") -> Reply:
        """Answer ``/oauth/token/``: a new pair of tokens for the refresh token or for a code.

        ``root`` is scheme and host by which the portal was asked.
        """
        with self._lock:
            try:
                gate.renewed(params, self._app, self._keys, self._settings, now=self._clock())
                self.renewals += 1
            except Refusal as refusal:
                return Reply(refusal.status, encode(refusal.envelope()))
            fresh: dict[str, Value] = {**self._tokens(root), "expires": int(self._clock()) + 3600, "user_id": OWNER}
        return Reply(200, encode(fresh))

    def allow(self, client_id: str, state: str, root: str = "") -> Reply:
        """Answer ``/oauth/authorize/`` as if somebody had logged in and agreed: back to the app with a code."""
        if client_id != self._app.client_id:
            return Reply(400, "<html><body>The application is not found</body></html>", HTML)
        with self._lock:
            self._codes += 1
            self._keys.code, self._keys.code_until = f"sandbox-code-{self._codes}", self._clock() + CODE_SECONDS
            scope = ",".join(self._settings.scopes)
            back = {"code": self._keys.code, "state": state, "domain": urlsplit(root).netloc, "member_id": MEMBER}
        query = urlencode({**back, "scope": scope, "server_domain": urlsplit(root).netloc})
        return Reply(302, "<html><body>Moved</body></html>", HTML, location=f"{self._app.redirect_uri}?{query}")

    def installation(self, root: str) -> dict[str, str]:
        """The form that an application without pages is sent when it is installed (ONAPPINSTALL)."""
        with self._lock:
            told = {**self._tokens(root), "domain": urlsplit(root).netloc}
            told["application_token"] = self._app.application_token
        return {"event": "ONAPPINSTALL", **{f"auth[{name}]": str(value) for name, value in told.items()}}

    def _tokens(self, root: str) -> dict[str, Value]:
        return {
            "access_token": self._keys.token,
            "refresh_token": self._keys.refresh_token,
            "expires_in": 3600,
            "client_endpoint": f"{root}/rest/",
            "server_endpoint": f"{root}/rest/",
            "domain": urlsplit(root).netloc,
            "member_id": MEMBER,
            "scope": ",".join(self._settings.scopes),
            "status": "L",
        }

    def _with_fault(self, fault: Fault | None, call: Call, entry: RequestEntry) -> Reply:
        if fault is None:
            return self._carried_out(call, entry)
        if fault.kind == "rate":
            return self._refused(entry)
        if fault.kind == "expire":
            self.expire_token()
            return self._carried_out(call, entry)
        reply = self._carried_out(call, entry) if fault.when == "after" else None
        if fault.kind == "slow":
            self._sleep(fault.seconds)
            return reply or self._carried_out(call, entry)
        return _spoilt(fault, call)

    def _refused(self, entry: RequestEntry) -> Reply:
        with self._lock:
            self._record.refused += 1
        return _error(Refusal("QUERY_LIMIT_EXCEEDED"), entry)

    def _carried_out(self, call: Call, entry: RequestEntry) -> Reply:
        started = self._clock()
        try:
            with self._lock:
                caller = gate.admit(
                    call.key,
                    call.method,
                    methods=METHODS,
                    settings=self._settings,
                    keys=self._keys,
                    people=self._people,
                    signed_link="TOKEN" in call.params,
                )
            if call.method == BATCH:
                answer = self._batch(call, caller, entry)
            else:
                answer = self._command(caller, entry, batch.Command("", call.method, call.params))
        except Refusal as refusal:
            return _error(refusal, entry)
        envelope: dict[str, Value] = {"result": answer.result, "time": self._time(started)}
        envelope |= {} if answer.next is None else {"next": answer.next}
        envelope |= {} if answer.total is None else {"total": answer.total}
        return Reply(200, encode(envelope))

    def _batch(self, call: Call, caller: Caller, entry: RequestEntry) -> Answer:
        def run_one(command: batch.Command) -> tuple[Answer, Value]:
            started = self._clock()
            answer = self._command(caller, entry, command, inner=True)
            return answer, self._time(started)

        halt = truthy(call.params.get("HALT"))
        return Answer(dict(batch.run(call.params.get("CMD"), halt=halt, run_one=run_one).envelope()))

    def _command(self, caller: Caller, entry: RequestEntry, command: batch.Command, *, inner: bool = False) -> Answer:
        """Run one command under the lock, and write down what became of it, also if it fails."""
        if self._settings.command_seconds:
            self._sleep(self._settings.command_seconds)
        with self._lock:
            params = {name: value for name, value in command.params.items() if name not in ADDED_BY_SERVER}
            shown = {name: masked(value, self._secrets()) for name, value in params.items()}
            name = str(masked(command.method, self._secrets()))
            line = CommandEntry(self._clock(), name, command.key, shown)
            self._record.command(entry, line)
            try:
                answer = self._run(caller, command, params, inner=inner)
            except Refusal as refusal:
                line.error = refusal.code
                raise
            line.result = answer.result
            return answer

    def _run(self, caller: Caller, command: batch.Command, params: Params, *, inner: bool) -> Answer:
        method = METHODS.get(command.method)
        if method is None:
            raise Refusal("ERROR_METHOD_NOT_FOUND")
        if inner:
            gate.check_scope(method, self._settings, caller, text="")
            if fault := self._faults.for_command(*_target(command)):
                raise _ordered(fault)
        return method.run(
            Context(
                people=self._people,
                bell=self._bell,
                settings=self._settings,
                app=self._app,
                caller=caller,
                params=params,
                now=self._clock(),
                start=integer(command.params.get("START")),
            )
        )

    def _time(self, started: float) -> dict[str, Value]:
        now = self._clock()
        times: dict[str, Value] = {
            "start": started,
            "finish": now,
            "duration": now - started,
            "processing": now - started,
            "date_start": _iso(started),
            "date_finish": _iso(now),
        }
        if self._settings.operating_fields:
            times |= {"operating_reset_at": int(started // 60 * 60) + 600, "operating": 0}
        return times

    # --- what a test or a demonstration may do to it

    def fail(self, kind: Kind, times: int = 1, **how: Any) -> None:
        """Order a fault for the next ``times`` matching requests; ``how`` are the fields of `faults.Fault`."""
        with self._lock:
            self._faults.add(Fault(kind, times, **how))

    def heal(self) -> None:
        """Forget the faults that are still on order."""
        with self._lock:
            self._faults = Faults()

    def configure(self, **switches: object) -> None:
        """Change switches (`settings.Settings`); a new ``rate`` starts with an empty bucket."""
        with self._lock:
            self._settings = settings.changed(self._settings, switches)
            if {"rate", "refused_fills", "leak_each_second"} & {*switches}:
                self._bucket = self._new_bucket()
            self.version += 1

    def change_person(self, number: int, **changes: object) -> None:
        """Add a person or change one: ``active``, ``muted``, ``name``, ``email``…"""
        with self._lock:
            self._people.change(number, changes)
            self.version += 1

    def expire_token(self) -> None:
        """From now on the app's token answers ``expired_token``, until it is renewed."""
        with self._lock:
            self._keys.expired = True

    def reset(self) -> None:
        """Everything as it was at the beginning."""
        with self._lock:
            self._people = Directory(self._first_people)
            self._keys = replace(self._first_keys)
            self._settings = self._first_settings
            self._bell = Bell()
            self._record = Record()
            self._faults = Faults()
            self._bucket = self._new_bucket()
            self.version += 1

    def start(self) -> None:
        """Delays are real again (after `stop`)."""
        self._stopping.clear()

    def stop(self) -> None:
        """Let nobody wait any longer: delays end at once."""
        self._stopping.set()

    # --- what a test or the page may look at

    @property
    def people(self) -> list[Person]:
        """Everybody, by id."""
        with self._lock:
            return list(self._people)

    @property
    def secret(self) -> str:
        """The webhook's secret."""
        return self._keys.secret

    @property
    def token(self) -> str:
        """The app's token of the moment."""
        return self._keys.token

    @property
    def settings(self) -> settings.Settings:
        """The switches as they stand."""
        return self._settings

    def now(self) -> float:
        """The portal's clock, Unix seconds."""
        return self._clock()

    def notifications(self, recipient: int, newest: int | None = None) -> list[Notification]:
        """What stands in somebody's list, newest first, or only so many of the ``newest``: copies."""
        with self._lock:
            return [replace(notification) for notification in self._bell.of(recipient)[:newest]]

    def tally(self, recipient: int) -> tuple[int, int]:
        """How many stand in somebody's list, and how many of them are unread."""
        with self._lock:
            held = self._bell.of(recipient)
            return len(held), sum(not notification.read for notification in held)

    def calls(self, since: int = 0) -> list[RequestEntry]:
        """Every request whose number is above ``since``, oldest first: copies."""
        with self._lock:
            return [replace(entry, commands=list(entry.commands)) for entry in self._record.entries(since)]

    def commands(self, method: str = "") -> list[CommandEntry]:
        """Every command in the order of the requests, or those of one method."""
        return [line for entry in self.calls() for line in entry.commands if method in ("", line.method)]

    @property
    def counters(self) -> Mapping[str, int]:
        """How many requests, commands, refused, stored, replaced, deleted, not_accepted, muted; faults on order."""
        with self._lock:
            return Counter(
                requests=self._record.requests,
                commands=self._record.commands,
                refused=self._record.refused,
                faults=len(self._faults),
                **{
                    name: self._bell.counts[name] for name in ("stored", "replaced", "deleted", "not_accepted", "muted")
                },
            )

    # --- inside

    def _new_bucket(self) -> Bucket:
        chosen = self._settings
        return Bucket(chosen.rate, refused_fills=chosen.refused_fills, leak_each_second=chosen.leak_each_second)

    def _secrets(self) -> tuple[str, ...]:
        keys = self._keys
        return (keys.secret, keys.token, keys.refresh_token, self._app.client_secret, self._app.application_token)


def _targets(call: Call) -> list[tuple[str, int]]:
    """The request itself and, of a batch, its commands: what the filters of a fault look at."""
    whole = _target(batch.Command("", call.method, call.params))
    inner = batch.commands(call.params.get("CMD")) if call.method == BATCH else []
    return [whole, *(_target(command) for command in inner)]


def _target(command: batch.Command) -> tuple[str, int]:
    return command.method, integer(command.params.get("TO") or command.params.get("USER_ID"))


def _ordered(fault: Fault) -> Refusal:
    """The refusal that a fault asks for."""
    if fault.kind == "operating":
        return Refusal("OPERATION_TIME_LIMIT")
    return Refusal(fault.code, fault.text or None, fault.status or None)


def _error(refusal: Refusal, entry: RequestEntry) -> Reply:
    entry.error = refusal.code
    return Reply(refusal.status, encode(refusal.envelope()))


def _spoilt(fault: Fault, call: Call) -> Reply:
    if fault.kind in {"operating", "error"}:
        refusal = _ordered(fault)
        return Reply(refusal.status, encode(refusal.envelope()))
    if fault.kind == "moved":
        return Reply(302, "<html><body>Moved</body></html>", HTML, location=fault.location.rstrip("/") + call.target)
    if fault.kind == "html":
        return Reply(fault.status or 502, "<html><body><h1>Bad Gateway</h1></body></html>", HTML)
    if fault.kind in {"reset", "close"}:
        return Reply(0, "", gone=fault.kind)
    return Reply(200, '{"result": [' if fault.kind == "garbage" else "")


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
