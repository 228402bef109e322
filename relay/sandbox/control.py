"""The control API under ``/sandbox/``: what tests and demonstrations see of the portal and do to it.

Never there unless asked for, and never open to other sites: a page elsewhere cannot send JSON here without the
browser's asking first (Fetch, CORS protocol), and that question is not answered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import BadRequest

from relay.sandbox import faults, settings, text
from relay.sandbox.bell import Notification
from relay.sandbox.portal import Portal


def control(portal: Portal) -> Blueprint:
    """The routes; every POST takes a JSON object and answers ``{"ok": true}`` or 400 ``{"error": …}``."""
    routes = Blueprint("control", __name__, url_prefix="/sandbox")

    @routes.get("/state")
    def state() -> Response:
        return jsonify(_state(portal))

    @routes.get("/calls")
    def calls() -> Response:
        since = request.args.get("since", default=0, type=int)
        return jsonify([entry.as_json() for entry in portal.calls(since)])

    @routes.post("/faults")
    def order_fault() -> Response:
        fault = _checked(lambda: faults.from_json(_order()))
        portal.fail(**asdict(fault))
        return jsonify(ok=True)

    @routes.delete("/faults")
    def heal() -> Response:
        portal.heal()
        return jsonify(ok=True)

    @routes.post("/settings")
    def configure() -> Response:
        order = _order()
        _checked(lambda: portal.configure(**order))
        return jsonify(ok=True)

    @routes.post("/people/<int:number>")
    def change_person(number: int) -> Response:
        order = _order()
        _checked(lambda: portal.change_person(number, **order))
        return jsonify(ok=True)

    @routes.post("/reset")
    def reset() -> Response:
        _order()
        portal.reset()
        return jsonify(ok=True)

    @routes.errorhandler(BadRequest)
    def wrong(error: BadRequest) -> tuple[Response, int]:
        return jsonify(error=error.description), 400

    return routes


def _order() -> dict[str, Any]:
    if request.mimetype != "application/json":
        raise BadRequest("Content-Type: application/json is expected")
    order = request.get_json(force=True, silent=True)
    if not isinstance(order, dict):
        raise BadRequest("a JSON object is expected")
    return order


def _checked(act: Callable[[], Any]) -> Any:
    try:
        return act()
    except (ValueError, TypeError) as error:
        raise BadRequest(str(error)) from None


def _state(portal: Portal) -> dict[str, Any]:
    return {
        "people": [{**asdict(person), "full_name": person.full_name} for person in portal.people],
        "notifications": {
            str(person.id): [_shown(notification) for notification in portal.notifications(person.id)]
            for person in portal.people
        },
        "counters": dict(portal.counters),
        "settings": settings.as_json(portal.settings),
        "version": portal.version,
    }


def _shown(notification: Notification) -> dict[str, Any]:
    """A notification as stored, and as a client is given it (``shown``)."""
    return {**asdict(notification), "shown": text.on_read(notification.text)}
