"""The Flask application: the door, the pages, and two addresses that tell whether the relay is well.

Never answers for them: each part brings its own routes.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, redirect
from flask.json.provider import DefaultJSONProvider

from relay import log
from relay.house import House
from relay.store import portals
from relay.web import answers, door, install, metrics
from relay.web.pages import playground, site
from relay.web.pages.access import Access

OTHER_BODIES = 100_000  # bytes, of requests that are for no source


def create_app(house: House, *, clock: Callable[[], float] = time.time) -> Flask:
    """The door of a house. ``clock`` (Unix seconds) is for the age of sessions."""
    app = Flask("relay.web", static_folder=None)
    app.url_map.merge_slashes = False  # a doubled slash is a wrong address, and not a redirect that loses the body
    app.json = Json(app)
    answers.install(app)

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

    app.register_blueprint(door.routes(house))
    app.register_blueprint(install.routes(house))
    access = Access(house, clock)
    app.register_blueprint(metrics.routes(house, access))
    site.install(app, house, access)
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
    source = house.rules_file.current.sources.get(path.removeprefix("/in/"))
    if source:
        return source.max_body
    return playground.FORM if path.endswith("/playground") else OTHER_BODIES
