"""The Flask application: one address for each source, and two that tell whether the relay is well.

Never understands a request itself: it takes the raw bytes and hands them to the intake.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from relay import intake, log
from relay.errors import Refused, StoreUnavailable, TooLarge
from relay.house import House
from relay.model import Request
from relay.sources import SENDERS
from relay.store import portals
from relay.web import install, metrics

OTHER_BODIES = 100_000  # bytes, of requests that are for no source
COME_BACK_AFTER = "5"  # seconds; senders that read Retry-After are few, those that retry a 503 are many


def create_app(house: House) -> Flask:
    """The door of a house."""
    app = Flask("relay.web", static_folder=None)
    app.url_map.merge_slashes = False  # a doubled slash is a wrong address, and not a redirect that loses the body
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # the default provider has it

    @app.route("/in/<name>", methods=["POST", "PUT"], provide_automatic_options=False)
    def receive(name: str) -> tuple[Response, int]:
        house.rules_file.follow()
        intake.known(name, house.rules)  # before its body is looked at
        started = time.perf_counter()
        posted = Request(
            method=request.method,
            path=f"/in/{name}",
            headers={name.lower(): _text(value) for name, value in request.headers.items()},
            body=_body(limit=body_limit(house, request.path)),
        )
        receipt = intake.accept(name, posted, rules=house.rules, journal=house.journal, now=time.time())
        log.line(
            "intake: known already" if receipt.duplicate else "intake: journalled",
            event=receipt.id,
            source=name,
            bytes=len(posted.body),
            ms=round((time.perf_counter() - started) * 1000, 1),
        )
        if receipt.duplicate:
            return jsonify(event=receipt.id, duplicate=True), HTTPStatus.OK
        return jsonify(event=receipt.id), HTTPStatus.ACCEPTED

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
        if not house.database.is_current():
            return {"status": "the tables are not those of this version: run `relay db upgrade`"}, 503
        return {"status": "ok", "portals": portals_in_trouble(house)}, 200

    @app.get("/")
    def welcome() -> Response:
        return Response("The Bitrix24 relay is running. Post events to /in/<source>.\n", mimetype="text/plain")

    app.register_blueprint(install.routes(house))
    app.register_blueprint(metrics.routes(house))
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(StoreUnavailable, _unavailable)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _failed)
    return app


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
    return source.max_body if source else OTHER_BODIES


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


def _refused(fault: Refused) -> Any:
    log.line("intake: refused", path=request.path[:100], status=fault.status, why=str(fault))
    headers = {"WWW-Authenticate": 'Basic realm="relay", Bearer'} if fault.status == 401 else {}
    return _answer(fault.status, str(fault), **headers)


def _unavailable(fault: StoreUnavailable) -> Any:
    log.trouble("intake: cannot store", why=str(fault))
    return _answer(503, "the event cannot be stored just now; send it again", **{"Retry-After": COME_BACK_AFTER})


def _http(fault: HTTPException) -> Any:
    allow = {"Allow": ", ".join(fault.valid_methods or ())} if isinstance(fault, MethodNotAllowed) else {}
    return _answer(fault.code or 500, fault.name.lower(), **allow)


def _failed(fault: Exception) -> Any:
    """A fault of our own: nothing was acknowledged, so the sender is asked to come again."""
    log.failure("web: the relay failed", fault, path=request.path[:100])
    return _answer(503, "the relay failed; send it again", **{"Retry-After": COME_BACK_AFTER})
