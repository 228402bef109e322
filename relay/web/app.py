"""The Flask application: one address for each source, and two that tell whether the relay is well.

Never understands a request itself: it takes the raw bytes and hands them to the intake.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, g, jsonify, redirect, request
from flask.json.provider import DefaultJSONProvider
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from relay import intake, log, tracing
from relay.errors import Refused, StoreUnavailable, TooLarge
from relay.house import House
from relay.model import Request
from relay.sources import SENDERS
from relay.store import journal, portals
from relay.store.journal import Receipt
from relay.web import install, metrics
from relay.web.pages import playground, site
from relay.web.pages.access import Access

# What a proxy's request id may look like for us to write it down and to echo it: nginx's, Heroku's, Envoy's all do.
REQUEST_ID = re.compile(r"[\w.:@/+=-]{1,128}", re.ASCII)
OTHER_BODIES = 100_000  # bytes, of requests that are for no source
COME_BACK_AFTER = "5"  # seconds; senders that read Retry-After are few, those that retry a 503 are many


def create_app(house: House, *, clock: Callable[[], float] = time.time) -> Flask:
    """The door of a house. ``clock`` (Unix seconds) is for the age of sessions."""
    app = Flask("relay.web", static_folder=None)
    app.url_map.merge_slashes = False  # a doubled slash is a wrong address, and not a redirect that loses the body
    app.json = Json(app)
    app.before_request(_begin)
    app.after_request(_name)

    @app.route("/in/<name>", methods=["POST", "PUT"], provide_automatic_options=False)
    def receive(name: str) -> tuple[Response, int]:
        house.rules_file.follow()
        intake.known(name, house.rules)  # before its body is looked at
        began = time.time()
        posted = Request(
            method=request.method,
            path=f"/in/{name}",
            headers={name.lower(): _text(value) for name, value in request.headers.items()},
            body=_body(limit=body_limit(house, request.path)),
        )
        receipt = intake.accept(name, posted, rules=house.rules, journal=house.journal, now=time.time())
        status = HTTPStatus.OK if receipt.duplicate else HTTPStatus.ACCEPTED
        log.line(
            "intake: known already" if receipt.duplicate else "intake: journalled",
            request=g.id,
            event=receipt.id,
            source=name,
            kind=receipt.kind,
            status=int(status),
            duplicate=receipt.duplicate,
            bytes=len(posted.body),
            ms=_ms(),
            trace=_trace(house, receipt, name, began),
        )
        return jsonify(event=receipt.id, **({"duplicate": True} if receipt.duplicate else {})), status

    @app.route("/in/<name>", methods=["OPTIONS"])
    def permit(name: str) -> tuple[str, int, dict[str, str]]:
        """May this be posted to? Some senders ask first, and post nothing unless they are answered (CloudEvents)."""
        house.rules_file.follow()
        options = intake.known(name, house.rules)
        handshake = SENDERS[options.type].handshake
        asked = {name.lower(): _text(value) for name, value in request.headers.items()}
        granted = handshake(options, asked) if handshake else {}
        return "", HTTPStatus.OK, {"Allow": "POST, PUT, OPTIONS", **granted}

    @app.get("/healthz")
    def health() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @app.get("/readyz")
    def readiness() -> tuple[dict[str, Any], int]:
        """The store can be reached and its tables are this program's; and which portals are in trouble.

        A portal in trouble makes the door no less ready: its messages wait in the store, and events are accepted.
        """
        if not house.database.is_current(or_newer=True):  # machines are upgraded one after another
            return {"status": "the tables are not those of this version: run `relay db upgrade`"}, 503
        if why := house.cannot_store():
            return {"status": f"events are not accepted: {why}"}, 503
        return {"status": "ok", "portals": portals_in_trouble(house)}, 200

    @app.get("/")
    def welcome() -> Any:
        if access.is_open:
            return redirect("/events")
        return Response("The Bitrix24 relay is running. Post events to /in/<source>.\n", mimetype="text/plain")

    app.register_blueprint(install.routes(house))
    access = Access(house, clock)
    app.register_blueprint(metrics.routes(house, access))
    site.install(app, house, access)
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(StoreUnavailable, _unavailable)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _failed)
    return app


class Json(DefaultJSONProvider):
    """JSON in which a script's text is written as it is, and is refused if nothing here could hold it."""

    ensure_ascii = False

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """
        Raises:
            ValueError: it is no JSON, is nested too deeply, or has half a surrogate pair (RFC 8259 §8.2).
        """
        try:
            value = super().loads(s, **kwargs)
            json.dumps(value, ensure_ascii=False).encode()
        except RecursionError:
            raise ValueError("nested too deeply") from None
        return value


def _begin() -> None:
    """A request gets its name: the one that a proxy before us gave it, or one of our own."""
    g.started = time.perf_counter()
    given = request.headers.get("X-Request-Id", "")
    g.id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _name(answer: Response) -> Response:
    answer.headers["X-Request-Id"] = g.id
    return answer


def _ms() -> float:
    return round((time.perf_counter() - float(g.started)) * 1000, 1)


def _trace(house: House, receipt: Receipt, source: str, began: float) -> str:
    """Tell the span of a request that is journalled, in the trace of its event."""
    if not tracing.is_on():
        return ""
    ended = time.time()
    try:
        with house.database.read() as tx:
            (origin,) = journal.origins(tx, [receipt.id])
    except (StoreUnavailable, ValueError):  # it is on disk, or was once: a trace must not refuse it
        return ""
    which = g.id if receipt.duplicate else ""
    told = {"source": source, "kind": receipt.kind, "duplicate": receipt.duplicate, "request": g.id}
    return tracing.told("intake", origin, began, ended, which=which, **told)


def portals_in_trouble(house: House) -> dict[str, dict[str, str]]:
    """The portals of the rules that cannot be sent to now, by name: kind of trouble, since when, and why."""
    with house.database.read() as tx:
        troubled = [state for state in portals.everything(tx) if state.trouble and state.name in house.rules.portals]
    return {
        state.name: {
            "trouble": state.trouble,
            "since": datetime.fromtimestamp(state.since, UTC).isoformat(timespec="seconds"),
            "why": log.mask(state.why),  # a sentence of ours: the client keeps nothing that the portal said
        }
        for state in troubled
    }


def body_limit(house: House, path: str) -> int:
    """The largest body that is worth reading for a path, in bytes."""
    source = house.rules.sources.get(path.removeprefix("/in/"))
    if source:
        return source.max_body
    return playground.FORM if path.endswith("/playground") else OTHER_BODIES


def _body(*, limit: int) -> bytes:
    """The raw body.

    Read by hand, because MAX_CONTENT_LENGTH cuts a chunked body to the limit without a word (Werkzeug 3.1): a
    signature would then be checked over half a message.
    """
    if (request.content_length or 0) > limit:
        raise TooLarge(f"the body is larger than {limit} bytes; raise max_body: of this source if that is meant")
    body = request.stream.read(limit + 1)
    if len(body) > limit:
        raise TooLarge(f"the body is larger than {limit} bytes; raise max_body: of this source if that is meant")
    return body


def _text(header: str) -> str:
    """A header's value: UTF-8 where it is, else Latin-1, as which WSGI hands every header over (PEP 3333)."""
    raw = header.encode("latin-1", "replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return header


def _answer(status: int, sentence: str, **headers: str) -> tuple[Response, int, dict[str, str]]:
    return jsonify(error=sentence), status, headers


def _told(status: int) -> dict[str, Any]:
    """What the log says of a request that was not taken."""
    return {
        "request": g.id,
        "path": request.path[:100],
        "status": status,
        "bytes": request.content_length or 0,
        "ms": _ms(),
    }


def _refused(fault: Refused) -> Any:
    log.line("intake: refused", **_told(fault.status), why=str(fault))
    headers = {"WWW-Authenticate": 'Basic realm="relay", Bearer'} if fault.status == 401 else {}
    return _answer(fault.status, str(fault), **headers)


def _unavailable(fault: StoreUnavailable) -> Any:
    log.trouble("intake: cannot store", **_told(503), why=str(fault))
    return _answer(503, "the event cannot be stored just now; send it again", **{"Retry-After": COME_BACK_AFTER})


def _http(fault: HTTPException) -> Any:
    allow = {"Allow": ", ".join(fault.valid_methods or ())} if isinstance(fault, MethodNotAllowed) else {}
    return _answer(fault.code or 500, fault.name.lower(), **allow)


def _failed(fault: Exception) -> Any:
    """A fault of our own: nothing was acknowledged, so the sender is asked to come again."""
    log.failure("web: the relay failed", fault, **_told(503))
    return _answer(503, "the relay failed; send it again", **{"Retry-After": COME_BACK_AFTER})
