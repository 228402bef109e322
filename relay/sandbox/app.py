"""The Flask application: REST door, page and, if asked for, control API, joined.

Never holds state of its own; all of it is the portal's.
"""

from __future__ import annotations

from flask import Flask, Response

from relay.sandbox.control import control as control_routes
from relay.sandbox.door import door
from relay.sandbox.page import page
from relay.sandbox.portal import Portal

_BODY_LIMIT = 32 * 1024 * 1024
# No inline script, no inline style, nothing from elsewhere: strangers' text stands on this page.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def create_app(portal: Portal, *, control: bool = False) -> Flask:
    """The portal as a WSGI application; ``control`` opens the API under ``/sandbox/``."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = _BODY_LIMIT
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.register_blueprint(door(portal))
    app.register_blueprint(page(portal))
    if control:
        app.register_blueprint(control_routes(portal))

    @app.after_request
    def guarded(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    return app
